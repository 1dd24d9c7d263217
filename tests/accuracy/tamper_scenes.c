// SPDX-License-Identifier: MIT
/*
 * tamper_scenes.c - is a covered, defocused or turned camera noticed, and nothing else? Exit 1 if a
 * bar is missed.
 *
 *   tamper_scenes [--all] [--scene TEXT] [DATA]
 *
 * Generated scenes (scenes.h) and pictures of two clips, changed from 15 s on as a hand, a lens or
 * the weather would; noise comes last, as in a sensor. What must be noticed has to be within five
 * seconds, by its name, and to be over within three once the scene is back. What must not be
 * noticed has to stay silent for the whole time. With --all on three seeds and both clip pictures,
 * and every clip of DATA whole: no tampering in any, but for one whose camera pans all the time.
 */
#include "grids.h"
#include "scenes.h"
#include "kmod/tamper.h"

#include <dirent.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#define PIXELS (SCENE_W * SCENE_H)
#define GRID_W (SCENE_W / 8)
#define GRID_H (SCENE_H / 8)
#define CELLS  (GRID_W * GRID_H)
#define FROM   15.0 /* when it happens */
#define FOUND  5.0  /* seconds */
#define OVER   3.0

enum act {
	ACT_NONE,
	ACT_HAND,  /* level: sweeps in from the left within ramp seconds */
	ACT_PAINT, /* level: blotches that grow for ramp seconds */
	ACT_CAP,   /* level: at once */
	ACT_BLUR,  /* level: deviation in pixels, reached within ramp seconds */
	ACT_TURN,  /* level: pixels to the side, within ramp seconds */
	ACT_LIGHT, /* level: gain, reached within ramp seconds */
	ACT_LAMPS, /* lights go out one after the other, a third of the picture each */
	ACT_FOG,   /* level: contrast that is left, reached within ramp seconds */
	ACT_TRUCK, /* stands before level of the picture from then on */
	ACT_CLOSE, /* somebody walks by close to the lens: all of it for a second */
};

struct trial {
	const char *name;
	double fps;
	enum act act;
	double level, ramp, until; /* until: the scene is back; 0: never */
	enum sluice_tamper_kind kind;
	enum scene_light light;
	enum scene_weather weather;
	enum scene_thing thing;
	double sigma;
};

#define ACT(name_, fps_, act_, level_, ramp_, until_, kind_, sigma_)                           \
	{                                                                                      \
		.name = name_, .fps = fps_, .act = ACT_##act_, .level = level_, .ramp = ramp_, \
		.until = until_, .kind = SLUICE_TAMPER_##kind_, .sigma = sigma_                \
	}
#define CALM(name_, light_, weather_, thing_, sigma_)                                             \
	{                                                                                         \
		.name = name_, .fps = 15, .light = LIGHT_##light_, .weather = WEATHER_##weather_, \
		.thing = THING_##thing_, .sigma = sigma_                                          \
	}

static const struct trial trials[] = {
	ACT("hand before the lens, dark", 5, HAND, 20, 1.5, 0, COVERED, 3),
	ACT("hand before the lens, dark", 15, HAND, 20, 0.5, 30, COVERED, 3),
	ACT("hand before the lens", 30, HAND, 45, 0.5, 30, COVERED, 3),
	ACT("cloth, bright", 15, HAND, 150, 0.6, 0, COVERED, 3),
	ACT("paint", 15, PAINT, 70, 3, 0, COVERED, 3),
	ACT("tape, at once", 5, CAP, 60, 0, 30, COVERED, 3),
	ACT("defocused, 10 px", 15, BLUR, 10, 1, 30, DEFOCUSED, 3),
	ACT("defocused, 16 px", 5, BLUR, 16, 1, 0, DEFOCUSED, 3),
	ACT("defocused, 20 px", 15, BLUR, 20, 2, 0, DEFOCUSED, 3),
	ACT("turned by 120 px", 15, TURN, 120, 0.3, 0, TURNED, 3),
	ACT("turned by 200 px", 15, TURN, 200, 0.6, 30, TURNED, 3),
	ACT("turned by 320 px", 5, TURN, 320, 1, 0, TURNED, 3),
	ACT("turned by 320 px", 30, TURN, 320, 1, 0, TURNED, 3),

	ACT("light out, nothing left", 15, LIGHT, 0.0, 0, 0, NONE, 3),
	ACT("light out, 2 % left", 5, LIGHT, 0.02, 0, 30, NONE, 3),
	ACT("light out slowly, 3 % left", 30, LIGHT, 0.03, 1.5, 30, NONE, 3),
	ACT("light out, 12 % left", 15, LIGHT, 0.12, 0.3, 0, NONE, 3),
	ACT("lamps out, one by one, 1 % left", 15, LAMPS, 0.01, 0, 0, NONE, 3),
	ACT("lamps out, one by one, 6 % left", 5, LAMPS, 0.06, 0, 0, NONE, 3),
	ACT("night, noise of 10", 15, LIGHT, 0.1, 2, 0, NONE, 10),
	ACT("fog in 2 s, 15 % left", 15, FOG, 0.15, 2, 0, NONE, 3),
	ACT("fog in 15 s, 8 % left", 15, FOG, 0.08, 15, 0, NONE, 3),
	ACT("slightly soft, 3 px", 15, BLUR, 3, 1, 0, NONE, 3),
	ACT("truck before 45 %", 15, TRUCK, 0.45, 1, 0, NONE, 3),
	ACT("somebody close, 1 s", 15, CLOSE, 0, 0, 0, NONE, 3),
	CALM("noise only", STEADY, NONE, NONE, 8),
	CALM("gain drift +-35 %", DRIFT, NONE, NONE, 3),
	CALM("exposure step -40 %", AE, NONE, NONE, 3),
	CALM("infrared switch", IR, NONE, NONE, 3),
	CALM("lamp on", LAMP, NONE, NONE, 3),
	CALM("edge of a cloud", CLOUD, NONE, NONE, 3),
	CALM("rain", STEADY, RAIN, NONE, 3),
	CALM("waving tree", STEADY, TREE, NONE, 3),
	CALM("camera shake", STEADY, SHAKE, NONE, 3),
	CALM("parked car", STEADY, NONE, PARKED, 3),
};

#define TRIALS (sizeof(trials) / sizeof(trials[0]))

static const char *const kind_name[] = { "nothing", "covered", "defocused", "turned" };

static u32 noise_state = 1;

/* About Gaussian, deviation 1. */
static double noise(void)
{
	double sum = 0;

	for (int i = 0; i < 3; i++) {
		noise_state = noise_state * 1664525u + 1013904223u;
		sum += noise_state / 4294967296.0 - 0.5;
	}
	return sum * 2;
}

/* ---- what happens ---- */

static void box_line(u8 *line, int n, int step, int radius)
{
	static u8 copy[SCENE_W];
	int sum = 0, width = 2 * radius + 1;

	for (int i = 0; i < n; i++)
		copy[i] = line[i * step];
	for (int i = -radius; i <= radius; i++)
		sum += copy[i < 0 ? 0 : i];
	for (int i = 0; i < n; i++) {
		line[i * step] = (u8)(sum / width);
		sum += copy[i + radius + 1 < n ? i + radius + 1 : n - 1];
		sum -= copy[i - radius > 0 ? i - radius : 0];
	}
}

/* Three boxes are nearly a Gaussian of deviation radius. */
static void blur(u8 *luma, double deviation)
{
	int radius = (int)lrint(deviation);

	for (int pass = 0; radius && pass < 3; pass++) {
		for (int y = 0; y < SCENE_H; y++)
			box_line(luma + y * SCENE_W, SCENE_W, 1, radius);
		for (int x = 0; x < SCENE_W; x++)
			box_line(luma + x, SCENE_H, SCENE_W, radius);
	}
}

static void shift(u8 *luma, int by)
{
	static u8 line[SCENE_W];

	for (int y = 0; y < SCENE_H; y++) {
		memcpy(line, luma + y * SCENE_W, SCENE_W);
		for (int x = 0; x < SCENE_W; x++)
			luma[y * SCENE_W + x] = line[(x + by) % SCENE_W];
	}
}

/* What is held before the lens: nearly even, a little darker to one side. */
static u8 cover(double level, int x, int y)
{
	return (u8)(level + level * (x - y) / 4000.0);
}

/* a: seconds since it began. */
static void act_pixel(const struct trial *t, u8 *luma, double share, double a)
{
	for (int i = 0; i < PIXELS; i++) {
		int x = i % SCENE_W, y = i / SCENE_W;
		double v = luma[i];

		switch (t->act) {
		case ACT_HAND:
			if (x < share * (SCENE_W + 100) - 100 * sin(y / 60.0))
				v = cover(t->level, x, y);
			break;
		case ACT_PAINT: {
			double r = hypot(x % 160 - 80, y % 120 - 60);

			if (r < share * 110)
				v = cover(t->level, x, y);
			break;
		}
		case ACT_CAP:
			v = cover(t->level, x, y);
			break;
		case ACT_LIGHT:
			v *= 1 - (1 - t->level) * share;
			break;
		case ACT_LAMPS:
			v *= a >= x / 214 * 0.4 ? t->level : 1;
			break;
		case ACT_FOG:
			v = 140 + (v - 140) * (1 - (1 - t->level) * share);
			break;
		case ACT_TRUCK:
			if (x < share * t->level * SCENE_W)
				v = 60 + x / 20 % 3 * 25 + y / 90 * 12;
			break;
		case ACT_CLOSE:
			if (x > (a * 3 - 2.8) * SCENE_W && x < a * 3 * SCENE_W)
				v = 50 + x % 130 / 10;
			break;
		default:
			break;
		}
		luma[i] = (u8)(v < 0 ? 0 : v > 255 ? 255 : v);
	}
}

static void act(const struct trial *t, u8 *luma, double at)
{
	double a = at - FROM, share = t->ramp > 0 ? fmin(a / t->ramp, 1) : 1;

	if (a < 0 || (t->until > 0 && at >= t->until))
		return;
	if (t->act == ACT_BLUR)
		blur(luma, t->level * share);
	else if (t->act == ACT_TURN)
		shift(luma, (int)lrint(t->level * share));
	else
		act_pixel(t, luma, share, a);
}

static void add_noise(u8 *luma, double sigma)
{
	static s8 table[8192];

	if (!table[1])
		for (int i = 0; i < 8192; i++)
			table[i] = (s8)lrint(noise() * 32);
	for (int i = 0; i < PIXELS; i += 64) {
		u32 from;

		noise_state = noise_state * 1664525u + 1013904223u;
		from = noise_state >> 19;
		for (int k = 0; k < 64; k++) {
			double v = luma[i + k] + table[(from + k) & 8191] / 32.0 * sigma;

			luma[i + k] = (u8)(v < 0 ? 0 : v > 255 ? 255 : v + 0.5);
		}
	}
}

/* ---- judging ---- */

struct watch {
	struct sluice_gate *gate;
	struct sluice_tamper *tamper;
	enum sluice_tamper_kind kind;
	double since[4]; /* first time of each kind, -1: never; NONE: last time all was well again
			  */
	int alarms;
};

static void watch_open(struct watch *w, u32 grid_w, u32 grid_h)
{
	void *mem = malloc(sluice_tamper_size(grid_w, grid_h));

	if (!mem)
		abort();
	*w = (struct watch){ .gate = gate_new(grid_w, grid_h),
			     .tamper = sluice_tamper_init(mem, grid_w, grid_h),
			     .since = { -1, -1, -1, -1 } };
}

static void watch_close(struct watch *w)
{
	free(w->gate);
	free(w->tamper);
}

static void watch_frame(struct watch *w, const u16 *cell, double at, u32 dt)
{
	enum sluice_tamper_kind kind;
	struct sluice_gate_result r;

	sluice_gate_frame(w->gate, cell, dt, &r, NULL);
	kind = sluice_tamper_frame(w->tamper, cell, dt, r.cells);
	if (kind == w->kind)
		return;
	w->kind = kind;
	w->alarms += kind != SLUICE_TAMPER_NONE;
	if (!kind || w->since[kind] < 0)
		w->since[kind] = at;
}

static bool trial_met(const struct trial *t, const struct watch *w)
{
	if (!t->kind)
		return !w->alarms;
	if (w->alarms != 1 || w->since[t->kind] < FROM || w->since[t->kind] > FROM + FOUND)
		return false;
	return t->until > 0 ? w->since[0] >= t->until && w->since[0] <= t->until + OVER
			    : w->since[0] < 0;
}

static void run_trial(const struct trial *t, u32 seed, const u8 *picture, struct watch *w)
{
	static u8 luma[PIXELS];
	static u16 cell[CELLS];
	struct scene s = { .name = t->name,
			   .fps = t->fps,
			   .seconds = 38,
			   .sigma = 0,
			   .light = t->light,
			   .weather = t->weather,
			   .thing = t->thing,
			   .contrast = 40,
			   .seed = seed * 1000 + (u32)(t - trials) };
	struct scene_painter *p = scene_open(&s, picture);

	noise_state = s.seed;
	watch_open(w, GRID_W, GRID_H);
	for (size_t i = 0; i < scene_frames(&s); i++) {
		scene_paint(p, i, luma);
		act(t, luma, (double)i / s.fps);
		add_noise(luma, t->sigma);
		grid_of_luma(cell, luma, SCENE_W, SCENE_W, SCENE_H, 8);
		watch_frame(w, cell, (double)i / s.fps,
			    (u32)lrint(1000 * (i + 1) / s.fps) - (u32)lrint(1000 * i / s.fps));
	}
	watch_close(w);
	scene_close(p);
}

static bool report_trial(const struct trial *t, bool all, const u8 *const *pictures, int count)
{
	double worst = 0, back = 0;
	int runs = 0, met = 0;
	struct watch w;

	for (int seed = 1; seed <= (all ? 3 : 1); seed++) {
		for (int b = -1; b < (all && seed == 1 ? count : 0); b++) {
			run_trial(t, (u32)seed, b < 0 ? NULL : pictures[b], &w);
			runs++;
			met += trial_met(t, &w);
			if (!trial_met(t, &w))
				fprintf(stderr,
					"%s, seed %d, picture %d: %d alarms, last %s; covered "
					"%.1f, "
					"defocused %.1f, turned %.1f, clear %.1f s\n",
					t->name, seed, b, w.alarms, kind_name[w.kind], w.since[1],
					w.since[2], w.since[3], w.since[0]);
			if (t->kind)
				worst = fmax(worst, w.since[t->kind] - FROM);
			if (t->until > 0)
				back = fmax(back, w.since[0] - t->until);
		}
	}
	printf("| %s | %g | %s | ", t->name, t->fps, kind_name[t->kind]);
	if (t->kind)
		printf("%.1f | ", worst);
	else
		printf("| ");
	if (t->kind && t->until > 0)
		printf("%.1f | ", back);
	else
		printf("| ");
	printf("%d/%d%s |\n", met, runs, met == runs ? "" : " **missed**");
	fflush(stdout);
	return met == runs;
}

/* ---- whole clips ---- */

static bool run_clip(const char *data, const char *file)
{
	bool pans = strstr(file, "parking_lot_scan");
	struct clip_grids c;
	char path[4096];
	struct watch w;

	snprintf(path, sizeof(path), "%s/%s", data, file);
	if (clip_grids_read(&c, path, 0))
		return false;
	watch_open(&w, c.w, c.h);
	for (size_t i = 0; i < c.frames; i++)
		watch_frame(&w, c.cell + i * c.w * c.h, c.t_s[i],
			    i ? (u32)lrint(1000 * (c.t_s[i] - c.t_s[i - 1])) : 1);
	printf("| %s | %.0f | %d | %s |\n", file, c.frames ? c.t_s[c.frames - 1] : 0, w.alarms,
	       pans	   ? "the camera pans"
	       : !w.alarms ? "yes"
			   : "**missed**");
	for (int k = 1; k < 4 && w.alarms && !pans; k++)
		fprintf(stderr, "%s: %s at %.1f s\n", file, kind_name[k], w.since[k]);
	pans |= !w.alarms;
	watch_close(&w);
	clip_grids_free(&c);
	return pans;
}

static int is_clip(const struct dirent *e)
{
	const char *dot = strrchr(e->d_name, '.');

	return dot && (!strcmp(dot, ".mp4") || !strcmp(dot, ".avi") || !strcmp(dot, ".mkv"));
}

static bool run_clips(const char *data)
{
	struct dirent **list;
	int n = scandir(data, &list, is_clip, alphasort);
	bool ok = true;

	if (n <= 0) {
		printf("\nNo clips in %s.\n", data);
		return true;
	}
	printf("\n| clip | s | alarms | none |\n|---|---|---|---|\n");
	for (int i = 0; i < n; i++) {
		ok &= run_clip(data, list[i]->d_name);
		free(list[i]);
	}
	free(list);
	return ok;
}

int main(int argc, char **argv)
{
	static u8 store[CLIP_PLACES][PIXELS];
	const char *data = getenv("SLUICE_DATA"), *only = NULL;
	const u8 *pictures[CLIP_PLACES];
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
	data = data ? data : "../shared/data";
	if (all)
		count = clip_places(data, SCENE_W, SCENE_H, store[0], pictures);
	printf("| what happens | fps | is | noticed after s | over after s | met |\n"
	       "|---|---|---|---|---|---|\n");
	for (size_t i = 0; i < TRIALS; i++)
		if (!only || strstr(trials[i].name, only))
			ok &= report_trial(&trials[i], all, pictures, count);
	if (!only && all)
		ok &= run_clips(data);
	return ok ? 0 : 1;
}
