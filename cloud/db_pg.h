/* SPDX-License-Identifier: MIT */
/*
 * db_pg.h - a connection to PostgreSQL behind db.h.
 *
 * A connection that was cut is made again before the next statement outside of a transaction; a
 * transaction that it was in is lost, and everything in it fails until the rollback. No call takes
 * longer than the config's timeout, and one more where it has to connect first.
 *
 * Errors besides those of db.h: -ENOTCONN the connection was cut, or cannot be made; -ETIMEDOUT no
 * answer in time; -EBUSY another transaction has what this one wants, or two waited for each other;
 * -ENOSPC the server's disk is full; -EPERM the server does not let us; -ENODEV there is no such
 * data base, schema or table; -EROFS it only reads, as a standby does; -EILSEQ a text is no UTF-8;
 * -EEXIST a row is there that must be single. The server's own words are logged, without values.
 *
 * All rows of a statement are in memory from its first step on.
 */
#ifndef SLUICE_DB_PG_H
#define SLUICE_DB_PG_H

#include "cloud/db.h"

#define SLUICE_PG_WHY	     512
#define SLUICE_PG_SCHEMA_MAX 48

/* Texts may be NULL or "": what libpq does by default, unless said otherwise. */
struct sluice_pg_config {
	const char *host;     /* name, address or directory of the socket; several with commas */
	const char *database; /* "": sluice */
	const char *user, *password;
	const char *sslmode; /* "": verify-full, but prefer where the host is this machine */
	const char *ca;	     /* file; "": what the system trusts, with verify-full */
	const char *certificate, *key; /* files of the client's */
	const char *schema;	       /* [a-z_][a-z0-9_]*; "": sluice */
	unsigned int port;	       /* 0: 5432 */
	unsigned int timeout_ms;       /* of one call; 0: 30 s */
};

/*
 * Copies the config and connects. sql[count] are the statements. 0; or an error with a sentence in
 * why, SLUICE_PG_WHY bytes, that says what to do.
 */
int sluice_db_pg_open(const struct sluice_pg_config *c, const char *const *sql, int count,
		      struct sluice_db **out, char *why);

/* Runs text without parameters, which may be several statements. */
int sluice_db_pg_exec(struct sluice_db *d, const char *text);

/* The number that a question without parameters gives; 0 if it gives none. */
int sluice_db_pg_ask(struct sluice_db *d, const char *text, int64_t *out);

/* What the last call that failed was told by the server; valid until the next call. */
const char *sluice_db_pg_error(struct sluice_db *d);

const char *sluice_db_pg_schema(struct sluice_db *d);

#endif
