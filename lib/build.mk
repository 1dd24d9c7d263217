# SPDX-License-Identifier: MIT
# build/lib/libsluice.a: what relay and cloud share. Link with $(LIBSLUICE_PKGS).
LIBSLUICE := $(BUILD)/lib/libsluice.a
LIBSLUICE_PKGS := liburing libssl libcrypto
$(eval $(call archive,libsluice,lib/io.c lib/io_timer.c lib/io_socket.c lib/io_stream.c lib/io_file.c lib/io_uring.c \
	lib/url.c lib/resolve.c lib/race.c lib/tunnel.c lib/proxy_head.c lib/outq.c lib/tls_ctx.c lib/tls_forwarded.c lib/tls.c lib/conn.c lib/conn_connect.c lib/http1.c lib/http1_write.c \
	lib/crc32c.c lib/wire.c lib/wire_region.c lib/fields.c lib/near.c lib/conf.c lib/conf_parse.c lib/log.c lib/log_ring.c,$(LIBSLUICE_PKGS)))

$(eval $(call testprog,test_wire,tests/unit/test_wire.c $(LIBSLUICE)))
$(eval $(call testprog,test_proxy_head,tests/unit/test_proxy_head.c lib/proxy_head.c))
$(eval $(call testprog,test_http1,tests/unit/test_http1.c $(LIBSLUICE)))
$(eval $(call testprog,test_conf,tests/unit/test_conf.c $(LIBSLUICE)))
$(eval $(call testprog,test_io,tests/unit/test_io.c $(LIBSLUICE),$(LIBSLUICE_PKGS)))
$(eval $(call testprog,test_tls,tests/unit/test_tls.c tests/unit/certs.c $(LIBSLUICE),$(LIBSLUICE_PKGS)))
$(eval $(call testprog,test_race,tests/unit/test_race.c $(LIBSLUICE),$(LIBSLUICE_PKGS)))
$(eval $(call testprog,test_log,tests/unit/test_log.c $(LIBSLUICE)))
