// SPDX-License-Identifier: MIT
/*
 * The idea is Reducto's (Li et al., SIGCOMM 2020): what is dropped at the camera is decided by
 * thresholds that the server sets anew from what it has seen. Reducto looks them up for features of
 * the stream; here the evidence is direct: frames of a closed gate, and openings without a track.
 *
 * Shares are held against Wilson's interval (1927): it holds for few trials and for shares of 0 and
 * 1. Openings are the trials, not frames, which depend on each other. The difference of two shares
 * is judged by Newcombe's interval (1998, method 10), made from Wilson's.
 *
 * A step up is x 3/2, a step down x 2/3: one takes the other back. Something that is missed all
 * over the picture is no matter of places: then the preset goes one up, and places that were raised
 * go back.
 */
#include <errno.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "cloud/retune.h"

#define Z	     1.645f /* 95 % on one side */
#define EVERYWHERE   3	    /* samples in which something was missed, at least, ... */
#define SHARE_OF     8	    /* ... over 1/8 of the tiles */
#define RECTANGLES   4	    /* that are told of each kind */
#define HOUR_S	     3600
#define STEP(a)	     (((a)*3 + 1) / 2)
#define STEP_BACK(a) ((a)*2 / 3)

const struct sluice_retune_limits sluice_retune_usual = { 8, 48, 24, 0.85f };

int sluice_tuning_begin(struct sluice_tuning *t, uint32_t grid_w, uint32_t grid_h,
			enum sluice_retune_preset preset)
{
	memset(t, 0, sizeof(*t));
	t->preset = preset;
	memset(t->factor, SLUICE_FACTOR_ONE, sizeof(t->factor));
	return sluice_tiles_of(grid_w, grid_h, &t->tiles);
}

void sluice_tuning_map(const struct sluice_tuning *t, uint8_t *cells)
{
	const struct sluice_tiles *g = &t->tiles;

	for (uint32_t y = 0; y < g->grid_h; y++)
		for (uint32_t x = 0; x < g->grid_w; x++)
			*cells++ = t->factor[y / g->side * g->w + x / g->side];
}

bool sluice_tuning_plain(const struct sluice_tuning *t)
{
	for (uint32_t i = 0; i < (uint32_t)t->tiles.w * t->tiles.h; i++)
		if (t->factor[i] != SLUICE_FACTOR_ONE)
			return false;
	return true;
}

void sluice_wilson(uint32_t hits, uint32_t n, float z, float *low, float *high)
{
	double p, zz = (double)z * z, middle, half;

	*low = 0;
	*high = 1;
	if (!n || hits > n)
		return;
	p = (double)hits / n;
	middle = (p + zz / (2.0 * n)) / (1 + zz / n);
	half = z / (1 + zz / n) * sqrt(p * (1 - p) / n + zz / (4.0 * n * n));
	*low = (float)fmax(0, middle - half);
	*high = (float)fmin(1, middle + half);
}

bool sluice_retune_worse(const struct sluice_misses *before, const struct sluice_misses *after)
{
	float low1, high1, low2, high2, p1, p2;

	if (!after->samples || !after->missed)
		return false;
	sluice_wilson(before->missed, before->samples, Z, &low1, &high1);
	sluice_wilson(after->missed, after->samples, Z, &low2, &high2);
	if (!before->samples) /* nothing is known of before: half of what was looked at is bad */
		return low2 > 0.5f;
	p1 = (float)before->missed / (float)before->samples;
	p2 = (float)after->missed / (float)after->samples;
	return p2 - p1 > hypotf(p2 - low2, high1 - p1);
}

/* ---- words ---- */

struct words {
	char *text;
	size_t used;
};

static void say(struct words *w, const char *format, ...) __attribute__((format(printf, 2, 3)));

static void say(struct words *w, const char *format, ...)
{
	va_list args;
	int n;

	va_start(args, format);
	n = vsnprintf(w->text + w->used, SLUICE_RETUNE_WORDS - w->used, format, args);
	va_end(args);
	w->used += n > 0 ? (size_t)n : 0;
	if (w->used >= SLUICE_RETUNE_WORDS)
		w->used = SLUICE_RETUNE_WORDS - 1;
}

static void say_time(struct words *w, uint64_t seconds)
{
	uint64_t hours = seconds / HOUR_S;

	if (hours < 24)
		say(w, "less than a day");
	else if (hours >= 48)
		say(w, "%llu days", (unsigned long long)(hours / 24));
	else
		say(w, "%llu hours", (unsigned long long)hours);
}

/* Tiles that touch each other and go from one factor to one other, as a rectangle around them. */
struct rectangle {
	uint32_t x0, y0, x1, y1; /* tiles, both inclusive */
	uint32_t most, frames;	 /* counts of its busiest tile */
};

/* What is being told: the changes, and which tiles of them are told already. */
struct change {
	const struct sluice_tally *t;
	const struct sluice_tuning *from, *to;
	bool told[SLUICE_TILES];
	bool up;
};

static bool has_changed(const struct change *c, uint32_t i)
{
	return c->up ? c->to->factor[i] > c->from->factor[i]
		     : c->to->factor[i] < c->from->factor[i];
}

/* The tiles that hang together with tile `at`: told from now on. */
static void take_patch(struct change *c, uint32_t at, struct rectangle *r)
{
	const struct sluice_tiles *g = &c->to->tiles;
	uint16_t queue[SLUICE_TILES];
	uint32_t head = 0, tail = 0;

	*r = (struct rectangle){ at % g->w, at / g->w, at % g->w, at / g->w, 0, 0 };
	c->told[at] = true;
	queue[tail++] = (uint16_t)at;
	while (head < tail) {
		uint32_t i = queue[head++], x = i % g->w, y = i / g->w;
		const struct sluice_tile *e = &c->t->tile[i];
		uint32_t count = c->up ? e->nothing : e->missed;

		r->x0 = x < r->x0 ? x : r->x0;
		r->x1 = x > r->x1 ? x : r->x1;
		r->y1 = y > r->y1 ? y : r->y1;
		r->most = count > r->most ? count : r->most;
		r->frames = e->frames > r->frames ? e->frames : r->frames;
		for (uint32_t k = 0; k < 9; k++) {
			uint32_t nx = x + k % 3 - 1, ny = y + k / 3 - 1, n = ny * g->w + nx;

			if (nx >= g->w || ny >= g->h || c->told[n] || !has_changed(c, n) ||
			    c->from->factor[n] != c->from->factor[at] ||
			    c->to->factor[n] != c->to->factor[at])
				continue;
			c->told[n] = true;
			queue[tail++] = (uint16_t)n;
		}
	}
}

static uint32_t last_cell(uint32_t tile, uint32_t side, uint32_t cells)
{
	uint32_t end = (tile + 1) * side;

	return (end < cells ? end : cells) - 1;
}

static void say_patch(struct words *w, const struct change *c, const struct rectangle *r,
		      uint32_t at, uint64_t seconds)
{
	const struct sluice_tiles *g = &c->to->tiles;

	say(w, "Cells %u..%u of rows %u..%u ", r->x0 * g->side,
	    last_cell(r->x1, g->side, g->grid_w), r->y0 * g->side,
	    last_cell(r->y1, g->side, g->grid_h));
	if (c->up)
		say(w, "opened the gate %u times (%u frames) in ", r->most, r->frames);
	else
		say(w, "had something that the gate did not see in %u frames in ", r->most);
	say_time(w, seconds);
	say(w, "%s; threshold x %.4g -> x %.4g. ", c->up ? " without a track" : "",
	    c->from->factor[at] / (double)SLUICE_FACTOR_ONE,
	    c->to->factor[at] / (double)SLUICE_FACTOR_ONE);
}

static void say_changes(struct words *w, struct change *c, uint64_t seconds)
{
	uint32_t n = (uint32_t)c->to->tiles.w * c->to->tiles.h, patches = 0;
	struct rectangle r;

	memset(c->told, 0, sizeof(c->told));
	for (uint32_t i = 0; i < n; i++) {
		if (c->told[i] || !has_changed(c, i))
			continue;
		take_patch(c, i, &r);
		if (patches++ < RECTANGLES)
			say_patch(w, c, &r, i, seconds);
	}
	if (patches > RECTANGLES)
		say(w, "%u more places %s. ", patches - RECTANGLES,
		    c->up ? "opened it likewise" : "likewise");
}

/* ---- what the counts speak for ---- */

/* Has a tile, or one right beside it, such a count? */
static bool near(const struct sluice_tally *t, uint32_t at, bool missed_alone)
{
	const struct sluice_tiles *g = &t->tiles;

	for (uint32_t k = 0; k < 9; k++) {
		uint32_t x = at % g->w + k % 3 - 1, y = at / g->w + k / 3 - 1;
		const struct sluice_tile *e = &t->tile[y < g->h && x < g->w ? y * g->w + x : at];

		if (e->missed || (!missed_alone && e->seen))
			return true;
	}
	return false;
}

static uint32_t missed_tiles(const struct sluice_tally *t)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < (uint32_t)t->tiles.w * t->tiles.h; i++)
		n += t->tile[i].missed != 0;
	return n;
}

static uint8_t raise(uint8_t factor, const struct sluice_retune_limits *l)
{
	uint32_t to = STEP((uint32_t)factor);

	to = to > l->most ? l->most : to;
	return to > factor ? (uint8_t)to : factor;
}

static uint8_t lower(uint8_t factor, const struct sluice_retune_limits *l)
{
	uint32_t to = STEP_BACK((uint32_t)factor);

	/* a step that crosses it ends at what was configured */
	if (factor > SLUICE_FACTOR_ONE && to < SLUICE_FACTOR_ONE)
		to = SLUICE_FACTOR_ONE;
	to = to < l->least ? l->least : to;
	return to < factor ? (uint8_t)to : factor;
}

static bool is_plenty(const struct sluice_tile *e, const struct sluice_retune_limits *l)
{
	float low, high;

	if (e->seen > UINT32_MAX - e->nothing)
		return false;
	sluice_wilson(e->nothing, e->nothing + e->seen, Z, &low, &high);
	return low > l->sure;
}

static void change_tiles(const struct sluice_tally *t, bool everywhere, bool ripe,
			 const struct sluice_retune_limits *l, struct sluice_proposal *p)
{
	for (uint32_t i = 0; i < (uint32_t)t->tiles.w * t->tiles.h; i++) {
		uint8_t was = p->tuning.factor[i], *now = &p->tuning.factor[i];

		if (!was)
			continue;
		if (near(t, i, true) && (!everywhere || was > SLUICE_FACTOR_ONE))
			*now = lower(was, l);
		else if (ripe && !near(t, i, false) && is_plenty(&t->tile[i], l))
			*now = raise(was, l);
		p->raised += *now > was;
		p->lowered += *now < was;
	}
}

static const char *preset_name(enum sluice_retune_preset preset)
{
	static const char *const name[] = { "custom", "low", "medium", "high" };

	return name[preset];
}

static void explain(const struct sluice_tally *t, uint64_t seconds,
		    const struct sluice_tuning *from, struct sluice_proposal *p)
{
	struct change c = { .t = t, .from = from, .to = &p->tuning };
	struct words w = { p->why, 0 };

	if (p->tuning.preset != from->preset)
		say(&w,
		    "In %u of %u frames of a closed gate there was something that it did not see, "
		    "in "
		    "many places; preset %s -> %s. ",
		    t->missed, t->samples, preset_name(from->preset),
		    preset_name(p->tuning.preset));
	say_changes(&w, &c, seconds);
	c.up = true;
	say_changes(&w, &c, seconds);
	if (!w.used)
		say(&w,
		    "Nothing to change: %u of %u openings were for nothing, %u of %u frames of a "
		    "closed gate had something, in ",
		    t->nothing, t->openings, t->missed, t->samples);
	if (!p->raised && !p->lowered && p->tuning.preset == from->preset)
		say_time(&w, seconds);
	while (w.used && w.text[w.used - 1] == ' ')
		w.text[--w.used] = 0;
}

int sluice_retune_propose(const struct sluice_tally *t, uint64_t seconds,
			  const struct sluice_tuning *now, const struct sluice_retune_limits *l,
			  struct sluice_proposal *p)
{
	bool everywhere, up;

	memset(p, 0, sizeof(*p));
	if (!sluice_tally_ok(t) || !sluice_tiles_same(&t->tiles, &now->tiles) || !l->least ||
	    l->least > SLUICE_FACTOR_ONE || l->most < SLUICE_FACTOR_ONE)
		return -EINVAL;
	p->tuning = *now;
	everywhere = t->missed >= EVERYWHERE &&
		     missed_tiles(t) * SHARE_OF >= (uint32_t)t->tiles.w * t->tiles.h;
	up = everywhere &&
	     (now->preset == SLUICE_RETUNE_LOW || now->preset == SLUICE_RETUNE_MEDIUM);
	if (up)
		p->tuning.preset++;
	change_tiles(t, up, seconds >= (uint64_t)l->hours * HOUR_S, l, p);
	explain(t, seconds, now, p);
	return p->raised || p->lowered || up;
}
