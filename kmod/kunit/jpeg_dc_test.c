// SPDX-License-Identifier: GPL-2.0
/*
 * jpeg_dc_test.c - pictures made by libjpeg, whole, cut at every byte, padded, with each byte
 * damaged, and of another size than the stream said. Each try has memory of just its size, so
 * that KASAN sees a read behind it.
 */
#include <kunit/test.h>
#include "../jpeg_dc.h"
#include "jpeg_pictures.h"

#define CELLS 64

struct rig {
	struct sluice_jpeg_dc dec;
	struct sluice_jpeg_info info;
	u16 cell[CELLS + 1];
};

static const void *next_picture(const void *before, char *desc)
{
	const struct jpeg_picture *p =
		before ? (const struct jpeg_picture *)before + 1 : jpeg_pictures;

	if (!p->data)
		return NULL;
	strscpy(desc, p->name, KUNIT_PARAM_DESC_SIZE);
	return p;
}

static int rig_open(struct kunit *test)
{
	test->priv = kunit_kzalloc(test, sizeof(struct rig), GFP_KERNEL);
	return test->priv ? 0 : -ENOMEM;
}

static u32 cells_of(const struct jpeg_picture *p)
{
	return DIV_ROUND_UP(p->width, 8) * DIV_ROUND_UP(p->height, 8);
}

/* Bytes of the picture, at most its own, then padding. change: xored into the byte at. */
static int decode(struct kunit *test, const struct jpeg_picture *p, u32 bytes, u32 padding, u32 at,
		  u8 change)
{
	struct rig *g = test->priv;
	u8 *data = kmalloc(max_t(u32, bytes + padding, 1), GFP_KERNEL);
	int ret;

	KUNIT_ASSERT_NOT_NULL(test, data);
	memcpy(data, p->data, bytes);
	memset(data + bytes, 0xff, padding);
	if (change)
		data[at] ^= change;
	memset(g->cell, 0x55, sizeof(g->cell));
	ret = sluice_jpeg_dc_grid(&g->dec, data, bytes + padding, p->width, p->height, g->cell,
				  &g->info);
	kfree(data);
	KUNIT_EXPECT_EQ(test, g->cell[cells_of(p)], (u16)0x5555);
	return ret;
}

static bool right_grid(struct kunit *test, const struct jpeg_picture *p)
{
	struct rig *g = test->priv;

	return !memcmp(g->cell, p->grid, cells_of(p) * sizeof(*p->grid));
}

static void jpeg_whole(struct kunit *test)
{
	const struct jpeg_picture *p = test->param_value;
	struct rig *g = test->priv;

	for (u32 padding = 0; padding < 300; padding += 100) {
		KUNIT_EXPECT_EQ(test, decode(test, p, p->size, padding, 0, 0), 0);
		KUNIT_EXPECT_TRUE(test, right_grid(test, p));
		KUNIT_EXPECT_EQ(test, g->info.bytes, p->size);
		KUNIT_EXPECT_EQ(test, g->info.width, (u32)p->width);
		KUNIT_EXPECT_EQ(test, g->info.height, (u32)p->height);
		KUNIT_EXPECT_EQ(test, g->info.no_tables, p->no_tables);
	}
}

/* Cut anywhere, a picture either lacks blocks or is whole. */
static void jpeg_cut(struct kunit *test)
{
	const struct jpeg_picture *p = test->param_value;
	u32 bad = 0, wrong = 0;

	for (u32 bytes = 0; bytes < p->size; bytes++) {
		int ret = decode(test, p, bytes, 0, 0, 0);

		bad += ret == -EBADMSG;
		wrong += ret ? ret != -EBADMSG : !right_grid(test, p);
	}
	KUNIT_EXPECT_EQ(test, wrong, 0u);
	KUNIT_EXPECT_GT(test, bad, p->size / 2);
	KUNIT_EXPECT_EQ(test, decode(test, p, p->size - 2, 0, 0, 0), 0); /* only EOI is missing */
}

/* Every byte damaged: an answer from the list, and no trace of it in the next picture. */
static void jpeg_damaged(struct kunit *test)
{
	const struct jpeg_picture *p = test->param_value;
	u32 refused = 0, strange = 0;

	for (u32 at = 0; at < p->size; at++) {
		int ret = decode(test, p, p->size, 0, at, 1 << at % 8);

		refused += ret != 0;
		strange += ret && ret != -EBADMSG && ret != -EMSGSIZE && ret != -EOPNOTSUPP;
	}
	KUNIT_EXPECT_EQ(test, strange, 0u);
	KUNIT_EXPECT_GT(test, refused, 20u);
	KUNIT_EXPECT_EQ(test, decode(test, p, p->size, 0, 0, 0), 0);
	KUNIT_EXPECT_TRUE(test, right_grid(test, p));
}

static void jpeg_other_size(struct kunit *test)
{
	struct jpeg_picture p = *(const struct jpeg_picture *)test->param_value;

	p.width -= 8;
	KUNIT_EXPECT_EQ(test, decode(test, &p, p.size, 0, 0, 0), -EMSGSIZE);
	p.width += 8;
	p.height += 8;
	KUNIT_EXPECT_EQ(test, decode(test, &p, p.size, 0, 0, 0), -EMSGSIZE);
}

static struct kunit_case jpeg_cases[] = {
	KUNIT_CASE_PARAM(jpeg_whole, next_picture),
	KUNIT_CASE_PARAM(jpeg_cut, next_picture),
	KUNIT_CASE_PARAM(jpeg_damaged, next_picture),
	KUNIT_CASE_PARAM(jpeg_other_size, next_picture),
	{},
};

static struct kunit_suite jpeg_suite = {
	.name = "sluice_jpeg_dc",
	.init = rig_open,
	.test_cases = jpeg_cases,
};
kunit_test_suite(jpeg_suite);
