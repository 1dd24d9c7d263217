/* SPDX-License-Identifier: MIT */
/* clip_convert.h - a decoded picture to the bytes of a camera format; private to clip.c. */
#ifndef SLUICE_LIB_CLIP_CONVERT_H
#define SLUICE_LIB_CLIP_CONVERT_H

#include <stddef.h>
#include <stdint.h>

struct AVFrame;

struct sluice_convert {
	uint32_t fourcc;
	uint32_t width, height; /* wanted; 0: the picture's own */
	uint8_t *bytes;		/* the last result */
	size_t len, room;
	struct SwsContext *sws;
	int sws_from, sws_width, sws_height; /* what sws was made for */
	void *jpeg;			     /* tjhandle */
	uint8_t *planes;		     /* YU12 before it is encoded */
	size_t planes_room;
	char why[128];
};

/* The fourcc that costs least for a libavutil pixel format. */
uint32_t sluice_convert_native(int pix_fmt);

/* Fill bytes and len. width and height are settled by the first picture. 0, -EOPNOTSUPP, -ENOMEM.
 */
int sluice_convert_run(struct sluice_convert *v, const struct AVFrame *picture);

void sluice_convert_free(struct sluice_convert *v);

#endif
