// SPDX-License-Identifier: MIT
/*
 * test_retune_gate.c - the gate itself under what is proposed for it: a place where leaves move in
 * gusts, and people who walk. Events are judged by what was painted, samples by gauge.c on painted
 * pictures; the proposals go back into the gate.
 */
#include <math.h>
#include <string.h>

#include <sluice/ring.h>

#include "cloud/gauge.h"
#include "cloud/retune.h"
#include "kmod/gate.h"
#include "tests/unit/check.h"

#define GRID_W	80
#define GRID_H	60
#define CELLS	(GRID_W * GRID_H)
#define FPS	5
#define PIXELS	4  /* of a cell's side in a picture of the analysis */
#define CYCLE_S 40 /* of calm, a gust or a walker, calm */
#define JOIN_S	10
#define DAY_S	86400

/* What comes in the middle of a cycle, for SHOW_S. */
enum show { SHOW_GUST, SHOW_WALKER, SHOW_FAINT };

#define SHOW_AT_S 12
#define SHOW_S	  12

static struct {
	uint8_t bg[CELLS]; /* grey */
	uint16_t cell[CELLS];
	uint8_t bits[CELLS / 8];
	uint8_t px[CELLS * PIXELS * PIXELS];
	int walker_x, walker_y, walker_h; /* cells; y < 0: nobody */
} scene;

static const struct {
	int x, y, w, h;
} tree = { 52, 6, 14, 14 };

static void paint_ground(void)
{
	for (int i = 0; i < CELLS; i++)
		scene.bg[i] = (uint8_t)(70 + random_below(80));
}

/* Sensor noise of 4 grey levels is half of one in the mean of 64 pixels. */
static int noise(void)
{
	return (int)(random_below(256) + random_below(256) + random_below(256)) - 384;
}

static void paint_gust(double t)
{
	for (int y = tree.y; y < tree.y + tree.h; y++)
		for (int x = tree.x; x < tree.x + tree.w; x++) {
			double sway = sin(t * (5 + (x * 7 + y * 3) % 5) + x * 1.7 + y * 2.3);

			scene.cell[y * GRID_W + x] =
				(uint16_t)(scene.cell[y * GRID_W + x] + (int)(2400 * sway));
		}
}

/* From left to right below the tree; a faint one is smaller, too. */
static void paint_walker(enum show show, double t)
{
	int w = 2, h = show == SHOW_FAINT ? 3 : 4;
	int x0 = (int)(t / SHOW_S * (GRID_W + w)) - w, y0 = 36;

	scene.walker_x = x0;
	scene.walker_y = y0;
	scene.walker_h = h;
	for (int y = y0; y < y0 + h; y++)
		for (int x = x0 < 0 ? 0 : x0; x < x0 + w && x < GRID_W; x++)
			scene.cell[y * GRID_W + x] += show == SHOW_FAINT ? 4000 : 8000;
}

static void paint(enum show show, double t)
{
	scene.walker_y = -1;
	for (int i = 0; i < CELLS; i++)
		scene.cell[i] = (uint16_t)(scene.bg[i] * 256 + noise() / 3);
	if (t < SHOW_AT_S || t >= SHOW_AT_S + SHOW_S)
		return;
	if (show == SHOW_GUST)
		paint_gust(t);
	else
		paint_walker(show, t - SHOW_AT_S);
}

static void paint_pixels(void)
{
	for (int y = 0; y < GRID_H * PIXELS; y++)
		for (int x = 0; x < GRID_W * PIXELS; x++)
			scene.px[y * GRID_W * PIXELS + x] =
				(uint8_t)(scene.cell[y / PIXELS * GRID_W + x / PIXELS] >> 8);
}

/* ---- a day ---- */

struct day {
	uint32_t gusts, walkers; /* that were shown */
	uint32_t nothing, found; /* of these, the gate opened for */
	struct sluice_tally tally;
};

static struct sluice_gauge gauge;
static uint8_t gate_mem[1 << 20] __attribute__((aligned(8)));

static void sight(double t, uint16_t reason, bool event, struct day *d)
{
	struct sluice_stored_frame f = {
		.reason = reason, .grid_w = GRID_W, .grid_h = GRID_H, .cells = scene.bits
	};
	struct sluice_gray gray = { .px = scene.px, .w = GRID_W * PIXELS, .h = GRID_H * PIXELS };
	struct sluice_blob walker = { .x = (float)scene.walker_x * PIXELS,
				      .y = (float)scene.walker_y * PIXELS,
				      .w = 2 * PIXELS,
				      .h = (float)scene.walker_h * PIXELS,
				      .area = 48,
				      .edges = 3 };
	struct sluice_gauge_sight s = { .frame = &f,
					.t_s = t,
					.gray = &gray,
					.blob = &walker,
					.area_min = 20,
					.event = event };
	struct sluice_tally more;

	s.blobs = scene.walker_y >= 0 && scene.walker_x > 0 && scene.walker_x < GRID_W - 2;
	if (!event)
		paint_pixels();
	if (sluice_gauge_picture(&gauge, &s, &more))
		sluice_tally_add(&d->tally, &more);
}

/* What the analysis would tell of it: the walker's way, or that there was nothing. */
static void tell(enum show show, struct day *d)
{
	static struct sluice_event_log e;
	struct sluice_box way[2] = { { 0, 0, 36, 2, 4 }, { 0, GRID_W - 2, 36, 2, 4 } };
	struct sluice_tally more;
	bool seen = show != SHOW_GUST;

	memset(&e, 0, sizeof(e));
	e.nuisance = seen ? SLUICE_NUISANCE_NONE : SLUICE_NUISANCE_NO_TRACK;
	e.track_count = seen;
	e.tracks[0].path = way;
	e.tracks[0].path_count = 1;
	way[0].w = GRID_W; /* all of its way, in one box */
	e.tracks[0].last = way[1];
	if (sluice_gauge_event(&gauge, &e, &seen, GRID_W, GRID_H, &more))
		sluice_tally_add(&d->tally, &more);
	d->nothing += !seen;
	d->found += seen;
}

static void play_cycle(struct sluice_gate *g, enum show show, double from, struct day *d)
{
	struct sluice_gate_result r;
	double opened = -1, last = -1;
	uint32_t audit = SHOW_AT_S * FPS + 2 * FPS + random_below((SHOW_S - 4) * FPS);

	d->gusts += show == SHOW_GUST;
	d->walkers += show != SHOW_GUST;
	for (uint32_t i = 0; i < CYCLE_S * FPS; i++) {
		double t = (double)i / FPS;
		bool event = opened >= 0 && t - last < JOIN_S;

		paint(show, t);
		sluice_gate_frame(g, scene.cell, 1000 / FPS, &r, scene.bits);
		if (r.state == SLUICE_GATE_MOTION) {
			opened = opened < 0 ? t : opened;
			last = t;
			sight(from + t, SLUICE_REASON_MOTION, event, d);
		} else if (!event && r.state == SLUICE_GATE_QUIET &&
			   (i == 2 * FPS || i == audit || i == CYCLE_S * FPS - 1)) {
			sight(from + t, SLUICE_REASON_AUDIT, false, d);
		}
	}
	if (opened >= 0)
		tell(show, d);
}

/* The same scene each time, with other noise. */
static void play(const struct sluice_tuning *t, const enum show *show, uint32_t count,
		 struct day *d)
{
	static uint8_t map[CELLS];
	struct sluice_gate_config c;
	struct sluice_gate_result r;
	struct sluice_gate *g;

	memset(d, 0, sizeof(*d));
	CHECK(!sluice_tally_begin(&d->tally, GRID_W, GRID_H));
	sluice_gauge_reset(&gauge);
	sluice_gate_preset(&c, SLUICE_PRESET_MEDIUM);
	CHECK(sluice_gate_size(GRID_W, GRID_H) <= sizeof(gate_mem));
	g = sluice_gate_init(gate_mem, GRID_W, GRID_H, &c);
	sluice_tuning_map(t, map);
	sluice_gate_map(g, map);
	for (uint32_t i = 0; i < 3 * FPS; i++) {
		paint(SHOW_GUST, 0);
		sluice_gate_frame(g, scene.cell, 1000 / FPS, &r, scene.bits);
	}
	for (uint32_t i = 0; i < count; i++)
		play_cycle(g, show[i], i * (double)CYCLE_S, d);
}

static void print(const char *when, const struct day *d)
{
	printf("%s: %u of %u gusts opened the gate, %u of %u walkers found, %u of %u samples had "
	       "something\n",
	       when, d->nothing, d->gusts, d->found, d->walkers, d->tally.missed, d->tally.samples);
}

/* ---- the tests ---- */

static struct sluice_tuning now;
static struct sluice_proposal p;
static struct day day;

/* A tree that opens the gate with every gust: after retuning it seldom does, and nobody is lost. */
static void test_tree(void)
{
	enum show show[24];
	uint32_t first;

	for (uint32_t i = 0; i < 24; i++)
		show[i] = i % 6 == 3 ? SHOW_WALKER : SHOW_GUST;
	CHECK(!sluice_tuning_begin(&now, GRID_W, GRID_H, SLUICE_RETUNE_MEDIUM));
	play(&now, show, 24, &day);
	print("tree", &day);
	first = day.nothing;
	CHECK(first == day.gusts && day.found == day.walkers && !day.tally.missed);
	for (int round = 0; round < 3; round++) {
		if (sluice_retune_propose(&day.tally, DAY_S, &now, &sluice_retune_usual, &p) != 1)
			break;
		printf("%s\n", p.why);
		now = p.tuning;
		play(&now, show, 24, &day);
		print("retuned", &day);
		CHECK(day.found == day.walkers && !day.tally.missed);
	}
	CHECK(day.nothing * 4 <= first && !sluice_tuning_plain(&now));
	/* the way of the walkers is as it was */
	for (uint32_t y = 36; y < 40; y++)
		for (uint32_t x = 0; x < GRID_W; x++)
			CHECK(now.factor[sluice_tiles_at(&now.tiles, (float)x / GRID_W,
							 (float)y / GRID_H)] == SLUICE_FACTOR_ONE);
}

/* A gate that is too deaf for those who walk: the samples say so, and it hears them again. */
static void test_deaf(void)
{
	enum show show[24];
	int round;

	for (uint32_t i = 0; i < 24; i++)
		show[i] = SHOW_FAINT;
	CHECK(!sluice_tuning_begin(&now, GRID_W, GRID_H, SLUICE_RETUNE_CUSTOM));
	memset(now.factor, 160, sizeof(now.factor));
	play(&now, show, 24, &day);
	print("deaf", &day);
	CHECK(day.found * 2 < day.walkers && day.tally.missed);
	for (round = 0; round < 8 && day.found < day.walkers; round++) {
		if (sluice_retune_propose(&day.tally, 60, &now, &sluice_retune_usual, &p) != 1)
			break;
		CHECK(p.lowered && !p.raised);
		now = p.tuning;
		play(&now, show, 24, &day);
		print("retuned", &day);
	}
	CHECK(day.found == day.walkers);
}

/* A worse one is known as such from the samples alone. */
static void test_worse(void)
{
	struct sluice_misses before, after;
	enum show show[24];

	for (uint32_t i = 0; i < 24; i++)
		show[i] = SHOW_FAINT;
	CHECK(!sluice_tuning_begin(&now, GRID_W, GRID_H, SLUICE_RETUNE_MEDIUM));
	play(&now, show, 24, &day);
	before = (struct sluice_misses){ day.tally.samples, day.tally.missed };
	CHECK(day.found == day.walkers);
	memset(now.factor, 160, sizeof(now.factor));
	play(&now, show, 24, &day);
	after = (struct sluice_misses){ day.tally.samples, day.tally.missed };
	CHECK(sluice_retune_worse(&before, &after) && !sluice_retune_worse(&after, &before));
}

int main(int argc, char **argv)
{
	random_seed(seed_of(argc, argv));
	paint_ground();
	test_tree();
	test_deaf();
	test_worse();
	return check_result();
}
