// SPDX-License-Identifier: MIT
/* desk.c - some threads, one bounded queue, first come first served. */
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cloud/desk.h"
#include "cloud/people.h"
#include "lib/log.h"

struct seat {
	struct sluice_desk *desk;
	pthread_t thread;
	int running;
	struct sluice_auth *auth;
	struct sluice_index *index;
};

struct sluice_desk {
	pthread_mutex_t lock;
	pthread_cond_t more;
	struct sluice_desk_job *first, **last;
	unsigned int count;
	int stop;
	unsigned int seats;
	struct seat seat[];
};

static void run_done(void *arg)
{
	struct sluice_desk_job *j = arg;

	j->done(j);
}

/* NULL: it is time to end, and nothing is left. */
static struct sluice_desk_job *take_job(struct sluice_desk *d)
{
	struct sluice_desk_job *j;

	pthread_mutex_lock(&d->lock);
	while (!d->first && !d->stop)
		pthread_cond_wait(&d->more, &d->lock);
	j = d->first;
	if (j) {
		d->first = j->next;
		if (!d->first)
			d->last = &d->first;
		d->count--;
		j->cancelled = d->stop;
	}
	pthread_mutex_unlock(&d->lock);
	return j;
}

static void *run_thread(void *arg)
{
	struct seat *s = arg;
	struct sluice_desk_job *j;

	pthread_setname_np(pthread_self(), "desk");
	while ((j = take_job(s->desk))) {
		j->auth = s->auth;
		j->index = s->index;
		if (!j->cancelled)
			j->run(j);
		j->auth = NULL;
		j->index = NULL;
		/* a job whose loop cannot be told is lost with its connection's wait */
		if (sluice_io_post(j->io, run_done, j))
			sluice_error("out of memory: an answer is lost");
	}
	return NULL;
}

static int open_seat(struct seat *s, const char *data)
{
	int err = sluice_people_auth(data, &s->auth); /* says what is wrong */

	if (err)
		return err;
	err = sluice_index_open(data, &s->index); /* says what is wrong */
	if (err)
		return err;
	err = -pthread_create(&s->thread, NULL, run_thread, s);
	s->running = !err;
	if (err)
		sluice_error("cannot start a thread: %s", strerror(-err));
	return err;
}

int sluice_desk_open(const char *data, unsigned int threads, struct sluice_desk **out)
{
	struct sluice_desk *d = calloc(1, sizeof(*d) + threads * sizeof(d->seat[0]));
	sigset_t all, old;
	unsigned int i;
	int err = 0;

	*out = d;
	if (!d)
		return -ENOMEM;
	d->last = &d->first;
	d->seats = threads;
	pthread_mutex_init(&d->lock, NULL);
	pthread_cond_init(&d->more, NULL);
	sigfillset(&all);
	pthread_sigmask(SIG_BLOCK, &all, &old);
	for (i = 0; i < threads && !err; i++) {
		d->seat[i].desk = d;
		err = open_seat(&d->seat[i], data);
	}
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	if (err) {
		sluice_desk_stop(d);
		sluice_desk_close(d);
		*out = NULL;
	}
	return err;
}

void sluice_desk_stop(struct sluice_desk *d)
{
	unsigned int i;

	if (!d)
		return;
	pthread_mutex_lock(&d->lock);
	d->stop = 1;
	pthread_cond_broadcast(&d->more);
	pthread_mutex_unlock(&d->lock);
	for (i = 0; i < d->seats; i++) {
		if (d->seat[i].running)
			pthread_join(d->seat[i].thread, NULL);
		d->seat[i].running = 0;
	}
}

void sluice_desk_close(struct sluice_desk *d)
{
	unsigned int i;

	if (!d)
		return;
	for (i = 0; i < d->seats; i++) {
		sluice_auth_close(d->seat[i].auth);
		sluice_index_close(d->seat[i].index);
	}
	pthread_cond_destroy(&d->more);
	pthread_mutex_destroy(&d->lock);
	free(d);
}

int sluice_desk_post(struct sluice_desk *d, struct sluice_desk_job *j)
{
	int err = 0;

	j->next = NULL;
	j->cancelled = 0;
	pthread_mutex_lock(&d->lock);
	if (d->stop || d->count >= SLUICE_DESK_MAX) {
		err = -EBUSY;
	} else {
		*d->last = j;
		d->last = &j->next;
		d->count++;
		pthread_cond_signal(&d->more);
	}
	pthread_mutex_unlock(&d->lock);
	return err;
}
