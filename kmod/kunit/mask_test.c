// SPDX-License-Identifier: GPL-2.0
/*
 * mask_test.c - no masked byte survives, in any format. Two frames that differ in every byte of
 * the masked pixels, and nowhere else, must give the same copy: whatever the copy holds, it holds
 * nothing of them. All other bytes must be the frame's own, and the masked ones the blank that
 * mask.h promises.
 */
#include <kunit/test.h>
#include "../mask.h"

static const u32 formats[] = {
	SLUICE_FMT_YUYV, SLUICE_FMT_UYVY, SLUICE_FMT_NV12,  SLUICE_FMT_NV21,
	SLUICE_FMT_YU12, SLUICE_FMT_GREY, SLUICE_FMT_RGB24, SLUICE_FMT_BGR24
};

static void format_name(const u32 *fourcc, char *desc)
{
	snprintf(desc, KUNIT_PARAM_DESC_SIZE, "%.4s", (const char *)fourcc);
}
KUNIT_ARRAY_PARAM(format, formats, format_name);

enum { PLAIN, LUMA_BLANK, CHROMA_BLANK, COLOUR_BLANK, BEHIND };

static bool masked(const struct sluice_picture *p, const u8 *bits, u32 x, u32 y)
{
	u32 cell = y / p->block * p->grid_w + x / p->block;

	return bits[cell / 8] >> cell % 8 & 1;
}

/* What a byte of the frame is, pixel by pixel. */
static int kind_of(const struct sluice_picture *p, const u8 *bits, size_t offset)
{
	size_t luma = (size_t)p->stride * p->height;
	u32 y = offset / p->stride, at = offset % p->stride, x;

	if (offset >= p->size_min)
		return BEHIND;
	if (offset < luma) {
		x = at / p->pixel_step;
		if (x >= p->width || !masked(p, bits, x, y))
			return PLAIN;
		if (p->pixel_step == 3)
			return COLOUR_BLANK;
		return p->pixel_step == 2 && (at & 1) != p->luma_first ? CHROMA_BLANK : LUMA_BLANK;
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
	return x < p->width && masked(p, bits, x, y) ? CHROMA_BLANK : PLAIN;
}

static void judge(struct kunit *test, const struct sluice_picture *p, const u8 *src, const u8 *dst,
		  const u8 *bits, size_t len)
{
	static const u8 blank[] = { 0, 16, 128, 0, 0 };
	u32 wrong = 0;

	for (size_t i = 0; i < len; i++) {
		int kind = kind_of(p, bits, i);

		wrong += dst[i] != (kind == PLAIN ? src[i] : blank[kind]);
	}
	KUNIT_EXPECT_EQ_MSG(test, wrong, 0u, "%ux%u, stride %u", p->width, p->height, p->stride);
}

/* share: per cent of the cells that are masked. Memory has just the size of the frame. */
static void try_mask(struct kunit *test, u32 fourcc, u32 w, u32 h, u32 pad, u32 extra, u32 share)
{
	struct sluice_picture p;
	u8 *src, *first, *second, *bits;
	u32 seed = w + share, cells;
	size_t len;

	KUNIT_ASSERT_EQ(test, sluice_picture_init(&p, fourcc, w, h, 0), 0);
	KUNIT_ASSERT_EQ(test, sluice_picture_init(&p, fourcc, w, h, p.stride + pad), 0);
	len = p.size_min + extra;
	cells = p.grid_w * p.grid_h;
	src = kunit_kmalloc(test, len, GFP_KERNEL);
	first = kunit_kmalloc(test, len, GFP_KERNEL);
	second = kunit_kmalloc(test, len, GFP_KERNEL);
	bits = kunit_kzalloc(test, (cells + 7) / 8, GFP_KERNEL);
	KUNIT_ASSERT_TRUE(test, src && first && second && bits);
	for (size_t i = 0; i < len; i++) {
		seed = seed * 1664525u + 1013904223u;
		src[i] = seed >> 24;
	}
	for (u32 i = 0; i < cells; i++) {
		seed = seed * 1664525u + 1013904223u;
		bits[i / 8] |= ((seed >> 8) % 100 < share) << i % 8;
	}
	memset(first, 0x55, len);
	memset(second, 0xaa, len);
	sluice_mask_copy(&p, first, src, len, bits);
	judge(test, &p, src, first, bits, len);
	for (size_t i = 0; i < len; i++)
		if (kind_of(&p, bits, i) != PLAIN)
			src[i] = ~src[i];
	sluice_mask_copy(&p, second, src, len, bits);
	KUNIT_EXPECT_EQ(test, memcmp(first, second, len), 0);
	kunit_kfree(test, bits);
	kunit_kfree(test, second);
	kunit_kfree(test, first);
	kunit_kfree(test, src);
}

static void mask_hides_pixels(struct kunit *test)
{
	static const u32 size[][2] = { { 640, 32 }, { 500, 37 }, { 320, 24 },
				       { 242, 31 }, { 160, 20 }, { 18, 17 } };
	static const u32 share[] = { 3, 50, 100 };
	u32 fourcc = *(const u32 *)test->param_value;

	for (u32 s = 0; s < ARRAY_SIZE(size); s++)
		for (u32 i = 0; i < ARRAY_SIZE(share); i++)
			for (u32 pad = 0; pad <= 64; pad += 32)
				try_mask(test, fourcc, size[s][0], size[s][1], pad, i * 100,
					 share[i]);
}

static void mask_none_is_plain_copy(struct kunit *test)
{
	u32 fourcc = *(const u32 *)test->param_value;
	struct sluice_picture p;
	u8 *src, *dst;

	KUNIT_ASSERT_EQ(test, sluice_picture_init(&p, fourcc, 64, 18, 0), 0);
	src = kunit_kmalloc(test, p.size_min + 5, GFP_KERNEL);
	dst = kunit_kmalloc(test, p.size_min + 5, GFP_KERNEL);
	KUNIT_ASSERT_TRUE(test, src && dst);
	memset(src, 0x77, p.size_min + 5);
	memset(dst, 0xff, p.size_min + 5);
	sluice_mask_copy(&p, dst, src, p.size_min + 5, NULL);
	KUNIT_EXPECT_EQ(test, memcmp(dst, src, p.size_min), 0);
	KUNIT_EXPECT_PTR_EQ(test, memchr_inv(dst + p.size_min, 0, 5), (void *)NULL);
}

static struct kunit_case mask_cases[] = {
	KUNIT_CASE_PARAM(mask_hides_pixels, format_gen_params),
	KUNIT_CASE_PARAM(mask_none_is_plain_copy, format_gen_params),
	{},
};

static struct kunit_suite mask_suite = {
	.name = "sluice_mask",
	.test_cases = mask_cases,
};
kunit_test_suite(mask_suite);
