# SPDX-License-Identifier: MIT
$(eval $(call testprog,test_assign,tests/unit/test_assign.c cloud/assign.c))
$(eval $(call testprog,test_analysis,tests/unit/test_analysis.c $(ANALYSIS),libjpeg libturbojpeg jansson libcrypto,-lm))
$(eval $(call testprog,test_polygon,tests/unit/test_polygon.c tools/ctl/polygon.c,,-lm))
$(eval $(call testprog,test_camsim_roll,tests/unit/test_camsim_roll.c $(addprefix tools/camsim/,roll.c roll_writer.c play.c)))
$(eval $(call testprog,test_camsim_payload,tests/unit/test_camsim_payload.c $(addprefix tools/camsim/,roll.c fault.c payload.c)))
$(eval $(call testprog,test_camsim_uvc,tests/unit/test_camsim_uvc.c $(addprefix tools/camsim/,descriptors.c uvc_control.c vhci.c)))
$(eval $(call testprog,test_camsim_usbip,tests/unit/test_camsim_usbip.c tools/camsim/usbip.c))
