/* SPDX-License-Identifier: MIT */
/* wire.h - one clip through gate and relay, and what of it would be on the wire. */
#ifndef TESTS_BENCH_WIRE_H
#define TESTS_BENCH_WIRE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A frame that was sent. */
struct wire_frame {
	uint64_t index; /* in the clip */
	uint8_t *mask; /* pixels that counted, in blocks of 8x8: 1 a block, row by row; NULL: all */
};

/* Squared errors of luma. */
struct wire_error {
	double sum;
	uint64_t pixels;
};

struct wire_clip {
	const char *path;
	uint32_t width, height;
	double fps;
	uint64_t frames;
	/* bytes of FRAME messages */
	uint64_t every, full, region;
	uint64_t sent, parts;
	struct wire_error part;	  /* of what was sent as a part, within its mask, rebuilt */
	struct wire_error whole;  /* of the same pixels of the full frame */
	struct wire_error stale;  /* of the rebuilt frame outside the mask */
	struct wire_error around; /* of the full frame there */
	struct wire_frame *frame;
	size_t frame_room;
};

double wire_psnr(const struct wire_error *e);
/* Luma of two pictures, width x height; mask as above; want: blocks with this value. */
void wire_compare(struct wire_error *e, const struct wire_clip *c, const uint8_t *a,
		  const uint8_t *b, const uint8_t *mask, bool want);

/* wire_clip.c: plays the clip. 0, or -1 with a sentence in why. */
int wire_clip_run(struct wire_clip *c, const char *path, char *why, size_t why_size);
void wire_clip_free(struct wire_clip *c);

/*
 * wire_h264.c: the whole clip, one frame in every, by x264; its bytes, and the error within the
 * masks of the frames that are sent near it. 0, or -1.
 */
int wire_h264_run(const struct wire_clip *c, uint32_t every, int crf, const char *file,
		  uint64_t *bytes, struct wire_error *e);

#endif
