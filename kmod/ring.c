// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * ring.c - the gate's side of the shared ring (include/sluice/ring.h).
 *
 * Happy path: reserve finds a run of free pages and keeps a descriptor slot back; the caller fills
 * the bytes; publish writes the record and stores head with release. The reader stores tail with
 * release when it has finished; reclaim loads it with acquire and frees the pages of the records
 * in between. Discard frees the pages of a span that never became a record.
 *
 * The truth lies in struct sluice_ring, which the reader cannot see. Of the control page only tail
 * and wake_mark are ever read. tail may move from the tail we know up to the head we know;
 * anything else is refused and counted, so the worst that a hostile or broken reader reaches is a
 * ring that stays full. A wrong wake_mark costs that reader its wake-ups, nothing else.
 *
 * Wake-up: publish stores head, then (full barrier) loads wake_mark. A reader that goes to sleep
 * stores wake_mark, then (full barrier) loads head once more: one of both sees the other's store.
 *
 * A run never wraps around the end of the arena. Spans are discarded in any order, so the arena
 * fragments; next fit keeps runs of like size together, and -ENOSPC is an answer that the caller
 * must be able to bear (it drops from its pre-roll first, then counts OVERRUN).
 */
#include "ring.h"

#define NO_RUN (~0u)

size_t sluice_ring_private_size(u32 desc_count, u64 arena_bytes)
{
	u32 pages;

	if (!desc_count || desc_count > SLUICE_RING_DESC_MAX || desc_count & (desc_count - 1))
		return 0;
	if (!arena_bytes || arena_bytes > SLUICE_RING_ARENA_MAX ||
	    arena_bytes & (SLUICE_RING_PAGE - 1))
		return 0;
	pages = (u32)(arena_bytes / SLUICE_RING_PAGE);
	return (pages + 63) / 64 * sizeof(u64) +
	       (size_t)desc_count * sizeof(struct sluice_ring_span);
}

static void write_constants(struct sluice_ring *r)
{
	struct sluice_ring_ctrl *c = r->ctrl;

	core_write_once(c->magic, SLUICE_RING_MAGIC);
	core_write_once(c->version, SLUICE_RING_VERSION);
	core_write_once(c->features, SLUICE_RING_F_CELLS | SLUICE_RING_F_LEDGER);
	core_write_once(c->desc_count, r->desc_count);
	core_write_once(c->arena_bytes, (u64)r->page_count * SLUICE_RING_PAGE);
}

void sluice_ring_init(struct sluice_ring *r, void *priv, struct sluice_ring_ctrl *ctrl,
		      struct sluice_ring_desc *desc, u32 desc_count, void *arena, u64 arena_bytes,
		      const char *name, u64 now_ns)
{
	size_t i;

	memset(r, 0, sizeof(*r));
	r->ctrl = ctrl;
	r->desc = desc;
	r->arena = arena;
	r->desc_count = desc_count;
	r->page_count = (u32)(arena_bytes / SLUICE_RING_PAGE);
	r->used = priv;
	r->spans = (void *)(r->used + (r->page_count + 63) / 64);

	for (i = 0; i < sizeof(ctrl->name) - 1 && name[i]; i++)
		ctrl->name[i] = name[i];
	ctrl->boot_time_ns = now_ns;
	write_constants(r);
}

static void mark_pages(struct sluice_ring *r, const struct sluice_ring_span *s, bool used)
{
	u32 i;

	for (i = s->page; i < s->page + s->pages; i++) {
		if (used)
			r->used[i / 64] |= 1ull << (i % 64);
		else
			r->used[i / 64] &= ~(1ull << (i % 64));
	}
	r->pages_used += used ? s->pages : -s->pages;
}

/* First run of free pages inside from..to-1, whole bitmap words at a time where possible. */
static u32 find_run(const struct sluice_ring *r, u32 from, u32 to, u32 pages)
{
	u32 start = from;
	u32 at = from;

	while (at < to) {
		u64 word = r->used[at / 64];

		if (at % 64 == 0 && word == ~0ull) {
			at += 64;
			start = at;
			continue;
		}
		if (at % 64 == 0 && !word && to - at >= 64) {
			at += 64;
		} else {
			if (word >> (at % 64) & 1)
				start = at + 1;
			at++;
		}
		if (at - start >= pages)
			return start;
	}
	return NO_RUN;
}

void sluice_ring_reclaim(struct sluice_ring *r)
{
	/* pairs with the reader's release store: its last loads of the bytes came before it */
	u64 tail = core_load_acquire(&r->ctrl->tail);

	if (tail - r->tail > r->head - r->tail) {
		r->bad_tail++;
		core_write_once(r->ctrl->bad_tail, r->bad_tail);
		return;
	}
	for (; r->tail != tail; r->tail++) {
		struct sluice_ring_span *s = &r->spans[r->tail & (r->desc_count - 1)];

		mark_pages(r, s, false);
		s->pages = 0;
	}
}

int sluice_ring_reserve(struct sluice_ring *r, size_t bytes, struct sluice_ring_span *span)
{
	u32 pages, page;

	sluice_ring_reclaim(r);
	span->page = 0;
	span->pages = 0;
	if (bytes > (size_t)r->page_count * SLUICE_RING_PAGE)
		return -ENOSPC;
	pages = bytes ? (u32)((bytes + SLUICE_RING_PAGE - 1) / SLUICE_RING_PAGE) : 1;
	if (r->head - r->tail + r->reserved >= r->desc_count)
		return -ENOSPC;
	if (r->page_count - r->pages_used < pages)
		return -ENOSPC;
	page = find_run(r, r->next, r->page_count, pages);
	if (page == NO_RUN)
		page = find_run(r, 0, min(r->next + pages - 1, r->page_count), pages);
	if (page == NO_RUN)
		return -ENOSPC;
	span->page = page;
	span->pages = pages;
	mark_pages(r, span, true);
	r->reserved++;
	r->next = page + pages < r->page_count ? page + pages : 0;
	return 0;
}

bool sluice_ring_publish(struct sluice_ring *r, struct sluice_ring_span *span,
			 struct sluice_ring_desc *d)
{
	u32 slot = (u32)(r->head & (r->desc_count - 1));

	d->offset = (u64)span->page * SLUICE_RING_PAGE;
	d->cells = d->cells_size ? d->cells + d->offset : 0;
	r->desc[slot] = *d;
	r->spans[slot] = *span;
	span->pages = 0;
	r->reserved--;
	r->head++;
	/* pairs with the reader's acquire load: the record and its bytes are visible before head */
	core_store_release(&r->ctrl->head, r->head);
	core_mb(); /* pairs with the reader's between wake_mark and head */
	return sluice_ring_readable(r);
}

void sluice_ring_discard(struct sluice_ring *r, struct sluice_ring_span *span)
{
	if (!span->pages)
		return;
	mark_pages(r, span, false);
	span->pages = 0;
	r->reserved--;
}

void sluice_ring_reset_reader(struct sluice_ring *r)
{
	sluice_ring_reclaim(r); /* what the reader before released in good faith */
	write_constants(r);
	core_write_once(r->ctrl->bad_tail, r->bad_tail);
	core_write_once(r->ctrl->tail, r->tail);
	core_write_once(r->ctrl->wake_mark, r->tail);
	core_store_release(&r->ctrl->head, r->head);
}

bool sluice_ring_readable(const struct sluice_ring *r)
{
	return core_read_once(r->head) > core_read_once(r->ctrl->wake_mark);
}
