# SPDX-License-Identifier: MIT
# Unit tests are build/tests/test_*; a program of another name is a helper of one.

$(eval $(call testprog,test_assign,tests/unit/test_assign.c cloud/assign.c))
$(eval $(call testprog,test_digest,tests/unit/test_digest.c $(ANALYSIS) $(DIGEST) $(LIBSLUICE),libjpeg libturbojpeg jansson libcrypto $(DIGEST_PKGS),-lm))
$(eval $(call testprog,test_synopsis,tests/unit/test_synopsis.c $(SYNOPSIS) cloud/decode.c cloud/jpeg_coarse.c cloud/jpeg_table.c cloud/jpeg_shrink.c cloud/picture.c cloud/webm.c $(LIBSLUICE),libjpeg libturbojpeg jansson $(DIGEST_PKGS),-lm))
$(eval $(call testprog,test_retune,tests/unit/test_retune.c cloud/retune.c cloud/tally.c,,-lm))
$(eval $(call testprog,test_retune_gate,tests/unit/test_retune_gate.c cloud/retune.c cloud/tally.c cloud/gauge.c $(GATE_SRCS),,-lm))
$(eval $(call testprog,test_gauge,tests/unit/test_gauge.c $(ANALYSIS) $(LIBSLUICE),libjpeg libturbojpeg jansson libcrypto,-lm))
$(eval $(call testprog,test_analysis,tests/unit/test_analysis.c $(ANALYSIS) $(LIBSLUICE),libjpeg libturbojpeg jansson libcrypto,-lm))
$(eval $(call testprog,test_track,tests/unit/test_track.c cloud/track.c cloud/track_group.c cloud/portrait.c cloud/assign.c cloud/blobs.c cloud/starved.c,jansson,-lm))
$(eval $(call testprog,test_portrait,tests/unit/test_portrait.c cloud/portrait.c,,-lm))
$(eval $(call testprog,test_stills,tests/unit/test_stills.c cloud/stills.c))
$(eval $(call testprog,test_sights,tests/unit/test_sights.c tests/unit/jpeg_make.c cloud/sights.c cloud/decode.c cloud/jpeg_coarse.c cloud/jpeg_table.c cloud/jpeg_shrink.c cloud/picture.c,libjpeg,-lm))
$(eval $(call testprog,test_keyframes,tests/unit/test_keyframes.c cloud/look.c cloud/keyframes.c cloud/events.c,,-lm))
$(eval $(call testprog,test_background,tests/unit/test_background.c $(filter cloud/background%,$(ANALYSIS)),,-lm))
$(eval $(call testprog,test_track_facts,tests/unit/test_track_facts.c cloud/track_facts.c,,-lm))
$(eval $(call testprog,test_concerns,tests/unit/test_concerns.c cloud/concerns.c cloud/text.c cloud/track_facts.c,,-lm))
$(eval $(call testprog,test_polygon,tests/unit/test_polygon.c tools/ctl/polygon.c,,-lm))
$(eval $(call testprog,test_report,tests/unit/test_report.c $(report_SRCS),jansson,-lm))
$(eval $(call testprog,test_ring,tests/unit/test_ring.c kmod/ring.c))
$(eval $(call testprog,test_ledger,tests/unit/test_ledger.c kmod/ledger.c))
$(eval $(call testprog,test_frame,tests/unit/test_frame.c tests/unit/frame_rig.c $(FRAME_SRCS)))
$(eval $(call testprog,test_frame_random,tests/unit/test_frame_random.c tests/unit/frame_rig.c $(FRAME_SRCS)))

# The pixel half of the gate core.
JPEG_MAKE := tests/unit/jpeg_make.c
$(eval $(call testprog,test_jpeg_dc,$(JPEG_DC_SRCS) $(JPEG_MAKE) tests/unit/test_jpeg_dc.c,libjpeg))
$(eval $(call testprog,test_luma,$(LUMA_SRCS) tests/unit/test_luma.c))
$(eval $(call testprog,test_luma_simd,$(LUMA_SRCS) tests/unit/test_luma_simd.c))
$(eval $(call testprog,test_mask,$(LUMA_SRCS) kmod/mask.c tests/unit/test_mask.c))
$(eval $(call testprog,test_camsim_roll,tests/unit/test_camsim_roll.c $(addprefix tools/camsim/,roll.c roll_writer.c play.c)))
$(eval $(call testprog,test_camsim_payload,tests/unit/test_camsim_payload.c $(addprefix tools/camsim/,roll.c fault.c payload.c)))
$(eval $(call testprog,test_camsim_uvc,tests/unit/test_camsim_uvc.c $(addprefix tools/camsim/,descriptors.c uvc_control.c vhci.c)))
$(eval $(call testprog,test_camsim_usbip,tests/unit/test_camsim_usbip.c tools/camsim/usbip.c))
# Benchmark: one program. OpenCV is a peer only: its group falls out where it is not installed.
BENCH_SRCS := tests/bench/main.c $(LUMA_SRCS) tests/bench/luma.c $(JPEG_DC_SRCS) tests/bench/jpeg_dc.c \
	$(GATE_SRCS) tests/bench/gate_rows.c tests/accuracy/scenes.c
OPENCV_INC := /usr/include/opencv4
ifneq ($(and $(wildcard tests/bench/opencv.cc),$(wildcard $(OPENCV_INC)/opencv2/video.hpp)),)
BENCH_OPENCV := $(BUILD)/obj/tests/bench/opencv.o
$(BENCH_OPENCV): tests/bench/opencv.cc tests/bench/bench.h
	$(call say,CXX,$<)
	@mkdir -p $(@D)
	$(Q)$(CXX) -std=c++17 -O2 -g -Iinclude -I. -I$(OPENCV_INC) -c -o $@ $<
BENCH_LIBS := -lopencv_video -lopencv_imgproc -lopencv_core -lstdc++
else
BENCH_SRCS += tests/bench/opencv_absent.c tests/accuracy/peers_absent.c
endif
BENCH_SRCS += tests/bench/uplink.c tests/bench/uplink_sink.c tests/bench/uplink_feed.c tests/bench/uplink_peers.c \
	tests/bench/wire.c tests/bench/wire_clip.c tests/bench/wire_h264.c lib/clip.c lib/clip_convert.c lib/coefs.c \
	relay/ring.c relay/encode.c relay/region.c relay/payload.c cloud/rebuild.c lib/reason.c \
	tools/feed/camera.c tools/feed/verdicts.c kmod/mask.c $(filter-out kmod/ring.c,$(FRAME_SRCS)) \
	tests/bench/analysis.c tests/accuracy/peers.c $(ANALYSIS) tests/unit/certs.c $(JPEG_MAKE) tools/feed/shm.c tools/feed/door.c tools/feed/control.c kmod/ring.c
$(eval $(call link-rule,$(BUILD)/bench/bench,$(BENCH_SRCS) $(LIBSLUICE),libturbojpeg libjpeg libcurl jansson libavformat libavcodec libavutil libswscale $(LIBSLUICE_PKGS),$(BENCH_LIBS) -lm))
$(BUILD)/bench/bench: | $(BUILD)/bin/sluice-relay
$(BUILD)/bench/bench: $(BENCH_OPENCV) $(if $(BENCH_OPENCV),$(BUILD)/obj/tests/accuracy/peers_opencv.o)

# Fuzz targets, with clang: build/fuzz/fuzz_NAME. Seeds: tests/fuzz/corpus/NAME (kept) and
# build/fuzz/corpus/NAME (made, and grown by every run).
# $(call fuzzer,name,sources,flags,packages,libraries)
FUZZ_CC    ?= clang
FUZZ_FLAGS := -g -O1 -fsanitize=fuzzer,address,undefined -fno-sanitize-recover=all
define fuzzer
$(BUILD)/fuzz/fuzz_$(1): $(2) | deps-present
	$$(call say,FUZZ,$$@)
	@mkdir -p $$(@D) $(BUILD)/fuzz/corpus/$(1)
	$$(Q)$(FUZZ_CC) $(STD) $(FUZZ_FLAGS) $(3) $$(if $(4),$$(shell $$(PKGCONF) --cflags $(4))) \
		-MMD -MP -MF $$@.d -o $$@ $$(filter %.c,$$^) $$(if $(4),$$(shell $$(PKGCONF) --libs $(4))) $(5)
-include $(BUILD)/fuzz/fuzz_$(1).d
FUZZERS += $(BUILD)/fuzz/fuzz_$(1)
endef
$(eval $(call link-rule,$(BUILD)/fuzz/seed_jpeg_dc,tests/fuzz/seed_jpeg_dc.c $(JPEG_MAKE) tools/camsim/fault.c,libjpeg))
# Pictures of real cameras, 640x480, from Debian's opencv-doc where it is installed.
CAMERA_JPEGS := $(wildcard $(addprefix /usr/share/doc/opencv-doc/examples/data/,left01.jpg right03.jpg board.jpg aero1.jpg))
$(BUILD)/fuzz/corpus/jpeg_dc/seed-0: $(BUILD)/fuzz/seed_jpeg_dc
	@mkdir -p $(@D)
	$(Q)$< $(@D) $(CAMERA_JPEGS)
$(BUILD)/fuzz/corpus/luma/seed-0: $(BUILD)/fuzz/seed_luma
	@mkdir -p $(@D)
	$(Q)$< $(@D)
$(eval $(call link-rule,$(BUILD)/fuzz/seed_luma,tests/fuzz/seed_luma.c,,))
$(eval $(call fuzzer,jpeg_dc,$(JPEG_DC_SRCS) tests/fuzz/fuzz_jpeg_dc.c))
$(BUILD)/fuzz/fuzz_jpeg_dc: | $(BUILD)/fuzz/corpus/jpeg_dc/seed-0
# one command compiles all its sources, so these get the widest flags; the ISA is still chosen at run time
$(BUILD)/fuzz/fuzz_luma: | $(BUILD)/fuzz/corpus/luma/seed-0
$(eval $(call fuzzer,luma,$(LUMA_SRCS) kmod/mask.c tests/fuzz/fuzz_luma.c,$(if $(filter x86_64,$(shell uname -m)),-mavx2 -DSLUICE_SIMD_X86)))

# The cloud.
$(eval $(call fuzzer,store_text,tests/fuzz/fuzz_store_text.c cloud/backup_manifest.c cloud/backup_file.c cloud/facets.c cloud/camera.c,,jansson libcrypto))
$(eval $(call fuzzer,segment,tests/fuzz/fuzz_segment.c cloud/segment_read.c cloud/seal.c lib/crc32c.c,,libcrypto))

# A folder of tests may have its own list.
include $(sort $(wildcard tests/*/build.mk))

.PHONY: tests fuzz-programs list-tests list-fuzz
fuzz-programs: $(FUZZERS)
fuzz: ## every fuzzer for a short, bounded run
	$(Q)tools/deps build check
	$(Q)tests/run fuzz
list-tests:
	@printf "%s\n" $(filter $(BUILD)/tests/test_%,$(TESTPROGS))
list-fuzz:
	@printf '%s\n' $(FUZZERS)
