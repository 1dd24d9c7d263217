# SPDX-License-Identifier: MIT
$(eval $(call testprog,test_gate,tests/unit/test_gate.c $(GATE_SRCS)))
$(eval $(call testprog,test_tamper,tests/unit/test_tamper.c kmod/tamper.c))

# Not unit tests: run by tests/accuracy/t_* and by tests/accuracy/run.
accuracy_SRCS := tests/accuracy/truth.c tests/accuracy/grids.c lib/clip.c lib/clip_convert.c $(GATE_SRCS)
accuracy_PKGS := libavformat libavcodec libavutil libswscale libturbojpeg jansson
$(eval $(call testprog,gate_clips,tests/accuracy/gate_clips.c $(accuracy_SRCS),$(accuracy_PKGS),-lm))
$(eval $(call testprog,gate_scenes,tests/accuracy/gate_scenes.c tests/accuracy/scenes.c $(accuracy_SRCS),$(accuracy_PKGS),-lm))
$(eval $(call testprog,tamper_scenes,tests/accuracy/tamper_scenes.c tests/accuracy/scenes.c $(accuracy_SRCS),$(accuracy_PKGS),-lm))

# The analysis behind the gate, on generated movies and on clips. OpenCV is a peer only.
EVENTS_SRCS := $(addprefix tests/accuracy/,ground.c sprite.c weather.c movie.c movies.c play.c play_clip.c play_print.c judge_events.c judge_tracks.c \
	run_movie.c peers.c scenes.c truth.c) lib/clip.c lib/clip_convert.c lib/reason.c $(LUMA_SRCS) $(JPEG_DC_SRCS) $(GATE_SRCS) \
	kmod/mask.c $(FRAME_SRCS) $(addprefix tools/feed/,camera.c shm.c verdicts.c) relay/ring.c relay/encode.c $(ANALYSIS)
EVENTS_PKGS := libavformat libavcodec libavutil libswscale libturbojpeg libjpeg jansson $(LIBSLUICE_PKGS)
ifneq ($(wildcard $(OPENCV_INC)/opencv2/video.hpp),)
EVENTS_OPENCV := $(BUILD)/obj/tests/accuracy/peers_opencv.o
$(EVENTS_OPENCV): tests/accuracy/peers_opencv.cc tests/accuracy/peers.h
	$(call say,CXX,$<)
	@mkdir -p $(@D)
	$(Q)$(CXX) -std=c++17 -O2 -g -Iinclude -I. -I$(OPENCV_INC) -c -o $@ $<
EVENTS_LIBS := $(EVENTS_OPENCV) -lopencv_video -lopencv_imgproc -lopencv_core -lstdc++
else
EVENTS_SRCS += tests/accuracy/peers_absent.c
endif
$(eval $(call testprog,event_movies,tests/accuracy/event_movies.c $(EVENTS_SRCS) $(LIBSLUICE),$(EVENTS_PKGS),$(EVENTS_LIBS) -lm -lpthread))
$(BUILD)/tests/event_movies: | $(EVENTS_OPENCV)
# the painting of movies is most of their time
CFLAGS_tests/accuracy/movie.c := -O3
CFLAGS_tests/accuracy/weather.c := -O3
$(eval $(call testprog,event_clips,tests/accuracy/event_clips.c $(filter-out tests/accuracy/run_movie.c tests/accuracy/peers%,$(EVENTS_SRCS)) $(LIBSLUICE),$(EVENTS_PKGS),-lm -lpthread))
$(eval $(call testprog,synopsis_clips,tests/accuracy/synopsis_clips.c tests/accuracy/play.c tests/accuracy/play_clip.c lib/clip.c lib/clip_convert.c lib/reason.c \
	$(LUMA_SRCS) $(JPEG_DC_SRCS) $(GATE_SRCS) kmod/mask.c $(FRAME_SRCS) $(addprefix tools/feed/,camera.c shm.c verdicts.c) \
	relay/ring.c relay/encode.c $(ANALYSIS) $(SYNOPSIS) cloud/webm.c $(LIBSLUICE),$(EVENTS_PKGS) $(DIGEST_PKGS),-lm -lpthread))
# What sluice-relay sends of a movie: make bench-scale.
$(eval $(call testprog,reel,tests/bench/reel.c $(addprefix tests/accuracy/,ground.c sprite.c weather.c movie.c movies.c scenes.c truth.c) \
	lib/clip.c lib/clip_convert.c lib/coefs.c lib/reason.c $(LUMA_SRCS) $(JPEG_DC_SRCS) $(GATE_SRCS) kmod/mask.c $(FRAME_SRCS) \
	$(addprefix tools/feed/,camera.c shm.c verdicts.c) $(addprefix relay/,ring.c encode.c region.c payload.c) $(LIBSLUICE),$(EVENTS_PKGS),-lm -lpthread))
