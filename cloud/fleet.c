// SPDX-License-Identifier: MIT
/*
 * All of it is in memory, in one object a kind, by "TENANT/NAME"; the data base is what comes after
 * a restart. It is small: operators write it, and a device has one report of a few hundred bytes a
 * camera. One lock: nothing here takes longer than a commit, and only people cause those.
 */
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cloud/fleet.h"
#include "cloud/sqlite.h"
#include "cloud/starved.h"
#include "cloud/wish.h"
#include "lib/log.h"

#define SCHEMA_VERSION 1
#define KEY_MAX	       (2 * SLUICE_NAME_MAX + 64)

static const struct sluice_sqlite_step steps[SCHEMA_VERSION] = {
	{ "CREATE TABLE doc ("
	  " kind INTEGER NOT NULL, tenant TEXT NOT NULL, name TEXT NOT NULL,"
	  " json TEXT NOT NULL, PRIMARY KEY (kind, tenant, name)) WITHOUT ROWID;",
	  NULL },
};

enum { DOC_PUT, DOC_REMOVE, DOC_ALL, STATEMENTS };

static const char *const sql[STATEMENTS] = {
	[DOC_PUT] = "INSERT OR REPLACE INTO doc (kind, tenant, name, json) VALUES (?, ?, ?, ?)",
	[DOC_REMOVE] = "DELETE FROM doc WHERE kind = ? AND tenant = ? AND name = ?",
	[DOC_ALL] = "SELECT kind, tenant, name, json FROM doc",
};

struct sluice_fleet {
	pthread_mutex_t lock;
	struct sluice_sqlite s;
	json_t *docs[SLUICE_FLEET_KINDS];
	json_t *dirty[SLUICE_FLEET_KINDS]; /* keys of those that are to be written */
	_Atomic uint64_t zones_turn;
};

static int is_lazy(enum sluice_fleet_kind kind)
{
	return kind >= SLUICE_FLEET_REPORT && kind <= SLUICE_FLEET_DEVICE;
}

static int has_version(enum sluice_fleet_kind kind)
{
	return kind <= SLUICE_FLEET_DESIRED || kind == SLUICE_FLEET_ZONES;
}

static char *make_key(const char *tenant, const char *name, char key[KEY_MAX])
{
	snprintf(key, KEY_MAX, "%s/%s", tenant, name);
	return key;
}

/* -ENOMEM: it is not known what the text says. Jansson may call that a wrong text. */
static int parse_doc(const char *text, json_t **doc)
{
	unsigned long starved = sluice_starved;

	*doc = json_loads(text, 0, NULL);
	if (starved == sluice_starved)
		return *doc ? 0 : -EBADMSG;
	json_decref(*doc);
	*doc = NULL;
	return -ENOMEM;
}

/* 0: it is there now, or was damaged and is passed over. */
static int read_row(struct sluice_fleet *f, sqlite3_stmt *st)
{
	int64_t kind = sqlite3_column_int64(st, 0);
	const char *tenant = sluice_sqlite_text(st, 1), *name = sluice_sqlite_text(st, 2);
	char key[KEY_MAX];
	json_t *doc;
	int err = parse_doc(sluice_sqlite_text(st, 3), &doc);

	if (err == -ENOMEM || sqlite3_errcode(f->s.db) == SQLITE_NOMEM) {
		json_decref(doc);
		return -ENOMEM;
	}
	if (kind < 0 || kind >= SLUICE_FLEET_KINDS || !json_is_object(doc)) {
		sluice_warning("a row of fleet.db cannot be read and is passed over");
		json_decref(doc);
		return 0;
	}
	json_object_del(doc, "session"); /* of another run of the cloud */
	return json_object_set_new(f->docs[kind], make_key(tenant, name, key), doc) ? -ENOMEM : 0;
}

static int read_all(struct sluice_fleet *f)
{
	sqlite3_stmt *st = sluice_sqlite_bind(&f->s, DOC_ALL, "");
	int more;

	while ((more = sluice_sqlite_step(st)) > 0) {
		int err = read_row(f, st);

		if (err) {
			sqlite3_reset(st);
			return err;
		}
	}
	return more;
}

int sluice_fleet_open(const char *path, struct sluice_fleet **out)
{
	struct sluice_fleet *f = calloc(1, sizeof(*f));
	int i, err = 0;

	*out = NULL;
	if (!f)
		return -ENOMEM;
	pthread_mutex_init(&f->lock, NULL);
	for (i = 0; i < SLUICE_FLEET_KINDS; i++) {
		f->docs[i] = json_object();
		f->dirty[i] = json_object();
		if (!f->docs[i] || !f->dirty[i])
			err = -ENOMEM;
	}
	if (!err)
		err = sluice_sqlite_open(&f->s, path, steps, SCHEMA_VERSION, sql, STATEMENTS);
	if (!err)
		err = read_all(f);
	if (err) {
		sluice_fleet_close(f);
		return err;
	}
	*out = f;
	return 0;
}

void sluice_fleet_close(struct sluice_fleet *f)
{
	int i;

	if (!f)
		return;
	if (f->s.db)
		sluice_fleet_flush(f);
	for (i = 0; i < SLUICE_FLEET_KINDS; i++) {
		json_decref(f->docs[i]);
		json_decref(f->dirty[i]);
	}
	sluice_sqlite_close(&f->s);
	pthread_mutex_destroy(&f->lock);
	free(f);
}

/* ---- writing ---- */

/* A text that Jansson made with too little memory may be broken, and says nothing of it. */
static int write_doc(struct sluice_fleet *f, enum sluice_fleet_kind kind, const char *tenant,
		     const char *name, const json_t *doc)
{
	unsigned long starved = sluice_starved;
	char *text = json_dumps(doc, JSON_COMPACT);
	int err = -ENOMEM;

	if (text && starved == sluice_starved)
		err = sluice_sqlite_run(sluice_sqlite_bind(&f->s, DOC_PUT, "isss", (int64_t)kind,
							   tenant, name, text));
	free(text);
	return err;
}

static int remove_doc(struct sluice_fleet *f, enum sluice_fleet_kind kind, const char *tenant,
		      const char *name)
{
	return sluice_sqlite_run(
		sluice_sqlite_bind(&f->s, DOC_REMOVE, "iss", (int64_t)kind, tenant, name));
}

void sluice_fleet_flush(struct sluice_fleet *f)
{
	char tenant[SLUICE_NAME_MAX];
	const char *key, *name;
	int i, err = 0, some = 0;
	json_t *v;

	pthread_mutex_lock(&f->lock);
	for (i = 0; i < SLUICE_FLEET_KINDS; i++)
		some |= json_object_size(f->dirty[i]) != 0;
	if (some)
		err = sluice_sqlite_begin(&f->s);
	for (i = 0; some && i < SLUICE_FLEET_KINDS && !err; i++)
		json_object_foreach (f->dirty[i], key, v) {
			name = strchr(key, '/') + 1;
			snprintf(tenant, sizeof(tenant), "%.*s", (int)(name - key - 1), key);
			v = json_object_get(f->docs[i], key);
			if (!err && v)
				err = write_doc(f, (enum sluice_fleet_kind)i, tenant, name, v);
		}
	if (some && !err)
		err = sluice_sqlite_commit(&f->s);
	if (err)
		sluice_sqlite_rollback(&f->s);
	for (i = 0; some && i < SLUICE_FLEET_KINDS && !err; i++)
		json_object_clear(f->dirty[i]);
	pthread_mutex_unlock(&f->lock);
	if (err)
		sluice_warning("fleet.db cannot be written: %s; trying again", strerror(-err));
}

/* ---- documents ---- */

/* A whole copy: Jansson before 2.14 leaves out what it has no memory for. */
static int copy_doc(const json_t *doc, json_t **out)
{
	*out = json_deep_copy(doc);
	if (*out && !json_equal(*out, doc)) {
		json_decref(*out);
		*out = NULL;
	}
	return *out ? 0 : -ENOMEM;
}

int sluice_fleet_get(struct sluice_fleet *f, enum sluice_fleet_kind kind, const char *tenant,
		     const char *name, json_t **out)
{
	char key[KEY_MAX];
	json_t *doc;
	int err = -ENOENT;

	*out = NULL;
	pthread_mutex_lock(&f->lock);
	doc = json_object_get(f->docs[kind], make_key(tenant, name, key));
	if (doc)
		err = copy_doc(doc, out);
	pthread_mutex_unlock(&f->lock);
	return err;
}

static int64_t version_of(const json_t *doc)
{
	return json_integer_value(json_object_get(doc, "version"));
}

static int check_version(const json_t *old, const int64_t *if_version)
{
	if (!if_version)
		return 0;
	if (!*if_version)
		return old ? -EEXIST : 0;
	return !old || version_of(old) != *if_version ? -ESTALE : 0;
}

static unsigned int count_of(const struct sluice_fleet *f, enum sluice_fleet_kind kind,
			     const char *tenant)
{
	size_t length = strlen(tenant);
	unsigned int n = 0;
	const char *key;
	json_t *v;

	json_object_foreach (f->docs[kind], key, v)
		n += !strncmp(key, tenant, length) && key[length] == '/';
	return n;
}

/* What is there is old again (NULL: nothing). */
static void put_back(struct sluice_fleet *f, enum sluice_fleet_kind kind, const char *key,
		     json_t *old)
{
	if (old)
		json_object_set(f->docs[kind], key, old);
	else
		json_object_del(f->docs[kind], key);
}

int sluice_fleet_put(struct sluice_fleet *f, enum sluice_fleet_kind kind, const char *tenant,
		     const char *name, json_t *doc, const int64_t *if_version)
{
	char key[KEY_MAX];
	json_t *old;
	int err;

	if (!doc)
		return -ENOMEM;
	pthread_mutex_lock(&f->lock);
	old = json_incref(json_object_get(f->docs[kind], make_key(tenant, name, key)));
	err = check_version(old, if_version);
	if (!err && kind == SLUICE_FLEET_GROUP && !old &&
	    count_of(f, kind, tenant) >= SLUICE_GROUPS_MAX)
		err = -ENOSPC;
	if (!err && has_version(kind) &&
	    json_object_set_new(doc, "version", json_integer(version_of(old) + 1)))
		err = -ENOMEM;
	/* into memory first: nobody sees it before it is durable, and what is durable is there */
	if (!err && json_object_set(f->docs[kind], key, doc))
		err = -ENOMEM;
	else if (!err && !is_lazy(kind))
		err = write_doc(f, kind, tenant, name, doc);
	else if (!err && !(old && json_equal(old, doc)) &&
		 json_object_set_new(f->dirty[kind], key, json_true()))
		err = -ENOMEM;
	if (err && json_object_get(f->docs[kind], key) == doc)
		put_back(f, kind, key, old);
	if (!err && kind == SLUICE_FLEET_ZONES)
		atomic_fetch_add(&f->zones_turn, 1);
	json_decref(old);
	json_decref(doc);
	pthread_mutex_unlock(&f->lock);
	return err;
}

uint64_t sluice_fleet_zones_turn(const struct sluice_fleet *f)
{
	return atomic_load(&f->zones_turn);
}

int sluice_fleet_remove(struct sluice_fleet *f, enum sluice_fleet_kind kind, const char *tenant,
			const char *name, const int64_t *if_version)
{
	char key[KEY_MAX];
	json_t *old;
	int err;

	pthread_mutex_lock(&f->lock);
	old = json_object_get(f->docs[kind], make_key(tenant, name, key));
	err = old ? check_version(old, if_version) : -ENOENT;
	if (!err)
		err = remove_doc(f, kind, tenant, name);
	if (!err) {
		json_object_del(f->dirty[kind], key);
		json_object_del(f->docs[kind], key);
	}
	if (!err && kind == SLUICE_FLEET_ZONES)
		atomic_fetch_add(&f->zones_turn, 1);
	pthread_mutex_unlock(&f->lock);
	return err;
}

int sluice_fleet_each(struct sluice_fleet *f, enum sluice_fleet_kind kind, const char *tenant,
		      int (*fn)(void *ctx, const char *tenant, const char *name, json_t *doc),
		      void *ctx)
{
	char whose[SLUICE_NAME_MAX];
	const char *key, *name;
	int rc = 0;
	json_t *v;

	pthread_mutex_lock(&f->lock);
	json_object_foreach (f->docs[kind], key, v) {
		name = strchr(key, '/') + 1;
		snprintf(whose, sizeof(whose), "%.*s", (int)(name - key - 1), key);
		if (!rc && (!tenant || !strcmp(whose, tenant)))
			rc = fn(ctx, whose, name, v);
	}
	pthread_mutex_unlock(&f->lock);
	return rc;
}

/* ---- groups ---- */

struct find_group {
	const char *key, *member;
	char *name;
	json_t *group;
	int err;
};

static int find_group(void *ctx, const char *tenant, const char *name, json_t *doc)
{
	struct find_group *g = ctx;
	json_t *list = json_object_get(doc, g->key), *v;
	size_t i;

	json_array_foreach (list, i, v) {
		if (strcmp(json_string_value(v) ? json_string_value(v) : "", g->member))
			continue;
		g->err = copy_doc(doc, &g->group);
		snprintf(g->name, SLUICE_NAME_MAX, "%s", name);
		return 1;
	}
	return 0;
}

int sluice_fleet_group_of(struct sluice_fleet *f, const char *tenant, const char *key,
			  const char *member, char *name, json_t **out)
{
	struct find_group g = { key, member, name, NULL, -ENOENT };

	sluice_fleet_each(f, SLUICE_FLEET_GROUP, tenant, find_group, &g);
	*out = g.group;
	return g.err;
}

/* The names of both groups. NULL: out of memory. */
static json_t *names_of(const char *device, const char *camera)
{
	json_t *list = json_array();

	if ((*device && json_array_append_new(list, json_string(device))) ||
	    (*camera && strcmp(device, camera) &&
	     json_array_append_new(list, json_string(camera)))) {
		json_decref(list);
		return NULL;
	}
	return list;
}

json_t *sluice_fleet_wish(struct sluice_fleet *f, const struct sluice_camera *c, json_t **from,
			  int *enforce)
{
	char device[SLUICE_NAME_MAX] = "", camera[SLUICE_NAME_MAX] = "";
	json_t *layer[3] = { NULL }, *wish = NULL, *names = NULL;
	int err[3], bad;

	err[0] = sluice_fleet_group_of(f, c->tenant, "devices", c->device, device, &layer[0]);
	err[1] = sluice_fleet_group_of(f, c->tenant, "cameras", c->hex, camera, &layer[1]);
	err[2] = sluice_fleet_get(f, SLUICE_FLEET_DESIRED, c->tenant, c->hex, &layer[2]);
	*enforce = json_is_true(json_object_get(layer[0], "enforce")) ||
		   json_is_true(json_object_get(layer[1], "enforce"));
	bad = err[0] == -ENOMEM || err[1] == -ENOMEM || err[2] == -ENOMEM;
	if (!bad)
		wish = sluice_wish_merge((const json_t *const *)layer, 3);
	if (!wish ||
	    json_object_set_new(wish, "versions",
				json_pack("[s,I,s,I,I]", device, (json_int_t)version_of(layer[0]),
					  camera, (json_int_t)version_of(layer[1]),
					  (json_int_t)version_of(layer[2]))))
		bad = 1;
	if (from && !bad) {
		names = names_of(device, camera);
		bad = !names;
	}
	if (bad) {
		json_decref(wish);
		wish = NULL;
	}
	if (from)
		*from = names;
	for (bad = 0; bad < 3; bad++)
		json_decref(layer[bad]);
	return wish;
}
