// SPDX-License-Identifier: MIT
/*
 * test_gate.c - the gate on grids drawn here: each rule at its boundary, hostile grids, memory.
 * The fingerprint at the end is what the module must give for the same grids, bit for bit.
 */
#include "kmod/gate.h"
#include "kmod/kunit/gate_scene.h"
#include "kmod/luma.h"

#include <stdio.h>
#include <stdlib.h>

#define W SCENE_W
#define H SCENE_H
#define N (W * H)

static int failures;

#define CHECK(cond, ...)                                                  \
	do {                                                              \
		if (!(cond)) {                                            \
			printf("%s:%d: %s: ", __FILE__, __LINE__, #cond); \
			printf(__VA_ARGS__);                              \
			printf("\n");                                     \
			failures++;                                       \
		}                                                         \
	} while (0)

static u32 seed;

static u32 next_random(void)
{
	return scene_random(&seed);
}

static void draw_picture(u16 *cell, u32 gain)
{
	scene_picture(cell, gain, &seed);
}

static void draw_box(u16 *cell, u32 x, u32 y, u32 w, u32 h, int grey)
{
	scene_box(cell, x, y, w, h, grey);
}

struct rig {
	struct sluice_gate *gate;
	struct sluice_gate_result r;
	u16 cell[N];
	u8 bits[N / 8];
};

static void rig_open(struct rig *g)
{
	struct sluice_gate_config c;

	sluice_gate_preset(&c, SLUICE_PRESET_MEDIUM);
	g->gate = sluice_gate_init(malloc(sluice_gate_size(W, H)), W, H, &c);
	seed = 12345;
}

static void rig_close(struct rig *g)
{
	free(g->gate);
	g->gate = NULL;
}

static enum sluice_gate_state rig_show(struct rig *g, u32 dt)
{
	sluice_gate_frame(g->gate, g->cell, dt, &g->r, g->bits);
	return g->r.state;
}

/* Plain pictures until ms have gone by; returns frames that were neither quiet nor warm-up. */
static u32 rig_rest(struct rig *g, u32 ms, u32 dt, u32 gain)
{
	u32 odd = 0;

	for (u32 t = 0; t < ms; t += dt) {
		draw_picture(g->cell, gain);
		rig_show(g, dt);
		odd += g->r.state > SLUICE_GATE_QUIET;
	}
	return odd;
}

static void test_size(void)
{
	CHECK(!sluice_gate_size(1, 2) && !sluice_gate_size(2, 1), "less than 2x2");
	CHECK(sluice_gate_size(2, 2), "2x2 is fine");
	CHECK(!sluice_gate_size(SLUICE_GRID_W_MAX + 1, 2), "too wide");
	CHECK(sluice_gate_size(512, 512) && !sluice_gate_size(512, 513), "most cells");
	CHECK(!sluice_gate_size(2, 0x80000000u), "no overflow");
	CHECK(sluice_gate_size(80, 60) <= 112 << 10, "%zu bytes", sluice_gate_size(80, 60));
	CHECK(sluice_gate_size(160, 90) <= 256 << 10, "%zu bytes", sluice_gate_size(160, 90));
}

static void test_warmup(void)
{
	struct rig g;
	u32 n = 0;

	rig_open(&g);
	do {
		draw_picture(g.cell, 256);
		n++;
	} while (rig_show(&g, 100) == SLUICE_GATE_WARMUP && n < 100);
	CHECK(n == 12, "first frame, 1000 ms, then the first decision: frame %u", n);
	sluice_gate_reset(g.gate);
	n = 0;
	do {
		draw_picture(g.cell, 256);
		n++;
	} while (rig_show(&g, 2000) == SLUICE_GATE_WARMUP && n < 100);
	CHECK(n == 6, "at least five frames: frame %u", n);
	CHECK(!rig_rest(&g, 10000, 33, 256), "noise is quiet");
	CHECK(g.r.score < 64, "score %u", g.r.score);
	rig_close(&g);
}

static void test_object(void)
{
	struct rig g;
	u32 ms, set = 0, wrong = 0;

	rig_open(&g);
	rig_rest(&g, 3000, 33, 256);
	for (ms = 0; ms < 400; ms += 33) {
		draw_picture(g.cell, 256);
		draw_box(g.cell, 20, 30, 2, 3, 30);
		rig_show(&g, 33);
		CHECK(ms || g.r.state == SLUICE_GATE_QUALIFIED, "never motion at once: %d",
		      g.r.state);
		if (g.r.state == SLUICE_GATE_MOTION)
			break;
	}
	CHECK(ms == 99, "confirmed after 90 ms: %u", ms);
	CHECK(g.r.blobs == 1 && g.r.cells >= 6 && g.r.score >= 64, "%u blobs %u cells score %u",
	      g.r.blobs, g.r.cells, g.r.score);
	for (u32 i = 0; i < N; i++) {
		u32 x = i % W, y = i / W;

		if (!(g.bits[i / 8] >> (i % 8) & 1))
			continue;
		set++;
		wrong += x < 19 || x > 22 || y < 29 || y > 33;
	}
	CHECK(set == g.r.cells && !wrong, "%u bits, %u cells, %u far off", set, g.r.cells, wrong);
	for (ms = 0; ms < 30000; ms += 33) { /* it stays: still, then part of the background */
		draw_picture(g.cell, 256);
		draw_box(g.cell, 20, 30, 2, 3, 30);
		rig_show(&g, 33);
		CHECK(ms < 1500 || g.r.state != SLUICE_GATE_MOTION, "still at %u", ms);
	}
	rig_rest(&g, 500, 33, 256);
	CHECK(g.r.score >= 64 || g.r.state == SLUICE_GATE_MOTION, "its place shows when it goes");
	rig_close(&g);
}

static void test_flash(void)
{
	struct rig g;

	rig_open(&g);
	rig_rest(&g, 3000, 33, 256);
	for (u32 i = 0; i < 10; i++) { /* a big thing in every 30th frame */
		draw_picture(g.cell, 256);
		draw_box(g.cell, 10 + 5 * i, 20, 10, 20, 60);
		CHECK(rig_show(&g, 33) != SLUICE_GATE_MOTION, "flash %u", i);
		for (u32 k = 0; k < 30; k++) {
			draw_picture(g.cell, 256);
			CHECK(rig_show(&g, 33) != SLUICE_GATE_MOTION, "after flash %u", i);
		}
	}
	draw_picture(g.cell, 256);
	draw_box(g.cell, 30, 20, 10, 20, 60);
	rig_show(&g, 200);
	draw_picture(g.cell, 256);
	draw_box(g.cell, 31, 20, 10, 20, 60);
	CHECK(rig_show(&g, 20) == SLUICE_GATE_MOTION, "a large thing needs two frames: %d",
	      g.r.state);
	rig_close(&g);
}

static void test_light(void)
{
	struct rig g;
	u32 odd = 0;

	rig_open(&g);
	rig_rest(&g, 3000, 33, 256);
	for (u32 i = 0; i <= 90; i++) { /* 40 % darker within 3 s */
		draw_picture(g.cell, 256 - i);
		odd += rig_show(&g, 33) > SLUICE_GATE_QUIET;
	}
	CHECK(!odd, "%u frames of a light change", odd);
	CHECK(!rig_rest(&g, 10000, 33, 166), "stays quiet");
	rig_close(&g);
}

static void test_scene(void)
{
	struct rig g;
	u32 scene = 0, warm = 0;

	rig_open(&g);
	rig_rest(&g, 3000, 33, 256);
	for (u32 i = 0; i < 60; i++) {
		for (u32 k = 0; k < N; k++) /* another picture altogether */
			g.cell[k] = (k * 2654435761u >> 16) & 0xffff;
		rig_show(&g, 33);
		scene += g.r.state == SLUICE_GATE_SCENE;
		warm += g.r.state == SLUICE_GATE_WARMUP;
	}
	CHECK(scene == 1, "one scene change: %u", scene);
	CHECK(warm == 31, "and a warm-up of 1 s: %u", warm);
	CHECK(g.r.state == SLUICE_GATE_QUIET, "the new picture is quiet: %d", g.r.state);
	rig_close(&g);
}

static void test_map(void)
{
	static u8 map[N];
	struct rig g;
	u32 seen[3] = { 0 };

	for (u32 round = 0; round < 3; round++) { /* ignored, nearly blind, as configured */
		rig_open(&g);
		memset(map, 16, N);
		for (u32 i = 0; i < N; i++)
			if (i % W < 40)
				map[i] = round == 0 ? 0 : round == 1 ? 255 : 16;
		sluice_gate_map(g.gate, map);
		rig_rest(&g, 2000, 33, 256);
		for (u32 i = 0; i < 20; i++) {
			draw_picture(g.cell, 256);
			draw_box(g.cell, 10 + i, 30, 2, 3, 40);
			seen[round] += rig_show(&g, 33) > SLUICE_GATE_QUIET;
		}
		rig_close(&g);
	}
	CHECK(!seen[0] && !seen[1] && seen[2] == 20, "%u %u %u frames", seen[0], seen[1], seen[2]);
}

static void hash_bytes(u64 *hash, const void *p, size_t n)
{
	for (size_t i = 0; i < n; i++)
		*hash = (*hash ^ ((const u8 *)p)[i]) * 0x100000001b3ull;
}

/*
 * Any numbers, any shape: no write outside the block (guards here, sanitizers elsewhere). Returns a
 * hash of all results.
 */
static u64 test_hostile(void)
{
	u64 hash = 0xcbf29ce484222325ull;
	static const u32 shape[][2] = { { 2, 2 }, { 3, 5 },   { 2, 100 }, { 100, 2 },
					{ 7, 7 }, { 33, 17 }, { 512, 9 }, { 5, 512 } };
	struct sluice_gate_config c = { ~0u, ~0u, 0, 0, ~0u, 0, 0, ~0u };

	seed = 99;
	for (u32 k = 0; k < sizeof(shape) / sizeof(shape[0]); k++) {
		u32 w = shape[k][0], h = shape[k][1], n = w * h;
		size_t size = sluice_gate_size(w, h), bytes = (n + 7) / 8;
		u8 *mem = malloc(size + 16), *bits = malloc(bytes + 16), *map = malloc(n);
		u16 *cell = malloc(n * 2);
		struct sluice_gate *g;
		struct sluice_gate_result r;

		memset(mem + size, 0xa5, 16);
		memset(bits + bytes, 0xa5, 16);
		g = sluice_gate_init(mem, w, h, &c);
		for (u32 i = 0; i < 400; i++) {
			u32 mode = next_random() % 6;

			for (u32 x = 0; x < n; x++) {
				u32 v = next_random();

				cell[x] = mode < 2 ? v : mode < 4 ? (v & 1) * 65535 : mode * 9999;
				map[x] = v >> 24;
			}
			if (i % 50 == 49)
				sluice_gate_map(g, i % 100 == 49 ? map : NULL);
			if (i == 200)
				sluice_gate_preset(&c, SLUICE_PRESET_HIGH);
			c.scene_pct = i < 100 ? 0 : 200;
			c.floor = i % 3 ? c.floor : 0;
			c.k = i % 5 ? c.k : 0;
			sluice_gate_configure(g, &c);
			sluice_gate_frame(g, cell, i % 7 ? next_random() % 3000 : ~0u, &r, bits);
			hash_bytes(&hash, &r, sizeof(r));
			hash_bytes(&hash, bits, bytes);
		}
		for (u32 i = 0; i < 16; i++)
			CHECK(mem[size + i] == 0xa5 && bits[bytes + i] == 0xa5, "%ux%u", w, h);
		free(mem);
		free(bits);
		free(map);
		free(cell);
	}
	return hash;
}

/* FNV-1a of results and bitmaps of 400 frames with walkers, light and noise. */
static void test_fingerprint(void)
{
	u64 hash = 0xcbf29ce484222325ull;
	struct rig g;

	rig_open(&g);
	for (u32 i = 0; i < SCENE_WALK_FRAMES; i++) {
		scene_walk(g.cell, i, &seed);
		rig_show(&g, i % 3 ? 33 : 34);
		hash_bytes(&hash, &g.r, sizeof(g.r));
		hash_bytes(&hash, g.bits, sizeof(g.bits));
	}
	CHECK(hash == SCENE_WALK_HASH, "fingerprint 0x%llxull", (unsigned long long)hash);
	rig_close(&g);
}

/* All of it, by the scalar rows or by what this CPU has. */
static u64 test_all(bool scalar)
{
	sluice_gate_scalar = scalar;
	test_size();
	test_warmup();
	test_object();
	test_flash();
	test_light();
	test_scene();
	test_map();
	test_fingerprint();
	return test_hostile();
}

int main(void)
{
	u64 scalar = test_all(true), vector = test_all(false);

	CHECK(scalar == vector, "vectors decide otherwise: 0x%llx, 0x%llx",
	      (unsigned long long)scalar, (unsigned long long)vector);
	return failures ? 1 : 0;
}
