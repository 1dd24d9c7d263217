/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/* gate_row.h - what gate_cell.c does to whole rows of cells; a table for each kind of CPU. */
#ifndef SLUICE_GATE_ROW_H
#define SLUICE_GATE_ROW_H

#include "gate_state.h"

struct gate_rows {
	/* Stage one. Change of row y against the background, into ring_shade, ring_d, ring_d1,
	 * ring_t; added to the column sums. c: the row's cells. */
	void (*add)(struct sluice_gate *g, const u16 *c, u32 y);
	/* Takes row y out of the column sums again. */
	void (*drop)(struct sluice_gate *g, u32 y);
	/* Stage two. box, e and t of row y; true if a cell may be low, then hit too. */
	bool (*hold)(struct sluice_gate *g, u32 y);
	/* Learning of row y as if all of it were quiet. */
	void (*learn)(struct sluice_gate *g, const u16 *c, u32 y);
};

extern const struct gate_rows gate_rows_scalar;
extern const struct gate_rows gate_rows_avx2; /* only between simd_begin() and simd_end() */

#endif
