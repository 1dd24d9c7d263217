/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/* mask.h - privacy mask: cells of the grid whose pixels are blanked before they reach the ring. */
#ifndef SLUICE_MASK_H
#define SLUICE_MASK_H

#include "luma.h"

/*
 * Copy a raw frame and blank the masked cells in the copy: luma 16, chroma 128, RGB 0. dst never
 * holds a masked pixel, not even for a moment. bits: one bit a cell as in ring.h, NULL = plain
 * copy. len >= p->size_min was checked by the caller; bytes behind the picture are copied as zero.
 */
void sluice_mask_copy(const struct sluice_picture *p, void *dst, const void *src, size_t len,
		      const u8 *bits);

#endif
