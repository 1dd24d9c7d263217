// SPDX-License-Identifier: MIT
/* background_find.c - what differs from the background: steps (2) to (5) of background.c. */
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "cloud/background_state.h"

#define WEAK	    6.0f /* grey levels, least difference */
#define STRONG	    14.0f
#define DEV_FACTOR  3.2f  /* weak: in mean absolute deviations; strong: twice that */
#define DEV_MAX	    14.0f /* a flickering place does not go blind for everything */
#define LIGHT_SHARE 0.2f  /* of an explained change that raises the threshold */
#define THIN	    3	  /* a border differs by one in so many of its neighbour */
#define RESTLESS    3	  /* grey levels of deviation from which neighbours are asked */
#define DEV_WILD    8000  /* Q7: more of a deviation makes no difference */
#define HUE_WEAK    7.0f  /* of chroma */
#define HUE_STRONG  14.0f
#define HUES_SHARE  10	 /* one in so many of what differs does so in colour, ... */
#define HUES_LEAST  4000 /* ... and a chroma for so many pixels of the picture */

static int16_t q7(float grey)
{
	return (int16_t)(grey * Q7);
}

/* expected: the mean, if there is no other light. */
static inline void compare_in(bool light, const uint8_t *restrict px,
			      const int16_t *restrict expected, const int16_t *restrict mean,
			      const int16_t *restrict dev, uint8_t *restrict raw,
			      uint8_t *restrict diff, size_t n, float by)
{
	int16_t most = q7(DEV_MAX), weak = q7(WEAK * by), strong = q7(STRONG * by);
	int16_t factor = (int16_t)(DEV_FACTOR * 1024 * by), share = (int16_t)(LIGHT_SHARE * 32768);

	for (size_t i = 0; i < n; i++) {
		int16_t e = expected[i], d = (int16_t)(px[i] * Q7 - e);
		int16_t v = dev[i] < most ? dev[i] : most, t = (int16_t)((v * factor) >> 10),
			t2 = (int16_t)(t * 2), l = light ? (int16_t)(e - mean[i]) : 0;

		d = d < 0 ? -d : d;
		l = l < 0 ? -l : l;
		l = (int16_t)((l * share) >> 15);
		t = (int16_t)((t > weak ? t : weak) + l);
		t2 = (int16_t)((t2 > strong ? t2 : strong) + l);
		raw[i] = (uint8_t)((d > t) + (d > t2));
		diff[i] = (uint8_t)(d >> 7);
	}
}

VECTORS static void compare_lit(const uint8_t *restrict px, const int16_t *restrict expected,
				const int16_t *restrict mean, const int16_t *restrict dev,
				uint8_t *restrict raw, uint8_t *restrict diff, size_t n, float by)
{
	compare_in(true, px, expected, mean, dev, raw, diff, n, by);
}

VECTORS static void compare(const uint8_t *restrict px, const int16_t *restrict mean,
			    const int16_t *restrict dev, uint8_t *restrict raw,
			    uint8_t *restrict diff, size_t n, float by)
{
	compare_in(false, px, mean, mean, dev, raw, diff, n, by);
}

VECTORS static void compare_hue(const uint8_t *restrict px_b, const uint8_t *restrict px_r,
				const int16_t *restrict cb, const int16_t *restrict cr,
				const int16_t *restrict hue, uint8_t *restrict raw,
				uint8_t *restrict diff, size_t n, float by)
{
	int16_t weak = q7(HUE_WEAK * by), strong = q7(HUE_STRONG * by), most = q7(DEV_MAX);
	int16_t factor =
		(int16_t)(by < 2 ? 16384 * by : 32767); /* of v << 4, then the high half: 4 */

	for (size_t i = 0; i < n; i++) {
		int16_t b = (int16_t)(px_b[i] * Q7 - cb[i]), r = (int16_t)(px_r[i] * Q7 - cr[i]);
		int16_t v = (int16_t)((hue[i] < most ? hue[i] : most) << 4);
		int16_t t = (int16_t)((v * factor) >> 16), t2 = (int16_t)(t * 2);

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

VECTORS static bool any_set(const uint8_t *row, size_t w)
{
	uint8_t any = 0;

	for (size_t x = 0; x < w; x++)
		any |= row[x];
	return any;
}

bool background_any_set(const uint8_t *row, size_t n)
{
	return any_set(row, n);
}

/*
 * Where much varies (leaves, edges of a camera that shakes) a pixel that shows what a neighbour may
 * show is none that differs. expected: of the line, with one above and below; dev: at most
 * DEV_WILD, so that sums fit.
 */
VECTORS static void forgive_row(const uint8_t *restrict px, const int16_t *restrict expected,
				ptrdiff_t pitch, const int16_t *restrict dev, uint8_t *restrict raw,
				int16_t *restrict least, int16_t *restrict most, ptrdiff_t w)
{
	for (ptrdiff_t x = 0; x < w; x++) {
		int16_t a = expected[x - pitch], b = expected[x], c = expected[x + pitch];
		int16_t low = a < b ? a : b, high = a > b ? a : b;

		least[x] = low < c ? low : c;
		most[x] = high > c ? high : c;
	}
	for (ptrdiff_t x = 1; x < w - 1; x++) {
		int16_t low = least[x - 1] < least[x] ? least[x - 1] : least[x];
		int16_t high = most[x - 1] > most[x] ? most[x - 1] : most[x];
		int16_t v = (int16_t)(px[x] * Q7), d = dev[x] < DEV_WILD ? dev[x] : DEV_WILD;

		low = low < least[x + 1] ? low : least[x + 1];
		high = high > most[x + 1] ? high : most[x + 1];
		d = (int16_t)(2 * d);
		raw[x] = (d >= 2 * RESTLESS * Q7) & ((int16_t)(low - d) < v) &
					 ((int16_t)(v - d) < high)
				 ? 0
				 : raw[x];
	}
}

/* The part of a line of w pixels, some of which are set, that holds all that are and a pixel more
 * on each side; as long as vectors like it. */
static void span_of(const uint8_t *row, uint32_t w, uint32_t *from, uint32_t *to)
{
	uint32_t first = 0, last = w;

	while (first + 8 < w && !eight_at(row + first))
		first += 8;
	while (last > first + 8 && !eight_at(row + last - 8))
		last -= 8;
	*from = first ? (first - 1) & ~31u : 0;
	last = (last + 32) & ~31u;
	*to = last < w ? last : w;
}

static void forgive(const struct sluice_background *b, const uint8_t *px, const int16_t *expected)
{
	uint32_t from, to;

	for (uint32_t y = 1; y + 1 < b->h; y++) {
		size_t row = (size_t)y * b->w;

		if (!any_set(b->raw + row, b->w))
			continue;
		span_of(b->raw + row, b->w, &from, &to);
		row += from;
		forgive_row(px + row, expected + row, b->w, b->dev + row, b->raw + row, b->line,
			    b->line + b->w, to - from);
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
			     const uint8_t *restrict down, uint8_t *restrict raw, uint32_t w)
{
	for (uint32_t x = 1; x + 1 < w; x++) {
		uint8_t a = up[x] > down[x] ? up[x] : down[x], c;
		uint8_t l = mid[x - 1] > mid[x + 1] ? mid[x - 1] : mid[x + 1];

		c = up[x - 1] > up[x + 1] ? up[x - 1] : up[x + 1];
		a = a > c ? a : c;
		c = down[x - 1] > down[x + 1] ? down[x - 1] : down[x + 1];
		l = l > c ? l : c;
		a = a > l ? a : l;
		raw[x] &= when8((uint16_t)(THIN * (mid[x] + 1)) > a);
	}
}

VECTORS static uint32_t count_set(const uint8_t *row, uint32_t w)
{
	uint32_t n = 0;

	for (uint32_t x = 0; x < w; x++)
		n += row[x] != 0;
	return n;
}

static void thin(const struct sluice_background *b)
{
	uint32_t w = b->w;

	for (uint32_t y = 0; y < b->h; y++) {
		const uint8_t *mid = b->diff + (size_t)y * w;

		if (any_set(b->raw + (size_t)y * w, w))
			thin_row(y ? mid - w : mid, mid, y + 1 < b->h ? mid + w : mid,
				 b->raw + (size_t)y * w, w);
	}
}

const int16_t *background_light_up(struct sluice_background *b, const uint8_t *px)
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

/* A camera whose things have colours in a grey place shows colours: from then on they tell things
 * from shadows there, too. */
static bool colours_seen(const struct sluice_background *b, size_t n, size_t chroma)
{
	uint32_t hues = count_set(b->hue_raw, (uint32_t)chroma);

	return hues > n / HUES_LEAST && 4 * HUES_SHARE * hues > count_set(b->raw, (uint32_t)n);
}

void background_find(struct sluice_background *b, const struct sluice_gray *g,
		     const int16_t *expected, uint8_t *mask, struct sluice_background_result *r)
{
	const struct sluice_light_colour colours = { b->mean, b->cb, b->cr };
	size_t n = (size_t)b->w * b->h;
	uint32_t from, to;

	if (expected == b->mean)
		compare(g->px, b->mean, b->dev, b->raw, b->diff, n, b->threshold);
	else
		compare_lit(g->px, expected, b->mean, b->dev, b->raw, b->diff, n, b->threshold);
	for (size_t i = 0; b->ops->know && i < n; i += b->w) {
		if (!any_set(b->raw + i, b->w))
			continue;
		span_of(b->raw + i, b->w, &from, &to);
		b->ops->know(b->own, n, i + from, g->px, expected, b->mean, b->dev, b->raw,
			     to - from);
	}
	forgive(b, g->px, expected);
	if (b->colour) {
		compare_hue(g->cb, g->cr, b->cb, b->cr, b->hue, b->hue_raw, b->hue_diff,
			    sluice_gray_chroma(g), b->threshold);
		for (uint32_t y = 0; y < b->h; y++) {
			size_t row = (size_t)y * b->w, hue = (size_t)(y / 2) * ((b->w + 1) / 2);

			spread_row(b->raw + row, b->hue_raw + hue, b->w);
			spread_row(b->diff + row, b->hue_diff + hue, b->w);
		}
	}
	if (b->colour && !b->colourful)
		b->colourful = colours_seen(b, n, sluice_gray_chroma(g));
	memset(b->how, HOW_LEARN, n);
	r->light = (float)sluice_light_explain(g, expected, b->colourful ? &colours : NULL, b->raw,
					       b->how) /
		   (float)n;
	thin(b);
	r->foreground = vote(b, mask);
	b->any_lit = r->light > 0;
	if (b->any_lit) /* raw has done its work */
		memcpy(b->raw, b->how, n);
}
