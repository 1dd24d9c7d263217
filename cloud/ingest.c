// SPDX-License-Identifier: MIT
/*
 * ingest.c - the writer thread.
 *
 * Items wait in one queue, in the order they came. A group is what came within 200 ms of its first
 * item, or 1 MiB, or up to a message that a device waits for (OPEN, CLOSE). It is made durable by
 * store.c; then, and only then, the sessions are told STORED; then its items go to the bus as
 * chunks of one camera. Credit comes free when the bus has taken a chunk: a full bus stops the
 * devices, never the disk. Frames of back-fill are free once they are stored.
 *
 * Where segments are put whole (a bucket), each group is an object for each camera, which costs as
 * a request: a group waits longer for more, but for a camera that has enough.
 *
 * A group that cannot be stored (disk full, damaged index) is dropped whole and its sessions are
 * told FAILED: they close, the devices keep their frames and come back. What such a session still
 * has in the queue is dropped too: storing it would acknowledge the hole before it.
 */
#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "cloud/ingest_state.h"
#include "lib/cond.h"
#include "lib/log.h"

#define ROOM_BYTES (8u << 20) /* that must fit again on a disk that was full */
#define RETRY_MS   20	      /* a full bus is asked again */

void (*sluice_ingest_point)(enum sluice_commit_point point);

static void reach_point(enum sluice_commit_point point)
{
	if (sluice_ingest_point)
		sluice_ingest_point(point);
}

static uint64_t monotonic_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static int item_urgent(const struct sluice_item *item)
{
	return item->kind == SLUICE_ITEM_OPEN || item->kind == SLUICE_ITEM_CLOSE;
}

static int is_whole(const struct sluice_ingest *in)
{
	return in->c.depot && in->c.depot->whole;
}

/* Under the lock. */
static void count_load(struct sluice_ingest *in, const struct sluice_item *item, size_t bytes)
{
	size_t at = (item->camera->id[0] | (size_t)item->camera->id[1] << 8) % INGEST_LOADS;

	in->load[at] += bytes;
	in->enough |= in->load[at] >= in->c.whole_bytes || in->queued >= SLUICE_WHOLE_BYTES;
}

void sluice_ingest_put(struct sluice_ingest *in, struct sluice_item *item)
{
	size_t bytes = ingest_item_bytes(item);

	item->next = NULL;
	item->put_ns = monotonic_ns();
	pthread_mutex_lock(&in->lock);
	if (in->first)
		in->last->next = item;
	else
		in->first = item;
	in->last = item;
	in->fill += bytes;
	in->queued += bytes;
	in->urgent += item_urgent(item);
	if (is_whole(in))
		count_load(in, item, bytes);
	pthread_cond_signal(&in->ready);
	pthread_mutex_unlock(&in->lock);
}

size_t sluice_ingest_fill(struct sluice_ingest *in)
{
	size_t fill;

	if (!in)
		return 0;
	pthread_mutex_lock(&in->lock);
	fill = in->fill;
	pthread_mutex_unlock(&in->lock);
	return fill;
}

int sluice_ingest_error(struct sluice_ingest *in)
{
	return in ? atomic_load_explicit(&in->error, memory_order_relaxed) : 0;
}

/* ---- groups ---- */

static void free_items(struct sluice_item *items)
{
	while (items) {
		struct sluice_item *next = items->next;

		free(items);
		items = next;
	}
}

static int store_item(struct sluice_ingest *in, struct sluice_item *item)
{
	struct sluice_index *ix = sluice_store_index(in->store);
	uint64_t resume;
	int err = 0;

	switch (item->kind) {
	case SLUICE_ITEM_OPEN:
		err = sluice_store_epoch(in->store, item, &resume);
		if (!err)
			ingest_told_add(in, SLUICE_TOLD_OPENED, item)->value = resume;
		break;
	case SLUICE_ITEM_FRAME:
		err = sluice_store_frame(in->store, item);
		if (!err)
			ingest_tell_stored(in, item);
		break;
	case SLUICE_ITEM_STATS:
	case SLUICE_ITEM_CLOSE:
		if (item->ledger_size)
			err = ix->ops->camera_ledger(ix, item->camera->id, sluice_utc_now(),
						     item->epoch, item->data,
						     (size_t)item->ledger_size);
		break;
	case SLUICE_ITEM_ACK:
		err = ix->ops->summary_acked(ix, item->camera->id, item->id);
		break;
	}
	return err;
}

/* Nothing more of this camera is taken from this session; it must not be forgotten. */
static void break_stream(struct sluice_ingest *in, const struct sluice_item *item)
{
	if (item->kind == SLUICE_ITEM_ACK)
		return;
	while (sluice_store_break(in->store, item))
		nanosleep(&(struct timespec){ .tv_nsec = 10000000 }, NULL);
}

/* All or nothing; what is to be told is in in->told. */
static int store_group(struct sluice_ingest *in, struct sluice_item *group)
{
	struct sluice_item *item;
	int err = sluice_store_stage(in->store, group);

	if (!err)
		err = sluice_store_begin(in->store);
	if (err)
		return err;
	for (item = group; item && !err; item = item->next) {
		if (item->kind != SLUICE_ITEM_ACK && sluice_store_broken(in->store, item)) {
			item->duplicate = 1;
			continue;
		}
		err = store_item(in, item);
		if (err == -EDQUOT) { /* that device's fault, not the disk's */
			ingest_tell_failed(in, item, err);
			break_stream(in, item);
			item->duplicate = 1;
			err = 0;
		}
	}
	reach_point(SLUICE_POINT_APPENDED);
	if (!err)
		err = sluice_store_sync(in->store);
	reach_point(SLUICE_POINT_SYNCED);
	if (!err)
		err = sluice_store_commit(in->store);
	if (err)
		sluice_store_abort(in->store);
	else
		reach_point(SLUICE_POINT_COMMITTED);
	return err;
}

static void drop_group(struct sluice_ingest *in, struct sluice_item *group, int err)
{
	static struct sluice_log_limit limit = { .burst = 3, .interval_ms = 10000 };
	struct sluice_item *item;
	size_t bytes = 0;

	sluice_log_limited(
		&limit, SLUICE_LOG_ERROR,
		"cannot store: %s; nothing is acknowledged and no credit granted, the devices keep "
		"their frames",
		strerror(-err));
	in->error = err;
	sluice_count(in->c.counters, SLUICE_N_STORE_FAILED, 1);
	in->told_count = 0;
	for (item = group; item; item = item->next) {
		ingest_tell_failed(in, item, err);
		break_stream(in, item);
		bytes += ingest_item_bytes(item);
	}
	free_items(group);
	ingest_fill_lower(in, bytes);
	ingest_told_send(in);
}

static void count_stored(struct sluice_ingest *in, const struct sluice_item *item)
{
	uint64_t now = monotonic_ns();

	for (; item; item = item->next) {
		if (item->kind != SLUICE_ITEM_FRAME || item->duplicate)
			continue;
		sluice_count(in->c.counters, SLUICE_N_STORED, 1);
		sluice_count_latency(in->c.counters, now - item->put_ns);
	}
}

/*
 * Nothing can be stored, so no credit is granted and no group comes by which it would show that it
 * can again: a file of as much as a device may have under way is written and synced beside the
 * segments.
 */
static void probe_store(struct sluice_ingest *in)
{
	int err;

	if (!in->error || monotonic_ns() < in->probe_ns)
		return;
	err = sluice_store_probe(in->store, ROOM_BYTES);
	in->probe_ns = monotonic_ns() + SLUICE_PROBE_MS * 1000000ull;
	if (!err)
		sluice_info("storing is possible again: credit is granted");
	in->error = err;
}

static void run_group(struct sluice_ingest *in, struct sluice_item *group)
{
	int err = store_group(in, group);

	sluice_store_unstage(in->store);
	if (err) {
		drop_group(in, group, err);
		return;
	}
	/* a small group that still finds its place on a full disk does not mean that there is room
	 */
	if (in->error && in->error != -ENOSPC && in->error != -EFBIG) {
		sluice_info("storing is possible again: credit is granted");
		in->error = 0;
	}
	count_stored(in, group);
	ingest_told_send(in);
	reach_point(SLUICE_POINT_TOLD);
	while (group) {
		struct sluice_item *item = group;

		group = item->next;
		if (item->duplicate || item->kind == SLUICE_ITEM_ACK) {
			ingest_tell_released(in, item, item->charge, 1);
			ingest_fill_lower(in, ingest_item_bytes(item));
			free(item);
		} else if (ingest_item_is_mark(item)) {
			ingest_mark_add(in, item);
		} else {
			ingest_chunk_add(in, item);
		}
	}
	ingest_chunks_publish(in);
}

/* Under the lock: no more is waited for. */
static int is_enough(const struct sluice_ingest *in)
{
	return in->stopping || in->urgent ||
	       (is_whole(in) ? in->enough : in->queued >= SLUICE_COMMIT_BYTES);
}

/* Waits for a group and takes it; NULL: none yet (chunks wait), or the end. */
static struct sluice_item *take_group(struct sluice_ingest *in, int *end)
{
	struct sluice_item *group;
	struct timespec until;

	pthread_mutex_lock(&in->lock);
	until = sluice_cond_until(in->chunks ? RETRY_MS : SLUICE_PROBE_MS);
	while (!in->first && !in->stopping) {
		if (!in->chunks && !in->error)
			pthread_cond_wait(&in->ready, &in->lock);
		else if (pthread_cond_timedwait(&in->ready, &in->lock, &until))
			break;
	}
	until = sluice_cond_until(is_whole(in) ? in->c.whole_ms : SLUICE_COMMIT_MS);
	while (in->first && !is_enough(in))
		if (pthread_cond_timedwait(&in->ready, &in->lock, &until))
			break;
	group = in->first;
	in->first = in->last = NULL;
	in->queued = 0;
	in->urgent = 0;
	if (is_whole(in))
		memset(in->load, 0, sizeof(in->load));
	in->enough = 0;
	*end = in->stopping && !group;
	pthread_mutex_unlock(&in->lock);
	return group;
}

static void *writer_main(void *arg)
{
	struct sluice_ingest *in = arg;
	int end = 0;

	pthread_setname_np(pthread_self(), "writer");
	while (!end) {
		struct sluice_item *group = take_group(in, &end);

		if (group)
			run_group(in, group);
		else if (in->chunks)
			ingest_chunks_publish(in);
		probe_store(in);
	}
	return NULL;
}

int sluice_ingest_open(const struct sluice_ingest_config *c, struct sluice_ingest **out)
{
	struct sluice_ingest *in = calloc(1, sizeof(*in));
	int err;

	*out = NULL;
	if (!in)
		return -ENOMEM;
	in->c = *c;
	if (!in->c.whole_ms)
		in->c.whole_ms = SLUICE_COMMIT_MS;
	if (!in->c.whole_bytes)
		in->c.whole_bytes = SLUICE_COMMIT_BYTES;
	err = sluice_store_open_in(c->data, c->depot, c->keys, &in->store);
	if (err)
		goto err_free;
	pthread_mutex_init(&in->lock, NULL);
	sluice_cond_init(&in->ready);
	err = -pthread_create(&in->thread, NULL, writer_main, in);
	if (err)
		goto err_store;
	*out = in;
	return 0;

err_store:
	pthread_cond_destroy(&in->ready);
	pthread_mutex_destroy(&in->lock);
	sluice_store_close(in->store);
err_free:
	free(in);
	return err;
}

void sluice_ingest_close(struct sluice_ingest *in)
{
	if (!in)
		return;
	pthread_mutex_lock(&in->lock);
	in->stopping = 1;
	pthread_cond_signal(&in->ready);
	pthread_mutex_unlock(&in->lock);
	pthread_join(in->thread, NULL);
	while (in->chunks) {
		struct sluice_chunk *next = in->chunks->next;

		sluice_chunk_free(in->chunks);
		in->chunks = next;
	}
	sluice_store_close(in->store);
	pthread_cond_destroy(&in->ready);
	pthread_mutex_destroy(&in->lock);
	free(in->told);
	free(in);
}
