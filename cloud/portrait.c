// SPDX-License-Identifier: MIT
/*
 * portrait.c - see portrait.h. A cell is one pixel at its middle: what a thing looks like changes
 * more with its next step than with the noise of a pixel.
 *
 * It is looked for at all places of a window at once: what a cell is compared with there is a block
 * of the picture. Blocks begin at even pixels of a line, so that their chroma does too.
 */
#include "cloud/portrait.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "cloud/vectors.h"

#define COLS	  SLUICE_PORTRAIT_COLS
#define ROWS	  SLUICE_PORTRAIT_ROWS
#define ONE	  16   /* a grey level */
#define ALWAYS	  4096 /* part of the thing in every picture */
#define VIEWS_MAX 6    /* a new picture counts for at least one in so many */
#define NEARER	  4.0f /* grey levels that the farthest place must be more like it */
#define MOST	  (SLUICE_PORTRAIT_APART * ONE)
#define TOGETHER  (65535 / MOST) /* cells whose differences fit 16 bits */
#define WIDE	  32		 /* pixels of a block, and ... */
#define PLACES	  (WIDE - 2)	 /* ... how many of a line are of use, wherever they begin */
#define LINES	  8

/* A cell that is mostly part of the thing, at its place in the picture. */
struct spot {
	int x, y;
	const uint16_t *px;
};

/* What it is compared with: lines of WIDE pixels, of chroma half as many. */
struct block {
	const uint8_t *px, *set, *cb, *cr;
	size_t pitch, chroma_pitch;
	uint32_t half; /* 1: the first line is the second one of its chroma's */
};

/* The pixels of one that reaches out of the picture. */
struct border {
	uint8_t px[LINES][WIDE], set[LINES][WIDE];
	uint8_t cb[LINES / 2 + 1][WIDE / 2], cr[LINES / 2 + 1][WIDE / 2];
};

static int place(float start, float size, int i, int of)
{
	return (int)floorf(start + ((float)i + 0.5f) * size / (float)of);
}

static bool is_set(const struct sluice_portrait_sitting *s, int x, int y)
{
	return x >= 0 && y >= 0 && x < (int)s->g->w && y < (int)s->g->h &&
	       s->mask[(size_t)y * s->g->w + (size_t)x];
}

/* What is seen at a pixel in the picture, in ONEs. */
static void see(const struct sluice_gray *g, int x, int y, int px[3])
{
	size_t ch = (size_t)(y / 2) * ((g->w + 1) / 2) + (size_t)(x / 2);

	px[0] = g->px[(size_t)y * g->w + (size_t)x] * ONE;
	px[1] = (g->cb ? g->cb[ch] : 128) * ONE;
	px[2] = (g->cr ? g->cr[ch] : 128) * ONE;
}

static void move(uint16_t *to, int value, int views)
{
	*to = (uint16_t)(*to + (value - *to) / views);
}

void sluice_portrait_learn(struct sluice_portrait *p, const struct sluice_portrait_sitting *s,
			   float x, float y, float w, float h)
{
	int views, seen[3];

	p->views += p->views < VIEWS_MAX;
	views = (int)p->views;
	for (int i = 0; i < SLUICE_PORTRAIT_CELLS; i++) {
		struct sluice_portrait_cell *c = &p->cell[i];
		int cx = place(x, w, i % COLS, COLS), cy = place(y, h, i / COLS, ROWS);
		bool set = is_set(s, cx, cy), first = !c->sure;

		move(&c->sure, set ? ALWAYS : 0, views);
		if (!set)
			continue;
		see(s->g, cx, cy, seen);
		for (int k = 0; k < 3; k++)
			move(&c->px[k], seen[k], first ? 1 : views);
	}
}

static inline int16_t gap(uint8_t seen, int16_t known)
{
	int16_t d = (int16_t)(seen * ONE - known);

	return d < 0 ? -d : d;
}

/* Adds how much each pixel differs from a cell's. */
VECTORS static void add_block(const struct block *block, const uint16_t known[3], int lines,
			      uint16_t sum[restrict LINES][WIDE])
{
	int16_t y = (int16_t)known[0], b = (int16_t)known[1], r = (int16_t)known[2];
	int16_t hue[LINES][WIDE];

	for (uint32_t l = 0; l < (uint32_t)lines; l++) {
		size_t at = ((l + block->half) / 2) * block->chroma_pitch;
		const uint8_t *cb = block->cb + at, *cr = block->cr + at;

		for (size_t k = 0; k < WIDE / 2; k++)
			hue[l][2 * k] = hue[l][2 * k + 1] =
				(int16_t)(gap(cb[k], b) + gap(cr[k], r));
	}
	for (uint32_t l = 0; l < (uint32_t)lines; l++) {
		const uint8_t *px = block->px + l * block->pitch;
		const uint8_t *set = block->set + l * block->pitch;

		for (size_t k = 0; k < WIDE; k++) {
			int16_t d = (int16_t)(gap(px[k], y) + hue[l][k]);
			int16_t least = (int16_t)(when16(!set[k]) & MOST);

			d = d > least ? d : least;
			sum[l][k] = (uint16_t)(sum[l][k] + (d < MOST ? d : MOST));
		}
	}
}

static int at_most(int n, int most)
{
	return n < most ? n : most;
}

static struct block border_at(const struct sluice_portrait_sitting *s, int x, int y, int lines,
			      struct border *own)
{
	const struct sluice_gray *g = s->g;
	int from = x < 0 ? at_most(-x, WIDE) : 0, to = at_most((int)g->w - x, WIDE), half = y & 1;

	memset(own->set, 0, sizeof(own->set));
	for (int l = y < 0 ? -y : 0; l < lines && y + l < (int)g->h && from < to; l++) {
		size_t at = (size_t)(y + l) * g->w + (size_t)(x + from), n = (size_t)(to - from);
		size_t ch = (size_t)((y + l) / 2) * ((g->w + 1) / 2) + (size_t)((x + from) / 2);
		uint8_t *cb = own->cb[(l + half) / 2] + from / 2;
		uint8_t *cr = own->cr[(l + half) / 2] + from / 2;

		memcpy(own->px[l] + from, g->px + at, n);
		memcpy(own->set[l] + from, s->mask + at, n);
		if (g->cb) {
			memcpy(cb, g->cb + ch, (n + 1) / 2);
			memcpy(cr, g->cr + ch, (n + 1) / 2);
		} else {
			memset(cb, 128, (n + 1) / 2);
			memset(cr, 128, (n + 1) / 2);
		}
	}
	return (struct block){ own->px[0], own->set[0], own->cb[0],    own->cr[0],
			       WIDE,	   WIDE / 2,	(uint32_t)half };
}

/* From the even x on. */
static struct block block_at(const struct sluice_portrait_sitting *s, int x, int y, int lines,
			     struct border *own)
{
	static const uint8_t grey[WIDE / 2] = { 128, 128, 128, 128, 128, 128, 128, 128,
						128, 128, 128, 128, 128, 128, 128, 128 };
	const struct sluice_gray *g = s->g;
	size_t at, ch, cw = (g->w + 1) / 2;

	if (x < 0 || y < 0 || x + WIDE > (int)g->w || y + lines > (int)g->h)
		return border_at(s, x, y, lines, own);
	at = (size_t)y * g->w + (size_t)x;
	ch = (size_t)(y / 2) * cw + (size_t)(x / 2);
	if (!g->cb)
		return (struct block){ g->px + at, s->mask + at, grey, grey, g->w, 0, 0 };
	return (struct block){ g->px + at, s->mask + at, g->cb + ch, g->cr + ch, g->w, cw, y & 1 };
}

/* The window from dx, dy on: how much all spots differ together, moved by so much. */
static void sum_window(const struct sluice_portrait_sitting *s, const struct spot *spot, int count,
		       int dx, int dy, int lines, int sum[LINES][PLACES])
{
	uint16_t part[2][LINES][WIDE]; /* of even dx and x together, and of odd ones */
	struct border border;

	memset(sum, 0, LINES * sizeof(*sum));
	for (int i = 0; i < count;) {
		int end = at_most(count, i + TOGETHER);

		memset(part, 0, sizeof(part));
		for (; i < end; i++) {
			int x = spot[i].x + dx, odd = x & 1;
			struct block b = block_at(s, x - odd, spot[i].y + dy, lines, &border);

			add_block(&b, spot[i].px, lines, part[odd]);
		}
		for (int l = 0; l < lines; l++)
			for (int k = 0; k < PLACES; k++)
				sum[l][k] += part[0][l][k] + part[1][l][k + 1];
	}
}

/* Where it fits best so far. Far places cost. */
struct best {
	int reach_x, reach_y, count;
	int least; /* sum and cost */
	int sum, dx, dy;
};

static void consider(struct best *b, int dx, int dy, int sum)
{
	float far;
	int cost;

	if (sum > b->least)
		return;
	far = hypotf((float)dx / (float)(b->reach_x + 1), (float)dy / (float)(b->reach_y + 1));
	cost = (int)(NEARER * ONE * far * (float)b->count);
	/* among likes the one in the middle, else the first */
	if (sum > b->least - cost || (sum == b->least - cost && cost))
		return;
	b->least = sum + cost;
	b->sum = sum;
	b->dx = dx;
	b->dy = dy;
}

float sluice_portrait_find(const struct sluice_portrait *p, const struct sluice_portrait_sitting *s,
			   int reach_x, int reach_y, float *x, float *y, float w, float h)
{
	struct best best = { reach_x, reach_y, 0, INT32_MAX, 0, 0, 0 };
	struct spot spot[SLUICE_PORTRAIT_CELLS];
	int sum[LINES][PLACES], col[COLS];

	for (int i = 0; i < COLS; i++)
		col[i] = place(*x, w, i, COLS);
	for (int i = 0; i < SLUICE_PORTRAIT_CELLS; i++)
		if (p->cell[i].sure >= ALWAYS / 2)
			spot[best.count++] =
				(struct spot){ col[i % COLS], place(*y, h, i / COLS, ROWS),
					       p->cell[i].px };
	if (!best.count)
		return SLUICE_PORTRAIT_APART;
	for (int dy = -reach_y; dy <= reach_y; dy += LINES)
		for (int dx = -reach_x; dx <= reach_x; dx += PLACES) {
			int lines = at_most(reach_y - dy + 1, LINES);
			int places = at_most(reach_x - dx + 1, PLACES);

			sum_window(s, spot, best.count, dx, dy, lines, sum);
			for (int l = 0; l < lines; l++)
				for (int k = 0; k < places; k++)
					consider(&best, dx + k, dy + l, sum[l][k]);
		}
	*x += (float)best.dx;
	*y += (float)best.dy;
	return (float)best.sum / (float)(best.count * ONE);
}
