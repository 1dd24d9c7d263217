// SPDX-License-Identifier: MIT
/* sqlite.c - one SQLite connection with its prepared statements. */
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cloud/sqlite.h"

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

int sluice_sqlite_exec(struct sluice_sqlite *s, const char *text)
{
	return sluice_sqlite_errno(sqlite3_exec(s->db, text, NULL, NULL, NULL));
}

static int read_version(struct sluice_sqlite *s)
{
	sqlite3_stmt *st = NULL;
	int found = -1;

	if (sqlite3_prepare_v2(s->db, "PRAGMA user_version", -1, &st, NULL) == SQLITE_OK &&
	    sqlite3_step(st) == SQLITE_ROW)
		found = sqlite3_column_int(st, 0);
	sqlite3_finalize(st);
	return found;
}

/* One thread or process makes the tables; the others wait for its transaction. */
static int climb(struct sluice_sqlite *s, const struct sluice_sqlite_step *steps, int version)
{
	char set[48];
	int err, found;

	if (read_version(s) == version)
		return 0;
	err = sluice_sqlite_exec(s, "BEGIN IMMEDIATE");
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
		err = sluice_sqlite_exec(s, "COMMIT");
	if (err)
		sluice_sqlite_exec(s, "ROLLBACK");
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
	if (!s->stmt)
		return -ENOMEM;
	err = sluice_sqlite_errno(
		sqlite3_open_v2(path, &s->db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL));
	if (err)
		goto err_close;
	sqlite3_busy_timeout(s->db, 5000);
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

	for (i = 0; s->stmt && i < s->count; i++)
		sqlite3_finalize(s->stmt[i]);
	free(s->stmt);
	sqlite3_close(s->db);
	memset(s, 0, sizeof(*s));
}

sqlite3_stmt *sluice_sqlite_bind(struct sluice_sqlite *s, int which, const char *fmt, ...)
{
	sqlite3_stmt *st = s->stmt[which];
	int i = 1, rc = SQLITE_OK;
	const void *p;
	va_list ap;

	if (!st &&
	    sqlite3_prepare_v3(s->db, s->sql[which], -1, SQLITE_PREPARE_PERSISTENT, &st, NULL))
		return NULL;
	s->stmt[which] = st;
	sqlite3_reset(st);
	va_start(ap, fmt);
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
	va_end(ap);
	return rc == SQLITE_OK ? st : NULL;
}

int sluice_sqlite_step(sqlite3_stmt *st)
{
	int rc;

	if (!st)
		return -EIO;
	rc = sqlite3_step(st);
	if (rc == SQLITE_ROW)
		return 1;
	sqlite3_reset(st);
	return sluice_sqlite_errno(rc);
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
