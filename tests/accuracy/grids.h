/* SPDX-License-Identifier: MIT */
/* grids.h - luma grids of a picture or a whole clip, and the gate run over them. */
#ifndef SLUICE_ACCURACY_GRIDS_H
#define SLUICE_ACCURACY_GRIDS_H

#include "kmod/gate.h"
#include "truth.h"

/* Variants of the same picture. */
enum grid_kind { GRID_RAW, GRID_Q90, GRID_Q80, GRID_Q70, GRID_KINDS };

extern const char *const grid_kind_name[GRID_KINDS];

/* Pixels per side of a raw picture's cell. */
u32 grid_block(u32 width);

/*
 * Mean of every block in Q8, partial ones too. cell: ceil(width / block) * ceil(height / block).
 */
void grid_of_luma(u16 *cell, const u8 *luma, u32 stride, u32 width, u32 height, u32 block);

/* What the DC of a JPEG of that quality would make of 8x8 means. */
void grid_quantise(u16 *cell, size_t n, enum grid_kind kind);

struct clip_grids {
	u32 width, height; /* pixels */
	u32 w, h, block;   /* cells; pixels per side of one */
	size_t frames;
	double *t_s; /* since the first frame */
	u16 *cell;   /* frames * w * h */
};

/*
 * Decodes a whole clip. block: pixels per side of a cell, 0: as the gate would take it. Returns 0,
 * or -1 with a message on stderr. Free with clip_grids_free().
 */
int clip_grids_read(struct clip_grids *c, const char *path, u32 block);
void clip_grids_free(struct clip_grids *c);

/*
 * The first picture of a clip at or after t_s, scaled to width x height luma. Returns 0, or -1 with
 * a message on stderr.
 */
int clip_picture(u8 *luma, const char *path, double t_s, u32 width, u32 height);

#define CLIP_PLACES 2

/*
 * Pictures of real places out of those clips of data that are there, for scenes to happen in. luma:
 * room for CLIP_PLACES of width x height; place: where each of them begins. Returns how many.
 */
int clip_places(const char *data, u32 width, u32 height, u8 *luma, const u8 *place[CLIP_PLACES]);

/*
 * Runs a fresh gate with preset medium over the clip, its grids quantised as kind says, keeping at
 * most fps frames a second (0: all). d has room for c->frames. Returns the number of decisions.
 */
size_t clip_grids_decide(const struct clip_grids *c, enum grid_kind kind, double fps,
			 struct decision *d);

/* A gate in memory of its own; free() the result of gate_new(). */
struct sluice_gate *gate_new(u32 w, u32 h);

/* One frame's decision. */
struct decision gate_decide(struct sluice_gate *g, const u16 *cell, double t_s, double before_s);

#endif
