/* SPDX-License-Identifier: MIT */
/* background_light.h - change that light explains. background.c includes it. */
#ifndef SLUICE_BACKGROUND_LIGHT_H
#define SLUICE_BACKGROUND_LIGHT_H

#include <stdbool.h>
#include <stddef.h>

#include "cloud/decode.h"

/*
 * What the light of the whole picture explains: light[v] in Q7 for a background of brightness v.
 * False: nothing, light is all 0.
 */
bool sluice_light_fit(const uint8_t *px, const int16_t *mean, size_t n, int16_t light[256]);

/* The background as it was learned, in Q7. */
struct sluice_light_colour {
	const int16_t *mean, *cb, *cr;
};

/*
 * Take out of raw[h][w] what is the background in another light (a shadow, a lamp, the edge of a
 * cloud): its structure is there, its colour too. hue: the background's own luma and chroma; NULL:
 * the place has no colours that say anything. expected: its luma in the light of the whole picture.
 * explained is not 0 there afterwards. Returns how many pixels it were.
 */
uint32_t sluice_light_explain(const struct sluice_gray *g, const int16_t *expected,
			      const struct sluice_light_colour *hue, uint8_t *raw,
			      uint8_t *explained);

#endif
