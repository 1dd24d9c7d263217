/* SPDX-License-Identifier: MIT */
/* db_sqlite.h - a SQLite file behind db.h. */
#ifndef SLUICE_DB_SQLITE_H
#define SLUICE_DB_SQLITE_H

#include "cloud/db.h"
#include "cloud/sqlite.h"

/* As sluice_sqlite_open(). */
int sluice_db_sqlite_open(const char *path, const struct sluice_sqlite_step *steps, int version,
			  const char *const *sql, int count, struct sluice_db **out);

/* The connection whose file is being brought to its version: for the function of a step. */
struct sluice_db *sluice_db_of_sqlite(struct sluice_sqlite *s);

#endif
