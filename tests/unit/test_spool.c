// SPDX-License-Identifier: MIT
/*
 * test_spool.c - the spool as it is used: what was settled comes in order and once, over links that
 * break; what is too much goes, and is counted. What the disk does to it: test_spool_damage.c.
 */
#include <errno.h>
#include <string.h>

#include "check.h"
#include "spool_rig.h"

static void test_usual(void)
{
	const struct relay_spool_counts *a, *b;
	struct relay_spool_frame f;
	unsigned int camera;

	spool_rig_open();
	CHECK(spool_rig_next(&f) == 0);
	for (uint64_t i = 0; i < 10; i++) {
		CHECK(!spool_rig_add("a", 5, 2 * i,
				     i == 3 ? SLUICE_REASON_AUDIT : SLUICE_REASON_MOTION, 1, 500,
				     i > 0));
		CHECK(!spool_rig_add("b", 9, i, SLUICE_REASON_KEEPALIVE, 0, 400, i > 0));
	}
	CHECK(spool_rig_next(&f) == 0 &&
	      !relay_spool_left(rig.spool)); /* not before it is settled */
	spool_rig_settle();
	CHECK(!rig.settled_err && relay_spool_left(rig.spool) == 20);
	CHECK(relay_spool_has(rig.spool, "a", 5, 18) && relay_spool_has(rig.spool, "a", 5, 3));
	CHECK(!relay_spool_has(rig.spool, "a", 5, 19) && !relay_spool_has(rig.spool, "b", 5, 3));
	for (uint64_t i = 0; i < 10; i++) {
		CHECK(spool_rig_next(&f) == 1 && f.sequence == 2 * i && spool_rig_good(&f, 500));
		CHECK(f.run->epoch == 5 && f.run->first == 0 && f.run->last == 18);
		camera = f.run->camera;
		CHECK(!relay_spool_taken(rig.spool));
		CHECK(spool_rig_next(&f) == 1 && f.sequence == i && spool_rig_good(&f, 400));
		CHECK(!relay_spool_taken(rig.spool));
		if (i == 4) { /* acknowledged while others are under way */
			relay_spool_stored(rig.spool, camera, 5, 5);
			CHECK(relay_spool_counts(rig.spool, "a")->stored == 3);
		}
	}
	CHECK(spool_rig_next(&f) == 0);
	CHECK(relay_spool_rejected(rig.spool, camera, 5, 7) == -EPROTO);
	CHECK(!relay_spool_rejected(rig.spool, camera, 5, 8));
	CHECK(relay_spool_counts(rig.spool, "a")->rejected == 0); /* 6 is before it */
	relay_spool_stored(rig.spool, camera, 5, 18);
	relay_spool_stored(rig.spool, camera == 0, 9, 9);
	a = relay_spool_counts(rig.spool, "a");
	b = relay_spool_counts(rig.spool, "b");
	CHECK(a->stored == 9 && a->rejected == 1 && !a->left && b->stored == 10 && !b->left);
	/* the run goes on where frames do */
	CHECK(!spool_rig_add("a", 5, 40, SLUICE_REASON_MOTION, 1, 500, true));
	spool_rig_settle();
	CHECK(spool_rig_next(&f) == 1 && f.sequence == 40 && f.run->first == 0 &&
	      f.run->last == 40);
	relay_spool_end_run(rig.spool, "a");
	CHECK(!spool_rig_add("a", 5, 50, SLUICE_REASON_MOTION, 1, 500, true));
	spool_rig_settle();
	CHECK(!relay_spool_skip(rig.spool));
	CHECK(spool_rig_next(&f) == 1 && f.sequence == 50 && f.run->first == 50);
	spool_rig_close(false);
	spool_rig_open();
	CHECK(relay_spool_left(rig.spool) == 1 && spool_rig_next(&f) == 1 && f.sequence == 50);
	CHECK(!relay_spool_refuse(rig.spool) && spool_rig_next(&f) == 0);
	CHECK(relay_spool_counts(rig.spool, "a")->rejected == 2);
	spool_rig_close(false);
	spool_rig_open();
	CHECK(!relay_spool_runs(rig.spool) && !relay_spool_bytes(rig.spool));
	CHECK(relay_spool_counts(rig.spool, "a")->stored == 10);
	spool_rig_close(false);
	spool_rig_empty();
}

/* The link breaks: what was taken comes again, what was resolved does not. */
static void test_rewind(void)
{
	struct relay_spool_frame f;
	unsigned int camera[2] = { 0 };

	spool_rig_open();
	for (uint64_t i = 0; i < 20; i++) {
		CHECK(!spool_rig_add("a", 1, i, i % 5 ? SLUICE_REASON_MOTION : SLUICE_REASON_AUDIT,
				     1, 3000, i > 0));
		CHECK(!spool_rig_add("b", 1, i, SLUICE_REASON_MOTION, 1, 3000, i > 0));
	}
	spool_rig_settle();
	for (int i = 0; i < 30; i++) {
		CHECK(spool_rig_next(&f) == 1 && f.sequence == (uint64_t)i / 2);
		camera[i % 2] = f.run->camera;
		CHECK(!relay_spool_taken(rig.spool));
	}
	relay_spool_stored(rig.spool, camera[1], 1, 12); /* of b more than of a */
	relay_spool_stored(rig.spool, camera[0], 1, 4);
	CHECK(!relay_spool_rejected(rig.spool, camera[0], 1, 6)); /* not final: 5 is open */
	relay_spool_rewind(rig.spool);
	for (uint64_t i = 5; i < 20; i++) {
		CHECK(spool_rig_next(&f) == 1 && f.run->camera == camera[0] && f.sequence == i);
		CHECK(spool_rig_good(&f, 3000) && !relay_spool_taken(rig.spool));
		if (i < 13)
			continue;
		CHECK(spool_rig_next(&f) == 1 && f.run->camera == camera[1] && f.sequence == i);
		CHECK(!relay_spool_taken(rig.spool));
	}
	CHECK(spool_rig_next(&f) == 0);
	/* killed: the mark is old or none, so some come again, none is missing */
	spool_rig_close(true);
	spool_rig_open();
	CHECK(spool_rig_next(&f) == 1 &&
	      f.sequence == 20 - relay_spool_counts(rig.spool, "a")->left);
	CHECK(!strcmp(relay_spool_camera(rig.spool, f.run->camera), "a") && f.sequence <= 5);
	spool_rig_close(false);
	spool_rig_empty();
}

/* ---- too much ---- */

static void test_full(void)
{
	const struct relay_spool_counts *c;
	uint64_t added = 0, got = 0;
	struct relay_spool_frame f;
	uint32_t first_event = 0;
	int err;

	rig.bytes_max = 400000;
	rig.segment_bytes = 40000;
	spool_rig_open();
	/* an old audit frame, events of 12 frames, a few keep-alives between */
	for (uint64_t i = 0; i < 600; i++) {
		bool filler = i % 12 == 0;

		err = spool_rig_add("a", 1, i,
				    filler ? SLUICE_REASON_KEEPALIVE : SLUICE_REASON_MOTION,
				    filler ? 0 : (uint32_t)(i / 12) + 1, 2000, i > 0);
		if (err == -EAGAIN) {
			spool_rig_settle();
			i--;
			continue;
		}
		CHECK(!err);
		added++;
		if (i % 7 == 0)
			spool_rig_settle();
	}
	spool_rig_settle();
	CHECK(relay_spool_state(rig.spool) == RELAY_SPOOL_EVICTING);
	CHECK(relay_spool_bytes(rig.spool) <= rig.bytes_max);
	c = relay_spool_counts(rig.spool, "a");
	CHECK(c->evicted[SLUICE_REASON_KEEPALIVE] && c->evicted[SLUICE_REASON_MOTION]);
	CHECK(added == 600 && c->left + spool_rig_evicted("a") == added);
	while (spool_rig_next(&f) == 1) {
		uint32_t event = (uint32_t)(f.sequence / 12) + 1;

		/* whole events: the first that is given out has its first frame */
		if (f.sequence % 12 && !first_event) {
			CHECK(f.sequence % 12 == 1);
			first_event = event;
		}
		CHECK(!relay_spool_skip(rig.spool));
		got++;
	}
	CHECK(got == c->stored && !c->left && got + spool_rig_evicted("a") == added && got > 100);
	spool_rig_close(false);
	spool_rig_open(); /* what was given up is known for ever */
	c = relay_spool_counts(rig.spool, "a");
	CHECK(got == c->stored && got + spool_rig_evicted("a") == added && !c->left);
	spool_rig_close(false);
	rig.bytes_max = rig.segment_bytes = 0;
	spool_rig_empty();
}

/* ---- time ---- */

/* After 2038, with a clock that was set late; and in the boot after that. */
static void test_clock(void)
{
	const uint64_t year_2040 = 2208988800000000000ull;
	struct relay_spool_frame f;
	struct sluice_wire_clock c;

	rig.wall = (struct sluice_wire_clock){ 5000, 12345, 7 }; /* 1970 */
	spool_rig_open();
	CHECK(!spool_rig_add("a", 1, 0, SLUICE_REASON_MOTION, 1, 20, false));
	spool_rig_settle();
	relay_spool_end_run(rig.spool, "a");
	rig.wall = (struct sluice_wire_clock){ 9000, year_2040, 7 }; /* set */
	CHECK(!spool_rig_add("a", 1, 1, SLUICE_REASON_MOTION, 1, 20, true));
	spool_rig_settle();
	spool_rig_close(false);
	rig.boot = "00000000-0000-4000-8000-000000000002";
	rig.wall = (struct sluice_wire_clock){ 100, year_2040 + 1000000000, 7 };
	spool_rig_open();
	CHECK(spool_rig_next(&f) == 1 && f.sequence == 0);
	relay_spool_run_clock(rig.spool, f.run, &c);
	CHECK(c.monotonic == 9000 && c.realtime == year_2040);
	CHECK(!relay_spool_skip(rig.spool));
	CHECK(!spool_rig_add("a", 2, 0, SLUICE_REASON_MOTION, 1, 20, true));
	spool_rig_settle();
	CHECK(spool_rig_next(&f) == 1 && f.sequence == 1 && !relay_spool_skip(rig.spool));
	CHECK(spool_rig_next(&f) == 1 && f.run->epoch == 2);
	relay_spool_run_clock(rig.spool, f.run, &c);
	CHECK(c.monotonic == 100 && c.realtime == rig.wall.realtime);
	spool_rig_close(false);
	spool_rig_empty();
}

int main(int argc, char **argv)
{
	int rc = spool_rig_begin(argc, argv);

	if (rc)
		return rc;
	test_usual();
	test_rewind();
	test_full();
	test_clock();
	spool_rig_end();
	return check_result();
}
