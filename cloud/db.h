/* SPDX-License-Identifier: MIT */
/*
 * db.h - a connection of one thread to a data base, with statements that are prepared when they are
 * first used. Drivers: db_sqlite.c, db_pg.c.
 *
 * Texts of statements are the same for all drivers: what their dialects share (index_sql.c says
 * what that is). Values are only ever parameters.
 */
#ifndef SLUICE_DB_H
#define SLUICE_DB_H

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

struct sluice_db;

/* A statement with its parameters and the row that it is at; the driver's begins with this. */
struct sluice_rows {
	struct sluice_db *db;
};

/* A parameter whose type is known when the program runs. */
struct sluice_value {
	char type; /* i number, s text, b bytes, n NULL */
	int64_t number;
	const void *data; /* borrowed until the statement ends */
	size_t size;
};

struct sluice_db_ops {
	void (*close)(struct sluice_db *d);
	int (*begin)(struct sluice_db *d);
	int (*commit)(struct sluice_db *d);
	void (*rollback)(struct sluice_db *d);
	int (*idle)(struct sluice_db *d);
	int64_t (*changed)(struct sluice_db *d);
	struct sluice_rows *(*bind)(struct sluice_db *d, int which, const char *fmt, va_list ap);
	struct sluice_rows *(*bind_values)(struct sluice_db *d, int which,
					   const struct sluice_value *v, unsigned int count);
	int (*step)(struct sluice_rows *r);
	void (*end)(struct sluice_rows *r);
	int (*is_null)(struct sluice_rows *r, int column);
	int64_t (*integer)(struct sluice_rows *r, int column);
	const char *(*text)(struct sluice_rows *r, int column);
	const void *(*blob)(struct sluice_rows *r, int column, size_t *size);
};

struct sluice_db {
	const struct sluice_db_ops *ops;
};

static inline void sluice_db_close(struct sluice_db *d)
{
	if (d)
		d->ops->close(d);
}

/*
 * A transaction that writes; everything up to commit() is durable together or not at all. After a
 * call in it, or commit() itself, has failed: rollback(). A rollback of nothing does nothing.
 * -EBUSY: others write, and did not come to an end in time.
 */
static inline int sluice_db_begin(struct sluice_db *d)
{
	return d->ops->begin(d);
}

static inline int sluice_db_commit(struct sluice_db *d)
{
	return d->ops->commit(d);
}

static inline void sluice_db_rollback(struct sluice_db *d)
{
	d->ops->rollback(d);
}

/* 1: in no transaction. */
static inline int sluice_db_idle(struct sluice_db *d)
{
	return d->ops->idle(d);
}

/* Rows that the last statement added, changed or deleted. */
static inline int64_t sluice_db_changed(struct sluice_db *d)
{
	return d->ops->changed(d);
}

/*
 * Statement which, at its begin, with its parameters as fmt says: i int64_t or uint64_t, d int,
 * s text (NULL allowed), c 16 bytes, b pointer and size_t. Pointers are borrowed until the
 * statement ends. NULL if it cannot be prepared or bound.
 */
struct sluice_rows *sluice_db_bind(struct sluice_db *d, int which, const char *fmt, ...);

/* The same with a list of parameters. */
static inline struct sluice_rows *sluice_db_bind_values(struct sluice_db *d, int which,
							const struct sluice_value *v,
							unsigned int count)
{
	return d->ops->bind_values(d, which, v, count);
}

/* The next row: 1 there is one, 0 the end, or a negative errno; after both the statement has ended.
 * NULL is -EIO. Never -EACCES: that a data base cannot be read is not a "no" to whoever asks. */
int sluice_db_step(struct sluice_rows *r);

/* Runs a statement to its end, whatever its rows. 0, or a negative errno. */
int sluice_db_run(struct sluice_rows *r);

/* Ends a statement before its last row; what was read of its row is not valid any more. */
static inline void sluice_db_end(struct sluice_rows *r)
{
	r->db->ops->end(r);
}

static inline int sluice_db_is_null(struct sluice_rows *r, int column)
{
	return r->db->ops->is_null(r, column);
}

/* A number, or 1 for what is true; 0 for NULL. */
static inline int64_t sluice_db_int(struct sluice_rows *r, int column)
{
	return r->db->ops->integer(r, column);
}

/* "" for NULL; valid until the next step or the end. */
static inline const char *sluice_db_text(struct sluice_rows *r, int column)
{
	return r->db->ops->text(r, column);
}

/* NULL and 0 for NULL; likewise. */
static inline const void *sluice_db_blob(struct sluice_rows *r, int column, size_t *size)
{
	return r->db->ops->blob(r, column, size);
}

/* Copies a blob of 16 bytes; zeros if it has another size. */
void sluice_db_id(struct sluice_rows *r, int column, uint8_t out[16]);

#endif
