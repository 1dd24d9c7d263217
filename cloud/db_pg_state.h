/* SPDX-License-Identifier: MIT */
/* db_pg_state.h - what the files of the driver for PostgreSQL share. Nobody else includes it. */
#ifndef SLUICE_DB_PG_STATE_H
#define SLUICE_DB_PG_STATE_H

#include <libpq-fe.h>
#include <stdarg.h>

#include "cloud/db_pg.h"
#include "lib/log.h"

#define DB_PG_PARAMETERS_MAX 32

enum db_pg_option {
	DB_PG_HOST,
	DB_PG_PORT,
	DB_PG_DATABASE,
	DB_PG_USER,
	DB_PG_PASSWORD,
	DB_PG_SSLMODE,
	DB_PG_CA,
	DB_PG_CERTIFICATE,
	DB_PG_KEY,
	DB_PG_CONNECT,
	DB_PG_OPTIONS
};

/* A statement, its parameters and what came of it. */
struct db_pg_rows {
	struct sluice_rows base;
	PGresult *result; /* NULL: not run, or at its end */
	int row, prepared;
	int count; /* of parameters */
	Oid types[DB_PG_PARAMETERS_MAX];
	const char *values[DB_PG_PARAMETERS_MAX];
	int lengths[DB_PG_PARAMETERS_MAX], formats[DB_PG_PARAMETERS_MAX];
	uint64_t numbers[DB_PG_PARAMETERS_MAX]; /* big-endian */
};

struct db_pg {
	struct sluice_db base;
	PGconn *conn; /* NULL: none */
	char *options[DB_PG_OPTIONS];
	char schema[SLUICE_PG_SCHEMA_MAX];
	unsigned int timeout_ms;
	const char *const *sql;
	int count;
	struct db_pg_rows *rows; /* one per statement */
	int begun;		 /* a transaction, also one that is lost */
	int64_t changed;
	char error[SLUICE_PG_WHY];
	struct sluice_log_limit limit;
};

static inline struct db_pg *db_pg_of(struct sluice_db *d)
{
	return (struct db_pg *)d;
}

/* ---- db_pg_link.c ---- */

/* Takes c over. 0; -EINVAL with d->error; -ENOMEM. */
int db_pg_configure(struct db_pg *d, const struct sluice_pg_config *c);
/* 0; -EPERM: the server does not want us; -ENOTCONN; d->error says why. */
int db_pg_connect(struct db_pg *d);
/* There is a connection: the one that was, or, outside of transactions, a new one. */
int db_pg_ensure(struct db_pg *d);
/* The connection goes; the server ends what it was in. Returns err. */
int db_pg_lose(struct db_pg *d, int err);
/* What was sent has come to this; sent: what the function said that sent it. *res: the caller's. */
int db_pg_answer(struct db_pg *d, int sent, PGresult **res);
int db_pg_run_text(struct db_pg *d, const char *text, PGresult **res);

/* ---- db_pg_rows.c: as in struct sluice_db_ops ---- */

struct sluice_rows *db_pg_bind(struct sluice_db *base, int which, const char *fmt, va_list ap);
struct sluice_rows *db_pg_bind_values(struct sluice_db *base, int which,
				      const struct sluice_value *v, unsigned int count);
int db_pg_step(struct sluice_rows *base);
void db_pg_end(struct sluice_rows *base);
int db_pg_is_null(struct sluice_rows *base, int column);
int64_t db_pg_integer(struct sluice_rows *base, int column);
const char *db_pg_text(struct sluice_rows *base, int column);
const void *db_pg_blob(struct sluice_rows *base, int column, size_t *size);

#endif
