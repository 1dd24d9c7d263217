/* SPDX-License-Identifier: MIT */
/* move_tables.h - what index_move.c moves: tables, and statements about them. Nobody else includes
 * it. */
#ifndef SLUICE_MOVE_TABLES_H
#define SLUICE_MOVE_TABLES_H

#include <stddef.h>

#define MOVE_COLUMNS_MAX 16
#define MOVE_BATCH	 1000 /* rows of one statement */
#define MOVE_TABLES	 26

/* Columns in any order but that the key comes first. types: i number, f flag, s text, b bytes. */
struct move_table {
	const char *name;
	unsigned int keys;
	const char *types;
	const char *columns[MOVE_COLUMNS_MAX + 1];
};
extern const struct move_table move_tables[MOVE_TABLES];

/* What a file has of them, in their order. */
struct move_file {
	size_t first, count;
	const char *numbered; /* the table whose rows have numbers that are never another's */
	int deny;	      /* there is a table beside them: the number of the deny-list */
	const char *what;     /* for people */
};
extern const struct move_file move_files[]; /* by enum sluice_move_what */

/* Statements: these of each table, then the others. */
enum { MOVE_FIRST, MOVE_NEXT, MOVE_LAST, MOVE_INSERT, MOVE_COUNT, MOVE_PER_TABLE };
enum {
	MOVE_LAST_ID = MOVE_TABLES * MOVE_PER_TABLE, /* SQLite: the highest number a row has had */
	MOVE_SET_ID,				     /* PostgreSQL: go on behind it */
	MOVE_TABLES_KNOWN,			     /* SQLite */
	MOVE_COLUMNS_KNOWN,
	MOVE_DENY,     /* SQLite: how often somebody was denied */
	MOVE_DENY_SET, /* PostgreSQL */
	MOVE_ALL
};

/* Their texts, each malloc'd, the caller's, on error too. 0 or -ENOMEM. */
int move_statements(char *sql[MOVE_ALL]);

/* which: MOVE_FIRST to MOVE_COUNT, of that table. */
static inline int move_statement(const struct move_table *t, int which)
{
	return (int)(t - move_tables) * MOVE_PER_TABLE + which;
}

#endif
