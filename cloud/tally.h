/* SPDX-License-Identifier: MIT */
/*
 * tally.h - what the gate of a camera did with what the analysis saw, counted by place: how often
 * it opened for nothing, where things really were, and where something was in a frame that the gate
 * would have dropped. No input or output.
 *
 * A place is a tile: a square of cells of the gate's grid, so large that there are at most 32 x 24
 * of them. Counts stop at their largest value.
 */
#ifndef SLUICE_TALLY_H
#define SLUICE_TALLY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SLUICE_TILES_W 32
#define SLUICE_TILES_H 24
#define SLUICE_TILES   (SLUICE_TILES_W * SLUICE_TILES_H)
#define SLUICE_GRID_W  1024 /* cells of the widest and highest grid that is counted */

/* The tiles of a grid; side 0: of none yet. */
struct sluice_tiles {
	uint16_t grid_w, grid_h; /* cells */
	uint16_t side;		 /* of a tile, in cells */
	uint16_t w, h;		 /* tiles */
};

struct sluice_tile {
	uint32_t nothing; /* openings without anything in which it moved there, ... */
	uint32_t frames;  /* ... and frames of those */
	uint32_t seen;	  /* openings with a thing that was there */
	uint32_t missed;  /* samples in which something was there that the gate did not see */
};

struct sluice_tally {
	uint64_t utc_ns; /* of the newest frame of it */
	struct sluice_tiles tiles;
	uint16_t zero;
	uint32_t settings;	    /* version of the gate's settings in that frame */
	uint32_t openings, nothing; /* events that were told; of these, without anything */
	uint32_t samples, missed;   /* frames of a closed gate that were looked at; of these, with
				       something */
	struct sluice_tile tile[SLUICE_TILES]; /* row by row, tiles.w to a row */
};

/* The tiles of a grid. -EINVAL: no grid, or a larger one than is counted. */
int sluice_tiles_of(uint32_t grid_w, uint32_t grid_h, struct sluice_tiles *t);

static inline bool sluice_tiles_same(const struct sluice_tiles *a, const struct sluice_tiles *b)
{
	return a->grid_w == b->grid_w && a->grid_h == b->grid_h;
}

/* The tile that a place of the picture lies in; x and y are shares of it, cut to 0..1. */
uint32_t sluice_tiles_at(const struct sluice_tiles *t, float x, float y);

/* Empty, for a grid. As sluice_tiles_of(). */
int sluice_tally_begin(struct sluice_tally *t, uint32_t grid_w, uint32_t grid_h);

/* Does it hold anything? */
bool sluice_tally_empty(const struct sluice_tally *t);

/* Can it be one? For what somebody else has made. */
bool sluice_tally_ok(const struct sluice_tally *t);

/* Adds those of `more`, of the same grid; time and settings are its. Of another grid, or into one
 * that is not begun: *t is begun anew with it, what it held is gone. */
void sluice_tally_add(struct sluice_tally *t, const struct sluice_tally *more);

#define SLUICE_TALLY_BYTES (32 + SLUICE_TILES * 18) /* packed, at most */

/* As bytes of any machine; tiles without counts take no room. How many of out[SLUICE_TALLY_BYTES].
 */
size_t sluice_tally_pack(const struct sluice_tally *t, uint8_t *out);
/* -EBADMSG: they are none. */
int sluice_tally_unpack(const void *data, size_t size, struct sluice_tally *t);

#endif
