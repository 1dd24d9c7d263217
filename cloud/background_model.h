/* SPDX-License-Identifier: MIT */
/*
 * background_model.h - what every background model has, and what one is: a way to learn.
 * background_*.c include it, nobody else.
 *
 * Grey levels are kept in Q7 (1/128) in 16 bits, so that eight or sixteen pixels fit a vector.
 */
#ifndef SLUICE_BACKGROUND_MODEL_H
#define SLUICE_BACKGROUND_MODEL_H

#include "cloud/background.h"
#include "cloud/vectors.h"

#define Q7 128

/* What is to be done with a pixel. */
enum background_how {
	HOW_LEARN, /* background: follow it */
	HOW_KEEP,  /* foreground: only the light goes on behind it */
	HOW_HELD,  /* the same, and it belongs to a track: no mode learns it */
	HOW_LIGHT, /* background under another light: follow it fast */
	HOW_TAKE,  /* background from now on, as it is */
};

struct background_step {
	float dt_s;
	int16_t mean, dev, light; /* Q15: share of the way that they go in this step */
	uint8_t grow, fade;	  /* what weights of other modes gain and lose */
};

struct background_ops {
	const char *name;
	size_t pixel_bytes; /* of own state */
	/* own: pixel_bytes * n, zeroed; mean, dev [n] are set already */
	void (*begin)(void *own, const uint8_t *px, size_t n);
	/* Take out of raw what the model knows better, count pixels of the n from the one at from
	 * on; NULL: nothing. expected: mean under today's light. */
	void (*know)(const void *own, size_t n, size_t from, const uint8_t *px,
		     const int16_t *expected, const int16_t *mean, const int16_t *dev, uint8_t *raw,
		     size_t count);
	void (*learn)(void *own, const uint8_t *px, const int16_t *expected, const uint8_t *how,
		      const struct background_step *s, int16_t *mean, int16_t *dev, size_t n);
};

#define MODE_GROW_S  8.0f   /* of being shown, from nothing to full weight */
#define MODE_FRESH_S 1.5f   /* the same in a new place */
#define MODE_FADE_S  120.0f /* of not being shown, from full to nothing */

extern const struct background_ops background_mean, background_mixture, background_delta,
	background_median;

#endif
