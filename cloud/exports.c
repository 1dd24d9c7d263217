// SPDX-License-Identifier: MIT
/*
 * exports.c - see exports.h. A table of a few places under one lock; a thread an export, which is
 * the only one that writes its place while it runs. A place is free when nobody is in it; one whose
 * thread still runs is never given away, also when its owner has cancelled it.
 */
#include "cloud/exports.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/log.h"

struct place {
	struct sluice_exports *x;
	int taken, running, cancel;
	char tenant[SLUICE_NAME_MAX], who[SLUICE_NAME_MAX + 8], *cameras;
	struct sluice_exports_one one;
	struct sluice_exported made; /* the thread's own; copied under the lock between frames */
	int fd;			     /* -1: none */
};

struct sluice_exports {
	const char *data;
	struct sluice_media *media;
	pthread_mutex_t lock;
	pthread_cond_t less;
	int stopping;
	unsigned int running;
	struct place place[SLUICE_EXPORTS_KEPT];
};

/* ---- places; all under the lock ---- */

static void empty(struct place *p)
{
	if (p->fd >= 0)
		close(p->fd);
	free(p->cameras);
	*p = (struct place){ .x = p->x, .fd = -1 };
}

static int is_owner(const struct place *p, const struct sluice_exports_owner *o)
{
	return p->taken && !strcmp(p->tenant, o->tenant) && !strcmp(p->who, o->who);
}

static struct place *find(struct sluice_exports *x, const struct sluice_exports_owner *o,
			  const char *id)
{
	int i;

	for (i = 0; i < SLUICE_EXPORTS_KEPT; i++)
		if (is_owner(&x->place[i], o) && !strcmp(x->place[i].one.id, id))
			return &x->place[i];
	return NULL;
}

static void sweep(struct sluice_exports *x)
{
	uint64_t now = sluice_utc_now();
	int i;

	for (i = 0; i < SLUICE_EXPORTS_KEPT; i++) {
		struct place *p = &x->place[i];

		if (p->taken && !p->running &&
		    now - p->one.ended_ns > SLUICE_EXPORTS_WHILE * 1000000000ull)
			empty(p);
	}
}

/* Free of others, and of the owner's own oldest if they have enough. NULL: there is none. */
static struct place *make_room(struct sluice_exports *x, const struct sluice_exports_owner *o)
{
	struct place *room = NULL, *oldest = NULL;
	unsigned int own = 0;
	int i;

	sweep(x);
	for (i = 0; i < SLUICE_EXPORTS_KEPT; i++) {
		struct place *p = &x->place[i];

		if (!p->taken && !room)
			room = p;
		if (!is_owner(p, o))
			continue;
		own++;
		if (!p->running && (!oldest || p->one.began_ns < oldest->one.began_ns))
			oldest = p;
	}
	if (own < SLUICE_EXPORTS_EACH && room)
		return room;
	if (oldest)
		empty(oldest);
	return oldest;
}

/* ---- the thread ---- */

static int is_stopping(void *ctx)
{
	struct place *p = ctx;
	int stopping;

	pthread_mutex_lock(&p->x->lock);
	p->one.made = p->made;
	stopping = p->x->stopping || p->cancel;
	pthread_mutex_unlock(&p->x->lock);
	return stopping;
}

static void *run(void *arg)
{
	struct place *p = arg;
	struct sluice_exports *x = p->x;
	const struct sluice_whose whose = { p->tenant, p->cameras };
	int fd = sluice_exporter_make(x->data, x->media, &whose, p->one.event, p->one.format,
				      is_stopping, p, &p->made);
	struct stat st = { 0 };

	if (fd >= 0)
		fstat(fd, &st);
	else if (fd != -ENOENT && fd != -ECANCELED)
		sluice_error("cannot export event %s: %s", p->one.event, strerror(-fd));
	pthread_mutex_lock(&x->lock);
	p->one.made = p->made;
	p->one.ended_ns = sluice_utc_now();
	p->one.size = (uint64_t)st.st_size;
	if (p->cancel && fd >= 0) {
		close(fd);
		fd = -ECANCELED;
	}
	p->fd = fd >= 0 ? fd : -1;
	p->one.err = fd >= 0 ? 0 : fd;
	p->one.state = fd >= 0		  ? SLUICE_EXPORTS_READY
		       : fd == -ECANCELED ? SLUICE_EXPORTS_CANCELLED
					  : SLUICE_EXPORTS_FAILED;
	p->running = 0;
	x->running--;
	pthread_cond_signal(&x->less);
	pthread_mutex_unlock(&x->lock);
	return NULL;
}

/* ---- what people do ---- */

static int begin(struct place *p)
{
	pthread_t thread;
	int err = pthread_create(&thread, NULL, run, p);

	if (err)
		return -err;
	pthread_detach(thread);
	p->running = 1;
	p->x->running++;
	return 0;
}

int sluice_exports_add(struct sluice_exports *x, const struct sluice_exports_owner *o,
		       const struct sluice_whose *whose, const char *event,
		       enum sluice_export_format format, struct sluice_exports_one *out)
{
	struct place *p = NULL;
	uint8_t raw[16];
	int err = getrandom(raw, sizeof(raw), 0) == sizeof(raw) ? 0 : -EAGAIN;

	pthread_mutex_lock(&x->lock);
	if (!err && !x->stopping && x->running < SLUICE_EXPORTS_MAX)
		p = make_room(x, o);
	if (!err && !p)
		err = -EBUSY;
	if (!err) {
		p->taken = 1;
		snprintf(p->tenant, sizeof(p->tenant), "%s", o->tenant);
		snprintf(p->who, sizeof(p->who), "%s", o->who);
		p->cameras = whose->cameras ? strdup(whose->cameras) : NULL;
		sluice_hex(raw, sizeof(raw), p->one.id);
		snprintf(p->one.event, sizeof(p->one.event), "%s", event);
		p->one.format = format;
		p->one.began_ns = sluice_utc_now();
		err = whose->cameras && !p->cameras ? -ENOMEM : begin(p);
		if (err)
			empty(p);
		else
			*out = p->one;
	}
	pthread_mutex_unlock(&x->lock);
	return err;
}

unsigned int sluice_exports_list(struct sluice_exports *x, const struct sluice_exports_owner *o,
				 struct sluice_exports_one out[SLUICE_EXPORTS_EACH])
{
	unsigned int n = 0, j;
	int i;

	pthread_mutex_lock(&x->lock);
	for (i = 0; i < SLUICE_EXPORTS_KEPT && n < SLUICE_EXPORTS_EACH; i++) {
		if (!is_owner(&x->place[i], o))
			continue;
		for (j = n++; j && out[j - 1].began_ns < x->place[i].one.began_ns; j--)
			out[j] = out[j - 1];
		out[j] = x->place[i].one;
	}
	pthread_mutex_unlock(&x->lock);
	return n;
}

int sluice_exports_find(struct sluice_exports *x, const struct sluice_exports_owner *o,
			const char *id, struct sluice_exports_one *out)
{
	struct place *p;

	pthread_mutex_lock(&x->lock);
	p = find(x, o, id);
	if (p)
		*out = p->one;
	pthread_mutex_unlock(&x->lock);
	return p ? 0 : -ENOENT;
}

int sluice_exports_drop(struct sluice_exports *x, const struct sluice_exports_owner *o,
			const char *id)
{
	struct place *p;

	pthread_mutex_lock(&x->lock);
	p = find(x, o, id);
	if (p && p->running)
		p->cancel = 1;
	else if (p)
		empty(p);
	pthread_mutex_unlock(&x->lock);
	return p ? 0 : -ENOENT;
}

int sluice_exports_body(struct sluice_exports *x, const struct sluice_exports_owner *o,
			const char *id, struct sluice_response *r)
{
	enum sluice_export_format format = SLUICE_EXPORT_ZIP;
	struct place *p;
	int fd = -ENOENT;

	pthread_mutex_lock(&x->lock);
	p = find(x, o, id);
	if (p) {
		format = p->one.format;
		fd = p->fd >= 0 ? dup(p->fd) : -EAGAIN;
	}
	pthread_mutex_unlock(&x->lock);
	if (fd == -1)
		return -errno;
	return fd < 0 ? fd : sluice_exporter_body(r, fd, format);
}

void sluice_exports_sweep(struct sluice_exports *x)
{
	pthread_mutex_lock(&x->lock);
	sweep(x);
	pthread_mutex_unlock(&x->lock);
}

struct sluice_exports *sluice_exports_open(const char *data, struct sluice_media *media)
{
	struct sluice_exports *x = calloc(1, sizeof(*x));
	int i;

	if (!x)
		return NULL;
	x->data = data;
	x->media = media;
	for (i = 0; i < SLUICE_EXPORTS_KEPT; i++)
		x->place[i] = (struct place){ .x = x, .fd = -1 };
	pthread_mutex_init(&x->lock, NULL);
	pthread_cond_init(&x->less, NULL);
	return x;
}

void sluice_exports_close(struct sluice_exports *x)
{
	int i;

	if (!x)
		return;
	pthread_mutex_lock(&x->lock);
	x->stopping = 1;
	while (x->running)
		pthread_cond_wait(&x->less, &x->lock);
	pthread_mutex_unlock(&x->lock);
	for (i = 0; i < SLUICE_EXPORTS_KEPT; i++)
		empty(&x->place[i]);
	pthread_cond_destroy(&x->less);
	pthread_mutex_destroy(&x->lock);
	free(x);
}
