// SPDX-License-Identifier: MIT
/* What a child's memory is promised for: as many cameras as fit, at least one, fewer after a child
 * has died of it, and more again with time. */
#include <errno.h>

#include "cloud/room.h"
#include "tests/unit/check.h"

#define MIB (1ull << 20)

static uint32_t fill(struct sluice_room *r, uint64_t need)
{
	uint32_t n = 0;

	while (!sluice_room_take(r, 0, need))
		n++;
	return n;
}

static void test_need(void)
{
	uint64_t small = sluice_room_need(160, 120), half = sluice_room_need(320, 240);

	CHECK(sluice_room_need(0, 0) >= 556234 && sluice_room_need(0, 0) < small);
	CHECK(small < half && half == sluice_room_need(640, 480)); /* as that it is analysed */
	/* measured by build/tests/bench_memory, with an event */
	CHECK(small >= 1961622 && half >= 4519000);
	CHECK(sluice_room_need(1280, 720) >= 3676834 && sluice_room_need(1920, 1080) >= 2622966);
	CHECK(sluice_room_need(3840, 2160) >= 8255964);
	CHECK(sluice_room_need(4096, 4096) < 64 * MIB);
}

static void test_full(void)
{
	struct sluice_room r = { .memory = 64 * MIB };
	uint32_t n = fill(&r, 4 * MIB);

	CHECK(n == 12 && r.cameras == 12); /* a quarter is the child's own */
	CHECK(!sluice_room_fits(&r, 0, 4 * MIB) && sluice_room_fits(&r, 4 * MIB, 3 * MIB));
	CHECK(sluice_room_take(&r, 4 * MIB, 5 * MIB) == -ENOBUFS);
	sluice_room_leave(&r, 4 * MIB);
	CHECK(!sluice_room_take(&r, 4 * MIB, 8 * MIB));
	CHECK(r.cameras == 11 && r.taken == 48 * MIB);
	CHECK(sluice_room_take(&r, 0, 1) == -ENOBUFS);
}

static void test_only_one(void)
{
	struct sluice_room r = { .memory = MIB };

	CHECK(!sluice_room_take(&r, 0, 4 * MIB));
	CHECK(!sluice_room_take(&r, 4 * MIB, 40 * MIB));
	CHECK(sluice_room_take(&r, 0, 1) == -ENOBUFS);
}

static void test_tight(void)
{
	struct sluice_room r = { .memory = 64 * MIB };
	uint32_t was = fill(&r, MIB), n;
	uint64_t now = 1000;

	sluice_room_end(&r, 0, now); /* of something else */
	CHECK(fill(&r, MIB) == was);
	sluice_room_end(&r, 1, now);
	n = fill(&r, MIB);
	CHECK(n < was && n > was * 3 / 4);
	sluice_room_ease(&r, now + SLUICE_ROOM_EASE_MS - 1);
	CHECK(sluice_room_take(&r, 0, MIB) == -ENOBUFS);
	sluice_room_ease(&r, now + SLUICE_ROOM_EASE_MS);
	CHECK(n + fill(&r, MIB) == was);
	for (int i = 0; i < 100; i++) { /* whatever it dies of: one is left */
		fill(&r, MIB);
		sluice_room_end(&r, 1, now);
	}
	CHECK(fill(&r, MIB) >= 1);
	sluice_room_end(&r, 0, now);
	CHECK(!sluice_room_take(&r, 0, MIB));
	n = r.tight;
	sluice_room_end(&r, 1, now); /* one camera's own fault: the others had no part in it */
	CHECK(r.tight == n);
}

int main(void)
{
	test_need();
	test_full();
	test_only_one();
	test_tight();
	return check_result();
}
