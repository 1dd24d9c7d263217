// SPDX-License-Identifier: MIT
/*
 * background_light.c - light, of the whole picture and of parts of it.
 *
 * The whole: pixels are sorted by background brightness into classes; the median change of each is
 * a node of a piecewise linear curve (exposure, lamps that light everything).
 *
 * Parts: around each differing pixel a window of 5x5 is compared with the background there. If the
 * one is a multiple of the other but for noise (normalised correlation), or both are flat, and the
 * colour is the same, it is light. One window stands for four pixels. From there light is followed
 * to where windows see something else as well: rims and feet.
 */
#include <math.h>
#include <string.h>

#include "cloud/background_light.h"
#include "cloud/background_state.h"

#define CLASSES	    4
#define STRIDE	    7
#define RADIUS	    2
#define SIDE	    (2 * RADIUS + 1)
#define WIDE	    8
#define RATIO_MIN   0.35f
#define RATIO_MAX   2.4f
#define ALIKE	    0.7f  /* correlation */
#define FLAT	    10.0f /* variance below which a place has no structure of its own */
#define FLAT_HUE    30.0f /* ... of what is light on it, where the colour is the same */
#define FLAT_DARK   0.55f /* ... and a shadow on it is not darker, */
#define FLAT_BRIGHT 1.2f  /* ... nor a light brighter */
#define SAME_HUE    5.0f  /* levels of chroma */
#define ALIKE_HUE   0.45f /* correlation that is enough where the colour is the same, ... */
#define DARKEST	    0.5f  /* ... and how dark and bright that may be */
#define BRIGHTEST   1.9f
#define RIM_NOISE   0.06f /* ratios vary by so much where the light is the same */
#define RIM_LEAST   0.1f  /* what is fainter than this may be a thing as well */
#define RIM_LIGHT   0.06f /* of the picture: more of it is no shadow of a thing */
#define RIM_CELLS   3
#define DARKER	    0.08f /* so much darker than the light beside it, ... */
#define BRIGHTER    0.04f /* ... or brighter than the place, it still is light */
#define SMOOTH	    0.08f /* what is so near the mean light of its tile is lit so, ... */
#define SPREAD	    1.0f  /* ... or within so many standard deviations of it */
#define TILES	    10	  /* side by side, and above each other */
#define TILE_LEAST  40	  /* places of 2x2 pixels that say what light there is */
#define LEAST	    0.6f  /* grey levels; a smaller change of the whole is none */

/* Value below which half of the counted pixels lie, from a histogram over -255..255. */
static float median_of(const uint32_t hist[512], uint32_t total)
{
	uint32_t sum = 0;

	for (int i = 0; i < 511; i++) {
		if (sum + hist[i] > total / 2)
			return i - 255 - 0.5f + (total / 2.0f - sum) / hist[i];
		sum += hist[i];
	}
	return 0;
}

/* Of every STRIDE-th pixel: changes by class, and levels of the background. */
struct light_count {
	uint32_t change[CLASSES][512], level[256];
};

static inline void count_pixel(struct light_count *to, uint8_t px, int16_t mean)
{
	uint32_t m = (uint32_t)(mean + Q7 / 2) / Q7;

	to->change[m >> 6][px - (int)m + 255]++;
	to->level[m]++;
}

/* Two counts in turn: neighbours are alike, and no processor likes to wait for its last count. */
static uint32_t count_pixels(const uint8_t *px, const int16_t *mean, size_t n,
			     struct light_count to[2])
{
	size_t i = 0;

	memset(to, 0, 2 * sizeof(*to));
	for (; i + STRIDE < n; i += 2 * STRIDE) {
		count_pixel(&to[0], px[i], mean[i]);
		count_pixel(&to[1], px[i + STRIDE], mean[i + STRIDE]);
	}
	if (i < n)
		count_pixel(&to[0], px[i], mean[i]);
	for (size_t c = 0; c < CLASSES; c++)
		for (size_t k = 0; k < 512; k++)
			to->change[c][k] += to[1].change[c][k];
	for (size_t k = 0; k < 256; k++)
		to->level[k] += to[1].level[k];
	return (uint32_t)((n + STRIDE - 1) / STRIDE);
}

bool sluice_light_fit(const uint8_t *px, const int16_t *mean, size_t n, int16_t light[256])
{
	struct light_count is[2];
	uint32_t count[CLASSES] = { 0 }, total = count_pixels(px, mean, n, is);
	uint64_t brightness[CLASSES] = { 0 };
	float x[CLASSES], y[CLASSES], most = 0;
	int nodes = 0;

	memset(light, 0, 256 * sizeof(*light));
	for (uint32_t m = 0; m < 256; m++) {
		count[m >> 6] += is->level[m];
		brightness[m >> 6] += (uint64_t)m * is->level[m];
	}
	for (int c = 0; c < CLASSES; c++) {
		if (count[c] < total / 24)
			continue;
		x[nodes] = (float)((double)brightness[c] / count[c]);
		y[nodes] = median_of(is->change[c], count[c]);
		most = fmaxf(most, fabsf(y[nodes]));
		nodes++;
	}
	if (most < LEAST)
		return false;
	for (int v = 0, k = 0; v < 256; v++) {
		float l;

		while (k < nodes && x[k] < v)
			k++;
		if (k == 0)
			l = y[0] * (v + 8) / (x[0] + 8);
		else if (k == nodes)
			l = y[k - 1];
		else
			l = y[k - 1] + (y[k] - y[k - 1]) * (v - x[k - 1]) / (x[k] - x[k - 1]);
		light[v] = (int16_t)lrintf(l * Q7);
	}
	return true;
}

struct sums {
	float p, m, pp, mm, pm, n;
};

/* At the border of the picture, where the window is cut. */
static struct sums window_cut(const struct sluice_gray *g, const int16_t *expected, int cx, int cy)
{
	int x0 = cx > RADIUS ? cx - RADIUS : 0, y0 = cy > RADIUS ? cy - RADIUS : 0;
	int x1 = cx + RADIUS + 1 < (int)g->w ? cx + RADIUS + 1 : (int)g->w;
	int y1 = cy + RADIUS + 1 < (int)g->h ? cy + RADIUS + 1 : (int)g->h;
	int p = 0, m = 0, pp = 0, mm = 0, pm = 0;

	for (int y = y0; y < y1; y++) {
		const uint8_t *a = g->px + (size_t)y * g->w;
		const int16_t *b = expected + (size_t)y * g->w;

		for (int x = x0; x < x1; x++) {
			int u = a[x], v = b[x] >> 7;

			p += u;
			m += v;
			pp += u * u;
			mm += v * v;
			pm += u * v;
		}
	}
	return (struct sums){ p, m, pp, mm, pm, (float)((x1 - x0) * (y1 - y0)) };
}

/* Five lines of eight pixels, of which five count: that is what fits a vector. */
static struct sums window(const struct sluice_gray *g, const int16_t *expected, uint32_t cx,
			  uint32_t cy)
{
	static const int16_t counts[WIDE] = { -1, -1, -1, -1, -1 };
	int16_t u[SIDE * WIDE], v[SIDE * WIDE];
	int p = 0, m = 0, pp = 0, mm = 0, pm = 0;
	size_t at = (size_t)(cy - RADIUS) * g->w + cx - RADIUS;

	if (cx < RADIUS || cy < RADIUS || cx - RADIUS + WIDE > g->w || cy + RADIUS >= g->h)
		return window_cut(g, expected, (int)cx, (int)cy);
	for (uint32_t y = 0; y < SIDE; y++, at += g->w)
		for (uint32_t x = 0; x < WIDE; x++) {
			u[y * WIDE + x] = (int16_t)(g->px[at + x] & counts[x]);
			v[y * WIDE + x] = (int16_t)((expected[at + x] >> 7) & counts[x]);
		}
	for (uint32_t i = 0; i < SIDE * WIDE; i++) {
		p += u[i];
		m += v[i];
		pp += u[i] * u[i];
		mm += v[i] * v[i];
		pm += u[i] * v[i];
	}
	return (struct sums){ p, m, pp, mm, pm, SIDE * SIDE };
}

/* Is the window at x, y the background in another light? Where colour has already said that it may
 * be, less is asked. */
static bool is_light(const struct sluice_gray *g, const int16_t *expected, bool hue, uint32_t x,
		     uint32_t y)
{
	struct sums s = window(g, expected, x, y);
	float mp = s.p / s.n, mm = s.m / s.n, ratio = (mp + 2) / (mm + 2);
	float vp = s.pp / s.n - mp * mp, vm = s.mm / s.n - mm * mm, both = s.pm / s.n - mp * mm;

	if (ratio < RATIO_MIN || ratio > RATIO_MAX)
		return false;
	if (vm < FLAT)
		return (hue && vp < FLAT_HUE) ||
		       (vp < FLAT + 0.5f * vm && ratio > FLAT_DARK && ratio < FLAT_BRIGHT);
	/* alike, and of the contrast that this light gives */
	return both > (hue ? ALIKE_HUE : ALIKE) * sqrtf(vp * vm) &&
	       (hue || both > 0.4f * ratio * vm);
}

static float square(float v)
{
	return v * v;
}

/* Brightness and colour of the 2x2 pixels at x, y are those of the background times a light. Chroma
 * may stay or be scaled with the light, that of the whole picture too: cameras do both. */
static bool same_hue(const struct sluice_gray *g, const int16_t *expected,
		     const struct sluice_light_colour *is, uint32_t x, uint32_t y)
{
	size_t c = (size_t)(y / 2) * ((g->w + 1) / 2) + x / 2, i = (size_t)y * g->w + x;
	float k = (g->px[i] + 2.0f) / (expected[i] / (float)Q7 + 2), b, r, stays, scales;

	if (k < DARKEST || k > BRIGHTEST)
		return false;
	b = is->cb[c] / (float)Q7 - 128;
	r = is->cr[c] / (float)Q7 - 128;
	k = (g->px[i] + 2.0f) / (is->mean[i] / (float)Q7 + 2);
	stays = square(g->cb[c] - 128 - b) + square(g->cr[c] - 128 - r);
	scales = square(g->cb[c] - 128 - k * b) + square(g->cr[c] - 128 - k * r);
	return fminf(stays, scales) <= SAME_HUE * SAME_HUE;
}

/* In a flat place: between the light of the place and a shadow on it. What is brighter than the
 * place is asked for more: it may be a faint thing. */
static bool is_rim(const struct sluice_gray *g, const int16_t *expected, uint32_t cx, uint32_t cy)
{
	uint32_t x0 = cx > RADIUS ? cx - RADIUS : 0, y0 = cy > RADIUS ? cy - RADIUS : 0;
	uint32_t x1 = cx + RADIUS + 1 < g->w ? cx + RADIUS + 1 : g->w;
	uint32_t y1 = cy + RADIUS + 1 < g->h ? cy + RADIUS + 1 : g->h;
	float least = RATIO_MAX, most = 0, m = 0, mm = 0, n = (float)((x1 - x0) * (y1 - y0));

	for (uint32_t y = y0; y < y1; y++)
		for (uint32_t x = x0; x < x1; x++) {
			size_t i = (size_t)y * g->w + x;
			float v = expected[i] / (float)Q7, ratio = (g->px[i] + 2) / (v + 2);

			least = fminf(least, ratio);
			most = fmaxf(most, ratio);
			m += v;
			mm += v * v;
		}
	m /= n;
	if (mm / n - m * m >= FLAT)
		return false;
	return least > FLAT_DARK && least < 1 - RIM_LEAST && most < 1 + RIM_NOISE;
}

/* Takes out the 2x2 pixels at x, y. Returns how many differed. */
static uint32_t take_out(const struct sluice_gray *g, uint32_t x, uint32_t y, uint8_t *raw,
			 uint8_t *explained, uint8_t as)
{
	size_t at = (size_t)y * g->w + x;
	uint32_t wide = x + 1 < g->w, high = y + 1 < g->h ? g->w : 0, n = 0;
	const size_t four[4] = { at, at + wide, at + high, at + high + wide };

	for (int k = 0; k < 4; k++) {
		n += raw[four[k]] != 0;
		raw[four[k]] = 0;
		explained[four[k]] = as;
	}
	return n;
}

static bool differs(const struct sluice_gray *g, const uint8_t *raw, uint32_t x, uint32_t y)
{
	size_t at = (size_t)y * g->w + x;
	uint32_t wide = x + 1 < g->w, high = y + 1 < g->h ? g->w : 0;

	return raw[at] | raw[at + wide] | raw[at + high] | raw[at + high + wide];
}

/* Of the lines y and y + 1: where, from x on, 2x2 pixels are that differ; g->w or more: nowhere. */
static uint32_t next_differing(const struct sluice_gray *g, const uint8_t *raw, uint32_t x,
			       uint32_t y)
{
	const uint8_t *row = raw + (size_t)y * g->w, *low = y + 1 < g->h ? row + g->w : row;

	if (!x && !background_any_set(row, (size_t)(low - row) + g->w))
		return g->w;
	while (x + WIDE <= g->w && !(eight_at(row + x) | eight_at(low + x)))
		x += WIDE;
	while (x < g->w && !differs(g, raw, x, y))
		x += 2;
	return x;
}

/* Of the 2x2 pixels at x, y: what light makes of the background. */
static float ratio_at(const struct sluice_gray *g, const int16_t *expected, uint32_t x, uint32_t y)
{
	size_t at = (size_t)y * g->w + x;
	uint32_t wide = x + 1 < g->w, high = y + 1 < g->h ? g->w : 0;
	int p = g->px[at] + g->px[at + wide] + g->px[at + high] + g->px[at + high + wide];
	int m = expected[at] + expected[at + wide] + expected[at + high] +
		expected[at + high + wide];

	return ((float)p + 8) / ((float)m / Q7 + 8);
}

/* The mean light of what was explained beside x, y before this step; 0: nothing was. */
static float light_beside(const struct sluice_gray *g, const int16_t *expected,
			  const uint8_t *explained, uint32_t x, uint32_t y, uint8_t step)
{
	float sum = 0;
	int n = 0;

	for (uint32_t v = y > 1 ? y - 2 : 0; v <= y + 2 && v < g->h; v += 2)
		for (uint32_t u = x > 1 ? x - 2 : 0; u <= x + 2 && u < g->w; u += 2) {
			uint8_t since = explained[(size_t)v * g->w + u];

			if (!since || since > step)
				continue;
			sum += ratio_at(g, expected, u, v);
			n++;
		}
	return n ? sum / (float)n : 0;
}

/*
 * Does the light go on at x, y? What no window explains lies at a shadow's rim, which has a
 * structure that the place has not, or at the feet of who throws it, where a window sees him too.
 * Where colour tells, it is enough that it is the place's and as bright as the place, the shadow
 * or something between them.
 */
static bool goes_on(const struct sluice_gray *g, const int16_t *expected,
		    const struct sluice_light_colour *hue, const uint8_t *explained, uint32_t x,
		    uint32_t y, uint8_t step)
{
	float light = light_beside(g, expected, explained, x, y, step), k;

	if (light <= 0)
		return false;
	if (!hue)
		return is_rim(g, expected, x, y);
	k = ratio_at(g, expected, x, y);
	return k > fminf(light, 1) - DARKER && k < fmaxf(light, 1) + BRIGHTER &&
	       same_hue(g, expected, hue, x, y);
}

/* From what is explained light is followed for RIM_CELLS. */
static uint32_t explain_rims(const struct sluice_gray *g, const int16_t *expected,
			     const struct sluice_light_colour *hue, uint8_t *raw,
			     uint8_t *explained)
{
	uint32_t n = 0, before;
	uint8_t step = 1;

	do {
		before = n;
		for (uint32_t y = 0; y < g->h; y += 2)
			for (uint32_t x = next_differing(g, raw, 0, y); x < g->w;
			     x = next_differing(g, raw, x + 2, y))
				if (goes_on(g, expected, hue, explained, x, y, step))
					n += take_out(g, x, y, raw, explained, step + 1);
	} while (n > before && step++ < RIM_CELLS);
	return n;
}

/* Of a tile of the picture: the lights that were found in it; then which ratios are one of them. */
struct tile {
	float sum, squares, n;
	float mean, reach;
};

static struct tile *tile_of(struct tile tile[TILES][TILES], const struct sluice_gray *g, uint32_t x,
			    uint32_t y)
{
	return &tile[y * TILES / g->h][x * TILES / g->w];
}

static void find_lights(const struct sluice_gray *g, const int16_t *expected,
			const uint8_t *explained, struct tile tile[TILES][TILES])
{
	memset(tile, 0, TILES * sizeof(tile[0]));
	for (uint32_t y = 0; y < g->h; y += 2)
		for (uint32_t x = 0; x < g->w; x += 2) {
			struct tile *t = tile_of(tile, g, x, y);
			float k;

			if (!explained[(size_t)y * g->w + x])
				continue;
			k = ratio_at(g, expected, x, y);
			t->sum += k;
			t->squares += k * k;
			t->n++;
		}
}

/* From the lights in the tile and in those around it; reach 0: too few say what light there is. */
static void know_lights(struct tile tile[TILES][TILES], int row, int col)
{
	struct tile all = { 0 }, *t = &tile[row][col];

	for (int j = row - 1; j <= row + 1; j++)
		for (int i = col - 1; i <= col + 1; i++) {
			if (i < 0 || j < 0 || i >= TILES || j >= TILES)
				continue;
			all.sum += tile[j][i].sum;
			all.squares += tile[j][i].squares;
			all.n += tile[j][i].n;
		}
	if (all.n < TILE_LEAST)
		return;
	t->mean = all.sum / all.n;
	t->reach = sqrtf(fmaxf(0, all.squares / all.n - t->mean * t->mean));
	t->reach = fmaxf(SPREAD * t->reach, SMOOTH);
}

/*
 * The edge of a cloud changes places that do not look alike afterwards (a bright sky, in which the
 * camera sees structure that it had not seen). What is left there is light if it is as dark or as
 * bright as what was explained around it.
 */
static uint32_t explain_more(const struct sluice_gray *g, const int16_t *expected, uint8_t *raw,
			     uint8_t *explained)
{
	struct tile tile[TILES][TILES];
	uint32_t n = 0;

	find_lights(g, expected, explained, tile);
	for (int i = 0; i < TILES * TILES; i++)
		know_lights(tile, i / TILES, i % TILES);
	for (uint32_t y = 0; y < g->h; y += 2)
		for (uint32_t x = next_differing(g, raw, 0, y); x < g->w;
		     x = next_differing(g, raw, x + 2, y)) {
			const struct tile *t = tile_of(tile, g, x, y);

			if (fabsf(ratio_at(g, expected, x, y) - t->mean) < t->reach)
				n += take_out(g, x, y, raw, explained, 1);
		}
	return n;
}

uint32_t sluice_light_explain(const struct sluice_gray *g, const int16_t *expected,
			      const struct sluice_light_colour *hue, uint8_t *raw,
			      uint8_t *explained)
{
	uint32_t n = 0;

	for (uint32_t y = 0; y < g->h; y += 2)
		for (uint32_t x = next_differing(g, raw, 0, y); x < g->w;
		     x = next_differing(g, raw, x + 2, y))
			if ((!hue || same_hue(g, expected, hue, x, y)) &&
			    is_light(g, expected, hue != NULL, x, y))
				n += take_out(g, x, y, raw, explained, 1);
	if (n && (hue || n < RIM_LIGHT * g->w * g->h))
		n += explain_rims(g, expected, hue, raw, explained);
	if (n >= RIM_LIGHT * g->w * g->h)
		n += explain_more(g, expected, raw, explained);
	return n;
}
