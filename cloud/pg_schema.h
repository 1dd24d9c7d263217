/* SPDX-License-Identifier: MIT */
/*
 * pg_schema.h - how tables come to be in a schema of PostgreSQL, step by step: a set of them has a
 * table of its own that says how many steps it has had.
 */
#ifndef SLUICE_PG_SCHEMA_H
#define SLUICE_PG_SCHEMA_H

#include "cloud/db_pg.h"

struct sluice_pg_tables {
	const char *what;    /* for people: "the index" */
	const char *version; /* its table of one number */
	const char *const *steps;
	int count;
};

/*
 * Makes the schema and the tables, or brings them to this version, together or not at all; two who
 * do it at once wait for each other. 1: everything was there; 0: something was done; or an error of
 * db_pg.h with a sentence in why, SLUICE_PG_WHY bytes; -EPROTONOSUPPORT: a later version's.
 */
int sluice_pg_provision(const struct sluice_pg_config *c, const struct sluice_pg_tables *t,
			char *why);

/* Are they there, and of this version? 0, or an error with a sentence in why. */
int sluice_pg_check(struct sluice_db *d, const struct sluice_pg_tables *t, char *why);

#endif
