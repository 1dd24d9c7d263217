// SPDX-License-Identifier: MIT
/*
 * test_gauge.c - what the analysis of drawn JPEGs says of the gate: samples in which something was
 * missed and in which nothing was, and events with and without a thing.
 */
#include <stdlib.h>
#include <string.h>

#include <turbojpeg.h>

#include <sluice/ring.h>

#include "cloud/analysis.h"
#include "cloud/tally.h"
#include "tests/unit/check.h"

#define W	640
#define H	480
#define GRID_W	80
#define GRID_H	60
#define NOWHERE -1000

static struct sluice_tally told; /* since it was emptied */
static unsigned int tallies;
static uint8_t px[W * H];
static uint64_t sequence;
static struct sluice_analysis *analysis;

static void on_summary(void *ctx, const struct sluice_summary *s)
{
	(void)ctx;
	(void)s;
}

static void on_tally(void *ctx, const struct sluice_tally *t)
{
	(void)ctx;
	CHECK(sluice_tally_ok(t) && t->settings == 7 && t->utc_ns);
	sluice_tally_add(&told, t);
	tallies++;
}

static const struct sluice_analysis_ops ops = { .summary = on_summary, .tally = on_tally };

static void draw(int x0, int y0, int gain)
{
	for (int y = 0; y < H; y++)
		for (int x = 0; x < W; x++) {
			int v = 70 + x / 8 + 20 * ((x / 40 + y / 40) & 1) + (int)random_below(9) -
				4;

			if (x >= x0 && x < x0 + 48 && y >= y0 && y < y0 + 96)
				v = 200 + 30 * (((x - x0) / 8 + (y - y0) / 8) & 1);
			v = v * gain / 100;
			px[y * W + x] = (uint8_t)(v > 255 ? 255 : v);
		}
}

/* A frame of what is drawn; cells of the gate around x, y. */
static void give(double t_s, enum sluice_reason reason, int x, int y)
{
	uint8_t cells[GRID_W * GRID_H / 8] = { 0 };
	tjhandle tj = tjInitCompress();
	unsigned char *jpeg = NULL;
	unsigned long size = 0;
	struct sluice_stored_frame f = { .epoch = 5,
					 .sequence = sequence,
					 .time_ns = (uint64_t)(t_s * 1e9) + 1000000000u,
					 .utc_ns = (uint64_t)(t_s * 1e9) + 1700000000000000000u,
					 .reason = (uint16_t)reason,
					 .settings = 7,
					 .width = W,
					 .height = H,
					 .grid_w = GRID_W,
					 .grid_h = GRID_H,
					 .cells = cells };

	for (int cy = y / 8; cy < y / 8 + 12; cy++)
		for (int cx = x / 8; cx < x / 8 + 6; cx++)
			if (cx >= 0 && cy >= 0 && cx < GRID_W && cy < GRID_H)
				cells[(cy * GRID_W + cx) / 8] |=
					(uint8_t)(1 << (cy * GRID_W + cx) % 8);
	tjCompress2(tj, px, W, 0, H, TJPF_GRAY, &jpeg, &size, TJSAMP_GRAY, 85, 0);
	f.jpeg = jpeg;
	f.jpeg_size = size;
	sequence++;
	CHECK(!sluice_analysis_frame(analysis, &f));
	tjFree(jpeg);
	tjDestroy(tj);
}

static void sample(double t_s, int x, int y, int gain)
{
	draw(x, y, gain);
	give(t_s, SLUICE_REASON_AUDIT, NOWHERE, NOWHERE);
}

/* An analysis that knows the place. */
static void begin(void)
{
	const struct sluice_analysis_config c = { .camera = "door",
						  .join_ms = 10000,
						  .event_max_ms = 300000,
						  .keyframes_max = 12,
						  .language = "en" };

	sluice_analysis_close(analysis);
	analysis = sluice_analysis_open(&c, &ops, NULL);
	sluice_analysis_epoch(analysis, 5, 1000000000, 1700000000000000000u);
	for (int i = 0; i < 12; i++) {
		draw(NOWHERE, NOWHERE, 100);
		give(i / 5.0, SLUICE_REASON_WARMUP, NOWHERE, NOWHERE);
	}
	memset(&told, 0, sizeof(told));
	tallies = 0;
}

static uint32_t at(int x, int y)
{
	return sluice_tiles_at(&told.tiles, (float)x / W, (float)y / H);
}

/* Somebody stands in one sample, and is in none before and none after it. */
static void test_missed(void)
{
	begin();
	sample(60, NOWHERE, NOWHERE, 100);
	sample(120, 300, 200, 100);
	sample(180, NOWHERE, NOWHERE, 100);
	sample(240, NOWHERE, NOWHERE, 100);
	CHECK(told.samples == 3 && told.missed == 1 && !told.openings);
	CHECK(told.tile[at(324, 248)].missed == 1 && told.tile[at(305, 205)].missed == 1);
	CHECK(!told.tile[at(200, 248)].missed && !told.tile[at(324, 400)].missed);
}

static void test_not_missed(void)
{
	/* it has come to stay, and then it has gone */
	begin();
	for (int i = 1; i < 12; i++)
		sample(60 * i, i > 2 && i < 9 ? 300 : NOWHERE, 200, 100);
	CHECK(told.samples == 10 && !told.missed);
	/* another light, for one sample */
	begin();
	for (int i = 1; i < 8; i++)
		sample(60 * i, NOWHERE, NOWHERE, i == 4 ? 130 : 100);
	CHECK(told.samples > 3 && !told.missed);
	/* the gate sees it at once */
	begin();
	sample(60, NOWHERE, NOWHERE, 100);
	sample(120, 300, 200, 100);
	draw(320, 200, 100);
	give(121, SLUICE_REASON_PREROLL, NOWHERE, NOWHERE);
	CHECK(told.samples == 2 && !told.missed);
}

/* Walks from left to right, or only the gate says so. */
static void event(double from, bool thing)
{
	for (int i = 0; i < 40; i++) {
		int x = 60 + i * 12, y = thing ? 200 : 40;

		draw(thing ? x : NOWHERE, y, 100);
		give(from + i / 10.0, SLUICE_REASON_MOTION, thing ? x : 500, y);
	}
	sample(from + 30, NOWHERE, NOWHERE, 100);
	sample(from + 60, NOWHERE, NOWHERE, 100);
}

static void test_events(void)
{
	begin();
	event(60, true);
	CHECK(told.openings == 1 && !told.nothing && told.samples == 1 && !told.missed);
	for (int x = 150; x < 500; x += 20)
		CHECK(told.tile[at(x, 248)].seen == 1);
	CHECK(!told.tile[at(300, 40)].seen && !told.tile[at(300, 440)].seen);
	begin();
	event(60, false);
	event(200, false);
	CHECK(told.openings == 2 && told.nothing == 2 && !told.missed);
	CHECK(told.tile[at(524, 88)].nothing == 2 && told.tile[at(524, 88)].frames == 80);
	CHECK(!told.tile[at(524, 88)].seen && !told.tile[at(300, 88)].nothing);
}

/* Nobody who asks is told nothing. */
static void test_unasked(void)
{
	static const struct sluice_analysis_ops deaf = { .summary = on_summary };
	const struct sluice_analysis_config c = { .camera = "door", .language = "en" };

	sluice_analysis_close(analysis);
	analysis = sluice_analysis_open(&c, &deaf, NULL);
	tallies = 0;
	event(0, true);
	CHECK(!tallies);
}

int main(int argc, char **argv)
{
	random_seed(seed_of(argc, argv));
	test_missed();
	test_not_missed();
	test_events();
	test_unasked();
	sluice_analysis_close(analysis);
	return check_result();
}
