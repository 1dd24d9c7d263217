/* SPDX-License-Identifier: MIT */
/*
 * look.h - how what moves in a picture looks, in a few bytes: which colours it has and where it is.
 * Two pictures whose looks are alike tell the same.
 */
#ifndef SLUICE_LOOK_H
#define SLUICE_LOOK_H

#include <stdbool.h>
#include <stdint.h>

#include "cloud/decode.h"

#define SLUICE_LOOK_HUES  12 /* sectors of the colour circle */
#define SLUICE_LOOK_GREYS 4  /* what has hardly any colour, by its brightness */
#define SLUICE_LOOK_BINS  (SLUICE_LOOK_HUES + SLUICE_LOOK_GREYS)

struct sluice_look {
	uint8_t bin[SLUICE_LOOK_BINS]; /* shares of the foreground, 255: all of it; all 0: none */
	uint64_t where; /* bit 8 * row + column: an eighth of that cell of 8x8 or more moves */
};

/* Of the picture whose foreground is mask[h][w], not 0 where it is. */
void sluice_look_make(const struct sluice_gray *g, const uint8_t *mask, struct sluice_look *out);

/* How different the colours are, 0..1 (half the sum of differences of shares); 0 if either has no
 * foreground. */
float sluice_look_colours(const struct sluice_look *a, const struct sluice_look *b);
/* How different the places are, 0..1: 1 - intersection over union; 0 if nothing moves in either. */
float sluice_look_places(const struct sluice_look *a, const struct sluice_look *b);

/* The same colours in the same places. */
static inline bool sluice_look_alike(const struct sluice_look *a, const struct sluice_look *b)
{
	return sluice_look_colours(a, b) < 0.3f && sluice_look_places(a, b) < 0.5f;
}

#endif
