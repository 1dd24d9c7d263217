// SPDX-License-Identifier: MIT
/*
 * test_budget.c - on a simulated clock: the limits hold over every stretch of time, whatever is
 * offered; who goes first when there is less than enough; what is held back goes when there is
 * room.
 */
#include <string.h>
#include "relay/budget.h"
#include "tests/unit/check.h"

#define S  1000000000ull
#define MS 1000000ull

static const uint64_t start = 12345 * S;

static struct sluice_ring_desc record(enum sluice_reason reason, uint32_t event)
{
	return (struct sluice_ring_desc){ .epoch = 1, .reason = (uint16_t)reason, .event = event };
}

static void test_classes(void)
{
	struct relay_budget_event e = { 0 };
	struct sluice_ring_desc d = record(SLUICE_REASON_MOTION, 1);

	for (int i = 0; i < RELAY_FIRST_FRAMES; i++) {
		CHECK(relay_budget_class(&e, &d) == RELAY_CLASS_FIRST);
		relay_budget_event_sent(&e, &d);
	}
	CHECK(relay_budget_class(&e, &d) == RELAY_CLASS_MOTION);
	d = record(SLUICE_REASON_PREROLL, 2);
	CHECK(relay_budget_class(&e, &d) == RELAY_CLASS_ROLL);
	relay_budget_event_sent(&e, &d); /* does not use up what the motion has */
	d = record(SLUICE_REASON_MOTION, 2);
	CHECK(relay_budget_class(&e, &d) == RELAY_CLASS_FIRST);
	relay_budget_event_sent(&e, &d);
	CHECK(e.frames == 1);
	d.epoch = 2;
	CHECK(relay_budget_class(&e, &d) == RELAY_CLASS_FIRST);
	d = record(SLUICE_REASON_AUDIT, 0);
	CHECK(relay_budget_class(&e, &d) == RELAY_CLASS_SPARE);
	d = record(SLUICE_REASON_KEEPALIVE, 0);
	CHECK(relay_budget_class(&e, &d) == RELAY_CLASS_SPARE);
	d = record(SLUICE_REASON_SNAPSHOT, 0);
	CHECK(relay_budget_class(&e, &d) == RELAY_CLASS_MOTION);
}

static void test_unlimited(void)
{
	struct relay_budget_config c = { .quality_min = 50, .quality_max = 80 };
	struct relay_budget b;

	relay_budget_init(&b, &c, start);
	for (int i = 0; i < 1000; i++) {
		CHECK(relay_budget_allows(&b, start, RELAY_CLASS_BACKFILL));
		relay_budget_spent(&b, start, 10 << 20);
	}
}

/* Everything that may go, goes: the mean is the limit, for every rate and size of frame. */
static void test_rate(void)
{
	static const uint64_t rates[] = { 3000, 20000, 125000, 10000000 };

	for (size_t r = 0; r < 4; r++) {
		struct relay_budget_config c = { .rate = rates[r], .quality_max = 80 };
		uint64_t sent = 0, largest = rates[r] * 3, now = start;
		struct relay_budget b;

		relay_budget_init(&b, &c, start);
		for (int i = 0; i < 200000; i++) {
			uint64_t size = 1 + random_below((uint32_t)largest);

			now += 1 + random_below(3 * MS);
			if (!relay_budget_allows(&b, now, RELAY_CLASS_MOTION))
				continue;
			relay_budget_spent(&b, now, size);
			sent += size;
		}
		CHECK(sent <= rates[r] * ((now - start) / S + 3) + largest);
		CHECK(sent >= rates[r] * ((now - start) / S) * 98 / 100);
	}
}

/* With steady motion of half of the rate and a spool that is never empty: motion is never held,
 * back-fill takes what is left. */
static void test_order(void)
{
	struct relay_budget_config c = { .rate = 100000, .quality_max = 80 };
	uint64_t motion = 0, back = 0, held = 0, now = start;
	struct relay_budget b;

	relay_budget_init(&b, &c, start);
	for (int i = 0; i < 60 * 1000; i++, now += MS) {
		if (i % 100 == 0) {
			if (relay_budget_allows(&b, now, RELAY_CLASS_MOTION)) {
				relay_budget_spent(&b, now, 5000);
				motion++;
			} else {
				held++;
			}
		}
		if (relay_budget_allows(&b, now, RELAY_CLASS_BACKFILL)) {
			relay_budget_spent(&b, now, 10000);
			back += 10000;
		}
	}
	CHECK(!held && motion == 600);
	CHECK(back >= 2900000 && back <= 3200000);
	/* a flood of motion: nothing below it goes, the first frames of a new event do */
	for (int i = 0; i < 10000; i++, now += MS) {
		while (relay_budget_allows(&b, now, RELAY_CLASS_MOTION))
			relay_budget_spent(&b, now, 5000);
		CHECK(!relay_budget_allows(&b, now, RELAY_CLASS_ROLL));
		CHECK(!relay_budget_allows(&b, now, RELAY_CLASS_SPARE));
		CHECK(!relay_budget_allows(&b, now, RELAY_CLASS_BACKFILL));
		CHECK(relay_budget_allows(&b, now, RELAY_CLASS_FIRST));
	}
	/* and the timer's hint is neither early by much nor late */
	for (int class = RELAY_CLASS_MOTION; class < RELAY_CLASSES; class ++) {
		struct relay_budget copy = b;
		uint64_t wait = relay_budget_wait(&copy, now, class);

		CHECK(relay_budget_allows(&copy, now + wait, class));
		CHECK(wait <= 2 * S);
	}
}

/* No 24 hours hold more than the limit; the classes end in order; the next day goes on. */
static void test_day(void)
{
	struct relay_budget_config c = { .day = 1000000, .quality_max = 80 };
	static uint64_t at[100000];
	uint64_t now = start, n = 0, first = 0;
	struct relay_budget b;
	int denied[RELAY_CLASSES] = { 0 };

	relay_budget_init(&b, &c, start);
	for (int i = 0; i < 6 * 24 * 360; i++, now += 10 * S) {
		enum relay_class class = random_below(RELAY_CLASSES);

		for (int each = 0; each < RELAY_CLASSES; each++)
			denied[each] += !relay_budget_allows(&b, now, each);
		if (!relay_budget_allows(&b, now, class)) {
			for (int lower = class; lower < RELAY_CLASSES; lower++)
				CHECK(!relay_budget_allows(&b, now, lower));
			continue;
		}
		relay_budget_spent(&b, now, 1000);
		at[n++] = now;
		while (at[first] + 24 * 3600 * S <= now)
			first++;
		CHECK(n - first <= 1000);
	}
	CHECK(n > 4500); /* of 5000 in five whole days and one hour more a day */
	for (int class = 1; class < RELAY_CLASSES; class ++)
		CHECK(denied[class] >= denied[class - 1]);
	CHECK(relay_budget_wait(&b, now, RELAY_CLASS_BACKFILL) <= 60 * S);
	/* a month without a frame, and a clock that stands still */
	now += 30 * 24 * 3600 * S;
	CHECK(relay_budget_allows(&b, now, RELAY_CLASS_BACKFILL) && !b.day_spent);
	relay_budget_spent(&b, now, 999999);
	CHECK(!relay_budget_allows(&b, now, RELAY_CLASS_MOTION));
	CHECK(relay_budget_allows(&b, now, RELAY_CLASS_FIRST));
	CHECK(!relay_budget_allows(&b, start, RELAY_CLASS_MOTION));
}

static void test_quality(void)
{
	struct relay_budget_config c = { .rate = 100000, .quality_min = 55, .quality_max = 80 };
	struct relay_budget b;
	uint64_t now = start;

	relay_budget_init(&b, &c, start);
	CHECK(relay_budget_quality(&b, now, 255) == 80); /* not at once */
	CHECK(relay_budget_quality(&b, now += 2 * S, 255) == 70);
	CHECK(relay_budget_quality(&b, now + S, 255) == 70);
	CHECK(relay_budget_quality(&b, now += 2 * S, 255) == 60);
	CHECK(relay_budget_quality(&b, now += 2 * S, 255) == 55);
	CHECK(relay_budget_quality(&b, now += 2 * S, 255) == 55);
	CHECK(relay_budget_quality(&b, now += 2 * S, 40) == 55); /* neither thin nor idle */
	CHECK(relay_budget_quality(&b, now += 2 * S, 0) == 65);
	CHECK(relay_budget_quality(&b, now += 2 * S, 0) == 75);
	relay_budget_spent(&b, now, 500000);
	CHECK(relay_budget_quality(&b, now += 2 * S, 0) == 65); /* the budget is short */
	CHECK(relay_budget_quality(&b, now += 20 * S, 0) == 75);
	CHECK(relay_budget_quality(&b, now += 20 * S, 0) == 80);
}

int main(int argc, char **argv)
{
	random_seed(seed_of(argc, argv));
	test_classes();
	test_unlimited();
	test_rate();
	test_order();
	test_day();
	test_quality();
	return check_result();
}
