// SPDX-License-Identifier: MIT
/* index_move.c - see index_move.h. What the tables are: move_tables.c. */
#include <endian.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <openssl/evp.h>

#include "cloud/camera.h"
#include "cloud/index_move.h"
#include "cloud/index_sql.h"
#include "cloud/move_tables.h"
#include "cloud/people_db.h"
#include "cloud/people_pg.h"

struct move {
	const struct sluice_index_move_config *c;
	const struct move_file *file;
	struct sluice_index_moved *out;
	char *why;
	char *sql[MOVE_ALL];
	struct sluice_db *from, *to;
};

/* ---- rows ---- */

/* Of a row, or of its key; texts are borrowed of the row. */
static void read_values(struct sluice_rows *r, const char *types, unsigned int count,
			struct sluice_value *v)
{
	unsigned int i;

	for (i = 0; i < count; i++) {
		v[i] = (struct sluice_value){ .type = types[i] == 'f' ? 'i' : types[i] };
		if (sluice_db_is_null(r, (int)i)) {
			v[i].type = 'n';
		} else if (v[i].type == 'i') {
			v[i].number = sluice_db_int(r, (int)i);
		} else if (v[i].type == 's') {
			v[i].data = sluice_db_text(r, (int)i);
			v[i].size = strlen(v[i].data);
		} else {
			v[i].data = sluice_db_blob(r, (int)i, &v[i].size);
		}
	}
}

/* The key that a walk is behind. */
struct place {
	struct sluice_value key[MOVE_COLUMNS_MAX];
	char *bytes[MOVE_COLUMNS_MAX];
	int known;
};

static void leave_place(struct place *p)
{
	unsigned int i;

	for (i = 0; i < MOVE_COLUMNS_MAX; i++)
		free(p->bytes[i]);
	memset(p, 0, sizeof(*p));
}

static int keep_place(struct place *p, const struct sluice_value *v, unsigned int keys)
{
	unsigned int i;

	leave_place(p);
	for (i = 0; i < keys; i++) {
		p->key[i] = v[i];
		if (!v[i].data)
			continue;
		p->bytes[i] = malloc(v[i].size + 1);
		if (!p->bytes[i])
			return -ENOMEM;
		memcpy(p->bytes[i], v[i].data, v[i].size);
		p->bytes[i][v[i].size] = 0;
		p->key[i].data = p->bytes[i];
	}
	p->known = 1;
	return 0;
}

typedef int (*row_fn)(void *ctx, const struct move_table *t, const struct sluice_value *v,
		      unsigned int count);

/* The next batch of rows; how many, or an error. If there may be more, p is behind the last. */
static int walk_batch(struct sluice_db *d, const struct move_table *t, struct place *p, row_fn fn,
		      void *ctx)
{
	unsigned int count = (unsigned int)strlen(t->types);
	struct sluice_value v[MOVE_COLUMNS_MAX];
	struct sluice_rows *r =
		sluice_db_bind_values(d, move_statement(t, p->known ? MOVE_NEXT : MOVE_FIRST),
				      p->key, p->known ? t->keys : 0);
	struct place behind = { 0 };
	int rc, rows = 0;

	while ((rc = sluice_db_step(r)) > 0) {
		read_values(r, t->types, count, v);
		rc = fn(ctx, t, v, count);
		if (!rc && ++rows == MOVE_BATCH)
			rc = keep_place(&behind, v, t->keys);
		if (rc) {
			sluice_db_end(r);
			break;
		}
	}
	if (!rc && behind.known) {
		leave_place(p);
		*p = behind;
		return rows;
	}
	leave_place(&behind);
	return rc ? rc : rows;
}

static int ask(struct sluice_db *d, int which, int64_t *out)
{
	struct sluice_rows *r = sluice_db_bind_values(d, which, NULL, 0);
	int rc = sluice_db_step(r);

	*out = 0;
	if (rc <= 0)
		return rc;
	*out = sluice_db_int(r, 0);
	return sluice_db_run(r);
}

/* ---- copying ---- */

static int insert_row(void *ctx, const struct move_table *t, const struct sluice_value *v,
		      unsigned int count)
{
	struct move *m = ctx;
	int err = sluice_db_run(
		sluice_db_bind_values(m->to, move_statement(t, MOVE_INSERT), v, count));

	if (!err)
		m->out->copied += (uint64_t)sluice_db_changed(m->to);
	return err;
}

/* Behind the last row that is there. */
static int find_place(struct move *m, const struct move_table *t, struct place *p)
{
	struct sluice_rows *r = sluice_db_bind_values(m->to, move_statement(t, MOVE_LAST), NULL, 0);
	struct sluice_value key[MOVE_COLUMNS_MAX];
	int rc = sluice_db_step(r);

	if (rc <= 0)
		return rc;
	read_values(r, t->types, t->keys, key);
	rc = keep_place(p, key, t->keys);
	sluice_db_end(r);
	return rc;
}

static int copy_table(struct move *m, const struct move_table *t)
{
	struct place p = { 0 };
	int64_t total, done;
	int rows = 0, err = ask(m->from, move_statement(t, MOVE_COUNT), &total);

	if (!err)
		err = ask(m->to, move_statement(t, MOVE_COUNT), &done);
	if (!err)
		err = find_place(m, t, &p);
	while (!err) {
		if (m->c->stopping && m->c->stopping(m->c->ctx)) {
			err = -ECANCELED;
			break;
		}
		err = sluice_db_begin(m->to);
		if (!err)
			rows = walk_batch(m->from, t, &p, insert_row, m);
		if (!err && rows < 0)
			err = rows;
		if (!err)
			err = sluice_db_commit(m->to);
		if (err) {
			sluice_db_rollback(m->to);
			break;
		}
		done += rows;
		if (m->c->progress)
			m->c->progress(m->c->ctx, t->name, "copied", (uint64_t)done,
				       (uint64_t)total);
		if (rows < MOVE_BATCH)
			break;
	}
	leave_place(&p);
	return err;
}

/* A number that a row has had is never another's. */
static int copy_last_id(struct move *m)
{
	struct sluice_value v[2] = { { .type = 's' }, { .type = 'i' } };
	struct sluice_rows *r;
	int rc;

	if (!m->file->numbered)
		return 0;
	v[0].data = m->file->numbered;
	v[0].size = strlen(m->file->numbered);
	r = sluice_db_bind_values(m->from, MOVE_LAST_ID, v, 1);
	rc = sluice_db_step(r);
	if (rc <= 0)
		return rc;
	v[1].number = sluice_db_int(r, 0);
	sluice_db_end(r);
	if (v[1].number < 1)
		return 0;
	return sluice_db_run(sluice_db_bind_values(m->to, MOVE_SET_ID, v, 2));
}

/* Never less than before: the number of a list of the revoked. */
static int copy_deny(struct move *m)
{
	struct sluice_value v = { .type = 'i' };
	int err = m->file->deny ? ask(m->from, MOVE_DENY, &v.number) : 0;

	if (err || !m->file->deny)
		return err;
	return sluice_db_run(sluice_db_bind_values(m->to, MOVE_DENY_SET, &v, 1));
}

/* ---- comparing ---- */

struct digest {
	EVP_MD_CTX *sha;
	uint64_t rows;
};

/* Type, then number, or size and bytes; 'n' alone for NULL. */
static int digest_row(void *ctx, const struct move_table *t, const struct sluice_value *v,
		      unsigned int count)
{
	struct digest *d = ctx;
	unsigned int i;

	(void)t;
	for (i = 0; i < count; i++) {
		uint64_t n = htobe64(v[i].type == 'i' ? (uint64_t)v[i].number : v[i].size);

		if (!EVP_DigestUpdate(d->sha, &v[i].type, 1) ||
		    !EVP_DigestUpdate(d->sha, &n, sizeof(n)) ||
		    (v[i].data && !EVP_DigestUpdate(d->sha, v[i].data, v[i].size)))
			return -EIO;
	}
	d->rows++;
	return 0;
}

static int digest_table(struct move *m, struct sluice_db *db, const struct move_table *t,
			uint64_t *count, uint8_t out[EVP_MAX_MD_SIZE])
{
	struct digest d = { .sha = EVP_MD_CTX_new() };
	struct place p = { 0 };
	int64_t total;
	int rows = 0, err = d.sha && EVP_DigestInit(d.sha, EVP_sha256()) ? 0 : -ENOMEM;

	if (!err)
		err = ask(db, move_statement(t, MOVE_COUNT), &total);
	do {
		if (!err && m->c->stopping && m->c->stopping(m->c->ctx))
			err = -ECANCELED;
		if (!err)
			rows = walk_batch(db, t, &p, digest_row, &d);
		if (!err && rows < 0)
			err = rows;
		if (!err && m->c->progress)
			m->c->progress(m->c->ctx, t->name, "compared", d.rows, (uint64_t)total);
	} while (!err && rows == MOVE_BATCH);
	if (!err && !EVP_DigestFinal(d.sha, out, NULL))
		err = -EIO;
	*count = d.rows;
	EVP_MD_CTX_free(d.sha);
	leave_place(&p);
	return err;
}

static int compare_table(struct move *m, const struct move_table *t)
{
	uint8_t a[EVP_MAX_MD_SIZE], b[EVP_MAX_MD_SIZE];
	uint64_t rows, others;
	char hex[65];
	int err = digest_table(m, m->from, t, &rows, a);

	if (!err)
		err = digest_table(m, m->to, t, &others, b);
	if (err)
		return err;
	if (rows != others || memcmp(a, b, 32) != 0) {
		snprintf(m->why, SLUICE_PG_WHY,
			 "table %s has %llu rows in the file and %llu in PostgreSQL, and they are "
			 "not the same: somebody else has written there; drop the schema, say "
			 "sluice-cloud provision --config FILE, and this again",
			 t->name, (unsigned long long)rows, (unsigned long long)others);
		return -EUCLEAN;
	}
	m->out->rows += rows;
	sluice_hex(a, 32, hex);
	if (m->c->verified)
		m->c->verified(m->c->ctx, t->name, rows, hex);
	return 0;
}

/* ---- all of it ---- */

/* Every column of the file is one of those above: nothing is left behind unseen. */
static int check_known(struct move *m)
{
	const struct move_file *f = m->file;
	int64_t count;
	size_t i;
	int err = ask(m->from, MOVE_TABLES_KNOWN, &count);

	if (!err && (size_t)count != f->count + (size_t)f->deny)
		err = -EPROTONOSUPPORT;
	for (i = f->first; !err && i < f->first + f->count; i++) {
		struct sluice_value name = { .type = 's',
					     .data = move_tables[i].name,
					     .size = strlen(move_tables[i].name) };
		struct sluice_rows *r =
			sluice_db_bind_values(m->from, MOVE_COLUMNS_KNOWN, &name, 1);

		err = sluice_db_step(r) > 0 ? 0 : -EIO;
		if (!err && (size_t)sluice_db_int(r, 0) != strlen(move_tables[i].types))
			err = -EPROTONOSUPPORT;
		if (!err || err == -EPROTONOSUPPORT)
			sluice_db_end(r);
	}
	if (err == -EPROTONOSUPPORT)
		snprintf(m->why, SLUICE_PG_WHY, "%s has tables that this version cannot move",
			 m->c->path);
	return err;
}

/* The file as this version has it. */
static int open_file(struct move *m)
{
	const char *const *sql = (const char *const *)m->sql;

	switch (m->c->what) {
	case SLUICE_MOVE_AUTH:
		return sluice_auth_sqlite_db(m->c->path, sql, MOVE_ALL, &m->from);
	case SLUICE_MOVE_FLEET:
		return sluice_fleet_sqlite_db(m->c->path, sql, MOVE_ALL, &m->from);
	default:
		return sluice_index_sqlite_db(m->c->path, sql, MOVE_ALL, &m->from);
	}
}

/* Are the tables there that it goes into? */
static int check_tables(struct move *m)
{
	struct sluice_auth *auth;
	struct sluice_index *ix;
	int err;

	if (m->c->what == SLUICE_MOVE_INDEX) {
		err = sluice_index_pg_open(m->c->pg, &ix, m->why);
		sluice_index_close(ix);
	} else {
		err = sluice_auth_pg_open(m->c->pg, &auth, m->why);
		sluice_auth_close(auth);
	}
	return err;
}

static int open_sides(struct move *m)
{
	int err;

	if (access(m->c->path, R_OK | W_OK)) {
		err = -errno;
		snprintf(m->why, SLUICE_PG_WHY, "%s: %s", m->c->path, strerror(errno));
		return err;
	}
	err = open_file(m);
	if (err) {
		snprintf(m->why, SLUICE_PG_WHY, "cannot read %s: %s", m->c->path, strerror(-err));
		return err;
	}
	err = check_tables(m);
	if (!err)
		err = sluice_db_pg_open(m->c->pg, (const char *const *)m->sql, MOVE_ALL, &m->to,
					m->why);
	return err;
}

int sluice_index_move(const struct sluice_index_move_config *c, struct sluice_index_moved *out,
		      char *why)
{
	const struct move_file *f = &move_files[c->what];
	struct move m = { .c = c, .file = f, .out = out, .why = why };
	size_t i, end = f->first + f->count;
	int err = move_statements(m.sql);

	memset(out, 0, sizeof(*out));
	why[0] = 0;
	if (!err)
		err = open_sides(&m);
	if (!err)
		err = check_known(&m);
	for (i = f->first; !err && i < end; i++)
		err = copy_table(&m, &move_tables[i]);
	if (!err)
		err = copy_last_id(&m);
	if (!err)
		err = copy_deny(&m);
	for (i = f->first; !err && i < end; i++)
		err = compare_table(&m, &move_tables[i]);
	if (err == -ECANCELED)
		snprintf(why, SLUICE_PG_WHY, "interrupted; say it again to go on");
	else if (err && !why[0])
		snprintf(why, SLUICE_PG_WHY, "cannot move %s: %s%s%s", f->what, strerror(-err),
			 m.to && sluice_db_pg_error(m.to)[0] ? ": " : "",
			 m.to ? sluice_db_pg_error(m.to) : "");
	sluice_db_close(m.from);
	sluice_db_close(m.to);
	for (i = 0; i < MOVE_ALL; i++)
		free(m.sql[i]);
	return err;
}
