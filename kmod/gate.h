/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/*
 * gate.h - decides from the grid whether something moves. Pure integer state machine; the roll,
 * rate and keep-alive policy on top of it is frame.h.
 */
#ifndef SLUICE_GATE_H
#define SLUICE_GATE_H

#include "core.h"

/* All in the units of the names; see the table in docs/accuracy.md for ranges that work. */
struct sluice_gate_config {
	u32 floor;	/* least threshold, Q8 grey: 1024 */
	u32 k;		/* threshold in 1/16 mean absolute deviation: 128 */
	u32 mass;	/* blob weight that qualifies, 1/16 T: 64 */
	u32 strong;	/* blob weight that needs two frames only: 640 */
	u32 confirm_ms; /* 90 */
	u32 warmup_ms;	/* 1000 */
	u32 scene_pct;	/* 40 */
	u32 row_bands;	/* 1: compensate rolling flicker */
};

enum sluice_preset { SLUICE_PRESET_LOW, SLUICE_PRESET_MEDIUM, SLUICE_PRESET_HIGH };

/* Fill c with a preset: LOW fewer false, HIGH finds fainter and smaller things. */
void sluice_gate_preset(struct sluice_gate_config *c, enum sluice_preset preset);

enum sluice_gate_state {
	SLUICE_GATE_WARMUP,    /* learning: no decision, frames pass */
	SLUICE_GATE_QUIET,     /* nothing qualified */
	SLUICE_GATE_QUALIFIED, /* something qualified, not yet confirmed */
	SLUICE_GATE_MOTION,    /* confirmed */
	SLUICE_GATE_SCENE,     /* scene change: one frame, then warm-up again */
};

struct sluice_gate_result {
	enum sluice_gate_state state;
	u32 score; /* heaviest blob with a high cell, against config.mass: 64 and more qualifies;
		      clamped to 65535 */
	u32 blobs; /* qualified blobs */
	u32 cells; /* cells in them */
};

struct sluice_gate; /* private state and scratch in one block of memory */

/* Bytes that a gate for a grid needs; 0 if the grid is outside 2x2 .. SLUICE_CELLS_MAX. */
size_t sluice_gate_size(u32 grid_w, u32 grid_h);

/*
 * Make a gate in mem (sluice_gate_size() bytes, 8-byte aligned, owned by the caller and freed by
 * it). Returns the gate in warm-up.
 */
struct sluice_gate *sluice_gate_init(void *mem, u32 grid_w, u32 grid_h,
				     const struct sluice_gate_config *c);

/* New settings take effect with the next frame; learnt state is kept. */
void sluice_gate_configure(struct sluice_gate *g, const struct sluice_gate_config *c);

/*
 * Per-cell threshold factor in 1/16 (16 = as configured, 255 = nearly blind; 0 = ignore the cell:
 * it can neither be high nor low). map has grid_w * grid_h bytes and is copied; NULL = all 16.
 */
void sluice_gate_map(struct sluice_gate *g, const u8 *map);

/* Set: no vector instructions, as sluice_luma_init(true). Same results, more time. */
extern bool sluice_gate_scalar;

/* Forget everything and warm up again (reconnect, other format). */
void sluice_gate_reset(struct sluice_gate *g);

/*
 * One frame. cell: grid_w * grid_h means in Q8. dt_ms: since the frame before, clamped to 1..2000.
 * bits: NULL or ceil(cells / 8) bytes, set to the motion-cell bitmap (cells of qualified blobs).
 */
void sluice_gate_frame(struct sluice_gate *g, const u16 *cell, u32 dt_ms,
		       struct sluice_gate_result *r, u8 *bits);

#endif
