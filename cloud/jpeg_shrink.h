/* SPDX-License-Identifier: MIT */
/*
 * jpeg_shrink.h - the coefficients of 8x8 blocks to fewer pixels than 8x8. jpeg_coarse.c
 * includes it, nobody else.
 */
#ifndef SLUICE_JPEG_SHRINK_H
#define SLUICE_JPEG_SHRINK_H

#include <stdint.h>

#define JPEG_SHRINK_MAX	 4				     /* pixels of a block, a side */
#define JPEG_SHRINK_KEPT (JPEG_SHRINK_MAX * JPEG_SHRINK_MAX) /* coefficients of a block */
#define JPEG_SHRINK_LAST 47	    /* position (zigzag) of the last coefficient that counts */
#define JPEG_PLACES	 (64 + 144) /* positions in a block, and how far a step may lead beyond */

/* What becomes of the coefficient at a position (zigzag) of a block. */
struct jpeg_shrink_put {
	int32_t times; /* Q10 */
	uint32_t at;   /* then it is added to coefs[at + lane] */
};

struct jpeg_shrink {
	uint32_t w, h;	 /* pixels that a block becomes: 1, 2 or 4 each */
	uint32_t last;	 /* position of the last coefficient that counts */
	uint32_t stride; /* lanes that there is room for */
	struct jpeg_shrink_put put[JPEG_PLACES];
	uint16_t made_of[64];
};

/* Does nothing if it is made of the same already (zeroed: of nothing). natural: the dequantisation,
 * line by line, at most 255 each. */
void jpeg_shrink_make(struct jpeg_shrink *s, uint32_t w, uint32_t h, uint32_t stride,
		      const uint16_t natural[64]);

/*
 * One line of blocks side by side: coefs[JPEG_SHRINK_KEPT + 1][stride], in 1/16 of a grey level;
 * the last of them is for what does not count. Left changed. Writes h lines of w * lanes bytes, at
 * even addresses out, out + pitch, ...
 */
void jpeg_shrink_line(const struct jpeg_shrink *s, int16_t *coefs, uint32_t lanes, uint8_t *out,
		      uint32_t pitch);

#endif
