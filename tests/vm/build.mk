# SPDX-License-Identifier: MIT
# A helper of guest tests, no test of its own: only build/tests/test_* are run as such.
$(eval $(call testprog,app_frames,tests/vm/app_frames.c,,))
# Static programs that the guests of the module's tests take along: build/vm/prog/NAME.
GUESTPROGS := $(BUILD)/vm/prog/control $(BUILD)/vm/prog/ringread $(BUILD)/vm/prog/camapp \
	$(BUILD)/vm/prog/pixels
$(eval $(call link-rule,$(BUILD)/vm/prog/control,tests/vm/prog/control.c tests/vm/prog/nl.c,,-static))
$(eval $(call link-rule,$(BUILD)/vm/prog/ringread,tests/vm/prog/ringread.c,,-static))
$(eval $(call link-rule,$(BUILD)/vm/prog/camapp,tests/vm/prog/camapp.c,,-static))
$(eval $(call link-rule,$(BUILD)/vm/prog/pixels,tests/vm/prog/pixels.c,,-static))
# Hostile requests and readers, dumps, the clock of an application.
GUESTPROGS += $(addprefix $(BUILD)/vm/prog/,netfuzz netdump ringattack dqbuf)
$(eval $(call link-rule,$(BUILD)/vm/prog/netfuzz,tests/vm/prog/netfuzz.c tests/vm/prog/policy.c tests/vm/prog/nl.c,,-static))
$(eval $(call link-rule,$(BUILD)/vm/prog/netdump,tests/vm/prog/netdump.c tests/vm/prog/nl.c,,-static))
$(eval $(call link-rule,$(BUILD)/vm/prog/ringattack,tests/vm/prog/ringattack.c,,-static))
$(eval $(call link-rule,$(BUILD)/vm/prog/dqbuf,tests/vm/prog/dqbuf.c,,-static))
.PHONY: guest-programs
guest-programs: $(GUESTPROGS)
$(eval $(call testprog,stored_halves,tests/vm/stored_halves.c cloud/segment_read.c cloud/seal.c $(LIBSLUICE),libjpeg libcrypto))
