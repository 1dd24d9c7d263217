// SPDX-License-Identifier: MIT
/*
 * movie.c - paints one frame: the place (shifted if the camera shakes), leaves and fire, shadows,
 * things from the farthest to the nearest, the pillar, then the light on all of it, rain, and the
 * noise of the sensor. Labels are painted by the same code as the things, so they are exact: a
 * pixel that is covered to less than 5 % is background, to more than 95 % the thing's.
 */
#include "movie.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "weather.h"

#define NOISE_COUNT (1u << 18)
#define SOFT	    1.6f /* pixels over which an edge fades */
#define SHADOW	    0.68f

struct look {
	u8 luma[SPRITE_PARTS], cb[SPRITE_PARTS], cr[SPRITE_PARTS];
	u32 seed;
};

struct movie {
	struct movie_script script;
	const struct ground *ground;
	u32 seed;
	struct look look[MOVIE_THINGS];
	s8 noise[NOISE_COUNT];
	s16 gain[MOVIE_LUMA];	/* 1/256 */
	u8 before[MOVIE_BYTES]; /* the place before the things, for the pillar */
};

/* Clothes are mostly darker or brighter than the street, some only of another colour. */
static void dress(struct look *l, u32 seed)
{
	l->seed = seed;
	for (u32 p = 0; p < SPRITE_PARTS; p++) {
		float kind = chance(seed, p * 4), v = chance(seed, p * 4 + 1);

		l->luma[p] = (u8)(kind < 0.4f	 ? 25 + 40 * v
				  : kind < 0.75f ? 165 + 65 * v
						 : 80 + 70 * v);
		l->cb[p] = (u8)(128 + 70 * (chance(seed, p * 4 + 2) - 0.5f));
		l->cr[p] = (u8)(128 + 70 * (chance(seed, p * 4 + 3) - 0.5f));
	}
}

struct movie *movie_open(const struct movie_script *s, const struct ground *g, u32 seed)
{
	struct movie *m = calloc(1, sizeof(*m));

	if (!m)
		abort();
	m->script = *s;
	if (!m->script.seconds)
		m->script.seconds = 26;
	if (!m->script.fps)
		m->script.fps = 12;
	if (!m->script.sigma)
		m->script.sigma = 3;
	m->ground = g;
	m->seed = seed;
	for (u32 i = 0; i < MOVIE_THINGS; i++)
		dress(&m->look[i], mix(seed, 900 + i));
	for (u32 i = 0; i + 1 < NOISE_COUNT; i += 2) {
		double u = sqrt(-2 * log(chance(seed + 5, i) + 1e-10));
		double v = 2 * M_PI * chance(seed + 5, i + 1);

		m->noise[i] = (s8)lrint(fmax(-120, fmin(120, u * cos(v) * m->script.sigma)));
		m->noise[i + 1] = (s8)lrint(fmax(-120, fmin(120, u * sin(v) * m->script.sigma)));
	}
	return m;
}

void movie_close(struct movie *m)
{
	free(m);
}

u32 movie_frames(const struct movie *m)
{
	return (u32)(m->script.seconds * m->script.fps + 0.5f);
}

double movie_time(const struct movie *m, u32 i)
{
	return i / (double)m->script.fps;
}

/* ---- the place ---- */

static void shake_of(const struct movie *m, u32 i, int *dx, int *dy)
{
	*dx = *dy = 0;
	if (m->script.weather == MOVIE_SHAKE) {
		*dx = (int)(mix(m->seed + 17, i) % 4) - 2 + (int)(i & 1);
		*dy = (int)(mix(m->seed + 18, i) % 3) - 1;
	}
	if (m->script.weather == MOVIE_KNOCK && i / m->script.fps >= SWITCH_S) {
		*dx = 40;
		*dy = 14;
	}
}

static void copy_plane(u8 *to, const u8 *from, int w, int h, int dx, int dy)
{
	for (int y = 0; y < h; y++) {
		const u8 *row = from + (size_t)clamp_t(int, y + dy, 0, h - 1) * w;

		if (!dx) {
			memcpy(to + (size_t)y * w, row, w);
			continue;
		}
		for (int x = 0; x < w; x++)
			to[(size_t)y * w + x] = row[clamp_t(int, x + dx, 0, w - 1)];
	}
}

static void paint_place(struct movie *m, u32 i, u8 *yuv)
{
	u32 n = m->ground->count, at = n > 1 ? i % (2 * n - 2) : 0;
	const u8 *from = m->ground->frame[at < n ? at : 2 * n - 2 - at];
	int dx, dy;

	shake_of(m, i, &dx, &dy);
	copy_plane(yuv, from, MOVIE_W, MOVIE_H, dx, dy);
	copy_plane(yuv + MOVIE_LUMA, from + MOVIE_LUMA, MOVIE_W / 2, MOVIE_H / 2, dx / 2, dy / 2);
	copy_plane(yuv + MOVIE_LUMA * 5 / 4, from + MOVIE_LUMA * 5 / 4, MOVIE_W / 2, MOVIE_H / 2,
		   dx / 2, dy / 2);
}

/* ---- things ---- */

/* Where a thing is and what it has done so far. */
struct stance {
	float x, y, h;
	float way;   /* pixels gone */
	float stood; /* seconds at rest */
};

static float size_at(const struct movie_thing *g, u32 stop)
{
	return g->near[stop] > 0 ? g->near[stop] : 1;
}

/* False: it is not there at t. */
static bool thing_at(const struct movie_thing *g, double t, struct stance *s)
{
	*s = (struct stance){ 0 };
	if (t < g->stop[0].t_s && !g->old)
		return false;
	for (u32 i = 0; i + 1 < g->stops; i++) {
		const struct movie_stop *a = &g->stop[i], *b = a + 1;
		float f = (float)((t - a->t_s) / (b->t_s - a->t_s));
		float far = hypotf(b->x - a->x, b->y - a->y);

		if (t >= b->t_s) {
			s->way += far;
			s->stood = far > 0 ? 0 : s->stood + b->t_s - a->t_s;
			continue;
		}
		f = f < 0 ? 0 : f;
		s->x = a->x + f * (b->x - a->x);
		s->y = a->y + f * (b->y - a->y);
		s->h = g->height * (size_at(g, i) + f * (size_at(g, i + 1) - size_at(g, i)));
		s->way += far * f;
		s->stood = far > 0 ? 0 : s->stood + (float)t - a->t_s;
		if (t < g->stop[0].t_s)
			s->stood = 1e6f;
		return true;
	}
	return false;
}

struct brush {
	u8 *yuv, *label;
	const struct look *look;
	enum sprite_kind kind;
	float x, y, h, phase;
	int turned; /* -1: looks to the left */
	u8 id;
	struct movie_seen *seen;
};

static void paint_pixel(const struct brush *b, int px, int py, int part, float a)
{
	float u = (px - b->x) * b->turned, v = b->y - py;
	u32 cell = (u32)(int)(floorf(u / 3) + 500) * 2048u + (u32)(int)(floorf(v / 3) + 500);
	int luma = b->look->luma[part] + (int)(mix(b->look->seed, cell) % 25) - 12 -
		   (int)(10 * u / b->h);
	size_t at = (size_t)py * MOVIE_W + px, c = (size_t)(py / 2) * (MOVIE_W / 2) + px / 2;

	weather_blend(&b->yuv[at], luma < 4 ? 4 : luma, a);
	if (py & 1 || px & 1)
		return;
	weather_blend(&b->yuv[MOVIE_LUMA + c], b->look->cb[part], a);
	weather_blend(&b->yuv[MOVIE_LUMA * 5 / 4 + c], b->look->cr[part], a);
}

static void paint_thing(const struct brush *b)
{
	float half = sprite_half_width(b->kind) * b->h + 2;
	int x0 = (int)floorf(b->x - half), x1 = (int)ceilf(b->x + half);
	int y0 = (int)floorf(b->y - 1.05f * b->h - 2), y1 = (int)ceilf(b->y + 3);

	for (int y = y0; y < y1; y++)
		for (int x = x0; x < x1; x++) {
			int part;
			float d = sprite_distance(b->kind, (x - b->x) * b->turned / b->h,
						  (b->y - y) / b->h, b->phase, &part) *
				  b->h;
			float a = 0.5f - d / SOFT;

			if (a <= 0)
				continue;
			if (b->seen && a >= 0.5f)
				b->seen->whole++;
			if (x < 0 || y < 0 || x >= MOVIE_W || y >= MOVIE_H)
				continue;
			if (b->yuv)
				paint_pixel(b, x, y, part, a > 1 ? 1 : a);
			if (b->label && a > 0.05f)
				b->label[y * MOVIE_W + x] = a > 0.95f ? b->id : LABEL_UNKNOWN;
		}
}

/* Less light, less colour. */
static void dim_chroma(u8 *yuv, size_t c, float k)
{
	for (u8 *p = yuv + MOVIE_LUMA + c; p < yuv + MOVIE_BYTES; p += MOVIE_LUMA / 4)
		*p = (u8)clamp_t(int, 128 + (int)lrintf((*p - 128) * k), 0, 255);
}

/* A soft ellipse on the ground, to the right of the feet. */
static void paint_shadow(const struct brush *b)
{
	float hw = 0.45f * b->h + 0.5f * sprite_half_width(b->kind) * b->h, hh = 0.1f * b->h + 2;
	float cx = b->x + 0.35f * b->h;

	for (int y = (int)(b->y - hh); y <= (int)(b->y + hh); y++)
		for (int x = (int)(cx - hw); x <= (int)(cx + hw); x++) {
			float du = (x - cx) / hw, dv = (y - b->y) / hh, r = du * du + dv * dv, k;

			if (r >= 1 || x < 0 || y < 0 || x >= MOVIE_W || y >= MOVIE_H)
				continue;
			k = r < 0.6f ? SHADOW : SHADOW + (1 - SHADOW) * (r - 0.6f) / 0.4f;
			b->yuv[y * MOVIE_W + x] = (u8)(b->yuv[y * MOVIE_W + x] * k);
			if (!(x & 1) && !(y & 1))
				dim_chroma(b->yuv, (size_t)(y / 2) * (MOVIE_W / 2) + x / 2, k);
		}
}

/* Numbers of the things that are there, the farthest (least y) first; fills their brushes. */
static u32 line_up(struct movie *m, u32 i, struct brush *b)
{
	const struct movie_script *s = &m->script;
	int dx, dy;
	u32 n = 0;

	shake_of(m, i, &dx, &dy);
	for (u32 k = 0; k < s->things; k++) {
		const struct movie_thing *g = &s->thing[k];
		struct brush c = {
			.look = &m->look[k], .kind = g->kind, .turned = 1, .id = (u8)(k + 1)
		};
		struct stance now, later;
		u32 at = n;

		if (!thing_at(g, i / s->fps, &now))
			continue;
		if (thing_at(g, i / s->fps + 0.1, &later) && later.x < now.x)
			c.turned = -1;
		c.h = now.h;
		c.phase = now.way / (0.9f * g->height);
		c.x = now.x - dx;
		c.y = now.y - dy;
		for (; at && b[at - 1].y > c.y; at--)
			b[at] = b[at - 1];
		b[at] = c;
		n++;
	}
	return n;
}

static void paint_pillar(struct movie *m, u8 *yuv, u8 *label)
{
	const struct movie_script *s = &m->script;

	for (size_t at = MOVIE_LUMA + s->pillar_x / 2; yuv && s->pillar_w && at < MOVIE_BYTES;
	     at += MOVIE_W / 2)
		memcpy(yuv + at, m->before + at, s->pillar_w / 2);

	for (int y = 0; s->pillar_w && y < MOVIE_H; y++) {
		size_t at = (size_t)y * MOVIE_W + s->pillar_x;

		if (yuv)
			memcpy(yuv + at, m->before + at, s->pillar_w);
		if (label)
			memset(label + at, LABEL_NONE, s->pillar_w);
	}
}

/* ---- light, weather, sensor ---- */

static double share(double v)
{
	return v < 0 ? 0 : v > 1 ? 1 : v;
}

static double gain_at(const struct movie_script *s, double t, int x, int y)
{
	double on = share((t - SWITCH_S) / 0.4), off = share((t - SWITCH_S - 8) / 0.4), dx, dy;

	switch (s->light) {
	case MOVIE_DRIFT:
		return 1 + 0.3 * sin(2 * M_PI * t / 40);
	case MOVIE_STEP:
		return 1 - 0.35 * (on - off);
	case MOVIE_CLOUD:
		return 1 - 0.35 * (share(((t - SWITCH_S) * 120 - x - 0.3 * y) / 60) -
				   share(((t - SWITCH_S - 12) * 120 - x - 0.3 * y) / 60));
	case MOVIE_LAMP:
		dx = (x - 520) / 260.0;
		dy = (y - 120) / 220.0;
		return 1 + 0.8 * exp(-dx * dx - dy * dy) * (on - off);
	case MOVIE_FLICKER:
		return 1 + 0.05 * sin(2 * M_PI * (t * 3.7 + y / 300.0));
	case MOVIE_NIGHT:
		return 0.35;
	default:
		return 1;
	}
}

/* Gains of places 8 pixels apart; light is soft. */
static void paint_light(struct movie *m, double t, u8 *yuv)
{
	const struct movie_script *s = &m->script;

	if (s->light == MOVIE_STEADY)
		return;
	for (int y = 0; y < MOVIE_H; y++) {
		s16 *row = m->gain + y * MOVIE_W;

		if (s->light != MOVIE_FLICKER && y % 8) {
			const s16 *above = m->gain + (y - 1) * MOVIE_W;

			memcpy(row, above, MOVIE_W * sizeof(*row));
			continue;
		}
		for (int x = 0; x < MOVIE_W; x += 8) {
			s16 g = (s16)lrint(256 * gain_at(s, t, x, y));

			for (int k = 0; k < 8; k++)
				row[x + k] = g;
		}
	}
	for (int i = 0; i < MOVIE_LUMA; i++) {
		int v = yuv[i] * m->gain[i] >> 8;

		yuv[i] = (u8)(v > 255 ? 255 : v);
	}
	for (int y = 0; y < MOVIE_H; y += 2)
		for (int x = 0; x < MOVIE_W; x += 2)
			dim_chroma(yuv, (size_t)(y / 2) * (MOVIE_W / 2) + x / 2,
				   m->gain[y * MOVIE_W + x] / 256.0f);
}

static void paint_noise(const struct movie *m, u32 i, u8 *yuv)
{
	for (u32 y = 0; y < MOVIE_H * 3 / 2; y++) {
		const s8 *noise =
			m->noise + mix(m->seed + 19, i * 1024 + y) % (NOISE_COUNT - MOVIE_W);
		u8 *out = yuv + (size_t)y * MOVIE_W;
		int half = y >= MOVIE_H;

		for (u32 x = 0; x < MOVIE_W; x++) {
			int v = out[x] + (noise[x] >> half);

			out[x] = (u8)(v < 0 ? 0 : v > 255 ? 255 : v);
		}
	}
}

static void measure(const u8 *label, struct movie_seen *seen)
{
	for (int y = 0; y < MOVIE_H; y++)
		for (int x = 0; x < MOVIE_W; x++) {
			u8 id = label[y * MOVIE_W + x];
			struct movie_seen *s;

			if (id == LABEL_NONE || id == LABEL_UNKNOWN)
				continue;
			s = &seen[id - 1];
			if (!s->there)
				*s = (struct movie_seen){ true,	 s->moving, x, y,
							  x + 1, y + 1,	    0, s->whole };
			s->x0 = x < s->x0 ? x : s->x0;
			s->x1 = x >= s->x1 ? x + 1 : s->x1;
			s->y1 = y + 1;
			s->area++;
		}
}

void movie_paint(struct movie *m, u32 i, u8 *yuv, u8 *label, struct movie_seen seen[MOVIE_THINGS])
{
	const struct movie_script *s = &m->script;
	struct brush b[MOVIE_THINGS];
	u32 n = line_up(m, i, b);
	double t = i / s->fps;

	if (yuv) {
		paint_place(m, i, yuv);
		if (s->weather == MOVIE_TREE)
			weather_tree(m->seed, t, yuv);
		if (s->weather == MOVIE_FLAME)
			weather_flame(m->seed, t, yuv);
		if (s->weather == MOVIE_FIRES)
			weather_fires(m->seed, t, yuv);
		memcpy(m->before, yuv, MOVIE_BYTES);
	}
	if (label) {
		memset(label, LABEL_NONE, MOVIE_LUMA);
		memset(seen, 0, MOVIE_THINGS * sizeof(*seen));
	}
	for (u32 k = 0; k < n; k++) {
		struct stance now;
		u32 id = b[k].id - 1;

		b[k].yuv = yuv;
		b[k].label = label;
		b[k].seen = label ? &seen[id] : NULL;
		if (yuv)
			paint_shadow(&b[k]);
		paint_thing(&b[k]);
		thing_at(&s->thing[id], t, &now);
		if (label)
			seen[id].moving = now.stood < STAND_S;
	}
	paint_pillar(m, yuv, label);
	if (label)
		measure(label, seen);
	for (u32 k = 0; label && k < MOVIE_LUMA; k++)
		if (label[k] != LABEL_UNKNOWN && label[k] && !seen[label[k] - 1].moving)
			label[k] = s->thing[label[k] - 1].old ? LABEL_NONE : LABEL_UNKNOWN;
	if (!yuv)
		return;
	paint_light(m, t, yuv);
	if (s->weather == MOVIE_RAIN)
		weather_rain(m->seed, i, yuv);
	paint_noise(m, i, yuv);
}

/* A thing's span ends when it has gone, or has stood for gap_s: then where it began to stand. */
static void note_thing(struct truth *t, double at, bool on, float stood, double *since,
		       double *last)
{
	if (on && *since < 0)
		*since = at;
	if (on)
		*last = at - stood;
	if (on || *since < 0)
		return;
	spans_add(&t->events, *since, *last);
	*since = -1;
}

void movie_truth(struct movie *m, double gap_s, struct truth *t)
{
	const struct movie_script *s = &m->script;
	struct movie_seen seen[MOVIE_THINGS];
	double since[MOVIE_THINGS], last[MOVIE_THINGS];
	u8 *label = malloc(MOVIE_LUMA);
	u32 n = movie_frames(m);

	if (!label)
		abort();
	*t = (struct truth){ .tolerance_s = 0.2 };
	spans_add(&t->calm, 0, s->seconds);
	if (s->weather == MOVIE_KNOCK)
		spans_add(&t->optional, SWITCH_S, SWITCH_S + 2);
	for (u32 k = 0; k < MOVIE_THINGS; k++)
		since[k] = -1;
	for (u32 i = 0; i <= n && s->things; i++) {
		if (i < n)
			movie_paint(m, i, NULL, label, seen);
		for (u32 k = 0; k < s->things; k++) {
			struct stance now;
			bool on = i < n && seen[k].there && s->thing[k].kind != SPRITE_BAG;

			thing_at(&s->thing[k], movie_time(m, i), &now);
			note_thing(t, movie_time(m, i), on && now.stood <= gap_s, now.stood,
				   &since[k], &last[k]);
		}
	}
	free(label);
}
