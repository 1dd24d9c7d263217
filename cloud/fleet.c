// SPDX-License-Identifier: MIT
/*
 * All of it is in memory, in one object a kind, by "TENANT/NAME"; the data base is what comes after
 * a restart. It is small: operators write it, and a device has one report of a few hundred bytes a
 * camera. One lock: nothing here takes longer than a commit, and only people cause those.
 */
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cloud/fleet.h"
#include "cloud/sqlite.h"
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
};

static int is_lazy(enum sluice_fleet_kind kind)
{
	return kind >= SLUICE_FLEET_REPORT;
}

static char *make_key(const char *tenant, const char *name, char key[KEY_MAX])
{
	snprintf(key, KEY_MAX, "%s/%s", tenant, name);
	return key;
}

static int read_all(struct sluice_fleet *f)
{
	sqlite3_stmt *st = sluice_sqlite_bind(&f->s, DOC_ALL, "");
	char key[KEY_MAX];
	int more;

	while ((more = sluice_sqlite_step(st)) > 0) {
		int64_t kind = sqlite3_column_int64(st, 0);
		json_t *doc = json_loads(sluice_sqlite_text(st, 3), 0, NULL);

		if (kind < 0 || kind >= SLUICE_FLEET_KINDS || !json_is_object(doc)) {
			sluice_warning("a row of fleet.db cannot be read and is passed over");
			json_decref(doc);
			continue;
		}
		json_object_del(doc, "session"); /* of another run of the cloud */
		make_key(sluice_sqlite_text(st, 1), sluice_sqlite_text(st, 2), key);
		json_object_set_new(f->docs[kind], key, doc);
	}
	return more;
}

int sluice_fleet_open(const char *path, struct sluice_fleet **out)
{
	struct sluice_fleet *f = calloc(1, sizeof(*f));
	int i, err;

	*out = NULL;
	if (!f)
		return -ENOMEM;
	pthread_mutex_init(&f->lock, NULL);
	for (i = 0; i < SLUICE_FLEET_KINDS; i++) {
		f->docs[i] = json_object();
		f->dirty[i] = json_object();
	}
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

static int write_doc(struct sluice_fleet *f, enum sluice_fleet_kind kind, const char *tenant,
		     const char *name, const json_t *doc)
{
	char *text = json_dumps(doc, JSON_COMPACT);
	int err = text ? sluice_sqlite_run(sluice_sqlite_bind(&f->s, DOC_PUT, "isss", (int64_t)kind,
							      tenant, name, text))
		       : -ENOMEM;

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

json_t *sluice_fleet_get(struct sluice_fleet *f, enum sluice_fleet_kind kind, const char *tenant,
			 const char *name)
{
	char key[KEY_MAX];
	json_t *doc;

	pthread_mutex_lock(&f->lock);
	doc = json_deep_copy(json_object_get(f->docs[kind], make_key(tenant, name, key)));
	pthread_mutex_unlock(&f->lock);
	return doc;
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

int sluice_fleet_put(struct sluice_fleet *f, enum sluice_fleet_kind kind, const char *tenant,
		     const char *name, json_t *doc, const int64_t *if_version)
{
	char key[KEY_MAX];
	json_t *old;
	int err;

	if (!doc)
		return -ENOMEM;
	pthread_mutex_lock(&f->lock);
	old = json_object_get(f->docs[kind], make_key(tenant, name, key));
	err = check_version(old, if_version);
	if (!err && kind == SLUICE_FLEET_GROUP && !old &&
	    count_of(f, kind, tenant) >= SLUICE_GROUPS_MAX)
		err = -ENOSPC;
	if (!err && kind <= SLUICE_FLEET_DESIRED)
		json_object_set_new(doc, "version", json_integer(version_of(old) + 1));
	if (!err && !is_lazy(kind))
		err = write_doc(f, kind, tenant, name, doc);
	else if (!err && !(old && json_equal(old, doc)))
		json_object_set_new(f->dirty[kind], key, json_true());
	if (!err)
		json_object_set(f->docs[kind], key, doc);
	json_decref(doc);
	pthread_mutex_unlock(&f->lock);
	return err;
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
};

static int find_group(void *ctx, const char *tenant, const char *name, json_t *doc)
{
	struct find_group *g = ctx;
	json_t *list = json_object_get(doc, g->key), *v;
	size_t i;

	json_array_foreach (list, i, v) {
		if (strcmp(json_string_value(v) ? json_string_value(v) : "", g->member))
			continue;
		g->group = json_deep_copy(doc);
		snprintf(g->name, SLUICE_NAME_MAX, "%s", name);
		return 1;
	}
	return 0;
}

json_t *sluice_fleet_group_of(struct sluice_fleet *f, const char *tenant, const char *key,
			      const char *member, char *name)
{
	struct find_group g = { key, member, name, NULL };

	sluice_fleet_each(f, SLUICE_FLEET_GROUP, tenant, find_group, &g);
	return g.group;
}

json_t *sluice_fleet_wish(struct sluice_fleet *f, const struct sluice_camera *c, json_t **from,
			  int *enforce)
{
	char device[SLUICE_NAME_MAX] = "", camera[SLUICE_NAME_MAX] = "";
	json_t *of_device = sluice_fleet_group_of(f, c->tenant, "devices", c->device, device);
	json_t *of_camera = sluice_fleet_group_of(f, c->tenant, "cameras", c->hex, camera);
	json_t *own = sluice_fleet_get(f, SLUICE_FLEET_DESIRED, c->tenant, c->hex);
	const json_t *const layer[] = { of_device, of_camera, own };
	json_t *wish = sluice_wish_merge(layer, 3);

	*enforce = json_is_true(json_object_get(of_device, "enforce")) ||
		   json_is_true(json_object_get(of_camera, "enforce"));
	if (wish)
		json_object_set_new(
			wish, "versions",
			json_pack("[s,I,s,I,I]", device, (json_int_t)version_of(of_device), camera,
				  (json_int_t)version_of(of_camera), (json_int_t)version_of(own)));
	if (from) {
		*from = json_array();
		if (of_device)
			json_array_append_new(*from, json_string(device));
		if (of_camera && strcmp(device, camera))
			json_array_append_new(*from, json_string(camera));
	}
	json_decref(of_device);
	json_decref(of_camera);
	json_decref(own);
	return wish;
}
