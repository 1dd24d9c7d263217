// SPDX-License-Identifier: MIT
/*
 * fleet_db.c - where the documents of a fleet are kept: in a file of one node, or in PostgreSQL
 * with other nodes (fleet_others.c).
 *
 * Shared, every change takes a number, the turn, from one row, which is locked until the change is
 * committed: so turns are committed in their order, and who has read up to one has missed nothing.
 *
 * While the data base is away what was known last is what there is; changes of people fail, what
 * devices tell waits in memory.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cloud/db_sqlite.h"
#include "cloud/fleet_state.h"
#include "cloud/people_db.h"
#include "cloud/starved.h"
#include "lib/cond.h"
#include "lib/log.h"

#define SCHEMA_VERSION 1
#define BATCH	       200 /* documents of one transaction */

static const struct sluice_sqlite_step steps[SCHEMA_VERSION] = {
	{ "CREATE TABLE doc ("
	  " kind INTEGER NOT NULL, tenant TEXT NOT NULL, name TEXT NOT NULL,"
	  " json TEXT NOT NULL, PRIMARY KEY (kind, tenant, name)) WITHOUT ROWID;",
	  NULL },
};

static const char *const sql[] = {
	[SLUICE_DOC_PUT] =
		"INSERT OR REPLACE INTO doc (kind, tenant, name, json) VALUES (?, ?, ?, ?)",
	[SLUICE_DOC_REMOVE] = "DELETE FROM doc WHERE kind = ? AND tenant = ? AND name = ?",
	[SLUICE_DOC_ALL] = "SELECT kind, tenant, name, json FROM doc",
};

const char *const sluice_fleet_shared_sql[] = {
	[SLUICE_DOC_PUT] = "INSERT INTO doc (kind, tenant, name, json, turn)"
			   " VALUES (?, ?, ?, ?, (SELECT turn FROM doc_turn))"
			   " ON CONFLICT (kind, tenant, name) DO UPDATE SET json = excluded.json,"
			   " turn = excluded.turn, gone_ns = 0",
	[SLUICE_DOC_REMOVE] =
		"UPDATE doc SET json = '', turn = (SELECT turn FROM doc_turn), gone_ns = ?4"
		" WHERE kind = ?1 AND tenant = ?2 AND name = ?3 AND json <> ''",
	[SLUICE_DOC_ALL] = "SELECT kind, tenant, name, json FROM doc WHERE json <> ''",
	[SLUICE_TURN] = "SELECT turn FROM doc_turn",
	[SLUICE_TURN_NEXT] = "UPDATE doc_turn SET turn = turn + 1",
	[SLUICE_DOC_FIND] = "SELECT json FROM doc WHERE kind = ? AND tenant = ? AND name = ?"
			    " AND json <> ''",
	[SLUICE_DOC_COUNT] =
		"SELECT count(*) FROM doc WHERE kind = ? AND tenant = ? AND json <> ''",
	[SLUICE_DOC_SINCE] =
		"SELECT kind, tenant, name, json, turn FROM doc WHERE turn > ? ORDER BY turn",
	[SLUICE_DOC_PURGE] = "DELETE FROM doc WHERE json = '' AND gone_ns < ?",
};
const int sluice_fleet_shared_count = SLUICE_FLEET_STATEMENTS;

/* ---- life ---- */

struct sluice_fleet *sluice_fleet_new(struct sluice_db *d, int shared)
{
	struct sluice_fleet *f = calloc(1, sizeof(*f));
	int i, whole;

	if (!f)
		return NULL;
	pthread_mutex_init(&f->writing, NULL);
	pthread_mutex_init(&f->lock, NULL);
	sluice_cond_init(&f->end);
	f->others = json_array();
	f->asked = json_array();
	whole = f->others && f->asked;
	for (i = 0; i < SLUICE_FLEET_KINDS; i++) {
		f->docs[i] = json_object();
		f->dirty[i] = json_object();
		whole &= f->docs[i] && f->dirty[i];
	}
	if (!whole) {
		sluice_fleet_free(f);
		return NULL;
	}
	f->db = d;
	f->shared = shared;
	return f;
}

void sluice_fleet_free(struct sluice_fleet *f)
{
	int i;

	for (i = 0; i < SLUICE_FLEET_KINDS; i++) {
		json_decref(f->docs[i]);
		json_decref(f->dirty[i]);
	}
	json_decref(f->others);
	json_decref(f->asked);
	sluice_db_close(f->db);
	pthread_cond_destroy(&f->end);
	pthread_mutex_destroy(&f->lock);
	pthread_mutex_destroy(&f->writing);
	free(f);
}

int sluice_fleet_sqlite_db(const char *path, const char *const *statements, int count,
			   struct sluice_db **out)
{
	return sluice_db_sqlite_open(path, steps, SCHEMA_VERSION, statements, count, out);
}

int sluice_fleet_open(const char *path, struct sluice_fleet **out)
{
	struct sluice_db *d;
	int err;

	*out = NULL;
	err = sluice_fleet_sqlite_db(path, sql, SLUICE_TURN, &d);
	if (err)
		return err;
	*out = sluice_fleet_new(d, 0);
	if (!*out) {
		sluice_db_close(d);
		return -ENOMEM;
	}
	err = sluice_fleet_read(*out);
	if (err) {
		sluice_fleet_free(*out);
		*out = NULL;
	}
	return err;
}

/* ---- reading ---- */

/* -ENOMEM: it is not known what the text says. Jansson may call that a wrong text. */
static int parse_doc(const char *text, json_t **doc)
{
	unsigned long starved = sluice_starved;

	*doc = json_loads(text, 0, NULL);
	if (starved != sluice_starved) {
		json_decref(*doc);
		*doc = NULL;
		return -ENOMEM;
	}
	if (json_is_object(*doc))
		return 0;
	json_decref(*doc);
	*doc = NULL;
	return -EBADMSG;
}

int sluice_fleet_row(struct sluice_rows *r, int *kind, char key[SLUICE_FLEET_KEY], json_t **doc)
{
	unsigned long starved = sluice_starved;
	int64_t k = sluice_db_int(r, 0);
	const char *tenant = sluice_db_text(r, 1), *name = sluice_db_text(r, 2);
	const char *text = sluice_db_text(r, 3);
	int err;

	*doc = NULL;
	*kind = (int)k;
	sluice_fleet_key(tenant, name, key);
	if (starved != sluice_starved)
		return -ENOMEM;
	if (k < 0 || k >= SLUICE_FLEET_KINDS || !*tenant || !*name)
		err = -EBADMSG;
	else
		err = *text ? parse_doc(text, doc) : -ENOENT;
	if (err == -EBADMSG)
		sluice_warning("a row of the fleet cannot be read and is passed over");
	json_object_del(*doc, "session"); /* of another run, or another node */
	return err;
}

int sluice_fleet_read(struct sluice_fleet *f)
{
	struct sluice_rows *r = sluice_db_bind(f->db, SLUICE_DOC_ALL, "");
	char key[SLUICE_FLEET_KEY];
	int more = 0, kind, err = 0;
	json_t *doc;

	while (err != -ENOMEM && (more = sluice_db_step(r)) > 0) {
		err = sluice_fleet_row(r, &kind, key, &doc);
		if (!err && json_object_set_new(f->docs[kind], key, doc))
			err = -ENOMEM;
	}
	if (err != -ENOMEM)
		return more;
	sluice_db_end(r);
	return err;
}

/* ---- writing ---- */

/* A text that Jansson made with too little memory may be broken, and says nothing of it. */
int sluice_fleet_write(struct sluice_fleet *f, enum sluice_fleet_kind kind, const char *tenant,
		       const char *name, const json_t *doc)
{
	unsigned long starved = sluice_starved;
	char *text = json_dumps(doc, JSON_COMPACT);
	int err = -ENOMEM;

	if (text && starved == sluice_starved)
		err = sluice_db_run(sluice_db_bind(f->db, SLUICE_DOC_PUT, "isss", (int64_t)kind,
						   tenant, name, text));
	free(text);
	return err;
}

int sluice_fleet_erase(struct sluice_fleet *f, enum sluice_fleet_kind kind, const char *tenant,
		       const char *name)
{
	return sluice_db_run(
		sluice_db_bind(f->db, SLUICE_DOC_REMOVE, "iss", (int64_t)kind, tenant, name));
}

/* What the data base has, which other nodes may have changed; locked until the end. */
static int find_row(struct sluice_fleet *f, enum sluice_fleet_kind kind, const char *tenant,
		    const char *name, json_t **doc)
{
	struct sluice_rows *r;
	int rc = sluice_db_run(sluice_db_bind(f->db, SLUICE_TURN_NEXT, ""));

	*doc = NULL;
	if (rc)
		return rc;
	r = sluice_db_bind(f->db, SLUICE_DOC_FIND, "iss", (int64_t)kind, tenant, name);
	rc = sluice_db_step(r);
	if (rc <= 0)
		return rc;
	rc = parse_doc(sluice_db_text(r, 0), doc);
	sluice_db_end(r);
	return rc == -EBADMSG ? 0 : rc; /* damaged: as if it were not there */
}

static int check_count(struct sluice_fleet *f, const char *tenant)
{
	struct sluice_rows *r =
		sluice_db_bind(f->db, SLUICE_DOC_COUNT, "is", (int64_t)SLUICE_FLEET_GROUP, tenant);
	int rc = sluice_db_step(r);

	if (rc <= 0)
		return rc ? rc : -EIO;
	rc = sluice_db_int(r, 0) >= SLUICE_GROUPS_MAX ? -ENOSPC : 0;
	sluice_db_end(r);
	return rc;
}

static int end_change(struct sluice_fleet *f, int err)
{
	if (!err)
		err = sluice_db_commit(f->db);
	if (err)
		sluice_db_rollback(f->db);
	return err;
}

static int remove_row(struct sluice_fleet *f, enum sluice_fleet_kind kind, const char *tenant,
		      const char *name)
{
	return sluice_db_run(sluice_db_bind(f->db, SLUICE_DOC_REMOVE, "issi", (int64_t)kind, tenant,
					    name, sluice_utc_now()));
}

int sluice_fleet_change(struct sluice_fleet *f, enum sluice_fleet_kind kind, const char *tenant,
			const char *name, json_t *doc, const int64_t *if_version)
{
	json_t *there;
	int err = sluice_db_begin(f->db);

	if (err)
		return err;
	err = find_row(f, kind, tenant, name, &there);
	if (!err)
		err = doc || there ? sluice_fleet_check(there, if_version) : -ENOENT;
	if (!err && doc && kind == SLUICE_FLEET_GROUP && !there)
		err = check_count(f, tenant);
	if (!err && doc)
		err = sluice_fleet_number(kind, doc, there);
	json_decref(there);
	if (!err)
		err = doc ? sluice_fleet_write(f, kind, tenant, name, doc)
			  : remove_row(f, kind, tenant, name);
	return end_change(f, err);
}

/* ---- what devices told ---- */

struct late {
	int kind;
	char key[SLUICE_FLEET_KEY];
	json_t *doc; /* a copy */
};

/* All that is dirty, which it then is not. Their number, or -ENOMEM. */
static int take_dirty(struct sluice_fleet *f, struct late **out)
{
	const char *key;
	size_t n = 0;
	json_t *v;
	void *next;
	int i;

	*out = NULL;
	pthread_mutex_lock(&f->lock);
	for (i = 0; i < SLUICE_FLEET_KINDS; i++)
		n += json_object_size(f->dirty[i]);
	if (n)
		*out = calloc(n, sizeof(**out));
	if (!n || !*out) {
		pthread_mutex_unlock(&f->lock);
		return n ? -ENOMEM : 0;
	}
	n = 0;
	for (i = 0; i < SLUICE_FLEET_KINDS; i++) {
		json_object_foreach_safe(f->dirty[i], next, key, v)
		{
			struct late *l = &(*out)[n];
			const json_t *doc = json_object_get(f->docs[i], key);

			l->doc = json_deep_copy(doc);
			if (doc && (!l->doc || !json_equal(l->doc, doc))) {
				json_decref(l->doc);
				continue; /* no memory: the next time */
			}
			l->kind = i;
			snprintf(l->key, sizeof(l->key), "%s", key);
			n += doc != NULL;
			json_object_del(f->dirty[i], key);
		}
	}
	pthread_mutex_unlock(&f->lock);
	return (int)n;
}

static int write_batch(struct sluice_fleet *f, const struct late *l, int count)
{
	char tenant[SLUICE_NAME_MAX];
	const char *name;
	int i, err = sluice_db_begin(f->db);

	if (err)
		return err;
	if (f->shared)
		err = sluice_db_run(sluice_db_bind(f->db, SLUICE_TURN_NEXT, ""));
	for (i = 0; i < count && !err; i++) {
		name = sluice_fleet_split(l[i].key, tenant);
		err = sluice_fleet_write(f, (enum sluice_fleet_kind)l[i].kind, tenant, name,
					 l[i].doc);
	}
	return end_change(f, err);
}

void sluice_fleet_write_dirty(struct sluice_fleet *f)
{
	struct late *l;
	int i, n, at, err = 0;

	pthread_mutex_lock(&f->writing);
	n = take_dirty(f, &l);
	if (n < 0)
		err = n;
	for (at = 0; at < n && !err; at += BATCH) {
		err = write_batch(f, l + at, n - at < BATCH ? n - at : BATCH);
		if (err)
			break;
	}
	pthread_mutex_lock(&f->lock);
	for (i = err && n > 0 ? at : n; i < n; i++) /* those are dirty as before */
		if (json_object_get(f->docs[l[i].kind], l[i].key))
			json_object_set_new(f->dirty[l[i].kind], l[i].key, json_true());
	pthread_mutex_unlock(&f->lock);
	pthread_mutex_unlock(&f->writing);
	for (i = 0; i < n; i++)
		json_decref(l[i].doc);
	free(l);
	if (err && !f->away)
		sluice_warning("what devices told cannot be written: %s; trying again",
			       strerror(-err));
}
