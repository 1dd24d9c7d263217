// SPDX-License-Identifier: MIT
/*
 * gate_rows.c - the gate on the 80x60 grid of 640x480 YUYV, against one read pass over the frame.
 *
 * 32 generated frames in turn at 30 fps: 20 MB, so that the read pass reads what a camera's frame
 * would make it read. Quiet is sensor noise of 3 grey levels; busy has eight things that move, 3 %
 * of the cells. The gate is built as it is for sluice-feed; the kernel has no vectors for it: there
 * it takes about twice as long.
 */
#include "gate_rows.h"
#include "bench.h"
#include "kmod/gate.h"
#include "kmod/luma.h"
#include "tests/accuracy/scenes.h"
#include <stdlib.h>

#define FRAMES 32
#define BYTES  (SCENE_W * SCENE_H * 2)

struct gate_job {
	struct sluice_picture picture;
	struct sluice_gate *gate;
	const uint8_t *yuyv;
	u16 *cell;  /* grids of all frames */
	u16 *fresh; /* one grid */
	u8 *bits;
	u32 cells;
};

struct gate_job *gate_job_open(const uint8_t *yuyv, unsigned int count)
{
	struct gate_job *j = calloc(1, sizeof(*j));
	struct sluice_gate_config config;

	if (!j || sluice_picture_init(&j->picture, SLUICE_FMT_YUYV, SCENE_W, SCENE_H, 0))
		abort();
	sluice_luma_init(false);
	sluice_gate_preset(&config, SLUICE_PRESET_MEDIUM);
	j->yuyv = yuyv;
	j->cells = j->picture.grid_w * j->picture.grid_h;
	j->cell = malloc((size_t)j->cells * count * sizeof(*j->cell));
	j->fresh = malloc(j->cells * sizeof(*j->fresh));
	j->bits = malloc((j->cells + 7) / 8);
	j->gate = malloc(sluice_gate_size(j->picture.grid_w, j->picture.grid_h));
	if (!j->cell || !j->fresh || !j->bits || !j->gate)
		abort();
	j->gate = sluice_gate_init(j->gate, j->picture.grid_w, j->picture.grid_h, &config);
	for (unsigned int i = 0; i < count; i++)
		if (sluice_luma_grid(&j->picture, yuyv + (size_t)i * BYTES, BYTES,
				     j->cell + (size_t)i * j->cells))
			abort();
	for (unsigned int i = 0; i < 2 * max(count, 32u); i++)
		gate_job_gate(j, i % count);
	return j;
}

void gate_job_close(struct gate_job *j)
{
	free(j->cell);
	free(j->fresh);
	free(j->bits);
	free(j->gate);
	free(j);
}

static uint64_t decide(struct gate_job *j, const u16 *cell)
{
	struct sluice_gate_result r;

	sluice_gate_frame(j->gate, cell, 33, &r, j->bits);
	return r.score + r.state;
}

uint64_t gate_job_gate(void *context, unsigned int i)
{
	struct gate_job *j = context;

	return decide(j, j->cell + (size_t)i * j->cells);
}

uint64_t gate_job_whole(void *context, unsigned int i)
{
	struct gate_job *j = context;

	if (sluice_luma_grid(&j->picture, j->yuyv + (size_t)i * BYTES, BYTES, j->fresh))
		abort();
	return decide(j, j->fresh);
}

static uint64_t read_one(void *context, unsigned int i)
{
	struct gate_job *j = context;

	return bench_read_pass(j->yuyv + (size_t)i * BYTES, BYTES);
}

/* Eight things of 40x60 on ways of their own. */
static void paint_things(u8 *luma, unsigned int frame)
{
	for (unsigned int k = 0; k < 8; k++) {
		unsigned int x0 = (k * 211 + frame * 5) % (SCENE_W - 40);
		unsigned int y0 = (k * 97 + frame * 3) % (SCENE_H - 60);

		for (unsigned int y = y0; y < y0 + 60; y++)
			for (unsigned int x = x0; x < x0 + 40; x++)
				luma[y * SCENE_W + x] ^= 90;
	}
}

static void bench_scene(struct bench *b, const struct bench_row *row, bool busy)
{
	struct scene s = { .fps = 30, .seconds = 2, .sigma = 3, .seed = 1 };
	struct scene_painter *p = scene_open(&s, NULL);
	uint8_t *yuyv = malloc((size_t)FRAMES * BYTES), *luma = malloc(BYTES / 2);
	struct gate_job *j;

	if (!yuyv || !luma)
		abort();
	for (unsigned int i = 0; i < FRAMES; i++) {
		scene_paint(p, i, luma);
		if (busy)
			paint_things(luma, i);
		scene_yuyv(luma, yuyv + (size_t)i * BYTES);
	}
	j = gate_job_open(yuyv, FRAMES);
	bench_pair(b, row, gate_job_gate, j, read_one, j, FRAMES);
	gate_job_close(j);
	scene_close(p);
	free(yuyv);
	free(luma);
}

void bench_gate(struct bench *b)
{
	const struct bench_row quiet = {
		.name = "gate_80x60_quiet",
		.what = "decision on the 80x60 grid of 640x480, generated frames, noise of 3 grey, "
			"nothing moves",
		.against = "one read pass over the YUYV frame",
		.aim = 4,
	};
	const struct bench_row busy = {
		.name = "gate_80x60_busy",
		.what = "the same with eight things of 40x60 pixels that move",
		.against = "one read pass over the YUYV frame",
		.aim = 8,
	};

	bench_scene(b, &quiet, false);
	bench_scene(b, &busy, true);
}
