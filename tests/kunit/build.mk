# SPDX-License-Identifier: MIT
# The pictures of the jpeg_dc suite are made once and kept: the kernel has no libjpeg.
$(eval $(call link-rule,$(BUILD)/kunit/make_pictures,tests/kunit/make_pictures.c $(JPEG_MAKE),libjpeg))
.PHONY: kunit-pictures
kunit-pictures: $(BUILD)/kunit/make_pictures
	$(Q)$< >kmod/kunit/jpeg_pictures.c
