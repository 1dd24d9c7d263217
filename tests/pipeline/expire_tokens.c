// SPDX-License-Identifier: MIT
/*
 * usage: expire_tokens AUTH.DB
 *
 * Makes every unused enrolment token one that has just expired: a test need not wait a minute.
 */
#include <sqlite3.h>
#include <stdio.h>

int main(int argc, char **argv)
{
	sqlite3 *db = NULL;
	char *why = NULL;
	int rc;

	if (argc != 2) {
		fputs("usage: expire_tokens AUTH.DB\n", stderr);
		return 2;
	}
	rc = sqlite3_open_v2(argv[1], &db, SQLITE_OPEN_READWRITE, NULL);
	if (!rc)
		sqlite3_busy_timeout(db, 5000);
	if (!rc)
		rc = sqlite3_exec(
			db,
			"UPDATE tokens SET expires_ns ="
			" CAST(strftime('%s', 'now') AS INTEGER) * 1000000000 - 1000000000"
			" WHERE used_ns = 0",
			NULL, NULL, &why);
	if (rc)
		fprintf(stderr, "expire_tokens: %s: %s\n", argv[1], why ? why : sqlite3_errstr(rc));
	else if (!sqlite3_changes(db))
		fprintf(stderr, "expire_tokens: %s: no unused token\n", argv[1]);
	rc = rc || !sqlite3_changes(db);
	sqlite3_free(why);
	sqlite3_close(db);
	return rc;
}
