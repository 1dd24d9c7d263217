# SPDX-License-Identifier: MIT
$(eval $(call testprog,test_ring,tests/unit/test_ring.c kmod/ring.c))
$(eval $(call testprog,test_ledger,tests/unit/test_ledger.c kmod/ledger.c))
$(eval $(call testprog,test_frame,tests/unit/test_frame.c $(FRAME_SRCS)))
$(eval $(call testprog,test_assign,tests/unit/test_assign.c cloud/assign.c))
$(eval $(call testprog,test_analysis,tests/unit/test_analysis.c $(ANALYSIS),libjpeg libturbojpeg jansson libcrypto,-lm))

# The pixel half of the gate core.
JPEG_MAKE := tests/unit/jpeg_make.c
$(eval $(call testprog,test_jpeg_dc,$(JPEG_DC_SRCS) $(JPEG_MAKE) tests/unit/test_jpeg_dc.c,libjpeg))

# A folder of tests may have its own list.
include $(sort $(wildcard tests/*/build.mk))
$(eval $(call testprog,test_polygon,tests/unit/test_polygon.c tools/ctl/polygon.c,,-lm))
