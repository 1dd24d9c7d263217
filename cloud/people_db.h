/* SPDX-License-Identifier: MIT */
/* people_db.h - auth.db and fleet.db, brought to this version, with statements of somebody else's:
 * for who moves their rows. */
#ifndef SLUICE_PEOPLE_DB_H
#define SLUICE_PEOPLE_DB_H

#include "cloud/db.h"

int sluice_auth_sqlite_db(const char *path, const char *const *sql, int count,
			  struct sluice_db **out);
int sluice_fleet_sqlite_db(const char *path, const char *const *sql, int count,
			   struct sluice_db **out);

#endif
