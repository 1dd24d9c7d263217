# SPDX-License-Identifier: MIT
# What the worker does with a frame, in that order.
ANALYSIS := cloud/decode.c cloud/jpeg_coarse.c cloud/jpeg_table.c cloud/jpeg_shrink.c cloud/canvas.c cloud/background.c cloud/background_find.c cloud/background_learn.c cloud/background_moved.c cloud/background_light.c \
	    cloud/background_mean.c cloud/background_mixture.c cloud/background_delta.c cloud/background_median.c cloud/blobs.c cloud/assign.c cloud/portrait.c cloud/track.c cloud/track_group.c cloud/stills.c cloud/events.c \
	    cloud/look.c cloud/keyframes.c cloud/sights.c cloud/track_facts.c cloud/concerns.c cloud/text.c cloud/summary.c cloud/telling.c cloud/tally.c cloud/gauge.c cloud/analysis.c cloud/starved.c \
	    cloud/picture.c cloud/digest_plan.c
$(foreach f,background background_find background_learn background_moved background_light background_mean background_mixture background_delta background_median blobs look analysis jpeg_coarse jpeg_shrink,$(eval CFLAGS_cloud/$(f).c := -O3))
# A period in a minute, from boxes to pictures.
SYNOPSIS := $(addprefix cloud/,period.c period_pack.c tube.c synopsis_place.c synopsis_plan.c ground.c cutout.c synopsis_draw.c synopsis_map.c)
$(foreach f,ground cutout synopsis_draw synopsis_place,$(eval CFLAGS_cloud/$(f).c := -O3))
# Afterwards, and only where it is asked for: an event to look at, and a period.
DIGEST := cloud/webm.c cloud/sheet.c cloud/digest.c $(SYNOPSIS) cloud/period_text.c cloud/period_make.c
DIGEST_PKGS := libavformat libavcodec libavutil libturbojpeg
# The routes, a file a noun.
API := $(addprefix cloud/api_,health.c enrol.c certificates.c session.c totp.c password.c users.c apitokens.c audit.c devices.c groups.c desired.c retune.c zones.c cameras.c media.c ledger.c timeline.c stream.c summaries.c store.c exports.c)
# Who may do what.
AUTH := $(addprefix cloud/,auth.c auth_sql.c auth_users.c auth_sessions.c auth_audit.c password.c totp.c credential.c throttle.c slow.c desk.c badge.c audit.c qr.c range.c stream.c)
# What is stored where, and the files themselves.
INDEX := $(addprefix cloud/,index_ops.c index_fence.c index_sqlite.c db.c db_sqlite.c index_runs.c index_summaries.c facets.c index_find.c index_events.c index_history.c index_tally.c index_retain.c index_sql.c sqlite.c sqlite_turn.c)
SEGMENT := $(addprefix cloud/,depot_dir.c segment.c segment_read.c seal.c sealed.c keyring.c)
include cloud/web/build.mk
# From the connection to the disk, to the worker, and back.
CLOUD := cloud/conf.c cloud/server.c cloud/server_data.c cloud/server_work.c cloud/service.c cloud/loop.c cloud/listen.c cloud/door.c cloud/counters.c cloud/syncs.c cloud/http.c cloud/http_request.c cloud/http_uplink.c cloud/http_answer.c cloud/api.c cloud/api_answer.c $(API) cloud/device.c $(AUTH) \
	 cloud/ca.c cloud/ca_sign.c cloud/session.c cloud/uplink.c cloud/uplink_camera.c cloud/jpeg_head.c cloud/ingest.c cloud/ingest_told.c cloud/ingest_chunks.c cloud/staging.c cloud/store.c \
	 $(INDEX) $(SEGMENT) cloud/camera.c cloud/walk.c cloud/recover.c cloud/reindex.c cloud/retain.c cloud/export.c cloud/export_zip.c cloud/export_mp4.c cloud/sign.c cloud/exporter.c cloud/exports.c cloud/backup.c cloud/backup_file.c cloud/backup_manifest.c cloud/restore.c cloud/keyconf.c cloud/rekey.c cloud/check.c cloud/orphans.c cloud/media_move.c cloud/bus_local.c cloud/rebuild.c lib/coefs.c lib/reason.c cloud/shelf.c \
	 cloud/quarantine.c cloud/parked.c cloud/tally.c cloud/box.c cloud/starved.c cloud/sandbox.c cloud/sandbox_channel.c cloud/room.c cloud/analyst.c cloud/worker.c cloud/subject.c cloud/subject_ops.c cloud/toll.c cloud/replay.c cloud/revive.c cloud/park.c cloud/backfill.c cloud/digester.c cloud/h264.c cloud/media_dir.c \
	 cloud/roster.c cloud/spread.c cloud/nodes.c cloud/nodes_say.c cloud/tell.c cloud/downlink.c cloud/downlink_ask.c cloud/settings.c cloud/wish.c cloud/zones.c cloud/plan.c cloud/retune.c cloud/tuning.c cloud/tuner_state.c cloud/tuner.c cloud/tuner_show.c cloud/fleet.c cloud/fleet_db.c cloud/fleet_others.c cloud/fleet_zones.c cloud/desire.c cloud/command.c lib/setting.c lib/notify.c
CLOUD += cloud/crew.c
# Long work over what is stored, and what a period is known by.
CLOUD += $(addprefix cloud/,index_jobs.c api_jobs.c jobs.c job.c jobs_due.c jobs_period.c jobs_reanalyse.c reanalyse.c compare.c analysis_report.c period_fill.c period.c period_pack.c)
# What looks at pictures for what is in them.
DETECTOR := cloud/detector_process.c cloud/detector.c
CLOUD += cloud/child.c $(DETECTOR)
# The child's end of the sandbox, and what it gives up.
DETECTOR_HOST := cloud/detector_host.c cloud/cage.c cloud/cage_load.c lib/filter.c
SANDBOX := cloud/sandbox_child.c cloud/h264_child.c $(DETECTOR_HOST)
# Between processes, where libnats is there (libnats-dev).
HAVE_NATS := $(shell $(PKGCONF) --exists libnats && echo libnats)
NATS := $(if $(HAVE_NATS),$(addprefix cloud/,bus_nats.c nats_send.c nats_lease.c nats_take.c nats_members.c nats_gone.c nats_news.c nats_nodes.c nats_provision.c),cloud/bus_nats_absent.c) \
	cloud/nats_version.c cloud/chunk.c cloud/busconf.c
# The index in PostgreSQL, where libpq is there (libpq-dev).
HAVE_PG := $(shell $(PKGCONF) --exists libpq && echo libpq)
PG := $(if $(HAVE_PG),$(addprefix cloud/,index_pg.c index_move.c move_tables.c people_pg.c pg_schema.c db_pg.c db_pg_link.c db_pg_rows.c),cloud/index_pg_absent.c)
CLOUD += $(PG)
# Summaries and segments in a bucket, where libcurl is there (libcurl4-openssl-dev).
HAVE_S3 := $(shell $(PKGCONF) --exists libcurl && echo libcurl)
S3 := $(if $(HAVE_S3),$(addprefix cloud/,media_s3.c depot_s3.c s3.c s3_call.c s3_many.c s3_list.c s3_text.c),cloud/media_s3_absent.c)
CLOUD += cloud/confline.c cloud/indexconf.c cloud/people.c cloud/mediaconf.c $(S3)
# What a vision model is asked about events, if it is; the asking itself where libcurl is there.
VISION := $(addprefix cloud/vision_,answer.c ask.c budget.c $(if $(HAVE_S3),call.c,call_absent.c))
CLOUD += $(VISION) cloud/vision_note.c cloud/vision_settings.c cloud/vision.c
CLOUD_PKGS := $(LIBSLUICE_PKGS) sqlite3 jansson libjpeg libqrencode zlib libavformat libavcodec libavutil $(HAVE_S3) $(HAVE_PG)
$(eval $(call archive,libcloud,$(CLOUD),$(CLOUD_PKGS)))
LIBCLOUD := $(BUILD)/lib/libcloud.a
$(eval $(call program,sluice-cloud,cloud/main.c $(addprefix cloud/cmd_,init.c run.c check.c admin.c words.c interrupt.c store.c export.c backup.c jobs.c user.c access.c routes.c quarantine.c status.c provision.c move.c move_media.c) \
	$(NATS) $(SANDBOX) $(LIBCLOUD) $(ANALYSIS) $(DIGEST) $(LIBSLUICE),$(CLOUD_PKGS) $(DIGEST_PKGS) libseccomp $(HAVE_NATS),-lm -lpthread))

$(eval $(call testprog,test_door,tests/unit/test_door.c cloud/door.c,,-lpthread))
$(eval $(call testprog,test_syncs,tests/unit/test_syncs.c cloud/syncs.c,liburing))
$(eval $(call testprog,test_segment,tests/unit/test_segment.c cloud/segment.c cloud/segment_read.c cloud/seal.c $(LIBSLUICE),$(LIBSLUICE_PKGS)))
$(eval $(call testprog,test_cloud_conf,tests/unit/test_cloud_conf.c cloud/conf.c $(LIBSLUICE)))
$(eval $(call testprog,test_bus,tests/unit/test_bus.c tests/conform/bus.c cloud/bus_local.c cloud/camera.c,libcrypto,-lpthread))
$(eval $(call testprog,test_index,tests/unit/test_index.c $(LIBCLOUD) $(LIBSLUICE),$(CLOUD_PKGS)))
$(eval $(call testprog,test_people_cases,tests/unit/test_people_cases.c tests/conform/people.c tests/conform/people_fleet.c $(LIBCLOUD) $(LIBSLUICE),$(CLOUD_PKGS),-lm -lpthread))
$(eval $(call testprog,test_index_cases,tests/unit/test_index_cases.c tests/unit/nth_fault.c tests/conform/index.c tests/conform/index_people.c tests/conform/index_work.c $(LIBCLOUD) $(LIBSLUICE),$(CLOUD_PKGS),-lpthread -ldl))
ifneq ($(HAVE_PG),)
$(eval $(call testprog,index_pg,tests/conform/index_pg.c tests/conform/pg_beside.c tests/conform/cut_wire.c tests/conform/index.c tests/conform/index_people.c tests/conform/index_work.c $(LIBCLOUD) $(LIBSLUICE),$(CLOUD_PKGS),-lm -lpthread))
$(eval $(call testprog,people_pg,tests/conform/people_pg.c tests/conform/pg_beside.c tests/conform/people.c tests/conform/people_fleet.c tests/conform/cut_wire.c $(LIBCLOUD) $(LIBSLUICE),$(CLOUD_PKGS),-lm -lpthread))
endif
$(eval $(call testprog,test_turn,tests/unit/test_turn.c $(LIBCLOUD) $(LIBSLUICE),$(CLOUD_PKGS),-lpthread))
$(eval $(call testprog,test_index_find,tests/unit/test_index_find.c $(LIBCLOUD) $(LIBSLUICE),$(CLOUD_PKGS)))
$(eval $(call testprog,test_index_jobs,tests/unit/test_index_jobs.c $(LIBCLOUD) $(LIBSLUICE),$(CLOUD_PKGS)))
$(eval $(call testprog,test_period,tests/unit/test_period.c $(LIBCLOUD) $(ANALYSIS) $(DIGEST) $(LIBSLUICE),$(CLOUD_PKGS) $(DIGEST_PKGS),-lm -lpthread))
$(eval $(call testprog,test_compare,tests/unit/test_compare.c cloud/compare.c,jansson,-lm))
$(eval $(call testprog,test_reanalyse,tests/unit/test_reanalyse.c tests/unit/store_rig.c tests/unit/jpeg_make.c $(LIBCLOUD) $(ANALYSIS) $(DIGEST) $(LIBSLUICE),\
	$(CLOUD_PKGS) $(DIGEST_PKGS),-lm -lpthread))
$(eval $(call testprog,test_retain,tests/unit/test_retain.c $(LIBCLOUD) $(LIBSLUICE),$(CLOUD_PKGS),-lpthread))
$(eval $(call testprog,test_store_fault,tests/unit/test_store_fault.c tests/unit/nth_fault.c tests/unit/store_rig.c $(LIBCLOUD) $(LIBSLUICE),$(CLOUD_PKGS),-lpthread -ldl))
$(eval $(call testprog,test_copy_fault,tests/unit/test_copy_fault.c tests/unit/nth_fault.c tests/unit/store_rig.c tests/unit/certs.c $(LIBCLOUD) $(LIBSLUICE),$(CLOUD_PKGS),-lpthread -ldl))
$(eval $(call testprog,test_worker_fault,$(addprefix tests/unit/,test_worker_fault.c worker_rig.c nth_fault.c store_rig.c jpeg_make.c) $(SANDBOX) \
	$(LIBCLOUD) $(ANALYSIS) $(DIGEST) $(LIBSLUICE),$(CLOUD_PKGS) $(DIGEST_PKGS) libseccomp,-lm -lpthread -ldl))
$(eval $(call testprog,test_digest_fault,$(addprefix tests/unit/,test_worker_fault.c worker_rig.c nth_fault.c store_rig.c jpeg_make.c) $(SANDBOX) \
	$(LIBCLOUD) $(ANALYSIS) $(DIGEST) $(LIBSLUICE),$(CLOUD_PKGS) $(DIGEST_PKGS) libseccomp,-lm -lpthread -ldl))
$(eval $(call testprog,test_crew,$(addprefix tests/unit/,test_crew.c worker_rig.c nth_fault.c store_rig.c jpeg_make.c) $(SANDBOX) \
	$(LIBCLOUD) $(ANALYSIS) $(DIGEST) $(LIBSLUICE),$(CLOUD_PKGS) $(DIGEST_PKGS) libseccomp,-lm -lpthread -ldl))
$(eval $(call testprog,test_spread,tests/unit/test_spread.c cloud/spread.c))
$(eval $(call testprog,test_nodes,tests/unit/test_nodes.c $(SANDBOX) $(LIBCLOUD) $(ANALYSIS) $(DIGEST) $(LIBSLUICE),\
	$(CLOUD_PKGS) $(DIGEST_PKGS) libseccomp,-lm -lpthread))
$(eval $(call testprog,test_fence,tests/unit/test_fence.c $(SANDBOX) $(LIBCLOUD) $(ANALYSIS) $(DIGEST) $(LIBSLUICE),\
	$(CLOUD_PKGS) $(DIGEST_PKGS) libseccomp,-lm -lpthread))
$(eval $(call testprog,test_ingest,tests/unit/test_ingest.c $(LIBCLOUD) $(LIBSLUICE),$(CLOUD_PKGS),-lpthread))
$(eval $(call testprog,test_people,tests/unit/test_people.c $(LIBCLOUD) $(LIBSLUICE),$(CLOUD_PKGS),-lpthread))
$(eval $(call testprog,test_auth,tests/unit/test_auth.c $(LIBCLOUD) $(LIBSLUICE),$(CLOUD_PKGS)))
$(eval $(call testprog,test_session,tests/unit/test_session.c tests/unit/session_rig.c tests/unit/uplink.c tests/unit/cloud_child.c tests/unit/analysis_script.c \
	$(LIBCLOUD) cloud/decode.c cloud/jpeg_coarse.c cloud/jpeg_table.c cloud/jpeg_shrink.c cloud/picture.c cloud/digest_plan.c $(DIGEST) $(LIBSLUICE),$(CLOUD_PKGS) $(DIGEST_PKGS),-lm -lpthread))
$(eval $(call testprog,test_session_bad,tests/unit/test_session_bad.c tests/unit/session_rig.c tests/unit/uplink.c tests/unit/cloud_child.c tests/unit/analysis_script.c \
	$(LIBCLOUD) cloud/decode.c cloud/jpeg_coarse.c cloud/jpeg_table.c cloud/jpeg_shrink.c cloud/picture.c cloud/digest_plan.c $(DIGEST) $(LIBSLUICE),$(CLOUD_PKGS) $(DIGEST_PKGS),-lm -lpthread))
$(eval $(call testprog,test_session_kill,tests/unit/test_session_kill.c tests/unit/session_rig.c tests/unit/uplink.c tests/unit/cloud_child.c tests/unit/analysis_script.c \
	$(LIBCLOUD) cloud/decode.c cloud/jpeg_coarse.c cloud/jpeg_table.c cloud/jpeg_shrink.c cloud/picture.c cloud/digest_plan.c $(DIGEST) $(LIBSLUICE),$(CLOUD_PKGS) $(DIGEST_PKGS),-lm -lpthread))
$(eval $(call testprog,test_asked,tests/unit/test_asked.c tests/unit/uplink.c tests/unit/cloud_child.c tests/unit/analysis_script.c \
	$(LIBCLOUD) cloud/decode.c cloud/jpeg_coarse.c cloud/jpeg_table.c cloud/jpeg_shrink.c cloud/picture.c cloud/digest_plan.c $(DIGEST) $(LIBSLUICE),$(CLOUD_PKGS) $(DIGEST_PKGS),-lm -lpthread))
$(eval $(call testprog,test_sandbox,tests/unit/test_sandbox.c tests/unit/plants.c tests/unit/analysis_script.c $(SANDBOX) \
	$(LIBCLOUD) cloud/decode.c cloud/jpeg_coarse.c cloud/jpeg_table.c cloud/jpeg_shrink.c cloud/picture.c cloud/digest_plan.c $(DIGEST) $(LIBSLUICE),$(CLOUD_PKGS) $(DIGEST_PKGS) libseccomp,-lm -lpthread))
$(eval $(call testprog,test_killed,tests/unit/test_killed.c tests/unit/plants.c tests/unit/uplink.c tests/unit/cloud_child.c tests/unit/analysis_script.c $(SANDBOX) \
	$(LIBCLOUD) cloud/decode.c cloud/jpeg_coarse.c cloud/jpeg_table.c cloud/jpeg_shrink.c cloud/picture.c cloud/digest_plan.c $(DIGEST) $(LIBSLUICE),$(CLOUD_PKGS) $(DIGEST_PKGS) libseccomp,-lm -lpthread))
$(eval $(call testprog,test_box,tests/unit/test_box.c $(LIBCLOUD) cloud/digest_plan.c $(LIBSLUICE),$(CLOUD_PKGS),-lm -lpthread))
# A detector through ONNX Runtime, where its library and header are there (libonnxruntime-dev).
HAVE_ONNX := $(shell $(PKGCONF) --exists libonnxruntime && echo libonnxruntime)
ONNX := $(addprefix cloud/onnx/,conf.c boxes.c)
ifneq ($(HAVE_ONNX),)
$(eval $(call plugin,detector-onnx,cloud/onnx/main.c $(ONNX),,libonnxruntime,-lm))
all: $(BUILD)/plugins/detector-onnx.so
else
.PHONY: without-onnx
without-onnx:
	@echo "  ONNX    detector-onnx.so is not built: libonnxruntime-dev is not installed"
all: without-onnx
endif
$(eval $(call testprog,test_onnx_boxes,tests/unit/test_onnx_boxes.c $(ONNX),,-lm))
# Detectors: one that works, and some that do not.
$(eval $(call plugin,squares,tests/detector/squares.c))
$(eval $(call plugin,bad,tests/detector/bad.c,,,-lm -lpthread))
$(eval $(call plugin,bad_abi,tests/detector/bad.c,-DBAD_ABI=2,,-lm -lpthread))
$(eval $(call plugin,bad_none,tests/detector/bad.c,-DBAD_ABI=0,,-lm -lpthread))
$(eval $(call plugin,bad_table,tests/detector/bad.c,-DBAD_TABLE=8,,-lm -lpthread))
$(eval $(call plugin,bad_symbol,tests/detector/bad.c,-DBAD_SYMBOL,,-lm -lpthread))
$(eval $(call testprog,test_h264,tests/unit/test_h264.c cloud/h264.c cloud/h264_child.c cloud/child.c cloud/cage.c cloud/cage_load.c lib/filter.c,libseccomp jansson,-lpthread))
$(eval $(call testprog,test_detector,tests/unit/test_detector.c $(DETECTOR) cloud/child.c $(DETECTOR_HOST) lib/log.c lib/log_ring.c,libseccomp,-lm -lpthread))
$(BUILD)/tests/test_detector: | $(addprefix $(BUILD)/plugins/,squares.so bad.so bad_abi.so bad_none.so bad_table.so bad_symbol.so)
$(eval $(call testprog,test_backfill,tests/unit/test_backfill.c tests/unit/uplink.c tests/unit/cloud_child.c tests/unit/analysis_script.c \
	$(LIBCLOUD) cloud/decode.c cloud/jpeg_coarse.c cloud/jpeg_table.c cloud/jpeg_shrink.c cloud/picture.c cloud/digest_plan.c $(DIGEST) $(LIBSLUICE),$(CLOUD_PKGS) $(DIGEST_PKGS),-lm -lpthread))
$(eval $(call testprog,hostile,tests/fault/hostile.c tests/unit/uplink.c tests/unit/cloud_child.c $(LIBCLOUD) $(ANALYSIS) $(DIGEST) $(LIBSLUICE),\
	$(CLOUD_PKGS) $(DIGEST_PKGS),-lm -lpthread))
$(eval $(call testprog,devices,$(addprefix tests/bench/,devices.c devices_cloud.c devices_footage.c devices_link.c devices_shake.c devices_bare.c devices_sink.c usage.c) \
	tests/unit/jpeg_make.c $(LIBCLOUD) $(LIBSLUICE),$(CLOUD_PKGS),-lm -lpthread))
$(eval $(call testprog,test_plan,tests/unit/test_plan.c cloud/plan.c cloud/wish.c cloud/camera.c lib/setting.c $(LIBSLUICE),$(LIBSLUICE_PKGS) jansson,-lm -lpthread))
# How long workers take for what lies in the stream: make bench-scale.
$(eval $(call testprog,bench_drain,tests/bench/drain.c tests/bench/usage.c,jansson,))
# What an hour costs to be summed up: a row of make bench-cloud.
$(eval $(call testprog,bench_period,tests/bench/period.c tests/unit/store_rig.c $(LIBCLOUD) $(ANALYSIS) $(DIGEST) $(LIBSLUICE),$(CLOUD_PKGS) $(DIGEST_PKGS),-lm -lpthread))
# What a camera's analysis keeps in a child, by the size of its pictures.
$(eval $(call testprog,bench_memory,tests/bench/memory.c $(LIBCLOUD) $(ANALYSIS) $(DIGEST) $(LIBSLUICE),$(CLOUD_PKGS) $(DIGEST_PKGS),-lm -lpthread))
# What the children cost: a row of make bench-cloud.
$(eval $(call testprog,bench_sandbox,tests/bench/sandbox.c $(SANDBOX) $(LIBCLOUD) $(ANALYSIS) $(DIGEST) $(LIBSLUICE),$(CLOUD_PKGS) $(DIGEST_PKGS) libseccomp,-lm -lpthread))
$(eval $(call testprog,test_chunk,tests/unit/test_chunk.c cloud/chunk.c cloud/bus_local.c cloud/camera.c cloud/nats_version.c $(LIBSLUICE),$(LIBSLUICE_PKGS) jansson,-lpthread))
ifneq ($(HAVE_NATS),)
$(eval $(call testprog,bus_nats,tests/conform/bus_nats.c tests/conform/bus.c $(NATS) $(LIBCLOUD) $(LIBSLUICE),$(CLOUD_PKGS) $(HAVE_NATS),-lpthread))
endif
$(eval $(call testprog,test_depot,tests/unit/test_depot.c tests/conform/depot.c tests/conform/depot_store.c $(LIBCLOUD) $(LIBSLUICE),$(CLOUD_PKGS),-lpthread -ldl))
$(eval $(call testprog,test_media,tests/unit/test_media.c tests/conform/media.c $(LIBCLOUD) $(LIBSLUICE),$(CLOUD_PKGS),-lpthread -ldl))
ifneq ($(HAVE_S3),)
$(eval $(call testprog,test_s3_text,tests/unit/test_s3_text.c cloud/s3_text.c,libcurl))
$(eval $(call testprog,test_vision,$(addprefix tests/unit/,test_vision.c chat_server.c certs.c jpeg_make.c) $(VISION),libcurl jansson libjpeg libssl libcrypto,-lpthread))
$(eval $(call testprog,media_s3,tests/conform/media_s3.c tests/conform/media.c tests/conform/bad_proxy.c $(LIBCLOUD) $(LIBSLUICE),$(CLOUD_PKGS),-lpthread))
$(eval $(call testprog,depot_s3,tests/conform/depot_s3.c tests/conform/move_s3.c tests/unit/store_rig.c tests/conform/depot.c tests/conform/depot_store.c tests/conform/bad_proxy.c $(LIBCLOUD) $(LIBSLUICE),$(CLOUD_PKGS),-lpthread))
endif
$(eval $(call testprog,test_fleet,tests/unit/test_fleet.c tests/unit/nth_fault.c $(LIBCLOUD) $(LIBSLUICE),$(CLOUD_PKGS),-lm -lpthread -ldl))
$(eval $(call testprog,test_tuner,tests/unit/test_tuner.c $(LIBCLOUD) $(LIBSLUICE),$(CLOUD_PKGS),-lm -lpthread))
$(eval $(call testprog,test_room,tests/unit/test_room.c cloud/room.c cloud/decode.c cloud/jpeg_coarse.c cloud/jpeg_table.c cloud/jpeg_shrink.c cloud/picture.c,libjpeg,-lm))
$(eval $(call testprog,test_decode,tests/unit/test_decode.c tests/unit/jpeg_make.c cloud/decode.c cloud/jpeg_coarse.c cloud/jpeg_table.c cloud/jpeg_shrink.c cloud/picture.c,libjpeg,-lm))
$(eval $(call testprog,test_zones,tests/unit/test_zones.c cloud/zones.c,jansson,-lm))
