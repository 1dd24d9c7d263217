# SPDX-License-Identifier: MIT
$(eval $(call fuzzer,wire,tests/fuzz/fuzz_wire.c lib/wire.c lib/fields.c lib/crc32c.c))
$(eval $(call fuzzer,http1,tests/fuzz/fuzz_http1.c lib/http1.c lib/http1_write.c lib/crc32c.c))
$(eval $(call fuzzer,chunk,tests/fuzz/fuzz_chunk.c cloud/chunk.c cloud/bus_local.c cloud/camera.c lib/crc32c.c,,libcrypto))
$(eval $(call fuzzer,proxy,tests/fuzz/fuzz_proxy.c lib/proxy_head.c))
REBUILD := cloud/rebuild.c cloud/canvas.c cloud/decode.c cloud/jpeg_coarse.c cloud/jpeg_table.c cloud/jpeg_shrink.c cloud/picture.c cloud/jpeg_head.c lib/coefs.c lib/wire_region.c
$(eval $(call link-rule,$(BUILD)/fuzz/seed_rebuild,tests/fuzz/seed_rebuild.c tests/unit/jpeg_make.c relay/region.c lib/coefs.c \
	lib/wire_region.c,libjpeg))
$(BUILD)/fuzz/corpus/rebuild/seed-0: $(BUILD)/fuzz/seed_rebuild
	@mkdir -p $(@D)
	$(Q)$< $(@D)
$(eval $(call fuzzer,rebuild,$(REBUILD) tests/fuzz/fuzz_rebuild.c,,libjpeg))
$(BUILD)/fuzz/fuzz_rebuild: | $(BUILD)/fuzz/corpus/rebuild/seed-0
$(eval $(call fuzzer,query,tests/fuzz/fuzz_query.c cloud/credential.c cloud/range.c cloud/facets.c cloud/camera.c lib/http1.c lib/http1_write.c,,libcrypto jansson))
$(eval $(call link-rule,$(BUILD)/fuzz/seed_csr,tests/fuzz/seed_csr.c,libcrypto))
$(BUILD)/fuzz/corpus/csr/seed-0: $(BUILD)/fuzz/seed_csr
	@mkdir -p $(@D)
	$(Q)$< $(@D)
$(eval $(call fuzzer,csr,tests/fuzz/fuzz_csr.c cloud/ca.c cloud/ca_sign.c cloud/camera.c,,libcrypto))
$(BUILD)/fuzz/fuzz_csr: | $(BUILD)/fuzz/corpus/csr/seed-0
$(eval $(call fuzzer,asked,tests/fuzz/fuzz_asked.c relay/commands.c relay/settings.c relay/gate_map.c tools/ctl/polygon.c lib/setting.c \
	$(MEMO) lib/log.c lib/log_ring.c lib/conf.c lib/conf_parse.c lib/near.c lib/crc32c.c lib/wire_region.c \
	$(addprefix lib/,io.c io_timer.c io_socket.c io_stream.c io_file.c io_uring.c),,jansson libcrypto libjpeg liburing,-lm))
BOX := cloud/box.c cloud/tally.c cloud/digest_plan.c cloud/starved.c cloud/period.c cloud/period_pack.c
$(eval $(call link-rule,$(BUILD)/fuzz/seed_box,tests/fuzz/seed_box.c $(BOX),jansson,-lm))
$(BUILD)/fuzz/corpus/box/seed-0: $(BUILD)/fuzz/seed_box
	@mkdir -p $(@D)
	$(Q)$< $(@D)
$(eval $(call fuzzer,box,tests/fuzz/fuzz_box.c $(BOX),,jansson,-lm))
$(BUILD)/fuzz/fuzz_box: | $(BUILD)/fuzz/corpus/box/seed-0
$(eval $(call fuzzer,vision,tests/fuzz/fuzz_vision.c cloud/vision_answer.c,,jansson,-lm))
