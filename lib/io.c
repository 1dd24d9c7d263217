// SPDX-License-Identifier: MIT
/*
 * The loop: wait, answers, timers, posts, and the burial of closed objects, in this order, once a
 * turn. Other threads reach it through a queue under a mutex and an eventfd that wakes it.
 */
#include "lib/io_object.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <unistd.h>

#define CLOSE_LIMIT_NS 5000000000ull

void sluice_io_object_add(struct sluice_io *io, struct io_object *o)
{
	o->io = io;
	o->next = io->objects;
	if (o->next)
		o->next->prev = o;
	io->objects = o;
}

void sluice_io_object_submit(struct io_object *o, struct sluice_io_request *r)
{
	o->pending++;
	o->io->backend->submit(o->io->ctx, r);
}

static void bury_if_done(struct io_object *o)
{
	if (!o->closed || o->pending || o->queued)
		return;
	o->queued = true;
	o->dead = o->io->dead;
	o->io->dead = o;
}

void sluice_io_object_answered(struct io_object *o)
{
	o->pending--;
	bury_if_done(o);
}

void sluice_io_object_close(struct io_object *o)
{
	o->closed = true;
	bury_if_done(o);
}

static void bury(struct sluice_io *io)
{
	while (io->dead) {
		struct io_object *o = io->dead;

		io->dead = o->dead;
		if (o->prev)
			o->prev->next = o->next;
		else
			io->objects = o->next;
		if (o->next)
			o->next->prev = o->prev;
		o->release(o);
	}
}

static void run_posted(struct sluice_io *io)
{
	struct io_posted *list;

	pthread_mutex_lock(&io->lock);
	list = io->posted;
	io->posted = NULL;
	io->posted_end = &io->posted;
	pthread_mutex_unlock(&io->lock);
	while (list) {
		struct io_posted *p = list;

		list = p->next;
		p->fn(p->arg);
		free(p);
	}
}

static void on_event_fd(void *arg, uint32_t revents)
{
	struct sluice_io *io = arg;
	uint64_t count;
	ssize_t n = read(io->event_fd, &count, sizeof(count));

	(void)n; /* posts are run at the end of every turn, this only ends the wait */
}

struct sluice_io *sluice_io_open(const struct sluice_io_config *c, int *err, char *why,
				 size_t why_size)
{
	static const struct sluice_io_config defaults;
	struct sluice_io *io = calloc(1, sizeof(*io));

	snprintf(why, why_size, "out of memory");
	*err = -ENOMEM;
	if (!io)
		return NULL;
	if (!c)
		c = &defaults;
	io->backend = c->backend ? c->backend : &sluice_io_uring;
	io->posted_end = &io->posted;
	io->signal_fd = -1;
	pthread_mutex_init(&io->lock, NULL);
	io->event_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (io->event_fd < 0) {
		*err = -errno;
		snprintf(why, why_size, "eventfd: %s", strerror(errno));
		goto free_io;
	}
	*err = io->backend->open(&io->ctx, c, why, why_size);
	if (*err)
		goto close_event;
	if (!sluice_io_watch(io, io->event_fd, POLLIN, on_event_fd, io)) {
		*err = -ENOMEM;
		goto close_backend;
	}
	why[0] = 0;
	return io;
close_backend:
	io->backend->close(io->ctx);
close_event:
	close(io->event_fd);
free_io:
	pthread_mutex_destroy(&io->lock);
	free(io);
	return NULL;
}

uint64_t sluice_io_now(const struct sluice_io *io)
{
	struct sluice_io *m = (struct sluice_io *)io;

	if (!m->now)
		m->now = io->backend->now(io->ctx);
	return m->now;
}

static int turn(struct sluice_io *io, uint64_t until)
{
	uint64_t next = sluice_io_timers_next(io);
	int err;

	if (io->dead)
		until = 0; /* closed between turns: do not keep its owner waiting */
	io->now = 0;
	err = io->backend->wait(io->ctx, next < until ? next : until);
	if (err)
		return err;
	io->now = 0;
	sluice_io_timers_run(io);
	run_posted(io);
	sluice_io_timers_run(io);
	bury(io);
	return 0;
}

int sluice_io_turn(struct sluice_io *io, int timeout_ms)
{
	uint64_t until = UINT64_MAX;

	if (!timeout_ms)
		until = 0;
	else if (timeout_ms > 0)
		until = io->backend->now(io->ctx) + (uint64_t)timeout_ms * 1000000u;
	return turn(io, until);
}

int sluice_io_run(struct sluice_io *io)
{
	io->stop = false;
	while (!io->stop) {
		int err = turn(io, UINT64_MAX);

		if (err)
			return err;
	}
	return 0;
}

void sluice_io_stop(struct sluice_io *io)
{
	io->stop = true;
	/* the present wait, if stop was posted before run() came to it */
	(void)!write(io->event_fd, &(uint64_t){ 1 }, 8);
}

void sluice_io_close(struct sluice_io *io)
{
	uint64_t limit;

	if (!io)
		return;
	run_posted(io);
	for (struct io_object *o = io->objects, *next; o; o = next) {
		next = o->next;
		if (!o->closed)
			o->stop(o);
	}
	bury(io);
	limit = io->backend->now(io->ctx) + CLOSE_LIMIT_NS;
	while (io->objects && io->backend->now(io->ctx) < limit)
		if (sluice_io_turn(io, 100))
			break;
	run_posted(io);
	/* Requests that even now are not answered die with the ring; what they point to is leaked
	 * rather than freed under the kernel's hands. */
	io->backend->close(io->ctx);
	if (io->signal_fd >= 0)
		close(io->signal_fd);
	close(io->event_fd);
	pthread_mutex_destroy(&io->lock);
	free(io);
}

int sluice_io_post(struct sluice_io *io, void (*fn)(void *arg), void *arg)
{
	struct io_posted *p = malloc(sizeof(*p));
	ssize_t n;

	if (!p)
		return -ENOMEM;
	*p = (struct io_posted){ .fn = fn, .arg = arg };
	pthread_mutex_lock(&io->lock);
	*io->posted_end = p;
	io->posted_end = &p->next;
	/* within the lock: whoever drains the queue may close the io as soon as he has it */
	n = write(io->event_fd, &(uint64_t){ 1 }, 8);
	pthread_mutex_unlock(&io->lock);
	(void)n; /* EAGAIN: the counter is full, so the loop is awake anyway */
	return 0;
}

static void on_signal_fd(void *arg, uint32_t revents)
{
	struct sluice_io *io = arg;
	struct signalfd_siginfo si;

	while (read(io->signal_fd, &si, sizeof(si)) == sizeof(si))
		io->signal_fn(io->signal_arg, (int)si.ssi_signo);
}

int sluice_io_signals(struct sluice_io *io, const int *signals, unsigned int count,
		      void (*fn)(void *arg, int signal), void *arg)
{
	sigset_t set;
	int err;

	if (io->signal_fd >= 0)
		return -EBUSY;
	sigemptyset(&set);
	for (unsigned int i = 0; i < count; i++)
		sigaddset(&set, signals[i]);
	err = pthread_sigmask(SIG_BLOCK, &set, NULL);
	if (err)
		return -err;
	io->signal_fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	if (io->signal_fd < 0)
		return -errno;
	io->signal_fn = fn;
	io->signal_arg = arg;
	return sluice_io_watch(io, io->signal_fd, POLLIN, on_signal_fd, io) ? 0 : -ENOMEM;
}
