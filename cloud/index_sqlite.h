/* SPDX-License-Identifier: MIT */
/* index_sqlite.h - what the files of the SQLite index share; nobody else includes it. */
#ifndef SLUICE_INDEX_SQLITE_H
#define SLUICE_INDEX_SQLITE_H

#include <stdio.h>
#include <string.h>

#include "cloud/index.h"
#include "cloud/sqlite.h"

#define SLUICE_INDEX_VERSION 1

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
	FRAMES_COUNT,
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
	SUMMARY_FIND,
	MEDIA,
	STATEMENTS
};

extern const char sluice_index_schema[];
/* What an index of an earlier version lacks; changes nothing where it is there. */
extern const char sluice_index_later[];
extern const char *const sluice_index_sql[STATEMENTS];

struct index_sqlite {
	struct sluice_index base;
	struct sluice_sqlite s;
};

static inline struct sluice_sqlite *db(struct sluice_index *ix)
{
	return &((struct index_sqlite *)ix)->s;
}

static inline uint64_t column_u64(sqlite3_stmt *st, int column)
{
	return (uint64_t)sqlite3_column_int64(st, column);
}

static inline void column_text(sqlite3_stmt *st, int column, char *out, size_t size)
{
	snprintf(out, size, "%s", sluice_sqlite_text(st, column));
}

static inline void read_camera(sqlite3_stmt *st, int column, struct sluice_camera *c)
{
	memset(c, 0, sizeof(*c));
	sluice_sqlite_id(st, column, c->id);
	sluice_hex(c->id, sizeof(c->id), c->hex);
	column_text(st, column + 1, c->tenant, sizeof(c->tenant));
	column_text(st, column + 2, c->device, sizeof(c->device));
	column_text(st, column + 3, c->name, sizeof(c->name));
}

/* index_runs.c */
int sluice_sqlite_run_add(struct sluice_index *ix, const struct sluice_index_run *r);
int sluice_sqlite_run_find(struct sluice_index *ix, const uint8_t camera[16], uint64_t epoch,
			   uint64_t first, struct sluice_index_run *r);
int sluice_sqlite_run_told(struct sluice_index *ix, const uint8_t camera[16], uint64_t epoch,
			   uint64_t first, int64_t told, int done);
int sluice_sqlite_runs_open(struct sluice_index *ix, sluice_index_run_fn fn, void *ctx);

/* index_summaries.c */
int sluice_sqlite_summary_add(struct sluice_index *ix, const struct sluice_index_summary *s);
int sluice_sqlite_summary_acked(struct sluice_index *ix, const uint8_t camera[16], const char *id);
int sluice_sqlite_summaries_unacked(struct sluice_index *ix, const uint8_t camera[16],
				    sluice_index_summary_fn fn, void *ctx);
int sluice_sqlite_summaries(struct sluice_index *ix, const struct sluice_whose *whose,
			    const char *camera, unsigned int limit, sluice_index_summary_fn fn,
			    void *ctx);
int sluice_sqlite_summaries_all(struct sluice_index *ix, sluice_index_summary_fn fn, void *ctx);
int sluice_sqlite_summary_find(struct sluice_index *ix, const struct sluice_whose *whose,
			       const char *id, sluice_index_summary_fn fn, void *ctx);

#endif
