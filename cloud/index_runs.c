// SPDX-License-Identifier: MIT
/* index_runs.c - rows about back-fill in the index. */
#include <errno.h>

#include "cloud/index_sql.h"

static void read_run(struct sluice_rows *st, struct sluice_index_run *r)
{
	sluice_db_id(st, 0, r->camera);
	r->epoch = column_u64(st, 1);
	r->first = column_u64(st, 2);
	r->last = column_u64(st, 3);
	r->first_ns = column_u64(st, 4);
	r->first_utc_ns = column_u64(st, 5);
	r->told = sluice_db_int(st, 6);
	r->done = (int)sluice_db_int(st, 7);
}

int sluice_sql_run_add(struct sluice_index *ix, const struct sluice_index_run *r)
{
	return sluice_db_run(sluice_db_bind(db(ix), RUN_ADD, "ciiiii", r->camera, r->epoch,
					    r->first, r->last, r->first_ns, r->first_utc_ns));
}

int sluice_sql_run_find(struct sluice_index *ix, const uint8_t camera[16], uint64_t epoch,
			uint64_t first, struct sluice_index_run *r)
{
	struct sluice_rows *st = sluice_db_bind(db(ix), RUN_FIND, "cii", camera, epoch, first);
	int rc = sluice_db_step(st);

	if (rc <= 0)
		return rc ? rc : -ENOENT;
	read_run(st, r);
	sluice_db_end(st);
	return 0;
}

int sluice_sql_run_told(struct sluice_index *ix, const uint8_t camera[16], uint64_t epoch,
			uint64_t first, int64_t told, int done)
{
	return sluice_db_run(
		sluice_db_bind(db(ix), RUN_TOLD, "ciiid", camera, epoch, first, told, done));
}

int sluice_sql_runs_open(struct sluice_index *ix, sluice_index_run_fn fn, void *ctx)
{
	struct sluice_rows *st = sluice_db_bind(db(ix), RUNS_OPEN, "");
	struct sluice_index_run r;
	struct sluice_camera c;
	int rc;

	while ((rc = sluice_db_step(st)) > 0) {
		read_run(st, &r);
		read_camera(st, 8, &c);
		rc = fn(ctx, &c, &r);
		if (rc) {
			sluice_db_end(st);
			break;
		}
	}
	return rc;
}
