/* SPDX-License-Identifier: MIT */
/* pg_beside.h - who stands beside the node: asks the PostgreSQL server of these tests itself, by a
 * connection that is never cut. */
#ifndef SLUICE_CONFORM_PG_BESIDE_H
#define SLUICE_CONFORM_PG_BESIDE_H

#include <stdint.h>

#include "cloud/db_pg.h"

/* How a node is to connect: over TLS, as the user sluice of the data base sluice, once port and ca
 * are set. */
extern struct sluice_pg_config pg_config;

/* Port and authority of the server that runs, as main() is given them. */
void pg_beside(const char *port, const char *ca);
/* Its port; pg_config's may have become that of a wire. */
unsigned int pg_beside_port(void);
/* Statements. The first number of the answer, or 0. Exits on failure. */
int64_t pg_say(const char *sql);

#endif
