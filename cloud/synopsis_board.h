/* SPDX-License-Identifier: MIT */
/* synopsis_board.h - what synopsis_plan.c (units as pictures, speeds, the result) and
 * synopsis_place.c (which unit goes where) share. Nobody else includes it. */
#ifndef SLUICE_SYNOPSIS_BOARD_H
#define SLUICE_SYNOPSIS_BOARD_H

#include "cloud/synopsis.h"

#define BOARD_AT_ONCE 48 /* things in one picture at most */

struct place {
	int16_t x, y, w, h;
	uint32_t unit;
};

struct picture {
	uint32_t count;
	struct place at[BOARD_AT_ONCE];
};

/* A unit, resampled. */
struct cut {
	uint32_t count;	       /* pictures */
	uint32_t first, shots; /* into all shots */
	int64_t at;	       /* where it is, -1: nowhere */
	double even;
	enum sluice_left_out why;
};

struct shot {
	uint32_t picture; /* of the unit */
	struct sluice_synopsis_shot s;
};

struct board {
	struct sluice_synopsis *s;
	struct cut *cut;
	uint32_t *lag; /* of each tube: picture of its unit in which it is first seen */
	struct shot *shots;
	uint32_t shot_count, shot_room;
	struct picture *pictures;
	uint32_t length; /* pictures */
	int64_t order;	 /* pictures that two may be out of order */
	double area;	 /* of the camera's picture */
	double factor;
	uint64_t seed;
};

/* Where the unit costs least, with those that are placed; cut.why if nowhere. */
void board_place(struct board *b, uint32_t unit);
/* A bounded number of moves, from b->seed. */
void board_anneal(struct board *b);
/* Share of the area of things in which those of two units meet. */
double board_overlap(const struct board *b);
/* Leaves out the unit that meets most; false: none meets any. */
bool board_drop_worst(struct board *b);

#endif
