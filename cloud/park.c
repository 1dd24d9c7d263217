// SPDX-License-Identifier: MIT
/*
 * park.c - cameras for whose analysis there is no room in their worker's child.
 *
 * A camera that does not fit is parked: its frames go on being stored and acknowledged, and nothing
 * else is done for it; the index goes on to say that its epochs are not told. When another camera's
 * epoch ends, or is silent for minutes, there is room: the epochs that wait are read from their
 * segments in order, some frames at a time, between what comes for the others. So nothing of it is
 * lost, it is late; a restart finds the same epochs open and begins the same way.
 *
 * Back-fill is read from segments anyhow and is patient: there the run that was longest without
 * anything makes room, and is read again from where it is told when more of it comes.
 */
#include <errno.h>
#include <string.h>
#include <time.h>

#include "cloud/parked.h"
#include "cloud/worker_state.h"

#define SLICE	  256	 /* frames read at a time */
#define PAUSE_MS  200	 /* between two looks for room */
#define SILENT_MS 180000 /* a keep-alive comes every 60 s */

static uint64_t now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000u + (uint64_t)ts.tv_nsec / 1000000u;
}

void worker_heard(struct subject *s)
{
	s->heard_ms = now_ms();
	s->idle = 0;
}

/* ---- room for one more ---- */

/* The one of those that hold room and are no use at present that was heard of longest ago; NULL. */
static struct subject *find_idle(struct sluice_worker *w, const struct subject *but)
{
	struct subject *found = NULL;
	uint64_t now = now_ms();

	for (int i = 0; i < BUCKETS; i++)
		for (struct subject *s = w->bucket[i]; s; s = s->next) {
			if (s == but || s->parked || !sluice_analyst_held(s->analyst))
				continue;
			if (!w->lane && !s->ended && now - s->heard_ms < SILENT_MS)
				continue;
			if (!found || s->heard_ms < found->heard_ms)
				found = s;
		}
	return found;
}

/* -ENOBUFS: nobody can be asked to leave. */
static int make_room(struct subject *s)
{
	while (!sluice_analyst_fits(s->analyst)) {
		struct subject *idle = find_idle(s->worker, s);

		if (!idle)
			return -ENOBUFS;
		sluice_analyst_leave(idle->analyst);
		sluice_analyst_lose(idle->analyst); /* what comes next of it begins it anew */
		idle->idle = 1;
	}
	return 0;
}

int worker_no_room(struct subject *s)
{
	int err = make_room(s);

	if (!err)
		return 1; /* the same once more */
	if (!s->parked) {
		s->parked = 1;
		s->away.known = 0;
		s->closed = 0;
		s->unended = 0;
		s->event_open = 0;
		sluice_parked_add(&s->in_list, s->camera);
		sluice_log_limited(
			&s->worker->limit, SLUICE_LOG_WARNING,
			"camera %s/%s is not analysed: no room in its child ([sandbox] memory, "
			"children); its frames are stored, and analysed when there is room",
			s->camera->device, s->camera->name);
	}
	sluice_analyst_leave(s->analyst);
	sluice_analyst_lose(s->analyst);
	return 0;
}

void worker_unpark(struct subject *s)
{
	if (!s->parked)
		return;
	s->parked = 0;
	sluice_parked_remove(&s->in_list);
}

void worker_leave_out(struct subject *s, const struct sluice_item *item)
{
	if (item->kind == SLUICE_ITEM_FRAME)
		atomic_fetch_add(&sluice_parked_frames, 1);
	if (item->kind == SLUICE_ITEM_STATS ||
	    (item->kind == SLUICE_ITEM_CLOSE && item->ledger_size)) {
		worker_read_clock(&s->away, item);
		s->away_epoch = item->epoch;
	}
	if (item->kind == SLUICE_ITEM_CLOSE) {
		s->closed = 1;
		s->closed_epoch = item->epoch;
	} else if (s->closed && s->closed_epoch == item->epoch && item->kind == SLUICE_ITEM_FRAME) {
		s->closed = 0;
	}
}

/* ---- what waits is taken up ---- */

struct waiting {
	const struct subject *s;
	uint64_t epoch;
	int count;
};

/* In the order of their epochs. */
static int find_epoch(void *ctx, const struct sluice_camera *c, const struct sluice_index_epoch *e)
{
	struct waiting *w = ctx;

	if (memcmp(c->id, w->s->camera->id, sizeof(c->id)) != 0)
		return 0;
	if (!w->count)
		w->epoch = e->epoch;
	return ++w->count > 1;
}

/* All its frames are read. */
static int finish_epoch(struct subject *s, int is_last)
{
	int closed = s->closed && s->closed_epoch == s->epoch, err = 0;

	if (s->away.known && s->away_epoch == s->epoch) {
		s->clock = s->away;
		s->clock.at = s->last;
		s->away.known = 0;
		err = worker_revive(s,
				    sluice_analyst_clock(s->analyst, s->clock.now_ns, s->clock.open,
							 s->clock.delivered, s->clock.counts));
	}
	if (!err && (closed || !is_last))
		err = worker_close_epoch(s, closed);
	return err;
}

/* Some frames of the oldest epoch that waits. */
static int take_slice(struct subject *s)
{
	struct sluice_index *ix = s->worker->index;
	struct waiting w = { .s = s };
	uint64_t frames = 0;
	int err = ix->ops->epochs_open(ix, find_epoch, &w);

	if (err < 0)
		return err;
	if (!w.count) {
		worker_unpark(s);
		return 0;
	}
	err = worker_enter_epoch(s, w.epoch);
	if (!err && sluice_analyst_lost(s->analyst))
		err = worker_revive(s, -EPIPE);
	if (!err)
		err = worker_catch_some(s, INT64_MAX, SLICE, &frames);
	if (err || frames >= SLICE)
		return err;
	err = finish_epoch(s, w.count == 1);
	if (err || w.count > 1)
		return err;
	worker_unpark(s);
	sluice_info("camera %s/%s is analysed again", s->camera->device, s->camera->name);
	return 0;
}

void worker_take_up(struct sluice_worker *w)
{
	uint64_t now = now_ms();
	int err;

	if (w->lane || now - w->looked_ms < PAUSE_MS)
		return;
	for (int i = 0; i < BUCKETS; i++)
		for (struct subject *s = w->bucket[i]; s; s = s->next) {
			if (!s->parked || atomic_load(&w->stopping) || make_room(s))
				continue;
			err = take_slice(s);
			if (err == -ENOBUFS)
				worker_no_room(s);
			else if (err && err != -ECANCELED)
				sluice_log_limited(&w->limit, SLUICE_LOG_WARNING,
						   "camera %s/%s cannot be analysed: %s; trying "
						   "again",
						   s->camera->device, s->camera->name,
						   strerror(-err));
		}
	w->looked_ms = now_ms();
}
