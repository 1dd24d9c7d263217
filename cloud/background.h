/* SPDX-License-Identifier: MIT */
/* background.h - which pixels of a small picture are not background. */
#ifndef SLUICE_BACKGROUND_H
#define SLUICE_BACKGROUND_H

#include <stdbool.h>
#include <stdint.h>

#include "cloud/decode.h"

struct sluice_background;

enum sluice_background_kind {
	SLUICE_BACKGROUND_DEFAULT,
	SLUICE_BACKGROUND_MEAN,	   /* running mean and deviation: one Gaussian */
	SLUICE_BACKGROUND_MIXTURE, /* three of them with weights */
	SLUICE_BACKGROUND_DELTA,   /* sigma-delta */
	SLUICE_BACKGROUND_MEDIAN,  /* of eight samples over half a minute */
};

#define SLUICE_BACKGROUND_KINDS 4 /* 1 .. SLUICE_BACKGROUND_KINDS */

/* "mixture"; NULL if there is no such kind. */
const char *sluice_background_name(uint32_t kind);

enum sluice_background_change {
	SLUICE_CHANGE_NONE,
	SLUICE_CHANGE_SCENE,  /* most of the picture is another one */
	SLUICE_CHANGE_CAMERA, /* the picture is the old one, moved */
};

struct sluice_background_result {
	bool learning; /* the model is younger than a second: the mask is empty */
	enum sluice_background_change change; /* the model began anew */
	uint32_t foreground;		      /* pixels set in the mask */
	float light; /* share of the picture that only the light changed, 0..1 */
};

#define SLUICE_MASK_WEAK   1 /* differs: belongs to a thing that differs strongly elsewhere */
#define SLUICE_MASK_STRONG 2

/* A model for pictures of w x h. Returns NULL when out of memory. */
struct sluice_background *sluice_background_open(uint32_t kind, uint32_t w, uint32_t h);
void sluice_background_close(struct sluice_background *b); /* NULL-safe */

/* By how much smaller a difference counts than usual: 0.5 to 4, 1 from the beginning. */
void sluice_background_sensitivity(struct sluice_background *b, float times);

/* Forget the picture (new epoch, camera moved). */
void sluice_background_reset(struct sluice_background *b);

/*
 * One picture of that size, dt_s seconds after the one before (>= 0; gaps are normal). hold[h][w]:
 * 1 where a living track stands (absorbed slowly). quiet: the gate saw nothing move, so all that is
 * not held is background. mask[h][w] becomes 0 or SLUICE_MASK_*.
 */
void sluice_background_frame(struct sluice_background *b, const struct sluice_gray *g, float dt_s,
			     const uint8_t *hold, bool quiet, uint8_t *mask,
			     struct sluice_background_result *r);

/* Where light explained a difference in the newest picture: [h][w], 0 or not; NULL: nowhere. */
const uint8_t *sluice_background_lit(const struct sluice_background *b);

/* Take what is in the box of the newest picture for background from now on. */
void sluice_background_absorb(struct sluice_background *b, const struct sluice_gray *g, uint32_t x0,
			      uint32_t y0, uint32_t x1, uint32_t y1);

/* How much stronger edges at the border of the mask in this box are in the picture than in the
 * background: above 1, something stands there that was not; below, something has gone. */
float sluice_background_edges(const struct sluice_background *b, const struct sluice_gray *g,
			      const uint8_t *mask, uint32_t x0, uint32_t y0, uint32_t x1,
			      uint32_t y1);

/* Bytes of one model for pictures of w x h. */
size_t sluice_background_bytes(uint32_t kind, uint32_t w, uint32_t h);

#endif
