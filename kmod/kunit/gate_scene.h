/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/*
 * gate_scene.h - pictures that the gate's tests draw, in user space and in the kernel: integers
 * only, the same in every run, so that both worlds can be held to the same verdicts.
 */
#ifndef SLUICE_KUNIT_GATE_SCENE_H
#define SLUICE_KUNIT_GATE_SCENE_H

#include "../gate.h"

#define SCENE_W	    80
#define SCENE_H	    60
#define SCENE_CELLS (SCENE_W * SCENE_H)

/* The hash of scene_walk() frames 0..399, shown with dt 34, 33, 33, 34 ...: see scene_hash(). */
#define SCENE_WALK_FRAMES 400
#define SCENE_WALK_HASH	  0x4d049344bb61f3e0ull
#define SCENE_HASH_START  0xcbf29ce484222325ull

/* xorshift; *seed is never 0 */
static inline u32 scene_random(u32 *seed)
{
	*seed ^= *seed << 13;
	*seed ^= *seed >> 17;
	*seed ^= *seed << 5;
	return *seed;
}

/* A textured picture with noise of about +-0.5 grey on the means, all of it times gain / 256. */
static inline void scene_picture(u16 *cell, u32 gain, u32 *seed)
{
	for (u32 i = 0; i < SCENE_CELLS; i++) {
		u32 x = i % SCENE_W, y = i / SCENE_W;
		u32 grey = 60 + x + y / 2 + (x / 8 + y / 8) % 2 * 20;

		cell[i] = grey * gain + scene_random(seed) % 256;
	}
}

/* A box that is grey levels brighter (or darker) than what is behind it. */
static inline void scene_box(u16 *cell, u32 x, u32 y, u32 w, u32 h, int grey)
{
	for (u32 v = y; v < y + h; v++)
		for (u32 u = x; u < x + w; u++)
			cell[v * SCENE_W + u] =
				clamp_t(int, cell[v * SCENE_W + u] + grey * 256, 0, 65535);
}

/* Frame i of a scene with walkers, light and noise. */
static inline void scene_walk(u16 *cell, u32 i, u32 *seed)
{
	scene_picture(cell, i < 200 ? 256 : 256 - (i - 200) / 4, seed);
	if (i > 60 && i < 300)
		scene_box(cell, (i / 3) % 70, 20, 2, 4, 35);
	if (i > 150 && i < 250)
		scene_box(cell, 60, 40, 12, 8, -25);
}

/* FNV-1a of bytes, going on from hash. */
static inline u64 scene_hash(u64 hash, const void *p, size_t n)
{
	for (size_t i = 0; i < n; i++)
		hash = (hash ^ ((const u8 *)p)[i]) * 0x100000001b3ull;
	return hash;
}

#endif
