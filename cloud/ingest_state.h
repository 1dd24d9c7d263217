/* SPDX-License-Identifier: MIT */
/* ingest_state.h - what the files of the writer share; nobody else includes it. */
#ifndef SLUICE_INGEST_STATE_H
#define SLUICE_INGEST_STATE_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>

#include "cloud/ingest.h"
#include "cloud/store.h"

#define INGEST_LOADS 1024

struct sluice_ingest {
	struct sluice_ingest_config c;
	struct sluice_store *store;
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t ready;
	/* under the lock */
	struct sluice_item *first, *last;
	size_t fill;
	size_t queued; /* bytes between first and last */
	/* of a depot that takes whole segments: the same by camera (cameras that share a number end
	 * a group a little early), and whether one has enough */
	size_t load[INGEST_LOADS];
	int enough;
	int urgent; /* items in the queue that somebody waits for */
	int stopping;
	atomic_int error; /* of the last group, until a probe succeeds */
	/* the writer's own */
	struct sluice_chunk *chunks, *chunks_last; /* stored, not yet taken by the bus */
	uint64_t probe_ns;			   /* when the store is to be probed again */
	struct sluice_told *told;
	size_t told_count, told_room;
};

static inline size_t ingest_item_bytes(const struct sluice_item *item)
{
	return sizeof(*item) + item->cells_size + item->jpeg_size + (size_t)item->ledger_size;
}

/* ---- ingest_told.c: gathered until told_send() ---- */

struct sluice_told *ingest_told_add(struct sluice_ingest *in, enum sluice_told_kind kind,
				    const struct sluice_item *item);
void ingest_told_send(struct sluice_ingest *in);
void ingest_tell_stored(struct sluice_ingest *in, const struct sluice_item *item);
void ingest_tell_released(struct sluice_ingest *in, const struct sluice_item *item, size_t bytes,
			  uint32_t items);
void ingest_tell_failed(struct sluice_ingest *in, const struct sluice_item *item, int err);

/* ---- ingest_chunks.c ---- */

void ingest_fill_lower(struct sluice_ingest *in, size_t bytes);
/* A frame of back-fill whose bytes are left behind: it is released when it is stored. */
int ingest_item_is_mark(const struct sluice_item *item);
/* Both take the stored item. */
void ingest_mark_add(struct sluice_ingest *in, struct sluice_item *item);
void ingest_chunk_add(struct sluice_ingest *in, struct sluice_item *item);
/* As many chunks as the bus takes; tells what came free. */
void ingest_chunks_publish(struct sluice_ingest *in);

#endif
