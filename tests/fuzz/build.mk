# SPDX-License-Identifier: MIT
$(eval $(call fuzzer,wire,tests/fuzz/fuzz_wire.c lib/wire.c lib/fields.c lib/crc32c.c))
$(eval $(call fuzzer,http1,tests/fuzz/fuzz_http1.c lib/http1.c lib/http1_write.c lib/crc32c.c))
