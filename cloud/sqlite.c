// SPDX-License-Identifier: MIT
/*
 * sqlite.c - one SQLite connection with its prepared statements.
 *
 * Who finds the data base busy waits for its turn among this process's writers (sqlite_turn.h),
 * then tries again at once: whoever had it is done. Only what another process holds (a command
 * beside the node) is waited for in the old way, by looking again.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "cloud/sqlite.h"
#include "cloud/sqlite_turn.h"

int sluice_sqlite_errno(int rc)
{
	switch (rc & 0xff) {
	case SQLITE_OK:
	case SQLITE_ROW:
	case SQLITE_DONE:
		return 0;
	case SQLITE_FULL:
		return -ENOSPC;
	case SQLITE_BUSY:
	case SQLITE_LOCKED:
		return -EBUSY;
	case SQLITE_NOMEM:
		return -ENOMEM;
	case SQLITE_CORRUPT:
	case SQLITE_NOTADB:
		return -EUCLEAN;
	case SQLITE_PERM:
	case SQLITE_READONLY:
	case SQLITE_CANTOPEN:
		return -EACCES;
	case SQLITE_CONSTRAINT:
		return -EEXIST;
	default:
		return -EIO;
	}
}

/* ---- turns ---- */

#define LOOK_MS 20

/* Of the statement that this thread is running: it was busy, and has waited for this turn. */
static _Thread_local struct sluice_turn *waited;

static void end_wait(void)
{
	if (waited)
		sluice_turn_pass(waited);
	waited = NULL;
}

/* SQLite's busy handler: not 0 to try again. times: that it was called for this statement. */
static int on_busy(void *arg, int times)
{
	struct sluice_sqlite *s = arg;

	if (!s->begun && !waited) {
		if (sluice_turn_take(s->turn))
			return 0;
		waited = s->turn;
		return 1;
	}
	nanosleep(&(struct timespec){ .tv_nsec = LOOK_MS * 1000000L }, NULL);
	return times < SLUICE_TURN_MS / LOOK_MS;
}

/* What a statement or a transaction came to. */
static int end_statement(int rc)
{
	int err = sluice_sqlite_errno(rc);

	end_wait();
	return err == -EACCES ? -EIO : err;
}

int sluice_sqlite_exec(struct sluice_sqlite *s, const char *text)
{
	return end_statement(sqlite3_exec(s->db, text, NULL, NULL, NULL));
}

int sluice_sqlite_begin(struct sluice_sqlite *s)
{
	int err = sluice_turn_take(s->turn);

	if (err)
		return err;
	s->begun = 1;
	err = sluice_sqlite_exec(s, "BEGIN IMMEDIATE");
	if (err)
		sluice_sqlite_rollback(s);
	return err;
}

int sluice_sqlite_commit(struct sluice_sqlite *s)
{
	int err = sluice_sqlite_exec(s, "COMMIT");

	if (!err && s->begun) {
		s->begun = 0;
		sluice_turn_pass(s->turn);
	}
	return err;
}

void sluice_sqlite_rollback(struct sluice_sqlite *s)
{
	if (!sqlite3_get_autocommit(s->db))
		sluice_sqlite_exec(s, "ROLLBACK");
	if (s->begun)
		sluice_turn_pass(s->turn);
	s->begun = 0;
}

/* ---- opening ---- */

static int read_version(struct sluice_sqlite *s)
{
	sqlite3_stmt *st = NULL;
	int found = -1;

	if (sqlite3_prepare_v2(s->db, "PRAGMA user_version", -1, &st, NULL) == SQLITE_OK &&
	    sqlite3_step(st) == SQLITE_ROW)
		found = sqlite3_column_int(st, 0);
	sqlite3_finalize(st);
	end_wait();
	return found;
}

/* One thread or process makes the tables; the others wait for its transaction. */
static int climb(struct sluice_sqlite *s, const struct sluice_sqlite_step *steps, int version)
{
	char set[48];
	int err, found;

	if (read_version(s) == version)
		return 0;
	err = sluice_sqlite_begin(s);
	if (err)
		return err;
	found = read_version(s);
	if (found < 0 || found > version)
		err = found < 0 ? -EIO : -EPROTONOSUPPORT;
	for (; !err && found < version; found++) {
		err = sluice_sqlite_exec(s, steps[found].sql);
		if (!err && steps[found].fn)
			err = steps[found].fn(s);
	}
	snprintf(set, sizeof(set), "PRAGMA user_version = %d", version);
	if (!err)
		err = sluice_sqlite_exec(s, set);
	if (!err)
		err = sluice_sqlite_commit(s);
	if (err)
		sluice_sqlite_rollback(s);
	return err;
}

int sluice_sqlite_open(struct sluice_sqlite *s, const char *path,
		       const struct sluice_sqlite_step *steps, int version, const char *const *sql,
		       int count)
{
	int fd, err;

	memset(s, 0, sizeof(*s));
	/*
	 * Only to make it with its mode. An existing file must not be opened here: closing that
	 * descriptor would drop the locks of this process's other connections (POSIX), and the next
	 * process to close the data base would believe itself alone and take the WAL away.
	 */
	fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd < 0 && errno != EEXIST)
		return -errno;
	if (fd >= 0)
		close(fd);
	s->sql = sql;
	s->count = count;
	s->stmt = calloc((size_t)count, sizeof(*s->stmt));
	s->turn = sluice_turn_get(path);
	err = s->stmt && s->turn ? 0 : -ENOMEM;
	if (err)
		goto err_close;
	err = sluice_sqlite_errno(
		sqlite3_open_v2(path, &s->db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL));
	if (err)
		goto err_close;
	sqlite3_busy_handler(s->db, on_busy, s);
	err = sluice_sqlite_exec(s, "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;"
				    "PRAGMA foreign_keys = ON; PRAGMA cache_size = -2000;"
				    "PRAGMA journal_size_limit = 4194304;");
	if (!err)
		err = climb(s, steps, version);
	if (!err)
		return 0;
err_close:
	sluice_sqlite_close(s);
	return err;
}

void sluice_sqlite_close(struct sluice_sqlite *s)
{
	int i;

	if (s->begun)
		sluice_sqlite_rollback(s);
	for (i = 0; s->stmt && i < s->count; i++)
		sqlite3_finalize(s->stmt[i]);
	free(s->stmt);
	sqlite3_close(s->db);
	sluice_turn_put(s->turn);
	memset(s, 0, sizeof(*s));
}

sqlite3_stmt *sluice_sqlite_bind(struct sluice_sqlite *s, int which, const char *fmt, ...)
{
	sqlite3_stmt *st;
	va_list ap;

	va_start(ap, fmt);
	st = sluice_sqlite_vbind(s, which, fmt, ap);
	va_end(ap);
	return st;
}

sqlite3_stmt *sluice_sqlite_vbind(struct sluice_sqlite *s, int which, const char *fmt, va_list ap)
{
	sqlite3_stmt *st = s->stmt[which];
	int i = 1, rc = SQLITE_OK;
	const void *p;

	if (!st &&
	    sqlite3_prepare_v3(s->db, s->sql[which], -1, SQLITE_PREPARE_PERSISTENT, &st, NULL))
		return NULL;
	s->stmt[which] = st;
	sqlite3_reset(st);
	for (; *fmt && rc == SQLITE_OK; fmt++, i++) {
		switch (*fmt) {
		case 'i':
			rc = sqlite3_bind_int64(st, i, va_arg(ap, int64_t));
			break;
		case 'd':
			rc = sqlite3_bind_int(st, i, va_arg(ap, int));
			break;
		case 's':
			rc = sqlite3_bind_text(st, i, va_arg(ap, const char *), -1, SQLITE_STATIC);
			break;
		case 'c':
			p = va_arg(ap, const void *);
			rc = sqlite3_bind_blob(st, i, p, 16, SQLITE_STATIC);
			break;
		case 'b':
			p = va_arg(ap, const void *);
			rc = sqlite3_bind_blob64(st, i, p, va_arg(ap, size_t), SQLITE_STATIC);
			break;
		default:
			rc = SQLITE_MISUSE;
		}
	}
	return rc == SQLITE_OK ? st : NULL;
}

int sluice_sqlite_step(sqlite3_stmt *st)
{
	int rc;

	if (!st) {
		end_wait();
		return -EIO;
	}
	rc = sqlite3_step(st);
	if (rc == SQLITE_ROW) {
		end_wait();
		return 1;
	}
	sqlite3_reset(st);
	return end_statement(rc);
}

int sluice_sqlite_run(sqlite3_stmt *st)
{
	int rc = sluice_sqlite_step(st);

	if (rc > 0)
		sqlite3_reset(st);
	return rc < 0 ? rc : 0;
}

const char *sluice_sqlite_text(sqlite3_stmt *st, int column)
{
	const char *text = (const char *)sqlite3_column_text(st, column);

	return text ? text : "";
}

void sluice_sqlite_id(sqlite3_stmt *st, int column, uint8_t out[16])
{
	const void *p = sqlite3_column_blob(st, column);

	memset(out, 0, 16);
	if (p && sqlite3_column_bytes(st, column) == 16)
		memcpy(out, p, 16);
}
