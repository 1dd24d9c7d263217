# SPDX-License-Identifier: MIT
# In the order a frame meets them.
RELAY := $(addprefix relay/,conf.c source.c ring.c drain.c encode.c uplink.c uplink_send.c downlink.c ledger.c)
RELAY_PKGS := $(LIBSLUICE_PKGS) libjpeg jansson
$(eval $(call program,sluice-relay,relay/main.c $(RELAY) lib/reason.c $(LIBSLUICE),$(RELAY_PKGS)))
