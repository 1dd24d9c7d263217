// SPDX-License-Identifier: MIT
/*
 * db_pg_link.c - a connection to PostgreSQL: its settings, answers and errors. Nothing waits in
 * libpq but the connecting: answers are waited for here, with an end.
 */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "cloud/db_pg_state.h"

#define TIMEOUT_MS 30000

/* What we ask of each connection. A process that was frozen in a transaction does not keep others
 * from theirs for ever. */
static const char setup[] =
	"SELECT set_config('search_path', $1, false), set_config('lock_timeout', '5s', false),"
	" set_config('statement_timeout', $2, false),"
	" set_config('idle_in_transaction_session_timeout', '10s', false),"
	" set_config('bytea_output', 'hex', false)";

static const char *const option_names[DB_PG_OPTIONS] = {
	"host",	   "port",	  "dbname",  "user",   "password",
	"sslmode", "sslrootcert", "sslcert", "sslkey", "connect_timeout",
};

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

static void set_error(struct db_pg *d, const char *text)
{
	snprintf(d->error, sizeof(d->error), "%s", text);
	d->error[strcspn(d->error, "\n")] = 0;
}

int db_pg_lose(struct db_pg *d, int err)
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
static int judge(struct db_pg *d, PGresult *res)
{
	ExecStatusType status = PQresultStatus(res);
	const char *state = PQresultErrorField(res, PG_DIAG_SQLSTATE);
	const char *text = PQresultErrorField(res, PG_DIAG_MESSAGE_PRIMARY);
	int err;

	if (status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK)
		return 0;
	if (!state || PQstatus(d->conn) == CONNECTION_BAD) {
		set_error(d, text ? text : PQerrorMessage(d->conn));
		return db_pg_lose(d, -ENOTCONN);
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
static int await(struct db_pg *d, uint64_t end)
{
	while (PQisBusy(d->conn)) {
		struct pollfd p = { .fd = PQsocket(d->conn), .events = POLLIN };
		uint64_t now = now_ms();

		if (now >= end) {
			snprintf(d->error, sizeof(d->error), "no answer within %u ms",
				 d->timeout_ms);
			return db_pg_lose(d, -ETIMEDOUT);
		}
		if (poll(&p, 1, (int)(end - now)) < 0 && errno != EINTR) {
			set_error(d, strerror(errno));
			return db_pg_lose(d, -EIO);
		}
		if ((p.revents & ~POLLOUT) && !PQconsumeInput(d->conn))
			return 0; /* PQgetResult() says what it is */
	}
	return 0;
}

int db_pg_answer(struct db_pg *d, int sent, PGresult **res)
{
	uint64_t end = now_ms() + d->timeout_ms;
	PGresult *next;
	int err;

	*res = NULL;
	if (!sent) {
		set_error(d, PQerrorMessage(d->conn));
		return PQstatus(d->conn) == CONNECTION_BAD ? db_pg_lose(d, -ENOTCONN) : -EIO;
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

int db_pg_run_text(struct db_pg *d, const char *text, PGresult **res)
{
	return db_pg_answer(d, PQsendQuery(d->conn, text), res);
}

/* ---- connections ---- */

/* Names of option_names[], their values, and what is the same for all. */
#define SAME 4
static void list_options(const struct db_pg *d, const char **names, const char **values)
{
	int i, n = 0;

	for (i = 0; i < DB_PG_OPTIONS; i++) {
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

static int set_up(struct db_pg *d)
{
	char timeout[24];
	const char *const values[] = { d->schema, timeout };
	PGresult *res;
	int err;

	snprintf(timeout, sizeof(timeout), "%u", d->timeout_ms);
	err = db_pg_answer(d, PQsendQueryParams(d->conn, setup, 2, NULL, values, NULL, NULL, 0),
			   &res);
	if (!err)
		PQclear(res);
	return err;
}

int db_pg_connect(struct db_pg *d)
{
	const char *names[DB_PG_OPTIONS + SAME + 1], *values[DB_PG_OPTIONS + SAME + 1];

	list_options(d, names, values);
	d->conn = PQconnectdbParams(names, values, 0);
	if (!d->conn)
		return -ENOMEM;
	if (PQstatus(d->conn) != CONNECTION_OK) {
		/* the server has seen the password, so it is there, and does not want us */
		int refused = PQconnectionUsedPassword(d->conn);

		set_error(d, PQerrorMessage(d->conn));
		return db_pg_lose(d, refused ? -EPERM : -ENOTCONN);
	}
	PQsetNoticeReceiver(d->conn, no_notice, NULL);
	return set_up(d);
}

/* A connection that was cut while nothing was asked of it is seen here. */
int db_pg_ensure(struct db_pg *d)
{
	if (d->conn && (!PQconsumeInput(d->conn) || PQstatus(d->conn) == CONNECTION_BAD)) {
		set_error(d, PQerrorMessage(d->conn));
		db_pg_lose(d, 0);
	}
	if (d->conn)
		return 0;
	if (d->begun)
		return -ENOTCONN; /* what was in the transaction is not there */
	return db_pg_connect(d);
}

/* ---- settings ---- */

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

int db_pg_configure(struct db_pg *d, const struct sluice_pg_config *c)
{
	const char *host = or_else(c->host, ""), *schema = or_else(c->schema, "sluice");
	const char *sslmode = or_else(c->sslmode, is_here(host) ? "prefer" : "verify-full");
	char port[16], connect[16];
	const char *const values[DB_PG_OPTIONS] = {
		[DB_PG_HOST] = host,
		[DB_PG_PORT] = port,
		[DB_PG_DATABASE] = or_else(c->database, "sluice"),
		[DB_PG_USER] = or_else(c->user, ""),
		[DB_PG_PASSWORD] = or_else(c->password, ""),
		[DB_PG_SSLMODE] = sslmode,
		/* libpq would look into the home directory of whoever runs this */
		[DB_PG_CA] = or_else(c->ca, strncmp(sslmode, "verify", 6)
						    ? ""
						    : "/etc/ssl/certs/ca-certificates.crt"),
		[DB_PG_CERTIFICATE] = or_else(c->certificate, ""),
		[DB_PG_KEY] = or_else(c->key, ""),
		[DB_PG_CONNECT] = connect,
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
	for (i = 0; i < DB_PG_OPTIONS; i++) {
		d->options[i] = strdup(values[i]);
		if (!d->options[i])
			return -ENOMEM;
	}
	return 0;
}
