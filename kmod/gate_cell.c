// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * gate_cell.c - a frame's pass over the cells: change, threshold, learning.
 *
 * Rows go through two stages: stage one makes the change of row y and adds it to the column sums,
 * stage two, GATE_RAD rows behind, has the local sums and does everything else including learning.
 * So a frame needs scratch for GATE_RING rows only. Learning first treats every cell as quiet in
 * one plain loop, then puts right the few that are not (struct gate_spot).
 *
 * Loops over a row are plain and separate so that a compiler may vectorise them; the results are
 * the same if it does not.
 */
#include "gate_state.h"

/* ---- stage one: change of a row ---- */

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

static void add_row(struct sluice_gate *g, const u16 *restrict c, u32 y)
{
	const u32 w = g->w;
	const u16 *restrict bg = g->bg + y * w;
	s16 *restrict d = g->ring_d + y % GATE_RING * w;
	s16 *restrict d1 = g->ring_d1 + y % GATE_RING * w;
	s16 *restrict t = g->ring_t + y % GATE_RING * w;
	s16 *restrict col = g->col;
	s32 band;
	u32 x;

	if (g->lit)
		for (x = 0; x < w; x++)
			d[x] = clamp_t(s32, (c[x] >> 1) - (bg[x] >> 1) - g->light[bg[x] >> 8],
				       -32767, 32767);
	else
		for (x = 0; x < w; x++)
			d[x] = (c[x] >> 1) - (bg[x] >> 1);
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

static void drop_row(struct sluice_gate *g, u32 y)
{
	const s16 *restrict t = g->ring_t + y % GATE_RING * g->w;
	s16 *restrict col = g->col;
	u32 x;

	for (x = 0; x < g->w; x++)
		col[x] -= t[x];
}

/* ---- stage two: threshold, learning ---- */

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

/* e, t and hit of a row; true if anything was hit. */
static bool hold_against(struct sluice_gate *g, u32 y)
{
	const u32 w = g->w;
	const u8 *map = g->map + y * w;
	u16 *e = g->e, *t = g->t;
	u8 *hit = g->hit;
	u32 x, any = 0;

	weigh_row(g->ring_d1 + y % GATE_RING * w, g->box, g->weight + y * w, g->shade, e, t, w);
	raise_row(t, g->dev + y * w, g->config.k, g->config.floor / 2, w);
	if (g->mapped)
		for (x = 0; x < w; x++)
			t[x] = map[x] ? clamp_t(u32, t[x] * map[x] / 16, 1, 65535) : 65535;
	for (x = 0; x < w; x++) {
		hit[x] = e[x] >= t[x] - t[x] / 2;
		any |= hit[x];
	}
	return any;
}

static void sum_boxes(struct sluice_gate *g)
{
	const s16 *col = g->col;
	s16 *box = g->box;
	s32 sum = 0;
	u32 x;

	for (x = 0; x < GATE_RAD; x++)
		sum += col[x];
	for (x = 0; x < g->w; x++) {
		sum += col[(s32)x + GATE_RAD];
		box[x] = sum;
		sum -= col[(s32)x - GATE_RAD];
	}
}

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
		learn_spot(g, s, c[x], y * g->w + x, d[x], g->shade[x]);
		spots->count++;
	}
	g->row_low[y] = spots->count;
	g->low += spots->count;
}

/* Learning of a row as if all of it were quiet. */
static void learn_quiet(struct sluice_gate *g, const u16 *restrict c, u32 y)
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

static void judge_row(struct sluice_gate *g, const u16 *c, u32 y)
{
	struct gate_spots *spots = &g->spots[y % 2];
	u8 *q = g->q + y * g->pitch;
	u8 *was = (u8 *)g->box; /* w bytes; the boxes are used up by then */
	u32 x;

	if (g->lit)
		for (x = 0; x < g->w; x++)
			g->shade[x] = g->light[g->bg[y * g->w + x] >> 8];
	else
		memset(g->shade, 0, g->w * sizeof(*g->shade));
	sum_boxes(g);
	spots->count = 0;
	g->row_low[y] = 0;
	if (hold_against(g, y)) {
		memcpy(was, q, g->w);
		memset(q, 0, g->w);
		pick_spots(g, c, y, spots, was);
	} else {
		memset(q, 0, g->w);
	}
	learn_quiet(g, c, y);
	put_spots(g, y, spots);
	if (y)
		book_nuisance(g, y - 1, &g->spots[(y - 1) % 2]);
}

void gate_cell_scan(struct sluice_gate *g, const u16 *cell)
{
	u32 y;

	g->high = 0;
	g->low = 0;
	g->still = 0;
	memset(g->col - GATE_RAD, 0, (g->w + 2 * GATE_RAD) * sizeof(*g->col));
	for (y = 0; y < g->h + GATE_RAD; y++) {
		if (y >= 2 * GATE_RAD + 1)
			drop_row(g, y - 2 * GATE_RAD - 1);
		if (y < g->h)
			add_row(g, cell + y * g->w, y);
		if (y >= GATE_RAD)
			judge_row(g, cell + (y - GATE_RAD) * g->w, y - GATE_RAD);
	}
	book_nuisance(g, g->h - 1, &g->spots[(g->h - 1) % 2]);
}
