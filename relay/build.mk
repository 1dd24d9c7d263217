# SPDX-License-Identifier: MIT
# In the order a frame meets them.
RELAY := $(addprefix relay/,conf.c source.c ring.c drain.c encode.c uplink.c uplink_take.c uplink_send.c downlink.c ledger.c)
RELAY += relay/clouds.c
RELAY_PKGS := $(LIBSLUICE_PKGS) libjpeg jansson
# What makes a service of it.
RELAY_SERVICE := $(addprefix relay/,identity.c renew.c notify.c health.c metrics.c seccomp.c service.c)
$(eval $(call program,sluice-relay,relay/main.c $(RELAY) $(RELAY_SERVICE) lib/reason.c $(LIBSLUICE),$(RELAY_PKGS) libseccomp))

$(eval $(call testprog,test_encode,tests/unit/test_encode.c relay/encode.c,libjpeg))
$(eval $(call testprog,test_drain,tests/unit/test_drain.c tests/unit/ringmake.c relay/drain.c relay/ring.c kmod/ring.c))
$(eval $(call testprog,test_uplink,tests/unit/test_uplink.c tests/unit/fake_cloud.c tests/unit/ringmake.c tests/unit/certs.c \
	$(filter-out relay/conf.c relay/source.c relay/ledger.c,$(RELAY)) kmod/ring.c $(LIBSLUICE),$(RELAY_PKGS)))
$(eval $(call testprog,test_downlink,tests/unit/test_downlink.c tests/unit/certs.c relay/downlink.c $(LIBSLUICE),$(RELAY_PKGS)))
$(eval $(call testprog,test_connect,tests/unit/test_connect.c tests/unit/certs.c relay/clouds.c $(LIBSLUICE),$(LIBSLUICE_PKGS)))
$(eval $(call testprog,test_seccomp,tests/unit/test_seccomp.c relay/seccomp.c $(LIBSLUICE),$(LIBSLUICE_PKGS) libseccomp,-lpthread))
$(eval $(call testprog,test_identity,tests/unit/test_identity.c tests/unit/certs.c relay/identity.c $(LIBSLUICE),$(LIBSLUICE_PKGS)))
$(eval $(call testprog,test_health,tests/unit/test_health.c relay/health.c relay/ring.c))
$(eval $(call testprog,test_notify,tests/unit/test_notify.c relay/notify.c))
