// SPDX-License-Identifier: MIT
/*
 * worker.c - from stored frames to stored summaries.
 *
 * One struct sluice_analysis per camera, fed from the bus in order. A summary is written to media,
 * then to the index, and only then told; the index says how far events are told (a sequence, taken
 * when the gate is closed and no event is open). After a crash every epoch that has not ended is
 * read again from its segments behind that point, before anything new (replay.c): an event that was
 * open is found again, and one told twice has the same id, so it is stored once.
 *
 * Where digests are wanted, a thread of lowest priority makes them after the summaries
 * (digester.h): an event counts as told, and its epoch as done, only when its digest is stored
 * too, so a crash in between makes it again, under the same id. Events of back-fill get none.
 *
 * With a sandbox the analysis runs in a child of this thread's (sandbox.h). A child that dies takes
 * with it what it knew of all cameras of this thread; each is begun anew and read again from its
 * segments behind the point up to which it is told (revive.c).
 *
 * What fails for want of memory, or of the index, is done again, item by item, a few times within
 * seconds. What must be given up then is not lost either: the next item of the camera begins its
 * analysis anew, from the segments.
 *
 * Where other processes have workers too, everything is written under the token of the lease
 * (fence.h). A worker whose lease is lost, which it is told by a write that is refused or by the
 * bus, stops: what it has of its cameras goes, nothing of it is told, and its chunk is given to the
 * next holder, who begins as after a crash, for the cameras of that partition alone.
 *
 * The disk is full when a summary is to be stored: the worker waits and tries again; the bus fills
 * behind it and the devices are given no more credit.
 */
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "cloud/digester.h"
#include "cloud/worker_state.h"
#include "lib/log.h"

atomic_uint sluice_workers_behind;

/*
 * The epoch is the item's, and the analysis knows all that came before it. An epoch is entered by
 * its OPEN; where it is not, and after a loss, items before this one may have been given up: their
 * frames are in the store. So may those be of a node that died, or was cut off, between its store
 * and the bus: the device comes to another one and opens the epoch there.
 */
static int be_up_to_date(struct subject *s, const struct sluice_item *item)
{
	int behind = item->kind != SLUICE_ITEM_OPEN && !(s->has_epoch && s->epoch == item->epoch);
	uint64_t upto = item->kind == SLUICE_ITEM_CLOSE ? INT64_MAX : item->sequence - 1;
	uint64_t frames = 0;
	int err = worker_enter_epoch(s, item->epoch);

	if (!err && sluice_analyst_lost(s->analyst)) {
		behind = 1;
		err = worker_revive(s, -EPIPE);
	}
	if (!err && s->worker->c.bus->shared && !s->ended &&
	    (item->kind == SLUICE_ITEM_OPEN || item->kind == SLUICE_ITEM_CLOSE ||
	     (behind && item->kind == SLUICE_ITEM_STATS)))
		return worker_catch_up(s, INT64_MAX, &frames);
	if (err || !behind ||
	    (item->kind != SLUICE_ITEM_CLOSE && item->kind != SLUICE_ITEM_FRAME) ||
	    upto == UINT64_MAX)
		return err;
	return worker_catch_up(s, upto, &frames);
}

/* Frames were read from the store that the device saw after it said so: the gate may have opened
 * with them. */
static bool is_stale(const struct subject *s, const struct sluice_item *item)
{
	return s->last > s->come && item->time_ns < s->last_ns;
}

static int run_item(struct subject *s, const struct sluice_item *item)
{
	struct sluice_stored_frame f;
	int err = be_up_to_date(s, item);

	switch (err ? SLUICE_ITEM_ACK : item->kind) {
	case SLUICE_ITEM_FRAME:
		f = (struct sluice_stored_frame){
			.epoch = item->epoch,
			.sequence = item->sequence,
			.time_ns = item->time_ns,
			.utc_ns = item->utc_ns,
			.reason = item->reason,
			.flags = item->flags,
			.score = item->score,
			.settings = item->settings,
			.width = item->width,
			.height = item->height,
			.grid_w = item->grid_w,
			.grid_h = item->grid_h,
			.cells = item->cells_size ? item->data : NULL,
			.jpeg = item->data + item->cells_size,
			.jpeg_size = item->jpeg_size,
		};
		if ((int64_t)item->sequence > s->come)
			s->come = (int64_t)item->sequence;
		err = worker_revive(s, worker_give_frame(s, &f));
		break;
	case SLUICE_ITEM_STATS:
		if (!is_stale(s, item))
			err = worker_give_clock(s, item);
		break;
	case SLUICE_ITEM_CLOSE:
		if (!s->ended)
			err = worker_give_clock(s, item);
		if (!err)
			err = worker_close_epoch(s, 1);
		break;
	case SLUICE_ITEM_OPEN:
	case SLUICE_ITEM_ACK:
		break;
	}
	return err;
}

/* 0 too for one that there is no room for. */
static int run_live_item(struct sluice_worker *w, const struct sluice_item *item)
{
	struct subject *s = worker_subject(w, item->camera);
	int err;

	if (!s)
		return -ENOMEM;
	worker_heard(s);
	err = s->parked ? -ENOBUFS : run_item(s, item);
	while (err == -ENOBUFS && !s->parked && worker_no_room(s))
		err = run_item(s, item);
	if (err != -ENOBUFS)
		return err;
	worker_leave_out(s, item);
	return 0;
}

/* What fails may succeed in a moment; a camera that never does must not hold up the others. */
static void do_item(struct sluice_worker *w, const struct sluice_item *item)
{
	int err, tries = 0;

	for (;;) {
		err = (w->lane ? worker_backfill_item : run_live_item)(w, item);
		if (!err || err == -ECANCELED || atomic_load(&w->stopping))
			return;
		if (++tries == WORKER_TRIES)
			break;
		sluice_log_limited(&w->limit, SLUICE_LOG_WARNING,
				   "cannot analyse camera %s/%s: %s; trying again",
				   item->camera->device, item->camera->name, strerror(-err));
		nanosleep(&(struct timespec){ .tv_nsec = 100000000L * tries }, NULL);
	}
	sluice_log_limited(
		&w->limit, SLUICE_LOG_ERROR,
		"cannot analyse camera %s/%s: %s; its frames are stored and will be read "
		"again with what comes next of it",
		item->camera->device, item->camera->name, strerror(-err));
}

/* ---- the thread ---- */

/* What was batched is done before the chunk is. */
static void finish_chunk(struct sluice_worker *w, const struct sluice_chunk *c)
{
	struct subject *s = worker_subject(w, c->camera);

	if (s && s->has_epoch && !s->parked)
		worker_revive(s, sluice_analyst_sync(s->analyst));
}

/* Done, unless it was broken off: then whoever has the partition next does it. */
static int end_chunk(struct sluice_worker *w, struct sluice_chunk *c)
{
	struct sluice_bus *bus = w->c.bus;

	finish_chunk(w, c);
	if (!atomic_load(&w->stopping))
		return bus->ops->ack(bus, &w->lease, c);
	bus->ops->back(bus, &w->lease, c);
	return 0;
}

/* Those whose child died while it was at another one, or that failed; there need not come anything
 * more of them. */
static void revive_all(struct sluice_worker *w)
{
	for (int i = 0; i < BUCKETS; i++)
		for (struct subject *s = w->bucket[i]; s; s = s->next)
			if (s->has_epoch && !s->ended && !s->parked && !s->idle &&
			    sluice_analyst_lost(s->analyst) && worker_revive(s, -EPIPE) == -ENOBUFS)
				worker_no_room(s);
}

/* What needs the lease, and may take a while where the index is away. */
static int begin(struct sluice_worker *w)
{
	const struct sluice_worker_config *c = &w->c;
	int err = sluice_index_open(c->data, &w->index);

	w->shelf.index = w->index;
	if (!err) /* before anything is read: nobody else adds to it any more */
		err = sluice_fence_raise(&w->fence, w->index);
	if (!err && c->sandbox) {
		w->sandbox = sluice_sandbox_open(c->sandbox, w->lane ? "back-fill" : "live frames",
						 w->lane ? 5 : 0, &w->stopping);
		err = w->sandbox ? 0 : -ENOMEM;
	}
	if (!err && c->digests && !w->lane)
		err = sluice_digester_open(c, &w->fence, &w->digester);
	worker_set_ops(w);
	return err;
}

static void *worker_main(void *arg)
{
	struct sluice_worker *w = arg;
	struct sluice_bus *bus = w->c.bus;
	int err = bus->shared ? begin(w) : 0;

	if (err) {
		atomic_fetch_sub(&sluice_workers_behind, 1);
		atomic_store(&w->ended, err == -ESTALE ? 1 : err);
		return NULL;
	}
	w->beginning = 1;
	if (w->lane)
		worker_backfill_start(w);
	else
		worker_replay_epochs(w);
	w->beginning = 0;
	atomic_fetch_sub(&sluice_workers_behind, 1);
	while (!atomic_load(&w->stopping) && (!atomic_load(&w->leaving) || w->doubt_until_ms)) {
		struct sluice_chunk *c = bus->ops->next(bus, &w->lease, 500);
		const struct sluice_item *item;

		if (!c && bus->ops->held(bus, &w->lease))
			break;
		worker_doubt_over(w);
		for (item = c ? c->items : NULL; item && !atomic_load(&w->stopping);
		     item = item->next)
			do_item(w, item);
		if (c && end_chunk(w, c) == -ESTALE)
			break;
		revive_all(w);
		worker_take_up(w);
	}
	atomic_store(&w->ended, 1);
	return NULL;
}

int sluice_worker_open(const struct sluice_worker_config *c, struct sluice_worker **out)
{
	struct sluice_worker *w = calloc(1, sizeof(*w));
	int err;

	*out = NULL;
	if (!w)
		return -ENOMEM;
	w->c = *c;
	w->lane = c->partition >= c->bus->partitions;
	w->limit = (struct sluice_log_limit){ .burst = 5, .interval_ms = 10000 };
	w->rebuild = sluice_rebuild_open();
	err = w->rebuild ? c->bus->ops->claim(c->bus, c->partition, &w->lease) : -ENOMEM;
	worker_doubt(w);
	w->fence = (struct sluice_fence){ c->bus, &w->lease, &w->stopping };
	w->shelf = (struct sluice_shelf){ c->data, NULL, c->media, w->rebuild, &w->fence, 0 };
	if (!err && !c->bus->shared)
		err = begin(w);
	atomic_fetch_add(&sluice_workers_behind, 1);
	if (!err)
		err = -pthread_create(&w->thread, NULL, worker_main, w);
	if (err) {
		atomic_fetch_sub(&sluice_workers_behind, 1);
		sluice_digester_close(w->digester);
		sluice_sandbox_close(w->sandbox);
		sluice_index_close(w->index);
		sluice_rebuild_close(w->rebuild);
		if (w->lease.token)
			c->bus->ops->release(c->bus, &w->lease);
		free(w);
		return err;
	}
	*out = w;
	return 0;
}

void sluice_worker_leave(struct sluice_worker *w)
{
	atomic_store(&w->leaving, 1);
}

uint64_t sluice_worker_token(const struct sluice_worker *w)
{
	return w->lease.token;
}

int sluice_worker_ended(const struct sluice_worker *w)
{
	return atomic_load(&w->ended);
}

void sluice_worker_close(struct sluice_worker *w)
{
	if (!w)
		return;
	atomic_store(&w->stopping, 1);
	pthread_join(w->thread, NULL);
	sluice_digester_close(w->digester);
	worker_subjects_free(w);
	sluice_sandbox_close(w->sandbox);
	sluice_index_close(w->index);
	sluice_rebuild_close(w->rebuild);
	w->c.bus->ops->release(w->c.bus, &w->lease);
	free(w);
}
