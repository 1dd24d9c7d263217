/* SPDX-License-Identifier: MIT */
/*
 * index_sql.h - what the files of the index in tables share, whatever data base holds them; nobody
 * else includes it.
 */
#ifndef SLUICE_INDEX_SQL_H
#define SLUICE_INDEX_SQL_H

#include <stdio.h>
#include <string.h>

#include "cloud/index.h"
#include "cloud/db.h"

enum {
	CAMERA_ADD,
	CAMERA_COUNT,
	CAMERA_FIND,
	CAMERA_SEEN,
	CAMERA_LEDGER,
	CAMERAS,
	SEGMENT_ADD,
	SEGMENT_CLOSED,
	SEGMENT_FIND,
	SEGMENTS,
	SEGMENT_BEYOND,
	FRAME_ADD,
	FRAME_LAST,
	FRAME_FIND,
	FRAMES,
	FRAMES_PAGE,
	FRAMES_COUNT,
	FRAMES_CLEAR,
	SEGMENTS_CLEAR,
	EPOCH_ADD,
	EPOCH_FIND,
	EPOCH_TOLD,
	EPOCHS_OPEN,
	RUN_ADD,
	RUN_FIND,
	RUN_TOLD,
	RUNS_OPEN,
	SUMMARY_ADD,
	SUMMARY_ACKED,
	MEDIA_ADD,
	SUMMARIES_UNACKED,
	SUMMARIES,
	SUMMARIES_ALL,
	SUMMARIES_FILL,
	SUMMARY_FIND,
	SUMMARY_OWNER,
	FACETS_ADD,
	TAG_ADD,
	FIND,
	FIND_TAG,
	SUMMARY_GET,
	TIMELINE,
	FRAME_BEFORE,
	FRAME_BEHIND,
	FRAMES_BETWEEN,
	PIN_FIND,
	PIN_ADD,
	PIN_REMOVE,
	FACETS_PIN,
	TAG_REMOVE,
	EVENT_OPEN,
	EVENT_GOES_ON,
	EVENT_OVER,
	EVENTS_OVER,
	EVENTS_OPEN,
	LEDGER_ADD,
	LEDGERS,
	EPOCHS,
	SEGMENT_OLDEST,
	SEGMENT_NUISANCE,
	SEGMENT_LEAVING,
	SEGMENT_LEAVE,
	FRAMES_DROP,
	SEGMENT_DROP,
	SEGMENT_BYTES,
	MEDIA_BYTES,
	SUMMARY_OLDEST,
	SUMMARY_DROP,
	MEDIA_DROP,
	FACETS_OF,
	FACETS_DROP,
	LEDGERS_DROP,
	GONE_ADD,
	GONE,
	GONE_DROP,
	MEDIA,
	JOB_ADD,
	JOB_NEXT,
	JOB_TAKE,
	JOB_PROGRESS,
	JOB_CANCELLED,
	JOB_NOTE,
	JOB_END,
	JOB_STATE,
	JOB_CANCEL,
	JOBS,
	JOBS_AGAIN,
	JOBS_DROP,
	CAMERAS_BUSY,
	TALLY_PUT,
	TALLIES,
	TALLIES_DROP,
	FENCE_RAISE,
	FENCE_REFUSED,
	FENCE,
	STATEMENTS
};

extern const char *const sluice_index_sql[STATEMENTS];

struct index_table {
	struct sluice_index base;
	struct sluice_db *db;
};

/* The index in the tables of d, which it owns from now on. */
int sluice_sql_index(struct sluice_db *d, struct sluice_index **out);

static inline struct sluice_db *db(struct sluice_index *ix)
{
	return ((struct index_table *)ix)->db;
}

static inline uint64_t column_u64(struct sluice_rows *st, int column)
{
	return (uint64_t)sluice_db_int(st, column);
}

static inline void column_text(struct sluice_rows *st, int column, char *out, size_t size)
{
	snprintf(out, size, "%s", sluice_db_text(st, column));
}

static inline void read_camera(struct sluice_rows *st, int column, struct sluice_camera *c)
{
	memset(c, 0, sizeof(*c));
	sluice_db_id(st, column, c->id);
	sluice_hex(c->id, sizeof(c->id), c->hex);
	column_text(st, column + 1, c->tenant, sizeof(c->tenant));
	column_text(st, column + 2, c->device, sizeof(c->device));
	column_text(st, column + 3, c->name, sizeof(c->name));
}

static inline void read_frame(struct sluice_rows *st, struct sluice_index_frame *f)
{
	sluice_db_id(st, 0, f->camera);
	f->epoch = column_u64(st, 1);
	f->sequence = column_u64(st, 2);
	f->segment = column_u64(st, 3);
	f->offset = column_u64(st, 4);
	f->length = (uint32_t)sluice_db_int(st, 5);
	f->time_ns = column_u64(st, 6);
	f->utc_ns = column_u64(st, 7);
	f->reason = (uint16_t)(int)sluice_db_int(st, 8);
	f->flags = (uint16_t)(int)sluice_db_int(st, 9);
}

static inline void read_epoch(struct sluice_rows *st, struct sluice_index_epoch *e)
{
	sluice_db_id(st, 0, e->camera);
	e->epoch = column_u64(st, 1);
	e->first_ns = column_u64(st, 2);
	e->first_utc_ns = column_u64(st, 3);
	e->told = sluice_db_int(st, 4);
	e->done = (int)sluice_db_int(st, 5);
}

/* Each row of a statement with the columns of an epoch, then those of its camera; 0, what fn
 * returned, or an error. */
static inline int tell_epochs(struct sluice_rows *st, sluice_index_epoch_fn fn, void *ctx)
{
	struct sluice_index_epoch e;
	struct sluice_camera c;
	int rc;

	while ((rc = sluice_db_step(st)) > 0) {
		read_epoch(st, &e);
		read_camera(st, 6, &c);
		rc = fn(ctx, &c, &e);
		if (rc) {
			sluice_db_end(st);
			break;
		}
	}
	return rc;
}

static inline void read_segment(struct sluice_rows *st, struct sluice_index_segment *s)
{
	s->id = column_u64(st, 0);
	sluice_db_id(st, 1, s->camera);
	column_text(st, 2, s->path, sizeof(s->path));
	s->created_ns = column_u64(st, 3);
	s->size = column_u64(st, 4);
	s->closed = (int)sluice_db_int(st, 5);
	s->first_utc_ns = column_u64(st, 6);
	s->last_utc_ns = column_u64(st, 7);
	s->frames = column_u64(st, 8);
	s->motion = column_u64(st, 9);
}

/* index_runs.c */
int sluice_sql_run_add(struct sluice_index *ix, const struct sluice_index_run *r);
int sluice_sql_run_find(struct sluice_index *ix, const uint8_t camera[16], uint64_t epoch,
			uint64_t first, struct sluice_index_run *r);
int sluice_sql_run_told(struct sluice_index *ix, const uint8_t camera[16], uint64_t epoch,
			uint64_t first, int64_t told, int done);
int sluice_sql_runs_open(struct sluice_index *ix, sluice_index_run_fn fn, void *ctx);

/* index_summaries.c */
int sluice_sql_summary_add(struct sluice_index *ix, const struct sluice_index_summary *s);
int sluice_sql_summary_owner(struct sluice_index *ix, const char *id, uint8_t camera[16],
			     uint64_t *token);
int sluice_sql_summary_acked(struct sluice_index *ix, const uint8_t camera[16], const char *id);
int sluice_sql_summaries_unacked(struct sluice_index *ix, const uint8_t camera[16],
				 sluice_index_summary_fn fn, void *ctx);
int sluice_sql_summaries(struct sluice_index *ix, const struct sluice_whose *whose,
			 const char *camera, unsigned int limit, sluice_index_summary_fn fn,
			 void *ctx);
int sluice_sql_summaries_all(struct sluice_index *ix, sluice_index_summary_fn fn, void *ctx);
/* Calls fn for the row of that id, with its media. */
int sluice_sql_summary_get(struct sluice_index *ix, const char *id, int pinned, int nuisance,
			   sluice_index_summary_fn fn, void *ctx);
int sluice_sql_summary_find(struct sluice_index *ix, const struct sluice_whose *whose,
			    const char *id, sluice_index_summary_fn fn, void *ctx);

/* index_events.c */
int sluice_sql_pin(struct sluice_index *ix, const struct sluice_whose *who, const char *id,
		   const char *by, const char *note, uint64_t utc_ns);
int sluice_sql_event_open(struct sluice_index *ix, const struct sluice_index_summary *s);
int sluice_sql_events_open(struct sluice_index *ix, const struct sluice_whose *who, const char *id,
			   sluice_index_summary_fn fn, void *ctx);
/* The open event that a summary of those facets ends, or of which it tells the first part. */
int sluice_sql_event_over(struct sluice_db *s, const struct sluice_index_summary *sum,
			  const struct sluice_facets *f);

/* index_find.c */
/* The rows that a summary is found by; in the caller's transaction. */
int sluice_sql_facets_add(struct sluice_db *s, const struct sluice_index_summary *sum);
/* Those of all summaries that are there: a step of the ladder. */
int sluice_sql_facets_fill(struct sluice_db *s);
int sluice_sql_find(struct sluice_index *ix, const struct sluice_whose *who,
		    const struct sluice_index_filter *f, sluice_index_summary_fn fn, void *ctx,
		    char *next);
int sluice_sql_timeline(struct sluice_index *ix, const struct sluice_whose *who, const char *camera,
			uint64_t from_ns, uint64_t to_ns, uint64_t width_ns,
			sluice_index_bucket_fn fn, void *ctx);

/* index_retain.c */
int sluice_sql_segment_oldest(struct sluice_index *ix, enum sluice_index_class class,
			      uint64_t before_ns, struct sluice_index_segment *s);
int sluice_sql_segment_drop(struct sluice_index *ix, const struct sluice_index_segment *s,
			    unsigned int limit);
int sluice_sql_summary_oldest(struct sluice_index *ix, uint64_t before_ns, char id[33],
			      struct sluice_camera *c);
int sluice_sql_summary_drop(struct sluice_index *ix, const struct sluice_camera *c, const char *id);
int sluice_sql_ledgers_drop(struct sluice_index *ix, uint64_t before_ns);
int sluice_sql_bytes(struct sluice_index *ix, uint64_t *bytes);
int sluice_sql_gone(struct sluice_index *ix, char path[192]);
int sluice_sql_gone_done(struct sluice_index *ix, const char *path);

/* index_jobs.c */
int sluice_sql_job_add(struct sluice_index *ix, const struct sluice_index_job *j);
int sluice_sql_job_take(struct sluice_index *ix, uint64_t now_ns, char id[33]);
int sluice_sql_job_progress(struct sluice_index *ix, const char *id, int per_mille, int *cancel);
int sluice_sql_job_note(struct sluice_index *ix, const char *id, const char *notes);
int sluice_sql_job_end(struct sluice_index *ix, const struct sluice_index_job *j);
int sluice_sql_job_cancel(struct sluice_index *ix, const struct sluice_whose *who, const char *id,
			  uint64_t now_ns);
int sluice_sql_jobs(struct sluice_index *ix, const struct sluice_whose *who,
		    const struct sluice_index_job_filter *f, sluice_index_job_fn fn, void *ctx);
int sluice_sql_jobs_again(struct sluice_index *ix, uint64_t now_ns);
int sluice_sql_jobs_drop(struct sluice_index *ix, uint64_t before_ns);
int sluice_sql_cameras_busy(struct sluice_index *ix, uint64_t from_ns, uint64_t to_ns,
			    sluice_index_camera_fn fn, void *ctx);

/* index_sqlite.c: the tables in a file, for statements of somebody else's. */
int sluice_index_sqlite_db(const char *path, const char *const *sql, int count,
			   struct sluice_db **out);

/* index_fence.c */
int sluice_sql_begin_fenced(struct sluice_index *ix, unsigned int partition, uint64_t token);
int sluice_sql_fence(struct sluice_index *ix, unsigned int partition, uint64_t *token,
		     uint64_t *refused);

/* index_tally.c */
int sluice_sql_tally_put(struct sluice_index *ix, const struct sluice_index_tally *t);
int sluice_sql_tallies(struct sluice_index *ix, const uint8_t camera[16], uint32_t from_day,
		       sluice_index_tally_fn fn, void *ctx);

/* index_history.c */
int sluice_sql_frame_near(struct sluice_index *ix, const struct sluice_whose *who,
			  const uint8_t camera[16], uint64_t utc_ns, struct sluice_index_frame *f,
			  char *path);
int sluice_sql_frames_between(struct sluice_index *ix, const struct sluice_whose *who,
			      const uint8_t camera[16], const struct sluice_index_place *after,
			      uint64_t to_ns, unsigned int limit, sluice_index_frame_fn fn,
			      void *ctx);
int sluice_sql_ledger_add(struct sluice_index *ix, const uint8_t id[16], uint64_t utc_ns,
			  uint64_t epoch, const void *ledger, size_t size);
int sluice_sql_ledgers(struct sluice_index *ix, const struct sluice_whose *who,
		       const uint8_t camera[16], uint64_t from_ns, uint64_t to_ns,
		       sluice_index_ledger_fn fn, void *ctx);
int sluice_sql_epochs(struct sluice_index *ix, const struct sluice_whose *who,
		      const uint8_t camera[16], unsigned int limit, sluice_index_epoch_fn fn,
		      void *ctx);

#endif
