// SPDX-License-Identifier: MIT
/*
 * jobs.c - see jobs.h. A thread looks once a second whether something is due, and whether what runs
 * is to end; each of the others takes a job and does it (job.c) with a child of its own. The lock
 * guards which job is whose, and wakes; the rows are the truth.
 *
 * A node that stops breaks off what runs: the row is queued again as if nobody had begun it. A node
 * that is killed leaves it running; the next one finds it so and queues it, at most
 * SLUICE_JOB_TRIES times. Of several processes one is on duty, and does what a node does, under the
 * token of the lease by which it is: a job goes on under that with which it was taken. Refused, it
 * is dropped; its row is whoever's is on duty now.
 */
#include "cloud/jobs_state.h"
#include "lib/cond.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#define DUE_NS	   60000000000ull
#define CHILD_NICE 19
#define PATIENCE   10 /* a job's child may be silent this much longer than one of live frames */

/* By which lease this process is on duty. */
struct pass {
	struct sluice_lease lease;
	struct sluice_fence fence;
};

struct runner {
	struct sluice_jobs *jobs;
	pthread_t thread;
	int started;
	struct sluice_sandbox_config conf;
	atomic_int stop;  /* its job is to end */
	struct pass pass; /* of its job */
	char id[33];	  /* of its job, "" if it has none; under the lock */
	struct sluice_log_limit limit;
	struct job_work work;
};

struct sluice_jobs {
	struct sluice_jobs_config c;
	pthread_mutex_t lock;
	pthread_cond_t more;
	unsigned int pokes; /* under the lock: grows */
	atomic_int stopping;
	atomic_int on; /* on duty, and what others left running is queued again */
	pthread_t looker;
	int looking;
	struct sluice_index *index; /* the looker's, as what follows */
	struct pass pass;
	atomic_int refused;
	uint64_t due_ns; /* looked last whether anything is due */
	struct runner runner[SLUICE_JOBS_AT_ONCE_MAX];
};

/* Under the lock: until a poke that was not seen, a second, or the end. */
static void wait_poke(struct sluice_jobs *j, unsigned int seen)
{
	struct timespec until = sluice_cond_until(1000);

	while (j->pokes == seen && !atomic_load(&j->stopping))
		if (pthread_cond_timedwait(&j->more, &j->lock, &until))
			break;
}

/* The lease by which this process is on duty now. */
static void take_pass(struct sluice_jobs *j, struct pass *p, atomic_int *refused)
{
	if (!j->c.duty)
		return;
	p->lease = (struct sluice_lease){ .token = atomic_load(j->c.duty) };
	p->fence = (struct sluice_fence){ j->c.bus, &p->lease, refused };
}

static int see_queued(void *ctx, const struct sluice_camera *c, const struct sluice_index_job *j)
{
	(void)c;
	(void)j;
	*(int *)ctx = 1;
	return 0;
}

/* Whoever asks every second is not to raise the fence each time. 0: there may be one. */
static int look_queued(struct runner *r)
{
	const struct sluice_index_job_filter f = { .states = 1u << SLUICE_JOB_QUEUED, .limit = 1 };
	struct sluice_index *ix = r->work.shelf.index;
	int there = 0, err;

	if (!r->work.fence)
		return 0;
	err = ix->ops->jobs(ix, NULL, &f, see_queued, &there);
	return err || there ? err : -ENOENT;
}

static int take_job(struct runner *r, char id[33])
{
	struct sluice_index *ix = r->work.shelf.index;
	int err;

	take_pass(r->jobs, &r->pass, &r->stop);
	if (r->work.fence && !r->pass.lease.token)
		return -ENOENT; /* not on duty any more */
	err = look_queued(r);
	if (!err)
		err = sluice_fence_begin(r->work.fence, ix);
	if (!err)
		err = sluice_fence_end(r->work.fence, ix,
				       ix->ops->job_take(ix, sluice_utc_now(), id));
	if (err && err != -ENOENT && err != -ESTALE)
		sluice_log_limited(&r->limit, SLUICE_LOG_WARNING, "cannot look for jobs: %s",
				   strerror(-err));
	return err;
}

static void set_job(struct runner *r, const char *id)
{
	pthread_mutex_lock(&r->jobs->lock);
	snprintf(r->id, sizeof(r->id), "%s", id);
	/* a stop of the node that came between is not taken back */
	atomic_store(&r->stop, atomic_load(&r->jobs->stopping) || !atomic_load(&r->jobs->on));
	pthread_mutex_unlock(&r->jobs->lock);
}

static void *runner_main(void *arg)
{
	struct runner *r = arg;
	struct sluice_jobs *j = r->jobs;
	unsigned int seen = 0;
	char id[33];

	/* of this thread alone; where it may not, it works on as it is */
	setpriority(PRIO_PROCESS, (id_t)gettid(), CHILD_NICE);
	while (!atomic_load(&j->stopping)) {
		pthread_mutex_lock(&j->lock);
		wait_poke(j, seen);
		seen = j->pokes;
		pthread_mutex_unlock(&j->lock);
		while (!atomic_load(&j->stopping) && atomic_load(&j->on) && !take_job(r, id)) {
			set_job(r, id);
			job_run(&r->work, id);
			set_job(r, "");
		}
	}
	return NULL;
}

static int see_cancel(void *ctx, const struct sluice_camera *c, const struct sluice_index_job *j)
{
	(void)c;
	*(int *)ctx = j->cancel;
	return 0;
}

/* Is a job that runs to end? It may be silent itself for long. */
static void look_at_cancels(struct sluice_jobs *j)
{
	for (unsigned int i = 0; i < j->c.at_once; i++) {
		struct runner *r = &j->runner[i];
		struct sluice_index_job_filter f = { .limit = 1 };
		int cancel = 0;
		char id[33];

		pthread_mutex_lock(&j->lock);
		memcpy(id, r->id, sizeof(id));
		pthread_mutex_unlock(&j->lock);
		f.id = id;
		if (!id[0] || j->index->ops->jobs(j->index, NULL, &f, see_cancel, &cancel) ||
		    !cancel)
			continue;
		pthread_mutex_lock(&j->lock);
		if (!strcmp(r->id, id))
			atomic_store(&r->stop, 1);
		pthread_mutex_unlock(&j->lock);
	}
}

static const struct sluice_fence *fence_of(const struct sluice_jobs *j)
{
	return j->c.duty ? &j->pass.fence : NULL;
}

static void look_at_due(struct sluice_jobs *j)
{
	uint64_t now = sluice_utc_now();
	int added, drop = 0;

	if (now - j->due_ns < DUE_NS && now >= j->due_ns)
		return;
	j->due_ns = now;
	added = sluice_fence_begin(fence_of(j), j->index);
	if (!added) {
		added = sluice_jobs_due(j->index, &j->c.periods, now);
		if (added >= 0 && j->c.keep_ns && now > j->c.keep_ns)
			drop = j->index->ops->jobs_drop(j->index, now - j->c.keep_ns);
		added = sluice_fence_end(fence_of(j), j->index, drop ? drop : added);
	}
	if (added < 0)
		sluice_warning("cannot look which hours and days are to be told: %s",
			       strerror(-added));
	if (added > 0)
		sluice_jobs_poke(j);
}

static int queue_again(struct sluice_jobs *j)
{
	int again;

	take_pass(j, &j->pass, &j->refused);
	if (fence_of(j) && !j->pass.lease.token)
		return -EAGAIN; /* off duty again */
	again = sluice_fence_begin(fence_of(j), j->index);
	if (!again)
		again = sluice_fence_end(fence_of(j), j->index,
					 j->index->ops->jobs_again(j->index, sluice_utc_now()));
	if (again > 0)
		sluice_info("%d jobs that an earlier life was at are looked at again", again);
	return again < 0 ? again : 0;
}

/* Who comes on duty begins as after a crash of whoever had it. Who loses it leaves its rows to the
 * next one. */
static void look_at_duty(struct sluice_jobs *j)
{
	int on = !j->c.duty || atomic_load(j->c.duty);

	/* another lease than that under which it began */
	if (j->c.duty && atomic_load(&j->on) && atomic_load(j->c.duty) != j->pass.lease.token)
		on = 0;

	if (on == atomic_load(&j->on))
		return;
	if (on && queue_again(j))
		return; /* tried again */
	pthread_mutex_lock(&j->lock);
	atomic_store(&j->on, on);
	for (unsigned int i = 0; i < SLUICE_JOBS_AT_ONCE_MAX && !on; i++)
		atomic_store(&j->runner[i].stop, 1);
	pthread_mutex_unlock(&j->lock);
}

static void *looker_main(void *arg)
{
	struct sluice_jobs *j = arg;
	unsigned int seen = 0;

	while (!atomic_load(&j->stopping)) {
		look_at_duty(j);
		if (atomic_load(&j->on)) {
			look_at_due(j);
			look_at_cancels(j);
		}
		pthread_mutex_lock(&j->lock);
		wait_poke(j, seen);
		seen = j->pokes;
		pthread_mutex_unlock(&j->lock);
	}
	return NULL;
}

void sluice_jobs_poke(struct sluice_jobs *j)
{
	if (!j)
		return;
	pthread_mutex_lock(&j->lock);
	j->pokes++;
	pthread_cond_broadcast(&j->more);
	pthread_mutex_unlock(&j->lock);
}

/* ---- start and end ---- */

static int open_runner(struct sluice_jobs *j, struct runner *r)
{
	int err;

	r->jobs = j;
	r->limit = (struct sluice_log_limit){ .burst = 5, .interval_ms = 10000 };
	r->work = (struct job_work){
		.c = &j->c,
		.shelf = { .data = j->c.data,
			   .media = j->c.media,
			   .fence = j->c.duty ? &r->pass.fence : NULL,
			   .rebuild = sluice_rebuild_open() },
		.stop = &r->stop,
		.stopping = &j->stopping,
		.on = &j->on,
		.fence = j->c.duty ? &r->pass.fence : NULL,
		.limit = &r->limit,
	};
	err = r->work.shelf.rebuild ? sluice_index_open(j->c.data, &r->work.shelf.index) : -ENOMEM;
	if (!err && j->c.sandbox) {
		r->conf = *j->c.sandbox;
		r->conf.deadline_ms *= PATIENCE;
		r->work.sandbox = sluice_sandbox_open(&r->conf, "jobs", CHILD_NICE, &r->stop);
		err = r->work.sandbox ? 0 : -ENOMEM;
	}
	if (!err)
		err = -pthread_create(&r->thread, NULL, runner_main, r);
	r->started = !err;
	return err;
}

static void close_runner(struct runner *r)
{
	if (r->started)
		pthread_join(r->thread, NULL);
	sluice_sandbox_close(r->work.sandbox);
	sluice_index_close(r->work.shelf.index);
	sluice_rebuild_close(r->work.shelf.rebuild);
}

int sluice_jobs_open(const struct sluice_jobs_config *c, struct sluice_jobs **out)
{
	struct sluice_jobs *j = calloc(1, sizeof(*j));
	int err;

	*out = NULL;
	if (!j)
		return -ENOMEM;
	j->c = *c;
	pthread_mutex_init(&j->lock, NULL);
	sluice_cond_init(&j->more);
	err = sluice_index_open(c->data, &j->index);
	if (!err && !c->duty)
		err = queue_again(j);
	atomic_store(&j->on, !c->duty);
	j->pokes = 1;
	for (unsigned int i = 0; i < c->at_once && !err; i++)
		err = open_runner(j, &j->runner[i]);
	if (!err)
		err = -pthread_create(&j->looker, NULL, looker_main, j);
	j->looking = !err;
	if (err)
		sluice_jobs_close(j);
	else
		*out = j;
	return err;
}

void sluice_jobs_close(struct sluice_jobs *j)
{
	if (!j)
		return;
	pthread_mutex_lock(&j->lock);
	atomic_store(&j->stopping, 1);
	for (unsigned int i = 0; i < SLUICE_JOBS_AT_ONCE_MAX; i++)
		atomic_store(&j->runner[i].stop, 1);
	pthread_cond_broadcast(&j->more);
	pthread_mutex_unlock(&j->lock);
	if (j->looking)
		pthread_join(j->looker, NULL);
	for (unsigned int i = 0; i < SLUICE_JOBS_AT_ONCE_MAX; i++)
		close_runner(&j->runner[i]);
	sluice_index_close(j->index);
	pthread_cond_destroy(&j->more);
	pthread_mutex_destroy(&j->lock);
	free(j);
}
