// SPDX-License-Identifier: MIT
/* slow.c - one thread, one bounded queue, first come first served. */
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>

#include "cloud/slow.h"
#include "lib/log.h"

struct sluice_slow {
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t more;
	struct sluice_job *first, **last;
	unsigned int count, max;
	int stop;
};

static void run_done(void *arg)
{
	struct sluice_job *j = arg;

	j->done(j);
}

/* A job whose loop cannot be told is lost with its connection's wait: that one times out. */
static void finish(struct sluice_job *j)
{
	if (sluice_io_post(j->io, run_done, j))
		sluice_error("out of memory: an answer is lost");
}

/* NULL: it is time to end, and nothing is left. */
static struct sluice_job *take_job(struct sluice_slow *s)
{
	struct sluice_job *j;

	pthread_mutex_lock(&s->lock);
	while (!s->first && !s->stop)
		pthread_cond_wait(&s->more, &s->lock);
	j = s->first;
	if (j) {
		s->first = j->next;
		if (!s->first)
			s->last = &s->first;
		s->count--;
		j->cancelled = s->stop;
	}
	pthread_mutex_unlock(&s->lock);
	return j;
}

static void *run_thread(void *arg)
{
	struct sluice_slow *s = arg;
	struct sluice_job *j;

	while ((j = take_job(s))) {
		if (!j->cancelled)
			j->run(j);
		finish(j);
	}
	return NULL;
}

struct sluice_slow *sluice_slow_open(unsigned int max)
{
	struct sluice_slow *s = calloc(1, sizeof(*s));
	sigset_t all, old;
	int err;

	if (!s)
		return NULL;
	s->last = &s->first;
	s->max = max;
	pthread_mutex_init(&s->lock, NULL);
	pthread_cond_init(&s->more, NULL);
	sigfillset(&all);
	pthread_sigmask(SIG_BLOCK, &all, &old);
	err = pthread_create(&s->thread, NULL, run_thread, s);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	if (!err)
		return s;
	pthread_cond_destroy(&s->more);
	pthread_mutex_destroy(&s->lock);
	free(s);
	return NULL;
}

void sluice_slow_stop(struct sluice_slow *s)
{
	if (!s)
		return;
	pthread_mutex_lock(&s->lock);
	s->stop = 1;
	pthread_cond_signal(&s->more);
	pthread_mutex_unlock(&s->lock);
	pthread_join(s->thread, NULL);
}

void sluice_slow_close(struct sluice_slow *s)
{
	if (!s)
		return;
	pthread_cond_destroy(&s->more);
	pthread_mutex_destroy(&s->lock);
	free(s);
}

int sluice_slow_post(struct sluice_slow *s, struct sluice_job *j)
{
	int err = 0;

	j->next = NULL;
	j->cancelled = 0;
	pthread_mutex_lock(&s->lock);
	if (s->stop || s->count >= s->max) {
		err = -EBUSY;
	} else {
		*s->last = j;
		s->last = &j->next;
		s->count++;
		pthread_cond_signal(&s->more);
	}
	pthread_mutex_unlock(&s->lock);
	return err;
}
