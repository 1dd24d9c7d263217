// SPDX-License-Identifier: MIT
/*
 * index_jobs.c - long work in the index: a row from the wish to the result.
 *
 * A row goes from queued to running by job_take() alone, and from running to anything by job_end()
 * of whoever took it, or by jobs_again() of the next life of the node if that one died. So a job is
 * worked on by one at a time, and what was under way when a node was killed is begun again, a
 * bounded number of times: a job that ends nodes must not end all of them.
 */
#include <errno.h>

#include "cloud/index_sql.h"

int sluice_sql_job_add(struct sluice_index *ix, const struct sluice_index_job *j)
{
	int err =
		sluice_db_run(sluice_db_bind(db(ix), JOB_ADD, "scssiiis", j->id, j->camera, j->kind,
					     j->by, j->from_ns, j->to_ns, j->made_ns, j->settings));

	return err ? err : sluice_db_changed(db(ix)) == 0;
}

/* Where others write at the same time, one of them may have taken what was the oldest. */
static int take_next(struct sluice_index *ix, uint64_t now_ns, char id[33])
{
	do {
		struct sluice_rows *st = sluice_db_bind(db(ix), JOB_NEXT, "");
		int rc = sluice_db_step(st);

		if (rc <= 0)
			return rc ? rc : -ENOENT;
		column_text(st, 0, id, 33);
		sluice_db_end(st);
		rc = sluice_db_run(sluice_db_bind(db(ix), JOB_TAKE, "si", id, now_ns));
		if (rc)
			return rc;
	} while (!sluice_db_changed(db(ix)));
	return 0;
}

/* A look first: whoever asks every second is not to wait for a turn to write each time. */
int sluice_sql_job_take(struct sluice_index *ix, uint64_t now_ns, char id[33])
{
	int rc, own = sluice_db_idle(db(ix));
	struct sluice_rows *st;

	if (!own)
		return take_next(ix, now_ns, id);
	st = sluice_db_bind(db(ix), JOB_NEXT, "");
	rc = sluice_db_step(st);

	if (rc <= 0)
		return rc ? rc : -ENOENT;
	sluice_db_end(st);
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

int sluice_sql_job_progress(struct sluice_index *ix, const char *id, int per_mille, int *cancel)
{
	struct sluice_rows *st;
	int rc = sluice_db_run(sluice_db_bind(db(ix), JOB_PROGRESS, "sd", id, per_mille));

	*cancel = 0;
	if (rc)
		return rc;
	st = sluice_db_bind(db(ix), JOB_CANCELLED, "s", id);
	rc = sluice_db_step(st);
	if (rc < 0)
		return rc;
	*cancel = !rc || (int)sluice_db_int(st, 0);
	if (rc)
		sluice_db_end(st);
	return 0;
}

int sluice_sql_job_note(struct sluice_index *ix, const char *id, const char *notes)
{
	int err = sluice_db_run(sluice_db_bind(db(ix), JOB_NOTE, "ss", id, notes));

	return err || sluice_db_changed(db(ix)) ? err : -ENOENT;
}

int sluice_sql_job_end(struct sluice_index *ix, const struct sluice_index_job *j)
{
	int err = sluice_db_run(sluice_db_bind(db(ix), JOB_END, "sdiss", j->id, (int)j->state,
					       j->ended_ns, j->result ? j->result : "",
					       j->error ? j->error : ""));

	return err || sluice_db_changed(db(ix)) ? err : -ENOENT;
}

int sluice_sql_job_cancel(struct sluice_index *ix, const struct sluice_whose *who, const char *id,
			  uint64_t now_ns)
{
	struct sluice_rows *st =
		sluice_db_bind(db(ix), JOB_STATE, "sss", who->tenant, who->cameras, id);
	int rc = sluice_db_step(st);

	if (rc <= 0)
		return rc ? rc : -ENOENT;
	sluice_db_end(st);
	rc = sluice_db_run(sluice_db_bind(db(ix), JOB_CANCEL, "si", id, now_ns));
	return rc || sluice_db_changed(db(ix)) ? rc : -EALREADY;
}

static void read_job(struct sluice_rows *st, struct sluice_index_job *j, struct sluice_camera *c)
{
	*j = (struct sluice_index_job){
		.from_ns = column_u64(st, 3),
		.to_ns = column_u64(st, 4),
		.made_ns = column_u64(st, 5),
		.began_ns = column_u64(st, 6),
		.ended_ns = column_u64(st, 7),
		.state = (enum sluice_job_state)(int)sluice_db_int(st, 8),
		.cancel = (int)sluice_db_int(st, 9),
		.tries = (int)sluice_db_int(st, 10),
		.per_mille = (int)sluice_db_int(st, 11),
		.settings = sluice_db_text(st, 12),
		.result = sluice_db_text(st, 13),
		.error = sluice_db_text(st, 14),
	};
	column_text(st, 0, j->id, sizeof(j->id));
	column_text(st, 1, j->kind, sizeof(j->kind));
	column_text(st, 2, j->by, sizeof(j->by));
	read_camera(st, 15, c);
	memcpy(j->camera, c->id, sizeof(j->camera));
}

int sluice_sql_jobs(struct sluice_index *ix, const struct sluice_whose *who,
		    const struct sluice_index_job_filter *f, sluice_index_job_fn fn, void *ctx)
{
	struct sluice_rows *st = sluice_db_bind(db(ix), JOBS, "sssssdd", who ? who->tenant : NULL,
						who ? who->cameras : NULL, f->id, f->kind,
						f->camera, (int)f->states, (int)f->limit);
	struct sluice_index_job j;
	struct sluice_camera c;
	int rc;

	while ((rc = sluice_db_step(st)) > 0) {
		read_job(st, &j, &c);
		rc = fn(ctx, &c, &j);
		if (rc) {
			sluice_db_end(st);
			break;
		}
	}
	return rc;
}

int sluice_sql_jobs_again(struct sluice_index *ix, uint64_t now_ns)
{
	int err = sluice_db_run(sluice_db_bind(db(ix), JOBS_AGAIN, "di", SLUICE_JOB_TRIES, now_ns));

	return err ? err : sluice_db_changed(db(ix));
}

int sluice_sql_jobs_drop(struct sluice_index *ix, uint64_t before_ns)
{
	return sluice_db_run(sluice_db_bind(db(ix), JOBS_DROP, "i", before_ns));
}

int sluice_sql_cameras_busy(struct sluice_index *ix, uint64_t from_ns, uint64_t to_ns,
			    sluice_index_camera_fn fn, void *ctx)
{
	struct sluice_rows *st = sluice_db_bind(db(ix), CAMERAS_BUSY, "ii", from_ns, to_ns);
	struct sluice_camera c;
	int rc;

	while ((rc = sluice_db_step(st)) > 0) {
		read_camera(st, 0, &c);
		rc = fn(ctx, &c, column_u64(st, 4), (uint32_t)(int)sluice_db_int(st, 5),
			(uint32_t)(int)sluice_db_int(st, 6), NULL, 0);
		if (rc) {
			sluice_db_end(st);
			break;
		}
	}
	return rc;
}
