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

#include "cloud/ingest.h"
#include "cloud/store.h"
#include "lib/log.h"

#define RETRY_MS 20 /* a full bus is asked again */

void (*sluice_ingest_point)(enum sluice_commit_point point);

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
	int urgent;    /* items in the queue that somebody waits for */
	int stopping;
	/* the writer's own */
	struct sluice_chunk *chunks, *chunks_last; /* stored, not yet taken by the bus */
	struct sluice_told *told;
	size_t told_count, told_room;
};

static void reach_point(enum sluice_commit_point point)
{
	if (sluice_ingest_point)
		sluice_ingest_point(point);
}

static size_t item_bytes(const struct sluice_item *item)
{
	return sizeof(*item) + item->cells_size + item->jpeg_size + (size_t)item->ledger_size;
}

static int item_urgent(const struct sluice_item *item)
{
	return item->kind == SLUICE_ITEM_OPEN || item->kind == SLUICE_ITEM_CLOSE;
}

void sluice_ingest_put(struct sluice_ingest *in, struct sluice_item *item)
{
	size_t bytes = item_bytes(item);

	item->next = NULL;
	pthread_mutex_lock(&in->lock);
	if (in->first)
		in->last->next = item;
	else
		in->first = item;
	in->last = item;
	in->fill += bytes;
	in->queued += bytes;
	in->urgent += item_urgent(item);
	pthread_cond_signal(&in->ready);
	pthread_mutex_unlock(&in->lock);
}

size_t sluice_ingest_fill(struct sluice_ingest *in)
{
	size_t fill;

	pthread_mutex_lock(&in->lock);
	fill = in->fill;
	pthread_mutex_unlock(&in->lock);
	return fill;
}

static void raise_fill(struct sluice_ingest *in, size_t bytes)
{
	pthread_mutex_lock(&in->lock);
	in->fill += bytes;
	pthread_mutex_unlock(&in->lock);
}

static void lower_fill(struct sluice_ingest *in, size_t bytes)
{
	pthread_mutex_lock(&in->lock);
	in->fill -= bytes;
	pthread_mutex_unlock(&in->lock);
}

/* ---- telling ---- */

static struct sluice_told *add_told(struct sluice_ingest *in, enum sluice_told_kind kind,
				    const struct sluice_item *item)
{
	struct sluice_told *t;

	while (in->told_count == in->told_room) {
		size_t room = in->told_room ? 2 * in->told_room : 64;

		t = realloc(in->told, room * sizeof(*t));
		if (t) {
			in->told = t;
			in->told_room = room;
			break;
		}
		/* an acknowledgement that is not told is a frame that the device never frees */
		nanosleep(&(struct timespec){ .tv_nsec = 10000000 }, NULL);
	}
	t = &in->told[in->told_count++];
	memset(t, 0, sizeof(*t));
	t->kind = kind;
	t->session = item->session;
	t->slot = item->slot;
	t->epoch = item->epoch;
	return t;
}

static void send_told(struct sluice_ingest *in)
{
	if (!in->told_count)
		return;
	in->c.tell(in->c.ctx, in->told, in->told_count);
	in->told = NULL;
	in->told_count = in->told_room = 0;
}

/* Walks back over what this group has told: few sessions, so it ends soon. */
static void tell_stored(struct sluice_ingest *in, const struct sluice_item *item)
{
	size_t i;

	for (i = in->told_count; i > 0; i--) {
		struct sluice_told *t = &in->told[i - 1];

		if (t->session != item->session || t->slot != item->slot)
			continue;
		if (t->kind != SLUICE_TOLD_STORED || t->epoch != item->epoch)
			break;
		if (item->sequence > t->value)
			t->value = item->sequence;
		return;
	}
	add_told(in, SLUICE_TOLD_STORED, item)->value = item->sequence;
}

static void tell_released(struct sluice_ingest *in, const struct sluice_item *item, size_t bytes,
			  uint32_t items)
{
	struct sluice_told *t;
	size_t i;

	for (i = in->told_count; i > 0; i--)
		if (in->told[i - 1].kind == SLUICE_TOLD_RELEASED &&
		    in->told[i - 1].session == item->session)
			break;
	t = i ? &in->told[i - 1] : add_told(in, SLUICE_TOLD_RELEASED, item);
	t->bytes += bytes;
	t->items += items;
}

static void tell_failed(struct sluice_ingest *in, const struct sluice_item *item, int err)
{
	size_t i;

	for (i = in->told_count; i > 0; i--)
		if (in->told[i - 1].kind == SLUICE_TOLD_FAILED &&
		    in->told[i - 1].session == item->session)
			return;
	add_told(in, SLUICE_TOLD_FAILED, item)->err = err;
}

/* ---- chunks ---- */

static void free_items(struct sluice_item *items)
{
	while (items) {
		struct sluice_item *next = items->next;

		free(items);
		items = next;
	}
}

/* The chunk that the item may join: the camera's newest, if it is of the same session (which gets
 * the credit back) and not full. */
static struct sluice_chunk *find_chunk(struct sluice_ingest *in, const struct sluice_item *item)
{
	struct sluice_chunk *c, *found = NULL;

	for (c = in->chunks; c; c = c->next)
		if (c->camera == item->camera && c->lane == item->lane)
			found = c;
	if (!found || found->items->session != item->session ||
	    found->bytes + item_bytes(item) > SLUICE_CHUNK_MAX)
		return NULL;
	return found;
}

static void add_to_chunk(struct sluice_ingest *in, struct sluice_item *item)
{
	struct sluice_chunk *c = find_chunk(in, item);

	while (!c) {
		c = calloc(1, sizeof(*c));
		if (!c) {
			nanosleep(&(struct timespec){ .tv_nsec = 10000000 }, NULL);
			continue;
		}
		c->camera = item->camera;
		c->lane = item->lane;
		if (in->chunks)
			in->chunks_last->next = c;
		else
			in->chunks = c;
		in->chunks_last = c;
	}
	item->next = NULL;
	if (c->items)
		c->last->next = item;
	else
		c->items = item;
	c->last = item;
	c->bytes += item_bytes(item);
}

/* A frame of back-fill whose bytes have been left behind: it was released then. */
static int is_mark(const struct sluice_item *item)
{
	return item->lane && item->kind == SLUICE_ITEM_FRAME;
}

/*
 * Back-fill comes faster than it can be analysed: its bytes stay on the disk, and only a mark goes
 * on, saying up to where it is stored. One that waits still grows instead of a second one.
 */
static void add_mark(struct sluice_ingest *in, struct sluice_item *item)
{
	struct sluice_item *small;
	struct sluice_chunk *c;

	tell_released(in, item, item->charge, 1);
	lower_fill(in, item_bytes(item));
	item->cells_size = item->jpeg_size = 0;
	item->charge = 0;
	c = find_chunk(in, item);
	if (c && is_mark(c->last) && c->last->epoch == item->epoch &&
	    c->last->range_first == item->range_first) {
		c->last->sequence = item->sequence;
		c->last->range_last = item->range_last;
		free(item);
		return;
	}
	small = realloc(item, sizeof(*item));
	raise_fill(in, sizeof(*item));
	add_to_chunk(in, small ? small : item);
}

/* True if the bus has taken it. */
static bool publish_chunk(struct sluice_ingest *in, struct sluice_chunk *c)
{
	struct sluice_item first = *c->items; /* the bus owns the chunk afterwards */
	size_t bytes = c->bytes, charge = 0;
	const struct sluice_item *item;
	uint32_t items = 0;

	for (item = c->items; item; item = item->next) {
		charge += item->charge;
		items += !is_mark(item);
	}
	if (in->c.bus->ops->publish(in->c.bus, c))
		return false; /* full; the chunk is ours still */
	tell_released(in, &first, charge, items);
	lower_fill(in, bytes);
	return true;
}

static void publish_chunks(struct sluice_ingest *in)
{
	struct sluice_chunk **at = &in->chunks, *c, *next;
	bool full[2] = { false, false };

	in->chunks_last = NULL;
	while ((c = *at)) {
		next = c->next;
		if (!full[!!c->lane] && publish_chunk(in, c)) {
			*at = next;
			continue;
		}
		full[!!c->lane] = true; /* the order of a lane stays */
		in->chunks_last = c;
		at = &c->next;
	}
	send_told(in);
}

/* ---- groups ---- */

static int store_item(struct sluice_ingest *in, struct sluice_item *item)
{
	struct sluice_index *ix = sluice_store_index(in->store);
	uint64_t resume;
	int err = 0;

	switch (item->kind) {
	case SLUICE_ITEM_OPEN:
		err = sluice_store_epoch(in->store, item, &resume);
		if (!err)
			add_told(in, SLUICE_TOLD_OPENED, item)->value = resume;
		break;
	case SLUICE_ITEM_FRAME:
		err = sluice_store_frame(in->store, item);
		if (!err)
			tell_stored(in, item);
		break;
	case SLUICE_ITEM_STATS:
	case SLUICE_ITEM_CLOSE:
		if (item->ledger_size)
			err = ix->ops->camera_ledger(ix, item->camera->id, item->data,
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
	int err = sluice_store_begin(in->store);

	if (err)
		return err;
	for (item = group; item && !err; item = item->next) {
		if (item->kind != SLUICE_ITEM_ACK && sluice_store_broken(in->store, item)) {
			item->duplicate = 1;
			continue;
		}
		err = store_item(in, item);
		if (err == -EDQUOT) { /* that device's fault, not the disk's */
			tell_failed(in, item, err);
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
		"cannot store: %s; nothing is acknowledged, the devices keep their frames",
		strerror(-err));
	in->told_count = 0;
	for (item = group; item; item = item->next) {
		tell_failed(in, item, err);
		break_stream(in, item);
		bytes += item_bytes(item);
	}
	free_items(group);
	lower_fill(in, bytes);
	send_told(in);
}

static void run_group(struct sluice_ingest *in, struct sluice_item *group)
{
	int err = store_group(in, group);

	if (err) {
		drop_group(in, group, err);
		return;
	}
	send_told(in);
	reach_point(SLUICE_POINT_TOLD);
	while (group) {
		struct sluice_item *item = group;

		group = item->next;
		if (item->duplicate || item->kind == SLUICE_ITEM_ACK) {
			tell_released(in, item, item->charge, 1);
			lower_fill(in, item_bytes(item));
			free(item);
		} else if (is_mark(item)) {
			add_mark(in, item);
		} else {
			add_to_chunk(in, item);
		}
	}
	publish_chunks(in);
}

static struct timespec after_ms(unsigned int ms)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	t.tv_nsec += ms * 1000000L;
	t.tv_sec += t.tv_nsec / 1000000000L;
	t.tv_nsec %= 1000000000L;
	return t;
}

/* Waits for a group and takes it; NULL: none yet (chunks wait), or the end. */
static struct sluice_item *take_group(struct sluice_ingest *in, int *end)
{
	struct sluice_item *group;
	struct timespec until;

	pthread_mutex_lock(&in->lock);
	until = after_ms(RETRY_MS);
	while (!in->first && !in->stopping) {
		if (!in->chunks)
			pthread_cond_wait(&in->ready, &in->lock);
		else if (pthread_cond_timedwait(&in->ready, &in->lock, &until))
			break;
	}
	until = after_ms(SLUICE_COMMIT_MS);
	while (in->first && !in->stopping && !in->urgent && in->queued < SLUICE_COMMIT_BYTES)
		if (pthread_cond_timedwait(&in->ready, &in->lock, &until))
			break;
	group = in->first;
	in->first = in->last = NULL;
	in->queued = 0;
	in->urgent = 0;
	*end = in->stopping && !group;
	pthread_mutex_unlock(&in->lock);
	return group;
}

static void *writer_main(void *arg)
{
	struct sluice_ingest *in = arg;
	int end = 0;

	while (!end) {
		struct sluice_item *group = take_group(in, &end);

		if (group)
			run_group(in, group);
		else if (in->chunks)
			publish_chunks(in);
	}
	return NULL;
}

int sluice_ingest_open(const struct sluice_ingest_config *c, struct sluice_ingest **out)
{
	struct sluice_ingest *in = calloc(1, sizeof(*in));
	pthread_condattr_t attr;
	int err;

	*out = NULL;
	if (!in)
		return -ENOMEM;
	in->c = *c;
	err = sluice_store_open(c->data, &in->store);
	if (err)
		goto err_free;
	pthread_mutex_init(&in->lock, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&in->ready, &attr);
	pthread_condattr_destroy(&attr);
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
