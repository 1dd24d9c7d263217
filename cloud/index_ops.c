// SPDX-License-Identifier: MIT
/*
 * index_ops.c - the index in tables: cameras, segments, frames, epochs, and the list of functions.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cloud/index_sql.h"
#include "cloud/segment.h"

static void index_close(struct sluice_index *ix)
{
	sluice_db_close(db(ix));
	free(ix);
}

static int index_begin(struct sluice_index *ix)
{
	return sluice_db_begin(db(ix));
}

static int index_commit(struct sluice_index *ix)
{
	return sluice_db_commit(db(ix));
}

static void index_rollback(struct sluice_index *ix)
{
	sluice_db_rollback(db(ix));
}

/* ---- cameras ---- */

static int camera_find(struct sluice_index *ix, const uint8_t id[16], struct sluice_camera *c)
{
	struct sluice_rows *st = sluice_db_bind(db(ix), CAMERA_FIND, "c", id);
	int rc = sluice_db_step(st);

	if (rc <= 0)
		return rc ? rc : -ENOENT;
	read_camera(st, 0, c);
	sluice_db_end(st);
	return 0;
}

static int camera_add(struct sluice_index *ix, const struct sluice_camera *c)
{
	struct sluice_camera known;
	struct sluice_rows *st;
	int rc = camera_find(ix, c->id, &known);

	if (rc != -ENOENT)
		return rc;
	st = sluice_db_bind(db(ix), CAMERA_COUNT, "ss", c->tenant, c->device);
	rc = sluice_db_step(st);
	if (rc < 0)
		return rc;
	rc = rc > 0 && (int)sluice_db_int(st, 0) >= SLUICE_CAMERAS_MAX ? -EDQUOT : 0;
	sluice_db_end(st);
	return rc ? rc
		  : sluice_db_run(sluice_db_bind(db(ix), CAMERA_ADD, "csss", c->id, c->tenant,
						 c->device, c->name));
}

static int camera_seen(struct sluice_index *ix, const uint8_t id[16], uint64_t utc_ns,
		       uint32_t width, uint32_t height)
{
	return sluice_db_run(
		sluice_db_bind(db(ix), CAMERA_SEEN, "cidd", id, utc_ns, (int)width, (int)height));
}

static int cameras(struct sluice_index *ix, const struct sluice_whose *whose,
		   sluice_index_camera_fn fn, void *ctx)
{
	struct sluice_rows *st =
		sluice_db_bind(db(ix), CAMERAS, "ss", whose->tenant, whose->cameras);
	struct sluice_camera c;
	const void *ledger;
	size_t size;
	int rc;

	while ((rc = sluice_db_step(st)) > 0) {
		read_camera(st, 0, &c);
		ledger = sluice_db_blob(st, 7, &size);
		rc = fn(ctx, &c, column_u64(st, 4), (uint32_t)sluice_db_int(st, 5),
			(uint32_t)sluice_db_int(st, 6), ledger, size);
		if (rc) {
			sluice_db_end(st);
			break;
		}
	}
	return rc;
}

/* ---- segments ---- */

static int segment_add(struct sluice_index *ix, struct sluice_index_segment *s)
{
	struct sluice_rows *st =
		sluice_db_bind(db(ix), SEGMENT_ADD, "csi", s->camera, s->path, s->created_ns);
	int rc = sluice_db_step(st);

	if (rc <= 0)
		return rc ? rc : -EIO;
	s->id = column_u64(st, 0);
	return sluice_db_run(st); /* to its end: then it is done */
}

static int segment_closed(struct sluice_index *ix, const struct sluice_index_segment *s)
{
	return sluice_db_run(sluice_db_bind(db(ix), SEGMENT_CLOSED, "iiiiii", s->id, s->size,
					    s->first_utc_ns, s->last_utc_ns, s->frames, s->motion));
}

static int segment_find(struct sluice_index *ix, const char *path, struct sluice_index_segment *s)
{
	struct sluice_rows *st = sluice_db_bind(db(ix), SEGMENT_FIND, "s", path);
	int rc = sluice_db_step(st);

	if (rc <= 0)
		return rc ? rc : -ENOENT;
	read_segment(st, s);
	sluice_db_end(st);
	return 0;
}

static int segments(struct sluice_index *ix, sluice_index_segment_fn fn, void *ctx)
{
	struct sluice_rows *st = sluice_db_bind(db(ix), SEGMENTS, "");
	struct sluice_index_segment s;
	int rc;

	while ((rc = sluice_db_step(st)) > 0) {
		read_segment(st, &s);
		rc = fn(ctx, &s);
		if (rc) {
			sluice_db_end(st);
			break;
		}
	}
	return rc;
}

static int segment_beyond(struct sluice_index *ix, const struct sluice_index_segment *s,
			  uint64_t offset, uint64_t *count)
{
	struct sluice_rows *st =
		sluice_db_bind(db(ix), SEGMENT_BEYOND, "cii", s->camera, s->id, offset);
	int rc = sluice_db_step(st);

	if (rc <= 0)
		return rc ? rc : -EIO;
	*count = column_u64(st, 0);
	sluice_db_end(st);
	return 0;
}

/* ---- frames ---- */

static int frame_add(struct sluice_index *ix, const struct sluice_index_frame *f)
{
	return sluice_db_run(sluice_db_bind(db(ix), FRAME_ADD, "ciiiiiiidd", f->camera, f->epoch,
					    f->sequence, f->segment, f->offset, (uint64_t)f->length,
					    f->time_ns, f->utc_ns, f->reason, f->flags));
}

static int frame_last(struct sluice_index *ix, const uint8_t camera[16], uint64_t epoch,
		      uint64_t first, uint64_t last, uint64_t *sequence)
{
	struct sluice_rows *st =
		sluice_db_bind(db(ix), FRAME_LAST, "ciii", camera, epoch, first, last);
	int rc = sluice_db_step(st);

	if (rc <= 0)
		return rc ? rc : -EIO;
	rc = sluice_db_is_null(st, 0) ? -ENOENT : 0;
	if (!rc)
		*sequence = column_u64(st, 0);
	sluice_db_end(st);
	return rc;
}

static int frame_find(struct sluice_index *ix, const uint8_t camera[16], uint64_t epoch,
		      uint64_t sequence, struct sluice_index_frame *f, char *path)
{
	struct sluice_rows *st = sluice_db_bind(db(ix), FRAME_FIND, "cii", camera, epoch, sequence);
	int rc = sluice_db_step(st);

	if (rc <= 0)
		return rc ? rc : -ENOENT;
	read_frame(st, f);
	column_text(st, 10, path, sizeof(((struct sluice_index_segment *)0)->path));
	sluice_db_end(st);
	return 0;
}

static int frames(struct sluice_index *ix, const uint8_t camera[16], uint64_t epoch, int64_t after,
		  uint64_t last, uint32_t lane, sluice_index_frame_fn fn, void *ctx)
{
	struct sluice_rows *st = sluice_db_bind(db(ix), FRAMES, "ciiid", camera, epoch, after, last,
						lane ? (int)SLUICE_RECORD_BACKFILL : 0);
	struct sluice_index_frame f;
	int rc;

	while ((rc = sluice_db_step(st)) > 0) {
		read_frame(st, &f);
		rc = fn(ctx, &f);
		if (rc) {
			sluice_db_end(st);
			break;
		}
	}
	return rc;
}

static int frames_page(struct sluice_index *ix, const uint8_t camera[16], uint64_t epoch,
		       int64_t after, uint64_t last, uint32_t lane,
		       struct sluice_index_placed *rows, unsigned int room)
{
	struct sluice_rows *st =
		sluice_db_bind(db(ix), FRAMES_PAGE, "ciiidd", camera, epoch, after, last,
			       lane ? (int)SLUICE_RECORD_BACKFILL : 0, (int)room);
	unsigned int n = 0;
	int rc;

	while ((rc = sluice_db_step(st)) > 0) {
		if (n == room) {
			sluice_db_end(st);
			break;
		}
		read_frame(st, &rows[n].frame);
		column_text(st, 10, rows[n].path, sizeof(rows[n].path));
		n++;
	}
	return rc < 0 ? rc : (int)n;
}

static int frames_clear(struct sluice_index *ix)
{
	int err = sluice_db_run(sluice_db_bind(db(ix), FRAMES_CLEAR, ""));

	return err ? err : sluice_db_run(sluice_db_bind(db(ix), SEGMENTS_CLEAR, ""));
}

static int frames_count(struct sluice_index *ix, uint64_t *count)
{
	struct sluice_rows *st = sluice_db_bind(db(ix), FRAMES_COUNT, "");
	int rc = sluice_db_step(st);

	if (rc <= 0)
		return rc ? rc : -EIO;
	*count = column_u64(st, 0);
	sluice_db_end(st);
	return 0;
}

/* ---- epochs ---- */

static int epoch_add(struct sluice_index *ix, const struct sluice_index_epoch *e)
{
	return sluice_db_run(sluice_db_bind(db(ix), EPOCH_ADD, "ciii", e->camera, e->epoch,
					    e->first_ns, e->first_utc_ns));
}

static int epoch_find(struct sluice_index *ix, const uint8_t camera[16], uint64_t epoch,
		      struct sluice_index_epoch *e)
{
	struct sluice_rows *st = sluice_db_bind(db(ix), EPOCH_FIND, "ci", camera, epoch);
	int rc = sluice_db_step(st);

	if (rc <= 0)
		return rc ? rc : -ENOENT;
	read_epoch(st, e);
	sluice_db_end(st);
	return 0;
}

static int epoch_told(struct sluice_index *ix, const uint8_t camera[16], uint64_t epoch,
		      int64_t told, int done)
{
	int err = sluice_db_run(
		sluice_db_bind(db(ix), EPOCH_TOLD, "ciid", camera, epoch, told, done));

	/* what was open and never became a summary */
	return err || !done
		       ? err
		       : sluice_db_run(sluice_db_bind(db(ix), EVENTS_OVER, "ci", camera, epoch));
}

static int epochs_open(struct sluice_index *ix, sluice_index_epoch_fn fn, void *ctx)
{
	return tell_epochs(sluice_db_bind(db(ix), EPOCHS_OPEN, ""), fn, ctx);
}

static const struct sluice_index_ops ops = {
	.close = index_close,
	.begin = index_begin,
	.commit = index_commit,
	.rollback = index_rollback,
	.begin_fenced = sluice_sql_begin_fenced,
	.fence = sluice_sql_fence,
	.camera_add = camera_add,
	.camera_find = camera_find,
	.camera_seen = camera_seen,
	.camera_ledger = sluice_sql_ledger_add,
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
	.frames_page = frames_page,
	.frames_clear = frames_clear,
	.frames_count = frames_count,
	.epoch_add = epoch_add,
	.epoch_find = epoch_find,
	.epoch_told = epoch_told,
	.epochs_open = epochs_open,
	.run_add = sluice_sql_run_add,
	.run_find = sluice_sql_run_find,
	.run_told = sluice_sql_run_told,
	.runs_open = sluice_sql_runs_open,
	.summary_add = sluice_sql_summary_add,
	.summary_owner = sluice_sql_summary_owner,
	.summary_acked = sluice_sql_summary_acked,
	.summaries_unacked = sluice_sql_summaries_unacked,
	.summaries = sluice_sql_summaries,
	.summaries_find = sluice_sql_find,
	.timeline = sluice_sql_timeline,
	.summary_pin = sluice_sql_pin,
	.event_open = sluice_sql_event_open,
	.events_open = sluice_sql_events_open,
	.frame_near = sluice_sql_frame_near,
	.frames_between = sluice_sql_frames_between,
	.ledgers = sluice_sql_ledgers,
	.epochs = sluice_sql_epochs,
	.segment_oldest = sluice_sql_segment_oldest,
	.segment_drop = sluice_sql_segment_drop,
	.summary_oldest = sluice_sql_summary_oldest,
	.summary_drop = sluice_sql_summary_drop,
	.ledgers_drop = sluice_sql_ledgers_drop,
	.bytes = sluice_sql_bytes,
	.gone = sluice_sql_gone,
	.gone_done = sluice_sql_gone_done,
	.job_add = sluice_sql_job_add,
	.job_take = sluice_sql_job_take,
	.job_progress = sluice_sql_job_progress,
	.job_note = sluice_sql_job_note,
	.job_end = sluice_sql_job_end,
	.job_cancel = sluice_sql_job_cancel,
	.jobs = sluice_sql_jobs,
	.jobs_again = sluice_sql_jobs_again,
	.jobs_drop = sluice_sql_jobs_drop,
	.cameras_busy = sluice_sql_cameras_busy,
	.tally_put = sluice_sql_tally_put,
	.tallies = sluice_sql_tallies,
	.summaries_all = sluice_sql_summaries_all,
	.summary_find = sluice_sql_summary_find,
};

int sluice_sql_index(struct sluice_db *d, struct sluice_index **out)
{
	struct index_table *ix = calloc(1, sizeof(*ix));

	*out = NULL;
	if (!ix)
		return -ENOMEM;
	ix->base.ops = &ops;
	ix->db = d;
	*out = &ix->base;
	return 0;
}
