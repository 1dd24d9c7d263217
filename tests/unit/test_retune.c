// SPDX-License-Identifier: MIT
/*
 * test_retune.c - what counts of a gate speak for, on constructed ones: each side of every bound,
 * and counts that nobody could have counted; and tallies as bytes.
 */
#include <errno.h>
#include <math.h>
#include <string.h>

#include "cloud/retune.h"
#include "tests/unit/check.h"

#define GRID_W 80
#define GRID_H 60
#define DAY_S  86400

static struct sluice_tally tally;
static struct sluice_tuning now;
static struct sluice_proposal p;
static const struct sluice_retune_limits *limits = &sluice_retune_usual;

static void begin(enum sluice_retune_preset preset)
{
	CHECK(!sluice_tally_begin(&tally, GRID_W, GRID_H));
	CHECK(!sluice_tuning_begin(&now, GRID_W, GRID_H, preset));
}

static uint32_t tile(uint32_t x, uint32_t y)
{
	return y * tally.tiles.w + x;
}

static void opened(uint32_t x, uint32_t y, uint32_t times)
{
	tally.tile[tile(x, y)].nothing = times;
	tally.tile[tile(x, y)].frames = times * 10;
	if (tally.nothing < times) {
		tally.openings += times - tally.nothing;
		tally.nothing = times;
	}
}

static void missed(uint32_t x, uint32_t y, uint32_t times)
{
	tally.tile[tile(x, y)].missed = times;
	tally.samples += 100 * times;
	tally.missed += times;
}

static int propose(uint64_t seconds)
{
	return sluice_retune_propose(&tally, seconds, &now, limits, &p);
}

static uint8_t factor(uint32_t x, uint32_t y)
{
	return p.tuning.factor[tile(x, y)];
}

/* The fewest openings that are plenty. */
static uint32_t plenty(void)
{
	float low, high;
	uint32_t n = 0;

	do
		sluice_wilson(n, n, 1.645f, &low, &high);
	while (low <= limits->sure && ++n < 1000);
	return n;
}

static void test_tiles(void)
{
	static const uint32_t grid[][5] = {
		{ 2, 2, 1, 2, 2 },	{ 32, 24, 1, 32, 24 },	{ 33, 24, 2, 17, 12 },
		{ 80, 60, 3, 27, 20 },	{ 160, 90, 5, 32, 18 }, { 240, 135, 8, 30, 17 },
		{ 1024, 2, 32, 32, 1 }, { 2, 1024, 43, 1, 24 },
	};
	struct sluice_tiles t;

	for (size_t i = 0; i < sizeof(grid) / sizeof(grid[0]); i++) {
		CHECK(!sluice_tiles_of(grid[i][0], grid[i][1], &t));
		CHECK(t.side == grid[i][2] && t.w == grid[i][3] && t.h == grid[i][4]);
		CHECK(t.w <= SLUICE_TILES_W && t.h <= SLUICE_TILES_H);
		CHECK(sluice_tiles_at(&t, 1, 1) == t.w * t.h - 1u);
		CHECK(sluice_tiles_at(&t, 9, 9) == t.w * t.h - 1u);
		CHECK(!sluice_tiles_at(&t, 0, 0) && !sluice_tiles_at(&t, -1, NAN));
	}
	CHECK(sluice_tiles_of(1, 60, &t) == -EINVAL && sluice_tiles_of(80, 0, &t) == -EINVAL);
	CHECK(sluice_tiles_of(1025, 60, &t) == -EINVAL);
	CHECK(sluice_tiles_of(80, UINT32_MAX, &t) == -EINVAL);
}

/* ---- bytes ---- */

static void test_bytes(void)
{
	static struct sluice_tally back, sum;
	uint8_t data[SLUICE_TALLY_BYTES];
	size_t size, i;

	begin(SLUICE_RETUNE_MEDIUM);
	size = sluice_tally_pack(&tally, data);
	CHECK(size < 30 && !sluice_tally_unpack(data, size, &back));
	CHECK(!memcmp(&back, &tally, sizeof(tally)) && sluice_tally_empty(&back));
	for (i = 0; i < 40; i++)
		opened(i % 27, i / 27, (uint32_t)i + 1);
	missed(26, 19, 3);
	size = sluice_tally_pack(&tally, data);
	CHECK(!sluice_tally_unpack(data, size, &back) && !memcmp(&back, &tally, sizeof(tally)));
	for (i = 0; i < size; i++)
		CHECK(sluice_tally_unpack(data, i, &back) == -EBADMSG);
	CHECK(sluice_tally_unpack(data, size + 1, &back) == -EBADMSG);
	/* whatever is in it, nothing is written beyond it; what it says is one */
	for (i = 0; i < 20000; i++) {
		uint8_t bad[SLUICE_TALLY_BYTES];

		memcpy(bad, data, size);
		bad[random_below((uint32_t)size)] = (uint8_t)random_below(256);
		bad[random_below(24)] ^= (uint8_t)(1u << random_below(8));
		if (!sluice_tally_unpack(bad, size, &back))
			CHECK(sluice_tally_ok(&back));
	}
	/* all tiles */
	begin(SLUICE_RETUNE_MEDIUM);
	CHECK(!sluice_tally_begin(&tally, 32, 24));
	for (i = 0; i < SLUICE_TILES; i++)
		tally.tile[i].frames = UINT32_MAX;
	size = sluice_tally_pack(&tally, data);
	CHECK(size <= sizeof(data) && !sluice_tally_unpack(data, size, &back));
	/* sums stop at the top, and another grid begins anew */
	sum = tally;
	sluice_tally_add(&sum, &tally);
	CHECK(sum.tile[5].frames == UINT32_MAX && sluice_tally_ok(&sum));
	begin(SLUICE_RETUNE_MEDIUM);
	opened(1, 1, 4);
	sluice_tally_add(&sum, &tally);
	CHECK(!memcmp(&sum, &tally, sizeof(sum)));
	sluice_tally_add(&sum, &tally);
	CHECK(sum.nothing == 8 && sum.tile[tile(1, 1)].nothing == 8);
}

/* ---- a rise ---- */

static void test_rise(void)
{
	uint32_t n = plenty();

	CHECK(n >= 10 && n < 40);
	begin(SLUICE_RETUNE_MEDIUM);
	CHECK(!propose(7 * DAY_S) && !p.raised && strstr(p.why, "Nothing to change"));
	opened(10, 4, n - 1);
	CHECK(!propose(7 * DAY_S) && !p.raised);
	opened(10, 4, n);
	CHECK(propose(7 * DAY_S) == 1 && p.raised == 1 && !p.lowered);
	CHECK(factor(10, 4) == 24 && factor(11, 4) == 16 &&
	      p.tuning.preset == SLUICE_RETUNE_MEDIUM);
	CHECK(strstr(p.why, "Cells 30..32 of rows 12..14 opened the gate") &&
	      strstr(p.why, "in 7 days without a track; threshold x 1 -> x 1.5."));
	/* not before a day has gone by */
	CHECK(!propose(DAY_S - 1) && propose(DAY_S) == 1);
	/* never where a thing was, nor beside it; two tiles away it may */
	tally.tile[tile(11, 5)].seen = 1;
	CHECK(!propose(7 * DAY_S) && factor(10, 4) == 16);
	tally.tile[tile(11, 5)].seen = 0;
	tally.tile[tile(12, 4)].seen = 1;
	CHECK(propose(7 * DAY_S) == 1 && factor(10, 4) == 24);
	tally.tile[tile(10, 4)].seen = 1;
	tally.tile[tile(10, 4)].nothing = 1000000;
	tally.openings = tally.nothing = 1000000;
	CHECK(!propose(7 * DAY_S));
	tally.tile[tile(10, 4)].seen = 0;
	/* by steps, up to the limit, and what is ignored stays so */
	for (uint32_t i = 0; i < 10; i++) {
		propose(DAY_S);
		now = p.tuning;
	}
	CHECK(now.factor[tile(10, 4)] == limits->most && !propose(DAY_S));
	now.factor[tile(10, 4)] = 0;
	CHECK(!propose(DAY_S) && factor(10, 4) == 0);
	now.factor[tile(10, 4)] = 200; /* somebody's own, beyond the limit: it does not fall */
	CHECK(!propose(DAY_S) && factor(10, 4) == 200);
}

/* ---- a fall ---- */

static void test_fall(void)
{
	begin(SLUICE_RETUNE_MEDIUM);
	missed(5, 5, 1);
	/* at once, with its neighbours, by a step */
	CHECK(propose(60) == 1 && p.lowered == 9 && !p.raised);
	CHECK(factor(5, 5) == 10 && factor(4, 4) == 10 && factor(3, 5) == 16);
	CHECK(strstr(p.why, "had something that the gate did not see in 1 frames"));
	now = p.tuning;
	CHECK(propose(60) == 1 && factor(5, 5) == limits->least);
	now = p.tuning;
	CHECK(!propose(60) && factor(5, 5) == limits->least);
	/* what was raised goes back, to what was configured first */
	now.factor[tile(5, 5)] = 48;
	CHECK(propose(60) == 1 && factor(5, 5) == 32);
	now.factor[tile(5, 5)] = 20;
	CHECK(propose(60) == 1 && factor(5, 5) == 16);
	/* a miss weighs more than any number of openings */
	begin(SLUICE_RETUNE_MEDIUM);
	opened(5, 5, 1000);
	missed(6, 6, 1);
	CHECK(propose(7 * DAY_S) == 1 && factor(5, 5) == 10 && !p.raised);
	/* corners have fewer neighbours */
	begin(SLUICE_RETUNE_CUSTOM);
	missed(0, 0, 1);
	missed(26, 19, 1);
	CHECK(propose(60) == 1 && p.lowered == 8);
}

/* Missed all over the picture: the preset, not each place. */
static void test_everywhere(void)
{
	uint32_t n;

	begin(SLUICE_RETUNE_LOW);
	for (n = 0; n < 67; n++)
		missed(n % 9 * 3, n / 9 * 2, 1);
	CHECK(propose(60) == 1 && p.tuning.preset == SLUICE_RETUNE_LOW && p.lowered > 100);
	missed(26, 19, 1); /* an eighth of the tiles */
	now.factor[tile(0, 0)] = 36;
	CHECK(propose(60) == 1 && p.tuning.preset == SLUICE_RETUNE_MEDIUM && p.lowered == 1);
	CHECK(factor(0, 0) == 24 && factor(3, 0) == 16);
	CHECK(strstr(p.why, "preset low -> medium"));
	now = p.tuning;
	CHECK(propose(60) == 1 && p.tuning.preset == SLUICE_RETUNE_HIGH);
	now = p.tuning;
	CHECK(propose(60) == 1 && p.tuning.preset == SLUICE_RETUNE_HIGH && p.lowered > 100);
	now.preset = SLUICE_RETUNE_CUSTOM;
	CHECK(propose(60) == 1 && p.tuning.preset == SLUICE_RETUNE_CUSTOM && p.lowered > 100);
	/* two frames may be chance */
	begin(SLUICE_RETUNE_LOW);
	for (n = 0; n < 100; n++)
		missed(n % 25, n / 25 * 4, 1);
	tally.missed = 2;
	CHECK(propose(60) == 1 && p.tuning.preset == SLUICE_RETUNE_LOW);
}

/* ---- what nobody could have counted ---- */

static void test_hostile(void)
{
	struct sluice_retune_limits none = *limits;
	uint32_t i;

	begin(SLUICE_RETUNE_MEDIUM);
	for (i = 0; i < SLUICE_TILES; i++)
		tally.tile[i] =
			(struct sluice_tile){ UINT32_MAX, UINT32_MAX, UINT32_MAX, UINT32_MAX };
	tally.openings = tally.nothing = tally.samples = tally.missed = UINT32_MAX;
	CHECK(propose(UINT64_MAX) == 1 && p.tuning.preset == SLUICE_RETUNE_HIGH);
	CHECK(strlen(p.why) < SLUICE_RETUNE_WORDS);
	for (i = 0; i < SLUICE_TILES; i++)
		tally.tile[i] = (struct sluice_tile){ UINT32_MAX, UINT32_MAX, 0, 0 };
	CHECK(propose(UINT64_MAX) == 1 && p.raised == 27 * 20);
	/* a chequer of places: more than can be told */
	for (i = 0; i < SLUICE_TILES; i++)
		now.factor[i] = 16 + i % 2 * 4 + i / 27 % 2;
	CHECK(propose(UINT64_MAX) == 1 && strlen(p.why) < SLUICE_RETUNE_WORDS);
	CHECK(strstr(p.why, "more places"));
	tally.nothing = 5;
	tally.openings = 4;
	CHECK(propose(DAY_S) == -EINVAL);
	begin(SLUICE_RETUNE_MEDIUM);
	tally.tiles.side = 1;
	CHECK(propose(DAY_S) == -EINVAL);
	begin(SLUICE_RETUNE_MEDIUM);
	CHECK(!sluice_tuning_begin(&now, 160, 90, SLUICE_RETUNE_MEDIUM));
	CHECK(propose(DAY_S) == -EINVAL);
	begin(SLUICE_RETUNE_MEDIUM);
	none.least = 0;
	CHECK(sluice_retune_propose(&tally, DAY_S, &now, &none, &p) == -EINVAL);
	none = *limits;
	none.most = 15;
	CHECK(sluice_retune_propose(&tally, DAY_S, &now, &none, &p) == -EINVAL);
}

/* ---- intervals ---- */

static int close_to(double a, double b)
{
	return fabs(a - b) < 0.0006;
}

static void test_intervals(void)
{
	float low, high;

	/* Newcombe 1998, table I: the score method without continuity correction */
	sluice_wilson(81, 263, 1.96f, &low, &high);
	CHECK(close_to(low, 0.2553) && close_to(high, 0.3662));
	sluice_wilson(15, 148, 1.96f, &low, &high);
	CHECK(close_to(low, 0.0624) && close_to(high, 0.1605));
	sluice_wilson(0, 20, 1.96f, &low, &high);
	CHECK(close_to(low, 0) && close_to(high, 0.1611));
	sluice_wilson(29, 29, 1.96f, &low, &high);
	CHECK(close_to(low, 0.8830) && close_to(high, 1));
	sluice_wilson(0, 0, 1.96f, &low, &high);
	CHECK(low == 0 && high == 1);
	sluice_wilson(UINT32_MAX, UINT32_MAX, 1.96f, &low, &high);
	CHECK(low > 0.999f && high <= 1);
}

static bool worse(uint32_t missed1, uint32_t n1, uint32_t missed2, uint32_t n2)
{
	const struct sluice_misses before = { n1, missed1 }, after = { n2, missed2 };

	return sluice_retune_worse(&before, &after);
}

static void test_worse(void)
{
	CHECK(!worse(0, 1000, 0, 1000) && !worse(0, 1000, 0, 0) && !worse(0, 0, 0, 0));
	CHECK(worse(0, 1000, 5, 1000) && worse(1, 1000, 20, 1000));
	CHECK(!worse(10, 1000, 10, 1000) && !worse(10, 1000, 11, 1000) && !worse(20, 1000, 5, 500));
	CHECK(!worse(50, 100, 5, 9) && worse(0, UINT32_MAX, UINT32_MAX, UINT32_MAX));
	CHECK(!worse(0, 0, 1, 3) && worse(0, 0, 20, 20));
}

static void test_map(void)
{
	static uint8_t cells[GRID_W * GRID_H];
	uint32_t i, n = 0;

	begin(SLUICE_RETUNE_MEDIUM);
	CHECK(sluice_tuning_plain(&now));
	now.factor[tile(26, 19)] = 24; /* the last one, which is cut by the edge: 2 x 3 cells */
	CHECK(!sluice_tuning_plain(&now));
	sluice_tuning_map(&now, cells);
	for (i = 0; i < sizeof(cells); i++)
		n += cells[i] == 24;
	CHECK(n == 2 * 3 && cells[sizeof(cells) - 1] == 24 && cells[0] == 16);
}

int main(int argc, char **argv)
{
	random_seed(seed_of(argc, argv));
	test_tiles();
	test_bytes();
	test_rise();
	test_fall();
	test_everywhere();
	test_hostile();
	test_intervals();
	test_worse();
	test_map();
	return check_result();
}
