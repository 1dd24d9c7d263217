// SPDX-License-Identifier: GPL-2.0
/*
 * ledger_test.c - at every step delivered = sum of the reasons + pending, in order, out of order,
 * over the wrap of the driver's numbers, and at both sides of the window's edge.
 */
#include <kunit/test.h>
#include "../ledger.h"

static u64 sum_of(const struct sluice_ledger *l)
{
	u64 n = 0;

	for (u32 i = 0; i < SLUICE_REASON_COUNT; i++)
		n += l->count[i];
	return n;
}

#define EXPECT_BALANCE(test, l) KUNIT_EXPECT_EQ(test, (l)->delivered, sum_of(l) + (l)->pending)

static bool deliver(struct kunit *test, struct sluice_ledger *l, u32 sequence,
		    enum sluice_reason reason)
{
	bool restarted = sluice_ledger_deliver(l, sequence, 10);

	EXPECT_BALANCE(test, l);
	sluice_ledger_settle(l, reason);
	EXPECT_BALANCE(test, l);
	return restarted;
}

static void ledger_every_reason_counts(struct kunit *test)
{
	struct sluice_ledger l;

	sluice_ledger_init(&l);
	for (u32 i = 0; i < 320; i++)
		deliver(test, &l, i, i % SLUICE_REASON_COUNT);
	for (u32 i = 0; i < SLUICE_REASON_COUNT; i++)
		KUNIT_EXPECT_EQ(test, l.count[i], 10ull);
	KUNIT_EXPECT_EQ(test, l.pending, 0ull);
	KUNIT_EXPECT_EQ(test, l.bytes_seen, 3200ull);
	sluice_ledger_pass_bytes(&l, 1ull << 40);
	KUNIT_EXPECT_EQ(test, l.bytes_passed, 1ull << 40);
}

static void ledger_numbers_wrap(struct kunit *test)
{
	struct sluice_ledger l;

	sluice_ledger_init(&l);
	for (u32 i = 0; i < 1000; i++)
		KUNIT_EXPECT_FALSE(test, deliver(test, &l, 0xfffffe00u + i, SLUICE_REASON_MOTION));
	KUNIT_EXPECT_EQ(test, l.delivered, 1000ull);
	KUNIT_EXPECT_EQ(test, l.count[SLUICE_REASON_DRIVER], 0ull);
}

/* A gap is pending while it is inside the window, and lost the moment it leaves it. */
static void ledger_gap_leaves_window(struct kunit *test)
{
	struct sluice_ledger l;

	sluice_ledger_init(&l);
	deliver(test, &l, 100, SLUICE_REASON_QUIET);
	for (u32 i = 102; i <= 101 + 63; i++) {
		deliver(test, &l, i, SLUICE_REASON_QUIET);
		KUNIT_EXPECT_EQ(test, l.pending, 1ull);
	}
	deliver(test, &l, 101 + 64, SLUICE_REASON_QUIET);
	KUNIT_EXPECT_EQ(test, l.pending, 0ull);
	KUNIT_EXPECT_EQ(test, l.count[SLUICE_REASON_DRIVER], 1ull);
}

static void ledger_gap_fills_late(struct kunit *test)
{
	struct sluice_ledger l;

	sluice_ledger_init(&l);
	deliver(test, &l, 100, SLUICE_REASON_QUIET);
	for (u32 i = 102; i <= 101 + 63; i++)
		deliver(test, &l, i, SLUICE_REASON_QUIET);
	KUNIT_EXPECT_FALSE(test, deliver(test, &l, 101, SLUICE_REASON_MOTION));
	KUNIT_EXPECT_EQ(test, l.pending, 0ull);
	deliver(test, &l, 101 + 64, SLUICE_REASON_QUIET);
	KUNIT_EXPECT_EQ(test, l.count[SLUICE_REASON_DRIVER], 0ull);
	KUNIT_EXPECT_EQ(test, l.delivered, 66ull);
}

static void ledger_jumps(struct kunit *test)
{
	static const u32 steps[] = { 1, 2, 63, 64, 65, 66, 127, 128, 129, 100000, 0x7fffffff };
	struct sluice_ledger l;

	for (u32 i = 0; i < ARRAY_SIZE(steps); i++) {
		sluice_ledger_init(&l);
		deliver(test, &l, 7, SLUICE_REASON_QUIET);
		deliver(test, &l, 7 + steps[i], SLUICE_REASON_QUIET);
		KUNIT_EXPECT_EQ(test, l.delivered, 1ull + steps[i]);
		KUNIT_EXPECT_EQ(test, l.pending, min_t(u64, steps[i] - 1, 63));
		sluice_ledger_close(&l);
		KUNIT_EXPECT_EQ(test, l.pending, 0ull);
		KUNIT_EXPECT_EQ(test, l.count[SLUICE_REASON_DRIVER], (u64)steps[i] - 1);
		EXPECT_BALANCE(test, &l);
	}
}

static void ledger_new_stream(struct kunit *test)
{
	struct sluice_ledger l;

	sluice_ledger_init(&l);
	KUNIT_EXPECT_FALSE(test, deliver(test, &l, 500, SLUICE_REASON_QUIET));
	KUNIT_EXPECT_FALSE(test, deliver(test, &l, 502, SLUICE_REASON_QUIET));
	KUNIT_EXPECT_FALSE(test, deliver(test, &l, 502 - 63, SLUICE_REASON_QUIET));
	KUNIT_EXPECT_EQ(test, l.count[SLUICE_REASON_DRIVER], 0ull);
	KUNIT_EXPECT_TRUE(test, deliver(test, &l, 502 - 64, SLUICE_REASON_QUIET));
	KUNIT_EXPECT_EQ(test, l.count[SLUICE_REASON_DRIVER], 1ull); /* 501 */
	KUNIT_EXPECT_EQ(test, l.delivered, 5ull);
	KUNIT_EXPECT_TRUE(test, deliver(test, &l, 0, SLUICE_REASON_QUIET));
	KUNIT_EXPECT_FALSE(test, deliver(test, &l, 0, SLUICE_REASON_QUIET)); /* never counts */
}

/* Numbers in shuffled blocks of 16, every 8th missing: each missing one is DRIVER in the end. */
static void ledger_shuffled(struct kunit *test)
{
	u32 seed = 1, base = 0xffffff00u, missing = 0, came = 2;
	struct sluice_ledger l;

	sluice_ledger_init(&l);
	deliver(test, &l, base, SLUICE_REASON_QUIET);
	for (u32 block = 0; block < 100; block++) {
		u32 turn;

		seed = seed * 1664525u + 1013904223u;
		turn = seed >> 28;
		for (u32 i = 0; i < 16; i++) {
			u32 number = base + 1 + block * 16 + (i * 5 + turn) % 16;

			if (number % 8 == 3) {
				missing++;
				continue;
			}
			came++;
			KUNIT_EXPECT_FALSE(test, deliver(test, &l, number, SLUICE_REASON_QUIET));
			KUNIT_EXPECT_LT(test, l.pending, (u64)SLUICE_LEDGER_WINDOW);
		}
	}
	deliver(test, &l, base + 1 + 1600, SLUICE_REASON_QUIET);
	sluice_ledger_close(&l);
	KUNIT_EXPECT_EQ(test, missing, 200u);
	KUNIT_EXPECT_EQ(test, l.count[SLUICE_REASON_DRIVER], (u64)missing);
	KUNIT_EXPECT_EQ(test, l.delivered, (u64)came + missing);
	EXPECT_BALANCE(test, &l);
}

static struct kunit_case ledger_cases[] = {
	KUNIT_CASE(ledger_every_reason_counts),
	KUNIT_CASE(ledger_numbers_wrap),
	KUNIT_CASE(ledger_gap_leaves_window),
	KUNIT_CASE(ledger_gap_fills_late),
	KUNIT_CASE(ledger_jumps),
	KUNIT_CASE(ledger_new_stream),
	KUNIT_CASE(ledger_shuffled),
	{},
};

static struct kunit_suite ledger_suite = {
	.name = "sluice_ledger",
	.test_cases = ledger_cases,
};
kunit_test_suite(ledger_suite);

MODULE_DESCRIPTION("Sluice: KUnit suites of the gate core");
MODULE_LICENSE("GPL");
