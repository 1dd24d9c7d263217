/* SPDX-License-Identifier: MIT */
/* sqlite.h - one SQLite connection of one thread with its prepared statements. */
#ifndef SLUICE_SQLITE_H
#define SLUICE_SQLITE_H

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sqlite3.h>

struct sluice_turn;

struct sluice_sqlite {
	sqlite3 *db;
	struct sluice_turn *turn; /* of this process's writers */
	int begun;		  /* a transaction, which has the turn */
	const char *const *sql;	  /* one per statement, borrowed */
	sqlite3_stmt **stmt;	  /* prepared when first used */
	int count;
};

/* From one version of the tables to the next: sql, then fn (NULL: nothing more to do). */
struct sluice_sqlite_step {
	const char *sql;
	int (*fn)(struct sluice_sqlite *s);
};

/*
 * Opens path, made with mode 0600 if it does not exist: WAL, synchronous=FULL, foreign keys,
 * waits of 5 s at most. Its user_version says how many of steps[version] it has had; the others are
 * run, together or not at all. A file of a later version is -EPROTONOSUPPORT and stays as it is.
 * sql[count] are the statements.
 */
int sluice_sqlite_open(struct sluice_sqlite *s, const char *path,
		       const struct sluice_sqlite_step *steps, int version, const char *const *sql,
		       int count);

/* NULL-safe members; the struct may be all zero. */
void sluice_sqlite_close(struct sluice_sqlite *s);

/*
 * Statement which, reset and with its parameters bound as fmt says: i int64_t or uint64_t, d int,
 * s text (NULL allowed), c 16 bytes, b pointer and size_t. Pointers are borrowed until the
 * statement is reset. NULL if it cannot be prepared or bound.
 */
sqlite3_stmt *sluice_sqlite_bind(struct sluice_sqlite *s, int which, const char *fmt, ...);
sqlite3_stmt *sluice_sqlite_vbind(struct sluice_sqlite *s, int which, const char *fmt, va_list ap);

/* Steps a statement that returns no rows, resets it. 0, or a negative errno; NULL is -EIO. */
int sluice_sqlite_run(sqlite3_stmt *st);

/* Steps: 1 a row, 0 the end (reset), or a negative errno (reset). NULL is -EIO. Never -EACCES: that
 * a data base cannot be read is not a "no" to whoever asks. */
int sluice_sqlite_step(sqlite3_stmt *st);

/* Runs text without parameters. */
int sluice_sqlite_exec(struct sluice_sqlite *s, const char *text);

/*
 * A transaction that writes, when it is this thread's turn: those of one process come in the order
 * in which they ask. Ends with commit() or rollback(), the latter also after a commit that failed;
 * a rollback of nothing does nothing. A statement that writes by itself takes a turn too if it
 * finds the data base busy. -EBUSY after 5 s.
 */
int sluice_sqlite_begin(struct sluice_sqlite *s);
int sluice_sqlite_commit(struct sluice_sqlite *s);
void sluice_sqlite_rollback(struct sluice_sqlite *s);

int sluice_sqlite_errno(int rc);

/* Text column, "" for NULL; valid until the next step or reset. */
const char *sluice_sqlite_text(sqlite3_stmt *st, int column);

/* Copies a 16-byte blob; zeros if it has another size. */
void sluice_sqlite_id(sqlite3_stmt *st, int column, uint8_t out[16]);

#endif
