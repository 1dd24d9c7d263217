// SPDX-License-Identifier: MIT
/* The frame path, rule by rule (kmod/frame.c's head comment), on each side of every edge. */
#include "frame_rig.h"
#include <stdlib.h>
#include <string.h>

/* 100 ms apart: pre-roll edge, order, events, OPENS and CLOSES. */
static void test_roll(void)
{
	struct rig *t = rig_raw();
	uint32_t n = 0;
	uint32_t i;

	t->settings.preroll_ms = 1000;
	t->settings.postroll_ms = 500;
	rig_apply(t);
	for (i = 0; i < 5; i++, n++)
		rig_frame(t, SEC + n * 100 * MS, W, n);
	CHECK(t->records == 5 && t->ctrl->state & SLUICE_STATE_WARMUP);
	for (i = 0; i < 30; i++, n++)
		rig_frame(t, SEC + n * 100 * MS, Q, n);
	CHECK(t->records == 5 && count_of(t, SLUICE_REASON_QUIET) == 20);
	rig_frame(t, SEC + n * 100 * MS, C, n);
	n++;
	rig_frame(t, SEC + n * 100 * MS, M, n); /* sequence 36; 1000 ms before: 26, not kept */
	n++;
	CHECK(t->records == 5 + 9 + 1);
	CHECK(t->verdict[26] == SLUICE_REASON_QUIET && t->verdict[27] == SLUICE_REASON_PREROLL);
	CHECK(t->verdict[35] == SLUICE_REASON_PREROLL && t->verdict[36] == SLUICE_REASON_MOTION);
	CHECK(t->log[5].sequence == 27 && t->log[5].flags & SLUICE_FRAME_OPENS);
	CHECK(t->log[5].event == 1 && t->log[4].event == 0);
	CHECK(t->log[5].dropped == 22 && t->log[6].dropped == 0);
	CHECK(!(t->log[6].flags & SLUICE_FRAME_OPENS));
	CHECK(t->ctrl->state & SLUICE_STATE_OPEN && t->ctrl->last_motion_ns == SEC + 3600 * MS);
	for (i = 0; i < 6; i++, n++)
		rig_frame(t, SEC + n * 100 * MS, Q, n);
	/* 37..40 below the post-roll, 41 exactly at its end: passes and closes; 42 waits */
	CHECK(count_of(t, SLUICE_REASON_POSTROLL) == 5);
	CHECK(t->log[t->records - 1].sequence == 41);
	CHECK(t->log[t->records - 1].flags & SLUICE_FRAME_CLOSES);
	CHECK(t->log[t->records - 1].event == 1);
	CHECK(!(t->ctrl->state & SLUICE_STATE_OPEN));
	rig_frame(t, SEC + n * 100 * MS, M, n);
	CHECK(t->verdict[42] == SLUICE_REASON_PREROLL && t->log[t->records - 1].event == 2);
	rig_end(t);
	CHECK(t->notes[SLUICE_NOTE_OPEN] == 2 && t->notes[SLUICE_NOTE_CLOSE] == 2);
	rig_close(t);
}

/* A qualified run waits for its confirmation without a pre-roll; a broken one does not. */
static void test_streak(void)
{
	struct rig *t = rig_raw();
	static const int states[] = { Q, C, Q, C, C, C, M };
	uint32_t n;

	t->settings.preroll_ms = 0;
	rig_apply(t);
	for (n = 0; n < 7; n++)
		rig_frame(t, SEC + n * 30 * MS, states[n], n);
	CHECK(t->verdict[0] == SLUICE_REASON_QUIET && t->verdict[1] == SLUICE_REASON_UNCONFIRMED);
	CHECK(t->verdict[2] == SLUICE_REASON_QUIET && t->verdict[3] == SLUICE_REASON_PREROLL);
	CHECK(t->verdict[5] == SLUICE_REASON_PREROLL && t->verdict[6] == SLUICE_REASON_MOTION);
	rig_end(t);
	rig_close(t);
}

static void test_scene(void)
{
	struct rig *t = rig_raw();
	uint32_t n = 0;

	for (; n < 10; n++)
		rig_frame(t, SEC + n * 100 * MS, Q, n);
	rig_frame(t, SEC + n * 100 * MS, S, n);
	n++;
	for (; n < 21; n++)
		rig_frame(t, SEC + n * 100 * MS, W, n);
	for (; n < 80; n++)
		rig_frame(t, SEC + n * 100 * MS, Q, n);
	CHECK(count_of(t, SLUICE_REASON_SCENE_CHANGE) == 1 && t->notes[SLUICE_NOTE_SCENE] == 1);
	CHECK(count_of(t, SLUICE_REASON_PREROLL) == 10 && count_of(t, SLUICE_REASON_WARMUP) == 10);
	CHECK(count_of(t, SLUICE_REASON_POSTROLL) == 40 && t->notes[SLUICE_NOTE_CLOSE] == 1);
	rig_end(t);
	rig_close(t);
}

/* Found: a note, an opening, a frame of its own reason, a state as long as it holds. */
static void test_tamper(void)
{
	struct rig *t = rig_raw();
	uint32_t n = 0;

	for (; n < 10; n++)
		rig_frame(t, SEC + n * 100 * MS, Q, n);
	for (; n < 100; n++)
		rig_frame(t, SEC + n * 100 * MS, Q | SLUICE_TAMPER_COVERED << 4, n);
	CHECK(t->verdict[0] == SLUICE_REASON_PREROLL && t->verdict[10] == SLUICE_REASON_TAMPER);
	CHECK(count_of(t, SLUICE_REASON_TAMPER) == 1 && t->notes[SLUICE_NOTE_COVERED] == 1);
	CHECK(t->verdict[11] == SLUICE_REASON_POSTROLL && t->notes[SLUICE_NOTE_CLOSE] == 1);
	CHECK(t->ctrl->state & SLUICE_STATE_COVERED && !(t->ctrl->state & SLUICE_STATE_OPEN));
	/* Another kind is found anew; what opens the gate may be in the middle of warm-up. */
	rig_frame(t, SEC + n * 100 * MS, W | SLUICE_TAMPER_TURNED << 4, n);
	CHECK(t->verdict[n] == SLUICE_REASON_TAMPER && t->notes[SLUICE_NOTE_TURNED] == 1);
	CHECK((t->ctrl->state & (SLUICE_STATE_COVERED | SLUICE_STATE_TURNED)) ==
	      SLUICE_STATE_TURNED);
	n++;
	rig_frame(t, SEC + n * 100 * MS, Q, n);
	CHECK(t->notes[SLUICE_NOTE_CLEAR] == 1 && !(t->ctrl->state & SLUICE_STATE_TURNED));
	CHECK(t->verdict[n] == SLUICE_REASON_POSTROLL);
	n++;
	/* Switched off, nothing is found; the end of the stream ends the state. */
	t->settings.tamper = 0;
	rig_apply(t);
	rig_frame(t, SEC + n * 100 * MS, Q | SLUICE_TAMPER_DEFOCUSED << 4, n);
	CHECK(!t->notes[SLUICE_NOTE_DEFOCUSED]);
	t->settings.tamper = 1;
	rig_apply(t);
	n++;
	rig_frame(t, SEC + n * 100 * MS, Q | SLUICE_TAMPER_DEFOCUSED << 4, n);
	CHECK(t->notes[SLUICE_NOTE_DEFOCUSED] == 1 && t->ctrl->state & SLUICE_STATE_DEFOCUSED);
	rig_end(t);
	CHECK(!(t->ctrl->state & SLUICE_STATE_DEFOCUSED));
	rig_close(t);
}

/* 30 fps to 5 fps: one in six, evenly, in every phase; and slower cameras lose nothing. */
static void test_rate(void)
{
	struct rig *t = rig_raw();
	uint32_t n = 0;
	uint64_t i, kept, last = 0;

	t->settings.rate_mfps = 5000;
	rig_apply(t);
	for (; n < 600; n++)
		rig_frame(t, SEC + n * 33333333ull, Q, n);
	for (; n < 1200; n++)
		rig_frame(t, SEC + n * 33333333ull, M, n);
	CHECK(count_of(t, SLUICE_REASON_PREROLL) >= 24 && count_of(t, SLUICE_REASON_PREROLL) <= 26);
	CHECK(count_of(t, SLUICE_REASON_MOTION) >= 100 && count_of(t, SLUICE_REASON_MOTION) <= 101);
	kept = count_of(t, SLUICE_REASON_RATE) + count_of(t, SLUICE_REASON_PREROLL) +
	       count_of(t, SLUICE_REASON_MOTION);
	CHECK(kept == 600 + 149 || kept == 600 + 150); /* 149.99 fit into the pre-roll */
	for (i = 1; i < t->records; i++) {
		last = t->log[i].sequence - t->log[i - 1].sequence;
		if (t->log[i - 1].reason == t->log[i].reason && t->log[i - 1].event)
			CHECK(last >= 5 && last <= 7);
		CHECK(t->log[i].dropped == last - 1); /* told in the very next record */
	}
	rig_end(t);
	rig_close(t);

	for (i = 0; i < 6; i++) { /* the schedule begins with the frame that opens */
		t = rig_raw();
		t->settings.rate_mfps = 5000;
		rig_apply(t);
		for (n = 0; n < 120; n++)
			rig_frame(t, SEC + n * 33333333ull, n < 60 + i ? Q : M, n);
		CHECK(t->verdict[60 + i] == SLUICE_REASON_MOTION);
		CHECK(t->verdict[61 + i] == SLUICE_REASON_RATE &&
		      t->verdict[64 + i] == SLUICE_REASON_RATE);
		rig_end(t);
		rig_close(t);
	}

	t = rig_raw();
	t->settings.rate_mfps = 5000;
	rig_apply(t);
	for (n = 0; n < 100; n++) /* 4.9 fps with 30 ms of jitter */
		rig_frame(t, SEC + n * 204 * MS + (n * 7919 % 31) * MS, M, n);
	CHECK(count_of(t, SLUICE_REASON_MOTION) == 100);
	rig_end(t);
	rig_close(t);
}

static void test_time(void)
{
	struct rig *t = rig_raw();

	t->settings.preroll_ms = 1000;
	rig_apply(t);
	rig_frame(t, 100 * SEC, Q, 0);
	rig_frame(t, 100 * SEC + 40 * MS, Q, 1);
	CHECK(last_dt == 40);
	rig_frame(t, 100 * SEC + 20 * MS, Q, 2); /* jitter: the clock stands */
	CHECK(last_dt == 1);
	rig_frame(t, 100 * SEC + 80 * MS, Q, 3);
	CHECK(last_dt == 40);
	rig_frame(t, 5, Q, 4); /* another time base */
	CHECK(last_dt == 1);
	rig_frame(t, 5 + 30 * MS, Q, 5);
	CHECK(last_dt == 30);
	rig_frame(t, ~0ull - 5, Q, 6); /* nonsense, then back */
	rig_frame(t, 5 + 60 * MS, Q, 7);
	rig_frame(t, 5 + 90 * MS, M, 8);
	CHECK(t->verdict[8] == SLUICE_REASON_MOTION && t->verdict[7] == SLUICE_REASON_PREROLL);
	rig_frame(t, 5 + 500 * SEC, Q, 9); /* silence: closes without a record */
	CHECK(t->notes[SLUICE_NOTE_CLOSE] == 1 && t->verdict[9] == 0);
	rig_end(t);
	rig_close(t);
}

/* The same stream at another time of day, also below a millisecond, has the same verdicts. */
static void test_time_of_day(void)
{
	struct rig *a = rig_raw();
	struct rig *b = rig_raw();
	uint32_t dt;
	uint32_t n;

	a->settings.rate_mfps = b->settings.rate_mfps = 5000;
	rig_apply(a);
	rig_apply(b);
	for (n = 0; n < 2000; n++) {
		uint64_t at = n * 33366700ull;
		int state = n % 700 > 600 ? M : Q;

		rig_frame(a, SEC + at, state, n);
		dt = last_dt;
		rig_frame(b, 77777 * SEC + 654321 + at, state, n);
		CHECK(last_dt == dt);
	}
	rig_end(a);
	rig_end(b);
	CHECK(!memcmp(a->verdict, b->verdict, 2000));
	rig_close(a);
	rig_close(b);
}

static void test_keepalive(void)
{
	struct rig *t = rig_raw();
	uint32_t n = 0;

	t->settings.keepalive_ms = 2000;
	t->settings.preroll_ms = 1000;
	rig_apply(t);
	for (; n < 100; n++)
		rig_frame(t, SEC + n * 100 * MS, Q, n); /* 0 .. 9.9 s */
	CHECK(count_of(t, SLUICE_REASON_KEEPALIVE) == 4);
	CHECK(t->log[0].sequence == 20 && t->log[1].sequence == 40 && t->log[3].sequence == 80);
	CHECK(t->log[0].event == 0);
	for (; n < 101; n++) /* 100 is a keep-alive that waits when the gate opens */
		rig_frame(t, SEC + n * 100 * MS, Q, n);
	rig_frame(t, SEC + n * 100 * MS, M, n);
	CHECK(t->verdict[100] == SLUICE_REASON_KEEPALIVE &&
	      t->verdict[99] == SLUICE_REASON_PREROLL);
	CHECK(t->log[t->records - 2].event == 1);
	rig_end(t);
	rig_close(t);
}

static void test_audit(void)
{
	struct rig *t = rig_raw();
	uint32_t n;

	t->settings.audit_ms = 10000;
	rig_apply(t);
	for (n = 0; n < 18000; n++) /* 30 min at 10 fps: 180 expected, 13.3 deviation */
		rig_frame(t, SEC + n * 100 * MS, Q, n);
	CHECK(count_of(t, SLUICE_REASON_AUDIT) > 120 && count_of(t, SLUICE_REASON_AUDIT) < 240);
	rig_end(t);
	rig_close(t);
}

static void test_snapshot(void)
{
	struct rig *t = rig_raw();
	uint32_t n = 0;

	for (; n < 10; n++)
		rig_frame(t, SEC + n * 100 * MS, Q, n);
	CHECK(t->records == 0);
	sluice_path_snapshot(t->path);
	rig_frame(t, SEC + n * 100 * MS, Q, n);
	CHECK(t->records == 11 && t->log[10].reason == SLUICE_REASON_SNAPSHOT);
	CHECK(t->log[0].reason == SLUICE_REASON_PREROLL && t->log[0].event == 0);
	rig_frame(t, SEC + 1100 * MS, Q, 11);
	CHECK(t->records == 11); /* one only */
	rig_frame(t, SEC + 1200 * MS, M, 12);
	sluice_path_snapshot(t->path);
	rig_frame(t, SEC + 1300 * MS, M, 13);
	CHECK(t->verdict[13] == SLUICE_REASON_SNAPSHOT && t->log[t->records - 1].event == 1);
	rig_end(t);
	rig_close(t);
}

static void test_corrupt(void)
{
	struct rig *t = rig_raw();
	uint8_t privacy[8] = { 2 };
	const uint8_t *b;
	int i;

	rig_frame(t, SEC, Q, 0);
	rig_frame_len(t, SEC + 100 * MS, Q, 1, FULL - 1); /* waits behind frame 0 */
	CHECK(t->records == 0);
	rig_frame_len(t, SEC + 6000 * MS, M, 2, FULL - 200); /* short: the gate does not see it */
	CHECK(t->verdict[1] == SLUICE_REASON_CORRUPT && t->verdict[0] == SLUICE_REASON_QUIET);
	CHECK(t->log[0].size == FULL && t->log[1].size == FULL);
	b = t->arena + t->log[0].offset;
	CHECK(b[FULL - 2] == 0x55 && b[FULL - 1] == 0);
	for (i = 0; i < 8; i++)
		CHECK(t->arena[t->log[0].cells + i] == 0);
	CHECK(t->notes[SLUICE_NOTE_OPEN] == 0);

	/* under a privacy mask nothing of a short frame is shown, and the gate sees no masked cell
	 */
	sluice_path_privacy(t->path, privacy);
	rig_frame_len(t, SEC + 12000 * MS, Q, 3, FULL - 1);
	CHECK(t->log[t->records - 1].flags & SLUICE_FRAME_MASKED);
	b = t->arena + t->log[t->records - 1].offset;
	for (i = 0; i < FULL; i++)
		CHECK(b[i] == 0);
	rig_frame(t, SEC + 12100 * MS, M, 4);
	CHECK(t->log[t->records - 1].flags & SLUICE_FRAME_MASKED);
	CHECK(t->log[t->records - 1].score == 16 << 8);
	CHECK(t->arena[t->log[t->records - 1].offset + 8] == 16);
	sluice_path_privacy(t->path, NULL);
	rig_frame(t, SEC + 12200 * MS, M, 5);
	CHECK(!(t->log[t->records - 1].flags & SLUICE_FRAME_MASKED));
	CHECK(t->log[t->records - 1].score == 5);
	rig_end(t);
	rig_close(t);
}

static void test_jpeg(void)
{
	struct rig *t = rig_open(SLUICE_FMT_MJPEG, 64, 64);

	t->settings.preroll_ms = 0;
	rig_apply(t);
	rig_frame_len(t, SEC, M, 0, 5000);
	CHECK(t->log[0].size == 4999 && !(t->log[0].flags & SLUICE_FRAME_NODHT)); /* padding off */
	rig_frame_len(t, SEC + 100 * MS, M, 1, 300);
	CHECK(t->log[1].flags & SLUICE_FRAME_NODHT);
	rig_frame_len(t, SEC + 200 * MS, CORRUPT, 2, 300);
	CHECK(t->log[2].reason == SLUICE_REASON_CORRUPT && t->log[2].size == 300); /* whole */
	rig_frame_len(t, SEC + 300 * MS, CORRUPT, 3, 1);
	CHECK(t->log[3].size == 1);
	rig_frame_len(t, SEC + 400 * MS, M, 4, 0);
	CHECK(count_of(t, SLUICE_REASON_ERRORFLAG) == 1 && t->records == 4);
	rig_frame_len(t, SEC + 500 * MS, M, 5, 65 * 4096); /* larger than the arena */
	CHECK(count_of(t, SLUICE_REASON_OVERRUN) == 1);
	rig_end(t);
	rig_close(t);
}

static void test_lost(void)
{
	struct rig *t = rig_raw();
	struct sluice_frame f = { .len = FULL, .time_ns = SEC, .driver_sequence = 0 };

	sluice_path_lost(t->path, 0, SLUICE_REASON_LATE); /* before anything was seen */
	t->handed = 1;
	rig_check(t);
	CHECK(t->verdict_epoch == 0);
	t->driver_sequence = 1;
	rig_frame(t, SEC, M, 1);
	CHECK(t->log[0].sequence == 1 && t->log[0].lost == 1 && t->log[0].epoch == 1000);
	f.driver_sequence = t->driver_sequence++;
	t->handed++;
	sluice_path_frame(t->path, &f, 1); /* data is gone */
	f.driver_sequence = t->driver_sequence++;
	f.data = t->last_frame;
	f.error = true;
	t->handed++;
	sluice_path_frame(t->path, &f, 1);
	rig_check(t);
	CHECK(count_of(t, SLUICE_REASON_LATE) == 2 && count_of(t, SLUICE_REASON_ERRORFLAG) == 1);
	t->driver_sequence += 3; /* the driver lost three */
	rig_frame(t, SEC + 100 * MS, M, 4);
	CHECK(t->log[1].sequence == 4 && t->log[1].lost == 2);
	CHECK(t->ledger.pending == 3);
	/* the driver starts again: a new epoch, a fresh gate, and the gap is settled */
	t->driver_sequence = 0;
	gate_resets = 0;
	rig_frame(t, SEC + 200 * MS, M, 0);
	CHECK(gate_resets == 1);
	CHECK(count_of(t, SLUICE_REASON_DRIVER) == 3);
	CHECK(t->log[2].epoch == 1001 && t->log[2].sequence == 0 && t->log[2].event == 1);
	CHECK(t->log[2].lost == 3 && sluice_path_epoch(t->path) == 1001);
	rig_end(t);
	t->driver_sequence = 0;
	rig_frame(t, SEC + 300 * MS, Q, 0);
	CHECK(sluice_path_epoch(t->path) == 1002);
	rig_end(t);
	rig_close(t);
}

/* Room for 8 frames and no reader: the pre-roll shrinks, never the motion. */
static void test_full(void)
{
	struct rig *t = rig_open(SLUICE_FMT_GREY, 8, 64);
	uint32_t n = 0;

	t->reading = false;
	for (; n < 20; n++)
		rig_frame(t, SEC + n * 100 * MS, Q, n);
	CHECK(count_of(t, SLUICE_REASON_QUIET) == 12 && t->ring.head == 0);
	rig_frame(t, SEC + n * 100 * MS, M, n); /* the oldest of the eight leave a quarter free */
	n++;
	CHECK(t->ring.head == 7 && t->verdict[13] == SLUICE_REASON_QUIET);
	CHECK(t->verdict[14] == SLUICE_REASON_PREROLL && t->verdict[20] == SLUICE_REASON_MOTION);
	for (; n < 25; n++)
		rig_frame(t, SEC + n * 100 * MS, M, n);
	CHECK(count_of(t, SLUICE_REASON_OVERRUN) == 3 && t->notes[SLUICE_NOTE_OVERRUN] == 1);
	/* a snapshot that finds no room stays due */
	sluice_path_snapshot(t->path);
	for (; n < 27; n++)
		rig_frame(t, SEC + n * 100 * MS, M, n);
	CHECK(count_of(t, SLUICE_REASON_OVERRUN) == 5 && count_of(t, SLUICE_REASON_SNAPSHOT) == 0);
	t->reading = true;
	rig_read(t);
	rig_frame(t, SEC + n * 100 * MS, M, n);
	n++;
	CHECK(t->log[t->records - 1].lost == 5 && t->log[t->records - 1].sequence == 27);
	CHECK(t->log[t->records - 1].reason == SLUICE_REASON_SNAPSHOT);
	rig_frame(t, SEC + n * 100 * MS, M, n);
	CHECK(t->log[t->records - 1].reason == SLUICE_REASON_MOTION);
	rig_end(t);
	rig_close(t);

	/* the same with few records instead of few pages */
	t = rig_open(SLUICE_FMT_GREY, 4096, 8);
	t->reading = false;
	for (n = 0; n < 20; n++)
		rig_frame(t, SEC + n * 100 * MS, Q, n);
	rig_frame(t, SEC + n * 100 * MS, M, n);
	CHECK(t->ring.head == 7 && t->verdict[20] == SLUICE_REASON_MOTION);
	rig_frame(t, SEC + 2100 * MS, M, 21);
	CHECK(t->ring.head == 8 && count_of(t, SLUICE_REASON_OVERRUN) == 0);
	/* close with the ring full: what waits without bytes was quiet, and stays so */
	for (n = 22; n < 140; n++)
		rig_frame(t, SEC + n * 100 * MS, Q, n);
	CHECK(t->ctrl->pending == 50 && t->notes[SLUICE_NOTE_CLOSE] == 1);
	rig_frame(t, SEC + n * 100 * MS, M, n);
	/* but 49 that should have been published as pre-roll were lost */
	CHECK(t->verdict[n - 1] == SLUICE_REASON_OVERRUN);
	CHECK(t->verdict[n - 50] == SLUICE_REASON_QUIET &&
	      t->verdict[n - 49] == SLUICE_REASON_OVERRUN);
	rig_end(t);
	rig_close(t);
}

/* Without a ring the verdicts are the same. */
static void test_gate_only(void)
{
	struct rig *a = rig_raw();
	struct rig *b = rig_open(SLUICE_FMT_GREY, 0, 1);
	uint32_t n;

	for (n = 0; n < 3000; n++) {
		uint64_t at = SEC + n * 40 * MS;
		int state = n % 700 > 600 ? M : n % 100 > 95 ? C : Q;

		rig_frame(a, at, state, n);
		rig_frame(b, at, state, n);
	}
	rig_end(a);
	rig_end(b);
	CHECK(!memcmp(a->verdict, b->verdict, 3000));
	rig_close(a);
	rig_close(b);
}

/* The pending table is full: the oldest gets its verdict early. */
static void test_table(void)
{
	struct rig *t = rig_raw();
	uint32_t n;

	t->settings.preroll_ms = 30000;
	t->settings.rate_mfps = 1000;
	rig_apply(t);
	for (n = 0; n < 3000; n++)
		rig_frame(t, SEC + n * 10 * MS, Q, n);
	CHECK(t->ledger.pending == SLUICE_PENDING_MAX);
	rig_frame(t, SEC + n * 10 * MS, M, n);
	CHECK(count_of(t, SLUICE_REASON_PREROLL) == 20 || count_of(t, SLUICE_REASON_PREROLL) == 21);
	rig_end(t);
	rig_close(t);
}

static void test_settings(void)
{
	struct sluice_settings s;
	int i;

	for (i = 0; i <= SLUICE_SETTING_MAX; i++) {
		const struct sluice_setting_info *info = &sluice_setting_infos[i];

		sluice_settings_default(&s);
		CHECK(!sluice_settings_check(&s));
		if (!info->name) {
			CHECK(sluice_settings_set(&s, (u32)i, 1) == -EINVAL);
			continue;
		}
		CHECK(sluice_settings_set(&s, (u32)i, info->least) == 0 &&
		      !sluice_settings_check(&s));
		CHECK(sluice_settings_set(&s, (u32)i, info->most) == 0 &&
		      !sluice_settings_check(&s));
		CHECK(sluice_settings_set(&s, (u32)i, info->most + 1) == -ERANGE);
		CHECK(sluice_settings_set(&s, (u32)i, 0) ==
		      (info->zero || !info->least ? 0 : -ERANGE));
		if (info->least > 0)
			CHECK(sluice_settings_set(&s, (u32)i, info->least - 1) ==
			      (info->least == 1 && info->zero ? 0 : -ERANGE));
		memcpy((u8 *)&s + info->offset, &(u32){ info->most + 1 }, 4);
		CHECK(sluice_settings_check(&s) &&
		      !strncmp(sluice_settings_check(&s), info->name, strlen(info->name)));
	}
	CHECK(sluice_settings_set(&s, SLUICE_SETTING_MAX + 1, 1) == -EINVAL);
	sluice_settings_default(&s);
	CHECK(sluice_settings_set(&s, SLUICE_SETTING_PRESET, SLUICE_PRESET_LOW) == 0);
	CHECK(s.gate.k == 144 && s.preset == SLUICE_PRESET_LOW);
	CHECK(sluice_settings_set(&s, SLUICE_SETTING_K, 100) == 0);
	CHECK(s.gate.k == 100 && s.preset == ~0u && !sluice_settings_check(&s));
	CHECK(sluice_settings_set(&s, SLUICE_SETTING_RATE_MFPS, 7) == 0 && s.rate_mfps == 7);
}

int main(void)
{
	test_roll();
	test_streak();
	test_scene();
	test_tamper();
	test_rate();
	test_time();
	test_time_of_day();
	test_keepalive();
	test_audit();
	test_snapshot();
	test_corrupt();
	test_jpeg();
	test_lost();
	test_full();
	test_gate_only();
	test_table();
	test_settings();
	return check_result();
}
