// SPDX-License-Identifier: MIT
/*
 * fleet_others.c - a fleet that several nodes share in PostgreSQL: what the others did.
 *
 * A thread of each node asks for the number of the last change (fleet_db.c) twice a second, reads
 * what has a later turn, and writes what devices told. What was removed stays as a row without text
 * for an hour, to be seen by the others; who has not looked for half an hour reads everything.
 */
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <time.h>

#include "cloud/fleet_state.h"
#include "lib/cond.h"
#include "lib/log.h"

#define LOOK_MS	 500
#define GONE_NS	 3600000000000ull /* removed ones are seen for so long */
#define BLIND_NS 1800000000000ull

static uint64_t monotonic_now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

/* But for the session, which is of one node. */
static int is_same(json_t *mine, const json_t *doc)
{
	json_t *copy = json_copy(mine);
	int same;

	json_object_del(copy, "session");
	same = json_equal(copy, doc);
	json_decref(copy);
	return same;
}

/* The device of a camera is what its last report says. */
static void note_device(struct sluice_fleet *f, const char *tenant, const char *device,
			const char *camera)
{
	char key[SLUICE_FLEET_KEY];

	if (camera)
		device = json_string_value(
			json_object_get(json_object_get(f->docs[SLUICE_FLEET_REPORT],
							sluice_fleet_key(tenant, camera, key)),
					"device"));
	if (device)
		json_array_append_new(f->others, json_pack("[s,s]", tenant, device));
}

/* Whom a wish is about; doc: of a group, NULL: none. */
static void note_wish(struct sluice_fleet *f, int kind, const char *key, const json_t *doc)
{
	char tenant[SLUICE_NAME_MAX];
	const char *name = sluice_fleet_split(key, tenant);
	size_t i;
	json_t *v;

	if (kind == SLUICE_FLEET_DESIRED || kind == SLUICE_FLEET_RETUNE)
		note_device(f, tenant, NULL, name);
	if (kind != SLUICE_FLEET_GROUP)
		return;
	json_array_foreach (json_object_get(doc, "devices"), i, v)
		note_device(f, tenant, json_string_value(v), NULL);
	json_array_foreach (json_object_get(doc, "cameras"), i, v)
		if (json_is_string(v))
			note_device(f, tenant, NULL, json_string_value(v));
}

static bool is_equal(const json_t *a, const json_t *b, const char *key)
{
	const json_t *x = json_object_get(a, key), *y = json_object_get(b, key);

	return x == y || json_equal(x, y);
}

/* What is asked of devices. One that cannot be noted is found by its deadline. */
static void note_asked(struct sluice_fleet *f, int kind, const char *key, const json_t *mine,
		       const json_t *doc)
{
	char tenant[SLUICE_NAME_MAX];
	const char *name = sluice_fleet_split(key, tenant);

	if ((kind != SLUICE_FLEET_COMMAND && kind != SLUICE_FLEET_ASKED) || !doc ||
	    (mine && is_equal(mine, doc, "state") && is_equal(mine, doc, "request")))
		return;
	json_array_append_new(f->asked,
			      json_pack("[i,s,s,o]", kind, tenant, name, json_deep_copy(doc)));
}

static void tell_changes(struct sluice_fleet *f)
{
	const char *tenant, *name;
	const struct sluice_fleet_watcher *w = f->watcher;
	int kind;
	size_t i;
	json_t *v, *doc;

	json_array_foreach (f->others, i, v)
		if (w && !json_unpack(v, "[s,s]", &tenant, &name))
			w->wished(f->watcher_ctx, tenant, name);
	json_array_foreach (f->asked, i, v)
		if (w && !json_unpack(v, "[i,s,s,o]", &kind, &tenant, &name, &doc))
			(kind == SLUICE_FLEET_ASKED ? w->asked : w->commanded)(f->watcher_ctx,
									       tenant, name, doc);
	json_array_clear(f->others);
	json_array_clear(f->asked);
}

void sluice_fleet_watch(struct sluice_fleet *f, const struct sluice_fleet_watcher *w, void *ctx)
{
	pthread_mutex_lock(&f->writing);
	f->watcher = w;
	f->watcher_ctx = ctx;
	pthread_mutex_unlock(&f->writing);
}

/* 0, -ENOMEM. Takes doc; NULL: it was removed. What is still to be written here is newer. Under
 * lock. */
static int take_change(struct sluice_fleet *f, int kind, const char *key, json_t *doc)
{
	json_t *mine = json_object_get(f->docs[kind], key);

	if (json_object_get(f->dirty[kind], key) || (!doc && !mine) ||
	    (doc && mine && is_same(mine, doc))) {
		json_decref(doc);
		return 0;
	}
	note_wish(f, kind, key, mine);
	note_wish(f, kind, key, doc);
	note_asked(f, kind, key, mine, doc);
	if (doc ? json_object_set_new(f->docs[kind], key, doc)
		: json_object_del(f->docs[kind], key))
		return -ENOMEM;
	sluice_fleet_turned(f, kind);
	return 0;
}

static int read_changes(struct sluice_fleet *f)
{
	struct sluice_rows *r = sluice_db_bind(f->db, SLUICE_DOC_SINCE, "i", f->turn);
	char key[SLUICE_FLEET_KEY];
	int more = 0, kind, err = 0;
	json_t *doc;

	while (err != -ENOMEM && (more = sluice_db_step(r)) > 0) {
		err = sluice_fleet_row(r, &kind, key, &doc);
		pthread_mutex_lock(&f->lock);
		if (!err || err == -ENOENT)
			err = take_change(f, kind, key, doc);
		pthread_mutex_unlock(&f->lock);
		if (err != -ENOMEM)
			f->turn = sluice_db_int(r, 4);
	}
	if (err != -ENOMEM)
		return more;
	sluice_db_end(r);
	return err;
}

/* After a long time: also what is not there any more. */
static int read_again(struct sluice_fleet *f)
{
	struct sluice_fleet *now = sluice_fleet_new(f->db, 1);
	const char *key;
	json_t *v;
	void *next;
	int kind, err = now ? sluice_fleet_read(now) : -ENOMEM;

	pthread_mutex_lock(&f->lock);
	for (kind = 0; !err && kind < SLUICE_FLEET_KINDS; kind++) {
		json_object_foreach (now->docs[kind], key, v)
			take_change(f, kind, key, json_incref(v));
		json_object_foreach_safe(f->docs[kind], next, key,
					 v) if (!json_object_get(now->docs[kind], key))
			take_change(f, kind, key, NULL);
	}
	pthread_mutex_unlock(&f->lock);
	if (now) {
		now->db = NULL;
		sluice_fleet_free(now);
	}
	return err;
}

static int ask_turn(struct sluice_fleet *f, int64_t *turn)
{
	struct sluice_rows *r = sluice_db_bind(f->db, SLUICE_TURN, "");
	int rc = sluice_db_step(r);

	if (rc <= 0)
		return rc ? rc : -EUCLEAN;
	*turn = sluice_db_int(r, 0);
	sluice_db_end(r);
	return 0;
}

static int look(struct sluice_fleet *f)
{
	uint64_t now = monotonic_now();
	int64_t turn;
	int err;

	pthread_mutex_lock(&f->writing);
	err = ask_turn(f, &turn);
	if (!err && now - f->read_ns > BLIND_NS) {
		err = read_again(f);
		f->turn = err ? f->turn : turn;
	} else if (!err && turn != f->turn) {
		err = read_changes(f);
	}
	if (!err)
		f->read_ns = now;
	tell_changes(f);
	if (!err && now - f->purged_ns > BLIND_NS) {
		f->purged_ns = now;
		err = sluice_db_run(
			sluice_db_bind(f->db, SLUICE_DOC_PURGE, "i", sluice_utc_now() - GONE_NS));
	}
	pthread_mutex_unlock(&f->writing);
	return err;
}

/* A while, or the end: 1. */
static int wait_turn(struct sluice_fleet *f)
{
	struct timespec until = sluice_cond_until(LOOK_MS);
	int stop;

	pthread_mutex_lock(&f->lock);
	while (!f->stop)
		if (pthread_cond_timedwait(&f->end, &f->lock, &until) == ETIMEDOUT)
			break;
	stop = f->stop;
	pthread_mutex_unlock(&f->lock);
	return stop;
}

static void *run_thread(void *arg)
{
	struct sluice_fleet *f = arg;
	int err;

	pthread_setname_np(pthread_self(), "fleet");
	while (!wait_turn(f)) {
		sluice_fleet_write_dirty(f);
		err = look(f);
		if (err && !f->away)
			sluice_warning("what is wanted of devices cannot be read: %s; what was "
				       "known last holds",
				       strerror(-err));
		else if (!err && f->away)
			sluice_info("what is wanted of devices is read again");
		f->away = err != 0;
	}
	return NULL;
}

int sluice_fleet_start(struct sluice_db *d, struct sluice_fleet **out)
{
	struct sluice_fleet *f = sluice_fleet_new(d, 1);
	sigset_t all, old;
	int err;

	*out = NULL;
	if (!f)
		return -ENOMEM;
	f->read_ns = f->purged_ns = monotonic_now();
	err = ask_turn(f, &f->turn); /* before: what comes meanwhile is read twice */
	if (!err)
		err = sluice_fleet_read(f);
	if (!err) {
		sigfillset(&all);
		pthread_sigmask(SIG_BLOCK, &all, &old);
		err = -pthread_create(&f->thread, NULL, run_thread, f);
		pthread_sigmask(SIG_SETMASK, &old, NULL);
		f->running = !err;
	}
	if (err) {
		f->db = NULL; /* the caller's */
		sluice_fleet_free(f);
		return err;
	}
	*out = f;
	return 0;
}
