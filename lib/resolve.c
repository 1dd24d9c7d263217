// SPDX-License-Identifier: MIT
/*
 * One small object goes to the thread and comes back with its post. getaddrinfo cannot be
 * interrupted, so cancelling only cuts the object off from the loop: under its lock, io becomes
 * NULL and the thread then posts nothing. What the thread found and nobody wants it frees itself.
 *
 * "localhost" is never asked of anybody (RFC 6761, 6.3): a small machine may have no /etc/hosts,
 * and whoever answers then could be anywhere.
 */
#include "lib/resolve.h"

#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

struct sluice_resolve {
	pthread_mutex_t lock;
	struct sluice_io *io; /* NULL: cancelled */
	struct sluice_io_timer soon;
	void (*fn)(void *arg, struct addrinfo *addrs, const char *why);
	void *arg;
	struct addrinfo *addrs;
	int err;
	char host[256], port[8];
};

static void free_resolve(struct sluice_resolve *r)
{
	if (r->addrs)
		freeaddrinfo(r->addrs);
	pthread_mutex_destroy(&r->lock);
	free(r);
}

/* In the loop's thread. */
static void finish(void *arg)
{
	struct sluice_resolve *r = arg;
	struct addrinfo *addrs = r->addrs;

	/* the thread that posted may still hold the lock; after this it is done with r */
	pthread_mutex_lock(&r->lock);
	pthread_mutex_unlock(&r->lock);
	if (r->io) {
		r->addrs = NULL;
		r->io = NULL;
		r->fn(r->arg, addrs, addrs ? NULL : gai_strerror(r->err));
	}
	free_resolve(r);
}

static int look_up(struct sluice_resolve *r, int flags)
{
	struct addrinfo hints = { .ai_family = AF_UNSPEC,
				  .ai_socktype = SOCK_STREAM,
				  .ai_flags = flags | AI_NUMERICSERV };

	return getaddrinfo(strcasecmp(r->host, "localhost") ? r->host : NULL, r->port, &hints,
			   &r->addrs);
}

static void *run_thread(void *arg)
{
	struct sluice_resolve *r = arg;
	bool posted = false;

	r->err = look_up(r, AI_ADDRCONFIG);
	if (r->err == EAI_NONAME || r->err == EAI_ADDRFAMILY)
		r->err = look_up(r, 0); /* a machine with nothing but loopback */
	pthread_mutex_lock(&r->lock);
	if (r->io)
		posted = !sluice_io_post(r->io, finish, r); /* finish() frees it then */
	pthread_mutex_unlock(&r->lock);
	if (!posted)
		free_resolve(r);
	return NULL;
}

static int start_thread(struct sluice_resolve *r)
{
	sigset_t all, old;
	pthread_attr_t attr;
	pthread_t thread;
	int err;

	if (pthread_attr_init(&attr))
		return -1;
	pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
	pthread_attr_setstacksize(&attr, 256u << 10);
	sigfillset(&all);
	pthread_sigmask(SIG_BLOCK, &all, &old);
	err = pthread_create(&thread, &attr, run_thread, r);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	pthread_attr_destroy(&attr);
	return err;
}

struct sluice_resolve *sluice_resolve_start(
	struct sluice_io *io, const char *host, const char *port,
	void (*fn)(void *arg, struct addrinfo *addrs, const char *why), void *arg)
{
	struct sluice_resolve *r = calloc(1, sizeof(*r));

	if (!r)
		return NULL;
	pthread_mutex_init(&r->lock, NULL);
	r->io = io;
	r->fn = fn;
	r->arg = arg;
	snprintf(r->host, sizeof(r->host), "%s", host);
	snprintf(r->port, sizeof(r->port), "%s", port);
	r->err = look_up(r, AI_NUMERICHOST);
	if (r->err != EAI_NONAME) {
		sluice_io_timer_in(io, &r->soon, 0, finish, r);
		return r;
	}
	if (start_thread(r)) {
		free_resolve(r);
		return NULL;
	}
	return r;
}

void sluice_resolve_cancel(struct sluice_resolve *r)
{
	struct sluice_io *io;
	bool numeric;

	if (!r)
		return;
	pthread_mutex_lock(&r->lock);
	io = r->io;
	r->io = NULL;
	numeric = r->soon.set;
	pthread_mutex_unlock(&r->lock);
	/* with a thread, r may be gone by now */
	if (numeric) {
		sluice_io_timer_cancel(io, &r->soon);
		free_resolve(r);
	}
}
