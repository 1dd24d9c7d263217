/* SPDX-License-Identifier: MIT */
/* background.h - which pixels of a small grey picture are not background. */
#ifndef SLUICE_BACKGROUND_H
#define SLUICE_BACKGROUND_H

#include <stdbool.h>
#include <stdint.h>

#define SLUICE_BACKGROUND_KINDS 0

const char *sluice_background_name(uint32_t kind);

struct sluice_background;

struct sluice_background_result {
	bool learning;	   /* the model is younger than a second: the mask is empty */
	bool scene_change; /* most pixels changed after light compensation: the model began anew */
	uint32_t foreground; /* pixels set in the mask */
};

/* A model for pictures of w x h. Returns NULL when out of memory. */
struct sluice_background *sluice_background_open(uint32_t w, uint32_t h);
void sluice_background_close(struct sluice_background *b); /* NULL-safe */

/* Forget the picture (new epoch, camera moved). */
void sluice_background_reset(struct sluice_background *b);

/*
 * One picture px[h][w], dt_s seconds after the one before (>= 0; gaps are normal). hold[h][w]: 1
 * where a living track stands (absorbed slowly), NULL for nowhere. quiet: the gate saw nothing
 * move, so all that is not held is background. mask[h][w] becomes 0 or 1.
 */
void sluice_background_frame(struct sluice_background *b, const uint8_t *px, float dt_s,
			     const uint8_t *hold, bool quiet, uint8_t *mask,
			     struct sluice_background_result *r);

#endif
