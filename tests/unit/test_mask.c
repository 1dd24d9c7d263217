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

/* Planes that lie apart, with strides of their own: the same picture as when they do not. */
static int check_apart(u32 fourcc, u32 contiguous, u32 w, u32 h, u32 pad, u32 chroma_pad, u32 share)
{
	u32 thirds = fourcc == SLUICE_FMT_YM12, half = (h + 1) / 2;
	u32 chroma = (thirds ? w / 2 : w) + chroma_pad;
	u32 stride[3] = { w + pad, chroma, thirds ? chroma : 0 };
	struct sluice_picture p, q;
	u8 *plane[3], *src, *dst, *want, *bits;
	size_t cells, luma = (size_t)stride[0] * h;
	int bad = 0;

	if (sluice_picture_planes(&p, fourcc, w, h, stride) ||
	    sluice_picture_init(&q, contiguous, w, h, stride[0]) || p.fourcc != contiguous ||
	    p.size_min != q.size_min || p.apart != 1 + thirds ||
	    sluice_plane_bytes(&p, 0) != luma) {
		printf("%.4s %ux%u: refused\n", (char *)&fourcc, w, h);
		return 1;
	}
	cells = (size_t)p.grid_w * p.grid_h;
	src = calloc(1, p.size_min);
	dst = malloc(p.size_min);
	want = malloc(p.size_min);
	bits = calloc(1, (cells + 7) / 8);
	for (size_t i = 0; i < p.size_min; i++)
		dst[i] = (u8)roll(256);
	for (size_t i = 0; i < cells; i++)
		bits[i / 8] |= (roll(100) < share) << i % 8;
	for (u32 i = 0; i <= p.apart; i++) {
		u32 lines = i ? half : h, from = stride[i],
		    to = i && thirds ? q.stride / 2 : q.stride;
		u32 used = i && thirds ? w / 2 : w;
		u8 *at = src + (i ? luma + (size_t)(i - 1) * to * half : 0);

		plane[i] = malloc(sluice_plane_bytes(&p, i));
		for (size_t k = 0; k < sluice_plane_bytes(&p, i); k++)
			plane[i][k] = (u8)roll(256);
		for (u32 y = 0; y < lines; y++)
			memcpy(at + (size_t)y * to, plane[i] + (size_t)y * from,
			       min(i ? min(from, to) : from, i ? max(used, min(from, to)) : from));
	}
	for (int with = 0; with < 2; with++) {
		sluice_mask_gather(&p, dst, (const void *const *)plane, with ? bits : NULL);
		sluice_mask_copy(&q, want, src, q.size_min, with ? bits : NULL);
		for (size_t i = 0; i < p.size_min && !bad; i++) {
			if (dst[i] == want[i])
				continue;
			printf("%.4s %ux%u strides %u %u, mask %d: byte %zu is %u, not %u\n",
			       (char *)&fourcc, w, h, stride[0], stride[1], with, i, dst[i],
			       want[i]);
			bad = 1;
		}
	}
	for (u32 i = 0; i <= p.apart; i++)
		free(plane[i]);
	free(src);
	free(dst);
	free(want);
	free(bits);
	return bad;
}

/* Strides that are too short, and third planes unlike the second, are refused. */
static int check_strides(void)
{
	static const u32 bad[][4] = { { SLUICE_FMT_NM12, 640, 638, 0 },
				      { SLUICE_FMT_NM21, 600, 640, 0 },
				      { SLUICE_FMT_YM12, 640, 318, 318 },
				      { SLUICE_FMT_YM12, 640, 320, 352 },
				      { SLUICE_FMT_NM12, 640, 65537, 0 } };
	struct sluice_picture p;
	int wrong = 0;

	for (u32 i = 0; i < 5; i++) {
		if (sluice_picture_planes(&p, bad[i][0], 640, 480, bad[i] + 1) == -EINVAL)
			continue;
		printf("strides %u %u %u were taken\n", bad[i][1], bad[i][2], bad[i][3]);
		wrong++;
	}
	return wrong;
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
	for (u32 s = 0; s < 6; s++) {
		for (u32 i = 0; i < 4; i++) {
			u32 pad = i & 1 ? 64 : 0, chroma = i & 2 ? 32 : 0;

			bad += check_apart(SLUICE_FMT_NM12, SLUICE_FMT_NV12, size[s][0], size[s][1],
					   pad, chroma, share[i]);
			bad += check_apart(SLUICE_FMT_NM21, SLUICE_FMT_NV21, size[s][0], size[s][1],
					   pad, chroma, share[i]);
			bad += check_apart(SLUICE_FMT_YM12, SLUICE_FMT_YU12, size[s][0], size[s][1],
					   pad, chroma, share[i]);
		}
	}
	bad += check_strides();
	return bad ? 1 : 0;
}
