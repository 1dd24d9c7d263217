// SPDX-License-Identifier: MIT
/*
 * crew.c - see crew.h. On a bus of several processes a thread looks several times a second: a
 * worker whose lease is lost is closed, with all that it had of its cameras; where this process has
 * less than its share it claims what is free; where it has more (another process has come) it
 * leaves one partition at a time, after the chunk at work.
 *
 * The share is that of the live lanes, and as much of back-fill. It is rounded up, so the last
 * process to come may find less than that, or nothing, until another goes.
 *
 * A worker that cannot be opened (the index is away) gives its lease back, so that a process which
 * can has it, and none is claimed here for a while.
 */
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "cloud/crew.h"
#include "lib/cond.h"
#include "lib/log.h"

#define LOOK_MS	 250
#define PAUSE_MS 2000

struct sluice_crew {
	struct sluice_worker_config c;
	unsigned int count;	       /* of partitions, both kinds */
	struct sluice_worker **worker; /* by partition; NULL: not held. The thread's own */
	int *leaving;		       /* asked to end */
	unsigned int first;	       /* where the next claims begin */
	unsigned int pause;	       /* looks without a claim */
	atomic_uint held;
	atomic_ullong *duty; /* NULL: nobody wants to know */
	pthread_t thread;
	int has_thread;
	pthread_mutex_t lock;
	pthread_cond_t changed;
	int stopping; /* under the lock */
	struct sluice_log_limit limit;
};

unsigned int sluice_crew_share(unsigned int count, unsigned int members)
{
	return members ? (count + members - 1) / members : count;
}

unsigned int sluice_crew_held(struct sluice_crew *w)
{
	return w ? atomic_load(&w->held) : 0;
}

static int open_worker(struct sluice_crew *w, unsigned int partition)
{
	int err;

	w->c.partition = partition;
	err = sluice_worker_open(&w->c, &w->worker[partition]);
	w->leaving[partition] = 0;
	if (!err)
		atomic_fetch_add(&w->held, 1);
	if (!err && !partition && w->duty)
		atomic_store(w->duty, sluice_worker_token(w->worker[0]));
	return err;
}

static void close_worker(struct sluice_crew *w, unsigned int partition)
{
	if (!w->worker[partition])
		return;
	if (!partition && w->duty)
		atomic_store(w->duty, 0);
	sluice_worker_close(w->worker[partition]);
	w->worker[partition] = NULL;
	atomic_fetch_sub(&w->held, 1);
}

static void take_pause(struct sluice_crew *w, unsigned int partition, int err)
{
	sluice_log_limited(&w->limit, SLUICE_LOG_WARNING,
			   "cannot begin with partition %u: %s; trying again", partition,
			   strerror(-err));
	w->pause = PAUSE_MS / LOOK_MS;
}

/* Those whose lease is lost, that have left, or could not begin. */
static void reap(struct sluice_crew *w)
{
	for (unsigned int i = 0; i < w->count; i++) {
		if (!w->worker[i] || !sluice_worker_ended(w->worker[i]))
			continue;
		if (sluice_worker_ended(w->worker[i]) < 0)
			take_pause(w, i, sluice_worker_ended(w->worker[i]));
		else if (!w->leaving[i])
			sluice_log_limited(&w->limit, SLUICE_LOG_WARNING,
					   "the lease of partition %u is lost: what was under way "
					   "of its cameras is dropped here",
					   i);
		close_worker(w, i);
	}
}

/* ---- one kind of lane: the partitions from first on ---- */

static unsigned int count_held(const struct sluice_crew *w, unsigned int first, int *leaving)
{
	unsigned int n = 0;

	*leaving = 0;
	for (unsigned int i = first; i < first + w->c.bus->partitions; i++) {
		n += w->worker[i] && !w->leaving[i];
		*leaving |= w->leaving[i] && w->worker[i];
	}
	return n;
}

/* The first of them that is held and stays. */
static void leave_one(struct sluice_crew *w, unsigned int first)
{
	for (unsigned int i = first; i < first + w->c.bus->partitions; i++) {
		if (!w->worker[i] || w->leaving[i])
			continue;
		w->leaving[i] = 1;
		sluice_worker_leave(w->worker[i]);
		sluice_debug("partition %u is left to another process", i);
		return;
	}
}

/* Processes that begin at once begin at different ones. */
static void claim_free(struct sluice_crew *w, unsigned int first, unsigned int wanted)
{
	unsigned int n = w->c.bus->partitions;

	for (unsigned int i = 0; i < n && wanted; i++) {
		unsigned int p = first + (w->first + i) % n;
		int err = w->worker[p] ? -EBUSY : open_worker(w, p);

		if (!err) {
			wanted--;
			sluice_debug("partition %u is held", p);
		} else if (err != -EBUSY && err != -EAGAIN && err != -ESTALE) {
			take_pause(w, p, err);
			return;
		}
	}
}

static void balance(struct sluice_crew *w, unsigned int first, int may_claim)
{
	unsigned int share =
		sluice_crew_share(w->c.bus->partitions, w->c.bus->ops->members(w->c.bus));
	int leaving;
	unsigned int held = count_held(w, first, &leaving);

	if (held > share && !leaving)
		leave_one(w, first);
	if (held < share && may_claim && !w->pause)
		claim_free(w, first, share - held);
}

static void *crew_main(void *arg)
{
	struct sluice_crew *w = arg;
	unsigned int looks = 0;

	pthread_setname_np(pthread_self(), "crew");
	pthread_mutex_lock(&w->lock);
	while (!w->stopping) {
		struct timespec until;

		pthread_mutex_unlock(&w->lock);
		reap(w);
		balance(w, 0, 1);
		balance(w, w->c.bus->partitions, looks++ % 4 == 0);
		if (w->pause)
			w->pause--;
		until = sluice_cond_until(LOOK_MS);
		pthread_mutex_lock(&w->lock);
		if (!w->stopping)
			pthread_cond_timedwait(&w->changed, &w->lock, &until);
	}
	pthread_mutex_unlock(&w->lock);
	return NULL;
}

static struct sluice_crew *make_crew(const struct sluice_worker_config *c)
{
	struct sluice_crew *w = calloc(1, sizeof(*w));

	if (!w)
		return NULL;
	w->c = *c;
	w->count = 2 * c->bus->partitions;
	w->worker = calloc(w->count, sizeof(w->worker[0]));
	w->leaving = calloc(w->count, sizeof(w->leaving[0]));
	if (!w->worker || !w->leaving) {
		free(w->worker);
		free(w->leaving);
		free(w);
		return NULL;
	}
	w->limit = (struct sluice_log_limit){ .burst = 5, .interval_ms = 10000 };
	pthread_mutex_init(&w->lock, NULL);
	sluice_cond_init(&w->changed);
	return w;
}

int sluice_crew_open(const struct sluice_worker_config *c, atomic_ullong *duty,
		     struct sluice_crew **out)
{
	struct sluice_crew *w = make_crew(c);
	int err = w ? 0 : -ENOMEM;

	*out = NULL;
	if (err)
		return err;
	w->duty = duty;
	if (c->bus->shared) {
		w->first = (unsigned int)getpid() % c->bus->partitions;
		err = -pthread_create(&w->thread, NULL, crew_main, w);
		w->has_thread = !err;
	}
	for (unsigned int i = 0; i < w->count && !c->bus->shared && !err; i++)
		err = open_worker(w, i);
	if (err)
		sluice_crew_close(w);
	else
		*out = w;
	return err;
}

/* All are asked first, so that they end side by side. */
void sluice_crew_close(struct sluice_crew *w)
{
	if (!w)
		return;
	pthread_mutex_lock(&w->lock);
	w->stopping = 1;
	pthread_cond_signal(&w->changed);
	pthread_mutex_unlock(&w->lock);
	if (w->has_thread)
		pthread_join(w->thread, NULL);
	for (unsigned int i = 0; i < w->count; i++)
		if (w->worker[i])
			sluice_worker_leave(w->worker[i]);
	for (unsigned int i = 0; i < w->count; i++)
		close_worker(w, i);
	pthread_cond_destroy(&w->changed);
	pthread_mutex_destroy(&w->lock);
	free(w->worker);
	free(w->leaving);
	free(w);
}
