// SPDX-License-Identifier: MIT
/*
 * index_sql.c - every statement that is run on the tables of the index, once for all data bases.
 *
 * They are written in what SQLite and PostgreSQL share: ON CONFLICT names its columns, a condition
 * is a comparison (but for the columns pinned and nuisance, which are true or false), CASE in place
 * of iif() and of max() of two, RETURNING for a number that the data base has made. A word that one
 * of them reserves is quoted ("offset"). instr() and hex() are functions that PostgreSQL is given
 * (index_pg.c), ?1 is $1 there (db_pg.c). What makes the tables differs: index_sqlite.c,
 * index_pg.c.
 */
#include "cloud/index_sql.h"

#define CAMERA_COLUMNS "c.id, c.tenant, c.device, c.name"
#define FRAME_COLUMNS                                                                        \
	"f.camera, f.epoch, f.seq, f.segment, f.\"offset\", f.length, f.time_ns, f.utc_ns, " \
	"f.reason, f.flags"
#define EPOCH_COLUMNS "e.camera, e.epoch, e.first_ns, e.first_utc_ns, e.told, e.done"
#define RUN_COLUMNS   "r.camera, r.epoch, r.first, r.last, r.first_ns, r.first_utc_ns, r.told, r.done"
#define SEGMENT_COLUMNS \
	"id, camera, path, created_ns, size, closed, first_utc_ns, last_utc_ns, frames, motion"
/* ?5..: filter */
#define FIND_BEFORE                                                                                \
	"SELECT f.start_utc_ns, f.id, (?5 IS NULL OR instr(?5, hex(f.camera)) > 0)"                \
	" AND f.confidence >= ?6 AND (?7 < 0 OR CAST(f.nuisance AS INTEGER) = ?7) AND (?8 < 0 OR " \
	"CAST(f.pinned AS INTEGER) = ?8)"                                                          \
	" AND (?9 <> 0 OR (f.r0 & ?10) <> 0 OR (f.r1 & ?11) <> 0 OR (f.r2 & ?12) <> 0 OR (f.r3 & " \
	"?13) <> 0)"                                                                               \
	" AND (?14 IS NULL OR instr(f.tags, ?14) > 0) AND (?15 IS NULL OR instr(f.tags, ?15) > 0)" \
	" AND (?16 IS NULL OR instr(f.tags, ?16) > 0) AND (?17 IS NULL OR instr(f.tags, ?17) > 0)" \
	" AND (?18 IS NULL OR instr(f.tags, ?18) > 0) AND (?19 IS NULL OR instr(f.tags, ?19) > 0)" \
	" AND (?20 IS NULL OR instr(f.words, ?20) > 0) AND (?21 IS NULL OR instr(f.words, ?21) > " \
	"0)"                                                                                       \
	" AND (?22 IS NULL OR instr(f.words, ?22) > 0) AND (?23 IS NULL OR instr(f.words, ?23) > " \
	"0), f.pinned, f.nuisance"
#define SUMMARY_COLUMNS \
	"s.id, s.camera, s.epoch, s.start_utc_ns, s.end_utc_ns, s.json, s.acked, s.token"

/* of a struct sluice_whose, always the first two parameters; c is the row of cameras */
#define ALLOWED " c.tenant = ?1 AND (?2 IS NULL OR instr(?2, hex(c.id)) > 0)"

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
		   " AND (s.motion > 0) = (?1 <> 0) AND s.last_utc_ns < ?2 AND" UNPINNED
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
	[SEGMENT_BYTES] =
		"SELECT CAST(coalesce(sum(size), 0) AS BIGINT) FROM segments WHERE closed = 1",
	[MEDIA_BYTES] = "SELECT CAST(coalesce(sum(size), 0) AS BIGINT) FROM media",
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
	[GONE_ADD] = "INSERT INTO gone (path) VALUES (?) ON CONFLICT DO NOTHING",
	[GONE] = "SELECT path FROM gone ORDER BY path DESC LIMIT 1",
	[GONE_DROP] = "DELETE FROM gone WHERE path = ?",
	[CAMERA_ADD] = "INSERT INTO cameras (id, tenant, device, name)"
		       " VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING",
	[CAMERA_COUNT] = "SELECT count(*) FROM cameras WHERE tenant = ? AND device = ?",
	[CAMERA_FIND] = "SELECT " CAMERA_COLUMNS " FROM cameras c WHERE id = ?",
	[CAMERA_SEEN] = "UPDATE cameras SET seen_utc_ns ="
			" CASE WHEN seen_utc_ns < ?2 THEN ?2 ELSE seen_utc_ns END,"
			" width = CASE WHEN ?3 <> 0 THEN ?3 ELSE width END,"
			" height = CASE WHEN ?3 <> 0 THEN ?4 ELSE height END WHERE id = ?1",
	[CAMERA_LEDGER] = "UPDATE cameras SET ledger = ?2 WHERE id = ?1",
	[CAMERAS] = "SELECT " CAMERA_COLUMNS ", seen_utc_ns, width, height, ledger FROM cameras c"
		    " WHERE" ALLOWED " ORDER BY device, name",
	[SEGMENT_ADD] = "INSERT INTO segments (camera, path, created_ns) VALUES (?, ?, ?)"
			" RETURNING id",
	[SEGMENT_CLOSED] = "UPDATE segments SET closed = 1, size = ?2, first_utc_ns = ?3,"
			   " last_utc_ns = ?4, frames = ?5, motion = ?6 WHERE id = ?1",
	[SEGMENT_FIND] = "SELECT " SEGMENT_COLUMNS " FROM segments"
			 " WHERE path = ?",
	[SEGMENTS] = "SELECT " SEGMENT_COLUMNS " FROM segments ORDER BY id",
	[SEGMENT_BEYOND] = "SELECT count(*) FROM frames WHERE camera = ? AND segment = ?"
			   " AND \"offset\" >= ?",
	[FRAME_ADD] = "INSERT INTO frames (camera, epoch, seq, segment, \"offset\", length,"
		      " time_ns, utc_ns, reason, flags) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
		      " ON CONFLICT DO NOTHING",
	[FRAME_LAST] = "SELECT max(seq) FROM frames WHERE camera = ? AND epoch = ?"
		       " AND seq BETWEEN ? AND ?",
	[FRAME_FIND] = "SELECT " FRAME_COLUMNS ", s.path FROM frames f"
		       " JOIN segments s ON s.id = f.segment"
		       " WHERE f.camera = ? AND f.epoch = ? AND f.seq = ?",
	[FRAMES] = "SELECT " FRAME_COLUMNS " FROM frames f WHERE camera = ? AND epoch = ?"
		   " AND seq > ? AND seq <= ? AND (flags & 16384) = ? ORDER BY seq",
	[FRAMES_PAGE] = "SELECT " FRAME_COLUMNS ", COALESCE(s.path, '') FROM frames f"
			" LEFT JOIN segments s ON s.id = f.segment"
			" WHERE f.camera = ? AND f.epoch = ? AND f.seq > ? AND f.seq <= ?"
			" AND (f.flags & 16384) = ? ORDER BY f.seq LIMIT ?",
	[FRAMES_COUNT] = "SELECT count(*) FROM frames",
	[FRAMES_CLEAR] = "DELETE FROM frames",
	[SEGMENTS_CLEAR] = "DELETE FROM segments",
	[EPOCH_ADD] = "INSERT INTO epochs (camera, epoch, first_ns, first_utc_ns)"
		      " VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING",
	[EPOCH_FIND] = "SELECT " EPOCH_COLUMNS " FROM epochs e WHERE camera = ? AND epoch = ?",
	[EPOCH_TOLD] = "UPDATE epochs SET told = CASE WHEN told < ?3 THEN ?3 ELSE told END,"
		       " done = CASE WHEN done < ?4 THEN ?4 ELSE done END"
		       " WHERE camera = ?1 AND epoch = ?2",
	[EPOCHS_OPEN] = "SELECT " EPOCH_COLUMNS ", " CAMERA_COLUMNS " FROM epochs e"
			" JOIN cameras c ON c.id = e.camera WHERE e.done = 0"
			" ORDER BY e.camera, e.epoch",
	[RUN_ADD] = "INSERT INTO runs (camera, epoch, first, last, first_ns, first_utc_ns)"
		    " VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (camera, epoch, first)"
		    " DO UPDATE SET last = CASE WHEN runs.last < excluded.last"
		    " THEN excluded.last ELSE runs.last END, done = 0",
	[RUN_FIND] = "SELECT " RUN_COLUMNS " FROM runs r WHERE camera = ? AND epoch = ?"
		     " AND first = ?",
	[RUN_TOLD] = "UPDATE runs SET told = CASE WHEN told < ?4 THEN ?4 ELSE told END,"
		     " done = CASE WHEN done < ?5 THEN ?5 ELSE done END"
		     " WHERE camera = ?1 AND epoch = ?2 AND first = ?3",
	[RUNS_OPEN] = "SELECT " RUN_COLUMNS ", " CAMERA_COLUMNS " FROM runs r"
		      " JOIN cameras c ON c.id = r.camera WHERE r.done = 0"
		      " ORDER BY r.camera, r.epoch, r.first",
	[SUMMARY_ADD] = "INSERT INTO summaries (id, camera, epoch, start_utc_ns,"
			" end_utc_ns, json, token) VALUES (?, ?, ?, ?, ?, ?, ?)"
			" ON CONFLICT DO NOTHING",
	[SUMMARY_OWNER] = "SELECT camera, token FROM summaries WHERE id = ?",
	[SUMMARY_ACKED] = "UPDATE summaries SET acked = 1 WHERE camera = ? AND id = ?",
	[MEDIA_ADD] = "INSERT INTO media (summary, at, name, size, sha256)"
		      " VALUES (?, ?, ?, ?, ?) ON CONFLICT (summary, at) DO UPDATE"
		      " SET name = excluded.name, size = excluded.size,"
		      " sha256 = excluded.sha256",
	[SUMMARIES_UNACKED] = "SELECT s.id, s.camera, s.epoch, s.start_utc_ns, s.end_utc_ns"
			      " FROM summaries s WHERE camera = ? AND acked = 0"
			      " ORDER BY start_utc_ns LIMIT 1000",
	[SUMMARIES] = "SELECT " SUMMARY_COLUMNS ", " CAMERA_COLUMNS " FROM summaries s"
		      " JOIN cameras c ON c.id = s.camera WHERE" ALLOWED
		      " AND (?3 IS NULL OR c.name = ?3) ORDER BY s.start_utc_ns DESC LIMIT ?4",
	[SUMMARIES_ALL] = "SELECT " SUMMARY_COLUMNS ", " CAMERA_COLUMNS " FROM summaries s"
			  " JOIN cameras c ON c.id = s.camera ORDER BY s.start_utc_ns",
	/* of tables of version 2 */
	[SUMMARIES_FILL] = "SELECT s.id, s.camera, s.epoch, s.start_utc_ns, s.end_utc_ns, s.json"
			   " FROM summaries s ORDER BY s.start_utc_ns",
	[SUMMARY_FIND] = "SELECT " SUMMARY_COLUMNS ", " CAMERA_COLUMNS " FROM summaries s"
			 " JOIN cameras c ON c.id = s.camera WHERE s.id = ?3 AND" ALLOWED,
	[FACETS_ADD] =
		"INSERT INTO facets (tenant, start_utc_ns, id, camera, end_utc_ns,"
		" kind, confidence, nuisance, r0, r1, r2, r3, tags, words, pinned)"
		" SELECT tenant, ?2, ?3, ?1, ?4, ?5, ?6, ?7 <> 0, ?8, ?9, ?10, ?11, ?12, ?13,"
		" EXISTS (SELECT 1 FROM pins WHERE pins.id = ?3) FROM cameras WHERE id = ?1"
		" ON CONFLICT DO NOTHING",
	[TAG_ADD] = "INSERT INTO tags (tenant, tag, start_utc_ns, id)"
		    " SELECT tenant, ?2, ?3, ?4 FROM cameras WHERE id = ?1"
		    " ON CONFLICT DO NOTHING",
	[FIND] = FIND_BEFORE
	" FROM facets f WHERE f.tenant = ?1 AND f.start_utc_ns >= ?2"
	" AND (f.start_utc_ns, f.id) < (?3, ?4) ORDER BY f.start_utc_ns DESC, f.id DESC LIMIT ?24",
	[FIND_TAG] = FIND_BEFORE " FROM tags t CROSS JOIN facets f WHERE f.tenant = t.tenant"
				 " AND f.start_utc_ns = t.start_utc_ns AND f.id = t.id"
				 " AND t.tenant = ?1 AND t.tag = ?25 AND t.start_utc_ns >= ?2"
				 " AND (t.start_utc_ns, t.id) < (?3, ?4)"
				 " ORDER BY t.start_utc_ns DESC, t.id DESC LIMIT ?24",
	[SUMMARY_GET] = "SELECT " SUMMARY_COLUMNS ", " CAMERA_COLUMNS " FROM summaries s"
			" JOIN cameras c ON c.id = s.camera WHERE s.id = ?",
	[TIMELINE] = "SELECT " CAMERA_COLUMNS ", f.start_utc_ns, f.nuisance FROM cameras c"
		     " CROSS JOIN facets f WHERE f.camera = c.id AND f.kind = 'event'"
		     " AND f.start_utc_ns >= ?4 AND f.start_utc_ns < ?5"
		     " AND" ALLOWED " AND (?3 IS NULL OR c.name = ?3 OR hex(c.id) = upper(?3))"
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
			   " WHERE c.id = ?3 AND" ALLOWED
			   " AND (f.utc_ns, f.epoch, f.seq) > (?4, ?5, ?6) AND f.utc_ns <= ?7"
			   " ORDER BY f.utc_ns, f.epoch, f.seq LIMIT ?8",
	[PIN_FIND] =
		"SELECT s.start_utc_ns, c.id FROM summaries s JOIN cameras c ON c.id = s.camera"
		" WHERE s.id = ?3 AND" ALLOWED,
	[PIN_ADD] = "INSERT INTO pins (id, by, note, utc_ns) VALUES (?, ?, ?, ?)"
		    " ON CONFLICT (id) DO UPDATE SET by = excluded.by, note = excluded.note,"
		    " utc_ns = excluded.utc_ns",
	[PIN_REMOVE] = "DELETE FROM pins WHERE id = ?",
	[FACETS_PIN] =
		"UPDATE facets SET pinned = (?4 <> 0) WHERE tenant = ?1 AND start_utc_ns = ?2"
		" AND id = ?3",
	[TAG_REMOVE] = "DELETE FROM tags WHERE tenant = ? AND tag = ? AND start_utc_ns = ?"
		       " AND id = ?",
	[EVENT_OPEN] = "INSERT INTO open_events (id, camera, epoch, start_utc_ns, json)"
		       " VALUES (?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
	[EVENT_GOES_ON] = "UPDATE open_events SET start_utc_ns = ?3"
			  " WHERE id = ?1 AND camera = ?2",
	[EVENT_OVER] = "DELETE FROM open_events WHERE id = ? AND camera = ?",
	[EVENTS_OVER] = "DELETE FROM open_events WHERE camera = ? AND epoch = ?",
	[EVENTS_OPEN] =
		"SELECT e.id, e.camera, e.epoch, e.start_utc_ns, 0, e.json, 0, " CAMERA_COLUMNS
		" FROM cameras c JOIN open_events e ON e.camera = c.id"
		" WHERE" ALLOWED " AND (?3 IS NULL OR e.id = ?3)",
	[LEDGER_ADD] = "INSERT INTO ledgers (camera, utc_ns, epoch, ledger)"
		       " VALUES (?, ?, ?, ?) ON CONFLICT (camera, utc_ns) DO UPDATE"
		       " SET epoch = excluded.epoch, ledger = excluded.ledger",
	[LEDGERS] = "SELECT l.utc_ns, l.epoch, l.ledger FROM cameras c"
		    " JOIN ledgers l ON l.camera = c.id WHERE c.id = ?3 AND" ALLOWED
		    " AND l.utc_ns >= ?4 AND l.utc_ns < ?5 ORDER BY l.utc_ns",
	[EPOCHS] = "SELECT " EPOCH_COLUMNS ", " CAMERA_COLUMNS " FROM cameras c"
		   " JOIN epochs e ON e.camera = c.id WHERE c.id = ?3 AND" ALLOWED
		   " ORDER BY e.epoch DESC LIMIT ?4",
	[TALLY_PUT] = "INSERT INTO tallies (camera, day, settings, lane, counts)"
		      " VALUES (?, ?, ?, ?, ?) ON CONFLICT (camera, day, settings, lane) DO UPDATE"
		      " SET counts = excluded.counts",
	[TALLIES] = "SELECT day, settings, lane, counts FROM tallies WHERE camera = ? AND day >= ?"
		    " ORDER BY day, settings, lane",
	[TALLIES_DROP] = "DELETE FROM tallies WHERE camera = ?1 AND (day < ?2 OR (day, settings,"
			 " lane) IN (SELECT t.day, t.settings, t.lane FROM tallies t"
			 " WHERE t.camera = ?1 ORDER BY t.day DESC, t.settings DESC, t.lane"
			 " LIMIT 1000 OFFSET ?3))",
	[JOB_ADD] = "INSERT INTO jobs (id, camera, kind, by, from_ns, to_ns, made_ns,"
		    " settings) VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
	[JOB_NEXT] = "SELECT id FROM jobs WHERE state = 0 ORDER BY made_ns, id LIMIT 1",
	[JOB_TAKE] = "UPDATE jobs SET state = 1, cancel = 0, tries = tries + 1, per_mille = 0,"
		     " began_ns = ?2 WHERE id = ?1 AND state = 0",
	[JOB_PROGRESS] = "UPDATE jobs SET per_mille = ?2 WHERE id = ?1 AND state = 1"
			 " AND per_mille <> ?2",
	[JOB_CANCELLED] = "SELECT cancel <> 0 OR state <> 1 FROM jobs WHERE id = ?",
	[JOB_NOTE] = "UPDATE jobs SET result = ?2 WHERE id = ?1 AND state = 1",
	/* ?2: its state; queued again (0), unless it is to be cancelled */
	[JOB_END] = "UPDATE jobs SET state = CASE WHEN ?2 = 0 AND cancel <> 0 THEN 4 ELSE ?2 END,"
		    " ended_ns = CASE WHEN ?2 <> 0 OR cancel <> 0 THEN ?3 ELSE 0 END,"
		    " result = ?4, error = ?5, cancel = 0, per_mille = CASE WHEN ?2 = 2 THEN 1000"
		    " WHEN ?2 <> 0 THEN per_mille ELSE 0 END,"
		    " tries = CASE WHEN ?2 <> 0 OR cancel <> 0 THEN tries ELSE tries - 1 END,"
		    " began_ns = CASE WHEN ?2 <> 0 OR cancel <> 0 THEN began_ns ELSE 0 END"
		    " WHERE id = ?1 AND state = 1",
	[JOB_STATE] = "SELECT j.state FROM jobs j JOIN cameras c ON c.id = j.camera"
		      " WHERE j.id = ?3 AND" ALLOWED,
	[JOB_CANCEL] = "UPDATE jobs SET cancel = CASE WHEN state = 1 THEN 1 ELSE 0 END,"
		       " ended_ns = CASE WHEN state = 1 THEN 0 ELSE ?2 END,"
		       " state = CASE WHEN state = 1 THEN 1 ELSE 4 END"
		       " WHERE id = ?1 AND state IN (0, 1)",
	[JOBS] = "SELECT j.id, j.kind, j.by, j.from_ns, j.to_ns, j.made_ns, j.began_ns, j.ended_ns,"
		 " j.state, j.cancel, j.tries, j.per_mille, j.settings, j.result, j.error,"
		 " " CAMERA_COLUMNS " FROM jobs j JOIN cameras c ON c.id = j.camera"
		 " WHERE (?1 IS NULL OR c.tenant = ?1) AND (?2 IS NULL OR instr(?2, hex(c.id)) > 0)"
		 " AND (?3 IS NULL OR j.id = ?3) AND (?4 IS NULL OR j.kind = ?4)"
		 " AND (?5 IS NULL OR c.name = ?5 OR hex(c.id) = upper(?5))"
		 " AND (?6 = 0 OR ((?6 >> j.state) & 1) <> 0) ORDER BY j.made_ns DESC, j.id LIMIT "
		 "?7",
	[JOBS_AGAIN] = "UPDATE jobs SET cancel = 0,"
		       " ended_ns = CASE WHEN cancel <> 0 OR tries >= ?1 THEN ?2 ELSE 0 END,"
		       " error = CASE WHEN cancel <> 0 OR tries < ?1 THEN ''"
		       " ELSE 'the node ended each time that it was at it' END,"
		       " state = CASE WHEN cancel <> 0 THEN 4 WHEN tries >= ?1 THEN 3 ELSE 0 END"
		       " WHERE state = 1",
	[JOBS_DROP] = "DELETE FROM jobs WHERE state > 1 AND ended_ns < ?",
	[CAMERAS_BUSY] = "SELECT " CAMERA_COLUMNS ", seen_utc_ns, width, height FROM cameras c"
			 " WHERE EXISTS (SELECT 1 FROM facets f WHERE f.camera = c.id"
			 " AND f.kind = 'event' AND f.start_utc_ns >= ? AND f.start_utc_ns < ?"
			 " AND NOT f.nuisance) ORDER BY c.tenant, c.device, c.name",
	[MEDIA] = "SELECT name, size, sha256 FROM media WHERE summary = ? ORDER BY at",
	[FENCE_RAISE] = "INSERT INTO fences (part, token) VALUES (?, ?)"
			" ON CONFLICT (part) DO UPDATE SET token = excluded.token"
			" WHERE fences.token <= excluded.token",
	[FENCE_REFUSED] = "UPDATE fences SET refused = refused + 1 WHERE part = ?",
	[FENCE] = "SELECT token, refused FROM fences WHERE part = ?",
};
