// SPDX-License-Identifier: MIT
/*
 * drain_spill.c - a ring's records on their way to the spool. They go oldest first, so that the
 * ring can be released as soon as they are the spool's; those that were sent and not yet
 * acknowledged go too. What has been given away stays the ring's until it is settled: a batch that
 * could not be written has cost nothing.
 */
#include "relay/drain_private.h"

#include <string.h>

int relay_camera_spill_next(struct relay_camera *c, struct sluice_ring_desc *d)
{
	uint64_t head = relay_ring_head(&c->ring);

	if (!c->attached || head - c->tail > c->ring.desc_count)
		return 0; /* a head that cannot be */
	while (c->spill < head) {
		const struct relay_fate *f = relay_camera_fate(c, c->spill);
		bool rejected = c->spill < c->cursor && f->index == c->spill && f->rejected;

		if (!relay_ring_record(&c->ring, c->spill, d) && !rejected &&
		    !relay_camera_drops(c, c->spill))
			return 1;
		relay_camera_spill_add(c, d, true);
	}
	return 0;
}

void relay_camera_spill_add(struct relay_camera *c, const struct sluice_ring_desc *d, bool refused)
{
	*relay_camera_fate(c, c->spill) =
		(struct relay_fate){ .index = c->spill,
				     .epoch = d->epoch,
				     .sequence = d->sequence,
				     .rejected = refused,
				     .paused = relay_camera_drops(c, c->spill) };
	c->spill++;
	c->spilled_to = c->spill;
}

/* The record at the tail has left the ring for the spool, or was rejected. */
static void pass_tail(struct relay_camera *c)
{
	const struct relay_fate *f = relay_camera_fate(c, c->tail);
	struct relay_epoch *e = relay_camera_epoch(c, f->epoch);

	if (f->paused) {
		c->paused++;
	} else if (f->rejected) {
		c->rejected++;
	} else {
		c->spooled++;
		if (e) {
			e->spilled = true;
			e->range_first = f->sequence + 1;
		}
	}
	c->tail++;
}

void relay_camera_spill_settled(struct relay_camera *c, bool ok)
{
	if (!c->attached)
		return;
	if (!ok) {
		c->spill = c->tail;
		c->spilled_to = UINT64_MAX;
		return;
	}
	if (c->tail == c->spill)
		return;
	while (c->tail < c->spill)
		pass_tail(c);
	if (c->cursor < c->tail)
		c->cursor = c->tail;
	relay_ring_release(&c->ring, c->tail);
	relay_camera_prune_pauses(c);
}

void relay_camera_spill_known(struct relay_camera *c)
{
	struct sluice_ring_desc d;

	relay_ring_record(&c->ring, c->tail, &d);
	relay_camera_spill_add(c, &d, false);
	relay_camera_spill_settled(c, true);
	c->spilled_to = UINT64_MAX;
	c->spooled--; /* counted when it was */
}

uint64_t relay_camera_first_ns(const struct relay_camera *c, const struct sluice_ring_desc *d)
{
	const struct relay_epoch *e = relay_camera_epoch(c, d->epoch);

	if (c->now.epoch == d->epoch && c->now.epoch_first_ns)
		return c->now.epoch_first_ns;
	return e && e->first_ns ? e->first_ns : d->time_ns;
}

unsigned int relay_camera_fill(const struct relay_camera *c)
{
	uint64_t head = relay_ring_head(&c->ring), records = head - c->spill, bytes;
	struct sluice_ring_desc first, last;

	if (!records || records > c->ring.desc_count)
		return 0;
	if (relay_ring_record(&c->ring, c->spill, &first) ||
	    relay_ring_record(&c->ring, head - 1, &last))
		return 0;
	/* the arena is filled round and round, in the order of the records */
	bytes = (last.offset + last.size + c->ring.arena_bytes - first.offset) %
		c->ring.arena_bytes;
	bytes = bytes * 256 / c->ring.arena_bytes;
	records = records * 256 / c->ring.desc_count;
	return (unsigned int)(bytes > records ? bytes : records);
}
