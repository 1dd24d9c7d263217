// SPDX-License-Identifier: MIT
/* db_pg.c - the driver for PostgreSQL: transactions, opening and closing. See db_pg.h. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cloud/db_pg_state.h"

int sluice_db_pg_exec(struct sluice_db *d, const char *text)
{
	PGresult *res;
	int err = db_pg_of(d)->conn ? db_pg_run_text(db_pg_of(d), text, &res) : -ENOTCONN;

	if (!err)
		PQclear(res);
	return err;
}

int sluice_db_pg_ask(struct sluice_db *d, const char *text, int64_t *out)
{
	PGresult *res;
	int err = db_pg_of(d)->conn ? db_pg_run_text(db_pg_of(d), text, &res) : -ENOTCONN;

	*out = 0;
	if (err)
		return err;
	if (PQntuples(res) && PQnfields(res))
		*out = strtoll(PQgetvalue(res, 0, 0), NULL, 10);
	PQclear(res);
	return 0;
}

/* ---- transactions ---- */

static int begin(struct sluice_db *base)
{
	static const char text[] = "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE";
	struct db_pg *d = db_pg_of(base);
	PGresult *res = NULL;
	int err;

	if (d->begun)
		return -EBUSY;
	err = db_pg_ensure(d);
	if (!err)
		err = db_pg_run_text(d, text, &res);
	if (err == -ENOTCONN && !db_pg_ensure(d)) /* nothing has been done yet */
		err = db_pg_run_text(d, text, &res);
	PQclear(res);
	d->begun = !err;
	return err;
}

/* In a transaction in which something failed the server answers COMMIT with ROLLBACK. */
static int commit(struct sluice_db *base)
{
	struct db_pg *d = db_pg_of(base);
	PGresult *res;
	int err = d->conn && d->begun ? db_pg_run_text(d, "COMMIT", &res) : -ENOTCONN;

	if (err)
		return err;
	if (strcmp(PQcmdStatus(res), "COMMIT") != 0)
		err = -EIO;
	else
		d->begun = 0;
	PQclear(res);
	return err;
}

static void rollback(struct sluice_db *base)
{
	struct db_pg *d = db_pg_of(base);
	PGresult *res = NULL;

	if (d->begun && d->conn && PQtransactionStatus(d->conn) != PQTRANS_IDLE &&
	    db_pg_run_text(d, "ROLLBACK", &res) && d->conn)
		db_pg_lose(d, 0);
	PQclear(res);
	d->begun = 0;
}

static int idle(struct sluice_db *base)
{
	return !db_pg_of(base)->begun;
}

static int64_t changed(struct sluice_db *base)
{
	return db_pg_of(base)->changed;
}

/* ---- opening ---- */

static void close_db(struct sluice_db *base)
{
	struct db_pg *d = db_pg_of(base);
	int i;

	for (i = 0; d->rows && i < d->count; i++)
		PQclear(d->rows[i].result);
	free(d->rows);
	PQfinish(d->conn);
	for (i = 0; i < DB_PG_OPTIONS; i++) {
		if (d->options[i] && i == DB_PG_PASSWORD)
			explicit_bzero(d->options[i], strlen(d->options[i]));
		free(d->options[i]);
	}
	free(d);
}

static const struct sluice_db_ops ops = {
	.close = close_db,
	.begin = begin,
	.commit = commit,
	.rollback = rollback,
	.idle = idle,
	.changed = changed,
	.bind = db_pg_bind,
	.bind_values = db_pg_bind_values,
	.step = db_pg_step,
	.end = db_pg_end,
	.is_null = db_pg_is_null,
	.integer = db_pg_integer,
	.text = db_pg_text,
	.blob = db_pg_blob,
};

int sluice_db_pg_open(const struct sluice_pg_config *c, const char *const *sql, int count,
		      struct sluice_db **out, char *why)
{
	struct db_pg *d = calloc(1, sizeof(*d));
	int err;

	*out = NULL;
	snprintf(why, SLUICE_PG_WHY, "no memory");
	if (!d)
		return -ENOMEM;
	d->base.ops = &ops;
	d->sql = sql;
	d->count = count;
	d->limit = (struct sluice_log_limit){ .burst = 5, .interval_ms = 10000 };
	d->rows = calloc((size_t)count + 1, sizeof(*d->rows));
	err = d->rows ? db_pg_configure(d, c) : -ENOMEM;
	if (!err)
		err = db_pg_connect(d);
	if (err) {
		if (err != -ENOMEM)
			snprintf(why, SLUICE_PG_WHY, "%s", d->error);
		close_db(&d->base);
		return err;
	}
	why[0] = 0;
	*out = &d->base;
	return 0;
}

const char *sluice_db_pg_error(struct sluice_db *d)
{
	return db_pg_of(d)->error;
}

const char *sluice_db_pg_schema(struct sluice_db *d)
{
	return db_pg_of(d)->schema;
}
