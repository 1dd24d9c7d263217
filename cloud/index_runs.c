// SPDX-License-Identifier: MIT
/* index_runs.c - rows about back-fill in the SQLite index. */
#include <errno.h>

#include "cloud/index_sqlite.h"

static void read_run(sqlite3_stmt *st, struct sluice_index_run *r)
{
	sluice_sqlite_id(st, 0, r->camera);
	r->epoch = column_u64(st, 1);
	r->first = column_u64(st, 2);
	r->last = column_u64(st, 3);
	r->first_ns = column_u64(st, 4);
	r->first_utc_ns = column_u64(st, 5);
	r->told = sqlite3_column_int64(st, 6);
	r->done = sqlite3_column_int(st, 7);
}

int sluice_sqlite_run_add(struct sluice_index *ix, const struct sluice_index_run *r)
{
	return sluice_sqlite_run(sluice_sqlite_bind(db(ix), RUN_ADD, "ciiiii", r->camera, r->epoch,
						    r->first, r->last, r->first_ns,
						    r->first_utc_ns));
}

int sluice_sqlite_run_find(struct sluice_index *ix, const uint8_t camera[16], uint64_t epoch,
			   uint64_t first, struct sluice_index_run *r)
{
	sqlite3_stmt *st = sluice_sqlite_bind(db(ix), RUN_FIND, "cii", camera, epoch, first);
	int rc = sluice_sqlite_step(st);

	if (rc <= 0)
		return rc ? rc : -ENOENT;
	read_run(st, r);
	sqlite3_reset(st);
	return 0;
}

int sluice_sqlite_run_told(struct sluice_index *ix, const uint8_t camera[16], uint64_t epoch,
			   uint64_t first, int64_t told, int done)
{
	return sluice_sqlite_run(
		sluice_sqlite_bind(db(ix), RUN_TOLD, "ciiid", camera, epoch, first, told, done));
}

int sluice_sqlite_runs_open(struct sluice_index *ix, sluice_index_run_fn fn, void *ctx)
{
	sqlite3_stmt *st = sluice_sqlite_bind(db(ix), RUNS_OPEN, "");
	struct sluice_index_run r;
	struct sluice_camera c;
	int rc;

	while ((rc = sluice_sqlite_step(st)) > 0) {
		read_run(st, &r);
		read_camera(st, 8, &c);
		rc = fn(ctx, &c, &r);
		if (rc) {
			sqlite3_reset(st);
			break;
		}
	}
	return rc;
}
