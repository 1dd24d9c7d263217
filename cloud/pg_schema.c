// SPDX-License-Identifier: MIT
/* pg_schema.c - see pg_schema.h. */
#include <errno.h>
#include <stdio.h>

#include "cloud/pg_schema.h"

/* "SLUICE" as a number: whoever makes the tables of any schema of this data base waits here. */
#define LOCK "SELECT pg_advisory_xact_lock(91479384376133)"

/* The number of steps that the tables have had; 0: there are none. */
static int ask_version(struct sluice_db *d, const struct sluice_pg_tables *t, int *version)
{
	char text[160];
	int64_t n;
	int err;

	snprintf(text, sizeof(text),
		 "SELECT count(*) FROM pg_tables WHERE tablename = '%s'"
		 " AND schemaname = current_schema()",
		 t->version);
	err = sluice_db_pg_ask(d, text, &n);
	snprintf(text, sizeof(text), "SELECT max(version) FROM %s", t->version);
	if (!err && n)
		err = sluice_db_pg_ask(d, text, &n);
	*version = err ? 0 : (int)n;
	return err;
}

static int make_schema(struct sluice_db *d)
{
	char text[100 + SLUICE_PG_SCHEMA_MAX];
	int64_t there;
	int err;

	snprintf(text, sizeof(text), "SELECT count(*) FROM pg_namespace WHERE nspname = '%s'",
		 sluice_db_pg_schema(d));
	err = sluice_db_pg_ask(d, text, &there);
	if (err || there)
		return err;
	snprintf(text, sizeof(text), "CREATE SCHEMA \"%s\"", sluice_db_pg_schema(d));
	return sluice_db_pg_exec(d, text);
}

/* 1: nothing to do. */
static int climb(struct sluice_db *d, const struct sluice_pg_tables *t, char *why)
{
	int version = 0, done, err = sluice_db_pg_exec(d, LOCK);
	char text[160];

	if (!err)
		err = make_schema(d);
	if (!err)
		err = ask_version(d, t, &version);
	if (err)
		return err;
	if (version > t->count) {
		snprintf(why, SLUICE_PG_WHY,
			 "%s in schema %s is of version %d, which a later sluice-cloud has made; "
			 "this one knows %d: use that one",
			 t->what, sluice_db_pg_schema(d), version, t->count);
		return -EPROTONOSUPPORT;
	}
	done = version == t->count;
	snprintf(text, sizeof(text),
		 "CREATE TABLE %s (version BIGINT NOT NULL); INSERT INTO %s VALUES (0)", t->version,
		 t->version);
	if (!version)
		err = sluice_db_pg_exec(d, text);
	for (; !err && version < t->count; version++)
		err = sluice_db_pg_exec(d, t->steps[version]);
	snprintf(text, sizeof(text), "UPDATE %s SET version = %d", t->version, version);
	if (!err && !done)
		err = sluice_db_pg_exec(d, text);
	return err ? err : done;
}

int sluice_pg_provision(const struct sluice_pg_config *c, const struct sluice_pg_tables *t,
			char *why)
{
	struct sluice_db *d;
	int err, rc = sluice_db_pg_open(c, NULL, 0, &d, why);

	if (rc)
		return rc;
	rc = sluice_db_begin(d);
	if (!rc)
		rc = climb(d, t, why);
	if (rc >= 0) {
		err = sluice_db_commit(d);
		rc = err ? err : rc;
	}
	if (rc < 0 && !why[0])
		snprintf(why, SLUICE_PG_WHY, "cannot make the tables of %s: %.300s%s", t->what,
			 sluice_db_pg_error(d),
			 rc == -EPERM ? "; provision must connect as who may make a schema there"
				      : "");
	sluice_db_rollback(d);
	sluice_db_close(d);
	return rc;
}

int sluice_pg_check(struct sluice_db *d, const struct sluice_pg_tables *t, char *why)
{
	int version = 0, err = ask_version(d, t, &version);

	if (err) {
		snprintf(why, SLUICE_PG_WHY, "cannot read %s: %.400s", t->what,
			 sluice_db_pg_error(d));
	} else if (version != t->count) {
		err = version ? -EPROTONOSUPPORT : -ENODEV;
		snprintf(why, SLUICE_PG_WHY,
			 "schema %s of the data base %s %s%s; say: sluice-cloud provision "
			 "--config FILE",
			 sluice_db_pg_schema(d),
			 version ? "is of another version of" : "has no tables of", t->what,
			 version > t->count ? ", a later one" : "");
	}
	return err;
}
