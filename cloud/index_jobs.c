// SPDX-License-Identifier: MIT
/*
 * index_jobs.c - long work in the SQLite index: a row from the wish to the result.
 *
 * A row goes from queued to running by job_take() alone, and from running to anything by job_end()
 * of whoever took it, or by jobs_again() of the next life of the node if that one died. So a job is
 * worked on by one at a time, and what was under way when a node was killed is begun again, a
 * bounded number of times: a job that ends nodes must not end all of them.
 */
#include <errno.h>

#include "cloud/index_sqlite.h"

int sluice_sqlite_job_add(struct sluice_index *ix, const struct sluice_index_job *j)
{
	int err = sluice_sqlite_run(sluice_sqlite_bind(db(ix), JOB_ADD, "scssiiis", j->id,
						       j->camera, j->kind, j->by, j->from_ns,
						       j->to_ns, j->made_ns, j->settings));

	return err ? err : sqlite3_changes(db(ix)->db) == 0;
}

static int take_next(struct sluice_index *ix, uint64_t now_ns, char id[33])
{
	sqlite3_stmt *st = sluice_sqlite_bind(db(ix), JOB_NEXT, "");
	int rc = sluice_sqlite_step(st);

	if (rc <= 0)
		return rc ? rc : -ENOENT;
	column_text(st, 0, id, 33);
	sqlite3_reset(st);
	return sluice_sqlite_run(sluice_sqlite_bind(db(ix), JOB_TAKE, "si", id, now_ns));
}

/* A look first: whoever asks every second is not to wait for a turn to write each time. */
int sluice_sqlite_job_take(struct sluice_index *ix, uint64_t now_ns, char id[33])
{
	sqlite3_stmt *st = sluice_sqlite_bind(db(ix), JOB_NEXT, "");
	int rc = sluice_sqlite_step(st);

	if (rc <= 0)
		return rc ? rc : -ENOENT;
	sqlite3_reset(st);
	rc = ix->ops->begin(ix);
	if (rc)
		return rc;
	rc = take_next(ix, now_ns, id);
	if (!rc)
		rc = ix->ops->commit(ix);
	if (rc)
		ix->ops->rollback(ix);
	return rc;
}

int sluice_sqlite_job_progress(struct sluice_index *ix, const char *id, int per_mille, int *cancel)
{
	sqlite3_stmt *st;
	int rc = sluice_sqlite_run(sluice_sqlite_bind(db(ix), JOB_PROGRESS, "sd", id, per_mille));

	*cancel = 0;
	if (rc)
		return rc;
	st = sluice_sqlite_bind(db(ix), JOB_CANCELLED, "s", id);
	rc = sluice_sqlite_step(st);
	if (rc < 0)
		return rc;
	*cancel = !rc || sqlite3_column_int(st, 0);
	if (rc)
		sqlite3_reset(st);
	return 0;
}

int sluice_sqlite_job_note(struct sluice_index *ix, const char *id, const char *notes)
{
	int err = sluice_sqlite_run(sluice_sqlite_bind(db(ix), JOB_NOTE, "ss", id, notes));

	return err || sqlite3_changes(db(ix)->db) ? err : -ENOENT;
}

int sluice_sqlite_job_end(struct sluice_index *ix, const struct sluice_index_job *j)
{
	int err = sluice_sqlite_run(
		sluice_sqlite_bind(db(ix), JOB_END, "sdiss", j->id, (int)j->state, j->ended_ns,
				   j->result ? j->result : "", j->error ? j->error : ""));

	return err || sqlite3_changes(db(ix)->db) ? err : -ENOENT;
}

int sluice_sqlite_job_cancel(struct sluice_index *ix, const struct sluice_whose *who,
			     const char *id, uint64_t now_ns)
{
	sqlite3_stmt *st =
		sluice_sqlite_bind(db(ix), JOB_STATE, "sss", who->tenant, who->cameras, id);
	int rc = sluice_sqlite_step(st);

	if (rc <= 0)
		return rc ? rc : -ENOENT;
	sqlite3_reset(st);
	rc = sluice_sqlite_run(sluice_sqlite_bind(db(ix), JOB_CANCEL, "si", id, now_ns));
	return rc || sqlite3_changes(db(ix)->db) ? rc : -EALREADY;
}

static void read_job(sqlite3_stmt *st, struct sluice_index_job *j, struct sluice_camera *c)
{
	*j = (struct sluice_index_job){
		.from_ns = column_u64(st, 3),
		.to_ns = column_u64(st, 4),
		.made_ns = column_u64(st, 5),
		.began_ns = column_u64(st, 6),
		.ended_ns = column_u64(st, 7),
		.state = (enum sluice_job_state)sqlite3_column_int(st, 8),
		.cancel = sqlite3_column_int(st, 9),
		.tries = sqlite3_column_int(st, 10),
		.per_mille = sqlite3_column_int(st, 11),
		.settings = sluice_sqlite_text(st, 12),
		.result = sluice_sqlite_text(st, 13),
		.error = sluice_sqlite_text(st, 14),
	};
	column_text(st, 0, j->id, sizeof(j->id));
	column_text(st, 1, j->kind, sizeof(j->kind));
	column_text(st, 2, j->by, sizeof(j->by));
	read_camera(st, 15, c);
	memcpy(j->camera, c->id, sizeof(j->camera));
}

int sluice_sqlite_jobs(struct sluice_index *ix, const struct sluice_whose *who,
		       const struct sluice_index_job_filter *f, sluice_index_job_fn fn, void *ctx)
{
	sqlite3_stmt *st = sluice_sqlite_bind(db(ix), JOBS, "sssssdd", who ? who->tenant : NULL,
					      who ? who->cameras : NULL, f->id, f->kind, f->camera,
					      (int)f->states, (int)f->limit);
	struct sluice_index_job j;
	struct sluice_camera c;
	int rc;

	while ((rc = sluice_sqlite_step(st)) > 0) {
		read_job(st, &j, &c);
		rc = fn(ctx, &c, &j);
		if (rc) {
			sqlite3_reset(st);
			break;
		}
	}
	return rc;
}

int sluice_sqlite_jobs_again(struct sluice_index *ix, uint64_t now_ns)
{
	int err = sluice_sqlite_run(
		sluice_sqlite_bind(db(ix), JOBS_AGAIN, "di", SLUICE_JOB_TRIES, now_ns));

	return err ? err : sqlite3_changes(db(ix)->db);
}

int sluice_sqlite_jobs_drop(struct sluice_index *ix, uint64_t before_ns)
{
	return sluice_sqlite_run(sluice_sqlite_bind(db(ix), JOBS_DROP, "i", before_ns));
}

int sluice_sqlite_cameras_busy(struct sluice_index *ix, uint64_t from_ns, uint64_t to_ns,
			       sluice_index_camera_fn fn, void *ctx)
{
	sqlite3_stmt *st = sluice_sqlite_bind(db(ix), CAMERAS_BUSY, "ii", from_ns, to_ns);
	struct sluice_camera c;
	int rc;

	while ((rc = sluice_sqlite_step(st)) > 0) {
		read_camera(st, 0, &c);
		rc = fn(ctx, &c, column_u64(st, 4), (uint32_t)sqlite3_column_int(st, 5),
			(uint32_t)sqlite3_column_int(st, 6), NULL, 0);
		if (rc) {
			sqlite3_reset(st);
			break;
		}
	}
	return rc;
}
