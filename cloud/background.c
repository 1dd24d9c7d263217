// SPDX-License-Identifier: MIT
/*
 * background.c - what is common to all models; a model only says how it learns
 * (background_model.h). Everything goes by elapsed time, not by frame count: frames come gated, 5 a
 * second during motion and one a minute otherwise.
 *
 * Per picture: (1) the light of the whole picture is fitted; what it explains is no change. (2) A
 * pixel differs weakly or strongly by a threshold that follows its own noise, in luma or in colour.
 * (3) The model may know better (a second mode). (4) What is the old structure under another light
 * is none (shadows, lamps). (5) A pixel is kept if most of its neighbours agree. (6) Learning:
 * background at once, foreground only if it has stood still at one value for ABSORB_S (HELD_S below
 * a living track): what was put down becomes background, what was taken away leaves no ghost. (7)
 * If a large part differs in two pictures running, the place is compared with itself moved: the
 * camera was pushed, or the scene is another one; the model begins anew.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "cloud/background_light.h"
#include "cloud/background_model.h"

#define TAU_MEAN_S  6.0f /* background follows slow change */
#define TAU_DEV_S   4.0f /* noise estimate */
#define TAU_LIGHT_S 0.7f /* background in another light */
#define WEAK	    6.0f /* grey levels, least difference */
#define STRONG	    14.0f
#define DEV_FACTOR  3.2f  /* weak: in mean absolute deviations; strong: twice that */
#define DEV_MAX	    14.0f /* a flickering place does not go blind for everything */
#define LIGHT_SHARE 0.2f  /* of an explained change that raises the threshold */
#define THIN	    3	  /* a border differs by one in so many of its neighbour */
#define RESTLESS    3	  /* grey levels of deviation from which neighbours are asked */
#define LIGHT_LARGE                                                                             \
	0.06f		 /* share of the picture under another light that is more than a shadow \
			  */
#define HUE_WEAK    7.0f /* of chroma */
#define HUE_STRONG  14.0f
#define COLOURFUL   3 /* mean distance of chroma from grey */
#define STILL_GREY  8 /* a foreground pixel that changes less stands still */
#define ABSORB_S    4.0f
#define QUIET_S	    1.5f /* the same while the gate sees nothing move */
#define HELD_S	    60.0f
#define TICKS	    4	 /* of the still counter, a second */
#define LEARN_S	    0.6f /* first pictures: the model learns fast and says nothing */
#define SCENE_SHARE 0.35f
#define MOVED_MAX   12 /* cells of 1/40 of the width: how far a pushed camera is looked for */

static const struct background_ops *const kinds[SLUICE_BACKGROUND_KINDS + 1] = {
	&background_mixture, &background_mean, &background_mixture, &background_delta,
	&background_median
};

struct sluice_background {
	const struct background_ops *ops;
	uint32_t w, h;
	float age_s, tick_s, grow, fade; /* the last three: parts of steps */
	uint32_t pictures, scene_run;
	bool colour, any_lit;
	bool colourful; /* the place is not grey: colour tells things from shadows */
	void *own;
	int16_t *mean, *dev;	/* luma, Q7 */
	int16_t *cb, *cr, *hue; /* chroma [h / 2][w / 2]: means and one deviation, Q7 */
	uint8_t *cand, *still;	/* value that foreground shows, and for how many ticks */
	/* scratch of one picture */
	int16_t *lit; /* mean under today's light, where there is one */
	uint8_t *raw, *how, *diff, *hue_raw, *hue_diff; /* diff: how much, grey levels */
};

const char *sluice_background_name(uint32_t kind)
{
	return kind <= SLUICE_BACKGROUND_KINDS ? kinds[kind]->name : NULL;
}

size_t sluice_background_bytes(uint32_t kind, uint32_t w, uint32_t h)
{
	size_t n = (size_t)w * h, c = (size_t)((w + 1) / 2) * ((h + 1) / 2);

	return sizeof(struct sluice_background) +
	       n * (3 * sizeof(int16_t) + 5 + kinds[kind]->pixel_bytes) +
	       c * (3 * sizeof(int16_t) + 2);
}

struct sluice_background *sluice_background_open(uint32_t kind, uint32_t w, uint32_t h)
{
	struct sluice_background *b = calloc(1, sizeof(*b));
	size_t n = (size_t)w * h, c = (size_t)((w + 1) / 2) * ((h + 1) / 2);

	if (!b)
		return NULL;
	b->ops = kinds[kind <= SLUICE_BACKGROUND_KINDS ? kind : 0];
	b->w = w;
	b->h = h;
	b->own = calloc(n, b->ops->pixel_bytes ? b->ops->pixel_bytes : 1);
	b->mean = calloc(3 * n + 3 * c, sizeof(*b->mean));
	b->cand = calloc(5 * n + 2 * c, 1);
	if (!b->own || !b->mean || !b->cand) {
		sluice_background_close(b);
		return NULL;
	}
	b->dev = b->mean + n;
	b->lit = b->dev + n;
	b->cb = b->lit + n;
	b->cr = b->cb + c;
	b->hue = b->cr + c;
	b->still = b->cand + n;
	b->raw = b->still + n;
	b->how = b->raw + n;
	b->diff = b->how + n;
	b->hue_raw = b->diff + n;
	b->hue_diff = b->hue_raw + c;
	return b;
}

void sluice_background_close(struct sluice_background *b)
{
	if (!b)
		return;
	free(b->own);
	free(b->mean);
	free(b->cand);
	free(b);
}

void sluice_background_reset(struct sluice_background *b)
{
	b->age_s = 0;
	b->pictures = 0;
	b->scene_run = 0;
}

static void begin(struct sluice_background *b, const struct sluice_gray *g)
{
	size_t n = (size_t)b->w * b->h, c = sluice_gray_chroma(g);
	uint64_t hues = 0;

	for (size_t i = 0; i < n; i++) {
		b->mean[i] = (int16_t)(g->px[i] * Q7);
		b->dev[i] = Q7;
	}
	memcpy(b->cand, g->px, n);
	memset(b->still, 0, n);
	b->colour = g->cb;
	b->colourful = false;
	for (size_t i = 0; g->cb && i < c; i++) {
		hues += (uint64_t)(abs(g->cb[i] - 128) + abs(g->cr[i] - 128));
		b->cb[i] = (int16_t)(g->cb[i] * Q7);
		b->cr[i] = (int16_t)(g->cr[i] * Q7);
		b->hue[i] = Q7;
	}
	b->colourful = hues > COLOURFUL * c;
	if (b->ops->begin)
		b->ops->begin(b->own, g->px, n);
	b->age_s = 0;
	b->scene_run = 0;
	b->pictures = 1;
}

/* ---- what differs ---- */

static int16_t q7(float grey)
{
	return (int16_t)(grey * Q7);
}

VECTORS static void compare(const uint8_t *restrict px, const int16_t *restrict expected,
			    const int16_t *restrict mean, const int16_t *restrict dev,
			    uint8_t *restrict raw, uint8_t *restrict diff, size_t n)
{
	int16_t most = q7(DEV_MAX), weak = q7(WEAK), strong = q7(STRONG);
	int16_t factor = (int16_t)(DEV_FACTOR * 1024), share = (int16_t)(LIGHT_SHARE * 32768);

	for (size_t i = 0; i < n; i++) {
		int16_t e = expected[i], d = (int16_t)(px[i] * Q7 - e), l = (int16_t)(e - mean[i]);
		int16_t v = dev[i] < most ? dev[i] : most, t = (int16_t)((v * factor) >> 10),
			t2 = (int16_t)(t * 2);

		d = d < 0 ? -d : d;
		l = l < 0 ? -l : l;
		l = (int16_t)((l * share) >> 15);
		t = (int16_t)((t > weak ? t : weak) + l);
		t2 = (int16_t)((t2 > strong ? t2 : strong) + l);
		raw[i] = (uint8_t)((d > t) + (d > t2));
		diff[i] = (uint8_t)(d >> 7);
	}
}

VECTORS static void compare_hue(const uint8_t *restrict px_b, const uint8_t *restrict px_r,
				const int16_t *restrict cb, const int16_t *restrict cr,
				const int16_t *restrict hue, uint8_t *restrict raw,
				uint8_t *restrict diff, size_t n)
{
	int16_t weak = q7(HUE_WEAK), strong = q7(HUE_STRONG), most = q7(DEV_MAX);

	for (size_t i = 0; i < n; i++) {
		int16_t b = (int16_t)(px_b[i] * Q7 - cb[i]), r = (int16_t)(px_r[i] * Q7 - cr[i]);
		int16_t t = (int16_t)((hue[i] < most ? hue[i] : most) * 4), t2 = (int16_t)(t * 2);

		b = b < 0 ? -b : b;
		r = r < 0 ? -r : r;
		b = b > r ? b : r;
		t = t > weak ? t : weak;
		t2 = t2 > strong ? t2 : strong;
		raw[i] = (uint8_t)((b > t) + (b > t2));
		b = (int16_t)(b >> 6);
		diff[i] = (uint8_t)(b < 255 ? b : 255);
	}
}

VECTORS static bool any_set(const uint8_t *row, uint32_t w)
{
	uint8_t any = 0;

	for (uint32_t x = 0; x < w; x++)
		any |= row[x];
	return any;
}

/*
 * Where much varies (leaves, edges of a camera that shakes) a pixel that shows what a neighbour may
 * show is none that differs. Visits only pixels that differ.
 */
static void forgive(const struct sluice_background *b, const uint8_t *px, const int16_t *expected)
{
	for (uint32_t y = 1; y + 1 < b->h; y++)
		for (uint32_t x = 1;
		     x + 1 < b->w && (x > 1 || any_set(b->raw + (size_t)y * b->w, b->w)); x++) {
			size_t i = (size_t)y * b->w + x;
			int16_t low = 32767, high = 0;
			int v = px[i] * Q7;

			if (!b->raw[i] || b->dev[i] < RESTLESS * Q7)
				continue;
			for (int k = -1; k <= 1; k++)
				for (int j = -1; j <= 1; j++) {
					int16_t e = expected[i + k * (int)b->w + j];

					low = e < low ? e : low;
					high = e > high ? e : high;
				}
			if (v > low - 2 * b->dev[i] && v < high + 2 * b->dev[i])
				b->raw[i] = 0;
		}
}

/* The stronger of luma and colour. */
VECTORS static void spread_row(uint8_t *restrict raw, const uint8_t *restrict hue, uint32_t w)
{
	for (uint32_t c = 0; c < w / 2; c++) {
		uint8_t h = hue[c];

		raw[2 * c] = raw[2 * c] > h ? raw[2 * c] : h;
		raw[2 * c + 1] = raw[2 * c + 1] > h ? raw[2 * c + 1] : h;
	}
	if (w & 1)
		raw[w - 1] = raw[w - 1] > hue[w / 2] ? raw[w - 1] : hue[w / 2];
}

/*
 * A border is where the difference is a third of what it is inside: what JPEG and the lens smear
 * around a thing is weaker, and is no part of it.
 */
VECTORS static void thin_row(const uint8_t *restrict up, const uint8_t *restrict mid,
			     const uint8_t *restrict down, const uint8_t *restrict raw,
			     uint8_t *restrict out, uint32_t w)
{
	out[0] = raw[0];
	for (uint32_t x = 1; x + 1 < w; x++) {
		uint8_t a = up[x] > down[x] ? up[x] : down[x], c;
		uint8_t l = mid[x - 1] > mid[x + 1] ? mid[x - 1] : mid[x + 1];

		c = up[x - 1] > up[x + 1] ? up[x - 1] : up[x + 1];
		a = a > c ? a : c;
		c = down[x - 1] > down[x + 1] ? down[x - 1] : down[x + 1];
		l = l > c ? l : c;
		a = a > l ? a : l;
		out[x] = mid[x] < a / THIN ? 0 : raw[x];
	}
	out[w - 1] = raw[w - 1];
}

VECTORS static uint32_t count_set(const uint8_t *row, uint32_t w)
{
	uint32_t n = 0;

	for (uint32_t x = 0; x < w; x++)
		n += row[x] != 0;
	return n;
}

static void thin(const struct sluice_background *b, uint8_t *out)
{
	uint32_t w = b->w;

	for (uint32_t y = 0; y < b->h; y++) {
		const uint8_t *mid = b->diff + (size_t)y * w;

		if (!any_set(b->raw + (size_t)y * w, w)) {
			memset(out + (size_t)y * w, 0, w);
			continue;
		}
		thin_row(y ? mid - w : mid, mid, y + 1 < b->h ? mid + w : mid,
			 b->raw + (size_t)y * w, out + (size_t)y * w, w);
	}
}

static const int16_t *light_up(struct sluice_background *b, const uint8_t *px)
{
	size_t n = (size_t)b->w * b->h;
	int16_t light[256];

	if (!sluice_light_fit(px, b->mean, n, light))
		return b->mean;
	for (size_t i = 0; i < n; i++) {
		int v = b->mean[i] + light[b->mean[i] >> 7];

		b->lit[i] = (int16_t)(v < 0 ? 0 : v > 255 * Q7 ? 255 * Q7 : v);
	}
	return b->lit;
}

/* At least five of the nine of a 3x3 neighbourhood; strong if one of them is. up, down: next lines.
 */
VECTORS static void vote_row(const uint8_t *restrict up, const uint8_t *restrict mid,
			     const uint8_t *restrict down, uint8_t *restrict out, uint32_t w)
{
	for (uint32_t x = 1; x + 1 < w; x++) {
		uint8_t s = 0, top = up[x] | mid[x - 1] | mid[x] | mid[x + 1] | down[x];

		s = (uint8_t)(s + (up[x - 1] != 0) + (up[x] != 0) + (up[x + 1] != 0));
		s = (uint8_t)(s + (mid[x - 1] != 0) + (mid[x] != 0) + (mid[x + 1] != 0));
		s = (uint8_t)(s + (down[x - 1] != 0) + (down[x] != 0) + (down[x + 1] != 0));
		out[x] = s < 5 ? 0 : (top & 2) ? 2 : 1;
	}
	out[0] = out[1];
	out[w - 1] = out[w - 2];
}

static uint32_t vote(const struct sluice_background *b, uint8_t *mask)
{
	uint32_t w = b->w, set = 0;
	bool before = false, here = any_set(b->raw, w), next;

	for (uint32_t y = 0; y < b->h; y++) {
		const uint8_t *mid = b->raw + (size_t)y * w;
		uint8_t *out = mask + (size_t)y * w;

		next = y + 1 < b->h && any_set(mid + w, w);
		if (!(before | here | next)) {
			memset(out, 0, w);
			here = next;
			continue;
		}
		before = here;
		here = next;
		vote_row(y ? mid - w : mid, mid, y + 1 < b->h ? mid + w : mid, out, w);
		set += count_set(out, w);
	}
	return set;
}

/* ---- learning ---- */

/* What is to become of each pixel. Foreground that stands still counts up its ticks; for how long
 * it has to, patience says, and where hold is set it is longer. how is what light has said already.
 */
VECTORS static void decide(uint8_t *restrict cand, uint8_t *restrict still, uint8_t *restrict how,
			   const uint8_t *restrict px, const uint8_t *restrict hold,
			   const uint8_t *restrict mask, uint8_t patience, uint8_t ticks, size_t n)
{
	uint8_t held_for = (uint8_t)(HELD_S * TICKS);

	for (size_t i = 0; i < n; i++) {
		uint8_t set = mask[i] != 0, p = px[i], c = cand[i], s = still[i];
		uint8_t far = p > c ? p - c : c - p, limit = hold[i] ? held_for : patience;
		uint8_t more = (uint8_t)(s > 255 - ticks ? 255 : s + ticks),
			calm = far < STILL_GREY;

		s = set & calm ? more : 0;
		cand[i] = set & calm ? c : p;
		how[i] = !set ? how[i] : s >= limit ? HOW_TAKE : hold[i] ? HOW_HELD : HOW_KEEP;
		still[i] = s >= limit ? 0 : s;
	}
}

static int16_t share_in(float dt, float tau)
{
	return (int16_t)lrintf(32767 * (1 - expf(-dt / tau)));
}

/* Whole steps; what is left is kept for the next time. */
static uint32_t steps_of(float *rest, float more)
{
	uint32_t whole;

	*rest += more;
	whole = (uint32_t)*rest;
	*rest -= (float)whole;
	return whole;
}

/* how: of the luma pixels, two for each of chroma. */
VECTORS static void learn_hue_row(const uint8_t *restrict px_b, const uint8_t *restrict px_r,
				  int16_t *restrict cb, int16_t *restrict cr, int16_t *restrict hue,
				  const uint8_t *restrict how, int16_t am, int16_t ad, uint32_t w)
{
	for (uint32_t x = 0; x < w; x++) {
		uint8_t h = how[2 * x];
		int16_t db = (int16_t)(px_b[x] * Q7 - cb[x]), dr = (int16_t)(px_r[x] * Q7 - cr[x]);
		int16_t share = keeps(h) ? 0 : h == HOW_TAKE ? 32767 : am;
		int16_t ub = db < 0 ? -db : db, ur = dr < 0 ? -dr : dr, v = hue[x];

		cb[x] = (int16_t)(cb[x] + move_by(db, share));
		cr[x] = (int16_t)(cr[x] + move_by(dr, share));
		ub = ub > ur ? ub : ur;
		hue[x] = h == HOW_LEARN ? (int16_t)(v + move_by(ub - v, ad)) : v;
	}
}

static void learn_hue(struct sluice_background *b, const struct sluice_gray *g,
		      const struct background_step *s)
{
	uint32_t cw = (b->w + 1) / 2, ch = (b->h + 1) / 2;

	for (uint32_t y = 0; y < ch; y++) {
		size_t c = (size_t)y * cw;

		learn_hue_row(g->cb + c, g->cr + c, b->cb + c, b->cr + c, b->hue + c,
			      b->how + (size_t)2 * y * b->w, s->mean, s->dev, cw);
	}
}

static void learn(struct sluice_background *b, const struct sluice_gray *g, const int16_t *expected,
		  float dt, const uint8_t *hold, bool quiet, const uint8_t *mask)
{
	size_t n = (size_t)b->w * b->h;
	struct background_step s = { .dt_s = dt,
				     .mean = share_in(dt, TAU_MEAN_S),
				     .dev = share_in(dt, TAU_DEV_S),
				     .light = share_in(dt, TAU_LIGHT_S) };
	uint32_t ticks;

	s.grow = (uint8_t)steps_of(&b->grow, 255 * fminf(dt, 1) / MODE_GROW_S);
	s.fade = (uint8_t)steps_of(&b->fade, 255 * fminf(dt, 1) / MODE_FADE_S);
	if (b->pictures < 8 && s.mean < (int)(32767 / (b->pictures + 1)))
		s.mean = (int16_t)(32767 / (b->pictures + 1));
	ticks = steps_of(&b->tick_s, dt * TICKS);
	for (size_t i = 0; i < n; i += b->w) {
		if (any_set(mask + i, b->w)) {
			decide(b->cand + i, b->still + i, b->how + i, g->px + i, hold + i, mask + i,
			       (uint8_t)((quiet ? QUIET_S : ABSORB_S) * TICKS),
			       (uint8_t)(ticks < 200 ? ticks : 200), b->w);
			continue;
		}
		memcpy(b->cand + i, g->px + i, b->w);
		memset(b->still + i, 0, b->w);
	}
	b->ops->learn(b->own, g->px, expected, b->how, &s, b->mean, b->dev, n);
	if (b->colour)
		learn_hue(b, g, &s);
}

/* ---- another scene, or the camera moved ---- */

#define CELLS 40

static void shrink(const struct sluice_background *b, const uint8_t *px, float cell[CELLS * CELLS])
{
	for (uint32_t cy = 0; cy < CELLS; cy++)
		for (uint32_t cx = 0; cx < CELLS; cx++) {
			uint32_t x1 = (cx + 1) * b->w / CELLS, y1 = (cy + 1) * b->h / CELLS, n = 0;
			float sum = 0;

			for (uint32_t y = cy * b->h / CELLS; y < y1; y++)
				for (uint32_t x = cx * b->w / CELLS; x < x1; x++, n++)
					sum += px ? px[(size_t)y * b->w + x]
						  : b->mean[(size_t)y * b->w + x] / (float)Q7;
			cell[cy * CELLS + cx] = n ? sum / n : 0;
		}
}

/* Correlation of the two where they overlap when the second is moved. */
static float alike(const float *p, const float *q, int dx, int dy)
{
	float sp = 0, sq = 0, pp = 0, qq = 0, pq = 0, n = 0;

	for (int y = dy > 0 ? dy : 0; y < CELLS && y - dy < CELLS; y++)
		for (int x = dx > 0 ? dx : 0; x < CELLS && x - dx < CELLS; x++) {
			float u = p[y * CELLS + x], v = q[(y - dy) * CELLS + x - dx];

			sp += u;
			sq += v;
			pp += u * u;
			qq += v * v;
			pq += u * v;
			n++;
		}
	pp -= sp * sp / n;
	qq -= sq * sq / n;
	return (pq - sp * sq / n) / sqrtf(pp * qq + 1e-3f);
}

static enum sluice_background_change change_of(const struct sluice_background *b, const uint8_t *px)
{
	float now[CELLS * CELLS], before[CELLS * CELLS], here, best = 0;

	shrink(b, px, now);
	shrink(b, NULL, before);
	here = alike(before, now, 0, 0);
	for (int dy = -MOVED_MAX; dy <= MOVED_MAX; dy++)
		for (int dx = -MOVED_MAX; dx <= MOVED_MAX; dx++)
			if (dx || dy)
				best = fmaxf(best, alike(before, now, dx, dy));
	return best > 0.8f && best > here + 0.1f ? SLUICE_CHANGE_CAMERA : SLUICE_CHANGE_SCENE;
}

/* ---- one picture ---- */

static void find(struct sluice_background *b, const struct sluice_gray *g, const int16_t *expected,
		 uint8_t *mask, struct sluice_background_result *r)
{
	size_t n = (size_t)b->w * b->h;

	compare(g->px, expected, b->mean, b->dev, b->raw, b->diff, n);
	if (b->ops->know)
		b->ops->know(b->own, g->px, expected, b->mean, b->dev, b->raw, n);
	forgive(b, g->px, expected);
	if (b->colour) {
		compare_hue(g->cb, g->cr, b->cb, b->cr, b->hue, b->hue_raw, b->hue_diff,
			    sluice_gray_chroma(g));
		for (uint32_t y = 0; y < b->h; y++) {
			size_t row = (size_t)y * b->w, hue = (size_t)(y / 2) * ((b->w + 1) / 2);

			spread_row(b->raw + row, b->hue_raw + hue, b->w);
			spread_row(b->diff + row, b->hue_diff + hue, b->w);
		}
	}
	memset(b->how, HOW_LEARN, n);
	r->light = (float)sluice_light_explain(g, expected, b->cb, b->cr, b->colourful, b->raw,
					       b->how) /
		   n;
	thin(b, mask);
	memcpy(b->raw, mask, n);
	r->foreground = vote(b, mask);
	b->any_lit = r->light > 0;
	if (b->any_lit) /* raw has done its work */
		memcpy(b->raw, b->how, n);
}

const uint8_t *sluice_background_lit(const struct sluice_background *b)
{
	return b->any_lit ? b->raw : NULL;
}

void sluice_background_frame(struct sluice_background *b, const struct sluice_gray *g, float dt_s,
			     const uint8_t *hold, bool quiet, uint8_t *mask,
			     struct sluice_background_result *r)
{
	size_t n = (size_t)b->w * b->h;
	const int16_t *expected;
	uint8_t lit;

	memset(r, 0, sizeof(*r));
	b->any_lit = false;
	if (!b->pictures || b->colour != (g->cb != NULL)) {
		begin(b, g);
		memset(mask, 0, n);
		r->learning = true;
		return;
	}
	dt_s = dt_s < 0 ? 0 : dt_s > 60 ? 60 : dt_s;
	b->age_s += dt_s;
	expected = light_up(b, g->px);
	find(b, g, expected, mask, r);
	/* a shadow that passes leaves no trace; a new light is followed */
	lit = r->light > LIGHT_LARGE ? HOW_LIGHT : b->pictures % 3 ? HOW_KEEP : HOW_LEARN;
	for (size_t i = 0; i < n && r->light > 0; i++)
		b->how[i] = b->how[i] ? lit : HOW_LEARN;
	r->learning = b->age_s < LEARN_S || b->pictures < 3;
	b->scene_run = r->foreground > SCENE_SHARE * n ? b->scene_run + 1 : 0;
	if (b->scene_run >= 2) {
		r->change = change_of(b, g->px);
		begin(b, g);
		memset(mask, 0, n);
		r->foreground = 0;
		return;
	}
	if (r->learning) {
		memset(mask, 0, n);
		r->foreground = 0;
	}
	learn(b, g, expected, dt_s, hold, quiet, mask);
	if (b->pictures < 1000)
		b->pictures++;
}

void sluice_background_absorb(struct sluice_background *b, const struct sluice_gray *g, uint32_t x0,
			      uint32_t y0, uint32_t x1, uint32_t y1)
{
	uint32_t cw = (b->w + 1) / 2;

	for (uint32_t y = y0; y < y1 && y < b->h; y++)
		for (uint32_t x = x0; x < x1 && x < b->w; x++) {
			size_t i = (size_t)y * b->w + x, c = (size_t)(y / 2) * cw + x / 2;

			b->mean[i] = (int16_t)(g->px[i] * Q7);
			b->still[i] = 0;
			if (!b->colour || !g->cb)
				continue;
			b->cb[c] = (int16_t)(g->cb[c] * Q7);
			b->cr[c] = (int16_t)(g->cr[c] * Q7);
		}
}

float sluice_background_edges(const struct sluice_background *b, const struct sluice_gray *g,
			      const uint8_t *mask, uint32_t x0, uint32_t y0, uint32_t x1,
			      uint32_t y1)
{
	float now = 0, before = 0;

	for (uint32_t y = y0 ? y0 - 1 : 0; y <= y1 && y + 1 < b->h; y++)
		for (uint32_t x = x0 ? x0 - 1 : 0; x <= x1 && x + 1 < b->w; x++) {
			size_t i = (size_t)y * b->w + x;

			if (!mask[i] != !mask[i + 1]) {
				now += (float)abs(g->px[i] - g->px[i + 1]);
				before += fabsf((float)(b->mean[i] - b->mean[i + 1])) / Q7;
			}
			if (!mask[i] != !mask[i + b->w]) {
				now += (float)abs(g->px[i] - g->px[i + b->w]);
				before += fabsf((float)(b->mean[i] - b->mean[i + b->w])) / Q7;
			}
		}
	return (now + 1) / (before + 1);
}
