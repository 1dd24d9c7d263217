// SPDX-License-Identifier: MIT
/*
 * index_sqlite.c - the index in one SQLite file, WAL with synchronous=FULL: its tables.
 *
 * The writer thread commits in groups; other threads read in their own connections. Who writes
 * waits for its turn (sqlite_turn.h), at most 5 s (-EBUSY). Disk full is -ENOSPC, a damaged file
 * -EUCLEAN: then `sluice-cloud rebuild-index` makes it again.
 */
#include "cloud/db_sqlite.h"
#include "cloud/index_sql.h"

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

/* Version 5: whose writes about a partition are still taken (index_fence.c). */
#define FIFTH                                                                    \
	"CREATE TABLE fences (part INTEGER PRIMARY KEY, token INTEGER NOT NULL," \
	" refused INTEGER NOT NULL DEFAULT 0);"

/* Version 6: under which lease a summary's files were put (media.h). */
#define SIXTH "ALTER TABLE summaries ADD COLUMN token INTEGER NOT NULL DEFAULT 0;"

/* Version 7: what was counted of a camera's gate, a row a day (tally.h). */
#define SEVENTH                                                                           \
	"CREATE TABLE tallies (camera BLOB, day INTEGER, settings INTEGER, lane INTEGER," \
	" counts BLOB NOT NULL, PRIMARY KEY (camera, day, settings, lane)) WITHOUT ROWID;"

static int fill_facets(struct sluice_sqlite *s)
{
	return sluice_sql_facets_fill(sluice_db_of_sqlite(s));
}

static const struct sluice_sqlite_step steps[] = {
	{ FIRST, NULL }, { SECOND, fill_facets }, { THIRD, NULL },   { FOURTH, NULL },
	{ FIFTH, NULL }, { SIXTH, NULL },	  { SEVENTH, NULL },
};

int sluice_index_sqlite_db(const char *path, const char *const *sql, int count,
			   struct sluice_db **out)
{
	return sluice_db_sqlite_open(path, steps, (int)(sizeof(steps) / sizeof(steps[0])), sql,
				     count, out);
}

int sluice_index_sqlite_open(const char *path, struct sluice_index **out)
{
	struct sluice_db *d;
	int err;

	*out = NULL;
	err = sluice_index_sqlite_db(path, sluice_index_sql, STATEMENTS, &d);
	if (err)
		return err;
	err = sluice_sql_index(d, out);
	if (err)
		sluice_db_close(d);
	return err;
}
