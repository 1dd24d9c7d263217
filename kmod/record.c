// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * record.c - from a frame to a record of the ring: its bytes, its verdict, and the control page.
 *
 * The picture is copied once, from the driver's buffer into the arena, with privacy cells blanked
 * on the way; the motion-cell bitmap follows it at the next multiple of 8. Room that waiting frames
 * hold is taken back, oldest first, before a newer frame is refused: a frame of the pre-roll never
 * costs one that moves.
 *
 * A raw frame that is shorter than its format says still passes (CORRUPT): what is there is copied
 * and the rest is zero, so that a record always has size_min bytes. Under a privacy mask such a
 * frame is all zero, since the place of its pixels is not known for certain. A JPEG is stored up to
 * its EOI; one that does not parse is stored whole.
 *
 * Without a ring (gate-only) every item counts as stored and nothing is copied.
 */
#include "path.h"

static u32 bitmap_offset(const struct sluice_item *item)
{
	return (item->size + 7) & ~7u;
}

static struct sluice_ring_span item_span(const struct sluice_path *p,
					 const struct sluice_item *item)
{
	u32 bytes = bitmap_offset(item) + p->bits_size;
	struct sluice_ring_span s = { .page = item->page };

	s.pages = (bytes + SLUICE_RING_PAGE - 1) / SLUICE_RING_PAGE;
	return s;
}

static u64 item_sequence(const struct sluice_path *p, const struct sluice_item *item)
{
	return p->sequence - (u32)((u32)p->sequence - item->sequence);
}

static void copy_picture(const struct sluice_path *p, const struct sluice_frame *f,
			 struct sluice_item *item, u8 *to, bool whole)
{
	const void *const plane[3] = { f->data, f->chroma[0], f->chroma[1] };

	if (p->masked)
		item->flags |= ITEM_MASKED;
	if (p->jpeg) {
		memcpy(to, f->data, item->size);
	} else if (whole && p->picture.apart) {
		sluice_mask_gather(&p->picture, to, plane, p->masked ? p->privacy : NULL);
	} else if (whole) {
		sluice_mask_copy(&p->picture, to, f->data, item->size,
				 p->masked ? p->privacy : NULL);
	} else {
		size_t picture = p->picture.apart ? sluice_plane_bytes(&p->picture, 0) : item->size;
		size_t there = p->masked ? 0 : min_t(size_t, f->len, picture);

		memcpy(to, f->data, there);
		memset(to + there, 0, item->size - there);
	}
}

void path_store(struct sluice_path *p, const struct sluice_frame *f, struct sluice_item *item,
		bool whole)
{
	struct sluice_ring_span span;
	u8 *to;

	if (p->ring) {
		size_t bytes = (size_t)bitmap_offset(item) + p->bits_size;

		if (bytes > p->ring->page_count * (size_t)SLUICE_RING_PAGE) {
			item->flags |= ITEM_NOSPACE;
			return;
		}
		while (sluice_ring_reserve(p->ring, bytes, &span)) {
			if (!roll_holds_space(p)) {
				item->flags |= ITEM_NOSPACE;
				return;
			}
			roll_pop(p);
		}
		to = sluice_ring_bytes(p->ring, &span);
		copy_picture(p, f, item, to, whole);
		memset(to + item->size, 0, bitmap_offset(item) - item->size);
		memcpy(to + bitmap_offset(item), p->bits, p->bits_size);
		item->page = span.page;
	}
	item->flags |= ITEM_STORED;
	p->overrun = false;
}

static u32 clamp_u32(u64 v)
{
	return (u32)min_t(u64, v, ~0u);
}

/* DROPPED and LOST verdicts since the record before. */
static void tell_missing(struct sluice_path *p, struct sluice_ring_desc *d)
{
	const u64 *count = p->ledger->count;
	u64 dropped = 0;
	u64 lost = 0;
	u32 i;

	for (i = SLUICE_REASON_QUIET; i < SLUICE_REASON_MOTION; i++)
		dropped += count[i];
	for (i = SLUICE_REASON_OVERRUN; i < SLUICE_REASON_COUNT; i++)
		lost += count[i];
	d->dropped = clamp_u32(dropped - p->told_dropped);
	d->lost = clamp_u32(lost - p->told_lost);
	p->told_dropped = dropped;
	p->told_lost = lost;
}

static void fill_record(struct sluice_path *p, const struct sluice_item *item,
			struct sluice_ring_desc *d)
{
	d->sequence = item_sequence(p, item);
	d->epoch = p->epoch;
	d->time_ns = item->time_ns;
	d->size = item->size;
	d->format = p->picture.fourcc;
	d->width = (u16)p->picture.width;
	d->height = (u16)p->picture.height;
	d->stride = p->picture.stride;
	d->driver_sequence = item->driver_sequence;
	d->flags = SLUICE_FRAME_KEY;
	if (item->flags & ITEM_NODHT)
		d->flags |= SLUICE_FRAME_NODHT;
	if (item->flags & ITEM_MASKED)
		d->flags |= SLUICE_FRAME_MASKED;
	if (p->mark_open)
		d->flags |= SLUICE_FRAME_OPENS;
	d->score = item->score;
	d->event = p->open ? p->event : 0;
	d->cells = bitmap_offset(item);
	d->cells_size = p->bits_size;
	d->grid_w = p->picture.grid_w;
	d->grid_h = p->picture.grid_h;
	d->settings = p->settings.version;
}

void path_publish(struct sluice_path *p, struct sluice_item *item, enum sluice_reason reason,
		  u32 flags)
{
	struct sluice_ring_desc d;
	struct sluice_ring_span span;
	bool wake = false;

	if (p->ring) {
		memset(&d, 0, sizeof(d));
		fill_record(p, item, &d);
		d.reason = (u16)reason;
		d.flags |= (u16)flags;
		tell_missing(p, &d);
		span = item_span(p, item);
		wake = sluice_ring_publish(p->ring, &span, &d);
	}
	p->mark_open = false;
	sluice_ledger_settle(p->ledger, reason);
	sluice_ledger_pass_bytes(p->ledger, item->size);
	p->ops->verdict(p->ctx, p->epoch, item_sequence(p, item), item->time_ns, item->score,
			reason);
	if (p->ring)
		p->ops->published(p->ctx, &d, wake);
}

void path_settle(struct sluice_path *p, struct sluice_item *item, enum sluice_reason reason)
{
	struct sluice_ring_span span;

	if (p->ring && item->flags & ITEM_STORED) {
		span = item_span(p, item);
		sluice_ring_discard(p->ring, &span);
	}
	sluice_ledger_settle(p->ledger, reason);
	if (reason == SLUICE_REASON_OVERRUN && !p->overrun) {
		p->overrun = true;
		p->ops->note(p->ctx, SLUICE_NOTE_OVERRUN, item->time_ns);
	}
	p->ops->verdict(p->ctx, p->epoch, item_sequence(p, item), item->time_ns, item->score,
			reason);
}

/*
 * The control page's state and ledger words, under its seqlock. Nothing is read back from the page:
 * the reader can write it.
 */
void path_mirror(struct sluice_path *p)
{
	struct sluice_ring_ctrl *c;
	u32 i;

	if (!p->ring)
		return;
	c = p->ring->ctrl;
	core_write_once(c->changed, ++p->changed);
	core_wmb(); /* pairs with the reader's read barrier: odd before the words */
	core_write_once(c->state, sluice_path_state(p));
	core_write_once(c->epoch, p->epoch);
	core_write_once(c->epoch_first_ns, p->epoch_first_ns);
	core_write_once(c->now_ns, p->now_ns);
	core_write_once(c->last_motion_ns, p->last_motion_ns);
	core_write_once(c->delivered, p->ledger->delivered);
	core_write_once(c->pending, p->ledger->pending);
	core_write_once(c->format, p->picture.fourcc);
	core_write_once(c->settings, p->settings.version);
	core_write_once(c->width, (u16)p->picture.width);
	core_write_once(c->height, (u16)p->picture.height);
	core_write_once(c->grid_w, p->picture.grid_w);
	core_write_once(c->grid_h, p->picture.grid_h);
	for (i = 0; i < SLUICE_REASON_COUNT; i++)
		core_write_once(c->count[i], p->ledger->count[i]);
	core_write_once(c->bytes_seen, p->ledger->bytes_seen);
	core_write_once(c->bytes_passed, p->ledger->bytes_passed);
	core_wmb(); /* the words before even */
	core_write_once(c->changed, ++p->changed);
}
