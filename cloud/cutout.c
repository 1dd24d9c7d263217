// SPDX-License-Identifier: MIT
/*
 * cutout.c - see cutout.h. Works on blocks of 2x2, for which luma and chroma differ together. What
 * the light has done since the ground was made is taken out by the median difference of the margin,
 * in which little is but ground; the spread there says how much is noise. A block is taken as far
 * as those around it differ (5x5), so holes close, specks go, and edges are soft; towards the end
 * of the margin nothing is taken.
 */
#include "cloud/cutout.h"

#include <stdbool.h>
#include <stdlib.h>

#define NOISE  4  /* least that counts as a difference: this many times the spread, */
#define FLOOR  10 /* and never less */
#define AROUND 2  /* blocks */
#define LOW    4  /* of the 25 around differ: nothing of the block is taken */
#define HIGH   13 /* all of it is */

/* The part that is looked at, in blocks. */
struct part {
	int x0, y0, w, h;
	int mx, my; /* margin */
};

static int clamp(int v, int low, int high)
{
	return v < low ? low : v > high ? high : v;
}

static void find_part(const struct sluice_picture *p, int x, int y, int w, int h, struct part *part)
{
	int x1, y1;

	part->mx = 3 + w / 16;
	part->my = 3 + h / 16;
	part->x0 = clamp(x / 2 - part->mx, 0, (int)p->w / 2);
	part->y0 = clamp(y / 2 - part->my, 0, (int)p->h / 2);
	x1 = clamp((x + w + 1) / 2 + part->mx, part->x0, (int)p->w / 2);
	y1 = clamp((y + h + 1) / 2 + part->my, part->y0, (int)p->h / 2);
	part->w = x1 - part->x0;
	part->h = y1 - part->y0;
}

static bool is_margin(const struct part *p, int x, int y)
{
	return x < p->mx || y < p->my || x >= p->w - p->mx || y >= p->h - p->my;
}

/* Four pixels of luma. */
static int luma_at(const struct sluice_picture *p, int bx, int by)
{
	const uint8_t *y = p->plane[0] + (size_t)(2 * by) * p->w + 2 * bx;

	return y[0] + y[1] + y[p->w] + y[p->w + 1];
}

/* Of luma in the margin, quarters of a grey level: the median difference, and the median distance
 * from that. */
static void look_at_margin(const struct sluice_picture *from, const struct sluice_picture *ground,
			   const struct part *p, int *shift, int *spread)
{
	uint32_t count[2048] = { 0 }, far[1024] = { 0 }, n = 0, half = 0;
	int i;

	for (int y = 0; y < p->h; y++)
		for (int x = 0; x < p->w; x++) {
			if (!is_margin(p, x, y))
				continue;
			count[luma_at(from, p->x0 + x, p->y0 + y) -
			      luma_at(ground, p->x0 + x, p->y0 + y) + 1023]++;
			n++;
		}
	for (i = 0; i < 2047 && (half += count[i]) * 2 <= n; i++)
		;
	*shift = n ? i - 1023 : 0;
	*shift = clamp(*shift, -120, 120);
	for (i = 0; i < 2047; i++)
		far[clamp(abs(i - 1023 - *shift), 0, 1023)] += count[i];
	half = 0;
	for (i = 0; i < 1023 && (half += far[i]) * 2 <= n; i++)
		;
	*spread = n ? i : 0;
}

/* 1 where a block differs. */
static void find_different(const struct sluice_picture *from, const struct sluice_picture *ground,
			   const struct part *p, uint8_t *mask)
{
	int shift, spread, least;

	look_at_margin(from, ground, p, &shift, &spread);
	least = NOISE * spread > 4 * FLOOR ? NOISE * spread : 4 * FLOOR;
	for (int y = 0; y < p->h; y++)
		for (int x = 0; x < p->w; x++) {
			size_t at = (size_t)(p->y0 + y) * (from->w / 2) + p->x0 + x;
			int luma = luma_at(from, p->x0 + x, p->y0 + y) -
				   luma_at(ground, p->x0 + x, p->y0 + y) - shift;
			int cb = from->plane[1][at] - ground->plane[1][at];
			int cr = from->plane[2][at] - ground->plane[2][at];

			mask[y * p->w + x] = abs(luma) + 4 * (abs(cb) + abs(cr)) > least;
		}
}

/* How many of the blocks around differ, by sums over rows and then columns. */
static void count_around(const struct part *p, const uint8_t *mask, uint8_t *rows, uint8_t *out)
{
	for (int y = 0; y < p->h; y++)
		for (int x = 0; x < p->w; x++) {
			int sum = 0;

			for (int k = -AROUND; k <= AROUND; k++)
				sum += mask[y * p->w + clamp(x + k, 0, p->w - 1)];
			rows[y * p->w + x] = (uint8_t)sum;
		}
	for (int y = 0; y < p->h; y++)
		for (int x = 0; x < p->w; x++) {
			int sum = 0;

			for (int k = -AROUND; k <= AROUND; k++)
				sum += rows[clamp(y + k, 0, p->h - 1) * p->w + x];
			out[y * p->w + x] = (uint8_t)sum;
		}
}

/* 0..256: how much of the block is taken. */
static int weight_at(const struct sluice_picture *to, const struct part *p, int x, int y,
		     int around)
{
	int a = clamp((around - LOW) * 256 / (HIGH - LOW), 0, 256);
	/* the picture's own border is no end */
	int left = p->x0 ? x + 1 : 99, top = p->y0 ? y + 1 : 99;
	int right = p->x0 + p->w < (int)to->w / 2 ? p->w - x : 99;
	int bottom = p->y0 + p->h < (int)to->h / 2 ? p->h - y : 99;
	int end = left < right ? left : right;

	end = top < end ? top : end;
	end = bottom < end ? bottom : end;
	return end < 4 ? a * end / 4 : a;
}

static void mix(uint8_t *to, uint8_t from, int weight)
{
	*to = (uint8_t)((*to * (256 - weight) + from * weight + 128) >> 8);
}

static void lay_block(struct sluice_picture *to, const struct sluice_picture *from, int bx, int by,
		      int weight)
{
	size_t at = (size_t)(2 * by) * to->w + 2 * bx, c = (size_t)by * (to->w / 2) + bx;

	mix(&to->plane[0][at], from->plane[0][at], weight);
	mix(&to->plane[0][at + 1], from->plane[0][at + 1], weight);
	mix(&to->plane[0][at + to->w], from->plane[0][at + to->w], weight);
	mix(&to->plane[0][at + to->w + 1], from->plane[0][at + to->w + 1], weight);
	mix(&to->plane[1][c], from->plane[1][c], weight);
	mix(&to->plane[2][c], from->plane[2][c], weight);
}

float sluice_cutout_paste(struct sluice_picture *to, const struct sluice_picture *from,
			  const struct sluice_picture *ground, int x, int y, int w, int h)
{
	uint64_t taken = 0;
	struct part p;
	uint8_t *mask;
	size_t n;

	find_part(to, x, y, w, h, &p);
	n = (size_t)p.w * p.h;
	if (!n)
		return 0;
	mask = malloc(3 * n);
	if (!mask)
		return -1;
	find_different(from, ground, &p, mask);
	count_around(&p, mask, mask + n, mask + 2 * n);
	for (int by = 0; by < p.h; by++)
		for (int bx = 0; bx < p.w; bx++) {
			int weight = weight_at(to, &p, bx, by, mask[2 * n + (size_t)by * p.w + bx]);

			taken += (uint64_t)weight;
			if (weight)
				lay_block(to, from, p.x0 + bx, p.y0 + by, weight);
		}
	free(mask);
	return (float)taken / 256 / (float)n;
}
