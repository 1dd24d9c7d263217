// SPDX-License-Identifier: MIT
/*
 * roster.c - a table under one lock, asked once for an event, a summary or a command and changed
 * once for a link; frames do not come here. A session's number tells its loop, so that what is for
 * a session (receipts) needs no table.
 */
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cloud/roster.h"
#include "cloud/server.h"
#include "cloud/session.h"
#include "lib/wire.h"

#define BUCKETS SLUICE_ROSTER_PARTS

struct entry {
	struct entry *next;
	char tenant[SLUICE_NAME_MAX], device[SLUICE_NAME_MAX];
	unsigned int links;
	uint64_t session; /* the one that counts, 0: none has said HELLO */
	uint64_t since_ns;
	const struct sluice_camera *camera[SLUICE_WIRE_SLOTS + 1]; /* by live slot */
};

struct sluice_roster {
	pthread_mutex_t lock;
	unsigned int count;
	sluice_roster_changed_fn changed;
	void *changed_ctx;
	struct entry *bucket[BUCKETS];
};

struct sluice_roster *sluice_roster_open(void)
{
	struct sluice_roster *r = calloc(1, sizeof(*r));

	if (r)
		pthread_mutex_init(&r->lock, NULL);
	return r;
}

void sluice_roster_close(struct sluice_roster *r)
{
	unsigned int i;

	if (!r)
		return;
	for (i = 0; i < BUCKETS; i++) {
		while (r->bucket[i]) {
			struct entry *next = r->bucket[i]->next;

			free(r->bucket[i]);
			r->bucket[i] = next;
		}
	}
	pthread_mutex_destroy(&r->lock);
	free(r);
}

/* FNV-1a */
static uint32_t add_hash(uint32_t hash, const char *text)
{
	for (; *text; text++)
		hash = (hash ^ (uint8_t)*text) * 16777619u;
	return hash * 16777619u;
}

/* The place that points to the device's entry, or to the end of its bucket. */
static struct entry **find_place(struct sluice_roster *r, const char *tenant, const char *device)
{
	uint32_t hash = add_hash(add_hash(2166136261u, tenant), device);
	struct entry **at = &r->bucket[hash % BUCKETS];

	while (*at && (strcmp((*at)->device, device) || strcmp((*at)->tenant, tenant)))
		at = &(*at)->next;
	return at;
}

/* Under the lock, so that it is over when the watch is taken away. */
static void tell_changed(struct sluice_roster *r, const struct entry *e)
{
	if (r->changed)
		r->changed(r->changed_ctx, e->tenant, e->device);
}

int sluice_roster_arrive(struct sluice_roster *r, const char *tenant, const char *device,
			 unsigned int most)
{
	struct entry **at, *e;
	int err = 0;

	pthread_mutex_lock(&r->lock);
	at = find_place(r, tenant, device);
	e = *at ? *at : calloc(1, sizeof(*e));
	if (!e) {
		err = -ENOMEM;
	} else if (e->links >= most) {
		err = -EUSERS;
	} else if (!e->links++) {
		memcpy(e->tenant, tenant, strlen(tenant));
		memcpy(e->device, device, strlen(device));
		*at = e;
	}
	pthread_mutex_unlock(&r->lock);
	return err;
}

void sluice_roster_depart(struct sluice_roster *r, const char *tenant, const char *device)
{
	struct entry **at, *e;

	pthread_mutex_lock(&r->lock);
	at = find_place(r, tenant, device);
	e = *at;
	if (e && !--e->links) {
		*at = e->next;
		free(e);
	}
	pthread_mutex_unlock(&r->lock);
}

uint64_t sluice_roster_enter(struct sluice_roster *r, const char *tenant, const char *device,
			     uint64_t session)
{
	struct entry *e;
	uint64_t old = 0;

	pthread_mutex_lock(&r->lock);
	e = *find_place(r, tenant, device);
	if (e) {
		old = e->session;
		r->count += !old;
		e->session = session;
		e->since_ns = sluice_utc_now();
		memset(e->camera, 0, sizeof(e->camera));
		tell_changed(r, e);
	}
	pthread_mutex_unlock(&r->lock);
	return old;
}

void sluice_roster_leave(struct sluice_roster *r, const char *tenant, const char *device,
			 uint64_t session)
{
	struct entry *e;

	pthread_mutex_lock(&r->lock);
	e = *find_place(r, tenant, device);
	if (e && e->session == session) {
		e->session = 0;
		memset(e->camera, 0, sizeof(e->camera));
		r->count--;
		tell_changed(r, e);
	}
	pthread_mutex_unlock(&r->lock);
}

void sluice_roster_open_camera(struct sluice_roster *r, uint64_t session,
			       const struct sluice_camera *c, uint32_t slot)
{
	struct entry *e;

	if (slot > SLUICE_WIRE_SLOTS)
		return;
	pthread_mutex_lock(&r->lock);
	e = *find_place(r, c->tenant, c->device);
	if (e && e->session == session) {
		e->camera[slot] = c;
		tell_changed(r, e);
	}
	pthread_mutex_unlock(&r->lock);
}

uint64_t sluice_roster_find(struct sluice_roster *r, const char *tenant, const char *device)
{
	struct entry *e;
	uint64_t session;

	pthread_mutex_lock(&r->lock);
	e = *find_place(r, tenant, device);
	session = e ? e->session : 0;
	pthread_mutex_unlock(&r->lock);
	return session;
}

int sluice_roster_has_camera(struct sluice_roster *r, const struct sluice_camera *c)
{
	struct entry *e;
	uint32_t i;
	int has = 0;

	pthread_mutex_lock(&r->lock);
	e = *find_place(r, c->tenant, c->device);
	for (i = 1; e && i <= SLUICE_WIRE_SLOTS; i++)
		has |= e->camera[i] && !memcmp(e->camera[i]->id, c->id, sizeof(c->id));
	pthread_mutex_unlock(&r->lock);
	return has;
}

unsigned int sluice_roster_count(struct sluice_roster *r)
{
	unsigned int count;

	pthread_mutex_lock(&r->lock);
	count = r->count;
	pthread_mutex_unlock(&r->lock);
	return count;
}

/* ---- for others ---- */

static void read_entry(const struct entry *e, struct sluice_roster_seen *seen)
{
	seen->since_ns = e && e->session ? e->since_ns : 0;
	seen->count = 0;
	for (uint32_t i = 1; seen->since_ns && i <= SLUICE_WIRE_SLOTS; i++)
		if (e->camera[i])
			snprintf(seen->camera[seen->count++], SLUICE_NAME_MAX, "%s",
				 e->camera[i]->name);
}

void sluice_roster_see(struct sluice_roster *r, const char *tenant, const char *device,
		       struct sluice_roster_seen *seen)
{
	pthread_mutex_lock(&r->lock);
	read_entry(*find_place(r, tenant, device), seen);
	pthread_mutex_unlock(&r->lock);
}

void sluice_roster_part(struct sluice_roster *r, unsigned int part, sluice_roster_seen_fn fn,
			void *ctx)
{
	struct sluice_roster_seen seen;

	pthread_mutex_lock(&r->lock);
	for (const struct entry *e = r->bucket[part]; e; e = e->next) {
		read_entry(e, &seen);
		if (seen.since_ns)
			fn(ctx, e->tenant, e->device, &seen);
	}
	pthread_mutex_unlock(&r->lock);
}

void sluice_roster_watch(struct sluice_roster *r, sluice_roster_changed_fn fn, void *ctx)
{
	pthread_mutex_lock(&r->lock);
	r->changed = fn;
	r->changed_ctx = ctx;
	pthread_mutex_unlock(&r->lock);
}

/* ---- asking a session ---- */

struct call {
	struct sluice_loop *loop;
	uint64_t session;
	sluice_roster_fn fn;
	void *arg;
};

static void run_call(void *arg)
{
	struct call *c = arg;
	struct sluice_session *ss = sluice_session_find(c->loop, c->session);

	c->fn(ss && ss->conn ? ss : NULL, c->arg);
	free(c);
}

int sluice_roster_call_session(struct sluice_server *s, uint64_t session, sluice_roster_fn fn,
			       void *arg)
{
	struct sluice_loop *l = sluice_session_loop(s, session);
	struct call *c = malloc(sizeof(*c));

	if (!c)
		return -ENOMEM;
	*c = (struct call){ l, session, fn, arg };
	if (!sluice_io_post(l->io, run_call, c))
		return 0;
	free(c);
	return -ENOMEM;
}

int sluice_roster_call(struct sluice_server *s, const char *tenant, const char *device,
		       sluice_roster_fn fn, void *arg)
{
	uint64_t session = sluice_roster_find(s->roster, tenant, device);

	return session ? sluice_roster_call_session(s, session, fn, arg) : -ENOTCONN;
}
