// SPDX-License-Identifier: MIT
/*
 * ground.c - real places, scaled to 640x480. From a clip either the frames of a stretch in which
 * nothing moves, with their own noise, or, where there is none, the median of frames from all over
 * it. Photographs of Debian's opencv-doc serve too. What a machine has not is left out; a drawn
 * place is there always.
 */
#include "ground.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "lib/clip.h"
#include "scenes.h"

#define YU12	 0x32315559u
#define PICTURES "/usr/share/doc/opencv-doc/examples/data/"

static const struct source {
	enum ground_set set;
	const char *name;
	const char *path;      /* absolute, or in the data directory */
	double from_s, step_s; /* one frame every step_s from there on; 0: successive frames */
	bool median;
} sources[] = {
	{ GROUNDS_DEVELOPMENT, "hall", "intel_one-by-one-person-detection.mp4", 46, 0, false },
	{ GROUNDS_DEVELOPMENT, "lane", PICTURES "leuvenA.jpg", 0, 0, false },
	{ GROUNDS_DEVELOPMENT, "board", PICTURES "board.jpg", 0, 0, false },
	{ GROUNDS_REPORT, "car park", "intel_car-detection.mp4", 0.5, 0, false },
	{ GROUNDS_REPORT, "street", PICTURES "vtest.avi", 0, 3, true },
	{ GROUNDS_REPORT, "facade", PICTURES "building.jpg", 0, 0, false },
};

static void keep(struct ground *g, const u8 *data)
{
	u8 *p = malloc(MOVIE_BYTES);

	if (!p)
		abort();
	memcpy(p, data, MOVIE_BYTES);
	g->frame[g->count++] = p;
}

static void read_frames(struct ground *g, const struct source *s, const char *path)
{
	struct sluice_clip_options o = { .fourcc = YU12, .width = MOVIE_W, .height = MOVIE_H };
	char why[512];
	struct sluice_clip *clip =
		access(path, R_OK) ? NULL : sluice_clip_open(path, &o, why, sizeof(why));
	struct sluice_clip_frame f;
	double due = s->from_s;

	while (clip && g->count < GROUND_FRAMES && sluice_clip_next(clip, &f) > 0) {
		if (f.time_ns * 1e-9 < due)
			continue;
		due = s->step_s > 0 ? due + s->step_s : 0;
		keep(g, f.data);
	}
	sluice_clip_close(clip);
}

static int by_value(const void *a, const void *b)
{
	return *(const u8 *)a - *(const u8 *)b;
}

static void to_median(struct ground *g)
{
	for (size_t i = 0; i < MOVIE_BYTES; i++) {
		u8 v[GROUND_FRAMES];

		for (u32 k = 0; k < g->count; k++)
			v[k] = g->frame[k][i];
		qsort(v, g->count, 1, by_value);
		g->frame[0][i] = v[g->count / 2];
	}
	while (g->count > 1)
		free(g->frame[--g->count]);
}

static void draw(struct ground *g, enum ground_set set)
{
	struct scene s = { .fps = 1, .seconds = 1, .seed = 40 + set };
	struct scene_painter *p = scene_open(&s, NULL);
	u8 *frame = malloc(MOVIE_BYTES);

	if (!frame)
		abort();
	memset(frame, 128, MOVIE_BYTES);
	scene_paint(p, 0, frame);
	scene_close(p);
	*g = (struct ground){ .name = "drawn", .count = 1, .frame = { frame } };
}

u32 grounds_load(struct ground out[GROUNDS_MAX], enum ground_set set, const char *data)
{
	char path[4096];
	u32 n = 0;

	for (size_t i = 0; i < sizeof(sources) / sizeof(sources[0]); i++) {
		const struct source *s = &sources[i];
		struct ground *g = &out[n];

		if (s->set != set)
			continue;
		snprintf(path, sizeof(path), "%s%s%s", *s->path == '/' ? "" : data,
			 *s->path == '/' ? "" : "/", s->path);
		*g = (struct ground){ .name = s->name };
		read_frames(g, s, path);
		if (s->median && g->count)
			to_median(g);
		n += g->count > 0;
	}
	draw(&out[n], set);
	return n + 1;
}

void grounds_free(struct ground *g, u32 count)
{
	for (u32 i = 0; i < count; i++)
		while (g[i].count)
			free(g[i].frame[--g[i].count]);
}
