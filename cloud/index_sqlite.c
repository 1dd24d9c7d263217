// SPDX-License-Identifier: MIT
/*
 * index_sqlite.c - the index in one SQLite file, WAL with synchronous=FULL.
 *
 * The writer thread commits in groups; other threads read in their own connections. Who writes
 * waits for its turn (sqlite_turn.h), at most 5 s (-EBUSY). Disk full is -ENOSPC, a damaged file
 * -EUCLEAN: then `sluice-cloud rebuild-index` makes it again.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cloud/index_sqlite.h"
#include "cloud/segment.h"

static void index_close(struct sluice_index *ix)
{
	sluice_sqlite_close(db(ix));
	free(ix);
}

static int index_begin(struct sluice_index *ix)
{
	return sluice_sqlite_begin(db(ix));
}

static int index_commit(struct sluice_index *ix)
{
	return sluice_sqlite_commit(db(ix));
}

static void index_rollback(struct sluice_index *ix)
{
	sluice_sqlite_rollback(db(ix));
}

/* ---- cameras ---- */

static int camera_find(struct sluice_index *ix, const uint8_t id[16], struct sluice_camera *c)
{
	sqlite3_stmt *st = sluice_sqlite_bind(db(ix), CAMERA_FIND, "c", id);
	int rc = sluice_sqlite_step(st);

	if (rc <= 0)
		return rc ? rc : -ENOENT;
	read_camera(st, 0, c);
	sqlite3_reset(st);
	return 0;
}

static int camera_add(struct sluice_index *ix, const struct sluice_camera *c)
{
	struct sluice_camera known;
	sqlite3_stmt *st;
	int rc = camera_find(ix, c->id, &known);

	if (rc != -ENOENT)
		return rc;
	st = sluice_sqlite_bind(db(ix), CAMERA_COUNT, "ss", c->tenant, c->device);
	rc = sluice_sqlite_step(st);
	if (rc < 0)
		return rc;
	rc = rc > 0 && sqlite3_column_int(st, 0) >= SLUICE_CAMERAS_MAX ? -EDQUOT : 0;
	sqlite3_reset(st);
	return rc ? rc
		  : sluice_sqlite_run(sluice_sqlite_bind(db(ix), CAMERA_ADD, "csss", c->id,
							 c->tenant, c->device, c->name));
}

static int camera_seen(struct sluice_index *ix, const uint8_t id[16], uint64_t utc_ns,
		       uint32_t width, uint32_t height)
{
	return sluice_sqlite_run(sluice_sqlite_bind(db(ix), CAMERA_SEEN, "cidd", id, utc_ns,
						    (int)width, (int)height));
}

static int cameras(struct sluice_index *ix, const struct sluice_whose *whose,
		   sluice_index_camera_fn fn, void *ctx)
{
	sqlite3_stmt *st = sluice_sqlite_bind(db(ix), CAMERAS, "ss", whose->tenant, whose->cameras);
	struct sluice_camera c;
	int rc;

	while ((rc = sluice_sqlite_step(st)) > 0) {
		read_camera(st, 0, &c);
		rc = fn(ctx, &c, column_u64(st, 4), (uint32_t)sqlite3_column_int(st, 5),
			(uint32_t)sqlite3_column_int(st, 6), sqlite3_column_blob(st, 7),
			(size_t)sqlite3_column_bytes(st, 7));
		if (rc) {
			sqlite3_reset(st);
			break;
		}
	}
	return rc;
}

/* ---- segments ---- */

static int segment_add(struct sluice_index *ix, struct sluice_index_segment *s)
{
	int err = sluice_sqlite_run(
		sluice_sqlite_bind(db(ix), SEGMENT_ADD, "csi", s->camera, s->path, s->created_ns));

	if (!err)
		s->id = (uint64_t)sqlite3_last_insert_rowid(db(ix)->db);
	return err;
}

static int segment_closed(struct sluice_index *ix, const struct sluice_index_segment *s)
{
	return sluice_sqlite_run(sluice_sqlite_bind(db(ix), SEGMENT_CLOSED, "iiiiii", s->id,
						    s->size, s->first_utc_ns, s->last_utc_ns,
						    s->frames, s->motion));
}

static int segment_find(struct sluice_index *ix, const char *path, struct sluice_index_segment *s)
{
	sqlite3_stmt *st = sluice_sqlite_bind(db(ix), SEGMENT_FIND, "s", path);
	int rc = sluice_sqlite_step(st);

	if (rc <= 0)
		return rc ? rc : -ENOENT;
	read_segment(st, s);
	sqlite3_reset(st);
	return 0;
}

static int segments(struct sluice_index *ix, sluice_index_segment_fn fn, void *ctx)
{
	sqlite3_stmt *st = sluice_sqlite_bind(db(ix), SEGMENTS, "");
	struct sluice_index_segment s;
	int rc;

	while ((rc = sluice_sqlite_step(st)) > 0) {
		read_segment(st, &s);
		rc = fn(ctx, &s);
		if (rc) {
			sqlite3_reset(st);
			break;
		}
	}
	return rc;
}

static int segment_beyond(struct sluice_index *ix, const struct sluice_index_segment *s,
			  uint64_t offset, uint64_t *count)
{
	sqlite3_stmt *st =
		sluice_sqlite_bind(db(ix), SEGMENT_BEYOND, "cii", s->camera, s->id, offset);
	int rc = sluice_sqlite_step(st);

	if (rc <= 0)
		return rc ? rc : -EIO;
	*count = column_u64(st, 0);
	sqlite3_reset(st);
	return 0;
}

/* ---- frames ---- */

static int frame_add(struct sluice_index *ix, const struct sluice_index_frame *f)
{
	return sluice_sqlite_run(sluice_sqlite_bind(
		db(ix), FRAME_ADD, "ciiiiiiidd", f->camera, f->epoch, f->sequence, f->segment,
		f->offset, (uint64_t)f->length, f->time_ns, f->utc_ns, f->reason, f->flags));
}

static int frame_last(struct sluice_index *ix, const uint8_t camera[16], uint64_t epoch,
		      uint64_t first, uint64_t last, uint64_t *sequence)
{
	sqlite3_stmt *st =
		sluice_sqlite_bind(db(ix), FRAME_LAST, "ciii", camera, epoch, first, last);
	int rc = sluice_sqlite_step(st);

	if (rc <= 0)
		return rc ? rc : -EIO;
	rc = sqlite3_column_type(st, 0) == SQLITE_NULL ? -ENOENT : 0;
	if (!rc)
		*sequence = column_u64(st, 0);
	sqlite3_reset(st);
	return rc;
}

static int frame_find(struct sluice_index *ix, const uint8_t camera[16], uint64_t epoch,
		      uint64_t sequence, struct sluice_index_frame *f, char *path)
{
	sqlite3_stmt *st = sluice_sqlite_bind(db(ix), FRAME_FIND, "cii", camera, epoch, sequence);
	int rc = sluice_sqlite_step(st);

	if (rc <= 0)
		return rc ? rc : -ENOENT;
	read_frame(st, f);
	column_text(st, 10, path, sizeof(((struct sluice_index_segment *)0)->path));
	sqlite3_reset(st);
	return 0;
}

static int frames(struct sluice_index *ix, const uint8_t camera[16], uint64_t epoch, int64_t after,
		  uint64_t last, uint32_t lane, sluice_index_frame_fn fn, void *ctx)
{
	sqlite3_stmt *st = sluice_sqlite_bind(db(ix), FRAMES, "ciiid", camera, epoch, after, last,
					      lane ? (int)SLUICE_RECORD_BACKFILL : 0);
	struct sluice_index_frame f;
	int rc;

	while ((rc = sluice_sqlite_step(st)) > 0) {
		read_frame(st, &f);
		rc = fn(ctx, &f);
		if (rc) {
			sqlite3_reset(st);
			break;
		}
	}
	return rc;
}

static int frames_clear(struct sluice_index *ix)
{
	return sluice_sqlite_exec(db(ix), "DELETE FROM frames; DELETE FROM segments;");
}

static int frames_count(struct sluice_index *ix, uint64_t *count)
{
	sqlite3_stmt *st = sluice_sqlite_bind(db(ix), FRAMES_COUNT, "");
	int rc = sluice_sqlite_step(st);

	if (rc <= 0)
		return rc ? rc : -EIO;
	*count = column_u64(st, 0);
	sqlite3_reset(st);
	return 0;
}

/* ---- epochs ---- */

static int epoch_add(struct sluice_index *ix, const struct sluice_index_epoch *e)
{
	return sluice_sqlite_run(sluice_sqlite_bind(db(ix), EPOCH_ADD, "ciii", e->camera, e->epoch,
						    e->first_ns, e->first_utc_ns));
}

static int epoch_find(struct sluice_index *ix, const uint8_t camera[16], uint64_t epoch,
		      struct sluice_index_epoch *e)
{
	sqlite3_stmt *st = sluice_sqlite_bind(db(ix), EPOCH_FIND, "ci", camera, epoch);
	int rc = sluice_sqlite_step(st);

	if (rc <= 0)
		return rc ? rc : -ENOENT;
	read_epoch(st, e);
	sqlite3_reset(st);
	return 0;
}

static int epoch_told(struct sluice_index *ix, const uint8_t camera[16], uint64_t epoch,
		      int64_t told, int done)
{
	int err = sluice_sqlite_run(
		sluice_sqlite_bind(db(ix), EPOCH_TOLD, "ciid", camera, epoch, told, done));

	/* what was open and never became a summary */
	return err || !done ? err
			    : sluice_sqlite_run(
				      sluice_sqlite_bind(db(ix), EVENTS_OVER, "ci", camera, epoch));
}

static int epochs_open(struct sluice_index *ix, sluice_index_epoch_fn fn, void *ctx)
{
	sqlite3_stmt *st = sluice_sqlite_bind(db(ix), EPOCHS_OPEN, "");
	struct sluice_index_epoch e;
	struct sluice_camera c;
	int rc;

	while ((rc = sluice_sqlite_step(st)) > 0) {
		read_epoch(st, &e);
		read_camera(st, 6, &c);
		rc = fn(ctx, &c, &e);
		if (rc) {
			sqlite3_reset(st);
			break;
		}
	}
	return rc;
}

static const struct sluice_index_ops ops = {
	.close = index_close,
	.begin = index_begin,
	.commit = index_commit,
	.rollback = index_rollback,
	.camera_add = camera_add,
	.camera_find = camera_find,
	.camera_seen = camera_seen,
	.camera_ledger = sluice_sqlite_ledger_add,
	.cameras = cameras,
	.segment_add = segment_add,
	.segment_closed = segment_closed,
	.segment_find = segment_find,
	.segments = segments,
	.segment_beyond = segment_beyond,
	.frame_add = frame_add,
	.frame_last = frame_last,
	.frame_find = frame_find,
	.frames = frames,
	.frames_clear = frames_clear,
	.frames_count = frames_count,
	.epoch_add = epoch_add,
	.epoch_find = epoch_find,
	.epoch_told = epoch_told,
	.epochs_open = epochs_open,
	.run_add = sluice_sqlite_run_add,
	.run_find = sluice_sqlite_run_find,
	.run_told = sluice_sqlite_run_told,
	.runs_open = sluice_sqlite_runs_open,
	.summary_add = sluice_sqlite_summary_add,
	.summary_owner = sluice_sqlite_summary_owner,
	.summary_acked = sluice_sqlite_summary_acked,
	.summaries_unacked = sluice_sqlite_summaries_unacked,
	.summaries = sluice_sqlite_summaries,
	.summaries_find = sluice_sqlite_find,
	.timeline = sluice_sqlite_timeline,
	.summary_pin = sluice_sqlite_pin,
	.event_open = sluice_sqlite_event_open,
	.events_open = sluice_sqlite_events_open,
	.frame_near = sluice_sqlite_frame_near,
	.frames_between = sluice_sqlite_frames_between,
	.ledgers = sluice_sqlite_ledgers,
	.epochs = sluice_sqlite_epochs,
	.segment_oldest = sluice_sqlite_segment_oldest,
	.segment_drop = sluice_sqlite_segment_drop,
	.summary_oldest = sluice_sqlite_summary_oldest,
	.summary_drop = sluice_sqlite_summary_drop,
	.ledgers_drop = sluice_sqlite_ledgers_drop,
	.bytes = sluice_sqlite_bytes,
	.gone = sluice_sqlite_gone,
	.gone_done = sluice_sqlite_gone_done,
	.job_add = sluice_sqlite_job_add,
	.job_take = sluice_sqlite_job_take,
	.job_progress = sluice_sqlite_job_progress,
	.job_note = sluice_sqlite_job_note,
	.job_end = sluice_sqlite_job_end,
	.job_cancel = sluice_sqlite_job_cancel,
	.jobs = sluice_sqlite_jobs,
	.jobs_again = sluice_sqlite_jobs_again,
	.jobs_drop = sluice_sqlite_jobs_drop,
	.cameras_busy = sluice_sqlite_cameras_busy,
	.summaries_all = sluice_sqlite_summaries_all,
	.summary_find = sluice_sqlite_summary_find,
};

int sluice_index_sqlite_open(const char *path, struct sluice_index **out)
{
	struct index_sqlite *ix = calloc(1, sizeof(*ix));
	int err;

	*out = NULL;
	if (!ix)
		return -ENOMEM;
	ix->base.ops = &ops;
	err = sluice_sqlite_open(&ix->s, path, sluice_index_steps, SLUICE_INDEX_VERSION,
				 sluice_index_sql, STATEMENTS);
	if (err) {
		free(ix);
		return err;
	}
	*out = &ix->base;
	return 0;
}
