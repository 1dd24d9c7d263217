// SPDX-License-Identifier: MIT
/*
 * grids.c - grids by the plainest possible code (it also serves as an oracle for kmod/luma.c), clip
 * reading, and the gate run over a list of grids.
 */
#include "grids.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include "lib/clip.h"
#include "kmod/luma.h"

const char *const grid_kind_name[GRID_KINDS] = { "raw", "q90", "q80", "q70" };

u32 grid_block(u32 width)
{
	return width >= 480 ? 8 : width >= 240 ? 4 : 2;
}

void grid_of_luma(u16 *cell, const u8 *luma, u32 stride, u32 width, u32 height, u32 block)
{
	for (u32 y = 0; y < height; y += block) {
		for (u32 x = 0; x < width; x += block) {
			u32 h = min(block, height - y), w = min(block, width - x), sum = 0;

			for (u32 v = 0; v < h; v++)
				for (u32 u = 0; u < w; u++)
					sum += luma[(size_t)(y + v) * stride + x + u];
			*cell++ = sum * 256 / (w * h);
		}
	}
}

void grid_quantise(u16 *cell, size_t n, enum grid_kind kind)
{
	static const int step_of[GRID_KINDS] = { 0, 3, 6, 10 }; /* the usual luma table, entry 0 */
	int step = step_of[kind];

	for (size_t i = 0; step && i < n; i++) {
		double dc = (cell[i] / 256.0 - 128) * 8;
		int level = (int)lrint(dc / step);

		cell[i] = clamp_t(int, 32768 + 32 * level * step, 0, 65535);
	}
}

static struct sluice_clip *open_grey(const char *path, u32 width, u32 height)
{
	struct sluice_clip_options o = { .fourcc = SLUICE_FMT_GREY,
					 .width = width,
					 .height = height };
	char why[512];
	struct sluice_clip *c = sluice_clip_open(path, &o, why, sizeof(why));

	if (!c)
		fprintf(stderr, "%s\n", why);
	return c;
}

static int grow(struct clip_grids *c, size_t *room)
{
	size_t n = (size_t)c->w * c->h;

	if (c->frames < *room)
		return 0;
	*room = *room ? *room * 2 : 256;
	c->cell = realloc(c->cell, *room * n * sizeof(*c->cell));
	c->t_s = realloc(c->t_s, *room * sizeof(*c->t_s));
	return c->cell && c->t_s ? 0 : -1;
}

int clip_grids_read(struct clip_grids *c, const char *path, u32 block)
{
	struct sluice_clip *clip = open_grey(path, 0, 0);
	struct sluice_clip_info info;
	struct sluice_clip_frame f;
	size_t room = 0;
	int more;

	*c = (struct clip_grids){ 0 };
	if (!clip)
		return -1;
	sluice_clip_info(clip, &info);
	c->block = block ? block : grid_block(info.width);
	c->width = info.width;
	c->height = info.height;
	c->w = (c->width + c->block - 1) / c->block;
	c->h = (c->height + c->block - 1) / c->block;
	while ((more = sluice_clip_next(clip, &f)) > 0) {
		if (grow(c, &room))
			abort();
		grid_of_luma(c->cell + c->frames * c->w * c->h, f.data, c->width, c->width,
			     c->height, c->block);
		c->t_s[c->frames++] = f.time_ns * 1e-9;
	}
	if (more < 0)
		fprintf(stderr, "%s: %s\n", path, sluice_clip_why(clip));
	sluice_clip_close(clip);
	if (more < 0)
		clip_grids_free(c);
	return more < 0 ? -1 : 0;
}

int clip_picture(u8 *luma, const char *path, double t_s, u32 width, u32 height)
{
	struct sluice_clip *clip = open_grey(path, width, height);
	struct sluice_clip_frame f;
	int err = -1;

	while (clip && err && sluice_clip_next(clip, &f) > 0) {
		if (f.time_ns * 1e-9 < t_s)
			continue;
		memcpy(luma, f.data, (size_t)width * height);
		err = 0;
	}
	sluice_clip_close(clip);
	return err;
}

int clip_places(const char *data, u32 width, u32 height, u8 *luma, const u8 *place[CLIP_PLACES])
{
	static const struct {
		const char *file;
		double t_s;
	} from[CLIP_PLACES] = { { "intel_one-by-one-person-detection.mp4", 46 },
				{ "intel_car-detection.mp4", 12 } };
	char path[4096];
	int n = 0;

	for (int i = 0; i < CLIP_PLACES; i++) {
		snprintf(path, sizeof(path), "%s/%s", data, from[i].file);
		if (access(path, R_OK) || clip_picture(luma, path, from[i].t_s, width, height))
			continue;
		place[n++] = luma;
		luma += (size_t)width * height;
	}
	return n;
}

void clip_grids_free(struct clip_grids *c)
{
	free(c->cell);
	free(c->t_s);
	*c = (struct clip_grids){ 0 };
}

struct sluice_gate *gate_new(u32 w, u32 h)
{
	struct sluice_gate_config config;
	void *mem = malloc(sluice_gate_size(w, h));

	sluice_gate_preset(&config, SLUICE_PRESET_MEDIUM);
	if (!mem)
		abort();
	return sluice_gate_init(mem, w, h, &config);
}

struct decision gate_decide(struct sluice_gate *g, const u16 *cell, double t_s, double before_s)
{
	struct sluice_gate_result r;
	struct decision d = { .t_s = t_s };

	sluice_gate_frame(g, cell, (u32)lrint(t_s * 1000) - (u32)lrint(before_s * 1000), &r, NULL);
	d.motion = r.state == SLUICE_GATE_MOTION || r.state == SLUICE_GATE_SCENE;
	d.pass = d.motion || r.state == SLUICE_GATE_WARMUP;
	d.score = r.score;
	return d;
}

size_t clip_grids_decide(const struct clip_grids *c, enum grid_kind kind, double fps,
			 struct decision *d)
{
	struct sluice_gate *g = gate_new(c->w, c->h);
	size_t cells = (size_t)c->w * c->h, n = 0;
	u16 *cell = malloc(cells * sizeof(*cell));
	double due = 0;

	if (!cell)
		abort();
	for (size_t i = 0; i < c->frames; i++) {
		double t = c->t_s[i];

		if (fps > 0 && t + 1e-3 < due)
			continue;
		due = fps > 0 ? due + 1 / fps : 0;
		if (due + 1e-3 < t)
			due = t;
		memcpy(cell, c->cell + i * cells, cells * sizeof(*cell));
		grid_quantise(cell, cells, kind);
		d[n] = gate_decide(g, cell, t, n ? d[n - 1].t_s : t);
		n++;
	}
	free(cell);
	free(g);
	return n;
}
