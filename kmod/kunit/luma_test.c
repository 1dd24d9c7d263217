// SPDX-License-Identifier: GPL-2.0
/*
 * luma_test.c - which pictures are taken, and the grid of every raw format, with odd sizes and
 * padded strides, against means made pixel by pixel. Each table that this CPU can run is held to
 * it: in User-Mode Linux the scalar one alone.
 */
#include <kunit/test.h>
#include "../luma.h"

static const u32 formats[] = {
	SLUICE_FMT_YUYV, SLUICE_FMT_UYVY, SLUICE_FMT_NV12,  SLUICE_FMT_NV21,
	SLUICE_FMT_YU12, SLUICE_FMT_GREY, SLUICE_FMT_RGB24, SLUICE_FMT_BGR24
};

static void format_name(const u32 *fourcc, char *desc)
{
	snprintf(desc, KUNIT_PARAM_DESC_SIZE, "%.4s", (const char *)fourcc);
}
KUNIT_ARRAY_PARAM(format, formats, format_name);

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

static u32 mean_of(const struct sluice_picture *p, const u8 *data, u32 cx, u32 cy)
{
	u32 sum = 0, n = 0;

	for (u32 y = cy * p->block; y < min((cy + 1) * p->block, p->height); y++) {
		for (u32 x = cx * p->block; x < min((cx + 1) * p->block, p->width); x++) {
			sum += luma_of(p, data, x, y);
			n++;
		}
	}
	return sum / n;
}

/* fill: a byte for all, or -1 for noise. Memory has just the size of the picture: KASAN looks. */
static void try_grid(struct kunit *test, u32 fourcc, u32 w, u32 h, u32 pad, int fill)
{
	struct sluice_picture p;
	u32 seed = w * h + pad, wrong = 0, cells;
	u16 *cell;
	u8 *data;

	KUNIT_ASSERT_EQ(test, sluice_picture_init(&p, fourcc, w, h, 0), 0);
	KUNIT_ASSERT_EQ(test, sluice_picture_init(&p, fourcc, w, h, p.stride + pad), 0);
	cells = p.grid_w * p.grid_h;
	data = kunit_kmalloc(test, p.size_min, GFP_KERNEL);
	cell = kunit_kmalloc(test, (cells + 1) * sizeof(*cell), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, data);
	KUNIT_ASSERT_NOT_NULL(test, cell);
	for (size_t i = 0; i < p.size_min; i++) {
		seed = seed * 1664525u + 1013904223u;
		data[i] = fill >= 0 ? fill : seed >> 24;
	}
	cell[cells] = 0xa5a5;
	KUNIT_EXPECT_EQ(test, sluice_luma_grid(&p, data, p.size_min - 1, cell), -EMSGSIZE);
	KUNIT_EXPECT_EQ(test, sluice_luma_grid(&p, data, p.size_min, cell), 0);
	for (u32 cy = 0; cy < p.grid_h; cy++)
		for (u32 cx = 0; cx < p.grid_w; cx++)
			wrong += cell[cy * p.grid_w + cx] != mean_of(&p, data, cx, cy);
	KUNIT_EXPECT_EQ_MSG(test, wrong, 0u, "%ux%u, %u bytes of padding, %s table", w, h, pad,
			    sluice_luma->name);
	KUNIT_EXPECT_EQ(test, cell[cells], (u16)0xa5a5);
	kunit_kfree(test, cell);
	kunit_kfree(test, data);
}

static void luma_grid_is_mean(struct kunit *test)
{
	static const u32 size[][2] = { { 640, 24 }, { 1002, 19 }, { 486, 33 }, { 320, 26 },
				       { 250, 35 }, { 160, 40 },  { 16, 17 } };
	const struct sluice_luma_ops *before = sluice_luma;
	u32 fourcc = *(const u32 *)test->param_value;

	for (u32 t = 0; sluice_luma_tables()[t]; t++) {
		sluice_luma = sluice_luma_tables()[t];
		for (u32 s = 0; s < ARRAY_SIZE(size); s++) {
			for (u32 pad = 0; pad <= 48; pad += 16)
				try_grid(test, fourcc, size[s][0], size[s][1], pad, -1);
			try_grid(test, fourcc, size[s][0], size[s][1], 0, 0);
			try_grid(test, fourcc, size[s][0], size[s][1], 0, 255);
		}
	}
	sluice_luma = before;
}

/* The largest picture: sums do not overflow, rows do not end early. */
static void luma_largest(struct kunit *test)
{
	try_grid(test, SLUICE_FMT_GREY, 4096, 64, 0, 255);
	try_grid(test, SLUICE_FMT_RGB24, 4096, 17, 0, -1);
	try_grid(test, SLUICE_FMT_YUYV, 4096, 16, 0, -1);
}

static void luma_picture_limits(struct kunit *test)
{
	struct sluice_picture p;

	KUNIT_EXPECT_EQ(test, sluice_picture_init(&p, SLUICE_FMT_YUYV, 640, 480, 0), 0);
	KUNIT_EXPECT_EQ(test, p.grid_w, (u16)80);
	KUNIT_EXPECT_EQ(test, p.grid_h, (u16)60);
	KUNIT_EXPECT_EQ(test, p.size_min, 614400u);
	KUNIT_EXPECT_EQ(test, sluice_picture_init(&p, SLUICE_FMT_NV12, 1920, 1080, 0), 0);
	KUNIT_EXPECT_EQ(test, p.size_min, 1920u * 1620);
	KUNIT_EXPECT_EQ(test, sluice_picture_init(&p, SLUICE_FMT_MJPEG, 160, 121, 0), 0);
	KUNIT_EXPECT_EQ(test, p.grid_h, (u16)16);
	KUNIT_EXPECT_EQ(test, p.size_min, 0u);
	KUNIT_EXPECT_EQ(test, sluice_picture_init(&p, SLUICE_FMT_GREY, 15, 480, 0), -EINVAL);
	KUNIT_EXPECT_EQ(test, sluice_picture_init(&p, SLUICE_FMT_GREY, 480, 15, 0), -EINVAL);
	KUNIT_EXPECT_EQ(test, sluice_picture_init(&p, SLUICE_FMT_GREY, 4097, 480, 0), -EINVAL);
	KUNIT_EXPECT_EQ(test, sluice_picture_init(&p, SLUICE_FMT_GREY, 640, 480, 639), -EINVAL);
	KUNIT_EXPECT_EQ(test, sluice_picture_init(&p, SLUICE_FMT_GREY, 640, 480, ~0u), -EINVAL);
	KUNIT_EXPECT_EQ(test, sluice_picture_init(&p, SLUICE_FMT_YUYV, 641, 480, 0), -EINVAL);
	KUNIT_EXPECT_EQ(test,
			sluice_picture_init(&p, SLUICE_FOURCC('H', '2', '6', '4'), 640, 480, 0),
			-EOPNOTSUPP);
}

static struct kunit_case luma_cases[] = {
	KUNIT_CASE_PARAM(luma_grid_is_mean, format_gen_params),
	KUNIT_CASE(luma_largest),
	KUNIT_CASE(luma_picture_limits),
	{},
};

static struct kunit_suite luma_suite = {
	.name = "sluice_luma",
	.test_cases = luma_cases,
};
kunit_test_suite(luma_suite);
