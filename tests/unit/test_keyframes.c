// SPDX-License-Identifier: MIT
/*
 * test_keyframes.c - which pictures tell an event: looks tell colours and places apart; of a long
 * stretch the newest sight is taken, and what was shown already is not shown again.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cloud/keyframes.h"
#include "tests/unit/check.h"

#define W 64
#define H 48

static uint8_t px[W * H], cb[W * H / 4], cr[W * H / 4], mask[W * H];
static const struct sluice_gray colour = { px, cb, cr, W, H, 1 },
				grey = { px, NULL, NULL, W, H, 1 };

/* A rectangle of foreground in that colour. */
static struct sluice_look look(const struct sluice_gray *g, int x0, int y0, int w, int h, int b,
			       int r, int light)
{
	struct sluice_look l;

	memset(mask, 0, sizeof(mask));
	memset(px, 100, sizeof(px));
	memset(cb, 128, sizeof(cb));
	memset(cr, 128, sizeof(cr));
	for (int y = y0; y < y0 + h; y++)
		for (int x = x0; x < x0 + w; x++) {
			mask[y * W + x] = 2;
			px[y * W + x] = (uint8_t)light;
			cb[y / 2 * W / 2 + x / 2] = (uint8_t)(128 + b);
			cr[y / 2 * W / 2 + x / 2] = (uint8_t)(128 + r);
		}
	sluice_look_make(g, mask, &l);
	return l;
}

static void test_looks(void)
{
	static const int wheel[12][2] = { { 40, 5 },   { 30, 30 }, { 5, 40 },	{ -5, 40 },
					  { -30, 30 }, { -40, 5 }, { -40, -5 }, { -30, -30 },
					  { -5, -40 }, { 5, -40 }, { 30, -30 }, { 40, -5 } };
	struct sluice_look none = look(&colour, 0, 0, 0, 0, 0, 0, 0), a, b;
	unsigned int seen = 0;

	for (int i = 0; i < 12; i++) {
		a = look(&colour, 8, 6, 16, 12, wheel[i][0], wheel[i][1], 90);
		for (unsigned int k = 0; k < SLUICE_LOOK_HUES; k++)
			seen |= a.bin[k] == 255 ? 1u << k : 0;
		CHECK(__builtin_popcountll(a.where) == 4); /* two cells by two */
	}
	CHECK(seen == 0xfff); /* each sector once */
	a = look(&colour, 8, 6, 16, 12, 40, 5, 90);
	b = look(&colour, 8, 6, 16, 12, -40, 5, 90);
	CHECK(sluice_look_colours(&a, &b) == 1 && sluice_look_places(&a, &b) == 0);
	CHECK(!sluice_look_alike(&a, &b) && sluice_look_alike(&a, &a));
	b = look(&colour, 40, 24, 16, 12, 40, 5, 90);
	CHECK(sluice_look_colours(&a, &b) == 0 && sluice_look_places(&a, &b) == 1);
	b = look(&colour, 16, 6, 16, 12, 40, 5, 90);
	CHECK(sluice_look_places(&a, &b) > 0.6f && sluice_look_places(&a, &b) < 0.7f);
	CHECK(sluice_look_places(&a, &none) == 1 && sluice_look_colours(&a, &none) == 0);
	CHECK(sluice_look_alike(&none, &none));
	/* without colour, and with hardly any, brightness tells */
	a = look(&grey, 8, 6, 16, 12, 0, 0, 30);
	b = look(&colour, 8, 6, 16, 12, 5, 5, 30);
	CHECK(sluice_look_colours(&a, &b) == 0);
	b = look(&grey, 8, 6, 16, 12, 0, 0, 220);
	CHECK(sluice_look_colours(&a, &b) == 1);
}

static struct sluice_event_log *event_of(double seconds)
{
	struct sluice_event_log *e = calloc(1, sizeof(*e));

	sluice_event_begin(e, 0);
	for (uint64_t i = 0; i <= (uint64_t)(seconds * 5); i++) {
		struct sluice_moment m = { .sequence = i,
					   .t_s = (double)i / 5,
					   .moving = 0.02f,
					   .score = 100,
					   .objects = 1,
					   .motion = true };

		memset(m.thumb, 90, sizeof(m.thumb));
		sluice_event_moment(e, &m);
	}
	return e;
}

/* Who stands is shown once or twice; then a red one comes, in the middle of nothing new. */
static void test_newest(void)
{
	struct sluice_look blue = look(&colour, 8, 6, 16, 24, 40, 5, 90);
	struct sluice_look red = look(&colour, 40, 6, 16, 24, 5, 40, 90);
	struct sluice_event_log *e = event_of(60);
	struct sluice_keyframe key[SLUICE_KEYFRAMES_MAX];
	uint32_t n, reds = 0;

	for (uint32_t i = 0; i < e->moment_count; i++)
		e->moments[i].look = i >= 170 && i < 185 ? red : blue;
	n = sluice_keyframes_choose(e, 12, key);
	for (uint32_t i = 0; i < n; i++)
		reds += key[i].sequence >= 170 && key[i].sequence < 185;
	CHECK(reds == 1 && n == 2); /* the burst's blue one, and the red */
	sluice_event_clear(e);
	free(e);
}

/* Who walks is in another place all the time: as many pictures as the stretches want. */
static void test_walker(void)
{
	struct sluice_event_log *e = event_of(30);
	struct sluice_keyframe key[SLUICE_KEYFRAMES_MAX];
	uint32_t n;

	for (uint32_t i = 0; i < e->moment_count; i++)
		e->moments[i].look =
			look(&colour, (int)(i * (W - 16) / e->moment_count), 6, 16, 24, 40, 5, 90);
	n = sluice_keyframes_choose(e, 12, key);
	CHECK(n >= 4 && n <= 12);
	for (uint32_t i = 1; i < n; i++)
		CHECK(key[i].t_s > key[i - 1].t_s);
	sluice_event_clear(e);
	free(e);
}

int main(void)
{
	test_looks();
	test_newest();
	test_walker();
	return check_result();
}
