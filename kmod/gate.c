// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * gate.c - does something move? The way of one frame's grid through the gate.
 *
 * Each cell has a background and a mean absolute deviation, both learnt on every frame with steps
 * scaled by the time since the last one, so 5 and 60 frames a second behave alike. Of the change
 * against the background, what light explains is taken away: of the whole picture (gate_light.c),
 * of a row (mains flicker of a rolling shutter), of the neighbourhood (shadows). Taking away may
 * only reduce a change, never make one. The rest, e, is held against the threshold T of the cell:
 *
 *   T = max(floor, k * deviation) + share of the explained light + what the cell is known for
 *
 * where the last term holds for cells in which changes set in again and again (leaves, rain, fire).
 * e >= T makes a cell high, e >= T/2 low. gate_blob.c turns those into blobs and a decision.
 *
 * Learning rounds with an offset that walks evenly through 0..1 (dither): 16 bits of state then
 * follow steps far below their resolution without a bias.
 *
 * Failure. There is none: any grid gives a result. Light beyond explanation (more than scene_pct of
 * all cells high for 150 ms) is a scene change: the picture becomes the background, and warm-up
 * follows, whose frames the caller passes.
 */
#include "gate_state.h"

void sluice_gate_preset(struct sluice_gate_config *c, enum sluice_preset preset)
{
	*c = (struct sluice_gate_config){
		.floor = 1024,
		.k = 128,
		.mass = 64,
		.strong = 640,
		.confirm_ms = 90,
		.warmup_ms = 1000,
		.scene_pct = 40,
		.row_bands = 1,
	};
	if (preset == SLUICE_PRESET_LOW) {
		c->floor = 1280;
		c->k = 144;
		c->mass = 96;
		c->strong = 960;
		c->confirm_ms = 130;
	} else if (preset == SLUICE_PRESET_HIGH) {
		c->k = 112;
		c->mass = 48;
		c->strong = 400;
	}
}

/* ---- memory ---- */

/* Hands out pieces of one block; with mem NULL it only counts. */
struct gate_arena {
	u8 *mem;
	size_t used;
};

static void *take_bytes(struct gate_arena *a, size_t bytes)
{
	void *p = a->mem ? a->mem + a->used : NULL;

	a->used += (bytes + 7) & ~(size_t)7;
	return p;
}

static void *take_padded(struct gate_arena *a, const struct sluice_gate *g)
{
	u8 *p = take_bytes(a, g->padded);

	return p ? p + g->pitch + 1 : NULL;
}

static void place_arrays(struct sluice_gate *g, struct gate_arena *a)
{
	s16 *col;
	u32 i;

	g->bg = take_bytes(a, g->n * 2);
	g->dev = take_bytes(a, g->n * 2);
	g->cand = take_bytes(a, g->n * 2);
	g->weight = take_bytes(a, g->n * 2);
	g->cage = take_bytes(a, g->n);
	g->map = take_bytes(a, g->n);
	g->q = take_padded(a, g);
	g->age = take_padded(a, g);
	g->nuis = take_padded(a, g);
	g->env = take_padded(a, g);
	g->light = take_bytes(a, 256 * 2);
	g->light_was = take_bytes(a, 256 * 2);
	g->sample = take_bytes(a, GATE_TRIALS * 2);
	g->class_base = take_bytes(a, 256 * 2);
	g->row_low = take_bytes(a, g->h * 2);
	g->hist = take_bytes(a, GATE_CLASSES * GATE_BINS * 2);
	g->ring_d = take_bytes(a, GATE_RING * g->w * 2);
	g->ring_d1 = take_bytes(a, GATE_RING * g->w * 2);
	g->ring_t = take_bytes(a, GATE_RING * g->w * 2);
	g->ring_shade = take_bytes(a, GATE_LAG * g->w * 2);
	col = take_bytes(a, (g->w + 2 * GATE_RAD) * 2);
	g->col = col ? col + GATE_RAD : NULL;
	g->box = take_bytes(a, g->w * 2);
	g->e = take_bytes(a, g->w * 2);
	g->t = take_bytes(a, g->w * 2);
	g->hit = take_bytes(a, g->w + 8);
	for (i = 0; i < 2; i++)
		g->spots[i].spot = take_bytes(a, g->w * sizeof(struct gate_spot));
	g->trace = take_bytes(a, 2 * sizeof(struct gate_traces));
	g->run = take_bytes(a, g->runs_max * sizeof(struct gate_run));
}

static void set_shape(struct sluice_gate *g, u32 w, u32 h)
{
	g->w = w;
	g->h = h;
	g->n = w * h;
	g->pitch = w + 1;
	g->padded = g->pitch * (h + 2) + 1;
	g->runs_max = g->n / 16 + 240;
}

static bool shape_fits(u32 w, u32 h)
{
	return w >= 2 && h >= 2 && w <= SLUICE_GRID_W_MAX && h <= SLUICE_CELLS_MAX / w;
}

size_t sluice_gate_size(u32 grid_w, u32 grid_h)
{
	struct sluice_gate g;
	struct gate_arena a = { NULL, 0 };

	if (!shape_fits(grid_w, grid_h))
		return 0;
	memset(&g, 0, sizeof(g));
	set_shape(&g, grid_w, grid_h);
	take_bytes(&a, sizeof(g));
	place_arrays(&g, &a);
	return a.used;
}

struct sluice_gate *sluice_gate_init(void *mem, u32 grid_w, u32 grid_h,
				     const struct sluice_gate_config *c)
{
	struct gate_arena a = { mem, 0 };
	struct sluice_gate *g;

	if (!shape_fits(grid_w, grid_h))
		return NULL;
	memset(mem, 0, sluice_gate_size(grid_w, grid_h));
	g = take_bytes(&a, sizeof(*g));
	set_shape(g, grid_w, grid_h);
	place_arrays(g, &a);
	sluice_gate_configure(g, c);
	sluice_gate_map(g, NULL);
	return g;
}

void sluice_gate_configure(struct sluice_gate *g, const struct sluice_gate_config *c)
{
	g->config = *c;
	g->config.floor = clamp_t(u32, c->floor, 2, 65535); /* a threshold is never 0 */
	g->config.k = min_t(u32, c->k, 1024);
	g->config.mass = clamp_t(u32, c->mass, 1, 4096);
}

void sluice_gate_map(struct sluice_gate *g, const u8 *map)
{
	u32 i;

	memset(g->map, 16, g->n);
	g->mapped = false;
	for (i = 0; map && i < g->n; i++) {
		g->map[i] = map[i];
		g->mapped |= map[i] != 16;
	}
}

/* Warm-up begins; nuis and env stay. */
static void begin_warmup(struct sluice_gate *g)
{
	memset(g->q - g->pitch - 1, 0, g->padded);
	memset(g->age - g->pitch - 1, 0, g->padded);
	memset(g->cage, 0, g->n);
	g->aged = false;
	g->trace[0].count = 0;
	g->trace[1].count = 0;
	g->warm = false;
	g->frames = 0;
	g->warm_ms = 0;
	g->scene_ms = 0;
	g->scene_run = 0;
}

void sluice_gate_reset(struct sluice_gate *g)
{
	begin_warmup(g);
	memset(g->nuis - g->pitch - 1, 0, g->padded);
	memset(g->env - g->pitch - 1, 0, g->padded);
	g->nuisance = false;
}

/* ---- clocks ---- */

static u32 learn_step(u32 dt, u32 one, u32 tau)
{
	return min_t(u32, min_t(u32, dt, GATE_DT_LEARN) * one / tau, one / 4);
}

/* Every 800 ms onsets fade, every 400 ms the largest change remembered with them. */
static void fade_nuisance(struct sluice_gate *g, u32 dt)
{
	u8 *nuis = g->nuis - g->pitch - 1, *env = g->env - g->pitch - 1;
	u32 i, left = 0;

	g->nuis_ms += dt;
	g->env_ms += dt;
	for (; g->nuis_ms >= 800; g->nuis_ms -= 800) {
		for (i = 0, left = 0; g->nuisance && i < g->padded; i++) {
			nuis[i] -= nuis[i] ? (nuis[i] >> 5) + 1 : 0;
			left |= nuis[i];
		}
		g->nuisance = left;
	}
	for (; g->env_ms >= 400; g->env_ms -= 400)
		for (i = 0; i < g->padded; i++)
			env[i] -= (env[i] * 512u + g->dither) >> 15;
}

static void advance_clocks(struct sluice_gate *g, u32 dt)
{
	g->dither = (g->dither + 20253) & 32767; /* 32768 / golden ratio: even and aperiodic */
	g->a_bg = learn_step(dt, 32768, GATE_TAU_BG);
	g->a_dev = learn_step(dt, 32768, GATE_TAU_DEV);
	g->a_dev_fg = learn_step(dt, 32768, GATE_TAU_DEV_FG);
	g->a_leak = learn_step(dt, 32768, GATE_TAU_LEAK);
	g->a_cand = min_t(u32, dt * 65536 / GATE_TAU_CAND, 49152);
	g->tick_ms += dt;
	g->ticks = min_t(u32, g->tick_ms / 100, 5);
	g->tick_ms %= 100;
	g->age_ms += dt;
	g->age_step = g->age_ms / GATE_AGE_MS;
	g->age_ms %= GATE_AGE_MS;
	g->class_ms += dt;
	fade_nuisance(g, dt);
}

/* ---- warm-up ---- */

static void finish_warmup(struct sluice_gate *g)
{
	u32 i;

	for (i = 0; i < g->n; i++)
		g->dev[i] = min_t(s32, g->dev[i] + GATE_DEV_MIN, GATE_DEV_MAX);
	gate_light_class(g);
	for (i = 0; i < g->h; i++)
		gate_light_weigh(g, i);
	g->class_ms = 0;
	g->steady_ms = 0;
	g->held = false;
	memset(g->light_was, 0, 256 * sizeof(*g->light_was));
	memset(g->sample, 0, GATE_TRIALS * sizeof(*g->sample));
	g->weight_due = 0;
	g->weight_row = 0;
	g->warm = true;
}

static void warm_up(struct sluice_gate *g, const u16 *cell, u32 dt)
{
	u32 shift, i;

	if (!g->frames++) {
		memcpy(g->bg, cell, g->n * sizeof(*cell));
		for (i = 0; i < g->n; i++)
			g->dev[i] = max_t(s16, g->dev[i], GATE_DEV_MIN);
		return;
	}
	shift = g->frames <= 3 ? 1 : g->frames <= 9 ? 2 : 3;
	gate_light_class(g);
	gate_light_measure(g, cell);
	for (i = 0; i < g->n; i++) {
		s32 h = cell[i] - g->bg[i];
		s32 d = gate_abs(h - 2 * g->light[g->bg[i] >> 8]);

		g->bg[i] += h >> shift;
		g->dev[i] = min_t(s32, g->dev[i] + ((d - g->dev[i]) >> shift), 32767);
	}
	g->warm_ms += dt;
	if (g->warm_ms >= g->config.warmup_ms && g->frames >= GATE_WARM_FRAMES)
		finish_warmup(g);
}

/* ---- a frame ---- */

/*
 * True once too much has changed for too long; or if a large part of the picture is another one and
 * still. Left to the clocks of its cells, that would pull the medians of the light back and forth
 * when it is absorbed, seconds later.
 */
static bool scene_changed(struct sluice_gate *g, u32 dt)
{
	if (g->still * 100ull > (u64)GATE_SETTLE_PCT * g->n)
		return true;
	if (g->high * 100ull <= (u64)g->config.scene_pct * g->n) {
		g->scene_run = 0;
		g->scene_ms = 0;
		return false;
	}
	if (g->scene_run++)
		g->scene_ms += dt;
	return g->scene_run >= 2 && g->scene_ms >= GATE_SCENE_MS;
}

static void change_scene(struct sluice_gate *g, const u16 *cell)
{
	u8 *nuis = g->nuis - g->pitch - 1;
	u32 i;

	begin_warmup(g);
	g->frames = 1;
	memcpy(g->bg, cell, g->n * sizeof(*cell));
	for (i = 0; i < g->padded; i++)
		nuis[i] /= 2;
}

/* Weights of the rows that are due. */
static void refresh_weights(struct sluice_gate *g, u32 dt)
{
	g->weight_due += g->h * dt;
	while (g->weight_due >= GATE_WEIGHT_MS) {
		gate_light_weigh(g, g->weight_row);
		g->weight_row = (g->weight_row + 1) % g->h;
		g->weight_due -= GATE_WEIGHT_MS;
	}
}

void sluice_gate_frame(struct sluice_gate *g, const u16 *cell, u32 dt_ms,
		       struct sluice_gate_result *r, u8 *bits)
{
	u32 dt = clamp_t(u32, dt_ms, 1, 2000);
	bool renew;

	memset(r, 0, sizeof(*r));
	if (bits)
		memset(bits, 0, (g->n + 7) / 8);
	advance_clocks(g, dt);
	if (!g->warm) {
		r->state = SLUICE_GATE_WARMUP;
		warm_up(g, cell, dt);
		return;
	}
	r->state = SLUICE_GATE_QUIET;
	renew = g->class_ms >= GATE_CLASS_MS;
	if (renew)
		gate_light_class(g);
	gate_light_measure(g, cell);
	gate_light_hold(g, cell, dt);
	if (renew) {
		g->class_ms = 0;
		gate_light_sample(g, cell);
	}
	refresh_weights(g, dt);
	gate_cell_scan(g, cell);
	if (scene_changed(g, dt)) {
		r->state = SLUICE_GATE_SCENE;
		r->cells = g->high;
		change_scene(g, cell);
	} else if (g->low || g->aged) {
		gate_blob_judge(g, r, bits);
	} else {
		g->trace[g->turn].count = 0;
	}
}
