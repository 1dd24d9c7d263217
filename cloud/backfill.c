// SPDX-License-Identifier: MIT
/*
 * backfill.c - the analysis of what came late, in a thread and a chain of its own: a live event
 * neither waits for it nor sees a picture of the past.
 *
 * The bus brings marks: this run is stored up to here. The frames are read from their segments, in
 * order, as after a crash. So back-fill is stored as fast as it comes, and analysed as fast as it
 * can be. A run is told when it is closed; until then the index says from where on it is to be
 * analysed again. A run whose link broke goes on when the device opens it again.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>
#include <sluice/ring.h>

#include "cloud/worker_state.h"

#define NICE 5 /* live lanes first, where there is one processor for both */

static void mark_told(struct subject *s, int done)
{
	const struct sluice_fence *f = &s->worker->fence;
	struct sluice_index *ix = s->worker->index;
	int err;

	if (!done && s->told >= s->last)
		return;
	err = sluice_fence_begin(f, ix);
	if (!err) {
		err = ix->ops->run_told(ix, s->camera->id, s->epoch, s->first, s->last, done);
		err = sluice_fence_end(f, ix, err ? err : worker_toll_store(s));
	}
	worker_noted(s, err);
}

/* A run that was not closed is left: what is open in it is not told, it will be analysed again. */
static int leave_run(struct subject *s)
{
	int err = s->has_epoch ? sluice_analyst_reset(s->analyst) : 0;

	if (!err)
		s->has_epoch = 0;
	return err;
}

/* The run is the present one from now on. An event does not go on from one run to the next. */
static int enter_run(struct subject *s, uint64_t epoch, uint64_t first)
{
	struct sluice_index_run r;
	int err;

	if (s->has_epoch && s->epoch == epoch && s->first == first)
		return 0;
	err = s->worker->index->ops->run_find(s->worker->index, s->camera->id, epoch, first, &r);
	if (!err)
		err = leave_run(s);
	if (err)
		return err;
	s->event_open = 0;
	s->has_epoch = 1;
	s->ended = 0;
	s->epoch = epoch;
	s->first = first;
	s->last = s->told = r.told;
	s->suspect = -1;
	s->first_ns = r.first_ns;
	s->first_utc_ns = r.first_utc_ns;
	return worker_revive(s,
			     sluice_analyst_epoch(s->analyst, epoch, r.first_ns, r.first_utc_ns));
}

/* Nothing before that frame is needed to understand what comes behind it. */
static int at_rest(const struct subject *s)
{
	return !s->event_open &&
	       (s->reason == SLUICE_REASON_POSTROLL || s->reason == SLUICE_REASON_KEEPALIVE ||
		s->reason == SLUICE_REASON_AUDIT);
}

static int go_on(struct subject *s, uint64_t upto)
{
	uint64_t frames = 0;
	int err = worker_catch_up(s, upto, &frames);

	if (!err && frames && at_rest(s))
		mark_told(s, 0);
	return err;
}

static int end_run(struct subject *s, const struct sluice_item *item)
{
	const struct sluice_done done = { .epoch = s->epoch,
					  .lane = s->worker->lane,
					  .range_first = s->first,
					  .range_last = item->range_last };

	int err = worker_flush(s);

	if (err || atomic_load(&s->worker->stopping))
		return err; /* a summary may have been given up: not done, analysed again */
	s->event_open = 0;
	mark_told(s, 1);
	if (atomic_load(&s->worker->stopping))
		return -ECANCELED;
	s->has_epoch = 0; /* opened once more it is read from the index */
	sluice_analyst_leave(s->analyst);
	s->worker->c.ops->done(s->worker->c.ctx, s->camera, &done);
	return 0;
}

static int run_item(struct subject *s, const struct sluice_item *item)
{
	int err = enter_run(s, item->epoch, item->range_first);

	if (!err && item->kind == SLUICE_ITEM_FRAME)
		err = go_on(s, item->sequence);
	if (!err && item->kind == SLUICE_ITEM_CLOSE)
		err = go_on(s, item->range_last);
	if (!err && item->kind == SLUICE_ITEM_CLOSE)
		err = end_run(s, item);
	return err;
}

int worker_backfill_item(struct sluice_worker *w, const struct sluice_item *item)
{
	struct subject *s = worker_subject(w, item->camera);
	int err;

	if (!s)
		return -ENOMEM;
	worker_heard(s);
	do
		err = run_item(s, item);
	while (err == -ENOBUFS && worker_no_room(s));
	return err;
}

/* ---- after a crash ---- */

struct todo {
	const struct sluice_camera *camera;
	uint64_t epoch, first, last;
};

struct again {
	struct sluice_worker *worker;
	struct todo *todo;
	size_t count, room;
};

static int collect_run(void *ctx, const struct sluice_camera *c, const struct sluice_index_run *r)
{
	struct again *a = ctx;
	const struct sluice_camera *camera;
	int err = sluice_cameras_get(a->worker->c.cameras, c->tenant, c->device, c->name, &camera);

	if (err)
		return err;
	if (sluice_bus_partition(a->worker->c.bus, camera, 1) != a->worker->c.partition)
		return 0;
	if (a->count == a->room) {
		size_t room = a->room ? 2 * a->room : 16;
		void *more = realloc(a->todo, room * sizeof(*a->todo));

		if (!more)
			return -ENOMEM;
		a->todo = more;
		a->room = room;
	}
	a->todo[a->count++] = (struct todo){ camera, r->epoch, r->first, r->last };
	return 0;
}

static int replay_run(struct sluice_worker *w, const struct todo *t)
{
	struct subject *s = worker_subject(w, t->camera);
	int err;

	do {
		err = s ? enter_run(s, t->epoch, t->first) : -ENOMEM;
		if (!err)
			err = go_on(s, t->last);
	} while (err == -ENOBUFS && worker_no_room(s));
	return err;
}

void worker_backfill_start(struct sluice_worker *w)
{
	static const char what[] = "cannot read stored back-fill again";
	struct again a = { .worker = w };
	int err, tries = 0;

	setpriority(PRIO_PROCESS, (id_t)gettid(), NICE);
	do {
		a.count = 0;
		err = w->index->ops->runs_open(w->index, collect_run, &a);
	} while (worker_try_again(w, err, what, &tries));
	for (size_t i = 0; i < a.count && err != -ECANCELED; i++) {
		tries = 0;
		do
			err = replay_run(w, &a.todo[i]);
		while (worker_try_again(w, err, what, &tries));
	}
	free(a.todo);
}
