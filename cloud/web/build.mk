# SPDX-License-Identifier: MIT
# The dashboard, built in: cloud/web.h says how.
WEB := $(sort $(wildcard $(addprefix cloud/web/*.,css html js svg)))
WEB_FILES := $(BUILD)/gen/web_files.c
$(eval $(call link-rule,$(BUILD)/gen/web_pack,cloud/web_pack.c,libcrypto))
$(WEB_FILES): $(BUILD)/gen/web_pack $(WEB)
	$(call say,PACK,cloud/web)
	$(Q)$< $@ $(WEB)
API += cloud/api_about.c cloud/api_web.c $(WEB_FILES)
