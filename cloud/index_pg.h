/* SPDX-License-Identifier: MIT */
/*
 * index_pg.h - the index in a PostgreSQL data base. Where libpq was not there at build time all of
 * this is -ENOTSUP.
 *
 * Many nodes may use one: transactions lock the rows that they change and no more, so two may
 * write at a time (SQLite lets one). -EBUSY: they waited for each other, or 5 s in vain.
 */
#ifndef SLUICE_INDEX_PG_H
#define SLUICE_INDEX_PG_H

#include "cloud/db_pg.h"
#include "cloud/index.h"

/*
 * A handle on what sluice_index_pg_provision() has made: this makes nothing. 0; or an error of
 * db_pg.h with a sentence in why, SLUICE_PG_WHY bytes, that says what to do; -EPROTONOSUPPORT: the
 * tables are of another version.
 */
int sluice_index_pg_open(const struct sluice_pg_config *c, struct sluice_index **out, char *why);

/*
 * Makes the schema and its tables, or brings them to this version, together or not at all; two who
 * do it at once wait for each other. 1: everything was there; 0: something was done; or as above.
 * Who connects must be allowed to make a schema in the data base.
 */
int sluice_index_pg_provision(const struct sluice_pg_config *c, char *why);

/* 1: an error that passes by itself, so that it is worth to try again. */
int sluice_index_pg_passes(int err);

/* "libpq 15.20", or NULL: built without. */
const char *sluice_index_pg_library(void);

#endif
