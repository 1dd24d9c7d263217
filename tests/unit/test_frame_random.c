// SPDX-License-Identifier: MIT
/*
 * The frame path on random streams: verdicts against those of a second, plain computation that
 * knows the future, and a stream with every mishap at once, of which only what must always hold is
 * checked.
 */
#include "frame_rig.h"
#include <stdlib.h>
#include <string.h>

/* Verdicts of a plain second computation, rate 0, no losses, pre-roll of 2 s or more. */
static void oracle(const struct sluice_settings *s, const int *state, const uint64_t *ms, int n,
		   uint8_t *out)
{
	int64_t last = -1;
	int open = 0;
	int i, j;

	for (i = 0; i < n; i++) {
		int moving = state[i] == M || state[i] == S;

		out[i] = state[i] == C ? SLUICE_REASON_UNCONFIRMED : SLUICE_REASON_QUIET;
		if (moving && !open)
			for (j = i - 1; j >= 0 && ms[i] - ms[j] < s->preroll_ms; j--)
				if (out[j] < SLUICE_REASON_MOTION)
					out[j] = SLUICE_REASON_PREROLL;
		if (moving) {
			open = 1;
			last = ms[i];
			out[i] = state[i] == S ? SLUICE_REASON_SCENE_CHANGE : SLUICE_REASON_MOTION;
		} else if (open) {
			out[i] = state[i] == W ? SLUICE_REASON_WARMUP : SLUICE_REASON_POSTROLL;
			if (ms[i] - last >= s->postroll_ms)
				open = 0;
		} else if (state[i] == W) {
			out[i] = SLUICE_REASON_WARMUP;
		}
	}
}

static void test_oracle(uint64_t seed)
{
	enum { N = 2000 };
	struct rig *t = rig_raw();
	static int state[N];
	static uint64_t ms[N];
	static uint8_t want[N];
	uint64_t now = 5000;
	int now_state = W;
	int i;

	random_seed(seed);
	t->settings.preroll_ms = 2000 + random_below(4000);
	t->settings.postroll_ms = random_below(4000);
	rig_apply(t);
	for (i = 0; i < N; i++) {
		/* a warm-up never follows quiet frames: the gate makes it at the start and after S
		 */
		if (now_state == S || (now_state == W && random_below(20)))
			now_state = W;
		else if (!random_below(15) || now_state == W)
			now_state = 1 + (int)random_below(4) % 4;
		state[i] = now_state;
		now += 5 + random_below(100);
		ms[i] = now;
		rig_frame(t, now * MS, state[i], (uint32_t)i);
	}
	rig_end(t);
	oracle(&t->settings, state, ms, N, want);
	for (i = 0; i < N; i++)
		CHECK(t->verdict[i] == want[i]);
	rig_close(t);
}

/* Everything at once; only what must always hold is checked (frame_rig.c). */
static void test_chaos(uint64_t seed)
{
	struct rig *t;
	uint64_t now = SEC;
	uint32_t n = 0; /* in this epoch */
	uint32_t missing = 0;
	uint64_t told;
	int state = W;
	int i;

	random_seed(seed);
	t = rig_open(random_below(2) ? SLUICE_FMT_GREY : SLUICE_FMT_MJPEG, 16 + random_below(64),
		     1u << (3 + random_below(5)));
	for (i = 0; i < 3000; i++) {
		struct sluice_frame f = { .len = 1, .time_ns = now };

		if (!random_below(300)) {
			t->settings.rate_mfps = random_below(2) ? 0 : random_below(20000);
			t->settings.preroll_ms = random_below(2) ? 0 : random_below(6000);
			t->settings.postroll_ms = random_below(3000);
			t->settings.keepalive_ms = random_below(2) ? 0 : 1000 + random_below(5000);
			t->settings.audit_ms = random_below(2) ? 0 : 1000 + random_below(9000);
			rig_apply(t);
		}
		if (!random_below(15))
			state = (int)random_below(5);
		else if (state == S)
			state = W;
		if (!random_below(40))
			sluice_path_snapshot(t->path);
		if (!random_below(50))
			t->reading = !t->reading;
		if (!random_below(400)) {
			rig_end(t);
			t->driver_sequence = random_below(~0u);
			n = 0;
		}
		now += random_below(10) ? random_below(80 * MS) : random_below(4000) * MS;
		if (!random_below(20))
			now -= random_below(100) * MS;
		if (!random_below(30)) {
			uint32_t skip = 1 + random_below(3);

			missing += skip;
			t->driver_sequence += skip;
		}
		switch (random_below(25)) {
		case 0:
			t->handed++;
			n++;
			sluice_path_lost(t->path, t->driver_sequence++, SLUICE_REASON_LATE);
			break;
		case 1:
			f.driver_sequence = t->driver_sequence++;
			f.error = true;
			f.data = t->last_frame;
			t->handed++;
			n++;
			sluice_path_frame(t->path, &f, 1000);
			break;
		case 2:
			rig_frame_len(t, now, random_below(2) ? CORRUPT : state, n++,
				      1 + random_below(4));
			break;
		case 3:
			rig_frame_len(t, now, CORRUPT, n++, 1 + random_below(20000));
			break;
		default:
			rig_frame_len(t, now, state, n++,
				      FULL + (t->picture.size_min ? 0 : random_below(20000)));
		}
		rig_check(t);
	}
	t->reading = true;
	rig_end(t);
	CHECK(t->ring.head == t->reader_tail);
	told = 0;
	for (i = SLUICE_REASON_OVERRUN; i < SLUICE_REASON_COUNT; i++)
		told += t->ledger.count[i];
	CHECK(t->record_lost <= told);
	CHECK(t->verdicts == t->handed);
	CHECK(count_of(t, SLUICE_REASON_DRIVER) <= missing);
	rig_close(t);
}

int main(int argc, char **argv)
{
	uint64_t seed = seed_of(argc, argv);
	uint64_t i;

	for (i = 0; i < 30; i++)
		test_oracle(seed + i);
	for (i = 0; i < 60; i++)
		test_chaos(seed + i);
	return check_result();
}
