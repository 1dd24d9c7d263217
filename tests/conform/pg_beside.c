// SPDX-License-Identifier: MIT
/* pg_beside.c - see pg_beside.h. */
#include <libpq-fe.h>
#include <stdio.h>
#include <stdlib.h>

#include "tests/conform/pg_beside.h"

struct sluice_pg_config pg_config = {
	.host = "localhost", .user = "sluice", .password = "testing", .sslmode = "verify-full"
};
static unsigned int server_port;

void pg_beside(const char *port, const char *ca)
{
	server_port = pg_config.port = (unsigned int)strtoul(port, NULL, 10);
	pg_config.ca = ca;
}

unsigned int pg_beside_port(void)
{
	return server_port;
}

int64_t pg_say(const char *sql)
{
	static PGconn *c;
	char port[16];
	const char *const names[] = {
		"host", "port", "user", "dbname", "sslmode", "options", NULL
	};
	const char *const values[] = { "127.0.0.1", port,      "sluice",
				       "sluice",    "disable", "-csearch_path=sluice",
				       NULL };
	int64_t n = 0;
	PGresult *res;

	snprintf(port, sizeof(port), "%u", server_port);
	if (!c)
		c = PQconnectdbParams(names, values, 0);
	res = PQexec(c, sql);
	if (PQresultStatus(res) != PGRES_COMMAND_OK && PQresultStatus(res) != PGRES_TUPLES_OK) {
		fprintf(stderr, "%s: %s", sql, PQerrorMessage(c));
		exit(1);
	}
	if (PQntuples(res))
		n = atoll(PQgetvalue(res, 0, 0));
	PQclear(res);
	return n;
}
