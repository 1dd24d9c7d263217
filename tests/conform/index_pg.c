// SPDX-License-Identifier: MIT
/*
 * index_pg.c - the index in a PostgreSQL server that runs: usage: index_pg PORT CA, where the user
 * sluice has the password "testing", which is asked for over TLS alone, and owns the data base
 * sluice. Runs the cases of all indexes
 * over TLS, then behind a wire that is cut, and looks at what an operator is told when a setting is
 * wrong.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <libpq-fe.h>

#include "cloud/index_pg.h"
#include "lib/log.h"
#include "tests/conform/cut_wire.h"
#include "tests/conform/index.h"
#include "tests/unit/check.h"

static struct sluice_pg_config config = {
	.host = "localhost", .user = "sluice", .password = "testing", .sslmode = "verify-full"
};
static unsigned int server_port, wire_port;

/* ---- the rig ---- */

/* What stands beside the node: asks the server itself, not through the wire. */
static void say(const char *sql)
{
	static PGconn *c;
	char port[16];
	const char *const names[] = {
		"host", "port", "user", "dbname", "sslmode", "options", NULL
	};
	const char *const values[] = { "127.0.0.1", port,      "sluice",
				       "sluice",    "disable", "-csearch_path=sluice",
				       NULL };
	PGresult *res;

	snprintf(port, sizeof(port), "%u", server_port);
	if (!c)
		c = PQconnectdbParams(names, values, 0);
	res = PQexec(c, sql);
	if (PQresultStatus(res) != PGRES_COMMAND_OK && PQresultStatus(res) != PGRES_TUPLES_OK) {
		fprintf(stderr, "%s: %s", sql, PQerrorMessage(c));
		exit(1);
	}
	PQclear(res);
}

static void rig_clear(struct conform_index *rig)
{
	(void)rig;
	say("DELETE FROM cameras; DELETE FROM segments; DELETE FROM frames; DELETE FROM epochs;"
	    "DELETE FROM runs; DELETE FROM summaries; DELETE FROM media; DELETE FROM facets;"
	    "DELETE FROM tags; DELETE FROM pins; DELETE FROM open_events; DELETE FROM ledgers;"
	    "DELETE FROM gone; DELETE FROM jobs; DELETE FROM fences");
}

static struct sluice_index *rig_open(struct conform_index *rig)
{
	char why[SLUICE_PG_WHY] = "";
	struct sluice_index *ix;

	(void)rig;
	if (sluice_index_pg_open(&config, &ix, why)) {
		fprintf(stderr, "cannot open: %s\n", why);
		exit(1);
	}
	return ix;
}

static unsigned int rig_fail(struct conform_index *rig, unsigned int way, unsigned int at)
{
	(void)rig;
	return cut_wire_at(way ? CUT_WIRE_BEHIND : CUT_WIRE_BEFORE, at);
}

/* ---- what an operator is told ---- */

static void refused(struct sluice_pg_config c, int err, const char *words)
{
	char why[SLUICE_PG_WHY] = "";
	struct sluice_index *ix;
	int got = sluice_index_pg_open(&c, &ix, why);

	if (got != err || !strstr(why, words))
		fprintf(stderr, "wanted %s with '%s', got %s: %s\n", strerror(-err), words,
			strerror(-got), why);
	CHECK(got == err && !ix && strstr(why, words) && !strstr(why, "testing"));
}

static void test_explains(void)
{
	struct sluice_pg_config c = config;
	char why[SLUICE_PG_WHY] = "";

	refused(c, -ENODEV, "sluice-cloud provision");
	c.password = "another";
	refused(c, -EPERM, "password authentication failed");
	c = config;
	c.database = "nowhere";
	refused(c, -EPERM, "\"nowhere\" does not exist");
	c = config;
	c.host = "127.0.0.1"; /* not the name in its certificate */
	refused(c, -ENOTCONN, "does not match host name");
	c = config;
	c.ca = "/nowhere.crt";
	refused(c, -ENOTCONN, "/nowhere.crt");
	c = config;
	c.ca = NULL; /* not an authority of the system */
	refused(c, -ENOTCONN, "certificate verify failed");
	c = config;
	c.port = 1;
	refused(c, -ENOTCONN, "refused");
	c = config;
	c.schema = "a\"; DROP SCHEMA sluice";
	refused(c, -EINVAL, "no name of a schema");
	c = config;
	c.sslmode = "disable";
	c.user = "reader";
	CHECK(sluice_index_pg_provision(&c, why) == -EPERM && strstr(why, "allowed") == NULL);
	CHECK(strstr(why, "permission denied") && strstr(why, "make a schema"));
}

/* Again: nothing to do. Of a later version: nothing is touched. */
static void test_provision(void)
{
	struct sluice_pg_config other = config;
	char why[SLUICE_PG_WHY] = "";
	struct sluice_index *ix;

	CHECK(sluice_index_pg_provision(&config, why) == 0 && !why[0]);
	CHECK(sluice_index_pg_provision(&config, why) == 1 && !why[0]);
	say("UPDATE version SET version = 99");
	CHECK(sluice_index_pg_provision(&config, why) == -EPROTONOSUPPORT && strstr(why, "later"));
	refused(config, -EPROTONOSUPPORT, "a later one");
	say("UPDATE version SET version = 2");
	/* one of an earlier version is brought to this one */
	say("DROP TABLE fences; UPDATE version SET version = 1");
	refused(config, -EPROTONOSUPPORT, "sluice-cloud provision");
	CHECK(sluice_index_pg_provision(&config, why) == 0);
	CHECK(!sluice_index_pg_open(&config, &ix, why));
	sluice_index_close(ix);
	/* two nodes in one data base that know nothing of each other */
	other.schema = "another";
	CHECK(sluice_index_pg_provision(&other, why) == 0);
	CHECK(!sluice_index_pg_open(&other, &ix, why));
	sluice_index_close(ix);
	say("SET client_min_messages = error; DROP SCHEMA another CASCADE");
}

/* ---- a cut ---- */

/* A handle that was idle meanwhile does not notice. */
static void test_reconnect(void)
{
	struct sluice_index *ix;
	struct sluice_camera c;
	uint64_t count;

	rig_clear(NULL);
	ix = rig_open(NULL);
	CHECK(!sluice_camera_init(&c, "t", "d", "c"));
	CHECK(!ix->ops->camera_add(ix, &c) && !ix->ops->frames_count(ix, &count));
	say("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid()"
	    " AND application_name = 'sluice-cloud'");
	CHECK(!ix->ops->frames_count(ix, &count));
	say("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid()"
	    " AND application_name = 'sluice-cloud'");
	CHECK(!ix->ops->begin(ix) && !ix->ops->camera_seen(ix, c.id, 5, 6, 7));
	/* and in a transaction: all of it is lost, then it goes on */
	say("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid()"
	    " AND application_name = 'sluice-cloud'");
	CHECK(ix->ops->camera_seen(ix, c.id, 8, 6, 7) == -ENOTCONN);
	CHECK(ix->ops->camera_seen(ix, c.id, 8, 6, 7) == -ENOTCONN);
	CHECK(ix->ops->commit(ix) == -ENOTCONN);
	ix->ops->rollback(ix);
	CHECK(!ix->ops->begin(ix) && !ix->ops->camera_seen(ix, c.id, 5, 6, 7) &&
	      !ix->ops->commit(ix));
	sluice_index_close(ix);
}

/* A server that says nothing holds nobody longer than it was told. */
static void test_silence(void)
{
	struct sluice_pg_config c = config;
	char why[SLUICE_PG_WHY] = "";
	struct sluice_index *ix;
	uint64_t count;

	c.timeout_ms = 300;
	CHECK(!sluice_index_pg_open(&c, &ix, why));
	if (!ix)
		return;
	CHECK(!ix->ops->frames_count(ix, &count));
	cut_wire_at(CUT_WIRE_SILENT, 1);
	CHECK(ix->ops->frames_count(ix, &count) == -ETIMEDOUT);
	CHECK(!ix->ops->frames_count(ix, &count));
	sluice_index_close(ix);
}

int main(int argc, char **argv)
{
	struct conform_index rig = { .name = "postgresql",
				     .clear = rig_clear,
				     .open = rig_open,
				     .fail = rig_fail,
				     .ways = 2,
				     .unsure = 1 };

	if (argc != 3)
		return 2;
	sluice_log_setup("index_pg", SLUICE_LOG_ERROR, false);
	server_port = config.port = (unsigned int)strtoul(argv[1], NULL, 10);
	config.ca = argv[2];
	test_explains();
	test_provision();
	conform_index(&rig);
	test_reconnect();
	wire_port = config.port = cut_wire_start(server_port);
	config.sslmode = "disable"; /* so that messages are counted as they are */
	conform_index_faults(&rig);
	test_silence();
	return check_result();
}
