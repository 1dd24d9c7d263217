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

/* Sum of four bins of a histogram of at most 65535 cells. */
static u32 sum4(const u16 *bin)
{
	u64 four;

	memcpy(&four, bin, sizeof(four));
	return (four * 0x0001000100010001ull) >> 48;
}

/* Median of a class's histogram in Q8; 0 if it is empty. */
static s32 class_median(const u16 *bin, u32 count)
{
	u32 below = 0, half = (count + 1) / 2, i = 0, four;

	if (!count)
		return 0;
	for (; i < GATE_BINS - 4; i += 4) {
		four = sum4(bin + i);
		if (below + four >= half)
			break;
		below += four;
	}
	for (; i < GATE_BINS - 1 && below + bin[i] < half; i++)
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

		for (x = 0, count[k] = 0; x < GATE_BINS; x += 4)
			count[k] += sum4(bin_of + x);
	}
}

/* Nodes of a curve of change over background level, both Q8, by rising level. */
struct curve {
	u32 nodes;
	u32 x[GATE_CLASSES];
	s32 y[GATE_CLASSES];
	u32 class[GATE_CLASSES];
};

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

/* Linear between the nodes, constant outside. */
static void draw_curve(s16 *light, const struct curve *c)
{
	u32 i;

	if (!c->nodes) {
		memset(light, 0, 256 * sizeof(*light));
		return;
	}
	for (i = 0; i < 256; i++)
		light[i] = clamp_t(s32, (i * 256 < c->x[0] ? c->y[0] : c->y[c->nodes - 1]) >> 1,
				   -32767, 32767);
	for (i = 0; i + 1 < c->nodes; i++)
		draw_segment(light, c->x[i], c->y[i], c->x[i + 1], c->y[i + 1]);
}

/* The change of node k as a gain of the whole picture. */
static void draw_gain(s16 *light, const struct curve *c, u32 k)
{
	s32 gain = clamp_t(s32, c->y[k] * 256 / (s32)(c->x[k] / 16 + DARK), -65536, 65536), i;

	for (i = 0; i < 256; i++) /* gain: Q8 against Q4, that is 1/16 in 256 */
		light[i] = clamp_t(s32, (gain * (i * 16 + 8 + DARK)) >> 9, -32767, 32767);
}

/* Cells looked at and explained by a curve, by class. */
struct trial {
	u32 seen[GATE_CLASSES], explained[GATE_CLASSES];
};

/* From one of some cells, GATE_TRIALS at most, to the next. */
static u32 trial_step(const struct sluice_gate *g)
{
	return (g->n / GATE_TRIALS + 1) | 1; /* walk through the columns */
}

/* How many of some cells the curve explains. */
static u32 count_explained(const struct sluice_gate *g, const u16 *cell, const s16 *light,
			   struct trial *t)
{
	u32 step = trial_step(g), count = 0, i, k;

	memset(t, 0, sizeof(*t));
	for (i = 0; i < g->n; i += step) {
		s32 shift = light[g->bg[i] >> 8];
		s32 d = (cell[i] >> 1) - (g->bg[i] >> 1) - shift;

		k = g->class_base[g->bg[i] >> 8] / GATE_BINS;
		t->seen[k]++;
		t->explained[k] += gate_abs(d) <= GATE_EXPLAINED + gate_abs(shift) / 16;
	}
	for (k = 0; k < GATE_CLASSES; k++)
		count += t->explained[k];
	return count;
}

/*
 * Leave out nodes that are the middle of nothing: under a lamp the changes of a class spread from
 * none to much, and their median says little. True if one went.
 */
static bool drop_nodes(struct curve *c, const struct trial *t)
{
	u32 i, kept = 0;

	for (i = 0; i < c->nodes; i++) {
		u32 k = c->class[i];

		if (t->explained[k] * 5 < t->seen[k])
			continue;
		c->x[kept] = c->x[i];
		c->y[kept] = c->y[i];
		c->class[kept++] = k;
	}
	i = c->nodes;
	c->nodes = kept;
	return kept < i;
}

/*
 * Light changes bright things more than dark ones, or all alike. A curve that falls off against the
 * level, or that is very steep, is two kinds of light in one picture.
 */
static bool curve_plausible(const struct curve *c)
{
	u32 i;

	for (i = 0; i + 1 < c->nodes; i++) {
		u32 step = gate_abs(c->y[i + 1] - c->y[i]), run = c->x[i + 1] - c->x[i];
		bool falls = gate_abs(c->y[i + 1]) < gate_abs(c->y[i]);

		if (step * 8 > run * (falls ? 3 : 6))
			return false;
	}
	return true;
}

/*
 * While the edge of a cloud crosses, the medians of the classes go over one after the other, and a
 * curve through them fits no place at all. So the curve has rivals: no change, and the gain of each
 * single node. What explains most cells holds.
 */
static void choose_light(struct sluice_gate *g, const u16 *cell, struct curve *c)
{
	s16 trial[256];
	struct trial t;
	u32 best, count, k;

	draw_curve(g->light, c);
	best = count_explained(g, cell, g->light, &t);
	if (drop_nodes(c, &t)) {
		draw_curve(g->light, c);
		best = count_explained(g, cell, g->light, &t);
	}
	best = curve_plausible(c) ? best + best / 32 : 0; /* in doubt the curve */
	memset(trial, 0, sizeof(trial));
	count = count_explained(g, cell, trial, &t);
	for (k = 0;; k++) {
		if (count > best) {
			best = count;
			memcpy(g->light, trial, sizeof(trial));
		}
		if (k == c->nodes)
			break;
		draw_gain(trial, c, k);
		count = count_explained(g, cell, trial, &t);
	}
}

void gate_light_measure(struct sluice_gate *g, const u16 *cell)
{
	u32 count[GATE_CLASSES], largest = 0, i;
	struct curve c = { 0 };

	count_changes(g, cell, count);
	for (i = 0; i < GATE_CLASSES; i++) {
		if (!g->class_cells[i] || !count[i])
			continue;
		if (c.nodes && g->class_mean[i] <= c.x[c.nodes - 1])
			continue;
		c.x[c.nodes] = g->class_mean[i];
		c.y[c.nodes] = class_median(g->hist + i * GATE_BINS, count[i]);
		c.class[c.nodes] = i;
		largest = max_t(u32, largest, gate_abs(c.y[c.nodes]));
		c.nodes++;
	}
	if (largest < 64) { /* a quarter grey: the background follows by itself */
		if (g->lit)
			memset(g->light, 0, 256 * sizeof(*g->light));
		g->lit = false;
		return;
	}
	if (largest < GATE_EXPLAINED * 2)
		draw_curve(g->light, &c);
	else
		choose_light(g, cell, &c);
	g->lit = true;
}

void gate_light_sample(struct sluice_gate *g, const u16 *cell)
{
	u32 step = trial_step(g), i, k = 0;

	for (i = 0; i < g->n; i += step)
		g->sample[k++] = cell[i];
}

/* More than one in 50 of the sample has changed. */
static bool sample_changed(const struct sluice_gate *g, const u16 *cell)
{
	u32 step = trial_step(g), changed = 0, i, k = 0;

	for (i = 0; i < g->n; i += step, k++)
		changed += gate_abs(cell[i] - g->sample[k]) > 2 * GATE_EXPLAINED;
	return changed * 50 > k;
}

/*
 * Seconds after a lamp was lit, as backgrounds follow and are absorbed, another curve may explain
 * more cells than the one that held, though nothing in the picture changes; what only the old one
 * explained would look like motion. So while the picture is steady the light goes over slowly, and
 * the deviations learn to bear it. Light that has just set in is never held back.
 */
void gate_light_hold(struct sluice_gate *g, const u16 *cell, u32 dt)
{
	const s32 slew = max_t(s32, dt * GATE_LIGHT_SLEW * 128 / 1000, 1);
	bool lit = g->lit;
	u32 i;

	if (!g->lit && !g->held) {
		g->steady_ms = 0;
		return;
	}
	g->steady_ms = sample_changed(g, cell) ? 0 : min_t(u32, g->steady_ms + dt, 60000);
	for (i = 0; g->steady_ms >= GATE_STEADY_MS && i < 256; i++) {
		s32 by = g->light[i] - g->light_was[i];

		if (gate_abs(by) <= GATE_LIGHT_FREE)
			continue;
		g->light[i] = g->light_was[i] + clamp_t(s32, by, -slew, slew);
		lit = true;
	}
	memcpy(g->light_was, g->light, 256 * sizeof(*g->light));
	g->lit = lit;
	g->held = lit;
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
