// SPDX-License-Identifier: MIT
/*
 * test_tamper.c - covered, defocused, turned: each rule at its boundary, on grids drawn here.
 * Noise, weather and real pictures: tests/accuracy/tamper_scenes.c.
 */
#include "kmod/luma.h"
#include "kmod/tamper.h"
#include "check.h"
#include <stdlib.h>
#include <string.h>

#define W 80
#define H 60
#define N (W * H)

struct rig {
	struct sluice_tamper *t;
	u16 cell[N];
	u32 seed;
};

static u32 roll(struct rig *g, u32 n)
{
	g->seed = g->seed * 1664525u + 1013904223u;
	return (g->seed >> 8) % n;
}

/* Blocks of 3x3 cells of grey levels that depend on the scene, between 60 and 180. */
static u32 scene_grey(u32 scene, u32 x, u32 y)
{
	u32 h = (x / 3 * 73856093u) ^ (y / 3 * 19349663u) ^ (scene * 83492791u);

	h ^= h >> 13;
	h *= 0x85ebca6bu;
	return 60 + (h >> 16) % 120;
}

/* gain: 1/256. */
static void draw(struct rig *g, u32 scene, u32 gain, u32 offset)
{
	for (u32 i = 0; i < N; i++)
		g->cell[i] = (u16)min(scene_grey(scene, i % W, i / W) * gain + offset * 256 +
					      roll(g, 128),
				      65535u);
}

static void flat(struct rig *g, u32 grey)
{
	for (u32 i = 0; i < N; i++)
		g->cell[i] = (u16)(grey * 256 + roll(g, 128));
}

/* Each cell the mean of 5x5. */
static void soften(struct rig *g)
{
	static u16 copy[N];

	memcpy(copy, g->cell, sizeof(copy));
	for (int y = 0; y < H; y++) {
		for (int x = 0; x < W; x++) {
			u32 sum = 0, count = 0;

			for (int v = max(y - 2, 0); v < min(y + 3, H); v++)
				for (int u = max(x - 2, 0); u < min(x + 3, W); u++, count++)
					sum += copy[v * W + u];
			g->cell[y * W + x] = (u16)(sum / count);
		}
	}
}

static void rig_open(struct rig *g)
{
	size_t size = sluice_tamper_size(W, H);
	u8 *mem = malloc(size + 64);

	memset(mem + size, 0x5a, 64);
	g->t = sluice_tamper_init(mem, W, H);
	g->seed = 7;
}

/* Nothing was written behind its memory. */
static void rig_close(struct rig *g)
{
	const u8 *end = (const u8 *)g->t + sluice_tamper_size(W, H);

	for (u32 i = 0; i < 64; i++)
		CHECK(end[i] == 0x5a);
	free(g->t);
}

/* The picture as it is for ms; returns the kind at the end. */
static enum sluice_tamper_kind show(struct rig *g, u32 ms, u32 moved)
{
	enum sluice_tamper_kind kind = SLUICE_TAMPER_NONE;

	for (u32 t = 0; t < ms; t += 50)
		kind = sluice_tamper_frame(g->t, g->cell, 50, moved);
	return kind;
}

static enum sluice_tamper_kind show_scene(struct rig *g, u32 scene, u32 ms)
{
	enum sluice_tamper_kind kind = SLUICE_TAMPER_NONE;

	for (u32 t = 0; t < ms; t += 50) {
		draw(g, scene, 256, 0);
		kind = sluice_tamper_frame(g->t, g->cell, 50, 0);
	}
	return kind;
}

static void test_covered(void)
{
	struct rig g;

	rig_open(&g);
	CHECK(show_scene(&g, 1, 13000) == SLUICE_TAMPER_NONE);
	flat(&g, 90);
	CHECK(show(&g, 1000, 0) == SLUICE_TAMPER_NONE); /* it passes by */
	CHECK(show_scene(&g, 1, 2000) == SLUICE_TAMPER_NONE);
	flat(&g, 90);
	CHECK(show(&g, 3500, 0) == SLUICE_TAMPER_COVERED);
	CHECK(show(&g, 3600000, 0) == SLUICE_TAMPER_COVERED); /* for ever */
	CHECK(show_scene(&g, 1, 4000) == SLUICE_TAMPER_NONE);
	rig_close(&g);
}

/* Dark: only behind something that moved, and not when black. */
static void test_dark(void)
{
	struct rig g;

	rig_open(&g);
	show_scene(&g, 1, 13000);
	flat(&g, 20);
	CHECK(show(&g, 60000, 0) == SLUICE_TAMPER_NONE);
	CHECK(show_scene(&g, 1, 2000) == SLUICE_TAMPER_NONE);
	flat(&g, 20);
	sluice_tamper_frame(g.t, g.cell, 150, N / 4); /* one frame is a shutter's band */
	CHECK(show(&g, 5000, 0) == SLUICE_TAMPER_NONE);
	CHECK(show_scene(&g, 1, 2000) == SLUICE_TAMPER_NONE);
	flat(&g, 20);
	CHECK(show(&g, 200, N / 4) == SLUICE_TAMPER_NONE);
	CHECK(show(&g, 4000, 0) == SLUICE_TAMPER_COVERED);
	CHECK(show(&g, 60000, 0) == SLUICE_TAMPER_COVERED);
	CHECK(show_scene(&g, 1, 4000) == SLUICE_TAMPER_NONE);
	flat(&g, 17);
	show(&g, 200, N / 4);
	CHECK(show(&g, 10000, 0) == SLUICE_TAMPER_NONE);
	rig_close(&g);
}

static void test_light(void)
{
	struct rig g;

	rig_open(&g);
	show_scene(&g, 1, 13000);
	draw(&g, 1, 64, 0); /* a quarter of the light */
	CHECK(show(&g, 20000, 0) == SLUICE_TAMPER_NONE);
	draw(&g, 1, 40, 120); /* fog */
	CHECK(show(&g, 20000, 0) == SLUICE_TAMPER_NONE);
	draw(&g, 1, 256, 40);
	CHECK(show(&g, 20000, 0) == SLUICE_TAMPER_NONE);
	rig_close(&g);
}

static void test_turned(void)
{
	struct rig g;

	rig_open(&g);
	show_scene(&g, 1, 13000);
	CHECK(show_scene(&g, 2, 1500) == SLUICE_TAMPER_NONE);
	CHECK(show_scene(&g, 1, 2000) == SLUICE_TAMPER_NONE);
	CHECK(show_scene(&g, 2, 4000) == SLUICE_TAMPER_TURNED);
	CHECK(show_scene(&g, 1, 3000) == SLUICE_TAMPER_NONE);
	CHECK(show_scene(&g, 2, 500000) == SLUICE_TAMPER_TURNED);
	CHECK(show_scene(&g, 2, 120000) ==
	      SLUICE_TAMPER_NONE); /* after ten minutes it is the view */
	CHECK(show_scene(&g, 1, 5000) == SLUICE_TAMPER_TURNED);
	sluice_tamper_reset(g.t);
	CHECK(show_scene(&g, 1, 20000) == SLUICE_TAMPER_NONE);
	rig_close(&g);
}

static void test_defocused(void)
{
	struct rig g;

	rig_open(&g);
	show_scene(&g, 1, 13000);
	draw(&g, 1, 256, 0);
	soften(&g);
	CHECK(show(&g, 2500, 0) == SLUICE_TAMPER_NONE);
	CHECK(show(&g, 2500, 0) == SLUICE_TAMPER_DEFOCUSED);
	CHECK(show_scene(&g, 1, 3000) == SLUICE_TAMPER_NONE);
	rig_close(&g);
}

/* Left out cells do not count; with none left there is no verdict. */
static void test_look(void)
{
	static u8 hidden[N / 8], map[N];
	struct rig g;

	memset(map, 16, sizeof(map));
	for (u32 i = 0; i < N; i++)
		if (i % W >= 20)
			hidden[i / 8] |= 1 << i % 8;
	rig_open(&g);
	sluice_tamper_look(g.t, hidden, map);
	show_scene(&g, 1, 13000);
	draw(&g, 2, 256, 0);
	for (u32 i = 0; i < N; i++)
		if (i % W < 20)
			g.cell[i] = (u16)(scene_grey(1, i % W, i / W) * 256);
	CHECK(show(&g, 10000, 0) == SLUICE_TAMPER_NONE);
	memset(map, 0, sizeof(map));
	sluice_tamper_look(g.t, NULL, map);
	CHECK(show_scene(&g, 3, 20000) == SLUICE_TAMPER_NONE);
	rig_close(&g);
}

/* Any numbers on any grid: no overflow (this program runs under UBSan in the fuzz build), no crash.
 */
static void test_hostile(void)
{
	static const u32 size[][2] = { { 2, 2 }, { 3, 5 }, { 4, 4 }, { 512, 512 }, { 512, 2 } };
	struct rig g = { .seed = 3 };

	for (u32 i = 0; i < 5; i++) {
		u32 w = size[i][0], h = size[i][1], n = w * h;
		u16 *cell = malloc(n * sizeof(*cell));
		void *mem = malloc(sluice_tamper_size(w, h));
		struct sluice_tamper *t = sluice_tamper_init(mem, w, h);

		for (u32 f = 0; f < 60; f++) {
			for (u32 k = 0; k < n; k++)
				cell[k] = f % 3 == 0   ? (k & 1) * 65535
					  : f % 3 == 1 ? (u16)roll(&g, 65536)
						       : ((k / w) & 1) * 65535;
			CHECK(sluice_tamper_frame(t, cell, f % 7 ? 250 : ~0u, f % 2 ? n : 0) <=
			      SLUICE_TAMPER_TURNED);
		}
		free(mem);
		free(cell);
	}
	CHECK(sluice_tamper_size(80, 60) < 32768);
}

int main(void)
{
	test_covered();
	test_dark();
	test_light();
	test_turned();
	test_defocused();
	test_look();
	test_hostile();
	return check_result();
}
