// SPDX-License-Identifier: MIT
/*
 * The frame path with a scripted gate: byte 0 of a frame is the state that the gate will report,
 * bytes 1..4 its number, so that a record can be matched with what went in. A reader in the test
 * checks every record; the ledger is checked after every frame. test_oracle compares the verdicts
 * with those of a second, plain computation that knows the future.
 */
#include <stdlib.h>
#include <string.h>
#include "kmod/frame.h"
#include "check.h"

/* The scripted parts. */

#define WIDTH	16
#define HEIGHT	16
#define FULL	(WIDTH * HEIGHT)
#define CORRUPT 99 /* state byte of a JPEG that does not parse */
#define SEC	1000000000ull
#define MS	1000000ull

static uint32_t last_dt;
static uint32_t gate_resets;

struct sluice_gate {
	uint32_t cells;
	struct sluice_gate_config config;
};

size_t sluice_gate_size(u32 grid_w, u32 grid_h)
{
	return grid_w >= 2 && grid_h >= 2 ? sizeof(struct sluice_gate) : 0;
}

struct sluice_gate *sluice_gate_init(void *mem, u32 grid_w, u32 grid_h,
				     const struct sluice_gate_config *c)
{
	struct sluice_gate *g = mem;

	g->cells = grid_w * grid_h;
	g->config = *c;
	return g;
}

void sluice_gate_configure(struct sluice_gate *g, const struct sluice_gate_config *c)
{
	g->config = *c;
}

void sluice_gate_map(struct sluice_gate *g, const u8 *map)
{
}

void sluice_gate_reset(struct sluice_gate *g)
{
	gate_resets++;
}

void sluice_gate_preset(struct sluice_gate_config *c, enum sluice_preset preset)
{
	*c = (struct sluice_gate_config){ .floor = 1024,
					  .k = 128,
					  .mass = 64,
					  .strong = 640,
					  .confirm_ms = 90,
					  .warmup_ms = 1000,
					  .scene_pct = 40,
					  .row_bands = 1 };
	c->k += 16 * (preset == SLUICE_PRESET_LOW);
}

static uint32_t last_dt, gate_resets;

void sluice_gate_frame(struct sluice_gate *g, const u16 *cell, u32 dt_ms,
		       struct sluice_gate_result *r, u8 *bits)
{
	CHECK(dt_ms >= 1 && dt_ms <= 2000);
	last_dt = dt_ms;
	memset(r, 0, sizeof(*r));
	r->state = cell[0];
	r->score = cell[1];
	memset(bits, cell[0], (g->cells + 7) / 8);
}

int sluice_luma_grid(const struct sluice_picture *p, const void *data, size_t len, u16 *cell)
{
	const u8 *b = data;

	if (len < p->size_min)
		return -EMSGSIZE;
	cell[0] = b[0];
	cell[1] = b[1];
	return 0;
}

int sluice_jpeg_dc_grid(struct sluice_jpeg_dc *dec, const void *data, size_t len, u32 width,
			u32 height, u16 *cell, struct sluice_jpeg_info *info)
{
	const u8 *b = data;

	memset(info, 0, sizeof(*info));
	if (len < 5 || b[0] == CORRUPT)
		return -EBADMSG;
	cell[0] = b[0];
	cell[1] = b[1];
	info->bytes = (u32)len - 1; /* one byte of padding */
	info->no_tables = b[1] & 1;
	return 0;
}

void sluice_mask_copy(const struct sluice_picture *p, void *dst, const void *src, size_t len,
		      const u8 *bits)
{
	CHECK(len >= p->size_min);
	memcpy(dst, src, len);
	if (bits)
		memset((u8 *)dst + 8, 16, 8);
}

/* The camera under test. */

#define FRAMES_MAX 20000

struct rig {
	struct sluice_path *path;
	struct sluice_ring ring;
	struct sluice_ring_ctrl *ctrl;
	struct sluice_ring_desc *desc;
	void *priv;
	uint8_t *arena;
	struct sluice_ledger ledger;
	struct sluice_settings settings;
	struct sluice_picture picture;
	uint8_t *last_frame;

	uint32_t handed, verdicts, driver_sequence;
	uint64_t epoch_of_records;
	uint64_t reader_tail, next_sequence;
	uint64_t records, record_dropped, record_lost;
	uint8_t verdict[FRAMES_MAX]; /* by sequence, of the last epoch */
	uint64_t verdict_epoch;
	uint32_t notes[8];
	struct sluice_ring_desc log[FRAMES_MAX];
	bool reading;
};

static void rig_verdict(void *ctx, u64 epoch, u64 sequence, u64 time_ns, u32 score,
			enum sluice_reason reason)
{
	struct rig *t = ctx;

	if (epoch != t->verdict_epoch) {
		memset(t->verdict, 0, sizeof(t->verdict));
		t->verdict_epoch = epoch;
	}
	CHECK(reason > 0 && reason < SLUICE_REASON_COUNT);
	CHECK(sequence < FRAMES_MAX && !t->verdict[sequence]); /* once */
	if (sequence < FRAMES_MAX)
		t->verdict[sequence] = (uint8_t)reason;
	t->verdicts++;
}

static void rig_published(void *ctx, const struct sluice_ring_desc *d, bool wake)
{
}

static void rig_note(void *ctx, enum sluice_frame_note note, u64 time_ns)
{
	struct rig *t = ctx;

	t->notes[note]++;
	if (note == SLUICE_NOTE_OPEN)
		CHECK(t->notes[SLUICE_NOTE_OPEN] == t->notes[SLUICE_NOTE_CLOSE] + 1);
	if (note == SLUICE_NOTE_CLOSE)
		CHECK(t->notes[SLUICE_NOTE_OPEN] == t->notes[SLUICE_NOTE_CLOSE]);
}

static const struct sluice_frame_ops rig_ops = { .verdict = rig_verdict,
						 .published = rig_published,
						 .note = rig_note };

static struct rig *rig_open(uint32_t fourcc, uint32_t pages, uint32_t descs)
{
	struct rig *t = calloc(1, sizeof(*t));
	struct sluice_path_config c = { .picture = &t->picture,
					.settings = &t->settings,
					.ring = &t->ring,
					.ledger = &t->ledger,
					.ops = &rig_ops,
					.ctx = t,
					.seed = 5 };

	t->picture = (struct sluice_picture){ .fourcc = fourcc,
					      .width = WIDTH,
					      .height = HEIGHT,
					      .stride = fourcc == SLUICE_FMT_GREY ? WIDTH : 0,
					      .size_min = fourcc == SLUICE_FMT_GREY ? FULL : 0,
					      .block = 2,
					      .grid_w = 8,
					      .grid_h = 8 };
	sluice_settings_default(&t->settings);
	t->settings.rate_mfps = 0;
	t->settings.keepalive_ms = 0;
	t->settings.audit_ms = 0;
	t->ctrl = aligned_alloc(4096, 4096);
	memset(t->ctrl, 0, 4096);
	t->desc = calloc(descs, sizeof(*t->desc));
	t->arena = calloc(pages, 4096);
	t->priv = calloc(1, sluice_ring_private_size(descs, pages * 4096ull));
	t->last_frame = calloc(1, FULL);
	sluice_ring_init(&t->ring, t->priv, t->ctrl, t->desc, descs, t->arena, pages * 4096ull,
			 "cam", 1);
	sluice_ledger_init(&t->ledger);
	if (!pages)
		c.ring = NULL;
	t->path = sluice_path_init(calloc(1, sluice_path_size(&t->picture)), &c);
	t->reading = true;
	return t;
}

static struct rig *rig_raw(void)
{
	return rig_open(SLUICE_FMT_GREY, 4096, 4096);
}

static void rig_close(struct rig *t)
{
	free(t->path);
	free(t->ctrl);
	free(t->desc);
	free(t->arena);
	free(t->priv);
	free(t->last_frame);
	free(t);
}

static void rig_apply(struct rig *t)
{
	CHECK(!sluice_settings_check(&t->settings));
	sluice_path_settings(t->path, &t->settings);
}

static void check_record(struct rig *t, const struct sluice_ring_desc *d)
{
	const uint8_t *bytes = t->arena + d->offset;
	uint32_t number;
	uint8_t expect[8];

	CHECK(sluice_reason_passes(d->reason));
	CHECK(d->epoch >= t->epoch_of_records);
	if (d->epoch != t->epoch_of_records)
		t->next_sequence = 0;
	CHECK(d->sequence >= t->next_sequence); /* order */
	t->next_sequence = d->sequence + 1;
	t->epoch_of_records = d->epoch;
	CHECK(d->cells_size == 8 && d->cells == d->offset + (d->size + 7) / 8 * 8);
	if (d->reason != SLUICE_REASON_CORRUPT) {
		memcpy(&number, bytes + 2, 4);
		CHECK(number == d->sequence); /* its own pixels */
		memset(expect, bytes[0], 8);
		CHECK(!memcmp(t->arena + d->cells, expect, 8)); /* its own cells */
	}
	CHECK(!!(d->flags & SLUICE_FRAME_OPENS) <= (d->event > 0));
	t->record_dropped += d->dropped;
	t->record_lost += d->lost;
	if (t->records < FRAMES_MAX)
		t->log[t->records] = *d;
	t->records++;
}

static void rig_read(struct rig *t)
{
	uint64_t head = __atomic_load_n(&t->ctrl->head, __ATOMIC_ACQUIRE);

	for (; t->reader_tail < head; t->reader_tail++)
		check_record(t, &t->desc[t->reader_tail % t->ring.desc_count]);
	__atomic_store_n(&t->ctrl->tail, t->reader_tail, __ATOMIC_RELEASE);
}

static void check_ledger(struct rig *t)
{
	uint64_t sum = 0;
	uint64_t passed = 0;
	uint64_t open_gaps;
	int i;

	for (i = 0; i < SLUICE_REASON_COUNT; i++) {
		sum += t->ledger.count[i];
		passed += sluice_reason_passes(i) ? t->ledger.count[i] : 0;
	}
	CHECK(t->ledger.delivered == sum + t->ledger.pending);
	open_gaps = t->ledger.delivered - t->handed - t->ledger.count[SLUICE_REASON_DRIVER];
	CHECK(open_gaps < SLUICE_LEDGER_WINDOW);
	CHECK(t->ledger.pending == t->handed - t->verdicts + open_gaps);
	if (!t->ring.page_count)
		return;
	CHECK(passed == t->ring.head);
	CHECK(!(t->ctrl->changed & 1));
	CHECK(t->ctrl->delivered == t->ledger.delivered);
	CHECK(t->ctrl->pending == t->ledger.pending);
	CHECK(t->ctrl->bytes_seen == t->ledger.bytes_seen);
	CHECK(t->ctrl->bytes_passed == t->ledger.bytes_passed);
	CHECK(!memcmp(t->ctrl->count, t->ledger.count, sizeof(t->ledger.count)));
}

static void rig_end(struct rig *t)
{
	sluice_path_end(t->path);
	if (t->reading && t->ring.page_count)
		rig_read(t);
	check_ledger(t);
	CHECK(t->ledger.pending == 0);
	CHECK(t->notes[SLUICE_NOTE_OPEN] == t->notes[SLUICE_NOTE_CLOSE]);
	CHECK(t->ring.reserved == 0);
}

/* One frame of len bytes; number = its sequence in the running epoch. */
static void rig_frame_len(struct rig *t, uint64_t time_ns, int state, uint32_t number, size_t len)
{
	uint8_t *bytes = malloc(len ? len : 1); /* exact, so that a read beyond it is seen */
	uint8_t head[6] = { (uint8_t)state, (uint8_t)number };
	struct sluice_frame f = { .data = bytes,
				  .len = len,
				  .time_ns = time_ns,
				  .driver_sequence = t->driver_sequence++ };

	memcpy(head + 2, &number, 4);
	memset(bytes, 0x55, len);
	memcpy(bytes, head, len < 6 ? len : 6);
	t->handed++;
	sluice_path_frame(t->path, &f, 1000);
	if (t->reading && t->ring.page_count)
		rig_read(t);
	check_ledger(t);
	free(bytes);
}

static void rig_frame(struct rig *t, uint64_t time_ns, int state, uint32_t number)
{
	rig_frame_len(t, time_ns, state, number, FULL);
}

static uint64_t count_of(const struct rig *t, enum sluice_reason reason)
{
	return t->ledger.count[reason];
}

enum {
	W = SLUICE_GATE_WARMUP,
	Q = SLUICE_GATE_QUIET,
	C = SLUICE_GATE_QUALIFIED,
	M = SLUICE_GATE_MOTION,
	S = SLUICE_GATE_SCENE
};

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
	check_ledger(t);
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
	check_ledger(t);
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
	rig_frame(t, SEC + n * 100 * MS, M, n); /* the oldest of the eight makes room */
	n++;
	CHECK(t->ring.head == 8 && t->verdict[12] == SLUICE_REASON_QUIET);
	CHECK(t->verdict[13] == SLUICE_REASON_PREROLL && t->verdict[20] == SLUICE_REASON_MOTION);
	for (; n < 25; n++)
		rig_frame(t, SEC + n * 100 * MS, M, n);
	CHECK(count_of(t, SLUICE_REASON_OVERRUN) == 4 && t->notes[SLUICE_NOTE_OVERRUN] == 1);
	t->reading = true;
	rig_read(t);
	rig_frame(t, SEC + n * 100 * MS, M, n);
	n++;
	CHECK(t->log[t->records - 1].lost == 4 && t->log[t->records - 1].sequence == 25);
	rig_end(t);
	rig_close(t);

	/* the same with few records instead of few pages */
	t = rig_open(SLUICE_FMT_GREY, 4096, 8);
	t->reading = false;
	for (n = 0; n < 20; n++)
		rig_frame(t, SEC + n * 100 * MS, Q, n);
	rig_frame(t, SEC + n * 100 * MS, M, n);
	CHECK(t->ring.head == 8 && t->verdict[20] == SLUICE_REASON_MOTION);
	rig_frame(t, SEC + 2100 * MS, M, 21);
	CHECK(count_of(t, SLUICE_REASON_OVERRUN) == 1);
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

/* Everything at once; only what must always hold is checked (rig_*, check_*). */
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
		check_ledger(t);
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

int main(int argc, char **argv)
{
	uint64_t seed = argc > 1 ? strtoull(argv[1], NULL, 0) : 1;
	uint64_t i;

	test_roll();
	test_streak();
	test_scene();
	test_rate();
	test_time();
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
	for (i = 0; i < 30; i++)
		test_oracle(seed + i);
	for (i = 0; i < 60; i++)
		test_chaos(seed + i);
	return check_result();
}
