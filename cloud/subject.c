// SPDX-License-Identifier: MIT
/*
 * subject.c - a camera at a worker: its analysis, with the zones of now, the epoch that it is at,
 * and how far everything of it is told.
 *
 * An epoch is entered where the index says that it is told up to, and left when what is open is
 * told. One that cannot be ended is not done: it is analysed again in the worker's next life. In
 * the worker's thread.
 */
#include <endian.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sluice/ring.h>
#include <sluice/wire.h>

#include "cloud/digester.h"
#include "cloud/fleet.h"
#include "cloud/quarantine.h"
#include "cloud/worker_state.h"
#include "cloud/zones.h"
#include "lib/log.h"

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

int worker_give_clock(struct subject *s, const struct sluice_item *item)
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

void worker_subjects_free(struct sluice_worker *w)
{
	for (int i = 0; i < BUCKETS; i++) {
		while (w->bucket[i]) {
			struct subject *s = w->bucket[i];

			w->bucket[i] = s->next;
			worker_unpark(s);
			sluice_analyst_close(s->analyst);
			free(s);
		}
	}
}
