/* SPDX-License-Identifier: MIT */
/* people_pg.h - auth.h and fleet.h in PostgreSQL. Without libpq all of this is -ENOTSUP. */
#ifndef SLUICE_PEOPLE_PG_H
#define SLUICE_PEOPLE_PG_H

#include "cloud/auth.h"
#include "cloud/db_pg.h"
#include "cloud/fleet.h"

/* Over tables that provision has made; errors as of sluice_index_pg_open(). */
int sluice_auth_pg_open(const struct sluice_pg_config *c, struct sluice_auth **out, char *why);
int sluice_fleet_pg_open(const struct sluice_pg_config *c, struct sluice_fleet **out, char *why);

/* As sluice_index_pg_provision(), of the tables of people; the schema is there. */
int sluice_people_pg_provision(const struct sluice_pg_config *c, char *why);

#endif
