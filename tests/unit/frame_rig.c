// SPDX-License-Identifier: MIT
/* frame_rig.c - the scripted parts of the gate core, and the camera and reader around the path. */
#include "frame_rig.h"
#include <stdlib.h>
#include <string.h>

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

uint32_t last_dt, gate_resets;

void sluice_gate_frame(struct sluice_gate *g, const u16 *cell, u32 dt_ms,
		       struct sluice_gate_result *r, u8 *bits)
{
	CHECK(dt_ms >= 1 && dt_ms <= 2000);
	last_dt = dt_ms;
	memset(r, 0, sizeof(*r));
	r->state = cell[0] & 15;
	r->score = cell[1];
	memset(bits, cell[0], (g->cells + 7) / 8);
}

size_t sluice_tamper_size(u32 grid_w, u32 grid_h)
{
	return 8;
}

struct sluice_tamper *sluice_tamper_init(void *mem, u32 grid_w, u32 grid_h)
{
	return mem;
}

void sluice_tamper_reset(struct sluice_tamper *t)
{
}

void sluice_tamper_look(struct sluice_tamper *t, const u8 *hidden, const u8 *map)
{
}

enum sluice_tamper_kind sluice_tamper_frame(struct sluice_tamper *t, const u16 *cell, u32 dt_ms,
					    u32 moved)
{
	return cell[0] >> 4;
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

size_t sluice_plane_bytes(const struct sluice_picture *p, u32 i)
{
	return (size_t)(i ? p->apart_stride : p->stride) * p->height;
}

void sluice_mask_gather(const struct sluice_picture *p, void *dst, const void *const src[3],
			const u8 *bits)
{
	CHECK(0);
}

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

struct rig *rig_open(uint32_t fourcc, uint32_t pages, uint32_t descs)
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

struct rig *rig_raw(void)
{
	return rig_open(SLUICE_FMT_GREY, 4096, 4096);
}

void rig_close(struct rig *t)
{
	free(t->path);
	free(t->ctrl);
	free(t->desc);
	free(t->arena);
	free(t->priv);
	free(t->last_frame);
	free(t);
}

void rig_apply(struct rig *t)
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

void rig_read(struct rig *t)
{
	uint64_t head = __atomic_load_n(&t->ctrl->head, __ATOMIC_ACQUIRE);

	for (; t->reader_tail < head; t->reader_tail++)
		check_record(t, &t->desc[t->reader_tail % t->ring.desc_count]);
	__atomic_store_n(&t->ctrl->tail, t->reader_tail, __ATOMIC_RELEASE);
}

void rig_check(struct rig *t)
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

void rig_end(struct rig *t)
{
	sluice_path_end(t->path);
	if (t->reading && t->ring.page_count)
		rig_read(t);
	rig_check(t);
	CHECK(t->ledger.pending == 0);
	CHECK(t->notes[SLUICE_NOTE_OPEN] == t->notes[SLUICE_NOTE_CLOSE]);
	CHECK(t->ring.reserved == 0);
}

void rig_frame_len(struct rig *t, uint64_t time_ns, int state, uint32_t number, size_t len)
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
	rig_check(t);
	free(bytes);
}

void rig_frame(struct rig *t, uint64_t time_ns, int state, uint32_t number)
{
	rig_frame_len(t, time_ns, state, number, FULL);
}

uint64_t count_of(const struct rig *t, enum sluice_reason reason)
{
	return t->ledger.count[reason];
}