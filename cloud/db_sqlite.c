// SPDX-License-Identifier: MIT
/* db_sqlite.c - the driver for SQLite: a connection of sqlite.h behind db.h. */
#include <errno.h>
#include <stddef.h>
#include <stdlib.h>

#include "cloud/db_sqlite.h"

struct rows {
	struct sluice_rows base;
	sqlite3_stmt *st; /* of the connection */
};

struct db {
	struct sluice_db base;
	struct sluice_sqlite s;
	struct rows *rows; /* one per statement */
};

static struct sluice_sqlite *sqlite_of(struct sluice_db *d)
{
	return &((struct db *)d)->s;
}

static sqlite3_stmt *statement(struct sluice_rows *r)
{
	return ((struct rows *)r)->st;
}

struct sluice_db *sluice_db_of_sqlite(struct sluice_sqlite *s)
{
	return (struct sluice_db *)((char *)s - offsetof(struct db, s));
}

static void close_db(struct sluice_db *d)
{
	sluice_sqlite_close(sqlite_of(d));
	free(((struct db *)d)->rows);
	free(d);
}

static int begin(struct sluice_db *d)
{
	return sluice_sqlite_begin(sqlite_of(d));
}

static int commit(struct sluice_db *d)
{
	return sluice_sqlite_commit(sqlite_of(d));
}

static void rollback(struct sluice_db *d)
{
	sluice_sqlite_rollback(sqlite_of(d));
}

static int idle(struct sluice_db *d)
{
	return sqlite3_get_autocommit(sqlite_of(d)->db);
}

static int64_t changed(struct sluice_db *d)
{
	return sqlite3_changes64(sqlite_of(d)->db);
}

static struct sluice_rows *bind(struct sluice_db *d, int which, const char *fmt, va_list ap)
{
	struct rows *r = &((struct db *)d)->rows[which];

	r->base.db = d;
	r->st = sluice_sqlite_vbind(sqlite_of(d), which, fmt, ap);
	return r->st ? &r->base : NULL;
}

static int bind_value(sqlite3_stmt *st, int i, const struct sluice_value *v)
{
	switch (v->type) {
	case 'i':
		return sqlite3_bind_int64(st, i, v->number);
	case 's':
		return sqlite3_bind_text64(st, i, v->data, v->size, SQLITE_STATIC, SQLITE_UTF8);
	case 'b':
		return sqlite3_bind_blob64(st, i, v->data, v->size, SQLITE_STATIC);
	case 'n':
		return sqlite3_bind_null(st, i);
	default:
		return SQLITE_MISUSE;
	}
}

static struct sluice_rows *bind_values(struct sluice_db *d, int which, const struct sluice_value *v,
				       unsigned int count)
{
	struct rows *r = &((struct db *)d)->rows[which];
	unsigned int i;

	r->base.db = d;
	r->st = sluice_sqlite_bind(sqlite_of(d), which, "");
	for (i = 0; r->st && i < count; i++)
		if (bind_value(r->st, (int)i + 1, &v[i]) != SQLITE_OK)
			return NULL;
	return r->st ? &r->base : NULL;
}

static int step(struct sluice_rows *r)
{
	return sluice_sqlite_step(statement(r));
}

static void end(struct sluice_rows *r)
{
	sqlite3_reset(statement(r));
}

static int is_null(struct sluice_rows *r, int column)
{
	return sqlite3_column_type(statement(r), column) == SQLITE_NULL;
}

static int64_t integer(struct sluice_rows *r, int column)
{
	return sqlite3_column_int64(statement(r), column);
}

static const char *text(struct sluice_rows *r, int column)
{
	return sluice_sqlite_text(statement(r), column);
}

static const void *blob(struct sluice_rows *r, int column, size_t *size)
{
	const void *p = sqlite3_column_blob(statement(r), column);

	*size = (size_t)sqlite3_column_bytes(statement(r), column);
	return p;
}

static const struct sluice_db_ops ops = {
	.close = close_db,
	.begin = begin,
	.commit = commit,
	.rollback = rollback,
	.idle = idle,
	.changed = changed,
	.bind = bind,
	.bind_values = bind_values,
	.step = step,
	.end = end,
	.is_null = is_null,
	.integer = integer,
	.text = text,
	.blob = blob,
};

int sluice_db_sqlite_open(const char *path, const struct sluice_sqlite_step *steps, int version,
			  const char *const *sql, int count, struct sluice_db **out)
{
	struct db *d = calloc(1, sizeof(*d));
	int err;

	*out = NULL;
	if (!d)
		return -ENOMEM;
	d->base.ops = &ops;
	d->rows = calloc((size_t)count, sizeof(*d->rows));
	err = d->rows ? sluice_sqlite_open(&d->s, path, steps, version, sql, count) : -ENOMEM;
	if (err) {
		free(d->rows);
		free(d);
		return err;
	}
	*out = &d->base;
	return 0;
}
