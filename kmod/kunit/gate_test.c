// SPDX-License-Identifier: GPL-2.0
/*
 * gate_test.c - the gate in the kernel gives the verdicts that it gives in user space: known
 * sequences frame by frame, and one hash over the results and bitmaps of a whole scene. Guards
 * behind its memory show a write outside.
 */
#include <kunit/test.h>
#include "gate_scene.h"

#define GUARD 64

struct rig {
	struct sluice_gate *gate;
	struct sluice_gate_result r;
	u32 seed;
	u8 *guard;
	u16 cell[SCENE_CELLS];
	u8 bits[SCENE_CELLS / 8];
};

static int rig_open(struct kunit *test)
{
	size_t size = sluice_gate_size(SCENE_W, SCENE_H);
	struct rig *g = kunit_kzalloc(test, sizeof(*g), GFP_KERNEL);
	struct sluice_gate_config c;
	u8 *mem = kunit_kzalloc(test, size + GUARD, GFP_KERNEL);

	if (!g || !mem)
		return -ENOMEM;
	g->guard = mem + size;
	memset(g->guard, 0xa5, GUARD);
	sluice_gate_preset(&c, SLUICE_PRESET_MEDIUM);
	g->gate = sluice_gate_init(mem, SCENE_W, SCENE_H, &c);
	g->seed = 12345;
	test->priv = g;
	return 0;
}

static void rig_close(struct kunit *test)
{
	struct rig *g = test->priv;

	KUNIT_EXPECT_PTR_EQ(test, memchr_inv(g->guard, 0xa5, GUARD), (void *)NULL);
}

static enum sluice_gate_state rig_show(struct rig *g, u32 dt)
{
	sluice_gate_frame(g->gate, g->cell, dt, &g->r, g->bits);
	return g->r.state;
}

/* Plain pictures until ms have gone by; returns frames that were neither quiet nor warm-up. */
static u32 rig_rest(struct rig *g, u32 ms, u32 dt)
{
	u32 odd = 0;

	for (u32 t = 0; t < ms; t += dt) {
		scene_picture(g->cell, 256, &g->seed);
		odd += rig_show(g, dt) > SLUICE_GATE_QUIET;
	}
	return odd;
}

static void gate_sizes(struct kunit *test)
{
	KUNIT_EXPECT_EQ(test, sluice_gate_size(1, 2), (size_t)0);
	KUNIT_EXPECT_EQ(test, sluice_gate_size(2, 1), (size_t)0);
	KUNIT_EXPECT_EQ(test, sluice_gate_size(513, 2), (size_t)0);
	KUNIT_EXPECT_EQ(test, sluice_gate_size(2, 0x80000000u), (size_t)0);
	KUNIT_EXPECT_GT(test, sluice_gate_size(2, 2), (size_t)0);
	KUNIT_EXPECT_GT(test, sluice_gate_size(512, 512), (size_t)0);
}

static void gate_warmup_ends(struct kunit *test)
{
	struct rig *g = test->priv;
	u32 n = 0;

	do {
		scene_picture(g->cell, 256, &g->seed);
		n++;
	} while (rig_show(g, 100) == SLUICE_GATE_WARMUP && n < 100);
	KUNIT_EXPECT_EQ(test, n, 12u); /* the first frame, 1000 ms, the first decision */
	KUNIT_EXPECT_EQ(test, rig_rest(g, 10000, 33), 0u);
	KUNIT_EXPECT_LT(test, g->r.score, 64u);
	sluice_gate_reset(g->gate);
	scene_picture(g->cell, 256, &g->seed);
	KUNIT_EXPECT_EQ(test, rig_show(g, 33), SLUICE_GATE_WARMUP);
}

static void gate_object_is_motion(struct kunit *test)
{
	struct rig *g = test->priv;
	u32 ms, set = 0, far_off = 0;

	rig_rest(g, 3000, 33);
	for (ms = 0; ms < 400; ms += 33) {
		scene_picture(g->cell, 256, &g->seed);
		scene_box(g->cell, 20, 30, 2, 3, 30);
		rig_show(g, 33);
		if (!ms)
			KUNIT_EXPECT_EQ(test, g->r.state, SLUICE_GATE_QUALIFIED);
		if (g->r.state == SLUICE_GATE_MOTION)
			break;
	}
	KUNIT_EXPECT_EQ(test, ms, 99u); /* confirmed after 90 ms */
	KUNIT_EXPECT_EQ(test, g->r.blobs, 1u);
	KUNIT_EXPECT_GE(test, g->r.cells, 6u);
	KUNIT_EXPECT_GE(test, g->r.score, 64u);
	for (u32 i = 0; i < SCENE_CELLS; i++) {
		u32 x = i % SCENE_W, y = i / SCENE_W;

		if (!(g->bits[i / 8] >> (i % 8) & 1))
			continue;
		set++;
		far_off += x < 19 || x > 22 || y < 29 || y > 33;
	}
	KUNIT_EXPECT_EQ(test, set, g->r.cells);
	KUNIT_EXPECT_EQ(test, far_off, 0u);
}

static void gate_light_is_quiet(struct kunit *test)
{
	struct rig *g = test->priv;
	u32 odd = 0;

	rig_rest(g, 3000, 33);
	for (u32 i = 0; i <= 90; i++) { /* 40 % darker within 3 s */
		scene_picture(g->cell, 256 - i, &g->seed);
		odd += rig_show(g, 33) > SLUICE_GATE_QUIET;
	}
	KUNIT_EXPECT_EQ(test, odd, 0u);
}

static void gate_other_scene(struct kunit *test)
{
	struct rig *g = test->priv;
	u32 scene = 0;

	rig_rest(g, 3000, 33);
	for (u32 i = 0; i < 60; i++) {
		for (u32 k = 0; k < SCENE_CELLS; k++)
			g->cell[k] = (k * 2654435761u >> 16) & 0xffff;
		scene += rig_show(g, 33) == SLUICE_GATE_SCENE;
	}
	KUNIT_EXPECT_EQ(test, scene, 1u);
	KUNIT_EXPECT_EQ(test, g->r.state, SLUICE_GATE_QUIET);
}

static void gate_ignored_cells(struct kunit *test)
{
	struct rig *g = test->priv;
	u8 *map = kunit_kzalloc(test, SCENE_CELLS, GFP_KERNEL);
	u32 seen = 0;

	KUNIT_ASSERT_NOT_NULL(test, map);
	sluice_gate_map(g->gate, map);
	rig_rest(g, 2000, 33);
	for (u32 i = 0; i < 20; i++) {
		scene_picture(g->cell, 256, &g->seed);
		scene_box(g->cell, 10 + i, 30, 2, 3, 40);
		seen += rig_show(g, 33) > SLUICE_GATE_QUIET;
	}
	KUNIT_EXPECT_EQ(test, seen, 0u);
	sluice_gate_map(g->gate, NULL);
	for (u32 i = 0; i < 20; i++) {
		scene_picture(g->cell, 256, &g->seed);
		scene_box(g->cell, 40 + i, 30, 2, 3, 40);
		seen += rig_show(g, 33) > SLUICE_GATE_QUIET;
	}
	KUNIT_EXPECT_GT(test, seen, 10u);
}

/* Grids that no camera makes, and settings at their ends. */
static void gate_hostile_grids(struct kunit *test)
{
	struct sluice_gate_config c = { ~0u, ~0u, 0, 0, ~0u, 0, 0, ~0u };
	struct rig *g = test->priv;

	for (u32 i = 0; i < 200; i++) {
		u32 mode = scene_random(&g->seed) % 3;

		for (u32 k = 0; k < SCENE_CELLS; k++) {
			u32 v = scene_random(&g->seed);

			g->cell[k] = mode == 0 ? v : mode == 1 ? (v & 1) * 65535 : i * 331;
		}
		c.floor = i % 3 ? ~0u : 0;
		c.scene_pct = i & 64 ? 200 : 0;
		sluice_gate_configure(g->gate, &c);
		rig_show(g, i % 7 ? i * 15 : ~0u);
		KUNIT_EXPECT_LE(test, g->r.cells, (u32)SCENE_CELLS);
		KUNIT_EXPECT_LE(test, g->r.score, 65535u);
	}
}

/* Bit for bit what tests/unit/test_gate.c gets. */
static void gate_same_as_user_space(struct kunit *test)
{
	struct rig *g = test->priv;
	u64 hash = SCENE_HASH_START;

	for (u32 i = 0; i < SCENE_WALK_FRAMES; i++) {
		scene_walk(g->cell, i, &g->seed);
		rig_show(g, i % 3 ? 33 : 34);
		hash = scene_hash(hash, &g->r, sizeof(g->r));
		hash = scene_hash(hash, g->bits, sizeof(g->bits));
	}
	KUNIT_EXPECT_EQ(test, hash, SCENE_WALK_HASH);
}

static struct kunit_case gate_cases[] = {
	KUNIT_CASE(gate_sizes),
	KUNIT_CASE(gate_warmup_ends),
	KUNIT_CASE(gate_object_is_motion),
	KUNIT_CASE(gate_light_is_quiet),
	KUNIT_CASE(gate_other_scene),
	KUNIT_CASE(gate_ignored_cells),
	KUNIT_CASE(gate_hostile_grids),
	KUNIT_CASE(gate_same_as_user_space),
	{},
};

static struct kunit_suite gate_suite = {
	.name = "sluice_gate",
	.init = rig_open,
	.exit = rig_close,
	.test_cases = gate_cases,
};
kunit_test_suite(gate_suite);
