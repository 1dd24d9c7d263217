// SPDX-License-Identifier: MIT
/*
 * digester.c - a queue of plans and the thread that works on it, at the lowest priority: summaries
 * of events that end meanwhile do not wait for it.
 *
 * A digest that cannot be made is logged and given up, for want of memory only after some tries;
 * one that cannot be stored because the disk is full is tried again, as summaries are. The mutex
 * guards the queue; its head is the job at work and is taken out only when it is finished, so that
 * "busy" includes it.
 */
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "cloud/digester.h"
#include "cloud/h264.h"
#include "cloud/sandbox.h"
#include "cloud/shelf.h"
#include "cloud/starved.h"
#include "lib/log.h"

#define TRIES 5 /* where memory is wanting */

struct job {
	struct job *next;
	const struct sluice_camera *camera;
	struct sluice_digest_plan *plan; /* NULL: the epoch is done when this is reached */
	uint64_t epoch;
	int64_t last;
	int tell;
};

struct sluice_digester {
	struct sluice_worker_config c;
	struct sluice_index *index;
	struct sluice_rebuild *rebuild;
	struct sluice_shelf shelf;
	struct sluice_sandbox *sandbox; /* NULL: made in this process */
	pthread_t thread;
	atomic_int stopping;
	pthread_mutex_t lock;
	pthread_cond_t more;
	struct job *head, **tail;
	unsigned int plans;		    /* in the queue */
	const struct sluice_camera *camera; /* of the job at work, for fetch; the thread's own */
	struct sluice_log_limit limit;	    /* the thread's own */
	struct sluice_log_limit full;	    /* of whoever adds */
};

static int is_stopped(void *ctx)
{
	struct sluice_digester *d = ctx;

	return atomic_load(&d->stopping);
}

static uint8_t *fetch(void *ctx, uint64_t epoch, uint64_t sequence, size_t *size)
{
	struct sluice_digester *d = ctx;

	return sluice_shelf_jpeg_insist(&d->shelf, d->camera, epoch, sequence, size);
}

static void store(void *ctx, const struct sluice_summary *sum)
{
	struct sluice_digester *d = ctx;
	struct sluice_h264_summary both = { 0 };
	int err = d->c.h264 ? sluice_h264_add(d->c.h264, sum, &d->stopping, &both) : -ENOENT;

	if (err && err != -ENOENT && err != -ECANCELED)
		sluice_log_limited(&d->limit, SLUICE_LOG_WARNING, "no H.264 by %s: %s", d->c.h264,
				   strerror(-err));
	if (err != -ECANCELED && !sluice_shelf_insist(&d->shelf, d->camera, err ? sum : &both.sum,
						      "digest", &d->stopping, &d->limit))
		d->c.ops->summary(d->c.ctx, d->camera, sum->id);
	sluice_h264_free(&both);
}

/* In the child; one that dies of it twice gives no digest. */
static int make_in_child(struct sluice_digester *d, const struct sluice_digest_plan *plan)
{
	static const struct sluice_analysis_ops ops = { .summary = store, .fetch = fetch };
	int err = sluice_sandbox_digest(d->sandbox, plan, &ops, d);

	if (err == -EPIPE) {
		sluice_log_limited(&d->limit, SLUICE_LOG_WARNING,
				   "a child died while it made the digest of event %s of camera "
				   "%s: %s; trying once more",
				   plan->event, d->camera->name, sluice_sandbox_death(d->sandbox));
		err = sluice_sandbox_digest(d->sandbox, plan, &ops, d);
	}
	return err;
}

static int make_here(struct sluice_digester *d, const struct sluice_digest_plan *plan)
{
	struct sluice_digest_options o = { .seconds = SLUICE_DIGEST_SECONDS,
					   .boxes = true,
					   .fetch = fetch,
					   .stopped = is_stopped,
					   .ctx = d };
	unsigned long starved = sluice_starved;
	struct sluice_digest *g;
	int err = sluice_digest_make(plan, &o, &g);

	if (!err && starved != sluice_starved)
		err = -ENOMEM; /* parts of it are missing */
	if (!err)
		store(d, &g->summary);
	sluice_digest_free(g);
	return err;
}

/* There may be memory in a moment. 0: it has been waited for long enough, or the end comes. */
static int wait_for_memory(struct sluice_digester *d, int *tries)
{
	if (++*tries == TRIES || is_stopped(d))
		return 0;
	nanosleep(&(struct timespec){ .tv_nsec = 100000000L * *tries }, NULL);
	return 1;
}

static void make(struct sluice_digester *d, const struct sluice_digest_plan *plan)
{
	int err, tries = 0;

	do
		err = d->sandbox ? make_in_child(d, plan) : make_here(d, plan);
	while (err == -ENOMEM && wait_for_memory(d, &tries));
	if (err && err != -ECANCELED)
		sluice_log_limited(
			&d->limit, SLUICE_LOG_WARNING, "no digest of event %s of camera %s: %s",
			plan->event, d->camera->name,
			err == -EPIPE ? sluice_sandbox_death(d->sandbox) : strerror(-err));
}

static void finish_epoch(struct sluice_digester *d, const struct job *j)
{
	const struct sluice_fence *f = d->shelf.fence;
	int err = sluice_fence_begin(f, d->index);

	if (!err)
		err = sluice_fence_end(f, d->index,
				       d->index->ops->epoch_told(d->index, j->camera->id, j->epoch,
								 j->last, 1));
	if (err == -ESTALE)
		return;
	if (err)
		sluice_log_limited(&d->limit, SLUICE_LOG_WARNING,
				   "cannot note the progress of camera %s: %s", j->camera->name,
				   strerror(-err));
	if (j->tell)
		d->c.ops->done(d->c.ctx, j->camera, &(struct sluice_done){ .epoch = j->epoch });
}

static void free_job(struct job *j)
{
	sluice_digest_plan_free(j->plan);
	free(j);
}

static void pop(struct sluice_digester *d)
{
	struct job *j = d->head;

	d->head = j->next;
	if (!d->head)
		d->tail = &d->head;
	d->plans -= j->plan != NULL;
	free_job(j);
}

static void *digester_main(void *arg)
{
	struct sluice_digester *d = arg;

	/* of this thread alone; where it may not, it works on as it is */
	setpriority(PRIO_PROCESS, (id_t)gettid(), 19);
	pthread_mutex_lock(&d->lock);
	while (!is_stopped(d)) {
		struct job *j = d->head;

		if (!j) {
			pthread_cond_wait(&d->more, &d->lock);
			continue;
		}
		pthread_mutex_unlock(&d->lock);
		d->camera = j->camera;
		if (j->plan)
			make(d, j->plan);
		else
			finish_epoch(d, j);
		pthread_mutex_lock(&d->lock);
		if (!is_stopped(d))
			pop(d);
	}
	pthread_mutex_unlock(&d->lock);
	return NULL;
}

static void push(struct sluice_digester *d, struct job *j)
{
	*d->tail = j;
	d->tail = &j->next;
	d->plans += j->plan != NULL;
	pthread_cond_signal(&d->more);
}

void sluice_digester_add(struct sluice_digester *d, const struct sluice_camera *c,
			 struct sluice_digest_plan *plan)
{
	struct job *j = calloc(1, sizeof(*j));
	int taken = 0, tries = 0;

	while (!j && wait_for_memory(d, &tries))
		j = calloc(1, sizeof(*j));
	if (j) {
		j->camera = c;
		j->plan = plan;
		pthread_mutex_lock(&d->lock);
		taken = d->plans < SLUICE_DIGESTS_MAX;
		if (taken)
			push(d, j);
		pthread_mutex_unlock(&d->lock);
	}
	if (taken)
		return;
	if (j)
		sluice_log_limited(&d->full, SLUICE_LOG_WARNING,
				   "no digest of event %s of camera %s: %u are waiting",
				   plan->event, c->name, SLUICE_DIGESTS_MAX);
	else
		sluice_log_limited(&d->full, SLUICE_LOG_WARNING,
				   "no digest of event %s of camera %s: out of memory", plan->event,
				   c->name);
	free(j);
	sluice_digest_plan_free(plan);
}

int sluice_digester_after(struct sluice_digester *d, const struct sluice_camera *c, uint64_t epoch,
			  int64_t last, int tell)
{
	struct job *j = calloc(1, sizeof(*j));

	if (!j)
		return -ENOMEM;
	j->camera = c;
	j->epoch = epoch;
	j->last = last;
	j->tell = tell;
	pthread_mutex_lock(&d->lock);
	push(d, j);
	pthread_mutex_unlock(&d->lock);
	return 0;
}

int sluice_digester_busy(struct sluice_digester *d, const struct sluice_camera *c)
{
	const struct job *j;

	pthread_mutex_lock(&d->lock);
	for (j = d->head; j && j->camera != c; j = j->next)
		;
	pthread_mutex_unlock(&d->lock);
	return j != NULL;
}

int sluice_digester_open(const struct sluice_worker_config *c, const struct sluice_fence *fence,
			 struct sluice_digester **out)
{
	struct sluice_digester *d = calloc(1, sizeof(*d));
	int err;

	*out = NULL;
	if (!d)
		return -ENOMEM;
	d->c = *c;
	d->tail = &d->head;
	d->limit = d->full = (struct sluice_log_limit){ .burst = 5, .interval_ms = 10000 };
	pthread_mutex_init(&d->lock, NULL);
	pthread_cond_init(&d->more, NULL);
	d->rebuild = sluice_rebuild_open();
	err = d->rebuild ? sluice_index_open(c->data, &d->index) : -ENOMEM;
	d->shelf = (struct sluice_shelf){ c->data, d->index, c->media, d->rebuild, fence, 0 };
	if (!err && c->sandbox) {
		d->sandbox = sluice_sandbox_open(c->sandbox, "digests", 19, &d->stopping);
		err = d->sandbox ? 0 : -ENOMEM;
	}
	if (!err)
		err = -pthread_create(&d->thread, NULL, digester_main, d);
	if (err) {
		sluice_sandbox_close(d->sandbox);
		sluice_index_close(d->index);
		sluice_rebuild_close(d->rebuild);
		free(d);
		return err;
	}
	*out = d;
	return 0;
}

void sluice_digester_close(struct sluice_digester *d)
{
	if (!d)
		return;
	pthread_mutex_lock(&d->lock);
	atomic_store(&d->stopping, 1);
	pthread_cond_signal(&d->more);
	pthread_mutex_unlock(&d->lock);
	pthread_join(d->thread, NULL);
	while (d->head)
		pop(d);
	pthread_cond_destroy(&d->more);
	pthread_mutex_destroy(&d->lock);
	sluice_sandbox_close(d->sandbox);
	sluice_index_close(d->index);
	sluice_rebuild_close(d->rebuild);
	free(d);
}
