// SPDX-License-Identifier: MIT
/* The ledger against a set of numbers, and each side of its window's edges. */
#include <string.h>
#include "kmod/ledger.h"
#include "check.h"

static uint64_t sum(const struct sluice_ledger *l)
{
	uint64_t n = 0;
	unsigned int i;

	for (i = 0; i < SLUICE_REASON_COUNT; i++)
		n += l->count[i];
	return n;
}

static void deliver_pass(struct sluice_ledger *l, uint32_t seq)
{
	sluice_ledger_deliver(l, seq, 10);
	sluice_ledger_settle(l, SLUICE_REASON_MOTION);
	CHECK(l->delivered == sum(l) + l->pending);
}

static void test_plain(void)
{
	struct sluice_ledger l;
	uint32_t i;

	sluice_ledger_init(&l);
	for (i = 0; i < 1000; i++)
		deliver_pass(&l, 0xfffffe00u + i); /* wraps */
	CHECK(l.delivered == 1000 && l.pending == 0 && l.count[SLUICE_REASON_DRIVER] == 0);
	CHECK(l.bytes_seen == 10000);
}

/* A gap is pending while it is inside the window, and lost the moment it leaves it. */
static void test_window_edge(void)
{
	struct sluice_ledger l;
	uint32_t i;

	sluice_ledger_init(&l);
	deliver_pass(&l, 100);
	for (i = 102; i <= 101 + 63; i++) {
		deliver_pass(&l, i);
		CHECK(l.pending == 1 && l.count[SLUICE_REASON_DRIVER] == 0);
	}
	deliver_pass(&l, 101 + 64);
	CHECK(l.pending == 0 && l.count[SLUICE_REASON_DRIVER] == 1);

	/* the same, but it comes at the last moment */
	sluice_ledger_init(&l);
	deliver_pass(&l, 100);
	for (i = 102; i <= 101 + 63; i++)
		deliver_pass(&l, i);
	CHECK(!sluice_ledger_deliver(&l, 101, 0));
	sluice_ledger_settle(&l, SLUICE_REASON_QUIET);
	CHECK(l.pending == 0);
	deliver_pass(&l, 101 + 64);
	CHECK(l.pending == 0 && l.count[SLUICE_REASON_DRIVER] == 0);
	CHECK(l.delivered == 66);
}

static void test_jumps(void)
{
	static const uint32_t steps[] = { 1, 2, 63, 64, 65, 66, 127, 128, 129, 100000, 0x7fffffff };
	struct sluice_ledger l;
	size_t i;

	for (i = 0; i < sizeof(steps) / sizeof(*steps); i++) {
		sluice_ledger_init(&l);
		deliver_pass(&l, 7);
		deliver_pass(&l, 7 + steps[i]);
		CHECK(l.delivered == 1 + (uint64_t)steps[i]);
		CHECK(l.pending == (steps[i] < 64 ? steps[i] - 1 : 63));
		sluice_ledger_close(&l);
		CHECK(l.pending == 0 && l.count[SLUICE_REASON_DRIVER] == steps[i] - 1);
		CHECK(l.delivered == sum(&l));
	}
}

static void test_restart(void)
{
	struct sluice_ledger l;
	int i;

	sluice_ledger_init(&l);
	CHECK(!sluice_ledger_deliver(&l, 500, 0));
	CHECK(!sluice_ledger_deliver(&l, 502, 0));
	CHECK(!sluice_ledger_deliver(&l, 502 - 63, 0)); /* seen before: a frame like any other */
	CHECK(l.count[SLUICE_REASON_DRIVER] == 0);
	CHECK(sluice_ledger_deliver(&l, 502 - 64, 0)); /* beyond the window: a new stream */
	CHECK(l.count[SLUICE_REASON_DRIVER] == 1);
	CHECK(l.delivered == 5);

	/* a short stream that begins again at 0 */
	sluice_ledger_init(&l);
	for (i = 0; i < 10; i++)
		CHECK(!sluice_ledger_deliver(&l, i, 0));
	CHECK(sluice_ledger_deliver(&l, 0, 0));
	CHECK(!sluice_ledger_deliver(&l, 1, 0));
	CHECK(l.delivered == 12);

	/* a driver that never counts */
	sluice_ledger_init(&l);
	for (i = 0; i < 200; i++)
		CHECK(!sluice_ledger_deliver(&l, 0, 0));
	CHECK(l.delivered == 200 && l.pending == 200);
}

/* Numbers in blocks of 16, shuffled, some missing: every missing one is DRIVER in the end. */
static void test_random(uint64_t seed)
{
	struct sluice_ledger l;
	uint32_t base;
	uint32_t missing = 0;
	uint32_t came = 1;
	uint32_t block, i;

	random_seed(seed);
	base = random_below(~0u);
	sluice_ledger_init(&l);
	deliver_pass(&l, base);
	for (block = 0; block < 100; block++) {
		uint32_t n[16];

		for (i = 0; i < 16; i++)
			n[i] = base + 1 + block * 16 + i;
		for (i = 15; i > 0; i--) {
			uint32_t j = random_below(i + 1);
			uint32_t t = n[i];

			n[i] = n[j];
			n[j] = t;
		}
		for (i = 0; i < 16; i++) {
			if (!random_below(8)) {
				missing++;
				continue;
			}
			came++;
			CHECK(!sluice_ledger_deliver(&l, n[i], 1));
			sluice_ledger_settle(&l, SLUICE_REASON_QUIET);
			CHECK(l.delivered == sum(&l) + l.pending);
			CHECK(l.pending < SLUICE_LEDGER_WINDOW);
		}
	}
	deliver_pass(&l, base + 1 + block * 16); /* whatever is missing lies before it */
	came++;
	sluice_ledger_close(&l);
	CHECK(l.pending == 0);
	CHECK(l.count[SLUICE_REASON_DRIVER] == missing);
	CHECK(l.delivered == came + missing);
}

int main(int argc, char **argv)
{
	uint64_t seed = seed_of(argc, argv);
	uint64_t i;

	random_seed(seed);
	test_plain();
	test_window_edge();
	test_jumps();
	test_restart();
	for (i = 0; i < 200; i++)
		test_random(seed + i);
	return check_result();
}
