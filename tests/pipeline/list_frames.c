// SPDX-License-Identifier: MIT
/*
 * usage: list_frames DATA
 *
 * What a cloud's index knows of frames, one line each, in its order: camera, epoch, sequence, lane
 * (0 live, 1 back-fill), UTC in ns. The cloud may be at work.
 */
#include <inttypes.h>
#include <stdio.h>
#include <sqlite3.h>

int main(int argc, char **argv)
{
	char path[4096];
	sqlite3_stmt *st;
	sqlite3 *db;

	if (argc != 2)
		return 2;
	snprintf(path, sizeof(path), "%s/index.db", argv[1]);
	if (sqlite3_open_v2(path, &db, SQLITE_OPEN_READWRITE, NULL) ||
	    sqlite3_busy_timeout(db, 5000) ||
	    sqlite3_prepare_v2(db,
			       "SELECT c.name, f.epoch, f.seq, f.flags / 16384 & 1, f.utc_ns"
			       " FROM frames f JOIN cameras c ON c.id = f.camera"
			       " ORDER BY c.name, f.epoch, f.seq",
			       -1, &st, NULL)) {
		fprintf(stderr, "list_frames: %s: %s\n", path, sqlite3_errmsg(db));
		return 1;
	}
	while (sqlite3_step(st) == SQLITE_ROW)
		printf("%s %" PRId64 " %" PRId64 " %d %" PRId64 "\n", sqlite3_column_text(st, 0),
		       (int64_t)sqlite3_column_int64(st, 1), (int64_t)sqlite3_column_int64(st, 2),
		       sqlite3_column_int(st, 3), (int64_t)sqlite3_column_int64(st, 4));
	sqlite3_finalize(st);
	return sqlite3_close(db) ? 1 : 0;
}
