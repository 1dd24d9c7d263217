// SPDX-License-Identifier: MIT
/*
 * Watches, listeners and dials: each turns answers of the back end into callbacks and asks again
 * where a multishot request has ended. Closing cancels; the object stays until every answer has
 * come (io_object.h).
 */
#include "lib/io_object.h"

#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define ACCEPT_REST_MS 100

static void cancel_request(struct io_object *o, struct sluice_io_request *r)
{
	if (o->pending)
		o->io->backend->cancel(o->io->ctx, r);
}

/* ---- watches ---- */

struct sluice_io_watch {
	struct io_object object;
	struct sluice_io_request poll;
	void (*fn)(void *arg, uint32_t revents);
	void *arg;
};

static void watch_done(struct sluice_io_request *r, int result, const uint8_t *data, bool more)
{
	struct sluice_io_watch *w = io_container(r, struct sluice_io_watch, poll);
	bool again = !more && result >= 0;

	if (!w->object.closed)
		w->fn(w->arg, result < 0 ? POLLERR : (uint32_t)result);
	if (more)
		return;
	if (again && !w->object.closed)
		sluice_io_object_submit(&w->object, r);
	sluice_io_object_answered(&w->object);
}

static void watch_release(struct io_object *o)
{
	free(io_container(o, struct sluice_io_watch, object));
}

static void watch_stop(struct io_object *o)
{
	sluice_io_unwatch(io_container(o, struct sluice_io_watch, object));
}

struct sluice_io_watch *sluice_io_watch(struct sluice_io *io, int fd, uint32_t events,
					void (*fn)(void *arg, uint32_t revents), void *arg)
{
	struct sluice_io_watch *w = calloc(1, sizeof(*w));

	if (!w)
		return NULL;
	w->fn = fn;
	w->arg = arg;
	w->object.stop = watch_stop;
	w->object.release = watch_release;
	w->poll.op = SLUICE_IO_POLL;
	w->poll.fd = fd;
	w->poll.events = events;
	w->poll.done = watch_done;
	sluice_io_object_add(io, &w->object);
	sluice_io_object_submit(&w->object, &w->poll);
	return w;
}

void sluice_io_unwatch(struct sluice_io_watch *w)
{
	if (!w || w->object.closed)
		return;
	cancel_request(&w->object, &w->poll);
	sluice_io_object_close(&w->object);
}

/* ---- listeners ---- */

struct sluice_io_listener {
	struct io_object object;
	struct sluice_io_request accept;
	struct sluice_io_timer rest;
	void (*fn)(void *arg, int fd);
	void *arg;
	uint16_t port;
};

static void accept_again(void *arg)
{
	struct sluice_io_listener *l = arg;

	sluice_io_object_submit(&l->object, &l->accept);
}

static void accept_done(struct sluice_io_request *r, int result, const uint8_t *data, bool more)
{
	struct sluice_io_listener *l = io_container(r, struct sluice_io_listener, accept);
	bool full =
		result == -EMFILE || result == -ENFILE || result == -ENOBUFS || result == -ENOMEM;

	if (result >= 0 && l->object.closed)
		close(result);
	else if (result >= 0)
		l->fn(l->arg, result);
	if (more)
		return;
	if (!l->object.closed && full)
		sluice_io_timer_in(l->object.io, &l->rest, ACCEPT_REST_MS, accept_again, l);
	else if (!l->object.closed)
		sluice_io_object_submit(&l->object, r);
	sluice_io_object_answered(&l->object);
}

static void listener_release(struct io_object *o)
{
	struct sluice_io_listener *l = io_container(o, struct sluice_io_listener, object);

	close(l->accept.fd);
	free(l);
}

static void listener_stop(struct io_object *o)
{
	sluice_io_unlisten(io_container(o, struct sluice_io_listener, object));
}

static uint16_t bound_port(int fd)
{
	struct sockaddr_storage a;
	socklen_t len = sizeof(a);

	if (getsockname(fd, (struct sockaddr *)&a, &len))
		return 0;
	if (a.ss_family == AF_INET)
		return ntohs(((struct sockaddr_in *)&a)->sin_port);
	if (a.ss_family == AF_INET6)
		return ntohs(((struct sockaddr_in6 *)&a)->sin6_port);
	return 0;
}

/*
 * A process that was killed a moment ago may still hold the port: the kernel takes its ring apart,
 * and with it the pending accept, only some time after its end.
 */
static int bind_patiently(int fd, const struct sockaddr *addr, socklen_t len)
{
	const struct timespec pause = { 0, 20000000 };

	for (int tries = 50; bind(fd, addr, len); tries--) {
		if (errno != EADDRINUSE || !tries)
			return -1;
		nanosleep(&pause, NULL);
	}
	return 0;
}

struct sluice_io_listener *sluice_io_listen(struct sluice_io *io, const struct sockaddr *addr,
					    socklen_t len, void (*fn)(void *arg, int fd), void *arg,
					    int *err)
{
	struct sluice_io_listener *l = calloc(1, sizeof(*l));
	int one = 1, fd;

	*err = -ENOMEM;
	if (!l)
		return NULL;
	fd = socket(addr->sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one)) ||
	    bind_patiently(fd, addr, len) || listen(fd, SOMAXCONN)) {
		*err = -errno;
		if (fd >= 0)
			close(fd);
		free(l);
		return NULL;
	}
	*err = 0;
	l->fn = fn;
	l->arg = arg;
	l->port = bound_port(fd);
	l->object.stop = listener_stop;
	l->object.release = listener_release;
	l->accept.op = SLUICE_IO_ACCEPT;
	l->accept.fd = fd;
	l->accept.done = accept_done;
	sluice_io_object_add(io, &l->object);
	sluice_io_object_submit(&l->object, &l->accept);
	return l;
}

uint16_t sluice_io_listener_port(const struct sluice_io_listener *l)
{
	return l->port;
}

void sluice_io_unlisten(struct sluice_io_listener *l)
{
	if (!l || l->object.closed)
		return;
	sluice_io_timer_cancel(l->object.io, &l->rest);
	cancel_request(&l->object, &l->accept);
	sluice_io_object_close(&l->object);
}

/* ---- dials ---- */

struct sluice_io_dial {
	struct io_object object;
	struct sluice_io_request connect;
	struct sockaddr_storage addr;
	void (*fn)(void *arg, int fd);
	void *arg;
};

static void dial_done(struct sluice_io_request *r, int result, const uint8_t *data, bool more)
{
	struct sluice_io_dial *d = io_container(r, struct sluice_io_dial, connect);

	if (result || d->object.closed)
		close(r->fd);
	if (!d->object.closed) {
		sluice_io_object_close(&d->object);
		d->fn(d->arg, result ? result : r->fd);
	}
	sluice_io_object_answered(&d->object);
}

static void dial_release(struct io_object *o)
{
	free(io_container(o, struct sluice_io_dial, object));
}

static void dial_stop(struct io_object *o)
{
	sluice_io_undial(io_container(o, struct sluice_io_dial, object));
}

struct sluice_io_dial *sluice_io_dial(struct sluice_io *io, const struct sockaddr *addr,
				      socklen_t len, void (*fn)(void *arg, int fd), void *arg,
				      int *err)
{
	struct sluice_io_dial *d;

	*err = -EINVAL;
	if (len > sizeof(d->addr))
		return NULL;
	*err = -ENOMEM;
	d = calloc(1, sizeof(*d));
	if (!d)
		return NULL;
	d->connect.fd = socket(addr->sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (d->connect.fd < 0) {
		*err = -errno;
		free(d);
		return NULL;
	}
	*err = 0;
	memcpy(&d->addr, addr, len);
	d->fn = fn;
	d->arg = arg;
	d->object.stop = dial_stop;
	d->object.release = dial_release;
	d->connect.op = SLUICE_IO_CONNECT;
	d->connect.addr = (struct sockaddr *)&d->addr;
	d->connect.addr_len = len;
	d->connect.done = dial_done;
	sluice_io_object_add(io, &d->object);
	sluice_io_object_submit(&d->object, &d->connect);
	return d;
}

void sluice_io_undial(struct sluice_io_dial *d)
{
	if (!d || d->object.closed)
		return;
	cancel_request(&d->object, &d->connect);
	sluice_io_object_close(&d->object);
}
