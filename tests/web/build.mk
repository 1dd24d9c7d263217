# SPDX-License-Identifier: MIT
# Helper of the dashboard's test (tests/pipeline/t_web).
$(eval $(call testprog,fill_index,tests/web/fill_index.c $(LIBCLOUD) $(LIBSLUICE),$(CLOUD_PKGS),-lpthread))
