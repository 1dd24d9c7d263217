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
#include <endian.h>
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <jansson.h>
#include <sluice/ring.h>
#include <sluice/wire.h>

#include "cloud/detector.h"
#include "cloud/digester.h"
#include "cloud/fleet.h"
#include "cloud/quarantine.h"
#include "cloud/worker_state.h"
#include "cloud/zones.h"
#include "lib/log.h"

atomic_uint sluice_workers_behind;

/* ---- what the analysis asks and tells ---- */

/* For people who ask what goes on; it is over with its summary. A convenience: the log says if not.
 */
static void open_event(struct subject *s, const char *id, const char *json)
{
	struct sluice_worker *w = s->worker;
	struct sluice_index_summary row = { .epoch = s->epoch, .json = json };
	json_t *o = json_loads(json, 0, NULL);
	const char *start = json_string_value(json_object_get(o, "start_ns"));
	int err;

	snprintf(row.id, sizeof(row.id), "%s", id);
	memcpy(row.camera, s->camera->id, sizeof(row.camera));
	row.start_utc_ns = start ? strtoull(start, NULL, 10) : 0;
	err = sluice_fence_begin(&w->fence, w->index);
	if (!err)
		err = sluice_fence_end(&w->fence, w->index,
				       w->index->ops->event_open(w->index, &row));
	if (err && err != -ESTALE)
		sluice_log_limited(&w->limit, SLUICE_LOG_ERROR,
				   "an event of camera %s is not in the list of those open: %s",
				   s->camera->name, strerror(-err));
	json_decref(o);
}

static void on_event(void *ctx, const char *id, const char *json)
{
	struct subject *s = ctx;

	s->event_open = 1;
	if (s->worker->lane)
		return; /* long ago: not news */
	open_event(s, id, json);
	if (atomic_load(&s->worker->stopping))
		return;
	s->worker->c.ops->event(s->worker->c.ctx, s->camera, json);
}

static void on_summary(void *ctx, const struct sluice_summary *sum)
{
	struct subject *s = ctx;
	struct sluice_worker *w = s->worker;

	s->event_open = 0;
	/* one that was there already is perhaps not delivered yet: the session sorts that out */
	if (!sluice_shelf_insist(&w->shelf, s->camera, sum, "summary", &w->stopping, &w->limit))
		w->c.ops->summary(w->c.ctx, s->camera, sum->id);
}

static void on_digest(void *ctx, struct sluice_digest_plan *plan)
{
	struct subject *s = ctx;

	sluice_digester_add(s->worker->digester, s->camera, plan);
}

static void on_tally(void *ctx, const struct sluice_tally *t)
{
	worker_toll(ctx, t);
}

static uint8_t *on_fetch(void *ctx, uint64_t epoch, uint64_t sequence, size_t *size)
{
	struct subject *s = ctx;

	return sluice_shelf_jpeg_insist(&s->worker->shelf, s->camera, epoch, sequence, size);
}

static uint32_t on_look_side(void *ctx)
{
	struct subject *s = ctx;

	return sluice_detector_side(s->worker->c.detector);
}

static int on_look(void *ctx, const struct sluice_detector_image *image, uint32_t count,
		   struct sluice_detector_answer *a)
{
	struct subject *s = ctx;

	return sluice_detector_ask(s->worker->c.detector, image, count, !s->worker->lane, a);
}

/* digester and detector must be there already, if there are any. */
static void set_ops(struct sluice_worker *w)
{
	w->ops = (struct sluice_analysis_ops){ .event = on_event,
					       .summary = on_summary,
					       .digest = w->digester ? on_digest : NULL,
					       .tally = w->c.retune ? on_tally : NULL,
					       .fetch = on_fetch,
					       .look_side = w->c.detector ? on_look_side : NULL,
					       .look = w->c.detector ? on_look : NULL };
}

/* ---- one camera ---- */

/* Those of now into *conf. -ENOMEM: they are not known, and *conf is as it was. */
static int read_zones(struct subject *s, struct sluice_analysis_config *conf)
{
	const struct sluice_camera *c = s->camera;
	uint64_t turn;
	int err;

	if (!s->worker->c.fleet)
		return 0;
	turn = sluice_fleet_zones_turn(s->worker->c.fleet); /* before: at worst once more */
	err = sluice_fleet_zones(s->worker->c.fleet, c->tenant, c->hex, conf);
	if (!err)
		s->zones_turn = turn;
	return err;
}

/* Somebody may have drawn others. An analyst that is lost by it is found lost by the next call.
 * Where they cannot be read those that it has go on until the next item. */
static void renew_zones(struct subject *s)
{
	struct sluice_analysis_config conf = { 0 };
	int err;

	if (!s->worker->c.fleet || s->zones_turn == sluice_fleet_zones_turn(s->worker->c.fleet))
		return;
	err = read_zones(s, &conf);
	if (!err)
		sluice_analyst_zones(s->analyst, &conf);
	else
		sluice_log_limited(&s->worker->limit, SLUICE_LOG_WARNING,
				   "the zones of camera %s cannot be read: %s; trying again",
				   s->camera->name, strerror(-err));
}

static struct sluice_analyst *open_analyst(struct subject *s)
{
	struct sluice_analysis_config conf = {
		.join_ms = SLUICE_WIRE_JOIN_MS,
		.event_max_ms = 300000,
		.keyframes_max = 12,
		.language = "en",
	};

	memcpy(conf.camera, s->camera->name, sizeof(conf.camera));
	if (read_zones(s, &conf))
		return NULL;
	return sluice_analyst_open(s->worker->sandbox, &conf, &s->worker->ops, s);
}

struct subject *worker_subject(struct sluice_worker *w, const struct sluice_camera *c)
{
	struct subject **at = &w->bucket[c->id[2] % BUCKETS], *s;

	for (s = *at; s; s = s->next)
		if (s->camera == c) {
			renew_zones(s);
			return s;
		}
	s = calloc(1, sizeof(*s));
	if (!s)
		return NULL;
	s->worker = w;
	s->camera = c;
	s->last = s->told = s->come = s->suspect = -1;
	s->analyst = open_analyst(s);
	if (!s->analyst) {
		free(s);
		return NULL;
	}
	s->next = *at;
	*at = s;
	return s;
}

/* Everything up to here is told; not urgent: at worst more is analysed again after a crash. */
static int mark_told(struct subject *s, int done)
{
	const struct sluice_fence *f = &s->worker->fence;
	struct sluice_index *ix = s->worker->index;
	int err;

	if (!done && s->told >= s->last)
		return 0;
	if (s->worker->digester && sluice_digester_busy(s->worker->digester, s->camera))
		return 0;
	err = sluice_fence_begin(f, ix);
	if (!err) {
		err = ix->ops->epoch_told(ix, s->camera->id, s->epoch, s->last, done);
		err = sluice_fence_end(f, ix, err ? err : worker_toll_store(s));
	}
	worker_noted(s, err);
	return err;
}

void worker_noted(struct subject *s, int err)
{
	if (!err) {
		worker_told(s);
		worker_toll_stored(s);
	} else if (err != -ESTALE) {
		sluice_log_limited(&s->worker->limit, SLUICE_LOG_WARNING,
				   "cannot note the progress of camera %s: %s", s->camera->name,
				   strerror(-err));
	}
}

void worker_told(struct subject *s)
{
	s->told = s->last;
	s->clock_told = s->clock;
	s->stuck = 0;
}

/* 0, or as worker_flush(): it has not ended. */
static int end_epoch(struct subject *s)
{
	struct sluice_worker *w = s->worker;
	int err;

	if (!s->has_epoch || s->ended)
		return 0;
	err = worker_flush(s);
	if (!err && atomic_load(&w->stopping))
		err = -ECANCELED; /* a summary may have been given up: it is analysed again */
	if (!err && w->digester)
		err = sluice_digester_after(w->digester, s->camera, s->epoch, s->last, 0);
	if (!err && !w->digester)
		err = mark_told(s, 1);
	if (err)
		return err;
	s->event_open = 0;
	s->ended = 1;
	if (w->digester) {
		worker_told(s);
		worker_toll_end(s);
	}
	return 0;
}

/* The device may be told that nothing more comes of the epoch. -ENOMEM: it is not told. */
static int tell_done(struct subject *s)
{
	struct sluice_worker *w = s->worker;

	if (!s->ended)
		return 0;
	if (w->digester)
		return sluice_digester_after(w->digester, s->camera, s->epoch, s->last, 1);
	w->c.ops->done(w->c.ctx, s->camera, &(struct sluice_done){ .epoch = s->epoch });
	return 0;
}

/* Its room in the child is free until there is another one. */
int worker_close_epoch(struct subject *s, int tell)
{
	int err = end_epoch(s);

	if (!err && tell)
		err = tell_done(s);
	if (!err)
		sluice_analyst_leave(s->analyst);
	return err;
}

/* Another epoch begins: the last one ends, if it can. One that cannot is not done: it is analysed
 * again in the worker's next life. */
static int leave_epoch(struct subject *s)
{
	int err = end_epoch(s);

	if (err && err != -ECANCELED && ++s->unended < WORKER_TRIES)
		return err;
	if (err && err != -ECANCELED)
		sluice_error(
			"epoch %llu of camera %s/%s cannot be ended: %s; its last event is told "
			"after the next start",
			(unsigned long long)s->epoch, s->camera->device, s->camera->name,
			strerror(-err));
	s->unended = 0;
	return 0;
}

/* The epoch is the present one from now on; what the index knows of it decides where it begins. */
int worker_enter_epoch(struct subject *s, uint64_t epoch)
{
	struct sluice_index_epoch e;
	int err;

	if (s->has_epoch && s->epoch == epoch)
		return 0;
	err = s->worker->index->ops->epoch_find(s->worker->index, s->camera->id, epoch, &e);
	if (err)
		return err;
	err = leave_epoch(s);
	if (err)
		return err;
	s->has_epoch = 1;
	s->epoch = epoch;
	s->last = s->told = e.told;
	s->last_ns = 0;
	s->come = -1;
	s->ended = e.done;
	s->event_open = 0;
	s->suspect = -1;
	s->clock.known = s->clock_told.known = 0;
	s->first_ns = e.first_ns;
	s->first_utc_ns = e.first_utc_ns;
	return worker_revive(s,
			     sluice_analyst_epoch(s->analyst, epoch, e.first_ns, e.first_utc_ns));
}

int worker_give_frame(struct subject *s, const struct sluice_stored_frame *f)
{
	if ((int64_t)f->sequence <= s->last)
		return 0; /* analysed already, from its segment */
	s->last = (int64_t)f->sequence;
	s->last_ns = f->time_ns;
	s->ended = 0;
	s->reason = f->reason;
	if (f->flags & SLUICE_RECORD_BAD ||
	    sluice_quarantine_has(s->worker->c.quarantine, s->camera->id, f->epoch, f->sequence))
		return 0;
	return sluice_analyst_frame(s->analyst, f);
}

void worker_read_clock(struct clock *c, const struct sluice_item *item)
{
	uint64_t words[36] = { 0 };
	int i;

	if (item->ledger_size == sizeof(words))
		memcpy(words, item->data, sizeof(words));
	for (i = 0; i < 32; i++)
		c->counts[i] = le64toh(words[4 + i]);
	c->known = 1;
	c->open = !!(item->state & SLUICE_STATE_OPEN);
	c->now_ns = item->time_ns;
	c->delivered = le64toh(words[0]);
}

static int give_clock(struct subject *s, const struct sluice_item *item)
{
	struct clock *c = &s->clock;
	int err;

	worker_read_clock(c, item);
	c->at = s->last;
	err = worker_revive(s, sluice_analyst_clock(s->analyst, c->now_ns, c->open, c->delivered,
						    c->counts));
	if (!err && !c->open && !s->event_open)
		mark_told(s, 0);
	return err;
}

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
			err = give_clock(s, item);
		break;
	case SLUICE_ITEM_CLOSE:
		if (!s->ended)
			err = give_clock(s, item);
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
	set_ops(w);
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
	int i;

	if (!w)
		return;
	atomic_store(&w->stopping, 1);
	pthread_join(w->thread, NULL);
	sluice_digester_close(w->digester);
	for (i = 0; i < BUCKETS; i++) {
		while (w->bucket[i]) {
			struct subject *s = w->bucket[i];

			w->bucket[i] = s->next;
			worker_unpark(s);
			sluice_analyst_close(s->analyst);
			free(s);
		}
	}
	sluice_sandbox_close(w->sandbox);
	sluice_index_close(w->index);
	sluice_rebuild_close(w->rebuild);
	w->c.bus->ops->release(w->c.bus, &w->lease);
	free(w);
}
