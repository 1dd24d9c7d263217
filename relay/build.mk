# SPDX-License-Identifier: MIT
# In the order a frame meets them.
RELAY := $(addprefix relay/,conf.c source.c ring.c drain.c drain_spill.c drain_pause.c encode.c region.c payload.c budget.c spill.c)
SPOOL := $(addprefix relay/,spool.c spool_record.c spool_write.c spool_segment.c spool_read.c spool_scan.c spool_mark.c)
RELAY += $(SPOOL) $(addprefix relay/,lane.c boot.c uplink.c uplink_take.c uplink_pump.c uplink_send.c ledger.c)
# What the cloud asks for.
RELAY_ASKED := $(addprefix relay/,gate_feed.c gate_map.c memo.c settings.c report.c commands.c) lib/setting.c tools/ctl/polygon.c
MEMO := $(addprefix relay/,memo.c boot.c desk.c drain.c drain_pause.c region.c ring.c) lib/coefs.c
# What comes back.
RELAY_BACK := $(addprefix relay/,desk.c downlink.c landing_read.c tree.c landing.c retention.c sinks.c outbox.c sink_hook.c \
	mqtt_topics.c sink_mqtt.c sink_webhook.c)
RELAY += $(RELAY_BACK) $(RELAY_ASKED) relay/clouds.c lib/coefs.c
# What makes a service of it.
RELAY_SERVICE := $(addprefix relay/,spool_facts.c identity.c renew.c health.c metrics.c seccomp.c service.c) lib/filter.c lib/notify.c
RELAY_PKGS := $(LIBSLUICE_PKGS) libjpeg jansson libcurl libmosquitto
$(eval $(call program,sluice-relay,relay/main.c relay/wires.c $(RELAY) $(RELAY_SERVICE) relay/describe.c relay/gate_kernel.c tools/ctl/genl.c lib/reason.c $(LIBSLUICE),$(RELAY_PKGS) libseccomp libnl-genl-3.0,-lm))

$(eval $(call testprog,test_encode,tests/unit/test_encode.c relay/encode.c,libjpeg))
$(eval $(call testprog,test_drain,tests/unit/test_drain.c tests/unit/ringmake.c relay/drain.c relay/drain_spill.c relay/drain_pause.c \
	relay/region.c lib/coefs.c relay/ring.c kmod/ring.c $(LIBSLUICE),libjpeg))
$(eval $(call testprog,test_uplink,tests/unit/test_uplink.c tests/unit/fake_cloud.c tests/unit/ringmake.c tests/unit/certs.c \
	$(filter-out relay/conf.c relay/source.c relay/ledger.c,$(RELAY)) lib/reason.c kmod/ring.c $(LIBSLUICE),$(RELAY_PKGS),-lm))
$(eval $(call testprog,test_connect,tests/unit/test_connect.c tests/unit/certs.c relay/clouds.c $(LIBSLUICE),$(LIBSLUICE_PKGS)))
$(eval $(call testprog,test_seccomp,tests/unit/test_seccomp.c relay/seccomp.c lib/filter.c $(LIBSLUICE),$(LIBSLUICE_PKGS) libseccomp,-lpthread))
$(eval $(call testprog,test_identity,tests/unit/test_identity.c tests/unit/certs.c relay/identity.c $(LIBSLUICE),$(LIBSLUICE_PKGS)))
$(eval $(call testprog,test_health,tests/unit/test_health.c relay/health.c relay/ring.c))
$(eval $(call testprog,test_notify,tests/unit/test_notify.c lib/notify.c))
$(eval $(call testprog,test_downlink,tests/unit/test_downlink.c tests/unit/certs.c $(RELAY_BACK) $(LIBSLUICE),$(RELAY_PKGS),-lm))
$(eval $(call testprog,test_settings,tests/unit/test_settings.c relay/settings.c relay/gate_map.c tools/ctl/polygon.c $(MEMO) lib/setting.c $(LIBSLUICE),$(LIBSLUICE_PKGS) jansson libjpeg,-lm))
$(eval $(call testprog,test_sinks,tests/unit/test_sinks.c tests/unit/certs.c $(RELAY_BACK) $(LIBSLUICE),$(RELAY_PKGS),-lm -lpthread))
$(eval $(call testprog,config_apply,tests/vm/config_apply.c relay/settings.c relay/gate_map.c tools/ctl/polygon.c $(MEMO) relay/gate_kernel.c \
	relay/gate_feed.c lib/setting.c tools/ctl/genl.c $(LIBSLUICE),$(LIBSLUICE_PKGS) jansson libjpeg libnl-genl-3.0,-lm))
# Calls that change the disk are counted, and fail when the test wants.
comma := ,
LANDING_CALLS := write pwrite fsync fdatasync ftruncate mkdirat unlinkat renameat
$(eval $(call testprog,test_landing,tests/unit/test_landing.c tests/unit/certs.c $(RELAY_BACK) $(LIBSLUICE),$(RELAY_PKGS),-lm -lpthread \
	$(LANDING_CALLS:%=-Wl$(comma)--wrap=%)))
$(eval $(call testprog,test_spool,tests/unit/test_spool.c tests/unit/spool_rig.c tests/unit/disk_fault.c $(SPOOL) lib/reason.c $(LIBSLUICE),$(LIBSLUICE_PKGS) jansson))
$(eval $(call testprog,test_spool_damage,tests/unit/test_spool_damage.c tests/unit/spool_rig.c tests/unit/disk_fault.c $(SPOOL) lib/reason.c $(LIBSLUICE),$(LIBSLUICE_PKGS) jansson))
$(eval $(call testprog,test_spool_doubt,tests/unit/test_spool_doubt.c tests/unit/spool_rig.c tests/unit/disk_fault.c $(SPOOL) lib/reason.c $(LIBSLUICE),$(LIBSLUICE_PKGS) jansson))
$(eval $(call testprog,test_lane,tests/unit/test_lane.c relay/lane.c $(SPOOL) lib/reason.c $(LIBSLUICE),$(LIBSLUICE_PKGS) jansson))
$(eval $(call testprog,test_region,tests/unit/test_region.c tests/unit/jpeg_make.c relay/region.c lib/coefs.c cloud/rebuild.c \
	cloud/canvas.c cloud/decode.c cloud/jpeg_coarse.c cloud/jpeg_table.c cloud/jpeg_shrink.c cloud/picture.c $(LIBSLUICE),libjpeg,-lm))
$(eval $(call testprog,test_budget,tests/unit/test_budget.c relay/budget.c))
$(eval $(call testprog,test_commands,tests/unit/test_commands.c tests/unit/ringmake.c relay/commands.c $(MEMO) lib/reason.c kmod/ring.c \
	$(LIBSLUICE),$(LIBSLUICE_PKGS) jansson libjpeg,-lm))
