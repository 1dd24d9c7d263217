// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * roll.c - the frames that wait: a queue in the order of their sequence, without gaps between its
 * ends but for lost frames. Their bytes lie in the arena without a record.
 *
 * A frame leaves at the front only:
 * - preroll_ms old: it gets its mark (QUIET, UNCONFIRMED, or it passes by itself).
 * - The gate opens, or a snapshot is taken: it is published as PREROLL. Before an opening the
 * oldest are given up until a quarter of the ring is free, so that the motion does not meet a ring
 * full of what came before it.
 * - A newer frame needs its room, the table is full, or the stream ends: it gets its mark early.
 *
 * Frames that were not stored wait as well, for their verdict only: when the gate opens, one that
 * the rate thinned becomes RATE, and one that found no room OVERRUN; else both get their mark.
 */
#include "path.h"

/* A run of qualified frames may wait so long for its confirmation, whatever the pre-roll. */
#define STREAK_MS 2000u

static struct sluice_item *roll_front(const struct sluice_path *p)
{
	return &p->waiting[p->first];
}

static void drop_front(struct sluice_path *p)
{
	if (roll_front(p)->flags & ITEM_STORED)
		p->stored--;
	p->first = (p->first + 1) % SLUICE_PENDING_MAX;
	p->length--;
}

void roll_push(struct sluice_path *p, const struct sluice_item *item)
{
	if (p->length == SLUICE_PENDING_MAX)
		roll_pop(p);
	p->waiting[(p->first + p->length) % SLUICE_PENDING_MAX] = *item;
	p->length++;
	if (item->flags & ITEM_STORED)
		p->stored++;
}

bool roll_pop(struct sluice_path *p)
{
	struct sluice_item item;

	if (!p->length)
		return false;
	item = *roll_front(p);
	drop_front(p);
	if (sluice_reason_passes(item.mark) && item.flags & ITEM_STORED)
		path_publish(p, &item, item.mark, 0);
	else
		path_settle(p, &item, item.mark);
	return true;
}

bool roll_holds_space(const struct sluice_path *p)
{
	return p->stored > 0;
}

static bool item_expired(const struct sluice_path *p, const struct sluice_item *item)
{
	u32 age = (u32)p->clock_ms - item->clock_ms;

	if (age < p->settings.preroll_ms)
		return false;
	return !(p->streak && (s32)(item->sequence - p->streak_first) >= 0 && age < STREAK_MS);
}

void roll_expire(struct sluice_path *p)
{
	while (p->length && item_expired(p, roll_front(p)))
		roll_pop(p);
}

static bool ring_crowded(struct sluice_ring *r)
{
	sluice_ring_reclaim(r);
	return r->page_count - r->pages_used < r->page_count / 4 ||
	       r->desc_count - (u32)(r->head - r->tail) - r->reserved < r->desc_count / 4;
}

void roll_make_headroom(struct sluice_path *p)
{
	while (p->ring && roll_holds_space(p) && ring_crowded(p->ring))
		roll_pop(p);
}

void roll_publish(struct sluice_path *p, bool opening)
{
	while (p->length) {
		struct sluice_item item = *roll_front(p);

		drop_front(p);
		if (item.flags & ITEM_STORED)
			path_publish(p, &item,
				     sluice_reason_passes(item.mark) ? item.mark
								     : SLUICE_REASON_PREROLL,
				     0);
		else if (!opening)
			path_settle(p, &item, item.mark);
		else
			path_settle(p, &item,
				    item.flags & ITEM_NOSPACE ? SLUICE_REASON_OVERRUN
							      : SLUICE_REASON_RATE);
	}
}

void roll_settle(struct sluice_path *p)
{
	while (roll_pop(p))
		;
}
