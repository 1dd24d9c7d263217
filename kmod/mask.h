/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/*
 * mask.h - from the planes of a raw frame to one piece of memory, with the cells of the privacy
 * mask blanked on the way: what they show never reaches the ring.
 */
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

/*
 * sluice_picture_init() for what a driver says: also NM12, NM21 and YM12, whose planes lie apart.
 * They become NV12, NV21 and YU12 (p->fourcc) in the copy. stride: bytes per line of each plane.
 */
int sluice_picture_planes(struct sluice_picture *p, u32 fourcc, u32 width, u32 height,
			  const u32 stride[3]);

/* Bytes that plane i (0: luma) of such a picture has in its own memory. */
size_t sluice_plane_bytes(const struct sluice_picture *p, u32 i);

/* As sluice_mask_copy(), from planes that lie apart: luma and p->apart more. */
void sluice_mask_gather(const struct sluice_picture *p, void *dst, const void *const src[3],
			const u8 *bits);

#endif
