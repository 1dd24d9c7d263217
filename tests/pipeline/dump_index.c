// SPDX-License-Identifier: MIT
/*
 * usage: dump_index DATA
 *
 * All of an index that can be made again from segments and media, in an order of its own, so that
 * two can be compared. Left out, since only the index knows them: how far events were told and
 * acknowledged (epochs.told, done; summaries.acked; runs), ledgers, open events, the numbers of
 * segments, and the names of cameras that never sent a frame.
 */
#include <stdio.h>
#include <sqlite3.h>

static const char *const queries[] = {
	"SELECT 'camera', hex(id), tenant, device, name, seen_utc_ns, width, height FROM cameras"
	" WHERE id IN (SELECT camera FROM segments) ORDER BY id",
	"SELECT 'segment', path, hex(camera), size, closed, first_utc_ns, last_utc_ns, frames,"
	" motion FROM segments WHERE frames > 0 ORDER BY path",
	"SELECT 'frame', hex(f.camera), epoch, seq, path, offset, length, time_ns, utc_ns, reason,"
	" flags FROM frames f JOIN segments s ON s.id = f.segment ORDER BY f.camera, epoch, seq",
	"SELECT 'epoch', hex(camera), epoch, first_ns, first_utc_ns FROM epochs e WHERE EXISTS"
	" (SELECT 1 FROM frames f WHERE f.camera = e.camera AND f.epoch = e.epoch)"
	" ORDER BY camera, epoch",
	"SELECT 'summary', id, hex(camera), epoch, start_utc_ns, end_utc_ns, json FROM summaries"
	" ORDER BY id",
	"SELECT 'media', summary, name, size, hex(sha256) FROM media ORDER BY summary, name",
	"SELECT 'facets', tenant, start_utc_ns, id, hex(camera), end_utc_ns, kind, confidence,"
	" nuisance, pinned, r0, r1, r2, r3, tags, words FROM facets ORDER BY id",
	"SELECT 'tag', tenant, tag, start_utc_ns, id FROM tags ORDER BY id, tag",
	"SELECT 'pin', id, by, note, utc_ns FROM pins ORDER BY id",
};

static int dump(sqlite3 *db, const char *sql)
{
	sqlite3_stmt *st;
	int i, rc;

	if (sqlite3_prepare_v2(db, sql, -1, &st, NULL))
		return -1;
	while ((rc = sqlite3_step(st)) == SQLITE_ROW)
		for (i = 0; i < sqlite3_column_count(st); i++)
			printf("%s%c", sqlite3_column_text(st, i),
			       i + 1 < sqlite3_column_count(st) ? '|' : '\n');
	sqlite3_finalize(st);
	return rc == SQLITE_DONE ? 0 : -1;
}

int main(int argc, char **argv)
{
	char path[4096];
	sqlite3 *db;
	size_t i;

	if (argc != 2)
		return 2;
	snprintf(path, sizeof(path), "%s/index.db", argv[1]);
	if (sqlite3_open_v2(path, &db, SQLITE_OPEN_READWRITE, NULL) ||
	    sqlite3_busy_timeout(db, 5000))
		return 1;
	for (i = 0; i < sizeof(queries) / sizeof(queries[0]); i++) {
		if (dump(db, queries[i])) {
			fprintf(stderr, "dump_index: %s: %s\n", path, sqlite3_errmsg(db));
			return 1;
		}
	}
	return sqlite3_close(db) ? 1 : 0;
}
