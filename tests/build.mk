# SPDX-License-Identifier: MIT
$(eval $(call testprog,test_assign,tests/unit/test_assign.c cloud/assign.c))
$(eval $(call testprog,test_analysis,tests/unit/test_analysis.c $(ANALYSIS),libjpeg libturbojpeg jansson libcrypto,-lm))
CORE := kmod/ring.c kmod/ledger.c kmod/settings.c kmod/record.c kmod/roll.c kmod/frame.c
$(eval $(call testprog,test_ring,tests/unit/test_ring.c kmod/ring.c))
$(eval $(call testprog,test_ledger,tests/unit/test_ledger.c kmod/ledger.c))
$(eval $(call testprog,test_frame,tests/unit/test_frame.c $(CORE)))

# A folder of tests may have its own list.
include $(sort $(wildcard tests/*/build.mk))
$(eval $(call testprog,test_camsim_roll,tests/unit/test_camsim_roll.c $(addprefix tools/camsim/,roll.c roll_writer.c play.c)))
$(eval $(call testprog,test_camsim_payload,tests/unit/test_camsim_payload.c $(addprefix tools/camsim/,roll.c fault.c payload.c)))
$(eval $(call testprog,test_camsim_uvc,tests/unit/test_camsim_uvc.c $(addprefix tools/camsim/,descriptors.c uvc_control.c vhci.c)))
$(eval $(call testprog,test_camsim_usbip,tests/unit/test_camsim_usbip.c tools/camsim/usbip.c))
