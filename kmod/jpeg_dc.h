/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/* jpeg_dc.h - the grid of a baseline JPEG: the DC coefficient of each 8x8 luma block, in Q8. */
#ifndef SLUICE_JPEG_DC_H
#define SLUICE_JPEG_DC_H

#include "core.h"

/*
 * Decoder tables, one per camera or per thread, 32 KiB: never on a kernel stack. Must be zeroed
 * before its first frame; the tables of one frame are kept for the next. Content is private.
 */
struct sluice_jpeg_dc {
	u64 opaque[4096];
};

struct sluice_jpeg_info {
	u32 width, height; /* as the frame header says */
	u32 bytes;	   /* up to and with EOI; padding lies behind. len if EOI is missing */
	bool no_tables;	   /* no DHT segment: the standard tables were used */
};

/*
 * Decode the luma DC grid. data may change while it is read (a camera buffer that is mapped by an
 * application): no byte is judged twice. Bounded: time O(len + cells), no allocation, no recursion.
 * width, height: what the stream's format says; a JPEG of another size is refused.
 * cell[grid_h][grid_w], c = clamp(32768 + 32 * dc * q, 0, 65535); grid is ceil(size / 8).
 * A picture whose blocks are all there but whose EOI is missing decodes. info may be NULL.
 * Returns 0; -EBADMSG if it does not parse (truncated, bad marker, bad code), -EOPNOTSUPP for
 * progressive, 12-bit, arithmetic or non-YCbCr/grey pictures, -EMSGSIZE for another size.
 * On error cell is undefined. Never reads outside data[0..len-1].
 */
int sluice_jpeg_dc_grid(struct sluice_jpeg_dc *dec, const void *data, size_t len, u32 width,
			u32 height, u16 *cell, struct sluice_jpeg_info *info);

#endif
