// SPDX-License-Identifier: MIT
/*
 * Order of what next() says, for one camera: OPEN of the oldest epoch that is not closed on this
 * link; its frames from RESUME on; STATS once every record that was in the ring when the words were
 * read has been sent; CLOSE when a record of a later epoch is next, when a later epoch is known and
 * nothing is left, or when the stream has stopped.
 *
 * A link that breaks costs nothing but time: cursor goes back to tail and all epochs in the list
 * are new again. A frame that the cloud rejects, or that cannot be sent at all, is remembered by
 * its record's index until tail has passed it.
 *
 * The list of epochs is full: nothing is sent until the cloud says DONE for the oldest. Records
 * that make no sense (outside the arena, of an epoch that is over) count as rejected; the ring's
 * frames never vanish without a count.
 */
#include "relay/drain.h"
#include "relay/drain_private.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* The cloud counts in seconds, rounded. */
#define CALM_NS ((SLUICE_WIRE_JOIN_MS + 1) * 1000000ull)

static bool is_rejected(const struct relay_camera *c, uint64_t index)
{
	const struct relay_fate *f = relay_camera_fate(c, index);

	return f->index == index && f->rejected;
}

/* In order; -EBADMSG: it would come before one that is open already; -ENOSPC: the list is full. */
static int add_epoch(struct relay_camera *c, const struct relay_epoch *e)
{
	unsigned int at = c->epochs;

	while (at && c->epoch[at - 1].epoch > e->epoch)
		at--;
	if (at < c->epochs && c->epoch[at].phase != RELAY_NEW)
		return -EBADMSG;
	if (c->epochs == RELAY_EPOCHS)
		return -ENOSPC;
	memmove(&c->epoch[at + 1], &c->epoch[at], (c->epochs - at) * sizeof(*e));
	c->epoch[at] = *e;
	c->epochs++;
	return 0;
}

/* Forget epochs that are DONE and have no record left. */
static void prune_epochs(struct relay_camera *c)
{
	unsigned int keep = 0;

	for (unsigned int i = 0; i < c->epochs; i++) {
		bool holds = c->tail < c->cursor &&
			     relay_camera_fate(c, c->tail)->epoch <= c->epoch[i].epoch;

		if (c->epoch[i].done && !holds)
			continue;
		c->epoch[keep++] = c->epoch[i];
	}
	c->epochs = keep;
}

int relay_camera_attach(struct relay_camera *c, struct relay_ring *ring)
{
	uint32_t slot = c->slot;
	bool held = c->held;

	relay_camera_detach(c);
	memset(c, 0, sizeof(*c));
	c->slot = slot;
	c->held = held;
	c->fate = calloc(ring->desc_count, sizeof(*c->fate));
	if (!c->fate) {
		relay_ring_unmap(ring);
		return -ENOMEM;
	}
	for (uint32_t i = 0; i < ring->desc_count; i++)
		c->fate[i].index = UINT64_MAX;
	c->ring = *ring;
	memset(ring, 0, sizeof(*ring));
	memcpy(c->name, c->ring.name, sizeof(c->name));
	c->tail = relay_ring_tail(&c->ring);
	c->cursor = c->tail;
	c->sent_mark = c->tail;
	c->spill = c->tail;
	c->spilled_to = UINT64_MAX;
	c->attached = true;
	relay_camera_look(c);
	return 0;
}

void relay_camera_detach(struct relay_camera *c)
{
	if (!c->attached)
		return;
	relay_ring_unmap(&c->ring);
	relay_region_exit(&c->region[0]);
	relay_region_exit(&c->region[1]);
	free(c->fate);
	c->fate = NULL;
	c->attached = false;
}

static void make_stats_due(struct relay_camera *c)
{
	c->due = c->now;
	c->due_mark = c->now_mark;
	c->stats_due = true;
}

void relay_camera_look(struct relay_camera *c)
{
	struct relay_epoch *e;

	if (!c->attached || relay_ring_snapshot(&c->ring, &c->now))
		return;
	c->now_mark = relay_ring_head(&c->ring);
	if (!c->now.epoch_first_ns)
		return;
	e = relay_camera_epoch(c, c->now.epoch);
	if (!e && c->now.epoch > c->done_epoch &&
	    (!c->epochs || c->epoch[c->epochs - 1].epoch < c->now.epoch)) {
		/* if the list is full the next look tries again */
		add_epoch(c, &(struct relay_epoch){ .epoch = c->now.epoch });
		e = relay_camera_epoch(c, c->now.epoch);
	}
	if (e) {
		e->first_ns = c->now.epoch_first_ns;
		e->now_ns = c->now.now_ns;
		e->width = c->now.width;
		e->height = c->now.height;
		e->format = c->now.format;
	}
	if (!c->stats_due &&
	    (c->now.delivered != c->due.delivered || c->now.pending != c->due.pending ||
	     c->now.state != c->due.state || c->now.epoch != c->due.epoch))
		make_stats_due(c);
}

uint64_t relay_camera_calm_in(const struct relay_camera *c)
{
	const struct relay_epoch *e = c->attached ? relay_camera_epoch(c, c->now.epoch) : NULL;
	const uint32_t states = SLUICE_STATE_STREAMING | SLUICE_STATE_STALLED;

	if (!e || !e->calm_ns || c->gone || (c->now.state & states) != SLUICE_STATE_STREAMING)
		return UINT64_MAX;
	return e->calm_ns > c->now.now_ns ? e->calm_ns - c->now.now_ns : 0;
}

void relay_camera_tell(struct relay_camera *c)
{
	make_stats_due(c);
}

/* Epochs that are over and went to the spool altogether are told from there. */
static void drop_spilled(struct relay_camera *c)
{
	struct sluice_ring_desc d = { .epoch = UINT64_MAX };
	unsigned int keep = 0;

	if (c->tail != relay_ring_head(&c->ring))
		relay_ring_record(&c->ring, c->tail, &d);
	for (unsigned int i = 0; i < c->epochs; i++) {
		const struct relay_epoch *e = &c->epoch[i];

		if (e->spilled && i + 1 < c->epochs && e->epoch < d.epoch)
			continue;
		c->epoch[keep++] = *e;
	}
	c->epochs = keep;
}

void relay_camera_link(struct relay_camera *c, bool up)
{
	c->linked = up;
	relay_region_reset(&c->region[0]);
	c->cursor = c->tail;
	relay_camera_look(c);
	if (up)
		drop_spilled(c);
	make_stats_due(c);
	for (unsigned int i = 0; i < c->epochs; i++) {
		c->epoch[i].phase = RELAY_NEW;
		c->epoch[i].done = false; /* it has records: it is closed on this link too */
	}
}

/* Pass the records at the tail whose fate is known. */
static void release(struct relay_camera *c)
{
	uint64_t before = c->tail;

	if (c->spill > c->tail)
		return; /* they are being given away */
	for (; c->tail < c->cursor; c->tail++) {
		const struct relay_fate *f = relay_camera_fate(c, c->tail);
		const struct relay_epoch *e = relay_camera_epoch(c, f->epoch);

		if (f->paused)
			c->paused++;
		else if (f->rejected)
			c->rejected++;
		else if (e && f->sequence < e->resume)
			c->stored++;
		else
			break;
	}
	if (c->tail != before)
		relay_ring_release(&c->ring, c->tail);
	if (c->spill < c->tail)
		c->spill = c->tail;
	relay_camera_prune_pauses(c);
	prune_epochs(c);
}

/* The record at cursor is dealt with. */
static void step_over(struct relay_camera *c, const struct sluice_ring_desc *d, bool rejected)
{
	bool paused = relay_camera_drops(c, c->cursor);

	*relay_camera_fate(c, c->cursor) = (struct relay_fate){ .index = c->cursor,
								.epoch = d->epoch,
								.sequence = d->sequence,
								.rejected = rejected || paused,
								.paused = paused };
	c->cursor++;
	release(c);
}

/* A record of an epoch that we thought had ended: open it again, unless a later one is open. */
static int open_again(struct relay_camera *c, struct relay_epoch *e)
{
	for (const struct relay_epoch *later = e + 1; later < c->epoch + c->epochs; later++)
		if (later->phase != RELAY_NEW)
			return -EBADMSG;
	e->phase = RELAY_NEW;
	e->done = false;
	return 0;
}

/*
 * The next record that is to be sent, with its epoch in the list. 1, 0 if there is none, -ENOSPC if
 * the list is full.
 */
static int next_record(struct relay_camera *c, struct sluice_ring_desc *d)
{
	uint64_t head = relay_ring_head(&c->ring);

	if (head - c->cursor > c->ring.desc_count)
		return 0; /* a head that cannot be */
	while (c->cursor < head) {
		int bad = relay_ring_record(&c->ring, c->cursor, d);
		struct relay_epoch *e = relay_camera_epoch(c, d->epoch);

		if (relay_camera_drops(c, c->cursor)) {
			step_over(c, d, true);
			continue;
		}

		if (!bad && !e) {
			bad = add_epoch(c, &(struct relay_epoch){ .epoch = d->epoch,
								  .first_ns = d->time_ns,
								  .width = d->width,
								  .height = d->height,
								  .format = d->format });
			if (bad == -ENOSPC)
				return bad;
			e = relay_camera_epoch(c, d->epoch);
		}
		if (!bad && e->phase == RELAY_CLOSED)
			bad = open_again(c, e);
		if (!bad && !is_rejected(c, c->cursor) && d->sequence >= e->resume) {
			if (!e->width) {
				e->width = d->width;
				e->height = d->height;
				e->format = d->format;
			}
			return 1;
		}
		step_over(c, d, bad || is_rejected(c, c->cursor));
	}
	return 0;
}

void relay_camera_pass_paused(struct relay_camera *c)
{
	struct sluice_ring_desc d;

	if (!c->attached || !c->pauses || c->spill > c->tail)
		return;
	while (c->cursor < relay_ring_head(&c->ring) && relay_camera_drops(c, c->cursor)) {
		relay_ring_record(&c->ring, c->cursor, &d);
		step_over(c, &d, true);
	}
}

static struct relay_epoch *current_epoch(struct relay_camera *c)
{
	for (unsigned int i = 0; i < c->epochs; i++)
		if (c->epoch[i].phase != RELAY_CLOSED)
			return &c->epoch[i];
	return NULL;
}

/* Nothing more will come in this epoch, and the ring has no record left. */
static bool has_stopped(const struct relay_camera *c, const struct relay_epoch *e)
{
	if (e != &c->epoch[c->epochs - 1] || c->gone || c->now.epoch > e->epoch)
		return true; /* a later one may be done already */
	if (c->now.epoch != e->epoch || c->now_mark > c->cursor)
		return false;
	return !(c->now.state & SLUICE_STATE_STREAMING) ||
	       (c->now.state & (SLUICE_STATE_ENDED | SLUICE_STATE_GONE));
}

void relay_camera_next(struct relay_camera *c, struct relay_todo *t)
{
	struct relay_epoch *e;
	int record;

	t->step = RELAY_NOTHING;
	if (!c->attached || !c->linked || c->spill > c->tail)
		return;
	record = next_record(c, &t->desc);
	e = current_epoch(c);
	t->epoch = e;
	if (!e || e->phase == RELAY_OPENING || !e->width || !e->first_ns)
		return;
	if (record && t->desc.epoch < e->epoch)
		return; /* the list is full, and what is next comes before e */
	if (e->phase == RELAY_NEW) {
		if (record > 0 && t->desc.epoch == e->epoch)
			e->range_first = t->desc.sequence;
		t->step = RELAY_SEND_OPEN;
		return;
	}
	if (c->stats_due && c->due.epoch < e->epoch)
		make_stats_due(c);
	if (c->stats_due && c->due.epoch == e->epoch && c->due_mark <= c->cursor)
		t->step = RELAY_SEND_STATS;
	else if (record > 0 && t->desc.epoch == e->epoch)
		t->step = RELAY_SEND_FRAME;
	else if (record)
		t->step = RELAY_SEND_CLOSE;
	else if (has_stopped(c, e))
		t->step = RELAY_SEND_CLOSE;
}

static bool is_motion(const struct sluice_ring_desc *d)
{
	return d->reason == SLUICE_REASON_MOTION || d->reason == SLUICE_REASON_SCENE_CHANGE ||
	       d->reason == SLUICE_REASON_TAMPER;
}

void relay_camera_sent(struct relay_camera *c, const struct relay_todo *t)
{
	switch (t->step) {
	case RELAY_SEND_OPEN:
		t->epoch->phase = RELAY_OPENING;
		break;
	case RELAY_SEND_FRAME:
		/* A run must not go on behind a frame that was sent: of each run the cloud has a
		 * beginning and nothing else, and that is what RESUME tells. */
		c->spilled_to = UINT64_MAX;
		if (c->cursor >= c->sent_mark) {
			c->sent++;
			c->sent_mark = c->cursor + 1;
		}
		if (t->desc.sequence >= t->epoch->sent_next)
			t->epoch->sent_next = t->desc.sequence + 1;
		if (t->desc.time_ns > t->epoch->now_ns)
			t->epoch->now_ns = t->desc.time_ns;
		if (is_motion(&t->desc))
			t->epoch->calm_ns = t->desc.time_ns + CALM_NS;
		step_over(c, &t->desc, false);
		break;
	case RELAY_SEND_STATS:
		c->stats_due = false;
		if (c->due.now_ns >= t->epoch->calm_ns)
			t->epoch->calm_ns = 0;
		break;
	case RELAY_SEND_CLOSE:
		t->epoch->phase = RELAY_CLOSED;
		break;
	case RELAY_NOTHING:
		break;
	}
}

void relay_camera_refuse(struct relay_camera *c, const struct relay_todo *t)
{
	relay_region_reset(&c->region[0]);
	step_over(c, &t->desc, true);
}

int relay_camera_opened(struct relay_camera *c, uint64_t epoch, uint64_t resume)
{
	struct relay_epoch *e = relay_camera_epoch(c, epoch);

	if (!e || e->phase != RELAY_OPENING)
		return -EPROTO;
	e->phase = RELAY_OPEN;
	if (resume > e->resume)
		e->resume = resume;
	return 0;
}

int relay_camera_stored(struct relay_camera *c, uint64_t epoch, uint64_t cumulative)
{
	struct relay_epoch *e = relay_camera_epoch(c, epoch);

	if (!c->attached || !e)
		return 0; /* of an epoch that is over: told twice */
	if (cumulative >= e->sent_next && cumulative >= e->resume)
		return -EPROTO; /* never sent */
	if (cumulative >= e->resume)
		e->resume = cumulative + 1;
	release(c);
	return 0;
}

int relay_camera_rejected(struct relay_camera *c, uint64_t epoch, uint64_t sequence)
{
	if (!c->attached)
		return 0;
	for (uint64_t i = c->tail; i < c->cursor; i++) {
		struct relay_fate *f = relay_camera_fate(c, i);

		if (f->epoch != epoch || f->sequence != sequence)
			continue;
		f->rejected = true;
		relay_region_reset(&c->region[0]);
		release(c);
		return 0;
	}
	return -EPROTO;
}

int relay_camera_done(struct relay_camera *c, uint64_t epoch)
{
	struct relay_epoch *e = relay_camera_epoch(c, epoch);

	if (!e)
		return 0;
	if (e->phase != RELAY_CLOSED)
		return 0; /* it answers the CLOSE of an earlier link; ours will be answered too */
	e->done = true;
	if (epoch > c->done_epoch)
		c->done_epoch = epoch;
	prune_epochs(c);
	return 0;
}

bool relay_camera_finished(const struct relay_camera *c)
{
	if (!c->attached)
		return true;
	if (!c->gone && !(c->now.state & (SLUICE_STATE_ENDED | SLUICE_STATE_GONE)))
		return false;
	return !c->epochs && !c->held && c->tail == relay_ring_head(&c->ring);
}
