# SPDX-License-Identifier: MIT
$(eval $(call testprog,test_gate,tests/unit/test_gate.c $(GATE_SRCS)))
$(eval $(call testprog,test_tamper,tests/unit/test_tamper.c kmod/tamper.c))

# Not unit tests: run by tests/accuracy/t_* and by tests/accuracy/run.
accuracy_SRCS := tests/accuracy/truth.c tests/accuracy/grids.c lib/clip.c lib/clip_convert.c $(GATE_SRCS)
accuracy_PKGS := libavformat libavcodec libavutil libswscale libturbojpeg jansson
$(eval $(call testprog,gate_clips,tests/accuracy/gate_clips.c $(accuracy_SRCS),$(accuracy_PKGS),-lm))
$(eval $(call testprog,gate_scenes,tests/accuracy/gate_scenes.c tests/accuracy/scenes.c $(accuracy_SRCS),$(accuracy_PKGS),-lm))
$(eval $(call testprog,tamper_scenes,tests/accuracy/tamper_scenes.c tests/accuracy/scenes.c $(accuracy_SRCS),$(accuracy_PKGS),-lm))
