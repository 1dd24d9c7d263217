# SPDX-License-Identifier: MIT
# Helpers of the pipeline tests.
$(eval $(call testprog,make_scene,tests/pipeline/make_scene.c))
$(eval $(call testprog,ring_reader,tests/pipeline/ring_reader.c))
$(eval $(call testprog,check_try,tests/pipeline/check_try.c,jansson))
$(eval $(call testprog,damage_avi,tests/pipeline/damage_avi.c))
$(eval $(call testprog,expire_tokens,tests/pipeline/expire_tokens.c,sqlite3))
$(eval $(call testprog,list_frames,tests/pipeline/list_frames.c,sqlite3))
$(eval $(call testprog,check_regions,tests/pipeline/check_regions.c cloud/rebuild.c cloud/jpeg_head.c \
	cloud/segment.c lib/coefs.c $(LIBSLUICE),libjpeg))
$(eval $(call testprog,notify_log,tests/pipeline/notify_log.c))
$(eval $(call testprog,cut_proxy,tests/pipeline/cut_proxy.c))
$(eval $(call testprog,rude_server,tests/pipeline/rude_server.c))
