// SPDX-License-Identifier: MIT
/*
 * scenes.c - paints generated scenes.
 *
 * A pixel is background * light + things, then weather, then sensor noise, then rounding to 8 bits:
 * the order of a real camera. Values are kept in 1/16 grey until then. Noise comes from a table of
 * 2^20 Gaussian numbers that every row of every frame enters at a place of its own.
 */
#include "scenes.h"

#include <math.h>
#include <stdlib.h>

#define PIXELS	    (SCENE_W * SCENE_H)
#define NOISE_COUNT (1u << 20)
#define SWITCH_S    10.0 /* when a light or the weather changes */
#define STREAKS	    80
#define READOUT	    0.9 /* share of the frame time in which a rolling shutter reads the rows */

struct scene_painter {
	struct scene scene;
	s16 ground[PIXELS]; /* 1/16 grey */
	s16 other[PIXELS];  /* for cuts, the infrared switch and the lamp (1/4096 gain) */
	s16 noise[NOISE_COUNT];
	s16 work[PIXELS];
};

static u32 mix(u32 a, u32 b)
{
	u32 h = a * 0x9e3779b1u ^ (b + 0x7f4a7c15u) * 0x85ebca6bu;

	h ^= h >> 15;
	h *= 0x2c1b3c6du;
	h ^= h >> 12;
	h *= 0x297a2d39u;
	return h ^ h >> 15;
}

/* Even in 0..1. */
static double chance(u32 a, u32 b)
{
	return mix(a, b) / 4294967296.0;
}

/* A place with walls, doors and floor: big rectangles, fine texture, soft light. */
static void draw_ground(s16 *ground, u32 seed)
{
	for (int y = 0; y < SCENE_H; y++)
		for (int x = 0; x < SCENE_W; x++)
			ground[y * SCENE_W + x] = 16 * (90 + 40 * y / SCENE_H + 30 * x / SCENE_W);
	for (u32 k = 0; k < 40; k++) {
		int w = 20 + 180 * chance(seed, k * 8), h = 20 + 140 * chance(seed, k * 8 + 1);
		int x0 = (SCENE_W - w) * chance(seed, k * 8 + 2);
		int y0 = (SCENE_H - h) * chance(seed, k * 8 + 3);
		int shift = 16 * 90 * (chance(seed, k * 8 + 4) - 0.55);

		for (int y = y0; y < y0 + h; y++)
			for (int x = x0; x < x0 + w; x++) {
				s16 *g = &ground[y * SCENE_W + x];

				*g = clamp_t(int, *g + shift, 16 * 25, 16 * 225);
			}
	}
	for (int i = 0; i < PIXELS; i++) { /* texture of 1, 4 and 16 pixels */
		u32 x = i % SCENE_W, y = i / SCENE_W;
		int t = (int)(mix(seed, i) % 97) - 48;

		t += (int)(mix(seed + 1, y / 4 * SCENE_W + x / 4) % 129) - 64;
		t += (int)(mix(seed + 2, y / 16 * SCENE_W + x / 16) % 97) - 48;
		ground[i] = clamp_t(int, ground[i] + t, 16 * 10, 16 * 240);
	}
}

static void draw_other(struct scene_painter *p)
{
	const struct scene *s = &p->scene;

	if (s->light == LIGHT_CUT || s->light == LIGHT_IR)
		draw_ground(p->other, s->seed + 77);
	for (int i = 0; s->light == LIGHT_IR && i < PIXELS; i++) {
		/* infrared: flatter, brighter, dark clothes and leaves turn light */
		int v = 16 * 50 + p->ground[i] * 6 / 10 + (p->other[i] - 16 * 110) / 5;

		p->other[i] = clamp_t(int, v, 0, 16 * 255);
	}
	for (int i = 0; s->light == LIGHT_LAMP && i < PIXELS; i++) {
		double dx = (i % SCENE_W - 520) / 260.0, dy = (i / SCENE_W - 120) / 220.0;

		p->other[i] = (s16)(4096 * 0.9 * exp(-(dx * dx + dy * dy)));
	}
}

struct scene_painter *scene_open(const struct scene *s, const u8 *picture)
{
	struct scene_painter *p = calloc(1, sizeof(*p));

	if (!p)
		abort();
	p->scene = *s;
	if (picture)
		for (int i = 0; i < PIXELS; i++)
			p->ground[i] = 16 * picture[i];
	else
		draw_ground(p->ground, s->seed);
	draw_other(p);
	for (u32 i = 0; i < NOISE_COUNT; i += 2) {
		double u = sqrt(-2 * log(chance(s->seed + 5, i) + 1e-10));
		double v = 2 * M_PI * chance(s->seed + 5, i + 1);

		p->noise[i] = (s16)lrint(u * cos(v) * s->sigma * 16);
		p->noise[i + 1] = (s16)lrint(u * sin(v) * s->sigma * 16);
	}
	return p;
}

void scene_close(struct scene_painter *p)
{
	free(p);
}

size_t scene_frames(const struct scene *s)
{
	return (size_t)floor(s->seconds * s->fps + 1e-6);
}

/* ---- light ---- */

/* Share 0..1 of cloud over a pixel: a soft edge of 40 pixels that crosses at 100 pixels a second.
 */
static double cloud_share(double t, int x, int y)
{
	double in = ((t - SWITCH_S) * 100 - x - 0.3 * y) / 40;
	double out = ((t - SWITCH_S - 20) * 100 - x - 0.3 * y) / 40;

	in = in < 0 ? 0 : in > 1 ? 1 : in;
	out = out < 0 ? 0 : out > 1 ? 1 : out;
	return in - out;
}

static double row_gain(const struct scene *s, double t, int y)
{
	switch (s->light) {
	case LIGHT_DRIFT:
		return 1 + 0.35 * sin(2 * M_PI * t / 60);
	case LIGHT_FLICKER:
		t += y * READOUT / (SCENE_H * s->fps);
		return 1 + 0.06 * cos(2 * M_PI * fmod(t * s->mains_hz, 1.0));
	case LIGHT_AE:
		return t < SWITCH_S ? 1 : t > SWITCH_S + 0.3 ? 0.6 : 1 - 0.4 * (t - SWITCH_S) / 0.3;
	default:
		return 1;
	}
}

static void paint_light(struct scene_painter *p, double t)
{
	const struct scene *s = &p->scene;
	bool after = t >= SWITCH_S;
	const s16 *from =
		after && (s->light == LIGHT_CUT || s->light == LIGHT_IR) ? p->other : p->ground;

	for (int y = 0; y < SCENE_H; y++) {
		int gain = (int)lrint(4096 * row_gain(s, t, y));
		const s16 *in = from + y * SCENE_W;
		s16 *out = p->work + y * SCENE_W;

		if (s->light == LIGHT_CLOUD)
			for (int x = 0; x < SCENE_W; x++)
				out[x] = (s16)(in[x] * (1 - 0.35 * cloud_share(t, x, y)));
		else if (s->light == LIGHT_LAMP && after)
			for (int x = 0; x < SCENE_W; x++)
				out[x] = min(in[x] * (4096 + p->other[y * SCENE_W + x]) >> 12,
					     16 * 255);
		else
			for (int x = 0; x < SCENE_W; x++)
				out[x] = in[x] * gain >> 12;
	}
}

/* ---- weather ---- */

static void paint_rain(struct scene_painter *p, size_t frame)
{
	for (u32 k = 0; k < STREAKS; k++) {
		u32 at = mix(p->scene.seed + 11, (u32)frame * STREAKS + k);
		u32 x = at % SCENE_W, y = at / SCENE_W % (SCENE_H - 14);

		for (u32 v = 0; v < 12; v++) {
			s16 *w = &p->work[(y + v) * SCENE_W + x];

			*w += (16 * 210 - *w) / 2;
		}
	}
}

/* Leaves between (400,60) and (600,300): the place each pixel is taken from sways. */
static void paint_tree(struct scene_painter *p, double t)
{
	for (int y = 60; y < 300; y++) {
		for (int x = 400; x < 600; x++) {
			double gust = sin(2 * M_PI * t / 7) * 0.4 + 0.8;
			int dx = (int)lrint(4 * gust * sin(2 * M_PI * t * 0.5 + y * 0.02));
			int dy = (int)lrint(2 * gust * sin(2 * M_PI * t * 0.9 + x * 0.03));
			u32 leaf = (u32)(y + dy) / 5 * 4096 + (x + dx) / 5;

			p->work[y * SCENE_W + x] = 16 * (50 + mix(p->scene.seed + 13, leaf) % 80);
		}
	}
}

/* Moves the picture by whole pixels. */
static void paint_shake(struct scene_painter *p, size_t frame)
{
	int dx = (int)(mix(p->scene.seed + 17, (u32)frame) % 4) - 2 + (frame & 1);
	int dy = (int)(mix(p->scene.seed + 18, (u32)frame) % 3) - 1;
	int from = dy * SCENE_W + dx;

	if (from > 0)
		memmove(p->work, p->work + from, (PIXELS - from) * sizeof(*p->work));
	else if (from < 0)
		memmove(p->work - from, p->work, (PIXELS + from) * sizeof(*p->work));
}

/* ---- things ---- */

static void paint_box(struct scene_painter *p, double left, double top, int w, int h, double grey)
{
	int x0 = max((int)lrint(left), 0), x1 = min((int)lrint(left) + w, SCENE_W);
	int y0 = max((int)lrint(top), 0), y1 = min((int)lrint(top) + h, SCENE_H);

	for (int y = y0; y < y1; y++)
		for (int x = x0; x < x1; x++)
			p->work[y * SCENE_W + x] += (s16)(16 * grey);
}

/* Left edge of the car: drives 80 pixels a second in, stands, drives on. */
#define CAR_W	  120
#define CAR_SPEED 80.0
static double car_left(double t)
{
	if (t < 8)
		return -CAR_W + CAR_SPEED * (t - 4);
	if (t < 20)
		return -CAR_W + CAR_SPEED * 4;
	return -CAR_W + CAR_SPEED * 4 + 130 * (t - 20);
}

#define WALK_START 14.0
#define WALK_SPEED 60.0 /* pixels a second */
#define BUSY_EVERY 3.0
#define BUSY_SPEED 100.0
#define BUSY_FROM  200 /* between two doors 200 pixels apart */
#define BUSY_TO	   400

static double walk_speed(const struct scene *s)
{
	return s->speed > 0 ? s->speed : WALK_SPEED;
}

static void paint_door(struct scene_painter *p, double left)
{
	const struct scene *s = &p->scene;
	double x0 = fmax(left, BUSY_FROM), x1 = fmin(left + s->thing_w, BUSY_TO);

	if (x1 > x0)
		paint_box(p, x0, 203, (int)lrint(x1) - (int)lrint(x0), s->thing_h, s->contrast);
}

static void paint_thing(struct scene_painter *p, double t)
{
	const struct scene *s = &p->scene;
	double step;

	switch (s->thing) {
	case THING_WALKER:
		if (t < WALK_START)
			return;
		step = fmod((t - WALK_START) * 2, 1.0); /* goes a little up and down */
		paint_box(p, -s->thing_w + walk_speed(s) * (t - WALK_START), 203 + 3 * step,
			  s->thing_w, s->thing_h, s->contrast);
		return;
	case THING_PARKED:
		if (t >= 4)
			paint_box(p, car_left(t), 300, CAR_W, 60, s->contrast);
		return;
	case THING_BUSY:
		if (t >= BUSY_EVERY)
			paint_door(p, BUSY_FROM - s->thing_w + BUSY_SPEED * fmod(t, BUSY_EVERY));
		return;
	default:
		return;
	}
}

void scene_paint(struct scene_painter *p, size_t i, u8 *luma)
{
	const struct scene *s = &p->scene;
	double t = i / s->fps;

	paint_light(p, t);
	if (s->weather == WEATHER_TREE)
		paint_tree(p, t);
	paint_thing(p, t);
	if (s->weather == WEATHER_RAIN || (s->weather == WEATHER_RAIN_ONSET && t >= SWITCH_S))
		paint_rain(p, i);
	if (s->weather == WEATHER_SHAKE)
		paint_shake(p, i);
	for (u32 y = 0; y < SCENE_H; y++) {
		const s16 *noise = p->noise + mix(s->seed + 19, (u32)i * SCENE_H + y) %
						      (NOISE_COUNT - SCENE_W);
		const s16 *in = p->work + y * SCENE_W;
		u8 *out = luma + y * SCENE_W;

		for (u32 x = 0; x < SCENE_W; x++)
			out[x] = clamp_t(int, (in[x] + noise[x] + 8) >> 4, 0, 255);
	}
}

void scene_yuyv(const u8 *luma, u8 *yuyv)
{
	for (u32 i = 0; i < PIXELS; i++) {
		yuyv[2 * i] = luma[i];
		yuyv[2 * i + 1] = 128;
	}
}

/* First and last frame time in which lo <= t < hi would show something. */
void scene_truth(const struct scene *s, struct truth *t)
{
	double cross = (SCENE_W + s->thing_w) / walk_speed(s);

	*t = (struct truth){ 0 };
	spans_add(&t->calm, 0, s->seconds);
	switch (s->thing) {
	case THING_WALKER:
		spans_add(&t->events, WALK_START, fmin(WALK_START + cross, s->seconds));
		break;
	case THING_PARKED:
		spans_add(&t->events, 4, 8);
		spans_add(&t->events, 20, 20 + (SCENE_W - (CAR_SPEED * 4 - CAR_W)) / 130);
		break;
	case THING_BUSY:
		for (double b = BUSY_EVERY; b < s->seconds - 1; b += BUSY_EVERY)
			spans_add(&t->events, b,
				  b + (BUSY_TO - BUSY_FROM + s->thing_w) / BUSY_SPEED);
		break;
	default:
		break;
	}
}
