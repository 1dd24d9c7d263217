# SPDX-License-Identifier: MIT
# The gate core in user space, fed with clips; in the order a frame meets the files.
$(eval $(call program,sluice-feed,$(addprefix tools/feed/,main.c options.c) lib/clip.c lib/clip_convert.c \
	tools/feed/camera.c $(LUMA_SRCS) $(JPEG_DC_SRCS) $(GATE_SRCS) kmod/mask.c $(FRAME_SRCS) \
	$(addprefix tools/feed/,shm.c door.c control.c verdicts.c) lib/reason.c lib/crc32c.c,\
	libavformat libavcodec libavutil libswscale libturbojpeg,-lm))
