/* SPDX-License-Identifier: MIT */
/*
 * portrait.h - what a thing looks like, in cells of its box, so that it is found again in the
 * picture where its blob is one with others'.
 */
#ifndef SLUICE_PORTRAIT_H
#define SLUICE_PORTRAIT_H

#include <stdint.h>

#include "cloud/decode.h"

#define SLUICE_PORTRAIT_COLS  8
#define SLUICE_PORTRAIT_ROWS  16
#define SLUICE_PORTRAIT_CELLS (SLUICE_PORTRAIT_COLS * SLUICE_PORTRAIT_ROWS)
#define SLUICE_PORTRAIT_APART 64 /* grey levels: as unlike as can be said */

struct sluice_portrait {
	uint32_t views; /* pictures it was learned from; none: all zero */
	struct sluice_portrait_cell {
		uint16_t px[3]; /* Y, Cb, Cr in 1/16 grey levels */
		uint16_t sure;	/* how often it was part of the thing, 0..4096 */
	} cell[SLUICE_PORTRAIT_CELLS];
};

/* The picture under way, and which of its pixels are foreground: mask[h][w]. */
struct sluice_portrait_sitting {
	const struct sluice_gray *g;
	const uint8_t *mask;
};

/* The thing fills the w x h pixels at x, y, which may reach out of the picture, and is alone there.
 */
void sluice_portrait_learn(struct sluice_portrait *p, const struct sluice_portrait_sitting *s,
			   float x, float y, float w, float h);

/*
 * Where it fits best, at most reach_x and reach_y pixels from *x, *y, which are moved there; nearer
 * places are preferred among likes. Returns the mean difference of its cells there in grey levels,
 * all planes together; a cell counts for at most SLUICE_PORTRAIT_APART, and for that where there is
 * no foreground. Of one that was never learned: SLUICE_PORTRAIT_APART.
 */
float sluice_portrait_find(const struct sluice_portrait *p, const struct sluice_portrait_sitting *s,
			   int reach_x, int reach_y, float *x, float *y, float w, float h);

#endif
