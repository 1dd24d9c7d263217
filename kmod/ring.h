/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/*
 * ring.h - the gate's side of <sluice/ring.h>: reserve, publish, discard, reclaim. Works on memory
 * that its caller has made (shmem in the kernel, a memfd in sluice-feed) and never trusts the words
 * that the reader can write. One writer; the caller serialises.
 *
 * The arena is handed out in runs of 4 KiB pages by next fit over a bitmap, because frames that
 * wait in the pre-roll are discarded in any order while published ones are still being read.
 */
#ifndef SLUICE_RING_CORE_H
#define SLUICE_RING_CORE_H

#include "core.h"
#include <sluice/ring.h>

/* A run of arena pages, owned by who reserved it until publish or discard. */
struct sluice_ring_span {
	u32 page;
	u32 pages; /* 0: empty */
};

struct sluice_ring {
	struct sluice_ring_ctrl *ctrl;
	struct sluice_ring_desc *desc;
	u8 *arena;
	u32 desc_count; /* power of two */
	u32 page_count;
	u64 head, tail; /* the truth; ctrl holds copies */
	u32 reserved;	/* spans reserved and not yet published: each will need a record */
	u32 pages_used;
	u32 next; /* where next fit goes on */
	u64 bad_tail;
	u64 *used;			/* page bitmap */
	struct sluice_ring_span *spans; /* of record i at [i & (desc_count - 1)] */
};

/* Bytes of private memory (page bitmap, spans) for a ring; 0 if the sizes are outside the limits.
 */
size_t sluice_ring_private_size(u32 desc_count, u64 arena_bytes);

/*
 * Set up r over zeroed memory. priv: sluice_ring_private_size() bytes, zeroed. arena_bytes:
 * multiple of 4096. Fills the constant words of ctrl. The caller owns and frees all memory.
 */
void sluice_ring_init(struct sluice_ring *r, void *priv, struct sluice_ring_ctrl *ctrl,
		      struct sluice_ring_desc *desc, u32 desc_count, void *arena, u64 arena_bytes,
		      const char *name, u64 now_ns);

/* Free what the reader has finished with. Called by reserve; also useful before asking for space.
 */
void sluice_ring_reclaim(struct sluice_ring *r);

/* Get bytes of arena and the promise of a record. Returns 0 or -ENOSPC. */
int sluice_ring_reserve(struct sluice_ring *r, size_t bytes, struct sluice_ring_span *span);

static inline void *sluice_ring_bytes(const struct sluice_ring *r,
				      const struct sluice_ring_span *span)
{
	return r->arena + (size_t)span->page * SLUICE_RING_PAGE;
}

/*
 * Publish a span as the next record; d->offset is filled in, d->cells is relative to the span's
 * start and is made absolute. The span becomes the ring's. Returns true if a sleeping reader should
 * be woken (head passed its wake mark).
 */
bool sluice_ring_publish(struct sluice_ring *r, struct sluice_ring_span *span,
			 struct sluice_ring_desc *d);

/* Give a span back unpublished. NULL-safe for empty spans. */
void sluice_ring_discard(struct sluice_ring *r, struct sluice_ring_span *span);

/*
 * Another reader takes over: the words that the one before could have spoilt are written anew, and
 * it starts at the oldest record that was not released. Its wake mark is that record.
 */
void sluice_ring_reset_reader(struct sluice_ring *r);

/* True if records beyond the reader's wake mark exist: what poll() answers. */
bool sluice_ring_readable(const struct sluice_ring *r);

#endif
