# SPDX-License-Identifier: MIT
# Helpers of the pipeline tests.
$(eval $(call testprog,make_scene,tests/pipeline/make_scene.c))
$(eval $(call testprog,ring_reader,tests/pipeline/ring_reader.c))
$(eval $(call testprog,check_try,tests/pipeline/check_try.c,jansson))
$(eval $(call testprog,damage_avi,tests/pipeline/damage_avi.c))
$(eval $(call testprog,expire_tokens,tests/pipeline/expire_tokens.c,sqlite3))
$(eval $(call testprog,list_frames,tests/pipeline/list_frames.c,sqlite3))
$(eval $(call testprog,check_regions,tests/pipeline/check_regions.c cloud/rebuild.c cloud/jpeg_head.c \
	cloud/segment_read.c cloud/seal.c lib/coefs.c $(LIBSLUICE),libjpeg libcrypto))
$(eval $(call testprog,notify_log,tests/pipeline/notify_log.c))
$(eval $(call testprog,cut_proxy,tests/pipeline/cut_proxy.c))
$(eval $(call testprog,bad_s3,tests/pipeline/bad_s3.c tests/conform/bad_proxy.c,,-lpthread))
$(eval $(call testprog,rude_server,tests/pipeline/rude_server.c))
$(eval $(call testprog,chat_server,tests/pipeline/chat_main.c tests/unit/chat_server.c,jansson libssl libcrypto))
$(eval $(call testprog,dump_index,tests/pipeline/dump_index.c,sqlite3))
$(eval $(call testprog,crash_check,tests/pipeline/crash_check.c tests/pipeline/crash_frame.c tests/unit/jpeg_make.c $(LIBCLOUD) \
	$(LIBSLUICE),$(CLOUD_PKGS)))
$(eval $(call testprog,crash_device,tests/pipeline/crash_device.c tests/pipeline/crash_frame.c tests/unit/jpeg_make.c tests/unit/uplink.c tests/unit/cloud_child.c \
	tests/unit/analysis_script.c $(LIBCLOUD) cloud/decode.c cloud/jpeg_coarse.c cloud/jpeg_table.c cloud/jpeg_shrink.c cloud/picture.c cloud/digest_plan.c $(DIGEST) $(LIBSLUICE),$(CLOUD_PKGS) $(DIGEST_PKGS),-lm -lpthread))
