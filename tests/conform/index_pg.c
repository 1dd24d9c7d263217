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
#include <unistd.h>
#include <sqlite3.h>

#include "cloud/index_move.h"
#include "lib/log.h"
#include "tests/conform/cut_wire.h"
#include "tests/conform/index_case.h"
#include "tests/conform/pg_beside.h"
#include "tests/unit/check.h"

/* ---- the rig ---- */

static void rig_clear(struct conform_index *rig)
{
	(void)rig;
	pg_say("DELETE FROM cameras; DELETE FROM segments; DELETE FROM frames; DELETE FROM epochs;"
	       "DELETE FROM runs; DELETE FROM summaries; DELETE FROM media; DELETE FROM facets;"
	       "DELETE FROM tags; DELETE FROM pins; DELETE FROM open_events; DELETE FROM ledgers;"
	       "DELETE FROM gone; DELETE FROM jobs; DELETE FROM fences; DELETE FROM tallies");
}

static struct sluice_index *rig_open(struct conform_index *rig)
{
	char why[SLUICE_PG_WHY] = "";
	struct sluice_index *ix;

	(void)rig;
	if (sluice_index_pg_open(&pg_config, &ix, why)) {
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
	struct sluice_pg_config c = pg_config;
	char why[SLUICE_PG_WHY] = "";

	refused(c, -ENODEV, "sluice-cloud provision");
	c.password = "another";
	refused(c, -EPERM, "password authentication failed");
	c = pg_config;
	c.database = "nowhere";
	refused(c, -EPERM, "\"nowhere\" does not exist");
	c = pg_config;
	c.host = "127.0.0.1"; /* not the name in its certificate */
	refused(c, -ENOTCONN, "does not match host name");
	c = pg_config;
	c.ca = "/nowhere.crt";
	refused(c, -ENOTCONN, "/nowhere.crt");
	c = pg_config;
	c.ca = NULL; /* not an authority of the system */
	refused(c, -ENOTCONN, "certificate verify failed");
	c = pg_config;
	c.port = 1;
	refused(c, -ENOTCONN, "refused");
	c = pg_config;
	c.schema = "a\"; DROP SCHEMA sluice";
	refused(c, -EINVAL, "no name of a schema");
	c = pg_config;
	c.sslmode = "disable";
	c.user = "reader";
	CHECK(sluice_index_pg_provision(&c, why) == -EPERM && strstr(why, "allowed") == NULL);
	CHECK(strstr(why, "permission denied") && strstr(why, "make a schema"));
}

/* Again: nothing to do. Of a later version: nothing is touched. */
static void test_provision(void)
{
	struct sluice_pg_config other = pg_config;
	char why[SLUICE_PG_WHY] = "";
	struct sluice_index *ix;

	CHECK(sluice_index_pg_provision(&pg_config, why) == 0 && !why[0]);
	CHECK(sluice_index_pg_provision(&pg_config, why) == 1 && !why[0]);
	pg_say("UPDATE version SET version = 99");
	CHECK(sluice_index_pg_provision(&pg_config, why) == -EPROTONOSUPPORT &&
	      strstr(why, "later"));
	refused(pg_config, -EPROTONOSUPPORT, "a later one");
	pg_say("UPDATE version SET version = 4");
	/* one of an earlier version is brought to this one */
	pg_say("ALTER TABLE summaries DROP COLUMN token; DROP TABLE fences; DROP TABLE tallies;"
	       " UPDATE version SET version = 1");
	refused(pg_config, -EPROTONOSUPPORT, "sluice-cloud provision");
	CHECK(sluice_index_pg_provision(&pg_config, why) == 0);
	CHECK(!sluice_index_pg_open(&pg_config, &ix, why));
	sluice_index_close(ix);
	/* two nodes in one data base that know nothing of each other */
	other.schema = "another";
	CHECK(sluice_index_pg_provision(&other, why) == 0);
	CHECK(!sluice_index_pg_open(&other, &ix, why));
	sluice_index_close(ix);
	pg_say("SET client_min_messages = error; DROP SCHEMA another CASCADE");
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
	pg_say("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> "
	       "pg_backend_pid()"
	       " AND application_name = 'sluice-cloud'");
	CHECK(!ix->ops->frames_count(ix, &count));
	pg_say("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> "
	       "pg_backend_pid()"
	       " AND application_name = 'sluice-cloud'");
	CHECK(!ix->ops->begin(ix) && !ix->ops->camera_seen(ix, c.id, 5, 6, 7));
	/* and in a transaction: all of it is lost, then it goes on */
	pg_say("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> "
	       "pg_backend_pid()"
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
	struct sluice_pg_config c = pg_config;
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

/* ---- from a file ---- */

#define MOVED_FRAMES 2500 /* more than two batches */

static char file[] = "/tmp/index_pg.XXXXXX", file_path[64];

static void file_clear(struct conform_index *rig)
{
	(void)rig;
	unlink(file_path);
}

static struct sluice_index *file_open(struct conform_index *rig)
{
	struct sluice_index *ix;

	(void)rig;
	if (sluice_index_sqlite_open(file_path, &ix))
		exit(1);
	return ix;
}

/* Something in every table, and what is easily lost on the way: NULL, high bits, odd bytes. */
static void fill_file(void)
{
	struct conform_index rig = { .clear = file_clear, .open = file_open };
	struct sluice_index *ix = index_begin(&rig);
	struct sluice_index_segment s;
	struct sluice_index_epoch e = { .epoch = 5, .first_ns = 1, .first_utc_ns = T0 };
	struct sluice_index_run r = { .epoch = 5, .first = 1, .last = 9 };
	struct sluice_index_summary open = {
		.id = "0a", .epoch = 5, .start_utc_ns = T0, .json = "{}"
	};
	struct sluice_index_tally t = {
		.day = 9, .settings = UINT32_MAX, .counts = "\0\xff'", .size = 3
	};
	struct sluice_index_job j = { .id = "0b", .kind = "period", .by = "x", .settings = "{}" };

	memcpy(e.camera, index_camera[C1].id, 16);
	memcpy(r.camera, index_camera[C1].id, 16);
	memcpy(open.camera, index_camera[C1].id, 16);
	memcpy(j.camera, index_camera[C1].id, 16);
	memcpy(t.camera, index_camera[C1].id, 16);
	CHECK(!ix->ops->begin_fenced(ix, 3, 7));
	index_segment(ix, C0, 5, 0, MOVED_FRAMES, SLUICE_REASON_MOTION);
	s = index_segment(ix, C1, 5, DAY, 3, SLUICE_REASON_MOTION);
	CHECK(!ix->ops->camera_ledger(ix, index_camera[C1].id, T0, 5, "a\0b'\xff", 5));
	CHECK(!ix->ops->epoch_add(ix, &e) && !ix->ops->run_add(ix, &r));
	CHECK(!index_summary(ix, C0, 1, T0,
			     "{\"kind\":\"event\",\"nuisance\":true,\"width\":16,\"height\":16,"
			     "\"title\":\"\xc3\x84rger's\",\"tracks\":[{\"class\":\"small\","
			     "\"boxes\":[[0,15,15,1,1]]}]}"));
	CHECK(!ix->ops->event_open(ix, &open) && !ix->ops->job_add(ix, &j));
	CHECK(!ix->ops->tally_put(ix, &t));
	CHECK(!ix->ops->commit(ix));
	CHECK(!ix->ops->summary_pin(ix, &index_all, index_id(1), "me", "it's", 5));
	CHECK(ix->ops->segment_drop(ix, &s, 100) == 0); /* its number was the highest */
	sluice_index_close(ix);
}

struct moving {
	unsigned int asked, stop_at, tables;
	uint64_t rows;
};

static int stop_moving(void *ctx)
{
	struct moving *m = ctx;

	return m->stop_at && ++m->asked == m->stop_at;
}

static void on_verified(void *ctx, const char *table, uint64_t rows, const char *sha256)
{
	struct moving *m = ctx;

	CHECK(rows && strlen(sha256) == 64);
	if (!rows)
		fprintf(stderr, "nothing of table %s was moved\n", table);
	m->tables++;
	m->rows += rows;
}

static int move(unsigned int stop_at, struct sluice_index_moved *moved, char *why)
{
	struct moving m = { .stop_at = stop_at };
	const struct sluice_index_move_config c = { .path = file_path,
						    .pg = &pg_config,
						    .verified = on_verified,
						    .stopping = stop_moving,
						    .ctx = &m };
	int err = sluice_index_move(&c, moved, why);

	CHECK(err || (m.tables == 16 && m.rows == moved->rows));
	return err;
}

static void alter_file(const char *sql)
{
	sqlite3 *raw;

	CHECK(!sqlite3_open(file_path, &raw) && !sqlite3_exec(raw, sql, NULL, NULL, NULL));
	sqlite3_close(raw);
}

static void test_move(void)
{
	struct sluice_index_segment next = { .path = "segments/next.seg" };
	struct sluice_index_moved moved;
	struct index_list l = { 0 };
	char why[SLUICE_PG_WHY];
	struct sluice_index *ix;
	uint64_t count;

	if (!mkdtemp(file))
		exit(1);
	snprintf(file_path, sizeof(file_path), "%s/index.db", file);
	rig_clear(NULL);
	fill_file();
	/* broken off between two batches of frames, then while it compares, then done */
	CHECK(move(5, &moved, why) == -ECANCELED && strstr(why, "again"));
	CHECK(moved.copied > 1000 && moved.copied < MOVED_FRAMES);
	CHECK(move(24, &moved, why) == -ECANCELED);
	CHECK(moved.copied > 500 && moved.copied < MOVED_FRAMES);
	CHECK(!move(0, &moved, why) && !moved.copied && moved.rows > MOVED_FRAMES);
	ix = rig_open(NULL);
	CHECK(!ix->ops->frames_count(ix, &count) && count == MOVED_FRAMES);
	CHECK(!ix->ops->summaries(ix, &index_all, NULL, 9, index_list_summary, &l));
	CHECK(index_list_is(&l, "1"));
	CHECK(ix->ops->begin_fenced(ix, 3, 6) == -ESTALE);
	pg_say("UPDATE fences SET refused = 0");
	memcpy(next.camera, index_camera[C0].id, 16);
	CHECK(!ix->ops->segment_add(ix, &next) && next.id == 3); /* 2 was another's */
	sluice_index_close(ix);
	/* one row more, one bit of one row */
	CHECK(move(0, &moved, why) == -EUCLEAN && strstr(why, "segments"));
	pg_say("DELETE FROM segments WHERE id = 3; UPDATE frames SET flags = 1 WHERE seq = 7");
	CHECK(move(0, &moved, why) == -EUCLEAN && strstr(why, "frames"));
	pg_say("UPDATE frames SET flags = 0 WHERE seq = 7; UPDATE cameras SET ledger = ''"
	       " WHERE ledger IS NULL");
	CHECK(move(0, &moved, why) == -EUCLEAN && strstr(why, "cameras"));
	pg_say("UPDATE cameras SET ledger = NULL WHERE ledger = ''");
	CHECK(!move(0, &moved, why));
	alter_file("ALTER TABLE pins ADD COLUMN more INTEGER");
	CHECK(move(0, &moved, why) == -EPROTONOSUPPORT && strstr(why, "cannot move"));
	unlink(file_path);
	CHECK(move(0, &moved, why) == -ENOENT && strstr(why, file_path));
	rmdir(file);
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
	pg_beside(argv[1], argv[2]);
	test_explains();
	test_provision();
	conform_index(&rig);
	test_reconnect();
	test_move();
	pg_config.port = cut_wire_start(pg_beside_port());
	pg_config.sslmode = "disable"; /* so that messages are counted as they are */
	conform_index_faults(&rig);
	test_silence();
	return check_result();
}
