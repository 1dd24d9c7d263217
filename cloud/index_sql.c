// SPDX-License-Identifier: MIT
/* index_sql.c - the tables of the SQLite index and every statement that is run on them. */
#include "cloud/index_sqlite.h"

const char sluice_index_schema[] =
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

const char sluice_index_later[] =
	"CREATE TABLE IF NOT EXISTS runs (camera BLOB, epoch INTEGER, first INTEGER,"
	" last INTEGER NOT NULL, first_ns INTEGER NOT NULL, first_utc_ns INTEGER NOT NULL,"
	" told INTEGER NOT NULL DEFAULT -1, done INTEGER NOT NULL DEFAULT 0,"
	" PRIMARY KEY (camera, epoch, first)) WITHOUT ROWID;";

#define CAMERA_COLUMNS "c.id, c.tenant, c.device, c.name"
#define FRAME_COLUMNS                                                                    \
	"f.camera, f.epoch, f.seq, f.segment, f.offset, f.length, f.time_ns, f.utc_ns, " \
	"f.reason, f.flags"
#define EPOCH_COLUMNS	"e.camera, e.epoch, e.first_ns, e.first_utc_ns, e.told, e.done"
#define RUN_COLUMNS	"r.camera, r.epoch, r.first, r.last, r.first_ns, r.first_utc_ns, r.told, r.done"
#define SUMMARY_COLUMNS "s.id, s.camera, s.epoch, s.start_utc_ns, s.end_utc_ns, s.json, s.acked"

/* of a struct sluice_whose, always the first two parameters; c is the row of cameras */
#define ALLOWED " c.tenant = ?1 AND (?2 IS NULL OR instr(?2, hex(c.id)))"

const char *const sluice_index_sql[STATEMENTS] = {
	[CAMERA_ADD] = "INSERT OR IGNORE INTO cameras (id, tenant, device, name)"
		       " VALUES (?, ?, ?, ?)",
	[CAMERA_COUNT] = "SELECT count(*) FROM cameras WHERE tenant = ? AND device = ?",
	[CAMERA_FIND] = "SELECT " CAMERA_COLUMNS " FROM cameras c WHERE id = ?",
	[CAMERA_SEEN] = "UPDATE cameras SET seen_utc_ns = max(seen_utc_ns, ?2),"
			" width = iif(?3, ?3, width), height = iif(?3, ?4, height) WHERE id = ?1",
	[CAMERA_LEDGER] = "UPDATE cameras SET ledger = ?2 WHERE id = ?1",
	[CAMERAS] = "SELECT " CAMERA_COLUMNS ", seen_utc_ns, width, height, ledger FROM cameras c"
		    " WHERE" ALLOWED " ORDER BY device, name",
	[SEGMENT_ADD] = "INSERT INTO segments (camera, path, created_ns) VALUES (?, ?, ?)",
	[SEGMENT_CLOSED] = "UPDATE segments SET closed = 1, size = ?2 WHERE id = ?1",
	[SEGMENT_FIND] = "SELECT id, camera, path, created_ns, size, closed FROM segments"
			 " WHERE path = ?",
	[SEGMENTS] = "SELECT id, camera, path, created_ns, size, closed FROM segments ORDER BY id",
	[SEGMENT_BEYOND] = "SELECT count(*) FROM frames WHERE camera = ? AND segment = ?"
			   " AND offset >= ?",
	[FRAME_ADD] = "INSERT OR IGNORE INTO frames (camera, epoch, seq, segment, offset, length,"
		      " time_ns, utc_ns, reason, flags) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
	[FRAME_LAST] = "SELECT max(seq) FROM frames WHERE camera = ? AND epoch = ?"
		       " AND seq BETWEEN ? AND ?",
	[FRAME_FIND] = "SELECT " FRAME_COLUMNS ", s.path FROM frames f"
		       " JOIN segments s ON s.id = f.segment"
		       " WHERE f.camera = ? AND f.epoch = ? AND f.seq = ?",
	[FRAMES] = "SELECT " FRAME_COLUMNS " FROM frames f WHERE camera = ? AND epoch = ?"
		   " AND seq > ? AND seq <= ? AND (flags & 16384) = ? ORDER BY seq",
	[FRAMES_COUNT] = "SELECT count(*) FROM frames",
	[EPOCH_ADD] = "INSERT OR IGNORE INTO epochs (camera, epoch, first_ns, first_utc_ns)"
		      " VALUES (?, ?, ?, ?)",
	[EPOCH_FIND] = "SELECT " EPOCH_COLUMNS " FROM epochs e WHERE camera = ? AND epoch = ?",
	[EPOCH_TOLD] = "UPDATE epochs SET told = max(told, ?3), done = max(done, ?4)"
		       " WHERE camera = ?1 AND epoch = ?2",
	[EPOCHS_OPEN] = "SELECT " EPOCH_COLUMNS ", " CAMERA_COLUMNS " FROM epochs e"
			" JOIN cameras c ON c.id = e.camera WHERE NOT e.done"
			" ORDER BY e.camera, e.epoch",
	[RUN_ADD] = "INSERT INTO runs (camera, epoch, first, last, first_ns, first_utc_ns)"
		    " VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT DO UPDATE"
		    " SET last = max(last, excluded.last), done = 0",
	[RUN_FIND] = "SELECT " RUN_COLUMNS " FROM runs r WHERE camera = ? AND epoch = ?"
		     " AND first = ?",
	[RUN_TOLD] = "UPDATE runs SET told = max(told, ?4), done = max(done, ?5)"
		     " WHERE camera = ?1 AND epoch = ?2 AND first = ?3",
	[RUNS_OPEN] = "SELECT " RUN_COLUMNS ", " CAMERA_COLUMNS " FROM runs r"
		      " JOIN cameras c ON c.id = r.camera WHERE NOT r.done"
		      " ORDER BY r.camera, r.epoch, r.first",
	[SUMMARY_ADD] = "INSERT OR IGNORE INTO summaries (id, camera, epoch, start_utc_ns,"
			" end_utc_ns, json) VALUES (?, ?, ?, ?, ?, ?)",
	[SUMMARY_ACKED] = "UPDATE summaries SET acked = 1 WHERE camera = ? AND id = ?",
	[MEDIA_ADD] = "INSERT OR REPLACE INTO media (summary, at, name, size, sha256)"
		      " VALUES (?, ?, ?, ?, ?)",
	[SUMMARIES_UNACKED] = "SELECT s.id, s.camera, s.epoch, s.start_utc_ns, s.end_utc_ns"
			      " FROM summaries s WHERE camera = ? AND acked = 0"
			      " ORDER BY start_utc_ns LIMIT 1000",
	[SUMMARIES] = "SELECT " SUMMARY_COLUMNS ", " CAMERA_COLUMNS " FROM summaries s"
		      " JOIN cameras c ON c.id = s.camera WHERE" ALLOWED
		      " AND (?3 IS NULL OR c.name = ?3) ORDER BY s.start_utc_ns DESC LIMIT ?4",
	[SUMMARIES_ALL] = "SELECT " SUMMARY_COLUMNS ", " CAMERA_COLUMNS " FROM summaries s"
			  " JOIN cameras c ON c.id = s.camera ORDER BY s.start_utc_ns",
	[SUMMARY_FIND] = "SELECT " SUMMARY_COLUMNS ", " CAMERA_COLUMNS " FROM summaries s"
			 " JOIN cameras c ON c.id = s.camera WHERE s.id = ?3 AND" ALLOWED,
	[MEDIA] = "SELECT name, size, sha256 FROM media WHERE summary = ? ORDER BY at",
};
