// SPDX-License-Identifier: MIT
/*
 * db_pg_rows.c - statements on PostgreSQL and their rows. They are prepared on the server when they
 * are first used, under their number, and sent with parameters and results in binary.
 */
#include <endian.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cloud/db_pg_state.h"

#define TEXT_MAX 4096 /* of a statement */

/* Types of PostgreSQL, fixed since ever (pg_type.dat). */
enum { BOOL_OID = 16, BYTEA_OID = 17, INT8_OID = 20, INT2_OID = 21, INT4_OID = 23, TEXT_OID = 25 };

/* ---- statements ---- */

/* "?" and "?3" of SQLite are "$1", "$3" here; not in what is quoted. */
static int translate(const char *in, char *out, size_t size)
{
	int quoted = 0, number = 0;
	size_t n = 0;

	for (; *in && n + 8 < size; in++) {
		if (*in == '\'')
			quoted = !quoted;
		if (*in != '?' || quoted)
			out[n++] = *in;
		else if (in[1] >= '0' && in[1] <= '9')
			out[n++] = '$';
		else
			n += (size_t)snprintf(out + n, size - n, "$%d", ++number);
	}
	out[n] = 0;
	return *in ? -E2BIG : 0;
}

static int prepare(struct db_pg *d, struct db_pg_rows *r)
{
	char text[TEXT_MAX], name[16];
	int which = (int)(r - d->rows), err;
	PGresult *res;

	if (r->prepared)
		return 0;
	err = translate(d->sql[which], text, sizeof(text));
	if (err)
		return err;
	snprintf(name, sizeof(name), "s%d", which);
	err = db_pg_answer(d, PQsendPrepare(d->conn, name, text, r->count, r->types), &res);
	if (!err) {
		PQclear(res);
		r->prepared = 1;
	}
	return err;
}

static int send_rows(struct db_pg *d, struct db_pg_rows *r)
{
	char name[16];
	int err = db_pg_ensure(d);

	if (!err)
		err = prepare(d, r);
	if (err)
		return err;
	snprintf(name, sizeof(name), "s%d", (int)(r - d->rows));
	return db_pg_answer(d,
			    PQsendQueryPrepared(d->conn, name, r->count, r->values, r->lengths,
						r->formats, 1),
			    &r->result);
}

/* What only reads is asked once more if the connection went meanwhile. */
static int run_rows(struct db_pg *d, struct db_pg_rows *r)
{
	int reads = !strncmp(d->sql[r - d->rows], "SELECT", 6);
	int err = send_rows(d, r);

	if (err == -ENOTCONN && reads && !d->begun)
		err = send_rows(d, r);
	if (err)
		return err;
	d->changed = atoll(PQcmdTuples(r->result));
	return 0;
}

void db_pg_end(struct sluice_rows *base)
{
	struct db_pg_rows *r = (struct db_pg_rows *)base;

	PQclear(r->result);
	r->result = NULL;
}

int db_pg_step(struct sluice_rows *base)
{
	struct db_pg_rows *r = (struct db_pg_rows *)base;
	int err;

	if (r->result) {
		r->row++;
	} else {
		r->row = 0;
		err = run_rows(db_pg_of(base->db), r);
		if (err)
			return err;
	}
	if (r->row < PQntuples(r->result))
		return 1;
	db_pg_end(base);
	return 0;
}

static void bind_number(struct db_pg_rows *r, int i, int64_t value)
{
	r->numbers[i] = htobe64((uint64_t)value);
	r->types[i] = INT8_OID;
	r->values[i] = (const char *)&r->numbers[i];
	r->lengths[i] = sizeof(r->numbers[i]);
}

static void bind_bytes(struct db_pg_rows *r, int i, Oid type, const void *p, size_t size)
{
	r->types[i] = type;
	r->values[i] = p;
	r->lengths[i] = (int)size;
}

struct sluice_rows *db_pg_bind(struct sluice_db *base, int which, const char *fmt, va_list ap)
{
	struct db_pg_rows *r = &db_pg_of(base)->rows[which];
	const char *p;
	int i;

	r->base.db = base;
	db_pg_end(&r->base);
	for (i = 0; *fmt && i < DB_PG_PARAMETERS_MAX; fmt++, i++) {
		r->formats[i] = 1;
		switch (*fmt) {
		case 'i':
			bind_number(r, i, va_arg(ap, int64_t));
			break;
		case 'd':
			bind_number(r, i, va_arg(ap, int));
			break;
		case 's':
			p = va_arg(ap, const char *);
			bind_bytes(r, i, TEXT_OID, p, p ? strlen(p) : 0);
			break;
		case 'c':
			bind_bytes(r, i, BYTEA_OID, va_arg(ap, const char *), 16);
			break;
		case 'b':
			p = va_arg(ap, const char *);
			bind_bytes(r, i, BYTEA_OID, p, va_arg(ap, size_t));
			break;
		default:
			return NULL;
		}
	}
	r->count = i;
	return *fmt ? NULL : &r->base;
}

/* NULL is of the type that its column has. */
struct sluice_rows *db_pg_bind_values(struct sluice_db *base, int which,
				      const struct sluice_value *v, unsigned int count)
{
	struct db_pg_rows *r = &db_pg_of(base)->rows[which];
	unsigned int i;

	r->base.db = base;
	db_pg_end(&r->base);
	if (count > DB_PG_PARAMETERS_MAX)
		return NULL;
	for (i = 0; i < count; i++) {
		r->formats[i] = 1;
		if (v[i].type == 'i')
			bind_number(r, (int)i, v[i].number);
		else if (v[i].type == 'n')
			bind_bytes(r, (int)i, 0, NULL, 0);
		else
			bind_bytes(r, (int)i, v[i].type == 's' ? TEXT_OID : BYTEA_OID,
				   v[i].data ? v[i].data : "", v[i].size);
	}
	r->count = (int)count;
	return &r->base;
}

/* ---- rows ---- */

int db_pg_is_null(struct sluice_rows *base, int column)
{
	struct db_pg_rows *r = (struct db_pg_rows *)base;

	return PQgetisnull(r->result, r->row, column);
}

int64_t db_pg_integer(struct sluice_rows *base, int column)
{
	struct db_pg_rows *r = (struct db_pg_rows *)base;
	const char *p = PQgetvalue(r->result, r->row, column);
	uint64_t n8;
	uint32_t n4;
	uint16_t n2;

	if (db_pg_is_null(base, column))
		return 0;
	switch (PQftype(r->result, column)) {
	case BOOL_OID:
		return *p != 0;
	case INT8_OID:
		memcpy(&n8, p, sizeof(n8));
		return (int64_t)be64toh(n8);
	case INT4_OID:
		memcpy(&n4, p, sizeof(n4));
		return (int32_t)be32toh(n4);
	case INT2_OID:
		memcpy(&n2, p, sizeof(n2));
		return (int16_t)be16toh(n2);
	default:
		return 0;
	}
}

/* libpq ends each value with a zero byte. */
const char *db_pg_text(struct sluice_rows *base, int column)
{
	struct db_pg_rows *r = (struct db_pg_rows *)base;

	return PQgetvalue(r->result, r->row, column);
}

const void *db_pg_blob(struct sluice_rows *base, int column, size_t *size)
{
	struct db_pg_rows *r = (struct db_pg_rows *)base;

	*size = (size_t)PQgetlength(r->result, r->row, column);
	return db_pg_is_null(base, column) ? NULL : PQgetvalue(r->result, r->row, column);
}
