/* SPDX-License-Identifier: MIT */
/*
 * background_state.h - what the files of one background model share: background.c (one picture),
 * background_find.c (what differs), background_learn.c and background_moved.c (another scene).
 * Nobody else includes it.
 */
#ifndef SLUICE_BACKGROUND_STATE_H
#define SLUICE_BACKGROUND_STATE_H

#include "cloud/background_light.h"
#include "cloud/background_model.h"

struct sluice_background {
	const struct background_ops *ops;
	uint32_t w, h;
	float threshold; /* times the usual ones: 0.25 to 2, or sums of compare() overflow */
	float age_s, tick_s, grow, fade; /* the last three: parts of steps */
	uint32_t pictures, scene_run;
	bool colour, any_lit;
	bool colourful; /* place or things are not grey: colour tells things from shadows */
	void *own;
	int16_t *mean, *dev;	/* luma, Q7 */
	int16_t *cb, *cr, *hue; /* chroma [h / 2][w / 2]: means and one deviation, Q7 */
	uint8_t *cand, *still;	/* value that foreground shows, and for how many ticks */
	/* scratch of one picture */
	int16_t *lit;  /* mean under today's light, where there is one */
	int16_t *line; /* two lines */
	uint8_t *raw, *how, *diff, *hue_raw, *hue_diff; /* diff: how much, grey levels */
};

/* Is any of n bytes set? */
bool background_any_set(const uint8_t *row, size_t n);

/* The means under the light of this picture. */
const int16_t *background_light_up(struct sluice_background *b, const uint8_t *px);

/* What differs: mask, r->foreground, r->light. b->how becomes 1 where light explains it. */
void background_find(struct sluice_background *b, const struct sluice_gray *g,
		     const int16_t *expected, uint8_t *mask, struct sluice_background_result *r);

/* dt seconds later: what belongs to the background is followed. */
void background_learn(struct sluice_background *b, const struct sluice_gray *g,
		      const int16_t *expected, float dt, const uint8_t *hold, bool quiet,
		      const uint8_t *mask);

/* Most of the picture differs: why? */
enum sluice_background_change background_change(const struct sluice_background *b,
						const uint8_t *px);

#endif
