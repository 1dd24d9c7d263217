# SPDX-License-Identifier: MIT
$(eval $(call testprog,test_assign,tests/unit/test_assign.c cloud/assign.c))
$(eval $(call testprog,test_analysis,tests/unit/test_analysis.c $(ANALYSIS),libjpeg libturbojpeg jansson libcrypto,-lm))
CORE := kmod/ring.c kmod/ledger.c kmod/settings.c kmod/record.c kmod/roll.c kmod/frame.c
$(eval $(call testprog,test_ring,tests/unit/test_ring.c kmod/ring.c))
$(eval $(call testprog,test_ledger,tests/unit/test_ledger.c kmod/ledger.c))
$(eval $(call testprog,test_frame,tests/unit/test_frame.c $(CORE)))

# A folder of tests may have its own list.
include $(sort $(wildcard tests/*/build.mk))
