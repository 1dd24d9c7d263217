# SPDX-License-Identifier: MIT
# $(eval $(call fuzzprog,NAME,SOURCES,PKG-CONFIG-PACKAGES,LIBRARIES)): build/fuzz/NAME, made from
# all its sources with libFuzzer, address and undefined-behaviour checks. Seeds: tests/fuzz/corpus/.
define fuzzprog
FUZZPROGS += $(BUILD)/fuzz/$(1)
$(BUILD)/fuzz/$(1): $(2) $(wildcard $(sort $(addsuffix *.h,$(dir $(2)))) include/sluice/*.h)
	$$(call say,FUZZ,$(1))
	@mkdir -p $$(@D)
	$$(Q)clang $$(STD) -g -O1 -fsanitize=fuzzer,address,undefined -fno-sanitize-recover=all \
		$$(if $(3),$$(shell $$(PKGCONF) --cflags $(3))) -o $$@ $$(filter %.c,$$^) \
		$$(if $(3),$$(shell $$(PKGCONF) --libs $(3))) $(4)
endef

$(eval $(call testprog,test_assign,tests/unit/test_assign.c cloud/assign.c))
$(eval $(call testprog,test_analysis,tests/unit/test_analysis.c $(ANALYSIS),libjpeg libturbojpeg jansson libcrypto,-lm))
CORE := kmod/ring.c kmod/ledger.c kmod/settings.c kmod/record.c kmod/roll.c kmod/frame.c
$(eval $(call testprog,test_ring,tests/unit/test_ring.c kmod/ring.c))
$(eval $(call testprog,test_ledger,tests/unit/test_ledger.c kmod/ledger.c))
$(eval $(call testprog,test_frame,tests/unit/test_frame.c $(CORE)))
$(eval $(call testprog,test_camsim_roll,tests/unit/test_camsim_roll.c $(addprefix tools/camsim/,roll.c roll_writer.c play.c)))
$(eval $(call testprog,test_camsim_payload,tests/unit/test_camsim_payload.c $(addprefix tools/camsim/,roll.c fault.c payload.c)))
$(eval $(call testprog,test_camsim_uvc,tests/unit/test_camsim_uvc.c $(addprefix tools/camsim/,descriptors.c uvc_control.c vhci.c)))
$(eval $(call testprog,test_camsim_usbip,tests/unit/test_camsim_usbip.c tools/camsim/usbip.c))

$(eval $(call testprog,test_report,tests/unit/test_report.c $(report_SRCS),jansson,-lm))

# A folder of tests may have its own list.
include $(sort $(wildcard tests/*/build.mk))

.PHONY: tests fuzz-programs list-tests list-fuzz
fuzz-programs: $(FUZZPROGS)
fuzz: ## every fuzzer for a short, bounded run
	$(Q)tools/deps build check
	$(Q)tests/run fuzz
list-tests:
	@printf "%s\n" $(filter $(BUILD)/tests/test_%,$(TESTPROGS))
list-fuzz:
	@printf '%s\n' $(FUZZPROGS)

# The pixel half of the gate core.
JPEG_MAKE := tests/unit/jpeg_make.c
$(eval $(call testprog,test_jpeg_dc,$(JPEG_DC_SRCS) $(JPEG_MAKE) tests/unit/test_jpeg_dc.c,libjpeg))
$(eval $(call testprog,test_luma,$(LUMA_SRCS) tests/unit/test_luma.c))
$(eval $(call testprog,test_luma_simd,$(LUMA_SRCS) tests/unit/test_luma_simd.c))
$(eval $(call testprog,test_mask,$(LUMA_SRCS) kmod/mask.c tests/unit/test_mask.c))
