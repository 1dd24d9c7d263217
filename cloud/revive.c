// SPDX-License-Identifier: MIT
/*
 * revive.c - after the death of a child: who is to blame, and all that is not told once more.
 *
 * Nothing that is STORED is lost with a child: the analysis of a camera is made again from its
 * segments, from the point up to which everything is told, and the ledger as it was at that point.
 * What was told already comes out under the same ids and is stored once.
 *
 * The frame that was at work is a suspect. If the next child dies at the same one it is put aside
 * (quarantine.h) and passed over from then on; if it lives, it was somebody else's fault (a kill,
 * no memory). A child that dies at no frame, again and again without getting on, dies of what it
 * has gathered: that is given up, loudly, and the camera goes on from here.
 */
#include <errno.h>
#include <string.h>
#include <time.h>

#include "cloud/quarantine.h"
#include "cloud/worker_state.h"

#define STUCK_MAX  5
#define KILLED_MAX 20

static void put_aside(struct subject *s, const struct sluice_stored_frame *f)
{
	struct sluice_worker *w = s->worker;
	const char *death = sluice_sandbox_death(w->sandbox);
	int err = w->c.quarantine ? sluice_quarantine_add(w->c.quarantine, s->camera, f, death)
				  : -ENOTDIR;

	sluice_error("frame %llu of epoch %llu of camera %s/%s has ended two children (%s) and is "
		     "put aside; see: sluice-cloud quarantine list --data %s",
		     (unsigned long long)f->sequence, (unsigned long long)f->epoch,
		     s->camera->device, s->camera->name, death, w->c.data);
	if (err)
		sluice_error("it cannot be kept in quarantine: %s", strerror(-err));
}

/* There is no frame to blame. In the end it goes on without what was open. */
static void give_up(struct subject *s)
{
	/* other cameras of this thread go on meanwhile only if this one does not spin */
	if (s->stuck > 1)
		nanosleep(&(struct timespec){ .tv_nsec = 200000000 }, NULL);
	sluice_log_limited(&s->worker->limit, SLUICE_LOG_WARNING,
			   "a child died at no frame of camera %s/%s: %s; starting again",
			   s->camera->device, s->camera->name,
			   sluice_sandbox_death(s->worker->sandbox));
	if (++s->stuck < STUCK_MAX)
		return;
	sluice_error(
		"camera %s/%s, epoch %llu: %u children have died while they told what they had "
		"seen (%s); what is open up to frame %lld is given up untold",
		s->camera->device, s->camera->name, (unsigned long long)s->epoch, s->stuck,
		sluice_sandbox_death(s->worker->sandbox), (long long)s->last);
	worker_told(s);
}

/* A child that was at no batch: the log tells of its death nevertheless. */
static void mourn(struct sluice_worker *w)
{
	if (!w->sandbox || sluice_sandbox_lives(w->sandbox) ||
	    w->mourned == sluice_sandbox_number(w->sandbox))
		return;
	w->mourned = sluice_sandbox_number(w->sandbox);
	sluice_log_limited(&w->limit, SLUICE_LOG_WARNING,
			   "a child died between two batches: %s; starting again",
			   sluice_sandbox_death(w->sandbox));
}

static void blame(struct subject *s)
{
	const struct sluice_stored_frame *f = sluice_analyst_suspect(s->analyst);

	if (!sluice_analyst_died(s->analyst)) {
		mourn(s->worker); /* or it died of another camera's, and that is told */
		return;
	}
	s->worker->mourned = sluice_sandbox_number(s->worker->sandbox);
	if (!f) {
		give_up(s);
		return;
	}
	sluice_log_limited(&s->worker->limit, SLUICE_LOG_WARNING,
			   "a child died at frame %llu of camera %s/%s: %s; starting again",
			   (unsigned long long)f->sequence, s->camera->device, s->camera->name,
			   sluice_sandbox_death(s->worker->sandbox));
	if (sluice_sandbox_killed(s->worker->sandbox)) {
		/* at least the system gets some air */
		nanosleep(&(struct timespec){ .tv_nsec = 10000000 * (1 + (long)s->killed) }, NULL);
		if (++s->killed < KILLED_MAX)
			return;
	} else if (s->suspect != (int64_t)f->sequence) {
		s->suspect = (int64_t)f->sequence;
		return;
	}
	put_aside(s, f);
	s->suspect = -1;
	s->killed = 0;
}

static int give(struct subject *s, const struct clock *c)
{
	return c->known ? sluice_analyst_clock(s->analyst, c->now_ns, c->open, c->delivered,
					       c->counts)
			: 0;
}

/* From what is told to upto. */
static int begin_anew(struct subject *s, int64_t upto)
{
	int64_t after = s->told < (int64_t)s->first ? (int64_t)s->first - 1 : s->told;
	uint64_t frames = 0;
	int err = sluice_analyst_reset(s->analyst);

	s->event_open = 0;
	worker_toll_forget(s);
	if (!err)
		err = sluice_analyst_epoch(s->analyst, s->epoch, s->first_ns, s->first_utc_ns);
	if (!err)
		err = give(s, &s->clock_told);
	s->last = s->told;
	if (!err && upto > after)
		err = worker_replay(s, after, (uint64_t)upto, &frames);
	if (!err)
		err = sluice_analyst_sync(s->analyst);
	if (!err && s->clock.at == upto) /* nothing came after it */
		err = give(s, &s->clock);
	if (s->last < upto)
		s->last = upto; /* what is missing of it is missing in the store, or comes again */
	return err;
}

int worker_revive(struct subject *s, int err)
{
	if (err != -EPIPE && err != -ECANCELED && err)
		sluice_analyst_lose(s->analyst); /* whoever tries again begins anew */
	if (err != -EPIPE)
		return err;
	do {
		if (atomic_load(&s->worker->stopping))
			return -ECANCELED;
		blame(s);
		err = begin_anew(s, s->last);
	} while (err == -EPIPE);
	if (!err) {
		s->suspect = -1;
		s->killed = 0;
	} else {
		sluice_analyst_lose(s->analyst);
	}
	return err;
}

int worker_flush(struct subject *s)
{
	int err;

	do {
		err = sluice_analyst_flush(s->analyst);
		if (!err)
			return 0;
		err = worker_revive(s, err);
	} while (!err);
	return err;
}

int worker_catch_up(struct subject *s, uint64_t upto, uint64_t *frames)
{
	return worker_catch_some(s, upto, UINT64_MAX, frames);
}

int worker_catch_some(struct subject *s, uint64_t upto, uint64_t most, uint64_t *frames)
{
	int err;

	do {
		int64_t after = s->last < (int64_t)s->first ? (int64_t)s->first - 1 : s->last;

		err = worker_replay_some(s, after, upto, most, frames);
		if (!err)
			err = sluice_analyst_sync(s->analyst);
		if (!err)
			return 0;
		err = worker_revive(s, err);
	} while (!err);
	return err;
}
