// SPDX-License-Identifier: MIT
/*
 * One thread with a list of jobs and a list of those that have run; an eventfd calls the loop. The
 * order of the jobs is the order of put(), and so is that of done(). The list has no bound of its
 * own: who puts jobs looks at relay_desk_bytes() and stops reading its connection in time.
 */
#include "relay/desk.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

struct job_list {
	struct relay_job *first, **last;
};

struct relay_desk {
	struct sluice_io *io; /* NULL: no thread */
	struct sluice_io_watch *watch;
	int fd; /* eventfd: something has run */
	size_t bytes;
	pthread_t thread;
	pthread_mutex_t lock; /* of what follows */
	pthread_cond_t wake;
	struct job_list todo, ran;
	bool ending;
};

static void add_job(struct job_list *l, struct relay_job *job)
{
	job->next = NULL;
	*l->last = job;
	l->last = &job->next;
}

static void clear_list(struct job_list *l)
{
	l->first = NULL;
	l->last = &l->first;
}

static void *work(void *arg)
{
	struct relay_desk *d = arg;
	struct relay_job *job;

	pthread_mutex_lock(&d->lock);
	for (;;) {
		while (!d->todo.first && !d->ending)
			pthread_cond_wait(&d->wake, &d->lock);
		job = d->todo.first;
		if (!job)
			break;
		d->todo.first = job->next;
		if (!job->next)
			clear_list(&d->todo);
		pthread_mutex_unlock(&d->lock);
		job->run(job);
		pthread_mutex_lock(&d->lock);
		add_job(&d->ran, job);
		eventfd_write(d->fd, 1);
	}
	pthread_mutex_unlock(&d->lock);
	return NULL;
}

static void finish_ran(struct relay_desk *d)
{
	struct relay_job *job, *next;

	pthread_mutex_lock(&d->lock);
	job = d->ran.first;
	clear_list(&d->ran);
	pthread_mutex_unlock(&d->lock);
	for (; job; job = next) {
		next = job->next;
		d->bytes -= job->bytes;
		job->done(job);
	}
}

static void on_ran(void *arg, uint32_t revents)
{
	struct relay_desk *d = arg;
	eventfd_t n;

	eventfd_read(d->fd, &n);
	finish_ran(d);
}

struct relay_desk *relay_desk_open(struct sluice_io *io, int *err)
{
	struct relay_desk *d = calloc(1, sizeof(*d));

	*err = -ENOMEM;
	if (!d)
		return NULL;
	d->io = io;
	d->fd = -1;
	clear_list(&d->todo);
	clear_list(&d->ran);
	if (!io) {
		*err = 0;
		return d;
	}
	d->fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (d->fd < 0) {
		*err = -errno;
		goto free_desk;
	}
	d->watch = sluice_io_watch(io, d->fd, POLLIN, on_ran, d);
	if (!d->watch)
		goto close_fd;
	pthread_mutex_init(&d->lock, NULL);
	pthread_cond_init(&d->wake, NULL);
	*err = -pthread_create(&d->thread, NULL, work, d);
	if (!*err)
		return d;
	pthread_cond_destroy(&d->wake);
	pthread_mutex_destroy(&d->lock);
	sluice_io_unwatch(d->watch);
close_fd:
	close(d->fd);
free_desk:
	free(d);
	return NULL;
}

void relay_desk_put(struct relay_desk *d, struct relay_job *job)
{
	if (!d->io) {
		job->run(job);
		job->done(job);
		return;
	}
	d->bytes += job->bytes;
	pthread_mutex_lock(&d->lock);
	add_job(&d->todo, job);
	pthread_cond_signal(&d->wake);
	pthread_mutex_unlock(&d->lock);
}

size_t relay_desk_bytes(const struct relay_desk *d)
{
	return d->bytes;
}

void relay_desk_close(struct relay_desk *d)
{
	if (!d)
		return;
	if (d->io) {
		pthread_mutex_lock(&d->lock);
		d->ending = true;
		pthread_cond_signal(&d->wake);
		pthread_mutex_unlock(&d->lock);
		pthread_join(d->thread, NULL);
		finish_ran(d);
		sluice_io_unwatch(d->watch);
		close(d->fd);
		pthread_cond_destroy(&d->wake);
		pthread_mutex_destroy(&d->lock);
	}
	free(d);
}
