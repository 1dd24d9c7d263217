# SPDX-License-Identifier: MIT
include tools/feed/build.mk
include tools/try/build.mk
include tools/report/build.mk

# The simulated camera, in the order a frame meets the files. The static twin for guests without
# libraries plays rolls and makes none.
camsim-play := $(addprefix tools/camsim/,options.c roll.c play.c fault.c payload.c camera.c \
	       descriptors.c uvc_control.c usbip.c vhci.c remote.c main.c)
$(eval $(call program,sluice-camsim,tools/camsim/make_roll.c tools/camsim/roll_writer.c $(camsim-play),libavformat libavcodec libavutil libswscale libturbojpeg))
$(eval $(call link-rule,$(BUILD)/guest/sluice-camsim,tools/camsim/make_roll_none.c $(camsim-play),,-static))
PROGRAMS += $(BUILD)/guest/sluice-camsim

CTL := main genl fields show attach set mask polygon stats watch https enrol retune summaries summaries_show summaries_follow doctor
$(eval $(call program,sluicectl,$(CTL:%=tools/ctl/%.c) lib/reason.c lib/setting.c lib/conf.c lib/conf_parse.c lib/near.c kmod/settings.c $(GATE_SRCS),\
	libnl-genl-3.0 liburing libcurl libcrypto jansson,-lm))
