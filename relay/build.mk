# SPDX-License-Identifier: MIT
# In the order a frame meets them.
RELAY := $(addprefix relay/,conf.c source.c ring.c drain.c drain_spill.c encode.c region.c payload.c budget.c \
	spill.c spool.c spool_record.c spool_write.c spool_segment.c spool_read.c spool_scan.c spool_mark.c \
	lane.c uplink.c uplink_take.c uplink_pump.c uplink_send.c downlink.c ledger.c) lib/coefs.c
RELAY_PKGS := $(LIBSLUICE_PKGS) libjpeg jansson
$(eval $(call program,sluice-relay,relay/main.c $(RELAY) lib/reason.c $(LIBSLUICE),$(RELAY_PKGS)))

$(eval $(call testprog,test_encode,tests/unit/test_encode.c relay/encode.c,libjpeg))
$(eval $(call testprog,test_drain,tests/unit/test_drain.c tests/unit/ringmake.c relay/drain.c relay/drain_spill.c \
	relay/region.c relay/budget.c lib/coefs.c relay/ring.c kmod/ring.c $(LIBSLUICE),libjpeg))
$(eval $(call testprog,test_uplink,tests/unit/test_uplink.c tests/unit/fake_cloud.c tests/unit/ringmake.c tests/unit/certs.c \
	$(filter-out relay/conf.c relay/source.c relay/ledger.c,$(RELAY)) lib/reason.c kmod/ring.c $(LIBSLUICE),$(RELAY_PKGS)))
$(eval $(call testprog,test_downlink,tests/unit/test_downlink.c tests/unit/certs.c relay/downlink.c $(LIBSLUICE),$(RELAY_PKGS)))
$(eval $(call testprog,test_region,tests/unit/test_region.c tests/unit/jpeg_make.c relay/region.c lib/coefs.c cloud/rebuild.c \
	cloud/canvas.c cloud/decode.c $(LIBSLUICE),libjpeg))
$(eval $(call testprog,test_budget,tests/unit/test_budget.c relay/budget.c))
SPOOL := $(addprefix relay/,spool.c spool_record.c spool_write.c spool_segment.c spool_read.c spool_scan.c spool_mark.c)
$(eval $(call testprog,test_spool,tests/unit/test_spool.c tests/unit/disk_fault.c $(SPOOL) lib/reason.c $(LIBSLUICE),$(LIBSLUICE_PKGS) jansson))
$(eval $(call testprog,test_lane,tests/unit/test_lane.c relay/lane.c $(SPOOL) lib/reason.c $(LIBSLUICE),$(LIBSLUICE_PKGS) jansson))
