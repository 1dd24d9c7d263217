// SPDX-License-Identifier: MIT
/*
 * blobs.c - foreground mask to boxes. Runs of every line are joined with touching runs of the line
 * above by union-find, so the cost is one pass over the mask plus the runs. The number of runs is
 * bounded by the picture (half its pixels), that of blobs by SLUICE_BLOBS_MAX: when there are more,
 * the smallest go. Boxes of one thing that the mask has broken (a head over a shirt that looks like
 * the wall) are joined when the gap is small against their size.
 */
#include <endian.h>
#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "cloud/background.h"
#include "cloud/blobs.h"
#include "cloud/vectors.h"

#define JOIN_SHARE  0.20f /* of the higher box's height */
#define JOIN_MAX    0.04f /* of the picture's width */
#define CRUMB	    8	  /* so much smaller than what it lies beside, ... */
#define CRUMB_REACH 0.2f  /* ... within this share of its width and height */
#define RIM	    3	  /* pixels around a piece in which shadow is looked for, and ... */
#define RIM_SHARE   250	  /* ... how small a piece is: one in so many of the picture */
#define STRONG_MIN  3	  /* pixels of a component that differ strongly, at least, and ... */
#define STRONG_PER  12	  /* ... one in so many */

struct run {
	uint32_t y, x0, x1; /* x1 exclusive */
	uint32_t parent;
	uint32_t area, strong;
};

struct comp {
	uint32_t x0, y0, x1, y1, area, strong;
};

struct sluice_blobs {
	uint32_t w, h;
	uint8_t *closed;
	uint8_t *high; /* a row, and one pixel more at each end */
	bool *any;     /* of each row of closed */
	struct run *runs;
	struct comp *comps;
	uint32_t run_max;
};

struct sluice_blobs *sluice_blobs_open(uint32_t w, uint32_t h)
{
	struct sluice_blobs *b = calloc(1, sizeof(*b));

	if (!b)
		return NULL;
	b->w = w;
	b->h = h;
	b->run_max = (w / 2 + 1) * h;
	b->closed = calloc((size_t)w * h, 1);
	b->high = calloc(w + 2, 1);
	b->any = calloc(h, sizeof(*b->any));
	b->runs = calloc(b->run_max, sizeof(*b->runs));
	b->comps = calloc(b->run_max, sizeof(*b->comps));
	if (!b->closed || !b->high || !b->any || !b->runs || !b->comps) {
		sluice_blobs_close(b);
		return NULL;
	}
	return b;
}

void sluice_blobs_close(struct sluice_blobs *b)
{
	if (!b)
		return;
	free(b->closed);
	free(b->high);
	free(b->any);
	free(b->runs);
	free(b->comps);
	free(b);
}

/* A pixel is set if it or one of its eight neighbours is. above and below: the row itself at the
 * borders. */
VECTORS static bool dilate_row(const uint8_t *restrict above, const uint8_t *restrict row,
			       const uint8_t *restrict below, uint8_t *restrict high,
			       uint8_t *restrict out, uint32_t w)
{
	uint8_t any = 0;

	/* one more at each end, so that no pixel is the last */
	high[0] = high[w + 1] = 0;
	for (size_t x = 0; x < w; x++)
		high[x + 1] = above[x] | row[x] | below[x];
	for (size_t x = 0; x < w; x++) {
		out[x] = high[x] | high[x + 1] | high[x + 2];
		any |= out[x];
	}
	return any;
}

static void dilate(struct sluice_blobs *b, const uint8_t *mask)
{
	uint32_t w = b->w, h = b->h;

	for (uint32_t y = 0; y < h; y++) {
		const uint8_t *row = mask + (size_t)y * w;

		b->any[y] = dilate_row(y ? row - w : row, row, y + 1 < h ? row + w : row, b->high,
				       b->closed + (size_t)y * w, w);
	}
}

static uint32_t root_of(struct run *r, uint32_t i)
{
	while (r[i].parent != i) {
		r[i].parent = r[r[i].parent].parent;
		i = r[i].parent;
	}
	return i;
}

static void count_run(struct run *r, const uint8_t *set)
{
	uint32_t area = 0, strong = 0;

	for (uint32_t x = r->x0; x < r->x1; x++) {
		area += set[x] != 0;
		strong += set[x] == SLUICE_MASK_STRONG;
	}
	r->area = area;
	r->strong = strong;
}

#define ONES  0x0101010101010101ull
#define HIGHS 0x8080808080808080ull

/* The next pixel from x on that is set, or w. */
static uint32_t next_set(const uint8_t *line, uint32_t x, uint32_t w)
{
	for (; x + 8 <= w; x += 8) {
		uint64_t v = le64toh(eight_at(line + x));

		if (v)
			return x + (uint32_t)__builtin_ctzll(v) / 8;
	}
	while (x < w && !line[x])
		x++;
	return x;
}

/* The next that is not, or w. */
static uint32_t next_clear(const uint8_t *line, uint32_t x, uint32_t w)
{
	for (; x + 8 <= w; x += 8) {
		uint64_t v = le64toh(eight_at(line + x)), clear = (v - ONES) & ~v & HIGHS;

		if (clear)
			return x + (uint32_t)__builtin_ctzll(clear) / 8;
	}
	while (x < w && line[x])
		x++;
	return x;
}

static uint32_t find_runs(struct sluice_blobs *b, const uint8_t *mask)
{
	struct run *r = b->runs;
	uint32_t n = 0, above = 0, above_end = 0;

	for (uint32_t y = 0; y < b->h; y++) {
		const uint8_t *line = b->closed + (size_t)y * b->w, *set = mask + (size_t)y * b->w;
		uint32_t first = n, k = above;

		for (uint32_t x = b->any[y] ? 0 : b->w; x < b->w;) {
			x = next_set(line, x, b->w);
			if (x == b->w)
				break;
			r[n] = (struct run){ .y = y, .x0 = x, .parent = n };
			x = next_clear(line, x, b->w);
			r[n].x1 = x;
			count_run(&r[n], set);
			while (k < above_end && r[k].x1 < r[n].x0)
				k++;
			for (uint32_t j = k; j < above_end && r[j].x0 <= r[n].x1; j++) {
				uint32_t p = root_of(r, j), q = root_of(r, n);

				if (p != q)
					r[q > p ? q : p].parent = q > p ? p : q;
			}
			n++;
		}
		above = first;
		above_end = n;
	}
	return n;
}

static uint32_t support_of(const struct sluice_blobs *b, const struct comp *c, const uint8_t *cells,
			   uint32_t gw, uint32_t gh)
{
	uint32_t x0, y0, x1, y1, n = 0;

	if (!cells || !gw || !gh)
		return 1;
	x0 = c->x0 * gw / b->w;
	x1 = ((c->x1 * gw) + b->w - 1) / b->w;
	y0 = c->y0 * gh / b->h;
	y1 = ((c->y1 * gh) + b->h - 1) / b->h;
	for (uint32_t y = y0; y < y1 && y < gh; y++)
		for (uint32_t x = x0; x < x1 && x < gw; x++) {
			uint32_t i = y * gw + x;

			n += cells[i / 8] >> (i & 7) & 1;
		}
	return n;
}

static bool any_cell(const struct sluice_blobs *b, const struct comp *c, const uint8_t *cells,
		     uint32_t gw, uint32_t gh)
{
	return cells && support_of(b, c, cells, gw, gh) > 0;
}

/* A small piece with more shadow around it than it has itself is the rim of the shadow. */
static bool in_rim(const struct sluice_blobs *b, const struct comp *c, const uint8_t *lit)
{
	uint32_t x0 = c->x0 > RIM ? c->x0 - RIM : 0, x1 = c->x1 + RIM < b->w ? c->x1 + RIM : b->w;
	uint32_t y0 = c->y0 > RIM ? c->y0 - RIM : 0, y1 = c->y1 + RIM < b->h ? c->y1 + RIM : b->h;
	uint32_t n = 0;

	if (c->area * RIM_SHARE > b->w * b->h)
		return false;
	for (uint32_t y = y0; y < y1; y++)
		for (uint32_t x = x0; x < x1; x++)
			n += lit[(size_t)y * b->w + x] != 0;
	return 2 * n > 3 * c->area;
}

/* One component per root; returns how many are blobs. The others are taken out of the mask. */
static uint32_t gather(struct sluice_blobs *b, uint32_t runs, uint32_t area_min, uint8_t *mask,
		       const uint8_t *lit, const uint8_t *cells, uint32_t gw, uint32_t gh)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < runs; i++) {
		struct run *r = &b->runs[i];
		struct comp *c = &b->comps[root_of(b->runs, i)];

		if (r->parent == i)
			*c = (struct comp){ r->x0, r->y, r->x1, r->y + 1, 0, 0 };
		c->x0 = r->x0 < c->x0 ? r->x0 : c->x0;
		c->x1 = r->x1 > c->x1 ? r->x1 : c->x1;
		c->y1 = r->y + 1;
		c->area += r->area;
		c->strong += r->strong;
	}
	for (uint32_t i = 0; i < runs; i++) {
		struct comp *c = &b->comps[i];

		if (b->runs[i].parent != i)
			continue;
		if (c->strong < STRONG_MIN || c->strong * STRONG_PER < c->area ||
		    c->area * 4 < area_min ||
		    (c->area < area_min && !any_cell(b, c, cells, gw, gh)) ||
		    (lit && in_rim(b, c, lit)))
			c->area = 0;
	}
	for (uint32_t i = 0; i < runs; i++) {
		const struct run *r = &b->runs[i];

		if (!b->comps[root_of(b->runs, i)].area)
			memset(mask + (size_t)r->y * b->w + r->x0, 0, r->x1 - r->x0);
	}
	for (uint32_t i = 0; i < runs; i++)
		if (b->runs[i].parent == i && b->comps[i].area)
			b->comps[n++] = b->comps[i];
	return n;
}

static int by_area(const void *p, const void *q)
{
	const struct comp *a = p, *b = q;

	return a->area < b->area ? 1 : a->area > b->area ? -1 : 0;
}

/* What two intervals share; negative: the gap between them. */
static float shared(uint32_t a0, uint32_t a1, uint32_t b0, uint32_t b1)
{
	return (float)(a1 < b1 ? a1 : b1) - (float)(a0 > b0 ? a0 : b0);
}

/* Parts of one thing lie above each other (a head, a shirt like the wall, legs); what stands side
 * by side is two things. Boxes that lie in each other are one. */
static bool near(const struct comp *a, const struct comp *b, float most)
{
	float wa = a->x1 - a->x0, ha = a->y1 - a->y0, wb = b->x1 - b->x0, hb = b->y1 - b->y0;
	float narrow = wa < wb ? wa : wb, limit = JOIN_SHARE * (ha > hb ? ha : hb);
	float x = shared(a->x0, a->x1, b->x0, b->x1), y = shared(a->y0, a->y1, b->y0, b->y1);

	limit = limit < most ? limit : most;
	return x > 0.5f * narrow && y >= -limit;
}

static uint32_t join(struct comp *c, uint32_t n, float most)
{
	bool again = true;

	while (again) {
		again = false;
		for (uint32_t i = 0; i < n; i++)
			for (uint32_t j = i + 1; j < n; j++) {
				if (!near(&c[i], &c[j], most))
					continue;
				c[i].x0 = c[j].x0 < c[i].x0 ? c[j].x0 : c[i].x0;
				c[i].y0 = c[j].y0 < c[i].y0 ? c[j].y0 : c[i].y0;
				c[i].x1 = c[j].x1 > c[i].x1 ? c[j].x1 : c[i].x1;
				c[i].y1 = c[j].y1 > c[i].y1 ? c[j].y1 : c[i].y1;
				c[i].area += c[j].area;
				c[j] = c[--n];
				again = true;
				j--;
			}
	}
	return n;
}

static float sharpness_of(const struct sluice_blobs *b, const struct comp *c, const uint8_t *px)
{
	uint64_t sum = 0;
	uint32_t n = 0;

	for (uint32_t y = c->y0 ? c->y0 : 1; y < c->y1 && y + 1 < b->h; y++)
		for (uint32_t x = c->x0 ? c->x0 : 1; x < c->x1 && x + 1 < b->w; x++) {
			const uint8_t *p = px + (size_t)y * b->w + x;
			int l = 4 * p[0] - p[-1] - p[1] - p[-(int)b->w] - p[b->w];

			sum += (uint64_t)(l * l);
			n++;
		}
	return n ? (float)sum / n : 0;
}

/* Crumbs beside something much larger (the rim of its shadow, a foot) are part of it. */
static uint32_t drop_crumbs(struct comp *c, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++)
		for (uint32_t j = n; j-- > 0;) {
			float reach =
				CRUMB_REACH * (float)((c[i].x1 - c[i].x0) + (c[i].y1 - c[i].y0));

			if (i == j || c[j].area * CRUMB > c[i].area ||
			    shared(c[i].x0, c[i].x1, c[j].x0, c[j].x1) < -reach ||
			    shared(c[i].y0, c[i].y1, c[j].y0, c[j].y1) < -reach)
				continue;
			c[j] = c[--n];
			if (i == n)
				i = j;
		}
	return n;
}

/* How many cells of the gate's its box is large. */
static float cells_of(const struct sluice_blobs *b, const struct comp *c, uint32_t gw, uint32_t gh)
{
	float share = (float)(c->x1 - c->x0) * (float)(c->y1 - c->y0) / (float)(b->w * b->h);

	return fmaxf(1, share * (float)gw * (float)gh);
}

static void look_of(const struct sluice_blobs *b, const struct comp *c, const uint8_t *mask,
		    const struct sluice_gray *g, float look[SLUICE_LOOKS])
{
	uint32_t cw = (g->w + 1) / 2, sum[SLUICE_LOOKS] = { 0 }, n[2] = { 0 };

	for (uint32_t y = c->y0; y < c->y1; y += 2)
		for (uint32_t x = c->x0; x < c->x1; x += 2) {
			size_t at = (size_t)y * b->w + x, ca = (size_t)(y / 2) * cw + x / 2;
			uint32_t low = 2 * y > c->y0 + c->y1;

			if (!mask[at])
				continue;
			n[low]++;
			sum[3 * low] += g->px[at];
			sum[3 * low + 1] += g->cb ? g->cb[ca] : 128;
			sum[3 * low + 2] += g->cr ? g->cr[ca] : 128;
		}
	for (uint32_t i = 0; i < SLUICE_LOOKS; i++)
		look[i] = n[i / 3] ? (float)sum[i] / n[i / 3] : 128;
}

uint32_t sluice_blobs_find(struct sluice_blobs *b, uint8_t *mask, const uint8_t *lit,
			   const struct sluice_gray *g, uint32_t area_min, const uint8_t *cells,
			   uint32_t grid_w, uint32_t grid_h,
			   struct sluice_blob out[SLUICE_BLOBS_MAX])
{
	uint32_t runs, n;

	dilate(b, mask);
	runs = find_runs(b, mask);
	n = gather(b, runs, area_min, mask, lit, cells, grid_w, grid_h);
	qsort(b->comps, n, sizeof(*b->comps), by_area);
	n = n < SLUICE_BLOBS_MAX ? n : SLUICE_BLOBS_MAX;
	n = join(b->comps, n, JOIN_MAX * b->w);
	n = drop_crumbs(b->comps, n);
	for (uint32_t i = 0; i < n; i++) {
		const struct comp *c = &b->comps[i];

		/* closing made every box a pixel larger on each side that the picture has */
		uint32_t l = c->x0 ? c->x0 + 1 : 0, t = c->y0 ? c->y0 + 1 : 0;
		uint32_t r = c->x1 < b->w ? c->x1 - 1 : b->w, m = c->y1 < b->h ? c->y1 - 1 : b->h;

		out[i] = (struct sluice_blob){
			.x = l,
			.y = t,
			.w = r > l ? r - l : 1,
			.h = m > t ? m - t : 1,
			.area = c->area,
			.support = support_of(b, c, cells, grid_w, grid_h),
			.sharpness = sharpness_of(b, c, g->px),
			.edges = 1,
		};
		out[i].busy = cells ? (float)out[i].support / cells_of(b, c, grid_w, grid_h) : 1;
		look_of(b, c, mask, g, out[i].look);
	}
	return n;
}
