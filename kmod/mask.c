// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * mask.c - privacy mask: copies a raw frame into the ring, blanking the masked cells on the way.
 *
 * A frame is up to three planes of lines; in each a cell covers a fixed number of bytes and lines
 * (blocks are even, so no chroma sample belongs to two cells). A line is copied in runs of cells
 * with the same bit: the copy never holds a masked pixel. Lines of cells without a masked one, and
 * the bytes between the end of a line and the next, are copied as they are. What lies behind the
 * picture is no picture and becomes zero.
 */
#include "mask.h"

/* One plane of the picture. */
struct plane {
	size_t offset;
	u32 stride, lines, bytes; /* per line, without what pads it to the stride */
	u32 cell_bytes, cell_lines;
	u8 blank[2]; /* even and odd bytes of a masked cell */
};

/* The planes of a format, returns their number. */
static u32 planes_of(const struct sluice_picture *p, struct plane *plane)
{
	u32 half = (p->height + 1) / 2;
	u8 luma = p->pixel_step == 3 ? 0 : 16;

	plane[0] = (struct plane){ .stride = p->stride,
				   .lines = p->height,
				   .bytes = p->width * p->pixel_step,
				   .cell_bytes = p->block * p->pixel_step,
				   .cell_lines = p->block,
				   .blank = { luma, luma } };
	if (p->pixel_step == 2)
		plane[0].blank[!p->luma_first] = 128;
	if (p->fourcc != SLUICE_FMT_NV12 && p->fourcc != SLUICE_FMT_NV21 &&
	    p->fourcc != SLUICE_FMT_YU12)
		return 1;
	plane[1] = (struct plane){ .offset = (size_t)p->stride * p->height,
				   .stride = p->stride,
				   .lines = half,
				   .bytes = p->width,
				   .cell_bytes = p->block,
				   .cell_lines = p->block / 2,
				   .blank = { 128, 128 } };
	if (p->fourcc != SLUICE_FMT_YU12)
		return 2;
	plane[1].stride /= 2;
	plane[1].bytes /= 2;
	plane[1].cell_bytes /= 2;
	plane[2] = plane[1];
	plane[2].offset += (size_t)plane[1].stride * half;
	return 3;
}

static bool bit_of(const u8 *bits, u32 cell)
{
	return bits[cell / 8] >> cell % 8 & 1;
}

static void blank_bytes(u8 *to, u32 n, const u8 *blank)
{
	if (blank[0] == blank[1]) {
		memset(to, blank[0], n);
		return;
	}
	for (u32 i = 0; i < n; i++)
		to[i] = blank[i & 1];
}

/* One line of a row of cells, the bit of the first of them being cell. */
static void mask_line(const struct plane *plane, u8 *to, const u8 *from, const u8 *bits, u32 cell,
		      u32 cells)
{
	for (u32 x = 0, next; x < cells; x = next) {
		bool masked = bit_of(bits, cell + x);
		u32 first = x * plane->cell_bytes, end;

		for (next = x + 1; next < cells && bit_of(bits, cell + next) == masked; next++)
			;
		end = min(next * plane->cell_bytes, plane->bytes);
		if (masked)
			blank_bytes(to + first, end - first, plane->blank);
		else
			memcpy(to + first, from + first, end - first);
	}
	memcpy(to + plane->bytes, from + plane->bytes, plane->stride - plane->bytes);
}

static void mask_plane(const struct sluice_picture *p, const struct plane *plane, u8 *to,
		       const u8 *from, const u8 *bits)
{
	for (u32 y = 0, row = 0; y < plane->lines; y += plane->cell_lines, row++) {
		u32 lines = min(plane->lines - y, plane->cell_lines);
		u32 cell = row * p->grid_w, x = 0;

		while (x < p->grid_w && !bit_of(bits, cell + x))
			x++;
		for (u32 i = 0; x < p->grid_w && i < lines; i++)
			mask_line(plane, to + (size_t)i * plane->stride,
				  from + (size_t)i * plane->stride, bits, cell, p->grid_w);
		if (x == p->grid_w)
			memcpy(to, from, (size_t)lines * plane->stride);
		to += (size_t)lines * plane->stride;
		from += (size_t)lines * plane->stride;
	}
}

void sluice_mask_copy(const struct sluice_picture *p, void *dst, const void *src, size_t len,
		      const u8 *bits)
{
	u8 *to = dst;
	const u8 *from = src;
	struct plane plane[3];

	if (!bits) {
		memcpy(to, from, p->size_min);
	} else {
		u32 n = planes_of(p, plane);

		for (u32 i = 0; i < n; i++)
			mask_plane(p, &plane[i], to + plane[i].offset, from + plane[i].offset,
				   bits);
	}
	memset(to + p->size_min, 0, len - p->size_min);
}
