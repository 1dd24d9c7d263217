// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * gate_cell.c - a frame's pass over the cells: change, threshold, learning.
 *
 * Rows go through two stages: stage one makes the change of row y and adds it to the column sums,
 * stage two, GATE_RAD rows behind, has the local sums and does everything else including learning.
 * So a frame needs scratch for GATE_RING rows only. Learning first treats every cell as quiet in
 * one plain loop, then puts right the few that are not (struct gate_spot).
 *
 * What is done to whole rows is in gate_row.c, for scalar code and for vectors. Vector code runs in
 * sections of some rows (simd_x86.h); a section that cannot be had runs scalar, the results are the
 * same.
 */
#include "gate_row.h"
#ifdef SLUICE_SIMD_X86
#include "simd_x86.h"
#endif

#define SECTION_CELLS 2048 /* of a row function's rows in one section of the vector unit */

bool sluice_gate_scalar;

/* The threshold of a cell known for changes that set in again and again. */
static u32 raise_threshold(const struct sluice_gate *g, u32 at, u32 t)
{
	u32 often, largest;

	if (!g->nuisance)
		return t;
	often = gate_max9(g->nuis + at, g->pitch);
	if (often <= GATE_NUIS_MIN)
		return t;
	largest = gate_max9(g->env + at, g->pitch) * 36u; /* 9/8, quarter grey to Q7 */
	if (largest <= t)
		return t;
	return t + (largest - t) * min_t(u32, often - GATE_NUIS_MIN, 64) / 64;
}

/* Value of c in the light of the background, Q7. */
static s32 relight(const struct sluice_gate *g, u16 c, s32 light)
{
	s32 level = clamp_t(s32, c - 2 * light, 0, 65535);

	return clamp_t(s32, (c >> 1) - g->light[level >> 8], 0, 32767);
}

/* Learning of a cell that is low or high: light follows, an object leaks in slowly. */
static void learn_spot(struct sluice_gate *g, struct gate_spot *s, u16 c, u32 i, s32 d, s32 light)
{
	u32 t0 = max_t(u32, (g->dev[i] * g->config.k) >> 5, g->config.floor / 2);
	s32 deviation = min_t(u32, s->e, 2 * t0) * 2, bg = g->bg[i], dev = g->dev[i];
	s32 cc = relight(g, c, light), cand = g->cand[i];
	u32 close = t0 / 2 + gate_abs(light) / 8;

	bg += (2 * light * (s32)g->a_bg + 2 * d * (s32)g->a_leak + (s32)g->dither) >> 15;
	dev += ((deviation - dev) * (s32)g->a_dev_fg + (s32)g->dither) >> 15;
	s->cage = 0;
	if (gate_abs(cc - cand) < close) {
		cc = cand + (((cc - cand) * (s32)g->a_cand) >> 16);
		s->cage = min_t(u32, g->cage[i] + g->ticks, 255);
	}
	g->still += s->cage >= GATE_HOLD;
	if (s->cage >= GATE_ABSORB) {
		bg = cc * 2;
		s->cage = 0;
	}
	s->bg = clamp_t(s32, bg, 0, 65535);
	s->dev = clamp_t(s32, dev, 0, 32767);
	s->cand = cc;
}

/* Cells of the row that are low or high after all: q, and their learning into spots. */
static void pick_spots(struct sluice_gate *g, const u16 *c, u32 y, struct gate_spots *spots,
		       const u8 *was)
{
	const s16 *d = g->ring_d + y % GATE_RING * g->w;
	const s16 *shade = g->ring_shade + y % GATE_LAG * g->w;
	u8 *q = g->q + y * g->pitch;
	u32 x, t, v;
	u64 eight;

	for (x = 0; x < g->w; x++) {
		struct gate_spot *s = &spots->spot[spots->count];

		if (x % 8 == 0) {
			memcpy(&eight, g->hit + x, 8);
			if (!eight) {
				x += 7;
				continue;
			}
		}
		if (!g->hit[x])
			continue;
		t = raise_threshold(g, y * g->pitch + x, g->t[x]);
		v = min_t(u32, g->e[x] * 16u / t, 255);
		if (v < GATE_LOW)
			continue;
		q[x] = v;
		s->x = x;
		s->e = g->e[x];
		s->high = v >= GATE_HIGH;
		s->onset = s->high && !was[x];
		g->high += s->high;
		learn_spot(g, s, c[x], y * g->w + x, d[x], shade[x]);
		spots->count++;
	}
	g->row_low[y] = spots->count;
	g->low += spots->count;
}

static void put_spots(struct sluice_gate *g, u32 y, const struct gate_spots *spots)
{
	u32 i;

	for (i = 0; i < spots->count; i++) {
		const struct gate_spot *s = &spots->spot[i];
		u32 at = y * g->w + s->x;

		g->bg[at] = s->bg;
		g->dev[at] = s->dev;
		g->cand[at] = s->cand;
		g->cage[at] = s->cage;
	}
}

/* Onsets and largest changes of a row, once no threshold of this frame reads them any more. */
static void book_nuisance(struct sluice_gate *g, u32 y, struct gate_spots *spots)
{
	u32 i;

	for (i = 0; i < spots->count; i++) {
		const struct gate_spot *s = &spots->spot[i];
		u32 at = y * g->pitch + s->x, quarter = min_t(u32, (s->e + 31u) / 32, 255);

		if (!s->high)
			continue;
		g->env[at] = max_t(u32, g->env[at], quarter);
		if (!s->onset)
			continue;
		g->nuis[at] = min_t(u32, g->nuis[at] + GATE_NUIS_ADD, 255);
		g->nuisance = true;
	}
	spots->count = 0;
}

static void judge_row(struct sluice_gate *g, const struct gate_rows *rows, const u16 *c, u32 y)
{
	struct gate_spots *spots = &g->spots[y % 2];
	u8 *q = g->q + y * g->pitch;
	u8 *was = (u8 *)g->box; /* w bytes; the boxes are used up by then */

	spots->count = 0;
	g->row_low[y] = 0;
	if (rows->hold(g, y)) {
		memcpy(was, q, g->w);
		memset(q, 0, g->w);
		pick_spots(g, c, y, spots, was);
	} else {
		memset(q, 0, g->w);
	}
	rows->learn(g, c, y);
	put_spots(g, y, spots);
	if (y)
		book_nuisance(g, y - 1, &g->spots[(y - 1) % 2]);
}

/* Rows y0 <= y < y1 of stage one, and of stage two GATE_RAD rows behind it. */
static void scan_rows(struct sluice_gate *g, const struct gate_rows *rows, const u16 *cell, u32 y0,
		      u32 y1)
{
	u32 y;

	for (y = y0; y < y1; y++) {
		if (y >= 2 * GATE_RAD + 1)
			rows->drop(g, y - 2 * GATE_RAD - 1);
		if (y < g->h)
			rows->add(g, cell + y * g->w, y);
		if (y >= GATE_RAD)
			judge_row(g, rows, cell + (y - GATE_RAD) * g->w, y - GATE_RAD);
	}
}

#ifdef SLUICE_SIMD_X86
static void scan_section(struct sluice_gate *g, const u16 *cell, u32 y0, u32 y1)
{
	if (sluice_gate_scalar || !simd_has_avx2() || !simd_begin()) {
		scan_rows(g, &gate_rows_scalar, cell, y0, y1);
		return;
	}
	scan_rows(g, &gate_rows_avx2, cell, y0, y1);
	simd_end();
}
#else
static void scan_section(struct sluice_gate *g, const u16 *cell, u32 y0, u32 y1)
{
	scan_rows(g, &gate_rows_scalar, cell, y0, y1);
}
#endif

void gate_cell_scan(struct sluice_gate *g, const u16 *cell)
{
	u32 step = max_t(u32, SECTION_CELLS / g->w, 1), end = g->h + GATE_RAD, y;

	g->high = 0;
	g->low = 0;
	g->still = 0;
	memset(g->col - GATE_RAD, 0, (g->w + 2 * GATE_RAD) * sizeof(*g->col));
	for (y = 0; y < end; y += step)
		scan_section(g, cell, y, min(y + step, end));
	book_nuisance(g, g->h - 1, &g->spots[(g->h - 1) % 2]);
}
