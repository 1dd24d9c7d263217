// SPDX-License-Identifier: MIT
/*
 * gate_rows.c - the gate on the grids of 640x480 and 1280x720 YUYV, 80x60 and 160x90 cells, against
 * one read pass over the frame.
 *
 * 32 generated frames in turn at 30 fps: 20 MB and more, so that the read pass reads what a
 * camera's frame would make it read. Quiet is sensor noise of 3 grey levels; busy has eight things
 * that move, in 3 % of the cells; worst is a third of all cells that are others in each frame, near
 * the share that would be taken for another scene, after which less is done. The gate is built as
 * it is for sluice-feed, with the vectors that it has in the kernel too.
 */
#include "gate_rows.h"
#include "bench.h"
#include "kmod/gate.h"
#include "kmod/luma.h"
#include "tests/accuracy/scenes.h"
#include <stdio.h>
#include <stdlib.h>

#define FRAMES 32

struct gate_job {
	struct sluice_picture picture;
	struct sluice_gate *gate;
	const uint8_t *yuyv;
	size_t bytes; /* of a frame */
	u16 *cell;    /* grids of all frames */
	u16 *fresh;   /* one grid */
	u8 *bits;
	u32 cells;
};

struct gate_job *gate_job_open(const uint8_t *yuyv, unsigned int width, unsigned int height,
			       unsigned int count)
{
	struct gate_job *j = calloc(1, sizeof(*j));
	struct sluice_gate_config config;

	if (!j || sluice_picture_init(&j->picture, SLUICE_FMT_YUYV, width, height, 0))
		abort();
	j->bytes = j->picture.size_min;
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
		if (sluice_luma_grid(&j->picture, yuyv + i * j->bytes, j->bytes,
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

	if (sluice_luma_grid(&j->picture, j->yuyv + i * j->bytes, j->bytes, j->fresh))
		abort();
	return decide(j, j->fresh);
}

static uint64_t read_one(void *context, unsigned int i)
{
	struct gate_job *j = context;

	return bench_read_pass(j->yuyv + i * j->bytes, j->bytes);
}

enum moving { NOTHING, THINGS, A_THIRD };

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

/* Of all tiles of 16x16 a third, others in every frame. */
static void paint_third(u8 *luma, unsigned int frame)
{
	for (unsigned int i = 0; i < SCENE_W * SCENE_H; i++) {
		unsigned int x = i % SCENE_W / 16, y = i / SCENE_W / 16;

		if ((x * 73856093u ^ y * 19349663u ^ frame * 83492791u) % 3 == 0)
			luma[i] ^= 90;
	}
}

/* As many scenes side by side and one below the other as cover the picture. */
static void paint_frame(struct scene_painter **p, unsigned int frame, enum moving moving,
			unsigned int width, unsigned int height, uint8_t *yuyv)
{
	static u8 luma[SCENE_W * SCENE_H], line[SCENE_W * SCENE_H * 2];

	for (unsigned int y0 = 0; y0 < height; y0 += SCENE_H) {
		for (unsigned int x0 = 0; x0 < width; x0 += SCENE_W) {
			scene_paint(*p++, frame, luma);
			if (moving == THINGS)
				paint_things(luma, frame);
			else if (moving == A_THIRD)
				paint_third(luma, frame);
			scene_yuyv(luma, line);
			for (unsigned int y = 0; y < SCENE_H && y0 + y < height; y++)
				memcpy(yuyv + ((size_t)(y0 + y) * width + x0) * 2,
				       line + (size_t)y * SCENE_W * 2, SCENE_W * 2);
		}
	}
}

static void bench_scene(struct bench *b, unsigned int width, unsigned int height,
			enum moving moving, double aim)
{
	static const char *const name[] = { "quiet", "busy", "worst" };
	static const char *const what[] = { "nothing moves", "eight things of 40x60 pixels move",
					    "a third of it, another one in each frame, moves" };
	const size_t bytes = (size_t)width * height * 2;
	struct scene_painter *painter[4] = { NULL };
	uint8_t *yuyv = malloc(FRAMES * bytes);
	char title[64], text[160];
	struct bench_row row = {
		.name = title,
		.what = text,
		.against = "one read pass over the YUYV frame",
		.aim = aim,
	};
	struct gate_job *j;

	if (!yuyv)
		abort();
	for (unsigned int i = 0; i < 4; i++) {
		struct scene s = { .fps = 30, .seconds = 2, .sigma = 3, .seed = i + 1 };

		painter[i] = scene_open(&s, NULL);
	}
	for (unsigned int i = 0; i < FRAMES; i++)
		paint_frame(painter, i, moving, width, height, yuyv + i * bytes);
	snprintf(title, sizeof(title), "gate_%ux%u_%s", width / 8, height / 8, name[moving]);
	snprintf(text, sizeof(text),
		 "decision on the %ux%u grid of %ux%u, generated frames, noise of 3 grey, %s",
		 width / 8, height / 8, width, height, what[moving]);
	j = gate_job_open(yuyv, width, height, FRAMES);
	bench_pair(b, &row, gate_job_gate, j, read_one, j, FRAMES);
	gate_job_close(j);
	for (unsigned int i = 0; i < 4; i++)
		scene_close(painter[i]);
	free(yuyv);
}

void bench_gate(struct bench *b)
{
	bench_scene(b, 640, 480, NOTHING, 2);
	bench_scene(b, 640, 480, THINGS, 8);
	bench_scene(b, 640, 480, A_THIRD, 8);
	bench_scene(b, 1280, 720, NOTHING, 2);
	bench_scene(b, 1280, 720, A_THIRD, 8);
}
