// SPDX-License-Identifier: MIT
/*
 * replay.c - a worker reads stored frames again: those of one epoch, for whoever needs them; and
 * after a crash those of every epoch that has not ended. What fails for a while is tried again, and
 * then left for the next start; a frame that cannot be read is passed over, and the log says so.
 */
#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "cloud/worker_state.h"
#include "lib/log.h"

/* ---- frames of an epoch ---- */

/* Rows are taken a page at a time, with where they lie, and the walk is over before they are worked
 * on: a summary is stored in between, which the index cannot do within a walk once another thread
 * has written. */
#define REPLAY_ROWS 128

/* A bucket that does not answer loses nothing: it is waited for, as it is with summaries. 1: again.
 */
static int wait_for_store(struct sluice_worker *w, int err)
{
	if (!sluice_shelf_away(&w->shelf, err))
		return 0;
	sluice_log_limited(&w->limit, SLUICE_LOG_WARNING,
			   "stored frames cannot be read now: %s; trying again", strerror(-err));
	nanosleep(&(struct timespec){ .tv_sec = 1 }, NULL);
	return 1;
}

/* Whoever has the partition next reads again what a start has not come to. */
static int broken_off(struct sluice_worker *w)
{
	return atomic_load(&w->stopping) || (w->beginning && atomic_load(&w->leaving));
}

static int replay_frame(struct subject *s, const struct sluice_index_placed *row)
{
	struct sluice_stored_frame f;
	struct sluice_segment_frame rec;
	uint8_t *buf;
	int err;

	do {
		if (broken_off(s->worker))
			return -ECANCELED;
		err = sluice_shelf_placed_insist(&s->worker->shelf, row, &rec, &buf);
	} while (err && wait_for_store(s->worker, err));
	if (err) {
		sluice_log_limited(&s->worker->limit, SLUICE_LOG_WARNING,
				   "frame %llu of camera %s/%s cannot be read and is passed over: "
				   "%s; see sluice-cloud fsck",
				   (unsigned long long)row->frame.sequence, s->camera->device,
				   s->camera->name, strerror(-err));
		return 0;
	}
	f = sluice_shelf_stored(&rec);
	err = worker_give_frame(s, &f);
	free(buf);
	return err;
}

int worker_replay(struct subject *s, int64_t after, uint64_t last, uint64_t *frames)
{
	return worker_replay_some(s, after, last, UINT64_MAX, frames);
}

int worker_replay_some(struct subject *s, int64_t after, uint64_t last, uint64_t most,
		       uint64_t *frames)
{
	struct sluice_index_placed row[REPLAY_ROWS];
	struct sluice_index *ix = s->worker->index;
	int count;

	do {
		count = ix->ops->frames_page(ix, s->camera->id, s->epoch, after, last,
					     s->worker->lane, row, REPLAY_ROWS);
		for (int i = 0; i < count; i++, ++*frames) {
			int err = replay_frame(s, &row[i]);

			if (err)
				return err;
			after = (int64_t)row[i].frame.sequence;
		}
	} while (count == REPLAY_ROWS && *frames < most);
	return count < 0 ? count : 0;
}

/* ---- after a crash ---- */

struct again {
	struct sluice_worker *worker;
	uint64_t frames;
	/* the epochs to do; the walk over them is over before they are done */
	struct {
		const struct sluice_camera *camera;
		uint64_t epoch;
	} * todo;
	size_t count, room;
};

static int collect_epoch(void *ctx, const struct sluice_camera *c,
			 const struct sluice_index_epoch *e)
{
	struct again *r = ctx;
	const struct sluice_camera *camera;
	int err = sluice_cameras_get(r->worker->c.cameras, c->tenant, c->device, c->name, &camera);

	if (err)
		return err;
	if (sluice_bus_partition(r->worker->c.bus, camera, 0) != r->worker->c.partition)
		return 0;
	if (r->count == r->room) {
		size_t room = r->room ? 2 * r->room : 16;
		void *more = realloc(r->todo, room * sizeof(*r->todo));

		if (!more)
			return -ENOMEM;
		r->todo = more;
		r->room = room;
	}
	r->todo[r->count].camera = camera;
	r->todo[r->count++].epoch = e->epoch;
	return 0;
}

static int replay_epoch(struct again *r, size_t i)
{
	struct subject *s = worker_subject(r->worker, r->todo[i].camera);
	int err;

	if (s && s->parked)
		return 0;
	do {
		err = s ? worker_enter_epoch(s, r->todo[i].epoch) : -ENOMEM;
		if (!err)
			err = worker_catch_up(s, INT64_MAX, &r->frames);
	} while (err == -ENOBUFS && worker_no_room(s));
	return err == -ENOBUFS ? 0 : err;
}

int worker_try_again(struct sluice_worker *w, int err, const char *what, int *tries)
{
	int last = *tries == WORKER_TRIES - 1;

	if (!err || err == -ECANCELED || atomic_load(&w->stopping))
		return 0;
	sluice_log_limited(&w->limit, last ? SLUICE_LOG_ERROR : SLUICE_LOG_WARNING, "%s: %s; %s",
			   what, strerror(-err),
			   last ? "it is left for the next start" : "trying again");
	if (last)
		return 0;
	nanosleep(&(struct timespec){ .tv_nsec = 100000000L * ++*tries }, NULL);
	return 1;
}

/* Another one of the camera is at work: what comes of it leads there. */
static bool is_busy(const struct subject *s, uint64_t epoch)
{
	return s && s->has_epoch && !s->ended && s->epoch != epoch;
}

static void replay_open(struct sluice_worker *w, bool again)
{
	static const char what[] = "cannot read stored frames again";
	struct again r = { .worker = w };
	int err, tries = 0;
	size_t i;

	do {
		r.count = 0;
		err = w->index->ops->epochs_open(w->index, collect_epoch, &r);
	} while (worker_try_again(w, err, what, &tries));
	for (i = 0; i < r.count && err != -ECANCELED; i++) {
		tries = 0;
		if (again && is_busy(worker_subject(w, r.todo[i].camera), r.todo[i].epoch))
			continue;
		do
			err = replay_epoch(&r, i);
		while (worker_try_again(w, err, what, &tries));
	}
	if (r.frames)
		sluice_info("analysed %llu stored frames again", (unsigned long long)r.frames);
	free(r.todo);
}

void worker_replay_epochs(struct sluice_worker *w)
{
	replay_open(w, false);
}

/* ---- after a lease that was taken from one who counted as dead ---- */

static uint64_t now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000u + (uint64_t)ts.tv_nsec / 1000000u;
}

void worker_doubt(struct sluice_worker *w)
{
	w->doubt_until_ms = w->lease.doubt_ms ? now_ms() + w->lease.doubt_ms : 0;
}

void worker_doubt_over(struct sluice_worker *w)
{
	if (!w->doubt_until_ms || now_ms() < w->doubt_until_ms)
		return;
	w->doubt_until_ms = 0;
	if (w->lane)
		worker_backfill_start(w);
	else
		replay_open(w, true);
}
