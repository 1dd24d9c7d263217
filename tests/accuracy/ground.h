/* SPDX-License-Identifier: MIT */
/* ground.h - what a generated movie happens in front of: real pictures of places where nothing
 * moves. */
#ifndef SLUICE_ACCURACY_GROUND_H
#define SLUICE_ACCURACY_GROUND_H

#include "kmod/core.h"

#define MOVIE_W	    640
#define MOVIE_H	    480
#define MOVIE_LUMA  (MOVIE_W * MOVIE_H)
#define MOVIE_BYTES (MOVIE_LUMA * 3 / 2) /* YU12 */

#define GROUND_FRAMES 24

/* One place: successive frames of a quiet stretch (played to and fro), or one picture. */
struct ground {
	const char *name;
	u32 count;
	u8 *frame[GROUND_FRAMES]; /* YU12 of MOVIE_W x MOVIE_H */
};

/* Grounds for development are others than those of the figures that are reported. */
enum ground_set { GROUNDS_DEVELOPMENT, GROUNDS_REPORT };

#define GROUNDS_MAX 4

/*
 * Those of a set that this machine has; at least one (a drawn one). data: directory of the clips.
 * Aborts when memory is short. Free with grounds_free().
 */
u32 grounds_load(struct ground out[GROUNDS_MAX], enum ground_set set, const char *data);
void grounds_free(struct ground *g, u32 count);

#endif
