// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * mask.c - privacy mask: copies a raw frame into the ring, blanking the masked cells on the way.
 *
 * A frame is up to three planes of lines; in each a cell covers a fixed number of bytes and lines
 * (blocks are even, so no chroma sample belongs to two cells). A line is copied in runs of cells
 * with the same bit: the copy never holds a masked pixel. Lines of cells without a masked one, and
 * the bytes between the end of a line and the next, are copied as they are. What lies behind the
 * picture is no picture and becomes zero.
 *
 * Planes that lie apart in the driver's memory are gathered on the way, so that the ring knows the
 * contiguous formats only. Their lines may be padded to another stride than the copy's.
 */
#include "mask.h"

/* One plane of the picture. */
struct plane {
	size_t offset;
	u32 stride, lines, bytes; /* per line, without what pads it to the stride */
	u32 from_stride;	  /* in the source */
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
	plane[0].from_stride = p->stride;
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
	if (p->fourcc == SLUICE_FMT_YU12) {
		plane[1].stride /= 2;
		plane[1].bytes /= 2;
		plane[1].cell_bytes /= 2;
	}
	plane[1].from_stride = p->apart ? p->apart_stride : plane[1].stride;
	if (p->fourcc != SLUICE_FMT_YU12)
		return 2;
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

/* What pads a line to the stride: as in the source, zero where that has less. */
static void copy_padding(const struct plane *plane, u8 *to, const u8 *from)
{
	u32 there = min(plane->stride, plane->from_stride);

	memcpy(to + plane->bytes, from + plane->bytes, there - plane->bytes);
	memset(to + there, 0, plane->stride - there);
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
	copy_padding(plane, to, from);
}

static void copy_lines(const struct plane *plane, u8 *to, const u8 *from, u32 lines)
{
	if (plane->stride == plane->from_stride) {
		memcpy(to, from, (size_t)lines * plane->stride);
		return;
	}
	for (u32 i = 0; i < lines; i++, to += plane->stride, from += plane->from_stride) {
		memcpy(to, from, plane->bytes);
		copy_padding(plane, to, from);
	}
}

static void mask_plane(const struct sluice_picture *p, const struct plane *plane, u8 *to,
		       const u8 *from, const u8 *bits)
{
	for (u32 y = 0, row = 0; y < plane->lines; y += plane->cell_lines, row++) {
		u32 lines = min(plane->lines - y, plane->cell_lines);
		u32 cell = row * p->grid_w, x = 0;

		while (bits && x < p->grid_w && !bit_of(bits, cell + x))
			x++;
		for (u32 i = 0; bits && x < p->grid_w && i < lines; i++)
			mask_line(plane, to + (size_t)i * plane->stride,
				  from + (size_t)i * plane->from_stride, bits, cell, p->grid_w);
		if (!bits || x == p->grid_w)
			copy_lines(plane, to, from, lines);
		to += (size_t)lines * plane->stride;
		from += (size_t)lines * plane->from_stride;
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

int sluice_picture_planes(struct sluice_picture *p, u32 fourcc, u32 width, u32 height,
			  const u32 stride[3])
{
	u32 apart = 1, samples;
	int rc;

	switch (fourcc) {
	case SLUICE_FMT_NM12:
		fourcc = SLUICE_FMT_NV12;
		break;
	case SLUICE_FMT_NM21:
		fourcc = SLUICE_FMT_NV21;
		break;
	case SLUICE_FMT_YM12:
		fourcc = SLUICE_FMT_YU12;
		apart = 2;
		break;
	default:
		return sluice_picture_init(p, fourcc, width, height, stride[0]);
	}
	rc = sluice_picture_init(p, fourcc, width, height, stride[0]);
	if (rc)
		return rc;
	samples = apart == 2 ? width / 2 : width;
	p->apart = (u8)apart;
	p->apart_stride = stride[1] ? stride[1] : samples;
	if (p->apart_stride < samples || p->apart_stride > 65536 ||
	    (apart == 2 && stride[2] != stride[1]))
		return -EINVAL;
	return 0;
}

size_t sluice_plane_bytes(const struct sluice_picture *p, u32 i)
{
	return i ? (size_t)p->apart_stride * ((p->height + 1) / 2) : (size_t)p->stride * p->height;
}

void sluice_mask_gather(const struct sluice_picture *p, void *dst, const void *const src[3],
			const u8 *bits)
{
	struct plane plane[3];
	u8 *to = dst;

	planes_of(p, plane);
	for (u32 i = 0; i <= p->apart; i++)
		mask_plane(p, &plane[i], to + plane[i].offset, src[i], bits);
}
