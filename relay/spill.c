// SPDX-License-Identifier: MIT
/*
 * A ring is spilled as a whole while there has been no link for two seconds: it is memory, and
 * would not outlive the machine. While there is a link, it is spilled once it is more than half
 * full and what it holds has been there for longer than a second and a half (the link is too thin),
 * down to a quarter; the newest frames go on being sent. A ring that is full because its source is
 * fast is emptied sooner than that.
 *
 * What the budget does not allow now waits in the ring as long as nothing behind it matters more.
 * Else, once what was sent is acknowledged, all that is before it goes to the spool: the first
 * frames of a new event pass the rest of the last one, and motion passes rolls and keep-alive. It
 * is sent as back-fill when there is room.
 *
 * The spool takes nothing (disk full, read-only, or a full spool that cannot make room): frames
 * stay in the ring, and when that is full the gate counts what it loses.
 */
#include "relay/spill.h"
#include "lib/log.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#define FILL_START 128 /* of 256 */
#define FILL_STOP  64
#define AGE_NS	   1500000000ull

static struct sluice_log_limit frame_limit = { .burst = 5, .interval_ms = 60000 };

void relay_spill_link(struct relay_spill *sp, bool up)
{
	if (sp->up && !up)
		sp->down_ns = sluice_io_now(sp->io);
	sp->up = up;
}

void relay_spill_attached(struct relay_spill *sp, struct relay_camera *c)
{
	struct sluice_ring_desc d;
	uint64_t known = 0;

	if (!sp->spool || !c->attached)
		return;
	for (; relay_camera_spill_next(c, &d) && relay_spool_settle(sp->spool, c->name, &d);
	     known++)
		relay_camera_spill_known(c);
	if (known)
		sluice_info("%s: %" PRIu64 " frames of the ring are in the spool already", c->name,
			    known);
}

/* Has the ring held something for longer than that? */
static bool is_old(struct relay_camera *c, uint64_t now)
{
	if (c->tail >= c->age_mark) {
		c->age_mark = relay_ring_head(&c->ring);
		c->age_ns = now;
	}
	return now - c->age_ns > AGE_NS;
}

static void decide(struct relay_spill *sp, struct relay_camera *c)
{
	uint64_t now = sluice_io_now(sp->io);
	unsigned int fill = relay_camera_fill(c);
	bool old = is_old(c, now), was = c->spilling;

	if (!sp->up)
		c->spilling = now - sp->down_ns >= (uint64_t)sp->after_ms * 1000000u;
	else if (c->spilling)
		c->spilling = fill > FILL_STOP;
	else
		c->spilling = fill > FILL_START && old;
	if (was && !c->spilling)
		relay_spool_end_run(sp->spool, c->name);
	if (!was && c->spilling && sp->up)
		sluice_warning("%s: the link is too slow; frames go to the spool", c->name);
}

/* One record. False: not now. */
static bool spill_record(struct relay_spill *sp, struct relay_camera *c)
{
	struct relay_payload payload;
	struct sluice_ring_desc d;
	int err;

	if (!relay_spool_accepts(sp->spool) || !relay_camera_spill_next(c, &d))
		return false;
	err = relay_payload_make(&payload, &sp->maker, &c->ring, &d,
				 &c->region[SLUICE_LANE_BACKFILL], SLUICE_LANE_BACKFILL);
	if (!err)
		err = relay_spool_add(sp->spool, c->name, &d, relay_camera_first_ns(c, &d),
				      &payload, c->spilled_to == c->spill);
	if (!err) {
		relay_camera_spill_add(c, &d, false);
		return true;
	}
	relay_region_reset(&c->region[SLUICE_LANE_BACKFILL]);
	if (err == -EMSGSIZE || err == -EOPNOTSUPP || err == -EINVAL) {
		sluice_log_limited(&frame_limit, SLUICE_LOG_WARNING,
				   "%s: frame %" PRIu64 " (%ux%u, %u bytes) cannot be sent: %s",
				   c->name, (uint64_t)d.sequence, d.width, d.height, d.size,
				   strerror(-err));
		relay_camera_spill_add(c, &d, true);
		return true;
	}
	if (err != -EAGAIN)
		sluice_log_limited(&frame_limit, SLUICE_LOG_WARNING,
				   "%s: the spool takes nothing: %s; frames stay in the ring",
				   c->name, strerror(-err));
	return false;
}

/* The first record behind the one at cursor that matters more and may go now; 0: none. */
static uint64_t find_better(struct relay_spill *sp, struct relay_camera *c)
{
	uint64_t head = relay_ring_head(&c->ring), now = sluice_io_now(sp->io);
	enum relay_class held, class;
	struct sluice_ring_desc d;

	if (c->cursor >= head || relay_ring_record(&c->ring, c->cursor, &d))
		return 0;
	held = relay_budget_class(&c->newest, &d);
	for (uint64_t i = c->cursor + 1; i < head; i++) {
		if (relay_ring_record(&c->ring, i, &d))
			continue;
		class = relay_budget_class(&c->newest, &d);
		if (class < held && relay_budget_allows(sp->budget, now, class))
			return i;
	}
	return 0;
}

static void hold_back(struct relay_spill *sp, struct relay_camera *c)
{
	uint64_t before = c->spill, to;

	if (!sp->budget || !sp->up || c->spilling || !c->over_budget || c->tail != c->cursor ||
	    c->spill != c->tail)
		return;
	to = find_better(sp, c);
	while (c->spill < to && spill_record(sp, c))
		;
	c->held_back += c->spill - before;
	if (c->spill != before)
		relay_spool_end_run(sp->spool, c->name);
}

void relay_spill_pump(struct relay_spill *sp)
{
	if (!sp->spool)
		return;
	for (unsigned int i = 0; i < SLUICE_WIRE_SLOTS; i++) {
		struct relay_camera *c = &sp->camera[i];

		if (!c->attached) {
			if (c->spilling)
				relay_spool_end_run(sp->spool, c->name);
			c->spilling = false;
			continue;
		}
		decide(sp, c);
		while (c->spilling && spill_record(sp, c))
			if (sp->up && relay_camera_fill(c) <= FILL_STOP)
				break;
		hold_back(sp, c);
		if (sp->up && c->spill > c->tail)
			relay_spool_flush(sp->spool); /* nothing is sent meanwhile */
	}
	if (!relay_spool_pending(sp->spool))
		relay_spill_settled(sp, 0); /* those that were refused */
}

void relay_spill_settled(struct relay_spill *sp, int err)
{
	for (unsigned int i = 0; i < SLUICE_WIRE_SLOTS; i++)
		relay_camera_spill_settled(&sp->camera[i], !err);
}
