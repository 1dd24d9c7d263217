// SPDX-License-Identifier: MIT
/*
 * db_pg.c - the driver for PostgreSQL. See db_pg.h.
 *
 * Statements are prepared on the server when they are first used, under their number, and sent with
 * parameters and results in binary. Nothing waits in libpq but the connecting: answers are waited
 * for here, with an end.
 */
#include <endian.h>
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <libpq-fe.h>

#include "cloud/db_pg.h"
#include "lib/log.h"

#define PARAMETERS_MAX 32
#define TIMEOUT_MS     30000
#define TEXT_MAX       4096 /* of a statement */

/* Types of PostgreSQL, fixed since ever (pg_type.dat). */
enum { BOOL_OID = 16, BYTEA_OID = 17, INT8_OID = 20, INT2_OID = 21, INT4_OID = 23, TEXT_OID = 25 };

/* What we ask of each connection. A process that was frozen in a transaction does not keep others
 * from theirs for ever. */
static const char setup[] =
	"SELECT set_config('search_path', $1, false), set_config('lock_timeout', '5s', false),"
	" set_config('statement_timeout', $2, false),"
	" set_config('idle_in_transaction_session_timeout', '10s', false),"
	" set_config('bytea_output', 'hex', false)";

enum option {
	HOST,
	PORT,
	DATABASE,
	USER,
	PASSWORD,
	SSLMODE,
	CA,
	CERTIFICATE,
	KEY,
	CONNECT,
	OPTIONS
};

static const char *const option_names[OPTIONS] = {
	"host",	   "port",	  "dbname",  "user",   "password",
	"sslmode", "sslrootcert", "sslcert", "sslkey", "connect_timeout",
};

struct rows {
	struct sluice_rows base;
	PGresult *result; /* NULL: not run, or at its end */
	int row, prepared;
	int count; /* of parameters */
	Oid types[PARAMETERS_MAX];
	const char *values[PARAMETERS_MAX];
	int lengths[PARAMETERS_MAX], formats[PARAMETERS_MAX];
	uint64_t numbers[PARAMETERS_MAX]; /* big-endian */
};

struct db {
	struct sluice_db base;
	PGconn *conn; /* NULL: none */
	char *options[OPTIONS];
	char schema[SLUICE_PG_SCHEMA_MAX];
	unsigned int timeout_ms;
	const char *const *sql;
	int count;
	struct rows *rows; /* one per statement */
	int begun;	   /* a transaction, also one that is lost */
	int64_t changed;
	char error[SLUICE_PG_WHY];
	struct sluice_log_limit limit;
};

static struct db *of(struct sluice_db *d)
{
	return (struct db *)d;
}

/* ---- errors ---- */

static const struct {
	const char *state; /* or the begin of it */
	int err;
} errors[] = {
	{ "23505", -EEXIST },	{ "53100", -ENOSPC },	 { "53200", -ENOMEM },
	{ "53300", -ENOTCONN }, { "40001", -EBUSY },	 { "40P01", -EBUSY },
	{ "55P03", -EBUSY },	{ "57014", -ETIMEDOUT }, { "25P03", -ETIMEDOUT },
	{ "42501", -EPERM },	{ "28", -EPERM },	 { "3D000", -ENODEV },
	{ "3F000", -ENODEV },	{ "42P01", -ENODEV },	 { "42883", -ENODEV },
	{ "42703", -ENODEV },	{ "25006", -EROFS },	 { "22021", -EILSEQ },
	{ "XX001", -EUCLEAN },	{ "XX002", -EUCLEAN },	 { "08", -ENOTCONN },
	{ "57P", -ENOTCONN },
};

static int errno_of(const char *state)
{
	size_t i;

	for (i = 0; state && i < sizeof(errors) / sizeof(errors[0]); i++)
		if (!strncmp(state, errors[i].state, strlen(errors[i].state)))
			return errors[i].err;
	return -EIO;
}

static void set_error(struct db *d, const char *text)
{
	snprintf(d->error, sizeof(d->error), "%s", text);
	d->error[strcspn(d->error, "\n")] = 0;
}

/* The connection goes; the server ends what it was in. */
static int lose(struct db *d, int err)
{
	int i;

	for (i = 0; i < d->count; i++)
		d->rows[i].prepared = 0;
	PQfinish(d->conn);
	d->conn = NULL;
	sluice_log_limited(&d->limit, SLUICE_LOG_WARNING, "data base: %s", d->error);
	return err;
}

static void no_notice(void *arg, const PGresult *res)
{
	(void)arg;
	(void)res;
}

/* Takes res, NULL too. 0; or what went wrong, of which an existing row is no news. */
static int judge(struct db *d, PGresult *res)
{
	ExecStatusType status = PQresultStatus(res);
	const char *state = PQresultErrorField(res, PG_DIAG_SQLSTATE);
	const char *text = PQresultErrorField(res, PG_DIAG_MESSAGE_PRIMARY);
	int err;

	if (status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK)
		return 0;
	if (!state || PQstatus(d->conn) == CONNECTION_BAD) {
		set_error(d, text ? text : PQerrorMessage(d->conn));
		return lose(d, -ENOTCONN);
	}
	set_error(d, text);
	err = errno_of(state);
	if (err != -EEXIST)
		sluice_log_limited(&d->limit, SLUICE_LOG_WARNING, "data base: %s (%s)", d->error,
				   state);
	return err;
}

/* ---- answers ---- */

static uint64_t now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

/* Until there is an answer to take. 0, or the connection is lost. */
static int await(struct db *d, uint64_t end)
{
	while (PQisBusy(d->conn)) {
		struct pollfd p = { .fd = PQsocket(d->conn), .events = POLLIN };
		uint64_t now = now_ms();

		if (now >= end) {
			snprintf(d->error, sizeof(d->error), "no answer within %u ms",
				 d->timeout_ms);
			return lose(d, -ETIMEDOUT);
		}
		if (poll(&p, 1, (int)(end - now)) < 0 && errno != EINTR) {
			set_error(d, strerror(errno));
			return lose(d, -EIO);
		}
		if ((p.revents & ~POLLOUT) && !PQconsumeInput(d->conn))
			return 0; /* PQgetResult() says what it is */
	}
	return 0;
}

/* What was sent has come to this; sent: what the function said that sent it. *res: the caller's. */
static int answer(struct db *d, int sent, PGresult **res)
{
	uint64_t end = now_ms() + d->timeout_ms;
	PGresult *next;
	int err;

	*res = NULL;
	if (!sent) {
		set_error(d, PQerrorMessage(d->conn));
		return PQstatus(d->conn) == CONNECTION_BAD ? lose(d, -ENOTCONN) : -EIO;
	}
	while (!(err = await(d, end)) && (next = PQgetResult(d->conn))) {
		PQclear(*res);
		*res = next;
	}
	if (!err)
		err = judge(d, *res);
	if (err) {
		PQclear(*res);
		*res = NULL;
	}
	return err;
}

static int run_text(struct db *d, const char *text, PGresult **res)
{
	return answer(d, PQsendQuery(d->conn, text), res);
}

int sluice_db_pg_exec(struct sluice_db *d, const char *text)
{
	PGresult *res;
	int err = of(d)->conn ? run_text(of(d), text, &res) : -ENOTCONN;

	if (!err)
		PQclear(res);
	return err;
}

int sluice_db_pg_ask(struct sluice_db *d, const char *text, int64_t *out)
{
	PGresult *res;
	int err = of(d)->conn ? run_text(of(d), text, &res) : -ENOTCONN;

	*out = 0;
	if (err)
		return err;
	if (PQntuples(res) && PQnfields(res))
		*out = strtoll(PQgetvalue(res, 0, 0), NULL, 10);
	PQclear(res);
	return 0;
}

/* ---- connections ---- */

/* Names of option_names[], their values, and what is the same for all. */
#define SAME 4
static void list_options(const struct db *d, const char **names, const char **values)
{
	int i, n = 0;

	for (i = 0; i < OPTIONS; i++) {
		if (!d->options[i][0])
			continue;
		names[n] = option_names[i];
		values[n++] = d->options[i];
	}
	names[n] = "application_name";
	values[n++] = "sluice-cloud";
	names[n] = "client_encoding";
	values[n++] = "UTF8";
	names[n] = "tcp_user_timeout"; /* ms; a peer that is gone is noticed */
	values[n++] = "15000";
	names[n] = "gssencmode";
	values[n++] = "disable";
	names[n] = NULL;
	values[n] = NULL;
}

static int set_up(struct db *d)
{
	char timeout[24];
	const char *const values[] = { d->schema, timeout };
	PGresult *res;
	int err;

	snprintf(timeout, sizeof(timeout), "%u", d->timeout_ms);
	err = answer(d, PQsendQueryParams(d->conn, setup, 2, NULL, values, NULL, NULL, 0), &res);
	if (!err)
		PQclear(res);
	return err;
}

static int connect_db(struct db *d)
{
	const char *names[OPTIONS + SAME + 1], *values[OPTIONS + SAME + 1];

	list_options(d, names, values);
	d->conn = PQconnectdbParams(names, values, 0);
	if (!d->conn)
		return -ENOMEM;
	if (PQstatus(d->conn) != CONNECTION_OK) {
		/* the server has seen the password, so it is there, and does not want us */
		int refused = PQconnectionUsedPassword(d->conn);

		set_error(d, PQerrorMessage(d->conn));
		return lose(d, refused ? -EPERM : -ENOTCONN);
	}
	PQsetNoticeReceiver(d->conn, no_notice, NULL);
	return set_up(d);
}

/* A connection that was cut while nothing was asked of it is seen here. */
static int ensure(struct db *d)
{
	if (d->conn && (!PQconsumeInput(d->conn) || PQstatus(d->conn) == CONNECTION_BAD)) {
		set_error(d, PQerrorMessage(d->conn));
		lose(d, 0);
	}
	if (d->conn)
		return 0;
	if (d->begun)
		return -ENOTCONN; /* what was in the transaction is not there */
	return connect_db(d);
}

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

static int prepare(struct db *d, struct rows *r)
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
	err = answer(d, PQsendPrepare(d->conn, name, text, r->count, r->types), &res);
	if (!err) {
		PQclear(res);
		r->prepared = 1;
	}
	return err;
}

static int send_rows(struct db *d, struct rows *r)
{
	char name[16];
	int err = ensure(d);

	if (!err)
		err = prepare(d, r);
	if (err)
		return err;
	snprintf(name, sizeof(name), "s%d", (int)(r - d->rows));
	return answer(d,
		      PQsendQueryPrepared(d->conn, name, r->count, r->values, r->lengths,
					  r->formats, 1),
		      &r->result);
}

/* What only reads is asked once more if the connection went meanwhile. */
static int run_rows(struct db *d, struct rows *r)
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

static void end(struct sluice_rows *base)
{
	struct rows *r = (struct rows *)base;

	PQclear(r->result);
	r->result = NULL;
}

static int step(struct sluice_rows *base)
{
	struct rows *r = (struct rows *)base;
	int err;

	if (r->result) {
		r->row++;
	} else {
		r->row = 0;
		err = run_rows(of(base->db), r);
		if (err)
			return err;
	}
	if (r->row < PQntuples(r->result))
		return 1;
	end(base);
	return 0;
}

static void bind_number(struct rows *r, int i, int64_t value)
{
	r->numbers[i] = htobe64((uint64_t)value);
	r->types[i] = INT8_OID;
	r->values[i] = (const char *)&r->numbers[i];
	r->lengths[i] = sizeof(r->numbers[i]);
}

static void bind_bytes(struct rows *r, int i, Oid type, const void *p, size_t size)
{
	r->types[i] = type;
	r->values[i] = p;
	r->lengths[i] = (int)size;
}

static struct sluice_rows *bind(struct sluice_db *base, int which, const char *fmt, va_list ap)
{
	struct rows *r = &of(base)->rows[which];
	const char *p;
	int i;

	r->base.db = base;
	end(&r->base);
	for (i = 0; *fmt && i < PARAMETERS_MAX; fmt++, i++) {
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
static struct sluice_rows *bind_values(struct sluice_db *base, int which,
				       const struct sluice_value *v, unsigned int count)
{
	struct rows *r = &of(base)->rows[which];
	unsigned int i;

	r->base.db = base;
	end(&r->base);
	if (count > PARAMETERS_MAX)
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

static int is_null(struct sluice_rows *base, int column)
{
	struct rows *r = (struct rows *)base;

	return PQgetisnull(r->result, r->row, column);
}

static int64_t integer(struct sluice_rows *base, int column)
{
	struct rows *r = (struct rows *)base;
	const char *p = PQgetvalue(r->result, r->row, column);
	uint64_t n8;
	uint32_t n4;
	uint16_t n2;

	if (is_null(base, column))
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
static const char *text(struct sluice_rows *base, int column)
{
	struct rows *r = (struct rows *)base;

	return PQgetvalue(r->result, r->row, column);
}

static const void *blob(struct sluice_rows *base, int column, size_t *size)
{
	struct rows *r = (struct rows *)base;

	*size = (size_t)PQgetlength(r->result, r->row, column);
	return is_null(base, column) ? NULL : PQgetvalue(r->result, r->row, column);
}

/* ---- transactions ---- */

static int begin(struct sluice_db *base)
{
	static const char text[] = "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE";
	struct db *d = of(base);
	PGresult *res = NULL;
	int err;

	if (d->begun)
		return -EBUSY;
	err = ensure(d);
	if (!err)
		err = run_text(d, text, &res);
	if (err == -ENOTCONN && !ensure(d)) /* nothing has been done yet */
		err = run_text(d, text, &res);
	PQclear(res);
	d->begun = !err;
	return err;
}

/* In a transaction in which something failed the server answers COMMIT with ROLLBACK. */
static int commit(struct sluice_db *base)
{
	struct db *d = of(base);
	PGresult *res;
	int err = d->conn && d->begun ? run_text(d, "COMMIT", &res) : -ENOTCONN;

	if (err)
		return err;
	if (strcmp(PQcmdStatus(res), "COMMIT") != 0)
		err = -EIO;
	else
		d->begun = 0;
	PQclear(res);
	return err;
}

static void rollback(struct sluice_db *base)
{
	struct db *d = of(base);
	PGresult *res = NULL;

	if (d->begun && d->conn && PQtransactionStatus(d->conn) != PQTRANS_IDLE &&
	    run_text(d, "ROLLBACK", &res) && d->conn)
		lose(d, 0);
	PQclear(res);
	d->begun = 0;
}

static int idle(struct sluice_db *base)
{
	return !of(base)->begun;
}

static int64_t changed(struct sluice_db *base)
{
	return of(base)->changed;
}

/* ---- opening ---- */

static void close_db(struct sluice_db *base)
{
	struct db *d = of(base);
	int i;

	for (i = 0; d->rows && i < d->count; i++)
		PQclear(d->rows[i].result);
	free(d->rows);
	PQfinish(d->conn);
	for (i = 0; i < OPTIONS; i++) {
		if (d->options[i] && i == PASSWORD)
			explicit_bzero(d->options[i], strlen(d->options[i]));
		free(d->options[i]);
	}
	free(d);
}

static const struct sluice_db_ops ops = {
	.close = close_db,
	.begin = begin,
	.commit = commit,
	.rollback = rollback,
	.idle = idle,
	.changed = changed,
	.bind = bind,
	.bind_values = bind_values,
	.step = step,
	.end = end,
	.is_null = is_null,
	.integer = integer,
	.text = text,
	.blob = blob,
};

/* This machine: nobody reads along. Every one of several must be. */
static int is_here(const char *hosts)
{
	static const char *const here[] = { "localhost", "127.0.0.1", "::1" };
	size_t i, n;

	for (; *hosts; hosts += n + (hosts[n] == ',')) {
		n = strcspn(hosts, ",");
		if (*hosts == '/' || !n)
			continue;
		for (i = 0; i < 3; i++)
			if (n == strlen(here[i]) && !strncmp(hosts, here[i], n))
				break;
		if (i == 3)
			return 0;
	}
	return 1;
}

static const char *or_else(const char *text, const char *otherwise)
{
	return text && text[0] ? text : otherwise;
}

static int copy_config(struct db *d, const struct sluice_pg_config *c)
{
	const char *host = or_else(c->host, ""), *schema = or_else(c->schema, "sluice");
	const char *sslmode = or_else(c->sslmode, is_here(host) ? "prefer" : "verify-full");
	char port[16], connect[16];
	const char *const values[OPTIONS] = {
		[HOST] = host,
		[PORT] = port,
		[DATABASE] = or_else(c->database, "sluice"),
		[USER] = or_else(c->user, ""),
		[PASSWORD] = or_else(c->password, ""),
		[SSLMODE] = sslmode,
		/* libpq would look into the home directory of whoever runs this */
		[CA] = or_else(c->ca, strncmp(sslmode, "verify", 6)
					      ? ""
					      : "/etc/ssl/certs/ca-certificates.crt"),
		[CERTIFICATE] = or_else(c->certificate, ""),
		[KEY] = or_else(c->key, ""),
		[CONNECT] = connect,
	};
	int i;

	if (strlen(schema) >= sizeof(d->schema) || (*schema >= '0' && *schema <= '9') ||
	    strspn(schema, "abcdefghijklmnopqrstuvwxyz0123456789_") != strlen(schema)) {
		snprintf(d->error, sizeof(d->error),
			 "'%.60s' is no name of a schema: a-z, 0-9 and _, a letter first", schema);
		return -EINVAL;
	}
	snprintf(d->schema, sizeof(d->schema), "%s", schema);
	d->timeout_ms = c->timeout_ms ? c->timeout_ms : TIMEOUT_MS;
	snprintf(port, sizeof(port), "%u", c->port ? c->port : 5432);
	snprintf(connect, sizeof(connect), "%u", (d->timeout_ms + 999) / 1000);
	for (i = 0; i < OPTIONS; i++) {
		d->options[i] = strdup(values[i]);
		if (!d->options[i])
			return -ENOMEM;
	}
	return 0;
}

int sluice_db_pg_open(const struct sluice_pg_config *c, const char *const *sql, int count,
		      struct sluice_db **out, char *why)
{
	struct db *d = calloc(1, sizeof(*d));
	int err;

	*out = NULL;
	snprintf(why, SLUICE_PG_WHY, "no memory");
	if (!d)
		return -ENOMEM;
	d->base.ops = &ops;
	d->sql = sql;
	d->count = count;
	d->limit = (struct sluice_log_limit){ .burst = 5, .interval_ms = 10000 };
	d->rows = calloc((size_t)count + 1, sizeof(*d->rows));
	err = d->rows ? copy_config(d, c) : -ENOMEM;
	if (!err)
		err = connect_db(d);
	if (err) {
		if (err != -ENOMEM)
			snprintf(why, SLUICE_PG_WHY, "%s", d->error);
		close_db(&d->base);
		return err;
	}
	why[0] = 0;
	*out = &d->base;
	return 0;
}

const char *sluice_db_pg_error(struct sluice_db *d)
{
	return of(d)->error;
}

const char *sluice_db_pg_schema(struct sluice_db *d)
{
	return of(d)->schema;
}
