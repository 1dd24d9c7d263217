// SPDX-License-Identifier: MIT
/*
 * portrait.c - see portrait.h. A cell is one pixel at its middle: what a thing looks like changes
 * more with its next step than with the noise of a pixel.
 */
#include "cloud/portrait.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>

#define COLS	  SLUICE_PORTRAIT_COLS
#define ROWS	  SLUICE_PORTRAIT_ROWS
#define ONE	  16   /* a grey level */
#define ALWAYS	  4096 /* part of the thing in every picture */
#define VIEWS_MAX 6    /* a new picture counts for at least one in so many */
#define NEARER	  4.0f /* grey levels that the farthest place must be more like it */

/* A cell that is mostly part of the thing, at its place in the picture. */
struct spot {
	int x, y;
	const uint16_t *px;
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

/* Sum over the spots, moved by dx, dy; above limit it is not finished. */
static int apart_at(const struct sluice_portrait_sitting *s, const struct spot *spot, int count,
		    int dx, int dy, int limit)
{
	const int most = SLUICE_PORTRAIT_APART * ONE;
	int sum = 0;

	for (int i = 0; i < count && sum <= limit; i++) {
		int x = spot[i].x + dx, y = spot[i].y + dy, seen[3], d = most;

		if (is_set(s, x, y)) {
			see(s->g, x, y, seen);
			d = abs(seen[0] - spot[i].px[0]) + abs(seen[1] - spot[i].px[1]) +
			    abs(seen[2] - spot[i].px[2]);
		}
		sum += d < most ? d : most;
	}
	return sum;
}

float sluice_portrait_find(const struct sluice_portrait *p, const struct sluice_portrait_sitting *s,
			   int reach_x, int reach_y, float *x, float *y, float w, float h)
{
	struct spot spot[SLUICE_PORTRAIT_CELLS];
	int count = 0, least, best, best_x = 0, best_y = 0;

	for (int i = 0; i < SLUICE_PORTRAIT_CELLS; i++)
		if (p->cell[i].sure >= ALWAYS / 2)
			spot[count++] =
				(struct spot){ place(*x, w, i % COLS, COLS),
					       place(*y, h, i / COLS, ROWS), p->cell[i].px };
	if (!count)
		return SLUICE_PORTRAIT_APART;
	best = least = apart_at(s, spot, count, 0, 0, INT32_MAX);
	for (int dy = -reach_y; dy <= reach_y; dy++)
		for (int dx = -reach_x; dx <= reach_x; dx++) {
			float far = hypotf((float)dx / (float)(reach_x + 1),
					   (float)dy / (float)(reach_y + 1));
			int extra = (int)(NEARER * ONE * far * (float)count), sum;

			sum = apart_at(s, spot, count, dx, dy, least - extra);
			if (sum + extra >= least)
				continue;
			least = sum + extra;
			best = sum;
			best_x = dx;
			best_y = dy;
		}
	*x += (float)best_x;
	*y += (float)best_y;
	return (float)best / (float)(count * ONE);
}
