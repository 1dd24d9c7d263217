# SPDX-License-Identifier: MIT
include tools/feed/build.mk

CTL := main genl fields show attach set mask polygon stats watch enrol summaries doctor
$(eval $(call program,sluicectl,$(CTL:%=tools/ctl/%.c) lib/reason.c,\
	libnl-genl-3.0 liburing libcurl libcrypto jansson,-lm))
