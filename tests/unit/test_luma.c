// SPDX-License-Identifier: MIT
/*
 * test_luma.c - pictures that sluice_picture_init() takes and refuses, and the grid of every raw
 * format against means made pixel by pixel, with the scalar table.
 */
#include "kmod/luma.h"
#include "tests/unit/check.h"
#include <stdio.h>
#include <stdlib.h>

/* The same bytes in every run. */
static u8 noise(void)
{
	static u32 state = 1;

	state = state * 1664525 + 1013904223;
	return state >> 24;
}

static void test_picture(void)
{
	struct sluice_picture p;

	CHECK(!sluice_picture_init(&p, SLUICE_FMT_YUYV, 640, 480, 0));
	CHECK(p.block == 8 && p.grid_w == 80 && p.grid_h == 60 && p.stride == 1280);
	CHECK(p.size_min == 614400 && p.pixel_step == 2 && p.luma_first == 0);
	CHECK(!sluice_picture_init(&p, SLUICE_FMT_UYVY, 640, 480, 1344) && p.luma_first == 1);
	CHECK(p.size_min == 1344 * 480);
	CHECK(!sluice_picture_init(&p, SLUICE_FMT_NV12, 1920, 1080, 0));
	CHECK(p.grid_w == 240 && p.grid_h == 135 && p.size_min == 1920 * 1620);
	CHECK(!sluice_picture_init(&p, SLUICE_FMT_GREY, 320, 240, 0) && p.block == 4);
	CHECK(!sluice_picture_init(&p, SLUICE_FMT_GREY, 160, 120, 0) && p.block == 2);
	CHECK(!sluice_picture_init(&p, SLUICE_FMT_MJPEG, 160, 121, 0) && p.block == 8);
	CHECK(p.grid_w == 20 && p.grid_h == 16 && !p.size_min);
	CHECK(!sluice_picture_init(&p, SLUICE_FMT_RGB24, 4096, 4096, 0) && p.grid_w == 512);
	CHECK(sluice_picture_init(&p, SLUICE_FOURCC('H', '2', '6', '4'), 640, 480, 0) ==
	      -EOPNOTSUPP);
	CHECK(sluice_picture_init(&p, SLUICE_FMT_GREY, 15, 480, 0) == -EINVAL);
	CHECK(sluice_picture_init(&p, SLUICE_FMT_GREY, 4097, 480, 0) == -EINVAL);
	CHECK(sluice_picture_init(&p, SLUICE_FMT_GREY, 640, 480, 639) == -EINVAL);
	CHECK(sluice_picture_init(&p, SLUICE_FMT_GREY, 640, 480, 0xffffffff) == -EINVAL);
	CHECK(sluice_picture_init(&p, SLUICE_FMT_YUYV, 641, 480, 0) == -EINVAL);
}

/* 256 times the luma of a pixel. */
static u32 luma_of(const struct sluice_picture *p, const u8 *data, u32 x, u32 y)
{
	const u8 *at = data + (size_t)y * p->stride + x * p->pixel_step;

	if (p->fourcc == SLUICE_FMT_RGB24)
		return 77 * at[0] + 150 * at[1] + 29 * at[2];
	if (p->fourcc == SLUICE_FMT_BGR24)
		return 77 * at[2] + 150 * at[1] + 29 * at[0];
	return 256 * at[p->luma_first];
}

static void test_grid(u32 fourcc, u32 w, u32 h, u32 pad, int fill)
{
	struct sluice_picture p;
	u16 *cell;
	u8 *data;

	CHECK(!sluice_picture_init(&p, fourcc, w, h, 0));
	CHECK(!sluice_picture_init(&p, fourcc, w, h, p.stride + pad));
	data = malloc(p.size_min);
	cell = malloc(sizeof(*cell) * p.grid_w * p.grid_h);
	for (size_t i = 0; i < p.size_min; i++)
		data[i] = fill >= 0 ? fill : noise();
	CHECK(sluice_luma_grid(&p, data, p.size_min - 1, cell) == -EMSGSIZE);
	CHECK(!sluice_luma_grid(&p, data, p.size_min, cell));
	for (u32 cy = 0; cy < p.grid_h; cy++) {
		for (u32 cx = 0; cx < p.grid_w; cx++) {
			u32 sum = 0, n = 0;

			for (u32 y = cy * p.block; y < (cy + 1u) * p.block && y < h; y++) {
				for (u32 x = cx * p.block; x < (cx + 1u) * p.block && x < w; x++) {
					sum += luma_of(&p, data, x, y);
					n++;
				}
			}
			if (cell[cy * p.grid_w + cx] != sum / n) {
				printf("%.4s %ux%u: cell %u,%u is %u, not %u\n", (char *)&fourcc, w,
				       h, cx, cy, cell[cy * p.grid_w + cx], sum / n);
				check_failures++;
				cy = p.grid_h;
				break;
			}
		}
	}
	free(data);
	free(cell);
}

int main(void)
{
	static const u32 formats[] = { SLUICE_FMT_YUYV,	 SLUICE_FMT_UYVY, SLUICE_FMT_NV12,
				       SLUICE_FMT_NV21,	 SLUICE_FMT_YU12, SLUICE_FMT_GREY,
				       SLUICE_FMT_RGB24, SLUICE_FMT_BGR24 };
	static const u32 size[][2] = { { 640, 480 }, { 1002, 75 }, { 486, 33 }, { 320, 242 },
				       { 250, 35 },  { 160, 120 }, { 16, 17 } };

	test_picture();
	for (u32 f = 0; f < 8; f++) {
		for (u32 s = 0; s < 7; s++) {
			test_grid(formats[f], size[s][0], size[s][1], s & 1 ? 48 : 0, -1);
			test_grid(formats[f], size[s][0], size[s][1], 0, 255);
		}
	}
	return check_result();
}
