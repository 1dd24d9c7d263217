// SPDX-License-Identifier: MIT
/*
 * gate_scenes.c - the gate on generated scenes, against bars. Exit 1 if one is missed.
 *
 *   gate_scenes [--all] [--scene TEXT] [DATA]
 *
 * Without --all each scene runs once. With it, with three seeds, on backgrounds taken from two
 * clips of DATA (or $SLUICE_DATA, or ../shared/data) where those are there, and with the grid as
 * the DC of a JPEG of quality 90, 80 and 70 would be: the same events, hardly more false seconds.
 * The table is Markdown; its figures are those of the worst run of each scene.
 */
#include "grids.h"
#include "scenes.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

enum bar {
	BAR_SILENT, /* no motion after 3 s */
	BAR_ONCE,   /* at most one stretch of motion, of at most limit seconds */
	BAR_FALSE,  /* at most limit seconds of motion */
	BAR_FOUND,  /* every event, within limit seconds; at most half a second false */
	BAR_PARKED, /* both drives within limit; off 1.5 s after stopping */
	BAR_EACH,   /* every event, at any time of it */
};

struct trial {
	struct scene s;
	enum bar bar;
	double limit;
};

#define LIGHT_TRIAL(name_, fps_, light_, bar_, limit_)                                            \
	{                                                                                         \
		{ .name = name_, .fps = fps_, .seconds = 20, .sigma = 3, .light = light_ }, bar_, \
			limit_                                                                    \
	}
#define NOISE_TRIAL(fps_, sigma_)                                                                  \
	{                                                                                          \
		{ .name = "noise only", .fps = fps_, .seconds = 20, .sigma = sigma_ }, BAR_SILENT, \
			0                                                                          \
	}
#define FLICKER_TRIAL(name_, fps_, hz)    \
	{                                 \
		{ .name = name_,          \
		  .fps = fps_,            \
		  .seconds = 20,          \
		  .sigma = 3,             \
		  .light = LIGHT_FLICKER, \
		  .mains_hz = hz },       \
			BAR_SILENT, 0     \
	}
#define WEATHER_TRIAL(name_, fps_, weather_, bar_, limit_)                                      \
	{                                                                                       \
		{ .name = name_, .fps = fps_, .seconds = 45, .sigma = 3, .weather = weather_ }, \
			bar_, limit_                                                            \
	}
#define WALKER_TRIAL(name_, fps_, sigma_, w, h, grey, pace, limit_) \
	{                                                           \
		{ .name = name_,                                    \
		  .fps = fps_,                                      \
		  .seconds = 26,                                    \
		  .sigma = sigma_,                                  \
		  .thing = THING_WALKER,                            \
		  .thing_w = w,                                     \
		  .thing_h = h,                                     \
		  .contrast = grey,                                 \
		  .speed = pace },                                  \
			BAR_FOUND, limit_                           \
	}
#define HIDDEN_TRIAL(name_, fps_, light_, weather_, limit_) \
	{                                                   \
		{ .name = name_,                            \
		  .fps = fps_,                              \
		  .seconds = 26,                            \
		  .sigma = 3,                               \
		  .light = light_,                          \
		  .weather = weather_,                      \
		  .mains_hz = 100,                          \
		  .thing = THING_WALKER,                    \
		  .thing_w = 16,                            \
		  .thing_h = 32,                            \
		  .contrast = 30 },                         \
			BAR_FOUND, limit_                   \
	}
#define PARKED_TRIAL(fps_, grey)         \
	{                                \
		{ .name = "parked car",  \
		  .fps = fps_,           \
		  .seconds = 30,         \
		  .sigma = 3,            \
		  .thing = THING_PARKED, \
		  .contrast = grey },    \
			BAR_PARKED, 0.5  \
	}

static const struct trial trials[] = {
	NOISE_TRIAL(30, 2),
	NOISE_TRIAL(15, 4),
	NOISE_TRIAL(30, 6),
	NOISE_TRIAL(5, 8),
	NOISE_TRIAL(30, 8),
	{ { .name = "gain drift +-35 %",
	    .fps = 15,
	    .seconds = 60,
	    .sigma = 3,
	    .light = LIGHT_DRIFT },
	  BAR_SILENT,
	  0 },
	FLICKER_TRIAL("mains flicker 100 Hz", 15, 100),
	FLICKER_TRIAL("mains flicker 100 Hz", 30, 100),
	FLICKER_TRIAL("mains flicker 120 Hz", 29.97, 120),
	LIGHT_TRIAL("exposure step -40 %", 5, LIGHT_AE, BAR_ONCE, 1.5),
	LIGHT_TRIAL("exposure step -40 %", 30, LIGHT_AE, BAR_ONCE, 1.5),
	LIGHT_TRIAL("infrared switch", 5, LIGHT_IR, BAR_ONCE, 1.5),
	LIGHT_TRIAL("infrared switch", 30, LIGHT_IR, BAR_ONCE, 1.5),
	LIGHT_TRIAL("lamp on", 5, LIGHT_LAMP, BAR_ONCE, 1.5),
	LIGHT_TRIAL("lamp on", 30, LIGHT_LAMP, BAR_ONCE, 1.5),
	LIGHT_TRIAL("hard cut", 5, LIGHT_CUT, BAR_ONCE, 1.5),
	LIGHT_TRIAL("hard cut", 30, LIGHT_CUT, BAR_ONCE, 1.5),
	LIGHT_TRIAL("edge of a cloud", 15, LIGHT_CLOUD, BAR_FALSE, 3),
	WEATHER_TRIAL("steady rain", 15, WEATHER_RAIN, BAR_SILENT, 0),
	WEATHER_TRIAL("rain sets in", 15, WEATHER_RAIN_ONSET, BAR_FALSE, 3),
	WEATHER_TRIAL("waving tree", 15, WEATHER_TREE, BAR_SILENT, 0),
	WEATHER_TRIAL("camera shake", 15, WEATHER_SHAKE, BAR_SILENT, 0),
	WEATHER_TRIAL("camera shake", 30, WEATHER_SHAKE, BAR_SILENT, 0),
	WALKER_TRIAL("walker 8x16 +20", 5, 3, 8, 16, 20, 60, 0.5),
	WALKER_TRIAL("walker 8x16 -20", 5, 3, 8, 16, -20, 60, 0.5),
	WALKER_TRIAL("walker 8x16 -20", 15, 3, 8, 16, -20, 60, 0.5),
	WALKER_TRIAL("walker 8x16 +20", 30, 3, 8, 16, 20, 60, 0.5),
	WALKER_TRIAL("walker 8x16 -20", 60, 3, 8, 16, -20, 60, 0.5),
	WALKER_TRIAL("walker 16x32 +15", 15, 3, 16, 32, 15, 60, 0.5),
	WALKER_TRIAL("walker 16x32 -40", 30, 6, 16, 32, -40, 60, 0.5),
	HIDDEN_TRIAL("walker 16x32 +30 in flicker", 30, LIGHT_FLICKER, WEATHER_NONE, 0.5),
	HIDDEN_TRIAL("walker 16x32 +30 in shake", 15, LIGHT_STEADY, WEATHER_SHAKE, 0.5),
	HIDDEN_TRIAL("walker 16x32 +30 by a tree", 15, LIGHT_STEADY, WEATHER_TREE, 0.5),
	HIDDEN_TRIAL("walker 16x32 +30 in rain", 15, LIGHT_STEADY, WEATHER_RAIN, 1),
	HIDDEN_TRIAL("walker 16x32 +30, exposure 4 s before", 15, LIGHT_AE, WEATHER_NONE, 0.5),
	WALKER_TRIAL("runner 16x32 +30, 24 px a frame", 5, 3, 16, 32, 30, 120, 1),
	WALKER_TRIAL("runner 16x32 +30, 20 px a frame", 10, 3, 16, 32, 30, 200, 1),
	WALKER_TRIAL("runner 16x32 +30, 21 px a frame", 15, 3, 16, 32, 30, 320, 0.5),
	WALKER_TRIAL("runner 8x16 -30, 16 px a frame", 15, 3, 8, 16, -30, 240, 0.5),
	WALKER_TRIAL("car 60x40 +30, 60 px a frame", 10, 3, 60, 40, 30, 600, 0.5),
	PARKED_TRIAL(5, 40),
	PARKED_TRIAL(15, 40),
	PARKED_TRIAL(30, -40),
	PARKED_TRIAL(60, 40),
	{ { .name = "busy path, every 3 s",
	    .fps = 15,
	    .seconds = 180,
	    .sigma = 3,
	    .thing = THING_BUSY,
	    .thing_w = 16,
	    .thing_h = 32,
	    .contrast = 25 },
	  BAR_EACH,
	  0 },
};

#define TRIALS (sizeof(trials) / sizeof(trials[0]))
#define CELLS  (SCENE_W / 8 * SCENE_H / 8)

struct outcome {
	struct score score;
	struct spans spans; /* of motion, joined over 2 s */
	bool met;
};

/* Motion of spans within a..b? */
static bool moves_within(const struct spans *s, double a, double b)
{
	for (size_t i = 0; i < s->count; i++)
		if (s->at[i].start < b && s->at[i].end > a)
			return true;
	return false;
}

static bool bar_met(const struct trial *t, const struct outcome *o, const struct spans *fine)
{
	const struct score *s = &o->score;

	switch (t->bar) {
	case BAR_SILENT:
		return !moves_within(fine, 3, t->s.seconds);
	case BAR_ONCE:
		return !o->spans.count ||
		       (o->spans.count == 1 &&
			o->spans.at[0].end - o->spans.at[0].start <= t->limit + 1e-6);
	case BAR_FALSE:
		return s->false_s <= t->limit + 1e-6;
	case BAR_FOUND:
		return s->found == s->events && s->worst_delay_s <= t->limit + 1e-6 &&
		       s->false_s <= (t->s.light == LIGHT_AE ? 1.5 : 0.5) + 1e-6;
	case BAR_PARKED:
		return s->found == 2 && s->worst_delay_s <= t->limit + 1e-6 &&
		       !moves_within(fine, 9.5, 19.9);
	case BAR_EACH:
		return s->found == s->events;
	}
	return false;
}

static void bar_text(const struct trial *t, char *text, size_t size)
{
	static const char *const form[] = {
		[BAR_SILENT] = "silent",
		[BAR_ONCE] = "once, <= %.1f s",
		[BAR_FALSE] = "false <= %.0f s",
		[BAR_FOUND] = "found in %.1f s",
		[BAR_PARKED] = "both in %.1f s, off in 1.5 s",
		[BAR_EACH] = "every one",
	};

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
	snprintf(text, size, form[t->bar], t->limit);
#pragma GCC diagnostic pop
}

/* One scene once; o[kinds]. */
static void run_scene(const struct trial *t, u32 seed, const u8 *picture, int kinds,
		      struct outcome *o)
{
	static u8 luma[SCENE_W * SCENE_H];
	static u16 raw[CELLS], cell[CELLS];
	struct scene s = t->s;
	struct scene_painter *p;
	struct sluice_gate *gate[GRID_KINDS];
	struct decision *d[GRID_KINDS];
	struct truth truth;
	struct spans fine;
	size_t n = scene_frames(&s);

	s.seed = seed * 1000 + (u32)(t - trials);
	p = scene_open(&s, picture);
	scene_truth(&s, &truth);
	for (int k = 0; k < kinds; k++) {
		gate[k] = gate_new(SCENE_W / 8, SCENE_H / 8);
		d[k] = calloc(n, sizeof(*d[k]));
		if (!d[k])
			abort();
	}
	for (size_t i = 0; i < n; i++) {
		scene_paint(p, i, luma);
		grid_of_luma(raw, luma, SCENE_W, SCENE_W, SCENE_H, 8);
		for (int k = 0; k < kinds; k++) {
			memcpy(cell, raw, sizeof(cell));
			grid_quantise(cell, CELLS, k);
			d[k][i] = gate_decide(gate[k], cell, i / s.fps, i ? (i - 1) / s.fps : 0);
		}
	}
	for (int k = 0; k < kinds; k++) {
		score_decisions(&o[k].score, &truth, d[k], n);
		motion_spans(&o[k].spans, d[k], n, 2);
		motion_spans(&fine, d[k], n, 0.3);
		o[k].met = bar_met(t, &o[k], &fine);
		free(d[k]);
		free(gate[k]);
	}
	scene_close(p);
}

/* What is added up over all runs, per kind of grid. */
struct totals {
	size_t runs, events, found;
	double false_s, calm_s;
};

static bool worse(const struct outcome *a, const struct outcome *b)
{
	if (a->met != b->met)
		return !a->met;
	if (a->score.found * b->score.events != b->score.found * a->score.events)
		return a->score.found * b->score.events < b->score.found * a->score.events;
	if (a->score.events && fabs(a->score.worst_delay_s - b->score.worst_delay_s) > 1e-9)
		return a->score.worst_delay_s > b->score.worst_delay_s;
	return a->score.false_s > b->score.false_s;
}

static bool run_trial(const struct trial *t, bool all, const u8 *const *pictures, int count,
		      struct totals *sum)
{
	struct outcome o[GRID_KINDS], worst = { 0 };
	int kinds = all ? GRID_KINDS : 1, runs = 0, met = 0;
	char text[64];

	for (int seed = 1; seed <= (all ? 3 : 1); seed++) {
		for (int b = -1; b < (all && seed == 1 ? count : 0); b++) {
			run_scene(t, seed, b < 0 ? NULL : pictures[b], kinds, o);
			runs++;
			met += o[0].met;
			if (runs == 1 || worse(&o[0], &worst))
				worst = o[0];
			for (int k = 0; k < kinds; k++) {
				sum[k].runs++;
				sum[k].events += o[k].score.events;
				sum[k].found += o[k].score.found;
				sum[k].false_s += o[k].score.false_s;
				sum[k].calm_s += o[k].score.calm_s;
			}
		}
	}
	bar_text(t, text, sizeof(text));
	printf("| %s | %g | %g | %zu/%zu | %.2f | %.2f | %s | %d/%d%s |\n", t->s.name, t->s.fps,
	       t->s.sigma, worst.score.found, worst.score.events, worst.score.worst_delay_s,
	       worst.score.false_s, text, met, runs, met == runs ? "" : " **missed**");
	for (size_t i = 0; met < runs && i < worst.spans.count && i < 8; i++)
		fprintf(stderr, "%s: motion %.2f..%.2f s\n", t->s.name, worst.spans.at[i].start,
			worst.spans.at[i].end);
	fflush(stdout);
	return met == runs;
}

/* Quantised grids: no event less, and false time not above raw by a fifth. */
static bool compare_kinds(const struct totals *sum, int kinds)
{
	bool ok = true;

	printf("\n| grid | scenes | events | false s | of s | s/min "
	       "|\n|---|---|---|---|---|---|\n");
	for (int k = 0; k < kinds; k++) {
		bool met = sum[k].found >= sum[0].found &&
			   sum[k].false_s <= sum[0].false_s * 1.2 + 1e-6;

		printf("| %s | %zu | %zu/%zu | %.2f | %.0f | %.2f%s |\n", grid_kind_name[k],
		       sum[k].runs, sum[k].found, sum[k].events, sum[k].false_s, sum[k].calm_s,
		       sum[k].false_s / sum[k].calm_s * 60, met ? "" : " **missed**");
		ok &= met;
	}
	return ok;
}

int main(int argc, char **argv)
{
	static u8 store[CLIP_PLACES][SCENE_W * SCENE_H];
	const char *data = getenv("SLUICE_DATA"), *only = NULL;
	const u8 *pictures[CLIP_PLACES];
	struct totals sum[GRID_KINDS] = { 0 };
	bool all = false, ok = true;
	int count = 0;

	for (int i = 1; i < argc; i++) {
		if (!strcmp(argv[i], "--all"))
			all = true;
		else if (!strcmp(argv[i], "--scene") && i + 1 < argc)
			only = argv[++i];
		else
			data = argv[i];
	}
	if (all)
		count = clip_places(data ? data : "../shared/data", SCENE_W, SCENE_H, store[0],
				    pictures);
	printf("| scene | fps | sigma | events | worst delay s | false s | bar | met |\n"
	       "|---|---|---|---|---|---|---|---|\n");
	for (size_t i = 0; i < TRIALS; i++)
		if (!only || strstr(trials[i].s.name, only))
			ok &= run_trial(&trials[i], all, pictures, count, sum);
	ok &= compare_kinds(sum, all ? GRID_KINDS : 1);
	return ok ? 0 : 1;
}
