// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * gate_light.c - light that changes everywhere is no motion.
 *
 * Global light: cells fall into four classes of equal population by background luma. The median
 * change of a class, as a node at the class's mean luma, gives a piecewise linear curve of change
 * over background level: gain, offset and gamma alike, and half of a class may be covered by
 * objects without moving its median. Every second cell is looked at on grids of 1024 and more.
 * A class with too few cells gives no node; with no node at all the light is taken as unchanged.
 *
 * Local light: a shadow or a lamp changes neighbours by one common gain. The gain of a cell is the
 * sum of changes around it over the sum of background around it; multiplied with the cell's own
 * background that is sum * weight, with weight = B / sum of B. The background moves slowly, so
 * weights are refreshed a few rows a frame and no division is left in the loop over cells.
 */
#include "gate_state.h"

#define DARK 64 /* 4 grey in Q4, added to the background so that black cells count too */

static u32 background_q4(u16 bg)
{
	return (bg >> 4) + DARK;
}

void gate_light_class(struct sluice_gate *g)
{
	u16 *hist = g->hist; /* borrowed: gate_light_measure() clears it before use */
	u32 level[GATE_CLASSES] = { 0 };
	u32 step = g->n / 65536 + 1, n = 0, below = 0, i, k;

	memset(hist, 0, 256 * sizeof(*hist));
	for (i = 0; i < g->n; i += step)
		hist[g->bg[i] >> 8]++;
	for (i = 0; i < 256; i++)
		n += hist[i];
	memset(g->class_cells, 0, sizeof(g->class_cells));
	for (i = 0; i < 256; i++) {
		k = (below + hist[i] / 2) * GATE_CLASSES / n;
		k = min_t(u32, k, GATE_CLASSES - 1);
		g->class_base[i] = k * GATE_BINS;
		g->class_cells[k] += hist[i];
		level[k] += hist[i] * i;
		below += hist[i];
	}
	for (k = 0; k < GATE_CLASSES; k++) {
		if (g->class_cells[k] * 16 < n)
			g->class_cells[k] = 0;
		else
			g->class_mean[k] = level[k] * 256 / g->class_cells[k] + 128;
	}
}

/* Median of a class's histogram in Q8; 0 if it is empty. */
static s32 class_median(const u16 *bin, u32 count)
{
	u32 below = 0, half = (count + 1) / 2, i;

	if (!count)
		return 0;
	for (i = 0; i < GATE_BINS - 1 && below + bin[i] < half; i++)
		below += bin[i];
	return ((s32)i << GATE_BINS_SHIFT) - 65536 - 64 +
	       (s32)((((half - below) << GATE_BINS_SHIFT) - 64) / max_t(u32, bin[i], 1));
}

/* Histograms of change of each class; returns cells counted in each. */
static void count_changes(struct sluice_gate *g, const u16 *cell, u32 *count)
{
	u16 *hist = g->hist;
	u32 step = g->n / 65536 + 1 + (g->n >= 1024);
	u32 x, y, k;
	s32 bin;

	memset(hist, 0, GATE_CLASSES * GATE_BINS * sizeof(*hist));
	for (y = 0; y < g->h; y++) {
		const u16 *c = cell + y * g->w, *bg = g->bg + y * g->w;

		for (x = y % step; x < g->w; x += step) {
			bin = (c[x] - bg[x] + 65536 + 64) >> GATE_BINS_SHIFT;
			hist[g->class_base[bg[x] >> 8] + min_t(s32, bin, GATE_BINS - 1)]++;
		}
	}
	for (k = 0; k < GATE_CLASSES; k++) {
		const u16 *bin_of = hist + k * GATE_BINS;

		for (x = 0, count[k] = 0; x < GATE_BINS; x++)
			count[k] += bin_of[x];
	}
}

/* Between levels x0 and x1 (Q8) the light goes from y0 to y1 (Q8). */
static void draw_segment(s16 *light, u32 x0, s32 y0, u32 x1, s32 y1)
{
	s32 slope = (y1 - y0) * 4096 / (s32)(x1 - x0), y;
	u32 v;

	for (v = x0 / 256; v <= x1 / 256 && v < 256; v++) {
		s32 p = clamp_t(s32, v * 256 + 128, x0, x1) - (s32)x0;

		y = y0 + ((p * slope) >> 12);
		light[v] = clamp_t(s32, y >> 1, -32767, 32767);
	}
}

void gate_light_measure(struct sluice_gate *g, const u16 *cell)
{
	u32 count[GATE_CLASSES], x[GATE_CLASSES], nodes = 0, i;
	s32 y[GATE_CLASSES];
	bool lit = false;

	count_changes(g, cell, count);
	for (i = 0; i < GATE_CLASSES; i++) {
		if (!g->class_cells[i] || !count[i])
			continue;
		if (nodes && g->class_mean[i] <= x[nodes - 1])
			continue;
		x[nodes] = g->class_mean[i];
		y[nodes] = class_median(g->hist + i * GATE_BINS, count[i]);
		lit |= gate_abs(y[nodes]) >= 64;
		nodes++;
	}
	if (!lit) { /* under a quarter grey everywhere: the background follows by itself */
		if (g->lit)
			memset(g->light, 0, sizeof(g->light));
		g->lit = false;
		return;
	}
	g->lit = true;
	for (i = 0; i < 256; i++)
		g->light[i] =
			clamp_t(s32, (i * 256 < x[0] ? y[0] : y[nodes - 1]) >> 1, -32767, 32767);
	for (i = 0; i + 1 < nodes; i++)
		draw_segment(g->light, x[i], y[i], x[i + 1], y[i + 1]);
}

void gate_light_weigh(struct sluice_gate *g, u32 y)
{
	const u32 w = g->w;
	u32 y0 = y < GATE_RAD ? 0 : y - GATE_RAD;
	u32 y1 = min_t(u32, y + GATE_RAD + 1, g->h);
	u32 x, v, sum = 0;
	u16 *col = (u16 *)g->box; /* borrowed; 7 * 4160 fits */

	memset(col, 0, w * sizeof(*col));
	for (v = y0; v < y1; v++)
		for (x = 0; x < w; x++)
			col[x] += background_q4(g->bg[v * w + x]);
	for (x = 0; x < w && x < GATE_RAD; x++)
		sum += col[x];
	for (x = 0; x < w; x++) {
		if (x + GATE_RAD < w)
			sum += col[x + GATE_RAD];
		g->weight[y * w + x] = (background_q4(g->bg[y * w + x]) << 14) / sum;
		if (x >= GATE_RAD)
			sum -= col[x - GATE_RAD];
	}
}
