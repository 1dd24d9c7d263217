// SPDX-License-Identifier: MIT
/* index_pg_absent.c - in the place of index_pg.c and its driver where libpq is not there. */
#include <errno.h>
#include <stdio.h>

#include "cloud/index_move.h"
#include "cloud/index_pg.h"
#include "cloud/people_pg.h"

static const char absent[] = "built without libpq; install libpq-dev and build again";

int sluice_index_pg_open(const struct sluice_pg_config *c, struct sluice_index **out, char *why)
{
	(void)c;
	*out = NULL;
	snprintf(why, SLUICE_PG_WHY, "%s", absent);
	return -ENOTSUP;
}

int sluice_index_pg_provision(const struct sluice_pg_config *c, char *why)
{
	(void)c;
	snprintf(why, SLUICE_PG_WHY, "%s", absent);
	return -ENOTSUP;
}

int sluice_index_pg_passes(int err)
{
	(void)err;
	return 0;
}

const char *sluice_index_pg_library(void)
{
	return NULL;
}

int sluice_index_move(const struct sluice_index_move_config *c, struct sluice_index_moved *out,
		      char *why)
{
	*out = (struct sluice_index_moved){ 0 };
	return sluice_index_pg_provision(c->pg, why);
}

int sluice_people_pg_provision(const struct sluice_pg_config *c, char *why)
{
	return sluice_index_pg_provision(c, why);
}

int sluice_auth_pg_open(const struct sluice_pg_config *c, struct sluice_auth **out, char *why)
{
	*out = NULL;
	return sluice_index_pg_provision(c, why);
}

int sluice_fleet_pg_open(const struct sluice_pg_config *c, struct sluice_fleet **out, char *why)
{
	*out = NULL;
	return sluice_index_pg_provision(c, why);
}
