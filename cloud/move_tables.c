// SPDX-License-Identifier: MIT
/*
 * move_tables.c - the tables that index.db, auth.db and fleet.db have in SQLite and in PostgreSQL
 * alike, and the statements that walk and fill them.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "cloud/index_move.h"
#include "cloud/move_tables.h"

#define TEXT_OF(n)  TEXT_OF_(n)
#define TEXT_OF_(n) #n

const struct move_table move_tables[MOVE_TABLES] = {
	{ "cameras",
	  1,
	  "bsssiiib",
	  { "id", "tenant", "device", "name", "seen_utc_ns", "width", "height", "ledger" } },
	{ "segments",
	  1,
	  "ibsiiiiiii",
	  { "id", "camera", "path", "created_ns", "size", "closed", "first_utc_ns", "last_utc_ns",
	    "frames", "motion" } },
	{ "frames",
	  3,
	  "biiiiiiiii",
	  { "camera", "epoch", "seq", "segment", "offset", "length", "time_ns", "utc_ns", "reason",
	    "flags" } },
	{ "epochs",
	  2,
	  "biiiii",
	  { "camera", "epoch", "first_ns", "first_utc_ns", "told", "done" } },
	{ "runs",
	  3,
	  "biiiiiii",
	  { "camera", "epoch", "first", "last", "first_ns", "first_utc_ns", "told", "done" } },
	{ "summaries",
	  1,
	  "sbiiisii",
	  { "id", "camera", "epoch", "start_utc_ns", "end_utc_ns", "json", "acked", "token" } },
	{ "media", 2, "sisib", { "summary", "at", "name", "size", "sha256" } },
	{ "facets",
	  3,
	  "sisbisiffiiiiss",
	  { "tenant", "start_utc_ns", "id", "camera", "end_utc_ns", "kind", "confidence",
	    "nuisance", "pinned", "r0", "r1", "r2", "r3", "tags", "words" } },
	{ "tags", 4, "ssis", { "tenant", "tag", "start_utc_ns", "id" } },
	{ "pins", 1, "sssi", { "id", "by", "note", "utc_ns" } },
	{ "open_events", 1, "sbiis", { "id", "camera", "epoch", "start_utc_ns", "json" } },
	{ "ledgers", 2, "biib", { "camera", "utc_ns", "epoch", "ledger" } },
	{ "gone", 1, "s", { "path" } },
	{ "jobs",
	  1,
	  "sbssiiiiiiiiisss",
	  { "id", "camera", "kind", "by", "from_ns", "to_ns", "made_ns", "began_ns", "ended_ns",
	    "state", "cancel", "tries", "per_mille", "settings", "result", "error" } },
	{ "fences", 1, "iii", { "part", "token", "refused" } },
	{ "tallies", 4, "biiib", { "camera", "day", "settings", "lane", "counts" } },
	/* auth.db */
	{ "tenants", 1, "si", { "name", "created_ns" } },
	{ "users",
	  2,
	  "ssisfsiibii",
	  { "tenant", "name", "role", "hash", "disabled", "cameras", "created_ns", "login_ns",
	    "totp", "totp_on", "totp_step" } },
	{ "recovery", 3, "ssb", { "tenant", "user", "hash" } },
	{ "sessions",
	  1,
	  "bsssiis",
	  { "hash", "id", "tenant", "user", "created_ns", "used_ns", "address" } },
	{ "apitokens",
	  1,
	  "bsssiisiii",
	  { "hash", "id", "tenant", "name", "role", "scopes", "cameras", "created_ns", "expires_ns",
	    "used_ns" } },
	{ "tokens", 1, "bssii", { "hash", "tenant", "device", "expires_ns", "used_ns" } },
	{ "certificates",
	  1,
	  "sssiifi",
	  { "serial", "tenant", "device", "issued_ns", "not_after", "denied", "denied_ns" } },
	{ "labels", 2, "sss", { "tenant", "device", "label" } },
	{ "audit",
	  1,
	  "iisssssi",
	  { "id", "time_ns", "tenant", "who", "address", "action", "what", "result" } },
	/* fleet.db */
	{ "doc", 3, "isss", { "kind", "tenant", "name", "json" } },
};

const struct move_file move_files[] = {
	[SLUICE_MOVE_INDEX] = { 0, 16, "segments", 0, "the index" },
	[SLUICE_MOVE_AUTH] = { 16, 9, "audit", 1, "users and devices" },
	[SLUICE_MOVE_FLEET] = { 25, 1, NULL, 0, "what is wanted of devices" },
};

static void add_names(const struct move_table *t, unsigned int count, const char *behind,
		      char *text, size_t size)
{
	size_t n = strlen(text);
	unsigned int i;

	for (i = 0; i < count; i++)
		n += (size_t)snprintf(text + n, size - n, "%s\"%s\"%s", i ? ", " : "",
				      t->columns[i], behind);
}

static void add_marks(const struct move_table *t, unsigned int count, char *text, size_t size)
{
	size_t n = strlen(text);
	unsigned int i;

	for (i = 0; i < count; i++)
		n += (size_t)snprintf(text + n, size - n, "%s?%s", i ? ", " : "",
				      t->types[i] == 'f' ? " <> 0" : "");
}

static void add_text(char *text, size_t size, const char *more)
{
	size_t n = strlen(text);

	snprintf(text + n, size - n, "%s", more);
}

static char *write_statement(const struct move_table *t, int which)
{
	unsigned int count = (unsigned int)strlen(t->types);
	char text[2048] = "SELECT ";
	const size_t size = sizeof(text);

	if (which == MOVE_INSERT) {
		snprintf(text, size, "INSERT INTO %s (", t->name);
		add_names(t, count, "", text, size);
		add_text(text, size, ") VALUES (");
		add_marks(t, count, text, size);
		add_text(text, size, ") ON CONFLICT DO NOTHING");
		return strdup(text);
	}
	if (which == MOVE_COUNT)
		add_text(text, size, "count(*)");
	else
		add_names(t, which == MOVE_LAST ? t->keys : count, "", text, size);
	add_text(text, size, " FROM ");
	add_text(text, size, t->name);
	if (which == MOVE_COUNT)
		return strdup(text);
	if (which == MOVE_NEXT) {
		add_text(text, size, " WHERE (");
		add_names(t, t->keys, "", text, size);
		add_text(text, size, ") > (");
		add_marks(t, t->keys, text, size);
		add_text(text, size, ")");
	}
	add_text(text, size, " ORDER BY ");
	add_names(t, t->keys, which == MOVE_LAST ? " DESC" : "", text, size);
	add_text(text, size, which == MOVE_LAST ? " LIMIT 1" : " LIMIT " TEXT_OF(MOVE_BATCH));
	return strdup(text);
}

int move_statements(char *sql[MOVE_ALL])
{
	size_t i;

	for (i = 0; i < MOVE_LAST_ID; i++)
		sql[i] = write_statement(&move_tables[i / MOVE_PER_TABLE], i % MOVE_PER_TABLE);
	sql[MOVE_LAST_ID] = strdup("SELECT seq FROM sqlite_sequence WHERE name = ?");
	sql[MOVE_SET_ID] = strdup("SELECT setval(pg_get_serial_sequence(?, 'id'), ?)");
	sql[MOVE_DENY] = strdup("SELECT version FROM deny");
	sql[MOVE_DENY_SET] = strdup("UPDATE deny SET version = ?1 WHERE version < ?1");
	sql[MOVE_TABLES_KNOWN] = strdup("SELECT count(*) FROM sqlite_master WHERE type = 'table'"
					" AND name NOT LIKE 'sqlite%'");
	sql[MOVE_COLUMNS_KNOWN] = strdup("SELECT count(*) FROM pragma_table_info(?)");
	for (i = 0; i < MOVE_ALL; i++)
		if (!sql[i])
			return -ENOMEM;
	return 0;
}
