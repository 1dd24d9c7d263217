// SPDX-License-Identifier: MIT
/* test_mask.c - masked copies of every raw format against a pixel-by-pixel reference. */
#include "kmod/mask.h"
#include <stdio.h>
#include <stdlib.h>

static const u32 formats[] = {
	SLUICE_FMT_YUYV, SLUICE_FMT_UYVY, SLUICE_FMT_NV12,  SLUICE_FMT_NV21,
	SLUICE_FMT_YU12, SLUICE_FMT_GREY, SLUICE_FMT_RGB24, SLUICE_FMT_BGR24
};

static u32 seed = 1;

static u32 roll(u32 n)
{
	seed = seed * 1664525u + 1013904223u;
	return (seed >> 8) % n;
}

static bool masked(const struct sluice_picture *p, const u8 *bits, u32 x, u32 y)
{
	u32 cell = y / p->block * p->grid_w + x / p->block;

	return bits && bits[cell / 8] >> cell % 8 & 1;
}

/* What byte at offset must be in the copy. */
static u8 wanted(const struct sluice_picture *p, const u8 *src, size_t offset, const u8 *bits)
{
	size_t luma = (size_t)p->stride * p->height;
	u32 y = offset / p->stride, at = offset % p->stride, x;

	if (offset >= p->size_min)
		return 0;
	if (offset < luma) {
		x = at / p->pixel_step;
		if (x >= p->width || !masked(p, bits, x, y))
			return src[offset];
		if (p->pixel_step == 3)
			return 0;
		return p->pixel_step == 2 && (at & 1) != p->luma_first ? 128 : 16;
	}
	offset -= luma;
	if (p->fourcc == SLUICE_FMT_YU12) {
		u32 stride = p->stride / 2;

		y = offset / stride % ((p->height + 1) / 2) * 2;
		x = offset % stride * 2;
	} else {
		y = offset / p->stride * 2;
		x = offset % p->stride / 2 * 2;
	}
	return x < p->width && masked(p, bits, x, y) ? 128 : src[offset + luma];
}

static int check(u32 fourcc, u32 w, u32 h, u32 pad, u32 extra, u32 share)
{
	u32 step = fourcc == SLUICE_FMT_YUYV || fourcc == SLUICE_FMT_UYVY     ? 2
		   : fourcc == SLUICE_FMT_RGB24 || fourcc == SLUICE_FMT_BGR24 ? 3
									      : 1;
	struct sluice_picture p;
	u8 *src, *dst, *bits;
	size_t len, cells;
	int bad = 0;

	if (sluice_picture_init(&p, fourcc, w, h, w * step + pad)) {
		printf("%.4s %ux%u: refused\n", (char *)&fourcc, w, h);
		return 1;
	}
	len = p.size_min + extra;
	cells = (size_t)p.grid_w * p.grid_h;
	src = malloc(len);
	dst = malloc(len);
	bits = calloc(1, (cells + 7) / 8);
	for (size_t i = 0; i < len; i++) {
		src[i] = roll(256);
		dst[i] = ~src[i];
	}
	for (size_t i = 0; i < cells; i++)
		bits[i / 8] |= (roll(100) < share) << i % 8;
	for (int with = 0; with < 2; with++) {
		sluice_mask_copy(&p, dst, src, len, with ? bits : NULL);
		for (size_t i = 0; i < len && !bad; i++) {
			if (dst[i] == wanted(&p, src, i, with ? bits : NULL))
				continue;
			printf("%.4s %ux%u stride %u, %u %% masked: byte %zu is %u, not %u\n",
			       (char *)&fourcc, w, h, p.stride, with ? share : 0, i, dst[i],
			       wanted(&p, src, i, with ? bits : NULL));
			bad = 1;
		}
	}
	free(src);
	free(dst);
	free(bits);
	return bad;
}

int main(void)
{
	static const u32 size[][2] = { { 640, 480 }, { 500, 37 },  { 320, 240 },
				       { 242, 31 },  { 160, 120 }, { 18, 17 } };
	static const u32 share[] = { 0, 3, 50, 100 };
	int bad = 0;

	for (u32 f = 0; f < 8; f++) {
		for (u32 s = 0; s < 6; s++) {
			for (u32 i = 0; i < 4; i++)
				bad += check(formats[f], size[s][0], size[s][1], i & 1 ? 64 : 0,
					     i * 100, share[i]);
		}
	}
	return bad ? 1 : 0;
}
