// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * gate_row.c - the plain loops over a row of cells that gate_cell.c asks for.
 *
 * Built twice on x86: as it is, and by gate_row_avx2.c for 256-bit vectors. The loops are separate
 * and their products of s16, so that the compiler makes vectors of them; the results are the same
 * if it does not (tests/unit/test_gate.c holds both against each other).
 */
#include "gate_row.h"

#ifndef GATE_ROWS
#define GATE_ROWS gate_rows_scalar
#endif

/* Row bands: gain of row y that the rest of d shares, Q8 against B in Q4; 0 if there is none. */
static s32 measure_band(const s16 *d, const u16 *bg, u32 w)
{
	s32 sum = 0, base = 0;
	u32 x;

	for (x = 0; x < w; x++) {
		sum += clamp_t(s32, d[x], -GATE_ROWCLIP, GATE_ROWCLIP);
		base += (bg[x] >> 4) + 64;
	}
	if (gate_abs(sum) < w * 16) /* under an eighth of a grey level */
		return 0;
	return sum * 256 / base;
}

static void row_add(struct sluice_gate *g, const u16 *restrict c, u32 y)
{
	const u32 w = g->w;
	const u16 *restrict bg = g->bg + y * w;
	s16 *restrict d = g->ring_d + y % GATE_RING * w;
	s16 *restrict d1 = g->ring_d1 + y % GATE_RING * w;
	s16 *restrict t = g->ring_t + y % GATE_RING * w;
	s16 *restrict shade = g->ring_shade + y % GATE_LAG * w;
	const s16 *light = g->light;
	s16 *restrict col = g->col;
	s32 band;
	u32 x;

	if (g->lit) {
		for (x = 0; x < w; x++)
			shade[x] = light[bg[x] >> 8];
		for (x = 0; x < w; x++)
			d[x] = clamp_t(s32, (c[x] >> 1) - (bg[x] >> 1) - shade[x], -32767, 32767);
	} else {
		memset(shade, 0, w * sizeof(*shade));
		for (x = 0; x < w; x++)
			d[x] = (c[x] >> 1) - (bg[x] >> 1);
	}
	band = g->config.row_bands ? measure_band(d, bg, w) : 0;
	if (band) {
		for (x = 0; x < w; x++) {
			s32 v = (band * ((bg[x] >> 4) + 64)) >> 8;
			s32 m = gate_abs(d[x]) - max_t(s32, d[x] < 0 ? -v : v, 0);

			m = max_t(s32, m, 0);
			d1[x] = d[x] < 0 ? -m : m;
		}
	} else {
		memcpy(d1, d, w * sizeof(*d));
	}
	for (x = 0; x < w; x++) {
		t[x] = (clamp_t(s32, d1[x], -GATE_CLIP, GATE_CLIP) + 16) >> 5;
		col[x] += t[x];
	}
}

static void row_drop(struct sluice_gate *g, u32 y)
{
	const u32 w = g->w;
	const s16 *restrict t = g->ring_t + y % GATE_RING * w;
	s16 *restrict col = g->col;
	u32 x;

	for (x = 0; x < w; x++)
		col[x] -= t[x];
}

/*
 * e and t of a row. Products are of s16 and the arrays are told apart as parameters: so a compiler
 * can use vectors.
 */
static void weigh_row(const s16 *restrict d1, const s16 *restrict box, const s16 *restrict weight,
		      const s16 *restrict shade, u16 *restrict e, u16 *restrict t, u32 w)
{
	u32 x;

	for (x = 0; x < w; x++) {
		s32 v = (box[x] * weight[x]) >> 9;
		s32 d = d1[x], light = shade[x];
		s32 m = d < 0 ? -d : d, along = d < 0 ? -v : v, more;

		m -= along > 0 ? along : 0;
		e[x] = m > 0 ? m : 0;
		more = ((light < 0 ? -light : light) * GATE_ILL) >> 4;
		more += (v < 0 ? -v : v) >> GATE_ILL_LOCAL;
		t[x] = more < 32767 ? more : 32767;
	}
}

/* t of a row holds the share of light; adds what the deviation asks for. */
static void raise_row(u16 *restrict t, const s16 *restrict dev, s16 k, s32 floor, u32 w)
{
	u32 x;

	for (x = 0; x < w; x++) {
		s32 base = (dev[x] * k) >> 5;

		base = (base > floor ? base : floor) + t[x];
		t[x] = base < 65535 ? base : 65535;
	}
}

/*
 * Sums of 7 columns modulo 65536: sliding, or for vectors all at once, which is more additions but
 * no chain of them. col has GATE_RAD columns of zeros on either side.
 */
static void sum_boxes(const s16 *restrict col, s16 *restrict box, u32 w)
{
	u32 x;
#ifdef __AVX2__
	for (x = 0; x < w; x++) {
		const u16 *c = (const u16 *)col + x;

		box[x] = (u16)(c[-3] + c[-2] + c[-1] + c[0] + c[1] + c[2] + c[3]);
	}
#else
	u32 sum = 0;

	for (x = 0; x < GATE_RAD; x++)
		sum += col[x];
	for (x = 0; x < w; x++) {
		sum += col[(s32)x + GATE_RAD];
		box[x] = sum;
		sum -= col[(s32)x - GATE_RAD];
	}
#endif
}

/* e, t and hit of a row; true if anything was hit. */
static bool row_hold(struct sluice_gate *g, u32 y)
{
	const u32 w = g->w;
	const u8 *map = g->map + y * w;
	u16 *restrict e = g->e, *restrict t = g->t;
	u8 *restrict hit = g->hit;
	u16 any = 0;
	u32 x;

	sum_boxes(g->col, g->box, w);

	weigh_row(g->ring_d1 + y % GATE_RING * w, g->box, g->weight + y * w,
		  g->ring_shade + y % GATE_LAG * w, e, t, w);
	raise_row(t, g->dev + y * w, g->config.k, g->config.floor / 2, w);
	if (g->mapped)
		for (x = 0; x < w; x++)
			t[x] = map[x] ? clamp_t(u32, t[x] * map[x] / 16, 1, 65535) : 65535;
	for (x = 0; x < w; x++)
		any |= e[x] >= t[x] - t[x] / 2;
	for (x = 0; any && x < w; x++)
		hit[x] = e[x] >= t[x] - t[x] / 2;
	return any;
}

/* Learning of a row as if all of it were quiet. */
static void row_learn(struct sluice_gate *g, const u16 *restrict c, u32 y)
{
	const u32 w = g->w;
	const s16 *restrict d = g->ring_d + y % GATE_RING * w;
	const u16 *restrict e = g->e;
	u16 *restrict bg = g->bg + y * w, *restrict cand = g->cand + y * w;
	s16 *restrict dev = g->dev + y * w;
	u8 *restrict cage = g->cage + y * w;
	const s16 a_bg = g->a_bg, a_dev = g->a_dev;
	const s32 round = g->dither;
	u32 x;

	for (x = 0; x < w; x++) {
		s16 h = (c[x] >> 1) - (bg[x] >> 1),
		    v = (e[x] < 16383 ? e[x] : 16383) - (dev[x] >> 1);

		cand[x] = clamp_t(s32, (bg[x] >> 1) + d[x], 0, 32767);
		bg[x] += (h * a_bg + round) >> 14;
		dev[x] += (v * a_dev + round) >> 14;
	}
	if (g->ticks)
		for (x = 0; x < w; x++)
			cage[x] -= min_t(u32, cage[x], g->ticks);
}

const struct gate_rows GATE_ROWS = {
	.add = row_add,
	.drop = row_drop,
	.hold = row_hold,
	.learn = row_learn,
};
