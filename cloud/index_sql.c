// SPDX-License-Identifier: MIT
/* index_sql.c - the tables of the SQLite index and every statement that is run on them. */
#include "cloud/index_sqlite.h"

/* Version 1; runs came later without a number of its own. */
#define FIRST                                                                                      \
	"CREATE TABLE cameras (id BLOB PRIMARY KEY, tenant TEXT NOT NULL, device TEXT NOT NULL,"   \
	" name TEXT NOT NULL, seen_utc_ns INTEGER NOT NULL DEFAULT 0,"                             \
	" width INTEGER NOT NULL DEFAULT 0, height INTEGER NOT NULL DEFAULT 0, ledger BLOB,"       \
	" UNIQUE (tenant, device, name)) WITHOUT ROWID;"                                           \
	"CREATE TABLE segments (id INTEGER PRIMARY KEY AUTOINCREMENT, camera BLOB NOT NULL,"       \
	" path TEXT NOT NULL UNIQUE, created_ns INTEGER NOT NULL,"                                 \
	" size INTEGER NOT NULL DEFAULT 0, closed INTEGER NOT NULL DEFAULT 0);"                    \
	"CREATE TABLE frames (camera BLOB, epoch INTEGER, seq INTEGER, segment INTEGER NOT NULL,"  \
	" offset INTEGER NOT NULL, length INTEGER NOT NULL, time_ns INTEGER NOT NULL,"             \
	" utc_ns INTEGER NOT NULL, reason INTEGER NOT NULL, flags INTEGER NOT NULL,"               \
	" PRIMARY KEY (camera, epoch, seq)) WITHOUT ROWID;"                                        \
	"CREATE TABLE epochs (camera BLOB, epoch INTEGER, first_ns INTEGER NOT NULL,"              \
	" first_utc_ns INTEGER NOT NULL, told INTEGER NOT NULL DEFAULT -1,"                        \
	" done INTEGER NOT NULL DEFAULT 0, PRIMARY KEY (camera, epoch)) WITHOUT ROWID;"            \
	"CREATE TABLE summaries (id TEXT PRIMARY KEY, camera BLOB NOT NULL,"                       \
	" epoch INTEGER NOT NULL, start_utc_ns INTEGER NOT NULL, end_utc_ns INTEGER NOT NULL,"     \
	" json TEXT NOT NULL, acked INTEGER NOT NULL DEFAULT 0) WITHOUT ROWID;"                    \
	"CREATE INDEX summaries_by_camera ON summaries (camera, start_utc_ns);"                    \
	"CREATE INDEX summaries_by_time ON summaries (start_utc_ns);"                              \
	"CREATE INDEX summaries_unacked ON summaries (camera, start_utc_ns) WHERE acked = 0;"      \
	"CREATE TABLE media (summary TEXT, at INTEGER, name TEXT NOT NULL, size INTEGER NOT NULL," \
	" sha256 BLOB NOT NULL, PRIMARY KEY (summary, at)) WITHOUT ROWID;"

/*
 * Version 2: what people look for. facets is a narrow row beside each summary, in the order in
 * which they are shown, and tags the same once more for each thing that is asked for often; a query
 * walks the rarest of them and looks at one row of facets for each step, never at the JSON. The
 * region is 16 x 16 bits in four words (facets.h).
 */
#define SECOND                                                                                   \
	"CREATE TABLE IF NOT EXISTS runs (camera BLOB, epoch INTEGER, first INTEGER,"            \
	" last INTEGER NOT NULL, first_ns INTEGER NOT NULL, first_utc_ns INTEGER NOT NULL,"      \
	" told INTEGER NOT NULL DEFAULT -1, done INTEGER NOT NULL DEFAULT 0,"                    \
	" PRIMARY KEY (camera, epoch, first)) WITHOUT ROWID;"                                    \
	"ALTER TABLE segments ADD COLUMN first_utc_ns INTEGER NOT NULL DEFAULT 0;"               \
	"ALTER TABLE segments ADD COLUMN last_utc_ns INTEGER NOT NULL DEFAULT 0;"                \
	"ALTER TABLE segments ADD COLUMN frames INTEGER NOT NULL DEFAULT 0;"                     \
	"ALTER TABLE segments ADD COLUMN motion INTEGER NOT NULL DEFAULT 0;"                     \
	"UPDATE segments SET (first_utc_ns, last_utc_ns, frames, motion) ="                      \
	" (n.first, n.last, n.frames, n.motion) FROM (SELECT segment, min(utc_ns) AS first,"     \
	" max(utc_ns) AS last, count(*) AS frames, sum(reason NOT IN (11, 12)) AS motion"        \
	" FROM frames GROUP BY segment) AS n WHERE n.segment = segments.id;"                     \
	"CREATE INDEX segments_by_age ON segments (closed, motion, last_utc_ns);"                \
	"CREATE INDEX frames_by_time ON frames (camera, utc_ns);"                                \
	"CREATE TABLE facets (tenant TEXT, start_utc_ns INTEGER, id TEXT, camera BLOB NOT NULL," \
	" end_utc_ns INTEGER NOT NULL, kind TEXT NOT NULL, confidence INTEGER NOT NULL,"         \
	" nuisance INTEGER NOT NULL, pinned INTEGER NOT NULL DEFAULT 0, r0 INTEGER NOT NULL,"    \
	" r1 INTEGER NOT NULL, r2 INTEGER NOT NULL, r3 INTEGER NOT NULL, tags TEXT NOT NULL,"    \
	" words TEXT NOT NULL, PRIMARY KEY (tenant, start_utc_ns, id)) WITHOUT ROWID;"           \
	"CREATE INDEX facets_by_camera ON facets (camera, kind, start_utc_ns, end_utc_ns,"       \
	" nuisance, pinned);"                                                                    \
	"CREATE INDEX facets_pinned ON facets (camera, start_utc_ns, end_utc_ns) WHERE pinned;"  \
	"CREATE TABLE tags (tenant TEXT, tag TEXT, start_utc_ns INTEGER, id TEXT,"               \
	" PRIMARY KEY (tenant, tag, start_utc_ns, id)) WITHOUT ROWID;"                           \
	"CREATE TABLE pins (id TEXT PRIMARY KEY, by TEXT NOT NULL, note TEXT NOT NULL,"          \
	" utc_ns INTEGER NOT NULL) WITHOUT ROWID;"                                               \
	"CREATE TABLE open_events (id TEXT PRIMARY KEY, camera BLOB NOT NULL,"                   \
	" epoch INTEGER NOT NULL, start_utc_ns INTEGER NOT NULL, json TEXT NOT NULL)"            \
	" WITHOUT ROWID;"                                                                        \
	"CREATE INDEX open_events_by_camera ON open_events (camera, epoch);"                     \
	"CREATE TABLE ledgers (camera BLOB, utc_ns INTEGER, epoch INTEGER NOT NULL,"             \
	" ledger BLOB NOT NULL, PRIMARY KEY (camera, utc_ns)) WITHOUT ROWID;"

/*
 * Version 3: what the retention asks for. gone: files whose rows are deleted and that are still to
 * be deleted themselves (retain.c). closed is 2 while a segment's frames are being deleted.
 */
#define THIRD                                                                         \
	"DROP INDEX segments_by_age;"                                                 \
	"CREATE INDEX segments_by_age ON segments (closed, motion > 0, last_utc_ns);" \
	"CREATE INDEX segments_by_camera ON segments (camera, closed, last_utc_ns);"  \
	"CREATE INDEX facets_nuisance ON facets (start_utc_ns) WHERE nuisance;"       \
	"CREATE TABLE gone (path TEXT PRIMARY KEY) WITHOUT ROWID;"

/* Version 4: long work over what is stored. Numbers of state: enum sluice_job_state. */
#define FOURTH                                                                              \
	"CREATE TABLE jobs (id TEXT PRIMARY KEY, camera BLOB NOT NULL, kind TEXT NOT NULL," \
	" by TEXT NOT NULL, from_ns INTEGER NOT NULL, to_ns INTEGER NOT NULL,"              \
	" made_ns INTEGER NOT NULL, began_ns INTEGER NOT NULL DEFAULT 0,"                   \
	" ended_ns INTEGER NOT NULL DEFAULT 0, state INTEGER NOT NULL DEFAULT 0,"           \
	" cancel INTEGER NOT NULL DEFAULT 0, tries INTEGER NOT NULL DEFAULT 0,"             \
	" per_mille INTEGER NOT NULL DEFAULT 0, settings TEXT NOT NULL,"                    \
	" result TEXT NOT NULL DEFAULT '', error TEXT NOT NULL DEFAULT '') WITHOUT ROWID;"  \
	"CREATE INDEX jobs_by_state ON jobs (state, made_ns);"                              \
	"CREATE INDEX jobs_by_camera ON jobs (camera, made_ns);"

const struct sluice_sqlite_step sluice_index_steps[SLUICE_INDEX_VERSION] = {
	{ FIRST, NULL },
	{ SECOND, sluice_sqlite_facets_fill },
	{ THIRD, NULL },
	{ FOURTH, NULL },
};

#define CAMERA_COLUMNS "c.id, c.tenant, c.device, c.name"
#define FRAME_COLUMNS                                                                    \
	"f.camera, f.epoch, f.seq, f.segment, f.offset, f.length, f.time_ns, f.utc_ns, " \
	"f.reason, f.flags"
#define EPOCH_COLUMNS "e.camera, e.epoch, e.first_ns, e.first_utc_ns, e.told, e.done"
#define RUN_COLUMNS   "r.camera, r.epoch, r.first, r.last, r.first_ns, r.first_utc_ns, r.told, r.done"
#define SEGMENT_COLUMNS \
	"id, camera, path, created_ns, size, closed, first_utc_ns, last_utc_ns, frames, motion"
/* ?5..: filter */
#define FIND_BEFORE                                                                             \
	"SELECT f.start_utc_ns, f.id, (?5 IS NULL OR instr(?5, hex(f.camera)))"                 \
	" AND f.confidence >= ?6 AND (?7 < 0 OR f.nuisance = ?7) AND (?8 < 0 OR f.pinned = ?8)" \
	" AND (?9 OR (f.r0 & ?10) OR (f.r1 & ?11) OR (f.r2 & ?12) OR (f.r3 & ?13))"             \
	" AND (?14 IS NULL OR instr(f.tags, ?14)) AND (?15 IS NULL OR instr(f.tags, ?15))"      \
	" AND (?16 IS NULL OR instr(f.tags, ?16)) AND (?17 IS NULL OR instr(f.tags, ?17))"      \
	" AND (?18 IS NULL OR instr(f.tags, ?18)) AND (?19 IS NULL OR instr(f.words, ?19))"     \
	" AND (?20 IS NULL OR instr(f.words, ?20)) AND (?21 IS NULL OR instr(f.words, ?21))"    \
	" AND (?22 IS NULL OR instr(f.words, ?22)), f.pinned, f.nuisance"
#define SUMMARY_COLUMNS "s.id, s.camera, s.epoch, s.start_utc_ns, s.end_utc_ns, s.json, s.acked"

/* of a struct sluice_whose, always the first two parameters; c is the row of cameras */
#define ALLOWED " c.tenant = ?1 AND (?2 IS NULL OR instr(?2, hex(c.id)))"

#define SEGMENT_OF(s)                                                                            \
#s ".id, " #s ".camera, " #s ".path, " #s ".created_ns, " #s ".size, " #s ".closed, " #s \
	   ".first_utc_ns, " #s ".last_utc_ns, " #s ".frames, " #s ".motion"
/* no pinned event has a part in segment s; an event is told in parts of minutes, never of an hour
 */
#define UNPINNED                                                                            \
	" NOT EXISTS (SELECT 1 FROM facets p WHERE p.camera = s.camera AND p.pinned"        \
	" AND p.start_utc_ns <= s.last_utc_ns AND p.start_utc_ns >= s.first_utc_ns - " HOUR \
	" AND p.end_utc_ns >= s.first_utc_ns)"
#define HOUR "3600000000000"

const char *const sluice_index_sql[STATEMENTS] = {
	[SEGMENT_OLDEST] = "SELECT " SEGMENT_OF(
		s) " FROM segments s WHERE s.closed = 1"
		   " AND (s.motion > 0) = ?1 AND s.last_utc_ns < ?2 AND" UNPINNED
		   " ORDER BY s.last_utc_ns LIMIT 1",
	[SEGMENT_NUISANCE] = "SELECT " SEGMENT_OF(
		s) " FROM facets f JOIN segments s"
		   " ON s.camera = f.camera AND s.closed = 1"
		   " AND s.last_utc_ns >= f.start_utc_ns"
		   " AND s.first_utc_ns <= f.end_utc_ns"
		   " WHERE f.nuisance AND f.kind = 'event' AND s.last_utc_ns < ?1"
		   " AND NOT EXISTS (SELECT 1 FROM facets g WHERE g.camera = s.camera"
		   " AND g.kind = 'event' AND NOT g.nuisance"
		   " AND g.start_utc_ns <= s.last_utc_ns"
		   " AND g.start_utc_ns >= s.first_utc_ns - " HOUR
		   " AND g.end_utc_ns >= s.first_utc_ns) AND" UNPINNED
		   " ORDER BY f.start_utc_ns LIMIT 1",
	[SEGMENT_LEAVING] = "SELECT " SEGMENT_OF(s) " FROM segments s WHERE s.closed = 2 LIMIT 1",
	[SEGMENT_LEAVE] = "UPDATE segments SET closed = 2 WHERE id = ?",
	[FRAMES_DROP] =
		"DELETE FROM frames WHERE (camera, epoch, seq) IN (SELECT camera, epoch, seq"
		" FROM frames WHERE camera = ?1 AND utc_ns BETWEEN ?2 AND ?3"
		" AND segment = ?4 LIMIT ?5)",
	[SEGMENT_DROP] = "DELETE FROM segments WHERE id = ?",
	[SEGMENT_BYTES] = "SELECT coalesce(sum(size), 0) FROM segments WHERE closed = 1",
	[MEDIA_BYTES] = "SELECT coalesce(sum(size), 0) FROM media",
	[SUMMARY_OLDEST] = "SELECT s.id, c.tenant, c.id FROM summaries s"
			   " JOIN cameras c ON c.id = s.camera WHERE s.start_utc_ns < ?"
			   " AND NOT EXISTS (SELECT 1 FROM pins WHERE pins.id = s.id)"
			   " ORDER BY s.start_utc_ns LIMIT 1",
	[SUMMARY_DROP] = "DELETE FROM summaries WHERE id = ?",
	[MEDIA_DROP] = "DELETE FROM media WHERE summary = ?",
	[FACETS_OF] = "SELECT start_utc_ns, tags FROM facets WHERE tenant = ?1"
		      " AND start_utc_ns = (SELECT start_utc_ns FROM summaries WHERE id = ?2)"
		      " AND id = ?2",
	[FACETS_DROP] = "DELETE FROM facets WHERE tenant = ? AND start_utc_ns = ? AND id = ?",
	[LEDGERS_DROP] = "DELETE FROM ledgers WHERE camera IN (SELECT id FROM cameras)"
			 " AND utc_ns < ?",
	[GONE_ADD] = "INSERT OR IGNORE INTO gone (path) VALUES (?)",
	[GONE] = "SELECT path FROM gone ORDER BY path DESC LIMIT 1",
	[GONE_DROP] = "DELETE FROM gone WHERE path = ?",
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
	[SEGMENT_CLOSED] = "UPDATE segments SET closed = 1, size = ?2, first_utc_ns = ?3,"
			   " last_utc_ns = ?4, frames = ?5, motion = ?6 WHERE id = ?1",
	[SEGMENT_FIND] = "SELECT " SEGMENT_COLUMNS " FROM segments"
			 " WHERE path = ?",
	[SEGMENTS] = "SELECT " SEGMENT_COLUMNS " FROM segments ORDER BY id",
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
	[SUMMARY_OWNER] = "SELECT camera FROM summaries WHERE id = ?",
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
	[FACETS_ADD] = "INSERT OR IGNORE INTO facets (tenant, start_utc_ns, id, camera, end_utc_ns,"
		       " kind, confidence, nuisance, r0, r1, r2, r3, tags, words, pinned)"
		       " SELECT tenant, ?2, ?3, ?1, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13,"
		       " EXISTS (SELECT 1 FROM pins WHERE pins.id = ?3) FROM cameras WHERE id = ?1",
	[TAG_ADD] = "INSERT OR IGNORE INTO tags (tenant, tag, start_utc_ns, id)"
		    " SELECT tenant, ?2, ?3, ?4 FROM cameras WHERE id = ?1",
	[FIND] = FIND_BEFORE
	" FROM facets f WHERE f.tenant = ?1 AND f.start_utc_ns >= ?2"
	" AND (f.start_utc_ns, f.id) < (?3, ?4) ORDER BY f.start_utc_ns DESC, f.id DESC",
	[FIND_TAG] = FIND_BEFORE " FROM tags t CROSS JOIN facets f ON f.tenant = t.tenant"
				 " AND f.start_utc_ns = t.start_utc_ns AND f.id = t.id"
				 " WHERE t.tenant = ?1 AND t.tag = ?23 AND t.start_utc_ns >= ?2"
				 " AND (t.start_utc_ns, t.id) < (?3, ?4)"
				 " ORDER BY t.start_utc_ns DESC, t.id DESC",
	[SUMMARY_GET] = "SELECT " SUMMARY_COLUMNS ", " CAMERA_COLUMNS " FROM summaries s"
			" JOIN cameras c ON c.id = s.camera WHERE s.id = ?",
	[TIMELINE] = "SELECT " CAMERA_COLUMNS ", f.start_utc_ns, f.nuisance FROM cameras c"
		     " CROSS JOIN facets f ON f.camera = c.id AND f.kind = 'event'"
		     " AND f.start_utc_ns >= ?4 AND f.start_utc_ns < ?5"
		     " WHERE" ALLOWED " AND (?3 IS NULL OR c.name = ?3 OR hex(c.id) = upper(?3))"
		     " ORDER BY c.device, c.name, f.start_utc_ns",
	[FRAME_BEFORE] = "SELECT " FRAME_COLUMNS ", s.path FROM cameras c"
			 " JOIN frames f ON f.camera = c.id JOIN segments s ON s.id = f.segment"
			 " WHERE c.id = ?3 AND" ALLOWED " AND f.utc_ns <= ?4"
			 " ORDER BY f.utc_ns DESC LIMIT 1",
	[FRAME_BEHIND] = "SELECT " FRAME_COLUMNS ", s.path FROM cameras c"
			 " JOIN frames f ON f.camera = c.id JOIN segments s ON s.id = f.segment"
			 " WHERE c.id = ?3 AND" ALLOWED " AND f.utc_ns > ?4"
			 " ORDER BY f.utc_ns LIMIT 1",
	[FRAMES_BETWEEN] = "SELECT " FRAME_COLUMNS " FROM cameras c"
			   " JOIN frames f ON f.camera = c.id"
			   " WHERE c.id = ?3 AND" ALLOWED " AND f.utc_ns >= ?4 AND f.utc_ns <= ?5"
			   " ORDER BY f.utc_ns, f.epoch, f.seq LIMIT ?6",
	[PIN_FIND] =
		"SELECT s.start_utc_ns, c.id FROM summaries s JOIN cameras c ON c.id = s.camera"
		" WHERE s.id = ?3 AND" ALLOWED,
	[PIN_ADD] = "INSERT INTO pins (id, by, note, utc_ns) VALUES (?, ?, ?, ?)"
		    " ON CONFLICT DO UPDATE SET by = excluded.by, note = excluded.note,"
		    " utc_ns = excluded.utc_ns",
	[PIN_REMOVE] = "DELETE FROM pins WHERE id = ?",
	[FACETS_PIN] = "UPDATE facets SET pinned = ?4 WHERE tenant = ?1 AND start_utc_ns = ?2"
		       " AND id = ?3",
	[TAG_REMOVE] = "DELETE FROM tags WHERE tenant = ? AND tag = ? AND start_utc_ns = ?"
		       " AND id = ?",
	[EVENT_OPEN] = "INSERT OR IGNORE INTO open_events (id, camera, epoch, start_utc_ns, json)"
		       " VALUES (?, ?, ?, ?, ?)",
	[EVENT_GOES_ON] = "UPDATE open_events SET start_utc_ns = ?3"
			  " WHERE id = ?1 AND camera = ?2",
	[EVENT_OVER] = "DELETE FROM open_events WHERE id = ? AND camera = ?",
	[EVENTS_OVER] = "DELETE FROM open_events WHERE camera = ? AND epoch = ?",
	[EVENTS_OPEN] =
		"SELECT e.id, e.camera, e.epoch, e.start_utc_ns, 0, e.json, 0, " CAMERA_COLUMNS
		" FROM cameras c JOIN open_events e ON e.camera = c.id"
		" WHERE" ALLOWED " AND (?3 IS NULL OR e.id = ?3)",
	[LEDGER_ADD] = "INSERT OR REPLACE INTO ledgers (camera, utc_ns, epoch, ledger)"
		       " VALUES (?, ?, ?, ?)",
	[LEDGERS] = "SELECT l.utc_ns, l.epoch, l.ledger FROM cameras c"
		    " JOIN ledgers l ON l.camera = c.id WHERE c.id = ?3 AND" ALLOWED
		    " AND l.utc_ns >= ?4 AND l.utc_ns < ?5 ORDER BY l.utc_ns",
	[EPOCHS] = "SELECT " EPOCH_COLUMNS ", " CAMERA_COLUMNS " FROM cameras c"
		   " JOIN epochs e ON e.camera = c.id WHERE c.id = ?3 AND" ALLOWED
		   " ORDER BY e.epoch DESC LIMIT ?4",
	[JOB_ADD] = "INSERT OR IGNORE INTO jobs (id, camera, kind, by, from_ns, to_ns, made_ns,"
		    " settings) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
	[JOB_NEXT] = "SELECT id FROM jobs WHERE state = 0 ORDER BY made_ns, id LIMIT 1",
	[JOB_TAKE] = "UPDATE jobs SET state = 1, cancel = 0, tries = tries + 1, per_mille = 0,"
		     " began_ns = ?2 WHERE id = ?1 AND state = 0",
	[JOB_PROGRESS] = "UPDATE jobs SET per_mille = ?2 WHERE id = ?1 AND state = 1"
			 " AND per_mille <> ?2",
	[JOB_CANCELLED] = "SELECT cancel OR state <> 1 FROM jobs WHERE id = ?",
	[JOB_NOTE] = "UPDATE jobs SET result = ?2 WHERE id = ?1 AND state = 1",
	[JOB_END] = "UPDATE jobs SET state = iif(?2 = 0 AND cancel, 4, ?2),"
		    " ended_ns = iif(?2 OR cancel, ?3, 0), result = ?4, error = ?5, cancel = 0,"
		    " per_mille = iif(?2 = 2, 1000, iif(?2, per_mille, 0)),"
		    " tries = iif(?2 OR cancel, tries, tries - 1),"
		    " began_ns = iif(?2 OR cancel, began_ns, 0)"
		    " WHERE id = ?1 AND state = 1",
	[JOB_STATE] = "SELECT j.state FROM jobs j JOIN cameras c ON c.id = j.camera"
		      " WHERE j.id = ?3 AND" ALLOWED,
	[JOB_CANCEL] = "UPDATE jobs SET cancel = (state = 1), ended_ns = iif(state, 0, ?2),"
		       " state = iif(state, state, 4) WHERE id = ?1 AND state IN (0, 1)",
	[JOBS] = "SELECT j.id, j.kind, j.by, j.from_ns, j.to_ns, j.made_ns, j.began_ns, j.ended_ns,"
		 " j.state, j.cancel, j.tries, j.per_mille, j.settings, j.result, j.error,"
		 " " CAMERA_COLUMNS " FROM jobs j JOIN cameras c ON c.id = j.camera"
		 " WHERE (?1 IS NULL OR c.tenant = ?1) AND (?2 IS NULL OR instr(?2, hex(c.id)))"
		 " AND (?3 IS NULL OR j.id = ?3) AND (?4 IS NULL OR j.kind = ?4)"
		 " AND (?5 IS NULL OR c.name = ?5 OR hex(c.id) = upper(?5))"
		 " AND (?6 = 0 OR (?6 >> j.state) & 1) ORDER BY j.made_ns DESC, j.id LIMIT ?7",
	[JOBS_AGAIN] = "UPDATE jobs SET cancel = 0, ended_ns = iif(cancel OR tries >= ?1, ?2, 0),"
		       " error = iif(cancel OR tries < ?1, '',"
		       " 'the node ended each time that it was at it'),"
		       " state = iif(cancel, 4, iif(tries >= ?1, 3, 0)) WHERE state = 1",
	[JOBS_DROP] = "DELETE FROM jobs WHERE state > 1 AND ended_ns < ?",
	[CAMERAS_BUSY] = "SELECT " CAMERA_COLUMNS ", seen_utc_ns, width, height FROM cameras c"
			 " WHERE EXISTS (SELECT 1 FROM facets f WHERE f.camera = c.id"
			 " AND f.kind = 'event' AND f.start_utc_ns >= ? AND f.start_utc_ns < ?"
			 " AND NOT f.nuisance) ORDER BY c.tenant, c.device, c.name",
	[MEDIA] = "SELECT name, size, sha256 FROM media WHERE summary = ? ORDER BY at",
};
