// SPDX-License-Identifier: MIT
/*
 * index_sqlite.c - the index in one SQLite file, WAL with synchronous=FULL.
 *
 * The writer thread commits in groups; other threads read in their own connections and wait at most
 * 5 s for the write lock (-EBUSY). Disk full is -ENOSPC, a damaged file -EUCLEAN: then
 * `sluice-cloud rebuild-index` makes it again.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cloud/index.h"
#include "cloud/sqlite.h"

#define SCHEMA_VERSION 1

static const char schema[] =
	"CREATE TABLE cameras (id BLOB PRIMARY KEY, tenant TEXT NOT NULL, device TEXT NOT NULL,"
	" name TEXT NOT NULL, seen_utc_ns INTEGER NOT NULL DEFAULT 0,"
	" width INTEGER NOT NULL DEFAULT 0, height INTEGER NOT NULL DEFAULT 0, ledger BLOB,"
	" UNIQUE (tenant, device, name)) WITHOUT ROWID;"
	"CREATE TABLE segments (id INTEGER PRIMARY KEY AUTOINCREMENT, camera BLOB NOT NULL,"
	" path TEXT NOT NULL UNIQUE, created_ns INTEGER NOT NULL,"
	" size INTEGER NOT NULL DEFAULT 0, closed INTEGER NOT NULL DEFAULT 0);"
	"CREATE TABLE frames (camera BLOB, epoch INTEGER, seq INTEGER, segment INTEGER NOT NULL,"
	" offset INTEGER NOT NULL, length INTEGER NOT NULL, time_ns INTEGER NOT NULL,"
	" utc_ns INTEGER NOT NULL, reason INTEGER NOT NULL, flags INTEGER NOT NULL,"
	" PRIMARY KEY (camera, epoch, seq)) WITHOUT ROWID;"
	"CREATE TABLE epochs (camera BLOB, epoch INTEGER, first_ns INTEGER NOT NULL,"
	" first_utc_ns INTEGER NOT NULL, told INTEGER NOT NULL DEFAULT -1,"
	" done INTEGER NOT NULL DEFAULT 0, PRIMARY KEY (camera, epoch)) WITHOUT ROWID;"
	"CREATE TABLE summaries (id TEXT PRIMARY KEY, camera BLOB NOT NULL,"
	" epoch INTEGER NOT NULL, start_utc_ns INTEGER NOT NULL, end_utc_ns INTEGER NOT NULL,"
	" json TEXT NOT NULL, acked INTEGER NOT NULL DEFAULT 0) WITHOUT ROWID;"
	"CREATE INDEX summaries_by_camera ON summaries (camera, start_utc_ns);"
	"CREATE INDEX summaries_by_time ON summaries (start_utc_ns);"
	"CREATE INDEX summaries_unacked ON summaries (camera, start_utc_ns) WHERE acked = 0;"
	"CREATE TABLE media (summary TEXT, at INTEGER, name TEXT NOT NULL, size INTEGER NOT NULL,"
	" sha256 BLOB NOT NULL, PRIMARY KEY (summary, at)) WITHOUT ROWID;";

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

#define CAMERA_COLUMNS "c.id, c.tenant, c.device, c.name"
#define FRAME_COLUMNS                                                                    \
	"f.camera, f.epoch, f.seq, f.segment, f.offset, f.length, f.time_ns, f.utc_ns, " \
	"f.reason, f.flags"
#define EPOCH_COLUMNS	"e.camera, e.epoch, e.first_ns, e.first_utc_ns, e.told, e.done"
#define SUMMARY_COLUMNS "s.id, s.camera, s.epoch, s.start_utc_ns, s.end_utc_ns, s.json, s.acked"

static const char *const sql[STATEMENTS] = {
	[CAMERA_ADD] = "INSERT OR IGNORE INTO cameras (id, tenant, device, name)"
		       " VALUES (?, ?, ?, ?)",
	[CAMERA_COUNT] = "SELECT count(*) FROM cameras WHERE tenant = ? AND device = ?",
	[CAMERA_FIND] = "SELECT " CAMERA_COLUMNS " FROM cameras c WHERE id = ?",
	[CAMERA_SEEN] = "UPDATE cameras SET seen_utc_ns = max(seen_utc_ns, ?2),"
			" width = iif(?3, ?3, width), height = iif(?3, ?4, height) WHERE id = ?1",
	[CAMERA_LEDGER] = "UPDATE cameras SET ledger = ?2 WHERE id = ?1",
	[CAMERAS] = "SELECT " CAMERA_COLUMNS ", seen_utc_ns, width, height, ledger FROM cameras c"
		    " WHERE tenant = ? ORDER BY device, name",
	[SEGMENT_ADD] = "INSERT INTO segments (camera, path, created_ns) VALUES (?, ?, ?)",
	[SEGMENT_CLOSED] = "UPDATE segments SET closed = 1, size = ?2 WHERE id = ?1",
	[SEGMENT_FIND] = "SELECT id, camera, path, created_ns, size, closed FROM segments"
			 " WHERE path = ?",
	[SEGMENTS] = "SELECT id, camera, path, created_ns, size, closed FROM segments ORDER BY id",
	[SEGMENT_BEYOND] = "SELECT count(*) FROM frames WHERE camera = ? AND segment = ?"
			   " AND offset >= ?",
	[FRAME_ADD] = "INSERT OR IGNORE INTO frames (camera, epoch, seq, segment, offset, length,"
		      " time_ns, utc_ns, reason, flags) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
	[FRAME_LAST] = "SELECT max(seq) FROM frames WHERE camera = ? AND epoch = ?",
	[FRAME_FIND] = "SELECT " FRAME_COLUMNS ", s.path FROM frames f"
		       " JOIN segments s ON s.id = f.segment"
		       " WHERE f.camera = ? AND f.epoch = ? AND f.seq = ?",
	[FRAMES] = "SELECT " FRAME_COLUMNS " FROM frames f WHERE camera = ? AND epoch = ?"
		   " AND seq > ? ORDER BY seq",
	[FRAMES_COUNT] = "SELECT count(*) FROM frames",
	[EPOCH_ADD] = "INSERT OR IGNORE INTO epochs (camera, epoch, first_ns, first_utc_ns)"
		      " VALUES (?, ?, ?, ?)",
	[EPOCH_FIND] = "SELECT " EPOCH_COLUMNS " FROM epochs e WHERE camera = ? AND epoch = ?",
	[EPOCH_TOLD] = "UPDATE epochs SET told = max(told, ?3), done = max(done, ?4)"
		       " WHERE camera = ?1 AND epoch = ?2",
	[EPOCHS_OPEN] = "SELECT " EPOCH_COLUMNS ", " CAMERA_COLUMNS " FROM epochs e"
			" JOIN cameras c ON c.id = e.camera WHERE NOT e.done"
			" ORDER BY e.camera, e.epoch",
	[SUMMARY_ADD] = "INSERT OR IGNORE INTO summaries (id, camera, epoch, start_utc_ns,"
			" end_utc_ns, json) VALUES (?, ?, ?, ?, ?, ?)",
	[SUMMARY_ACKED] = "UPDATE summaries SET acked = 1 WHERE camera = ? AND id = ?",
	[MEDIA_ADD] = "INSERT OR REPLACE INTO media (summary, at, name, size, sha256)"
		      " VALUES (?, ?, ?, ?, ?)",
	[SUMMARIES_UNACKED] = "SELECT s.id, s.camera, s.epoch, s.start_utc_ns, s.end_utc_ns"
			      " FROM summaries s WHERE camera = ? AND acked = 0"
			      " ORDER BY start_utc_ns LIMIT 1000",
	[SUMMARIES] = "SELECT " SUMMARY_COLUMNS ", " CAMERA_COLUMNS " FROM summaries s"
		      " JOIN cameras c ON c.id = s.camera WHERE c.tenant = ?1"
		      " AND (?2 IS NULL OR c.name = ?2) ORDER BY s.start_utc_ns DESC LIMIT ?3",
	[SUMMARIES_ALL] = "SELECT " SUMMARY_COLUMNS ", " CAMERA_COLUMNS " FROM summaries s"
			  " JOIN cameras c ON c.id = s.camera ORDER BY s.start_utc_ns",
	[SUMMARY_FIND] = "SELECT " SUMMARY_COLUMNS ", " CAMERA_COLUMNS " FROM summaries s"
			 " JOIN cameras c ON c.id = s.camera WHERE s.id = ?2 AND c.tenant = ?1",
	[MEDIA] = "SELECT name, size, sha256 FROM media WHERE summary = ? ORDER BY at",
};

struct index_sqlite {
	struct sluice_index base;
	struct sluice_sqlite s;
};

static struct sluice_sqlite *db(struct sluice_index *ix)
{
	return &((struct index_sqlite *)ix)->s;
}

static uint64_t column_u64(sqlite3_stmt *st, int column)
{
	return (uint64_t)sqlite3_column_int64(st, column);
}

static void column_text(sqlite3_stmt *st, int column, char *out, size_t size)
{
	snprintf(out, size, "%s", sluice_sqlite_text(st, column));
}

static void index_close(struct sluice_index *ix)
{
	sluice_sqlite_close(db(ix));
	free(ix);
}

static int index_begin(struct sluice_index *ix)
{
	return sluice_sqlite_exec(db(ix), "BEGIN IMMEDIATE");
}

static int index_commit(struct sluice_index *ix)
{
	return sluice_sqlite_exec(db(ix), "COMMIT");
}

static void index_rollback(struct sluice_index *ix)
{
	sluice_sqlite_exec(db(ix), "ROLLBACK");
}

/* ---- cameras ---- */

static void read_camera(sqlite3_stmt *st, int column, struct sluice_camera *c)
{
	memset(c, 0, sizeof(*c));
	sluice_sqlite_id(st, column, c->id);
	sluice_hex(c->id, sizeof(c->id), c->hex);
	column_text(st, column + 1, c->tenant, sizeof(c->tenant));
	column_text(st, column + 2, c->device, sizeof(c->device));
	column_text(st, column + 3, c->name, sizeof(c->name));
}

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

static int camera_ledger(struct sluice_index *ix, const uint8_t id[16], const void *ledger,
			 size_t size)
{
	return sluice_sqlite_run(sluice_sqlite_bind(db(ix), CAMERA_LEDGER, "cb", id, ledger, size));
}

static int cameras(struct sluice_index *ix, const char *tenant, sluice_index_camera_fn fn,
		   void *ctx)
{
	sqlite3_stmt *st = sluice_sqlite_bind(db(ix), CAMERAS, "s", tenant);
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

static void read_segment(sqlite3_stmt *st, struct sluice_index_segment *s)
{
	s->id = column_u64(st, 0);
	sluice_sqlite_id(st, 1, s->camera);
	column_text(st, 2, s->path, sizeof(s->path));
	s->created_ns = column_u64(st, 3);
	s->size = column_u64(st, 4);
	s->closed = sqlite3_column_int(st, 5);
}

static int segment_add(struct sluice_index *ix, struct sluice_index_segment *s)
{
	int err = sluice_sqlite_run(
		sluice_sqlite_bind(db(ix), SEGMENT_ADD, "csi", s->camera, s->path, s->created_ns));

	if (!err)
		s->id = (uint64_t)sqlite3_last_insert_rowid(db(ix)->db);
	return err;
}

static int segment_closed(struct sluice_index *ix, uint64_t id, uint64_t size)
{
	return sluice_sqlite_run(sluice_sqlite_bind(db(ix), SEGMENT_CLOSED, "ii", id, size));
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

static void read_frame(sqlite3_stmt *st, struct sluice_index_frame *f)
{
	sluice_sqlite_id(st, 0, f->camera);
	f->epoch = column_u64(st, 1);
	f->sequence = column_u64(st, 2);
	f->segment = column_u64(st, 3);
	f->offset = column_u64(st, 4);
	f->length = (uint32_t)sqlite3_column_int64(st, 5);
	f->time_ns = column_u64(st, 6);
	f->utc_ns = column_u64(st, 7);
	f->reason = (uint16_t)sqlite3_column_int(st, 8);
	f->flags = (uint16_t)sqlite3_column_int(st, 9);
}

static int frame_add(struct sluice_index *ix, const struct sluice_index_frame *f)
{
	return sluice_sqlite_run(sluice_sqlite_bind(
		db(ix), FRAME_ADD, "ciiiiiiidd", f->camera, f->epoch, f->sequence, f->segment,
		f->offset, (uint64_t)f->length, f->time_ns, f->utc_ns, f->reason, f->flags));
}

static int frame_last(struct sluice_index *ix, const uint8_t camera[16], uint64_t epoch,
		      uint64_t *sequence)
{
	sqlite3_stmt *st = sluice_sqlite_bind(db(ix), FRAME_LAST, "ci", camera, epoch);
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
		  sluice_index_frame_fn fn, void *ctx)
{
	sqlite3_stmt *st = sluice_sqlite_bind(db(ix), FRAMES, "cii", camera, epoch, after);
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

static void read_epoch(sqlite3_stmt *st, struct sluice_index_epoch *e)
{
	sluice_sqlite_id(st, 0, e->camera);
	e->epoch = column_u64(st, 1);
	e->first_ns = column_u64(st, 2);
	e->first_utc_ns = column_u64(st, 3);
	e->told = sqlite3_column_int64(st, 4);
	e->done = sqlite3_column_int(st, 5);
}

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
	return sluice_sqlite_run(
		sluice_sqlite_bind(db(ix), EPOCH_TOLD, "ciid", camera, epoch, told, done));
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

/* ---- summaries ---- */

/* The row and its media, together or not at all; joins the caller's transaction if there is one. */
static int summary_add(struct sluice_index *ix, const struct sluice_index_summary *s)
{
	int err, added = 0, own = sqlite3_get_autocommit(db(ix)->db);
	size_t i;

	err = own ? index_begin(ix) : 0;
	if (err)
		return err;
	err = sluice_sqlite_run(sluice_sqlite_bind(db(ix), SUMMARY_ADD, "sciiis", s->id, s->camera,
						   s->epoch, s->start_utc_ns, s->end_utc_ns,
						   s->json));
	if (!err)
		added = sqlite3_changes(db(ix)->db) > 0;
	for (i = 0; !err && added && i < s->media_count; i++)
		err = sluice_sqlite_run(sluice_sqlite_bind(
			db(ix), MEDIA_ADD, "sisib", s->id, (uint64_t)i, s->media[i].name,
			s->media[i].size, s->media[i].sha256, sizeof(s->media[i].sha256)));
	if (own && !err)
		err = index_commit(ix);
	if (own && err)
		index_rollback(ix);
	return err ? err : !added;
}

static int summary_acked(struct sluice_index *ix, const uint8_t camera[16], const char *id)
{
	return sluice_sqlite_run(sluice_sqlite_bind(db(ix), SUMMARY_ACKED, "cs", camera, id));
}

static void read_summary(sqlite3_stmt *st, struct sluice_index_summary *s)
{
	memset(s, 0, sizeof(*s));
	column_text(st, 0, s->id, sizeof(s->id));
	sluice_sqlite_id(st, 1, s->camera);
	s->epoch = column_u64(st, 2);
	s->start_utc_ns = column_u64(st, 3);
	s->end_utc_ns = column_u64(st, 4);
}

static int summaries_unacked(struct sluice_index *ix, const uint8_t camera[16],
			     sluice_index_summary_fn fn, void *ctx)
{
	sqlite3_stmt *st = sluice_sqlite_bind(db(ix), SUMMARIES_UNACKED, "c", camera);
	struct sluice_index_summary s;
	int rc;

	while ((rc = sluice_sqlite_step(st)) > 0) {
		read_summary(st, &s);
		rc = fn(ctx, NULL, &s);
		if (rc) {
			sqlite3_reset(st);
			break;
		}
	}
	return rc;
}

static int read_media(struct sluice_index *ix, const char *id, struct sluice_index_media *media,
		      size_t *count)
{
	sqlite3_stmt *st = sluice_sqlite_bind(db(ix), MEDIA, "s", id);
	int rc;

	*count = 0;
	while ((rc = sluice_sqlite_step(st)) > 0) {
		struct sluice_index_media *m = &media[*count];
		const void *sha = sqlite3_column_blob(st, 2);

		if (*count == SLUICE_SUMMARY_MEDIA_MAX || sqlite3_column_bytes(st, 2) != 32) {
			sqlite3_reset(st);
			return -EUCLEAN;
		}
		column_text(st, 0, m->name, sizeof(m->name));
		m->size = column_u64(st, 1);
		memcpy(m->sha256, sha, sizeof(m->sha256));
		++*count;
	}
	return rc;
}

/* Calls fn for the rows of a statement with SUMMARY_COLUMNS and CAMERA_COLUMNS. */
static int walk_summaries(struct sluice_index *ix, sqlite3_stmt *st, sluice_index_summary_fn fn,
			  void *ctx, int *rows)
{
	struct sluice_index_media media[SLUICE_SUMMARY_MEDIA_MAX];
	struct sluice_index_summary s;
	struct sluice_camera c;
	int rc;

	*rows = 0;
	while ((rc = sluice_sqlite_step(st)) > 0) {
		read_summary(st, &s);
		s.json = sluice_sqlite_text(st, 5);
		s.acked = sqlite3_column_int(st, 6);
		read_camera(st, 7, &c);
		rc = read_media(ix, s.id, media, &s.media_count);
		s.media = media;
		if (!rc)
			rc = fn(ctx, &c, &s);
		++*rows;
		if (rc) {
			sqlite3_reset(st);
			break;
		}
	}
	return rc;
}

static int summaries(struct sluice_index *ix, const char *tenant, const char *camera,
		     unsigned int limit, sluice_index_summary_fn fn, void *ctx)
{
	int rows;

	return walk_summaries(
		ix, sluice_sqlite_bind(db(ix), SUMMARIES, "ssd", tenant, camera, (int)limit), fn,
		ctx, &rows);
}

static int summaries_all(struct sluice_index *ix, sluice_index_summary_fn fn, void *ctx)
{
	int rows;

	return walk_summaries(ix, sluice_sqlite_bind(db(ix), SUMMARIES_ALL, ""), fn, ctx, &rows);
}

static int summary_find(struct sluice_index *ix, const char *tenant, const char *id,
			sluice_index_summary_fn fn, void *ctx)
{
	int rows, rc;

	rc = walk_summaries(ix, sluice_sqlite_bind(db(ix), SUMMARY_FIND, "ss", tenant, id), fn, ctx,
			    &rows);
	return !rc && !rows ? -ENOENT : rc;
}

static const struct sluice_index_ops ops = {
	.close = index_close,
	.begin = index_begin,
	.commit = index_commit,
	.rollback = index_rollback,
	.camera_add = camera_add,
	.camera_find = camera_find,
	.camera_seen = camera_seen,
	.camera_ledger = camera_ledger,
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
	.summary_add = summary_add,
	.summary_acked = summary_acked,
	.summaries_unacked = summaries_unacked,
	.summaries = summaries,
	.summaries_all = summaries_all,
	.summary_find = summary_find,
};

int sluice_index_sqlite_open(const char *path, struct sluice_index **out)
{
	struct index_sqlite *ix = calloc(1, sizeof(*ix));
	int err;

	*out = NULL;
	if (!ix)
		return -ENOMEM;
	ix->base.ops = &ops;
	err = sluice_sqlite_open(&ix->s, path, schema, SCHEMA_VERSION, sql, STATEMENTS);
	if (err) {
		free(ix);
		return err;
	}
	*out = &ix->base;
	return 0;
}
