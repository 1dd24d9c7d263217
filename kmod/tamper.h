/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/*
 * tamper.h - is the camera still looking at its scene, sharply? From the same grid as the gate,
 * four times a second. Integers only, bounded, no allocation.
 */
#ifndef SLUICE_TAMPER_H
#define SLUICE_TAMPER_H

#include "core.h"

enum sluice_tamper_kind {
	SLUICE_TAMPER_NONE,
	SLUICE_TAMPER_COVERED,	 /* the scene's structure is gone, and nothing is there instead */
	SLUICE_TAMPER_DEFOCUSED, /* the scene is there, its fine structure is not */
	SLUICE_TAMPER_TURNED,	 /* another scene */
};

struct sluice_tamper; /* private state in one block of memory */

/* Bytes for a grid that the gate takes. */
size_t sluice_tamper_size(u32 grid_w, u32 grid_h);

/* Make one in mem (8-byte aligned, the caller's). It knows no scene yet. */
struct sluice_tamper *sluice_tamper_init(void *mem, u32 grid_w, u32 grid_h);

/* Forget the scene; what comes is learnt for ten seconds and then held against. */
void sluice_tamper_reset(struct sluice_tamper *t);

/* Cells to leave out: those with a bit in hidden, and those that are 0 in map. NULL: none. */
void sluice_tamper_look(struct sluice_tamper *t, const u8 *hidden, const u8 *map);

/*
 * One frame. cell: Q8 means, as for the gate. dt_ms: since the frame before. moved: cells whose
 * change the gate could not explain by light. Returns what holds now.
 */
enum sluice_tamper_kind sluice_tamper_frame(struct sluice_tamper *t, const u16 *cell, u32 dt_ms,
					    u32 moved);

#endif
