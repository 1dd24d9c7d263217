/* SPDX-License-Identifier: MIT */
/*
 * retune.h - from what was counted of a gate (tally.h) to how sensitive it should be, and where;
 * and whether a change of that was a bad one. No input or output.
 *
 * Recall comes first. Where something was missed the threshold falls at once, by a step. It rises
 * by a step only after plenty of openings for nothing, in which it moved there and never was
 * anything, and never where a thing was seen, or missed, or right beside it. Nothing goes beyond
 * the limits.
 */
#ifndef SLUICE_RETUNE_H
#define SLUICE_RETUNE_H

#include "cloud/tally.h"

#define SLUICE_FACTOR_ONE   16 /* of a threshold map: as configured; docs/protocol.md 7 */
#define SLUICE_RETUNE_WORDS 1024

enum sluice_retune_preset {
	SLUICE_RETUNE_CUSTOM, /* single values are set: it is left as it is */
	SLUICE_RETUNE_LOW,
	SLUICE_RETUNE_MEDIUM,
	SLUICE_RETUNE_HIGH,
};

/* What a gate is set to. */
struct sluice_tuning {
	struct sluice_tiles tiles;
	enum sluice_retune_preset preset;
	uint8_t factor[SLUICE_TILES]; /* times the threshold, in sixteenths; 0: the tile is ignored,
					 and stays so */
};

struct sluice_retune_limits {
	uint8_t least, most; /* factors, 1..255: 8 and 48 are half and three times the threshold */
	uint32_t hours;	     /* of evidence that a rise needs: 24 */
	float sure;	     /* share of openings for nothing that is to be exceeded: 0.85 */
};

extern const struct sluice_retune_limits sluice_retune_usual;

/* All factors one. -EINVAL as sluice_tiles_of(). */
int sluice_tuning_begin(struct sluice_tuning *t, uint32_t grid_w, uint32_t grid_h,
			enum sluice_retune_preset preset);

/* A byte a cell of the grid, row by row, as the gate takes it: grid_w * grid_h of them. */
void sluice_tuning_map(const struct sluice_tuning *t, uint8_t *cells);

/* Is no factor but one set? */
bool sluice_tuning_plain(const struct sluice_tuning *t);

struct sluice_proposal {
	struct sluice_tuning tuning;
	uint32_t raised, lowered;      /* tiles whose factor grew, fell */
	char why[SLUICE_RETUNE_WORDS]; /* sentences for people, with their counts */
};

/*
 * What the counts of so many seconds, made under the tuning `now`, speak for. 1: something else,
 * *p; 0: nothing, and p->why says what is wanting. -EINVAL: the counts are of another grid, or the
 * limits are none.
 */
int sluice_retune_propose(const struct sluice_tally *t, uint64_t seconds,
			  const struct sluice_tuning *now, const struct sluice_retune_limits *l,
			  struct sluice_proposal *p);

/* Shares of frames of a closed gate in which something was missed. */
struct sluice_misses {
	uint32_t samples, missed;
};

/* Is more missed after a change than before it, beyond chance? */
bool sluice_retune_worse(const struct sluice_misses *before, const struct sluice_misses *after);

/* Bounds of the share that `hits` of n come from, one-sided with the normal quantile z. n 0: 0, 1.
 */
void sluice_wilson(uint32_t hits, uint32_t n, float z, float *low, float *high);

#endif
