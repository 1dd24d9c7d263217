// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * frame.c - what happens to one frame, from its arrival to its verdict.
 *
 *	count (ledger) -> grid (luma, jpeg_dc) -> gate -> roll, rate, audit -> arena -> record
 *
 * After every call, delivered = sum(count) + waiting frames + gaps in the driver's numbers that may
 * still fill.
 *
 * Names. sequence counts the frames that came to the path, also those that are LATE or ERRORFLAG;
 * a gap in the driver's numbers takes none, for it may still fill. An epoch begins with the first
 * frame seen after init, after sluice_path_end(), or after the driver's numbers went back; the gate
 * then warms up anew.
 *
 * Time. All policy runs on the path's clock: buffer timestamps since the epoch's first frame (the
 * same frames get the same verdicts at any time of day), made never to go back. A timestamp up to
 * 2 s before the newest is jitter (uvcvideo does that): the clock stands still. One further back is
 * another time base: the clock goes on from where it is. Records keep the timestamp as it came.
 * Ages are compared in whole ms.
 *
 * Gate closed:
 *	QUIET, QUALIFIED  waits in the pre-roll. It is published as PREROLL if the gate opens while
 *			  its age is below preroll_ms, else settled as QUIET or UNCONFIRMED.
 *			  Qualified frames without a break wait for their confirmation up to 2 s,
 *			  however short the pre-roll.
 *	KEEPALIVE	  once keepalive_ms have gone by since the newest frame that passed.
 *	AUDIT		  a QUIET frame, by chance dt / audit_ms.
 *	CORRUPT		  did not parse or is short; the gate does not see it.
 *			  These three pass by themselves: they wait for their turn behind older
 *			  frames and keep their reason even when the gate opens meanwhile.
 *	WARMUP		  passes at once, without an event.
 *	MOTION, SCENE	  opens the gate: event + 1; what waits is published first, and the first
 *			  record carries OPENS.
 * Gate open:
 *	MOTION		  passes as the rate allows, else RATE.
 *	SCENE		  passes as SCENE_CHANGE; the gate then warms up, and its frames pass as
 *			  WARMUP while the post-roll runs.
 *	tampering	  found with this frame: passes as TAMPER. It opens the gate, too.
 *	others		  POSTROLL as the rate allows, else RATE; CORRUPT passes. The first frame
 *			  postroll_ms or more after the last motion passes whatever the rate says,
 *			  carries CLOSES and closes the gate. If the camera was silent for 2 s
 *			  beyond that, or the stream ends, the gate closes without such a record.
 *
 * Rate is a schedule on the clock: a frame is kept when it is due within a quarter of an interval,
 * and the next is due one interval after that one was. The opening frame is always kept and starts
 * the schedule. WARMUP, CORRUPT, SCENE_CHANGE, KEEPALIVE, AUDIT and SNAPSHOT are not thinned.
 *
 * A snapshot publishes what waits as PREROLL with event 0, then its frame as SNAPSHOT. If that
 *finds no room it is OVERRUN, and the snapshot still due.
 *
 * Room. The newest frame has the right of way over those that wait: they are given up oldest first
 * (as QUIET, UNCONFIRMED, or published if they pass by themselves). A frame that would pass and
 * still finds no room is OVERRUN; one that would merely wait, waits without its bytes, and becomes
 * OVERRUN only if the gate opens. A pre-roll thus shrinks to the room there is, and when the gate
 * opens, to what leaves a quarter of the ring to the motion.
 */
#include "path.h"

#define BACK_NS	  2000000000ull /* a timestamp further back than this is another time base */
#define SILENT_MS 2000u		/* beyond the post-roll: close without a record */
#define DT_MAX_MS 2000u
#define NS_PER_MS 1000000u

#define TAMPER_STATES (SLUICE_STATE_COVERED | SLUICE_STATE_DEFOCUSED | SLUICE_STATE_TURNED)

static size_t align8(size_t n)
{
	return (n + 7) & ~(size_t)7;
}

static bool picture_is_jpeg(const struct sluice_picture *p)
{
	return p->fourcc == SLUICE_FMT_MJPEG || p->fourcc == SLUICE_FMT_JPEG;
}

size_t sluice_path_size(const struct sluice_picture *p)
{
	size_t gate = sluice_gate_size(p->grid_w, p->grid_h);
	size_t cells = (size_t)p->grid_w * p->grid_h;

	if (!gate)
		return 0;
	return align8(sizeof(struct sluice_path)) + align8(gate) +
	       (picture_is_jpeg(p) ? align8(sizeof(struct sluice_jpeg_dc)) : 0) +
	       align8(sluice_tamper_size(p->grid_w, p->grid_h)) + align8(cells) +
	       align8(cells * sizeof(u16)) + 2 * align8((cells + 7) / 8) +
	       SLUICE_PENDING_MAX * sizeof(struct sluice_item);
}

struct sluice_path *sluice_path_init(void *mem, const struct sluice_path_config *c)
{
	struct sluice_path *p = mem;
	u8 *at = (u8 *)mem + align8(sizeof(*p));
	size_t cells = (size_t)c->picture->grid_w * c->picture->grid_h;

	p->picture = *c->picture;
	p->settings = *c->settings;
	p->ring = c->ring;
	p->ledger = c->ledger;
	p->ops = c->ops;
	p->ctx = c->ctx;
	p->epoch = c->epoch_floor;
	p->random = c->seed ? c->seed : 1;
	p->bits_size = (u32)((cells + 7) / 8);

	p->gate = sluice_gate_init(at, p->picture.grid_w, p->picture.grid_h, &p->settings.gate);
	at += align8(sluice_gate_size(p->picture.grid_w, p->picture.grid_h));
	p->tamper = sluice_tamper_init(at, p->picture.grid_w, p->picture.grid_h);
	at += align8(sluice_tamper_size(p->picture.grid_w, p->picture.grid_h));
	if (picture_is_jpeg(&p->picture)) {
		p->jpeg = (struct sluice_jpeg_dc *)at;
		at += align8(sizeof(*p->jpeg));
	}
	p->waiting = (struct sluice_item *)at;
	at += SLUICE_PENDING_MAX * sizeof(*p->waiting);
	p->cell = (u16 *)at;
	at += align8(cells * sizeof(u16));
	p->map = at;
	at += align8(cells);
	p->bits = at;
	p->privacy = at + align8(p->bits_size);
	path_mirror(p);
	return p;
}

/* Returns the ms since the frame before, for the gate: 1..2000. */
static u32 clock_advance(struct sluice_path *p, u64 time_ns)
{
	u64 before_ms = p->clock_ms;
	s64 step = (s64)(time_ns + p->clock_skew - p->clock_ns);

	if (step < -(s64)BACK_NS)
		p->clock_skew = p->clock_ns - time_ns;
	if (step > 0)
		p->clock_ns += (u64)step;
	p->clock_ms = div_u64(p->clock_ns, NS_PER_MS);
	return (u32)clamp_t(u64, p->clock_ms - before_ms, 1, DT_MAX_MS);
}

/* True if the rate lets the frame be kept. */
static bool rate_take(struct sluice_path *p)
{
	u64 interval;

	if (!p->settings.rate_mfps)
		return true;
	interval = div_u64(1000000000000ull, p->settings.rate_mfps);
	if (p->clock_ns + interval / 4 < p->rate_due_ns)
		return false;
	p->rate_due_ns += interval;
	if (p->rate_due_ns <= p->clock_ns)
		p->rate_due_ns = p->clock_ns + interval;
	return true;
}

static void rate_restart(struct sluice_path *p)
{
	if (p->settings.rate_mfps)
		p->rate_due_ns = p->clock_ns + div_u64(1000000000000ull, p->settings.rate_mfps);
}

/* True with a chance of dt / audit_ms. */
static bool audit_draw(struct sluice_path *p, u32 dt_ms)
{
	p->random ^= p->random << 13;
	p->random ^= p->random >> 17;
	p->random ^= p->random << 5;
	return p->settings.audit_ms && ((u64)p->random * p->settings.audit_ms) >> 32 < dt_ms;
}

static void gate_close(struct sluice_path *p, u64 time_ns)
{
	if (!p->open)
		return;
	p->open = false;
	p->mark_open = false;
	p->ops->note(p->ctx, SLUICE_NOTE_CLOSE, time_ns);
}

static void gate_open(struct sluice_path *p, u64 time_ns)
{
	p->open = true;
	p->mark_open = true;
	p->event++;
	rate_restart(p);
	p->ops->note(p->ctx, SLUICE_NOTE_OPEN, time_ns);
}

static void stream_begin(struct sluice_path *p, const struct sluice_frame *f, u64 real_ns)
{
	p->running = true;
	p->epoch = max(real_ns, p->epoch + 1);
	p->clock_ns = 0;
	p->clock_ms = 0;
	p->clock_skew = 0 - f->time_ns;
	p->last_pass_ms = 0;
	p->last_motion_ms = 0;
	p->rate_due_ns = 0;
	p->event = 0;
	p->streak = false;
	p->epoch_first_ns = f->time_ns;
	p->last_motion_ns = 0;
	sluice_gate_reset(p->gate);
	sluice_tamper_reset(p->tamper);
}

static void stream_end(struct sluice_path *p)
{
	roll_settle(p);
	gate_close(p, p->now_ns);
	p->running = false;
	p->sequence = 0;
	p->state &= ~(SLUICE_STATE_STREAMING | SLUICE_STATE_WARMUP | TAMPER_STATES);
	p->tampered = SLUICE_TAMPER_NONE;
}

/* A frame without bytes: counted, named, lost. */
static void frame_lose(struct sluice_path *p, u64 time_ns, enum sluice_reason reason)
{
	u64 sequence = p->sequence++;

	sluice_ledger_settle(p->ledger, reason);
	p->ops->verdict(p->ctx, p->running ? p->epoch : 0, sequence, time_ns, 0, reason);
}

/* Is all of a raw picture there? */
static bool frame_whole(const struct sluice_picture *p, const struct sluice_frame *f)
{
	u32 i;

	if (!p->apart)
		return f->len >= p->size_min;
	for (i = 1; i <= p->apart; i++)
		if (f->chroma_len[i - 1] < sluice_plane_bytes(p, i))
			return false;
	return f->len >= sluice_plane_bytes(p, 0);
}

/* The grid of a frame, as far as privacy allows. Returns false if the frame is corrupt. */
static bool frame_look(struct sluice_path *p, const struct sluice_frame *f,
		       struct sluice_item *item)
{
	u32 cells = (u32)p->picture.grid_w * p->picture.grid_h;
	struct sluice_jpeg_info info;
	u32 i;

	if (p->jpeg) {
		item->size = (u32)min_t(size_t, f->len, SLUICE_RING_ARENA_MAX + 1u);
		if (sluice_jpeg_dc_grid(p->jpeg, f->data, f->len, p->picture.width,
					p->picture.height, p->cell, &info))
			return false;
		item->size = min(info.bytes, item->size);
		item->flags |= info.no_tables ? ITEM_NODHT : 0;
		return true;
	}
	item->size = p->picture.size_min;
	if (!frame_whole(&p->picture, f) ||
	    sluice_luma_grid(&p->picture, f->data, p->picture.size_min, p->cell))
		return false;
	for (i = 0; p->masked && i < cells; i++)
		if (p->privacy[i / 8] >> (i % 8) & 1)
			p->cell[i] = 16 << 8; /* what the copy will show */
	return true;
}

/* It passes now, behind all that waits. opening: the gate has just opened. */
static void frame_pass(struct sluice_path *p, const struct sluice_frame *f,
		       struct sluice_item *item, bool whole, enum sluice_reason reason, u32 flags)
{
	bool opening = p->mark_open;

	p->last_pass_ms = p->clock_ms;
	item->mark = (u8)reason;
	path_store(p, f, item, whole);
	roll_publish(p, opening);
	if (item->flags & ITEM_STORED) {
		path_publish(p, item, reason, flags);
		return;
	}
	p->snapshot |= reason == SLUICE_REASON_SNAPSHOT;
	path_settle(p, item, SLUICE_REASON_OVERRUN);
}

/* It waits with its mark. */
static void frame_wait(struct sluice_path *p, const struct sluice_frame *f,
		       struct sluice_item *item, bool whole)
{
	bool passes = sluice_reason_passes(item->mark);

	roll_expire(p);
	if (passes && !p->length) {
		frame_pass(p, f, item, whole, item->mark, 0);
		return;
	}
	if (passes)
		p->last_pass_ms = p->clock_ms;
	if (item->mark == SLUICE_REASON_QUIET && !p->settings.preroll_ms) {
		path_settle(p, item, SLUICE_REASON_QUIET);
		return;
	}
	if (passes || rate_take(p))
		path_store(p, f, item, whole);
	else
		item->flags |= ITEM_THINNED;
	if (passes && !(item->flags & ITEM_STORED))
		path_settle(p, item, SLUICE_REASON_OVERRUN);
	else
		roll_push(p, item);
}

/* Take an asked snapshot with this frame, if there is one. */
static bool snapshot_take(struct sluice_path *p)
{
	bool asked = p->snapshot;

	p->snapshot = false;
	return asked;
}

static void decide_closed(struct sluice_path *p, const struct sluice_frame *f,
			  struct sluice_item *item, enum sluice_gate_state state, u32 dt_ms)
{
	if (state != SLUICE_GATE_QUALIFIED)
		p->streak = false;
	else if (!p->streak)
		p->streak_first = item->sequence;
	p->streak |= state == SLUICE_GATE_QUALIFIED;

	item->mark = SLUICE_REASON_QUIET;
	if (state == SLUICE_GATE_QUALIFIED)
		item->mark = SLUICE_REASON_UNCONFIRMED;
	else if (audit_draw(p, dt_ms))
		item->mark = SLUICE_REASON_AUDIT;
	if (p->settings.keepalive_ms && p->clock_ms - p->last_pass_ms >= p->settings.keepalive_ms)
		item->mark = SLUICE_REASON_KEEPALIVE;

	if (state != SLUICE_GATE_WARMUP && !p->snapshot) {
		frame_wait(p, f, item, true);
		return;
	}
	roll_expire(p);
	frame_pass(p, f, item, true,
		   snapshot_take(p) ? SLUICE_REASON_SNAPSHOT : SLUICE_REASON_WARMUP, 0);
}

/*
 * moving: the gate said so of this very frame; opened: it was the first; tampered: tampering was
 * found with it.
 */
static void decide_open(struct sluice_path *p, const struct sluice_frame *f,
			struct sluice_item *item, enum sluice_gate_state state, bool moving,
			bool opened, bool tampered)
{
	bool closes = !moving && p->clock_ms - p->last_motion_ms >= p->settings.postroll_ms;
	enum sluice_reason reason;

	if (tampered)
		reason = SLUICE_REASON_TAMPER;
	else if (state == SLUICE_GATE_SCENE)
		reason = SLUICE_REASON_SCENE_CHANGE;
	else if (snapshot_take(p))
		reason = SLUICE_REASON_SNAPSHOT;
	else if (state == SLUICE_GATE_WARMUP)
		reason = SLUICE_REASON_WARMUP;
	else if (!opened && !closes && !rate_take(p))
		reason = SLUICE_REASON_RATE;
	else
		reason = moving ? SLUICE_REASON_MOTION : SLUICE_REASON_POSTROLL;

	if (reason == SLUICE_REASON_RATE)
		path_settle(p, item, reason);
	else
		frame_pass(p, f, item, true, reason, closes ? SLUICE_FRAME_CLOSES : 0);
	if (closes)
		gate_close(p, item->time_ns);
}

/* Returns true if tampering, or another kind of it, is found with this frame. */
static bool look_for_tampering(struct sluice_path *p, const struct sluice_gate_result *r, u32 dt_ms,
			       u64 time_ns)
{
	static const u32 state[] = { 0, SLUICE_STATE_COVERED, SLUICE_STATE_DEFOCUSED,
				     SLUICE_STATE_TURNED };
	enum sluice_tamper_kind kind = SLUICE_TAMPER_NONE;

	if (p->settings.tamper)
		kind = sluice_tamper_frame(p->tamper, p->cell, dt_ms, r->cells);
	if (kind == p->tampered)
		return false;
	p->tampered = kind;
	p->state = (p->state & ~TAMPER_STATES) | state[kind];
	p->ops->note(p->ctx, kind ? SLUICE_NOTE_COVERED + kind - 1 : SLUICE_NOTE_CLEAR, time_ns);
	return kind != SLUICE_TAMPER_NONE;
}

static void decide(struct sluice_path *p, const struct sluice_frame *f, struct sluice_item *item,
		   const struct sluice_gate_result *r, u32 dt_ms)
{
	bool tampered = look_for_tampering(p, r, dt_ms, item->time_ns);
	bool moving = tampered || r->state == SLUICE_GATE_MOTION || r->state == SLUICE_GATE_SCENE;
	bool opens = moving && !p->open;

	if (r->state == SLUICE_GATE_WARMUP)
		p->state |= SLUICE_STATE_WARMUP;
	else
		p->state &= ~SLUICE_STATE_WARMUP;
	if (moving) {
		p->last_motion_ms = p->clock_ms;
		p->last_motion_ns = item->time_ns;
	}
	if (opens) {
		roll_expire(p);
		roll_make_headroom(p);
		gate_open(p, item->time_ns);
		p->streak = false;
	}
	if (r->state == SLUICE_GATE_SCENE)
		p->ops->note(p->ctx, SLUICE_NOTE_SCENE, item->time_ns);
	if (p->open)
		decide_open(p, f, item, r->state, moving, opens, tampered);
	else
		decide_closed(p, f, item, r->state, dt_ms);
}

static void decide_corrupt(struct sluice_path *p, const struct sluice_frame *f,
			   struct sluice_item *item)
{
	memset(p->bits, 0, p->bits_size);
	item->mark = SLUICE_REASON_CORRUPT;
	if (!p->open) {
		frame_wait(p, f, item, false);
		return;
	}
	frame_pass(p, f, item, false, SLUICE_REASON_CORRUPT, 0);
}

void sluice_path_frame(struct sluice_path *p, const struct sluice_frame *f, u64 real_ns)
{
	struct sluice_gate_result r = { .state = SLUICE_GATE_WARMUP };
	struct sluice_item item;
	u32 dt_ms;

	if (sluice_ledger_deliver(p->ledger, f->driver_sequence,
				  f->len + f->chroma_len[0] + f->chroma_len[1]))
		stream_end(p);
	if (f->error || !f->data || !f->len) {
		frame_lose(p, f->time_ns,
			   f->error || f->data ? SLUICE_REASON_ERRORFLAG : SLUICE_REASON_LATE);
		path_mirror(p);
		return;
	}
	if (!p->running)
		stream_begin(p, f, real_ns);
	p->state |= SLUICE_STATE_STREAMING;
	p->state &= ~(SLUICE_STATE_STALLED | SLUICE_STATE_ENDED);
	dt_ms = clock_advance(p, f->time_ns);
	p->now_ns = f->time_ns;
	if (p->open && p->clock_ms - p->last_motion_ms > (u64)p->settings.postroll_ms + SILENT_MS)
		gate_close(p, f->time_ns);

	memset(&item, 0, sizeof(item));
	item.time_ns = f->time_ns;
	item.driver_sequence = f->driver_sequence;
	item.clock_ms = (u32)p->clock_ms;
	item.sequence = (u32)p->sequence;
	p->sequence++;
	if (frame_look(p, f, &item)) {
		sluice_gate_frame(p->gate, p->cell, dt_ms, &r, p->bits);
		item.score = (u16)min_t(u32, r.score, 65535);
		if (p->ops->decided)
			p->ops->decided(p->ctx, p->sequence - 1, &r);
		decide(p, f, &item, &r, dt_ms);
	} else {
		decide_corrupt(p, f, &item);
	}
	path_mirror(p);
}

void sluice_path_lost(struct sluice_path *p, u32 driver_sequence, enum sluice_reason reason)
{
	if (sluice_ledger_deliver(p->ledger, driver_sequence, 0))
		stream_end(p);
	frame_lose(p, p->running ? p->now_ns : 0, reason);
	path_mirror(p);
}

void sluice_path_snapshot(struct sluice_path *p)
{
	p->snapshot = true;
}

void sluice_path_settings(struct sluice_path *p, const struct sluice_settings *s)
{
	if (s->tamper && !p->settings.tamper)
		sluice_tamper_reset(p->tamper);
	p->settings = *s;
	sluice_gate_configure(p->gate, &s->gate);
	path_mirror(p);
}

void sluice_path_threshold_map(struct sluice_path *p, const u8 *map)
{
	p->mapped = map != NULL;
	if (map)
		memcpy(p->map, map, (size_t)p->picture.grid_w * p->picture.grid_h);
	sluice_gate_map(p->gate, map);
	sluice_tamper_look(p->tamper, p->masked ? p->privacy : NULL, map);
}

void sluice_path_privacy(struct sluice_path *p, const u8 *bits)
{
	p->masked = bits != NULL;
	if (bits)
		memcpy(p->privacy, bits, p->bits_size);
	sluice_tamper_look(p->tamper, bits, p->mapped ? p->map : NULL);
}

void sluice_path_end(struct sluice_path *p)
{
	stream_end(p);
	sluice_ledger_close(p->ledger);
	path_mirror(p);
}

u64 sluice_path_epoch(const struct sluice_path *p)
{
	return p->epoch;
}

u32 sluice_path_state(const struct sluice_path *p)
{
	return p->state | (p->open ? SLUICE_STATE_OPEN : 0);
}

void sluice_path_mirror(struct sluice_path *p, u32 state_set, u32 state_clear)
{
	p->state = (p->state | state_set) & ~state_clear;
	path_mirror(p);
}
