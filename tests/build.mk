# SPDX-License-Identifier: MIT
$(eval $(call testprog,test_assign,tests/unit/test_assign.c cloud/assign.c))
$(eval $(call testprog,test_analysis,tests/unit/test_analysis.c $(ANALYSIS),libjpeg libturbojpeg jansson libcrypto,-lm))

# The pixel half of the gate core.
JPEG_MAKE := tests/unit/jpeg_make.c
$(eval $(call testprog,test_jpeg_dc,$(JPEG_DC_SRCS) $(JPEG_MAKE) tests/unit/test_jpeg_dc.c,libjpeg))
$(eval $(call testprog,test_luma,$(LUMA_SRCS) tests/unit/test_luma.c))
$(eval $(call testprog,test_luma_simd,$(LUMA_SRCS) tests/unit/test_luma_simd.c))
$(eval $(call testprog,test_mask,$(LUMA_SRCS) kmod/mask.c tests/unit/test_mask.c))
