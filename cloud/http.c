// SPDX-License-Identifier: MIT
/*
 * http.c - an accepted connection: TLS, then HTTP/1.1 requests one after the other, or the uplink.
 *
 * A request has 15 s from its first byte (or the connection's begin) to its last; between requests
 * 60 s may pass. A request that breaks the rules of http1.h is answered once and the connection
 * closed. More than SLUICE_CLIENTS_MAX connections: the newest is closed at once.
 *
 * An answer may take its time (sluice_http_later()), and a long body is pulled from whoever makes
 * it as the connection takes it. A body without a known length ends with the connection.
 *
 * GET /v1/uplink with Upgrade: sluice/1 needs a verified client certificate that is recorded and
 * not denied; then the connection belongs to a session for the rest of its life.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cloud/api.h"
#include "cloud/api_call.h"
#include "cloud/device.h"
#include "cloud/session.h"
#include "lib/log.h"

#define REQUEST_MS 15000
#define IDLE_MS	   60000
#define PIECE	   (16u << 10)

struct client {
	struct client *next, *prev;
	struct sluice_loop *loop;
	struct sluice_conn *conn;
	struct sluice_http *http; /* NULL once the session has it */
	struct sluice_session *session;
	struct sluice_io_timer deadline;
	uint8_t *body;
	size_t body_size;
	/* what is being sent */
	uint8_t *out;
	size_t out_size, out_sent;
	struct sluice_pull *pull;   /* NULL: none */
	int64_t pull_left;	    /* bytes, -1: not known */
	struct sluice_later *later; /* the answer is awaited; NULL: it is not */
	int head;		    /* of HEAD: no body */
	int closing;		    /* after what is being sent */
	int begun;		    /* the first byte of a request has come */
};

static void on_late(void *arg)
{
	struct client *c = arg;

	sluice_conn_abort(c->conn, "no complete request in time");
}

static void set_deadline(struct client *c, uint32_t ms)
{
	sluice_io_timer_in(c->loop->io, &c->deadline, ms, on_late, c);
}

/* ---- answering ---- */

struct sluice_later {
	struct client *client; /* NULL: it has gone */
};

static int is_answering(const struct client *c)
{
	return c->out || c->pull || c->later;
}

static void drop_pull(struct client *c)
{
	struct sluice_pull *p = c->pull;

	c->pull = NULL;
	if (!p)
		return;
	p->client = NULL;
	p->ops->close(p);
}

static void finish_response(struct client *c)
{
	free(c->out);
	c->out = NULL;
	c->out_size = c->out_sent = 0;
	drop_pull(c);
	if (c->closing)
		sluice_conn_shutdown(c->conn);
	else
		set_deadline(c, IDLE_MS);
}

/* Each piece taken gives the peer time for the next. 0, or it is ending. */
static int send_piece(struct client *c, const void *data, size_t size)
{
	struct iovec iov = { (void *)data, size };
	int err = sluice_conn_send(c->conn, &iov, 1);

	if (!err)
		set_deadline(c, IDLE_MS);
	return err;
}

static void pump_memory(struct client *c)
{
	while (c->out_sent < c->out_size && sluice_conn_room(c->conn)) {
		size_t n = c->out_size - c->out_sent;

		if (n > PIECE)
			n = PIECE;
		if (send_piece(c, c->out + c->out_sent, n))
			return;
		c->out_sent += n;
	}
	if (c->out_sent == c->out_size)
		finish_response(c);
}

static void pump_pull(struct client *c)
{
	uint8_t piece[PIECE];
	ssize_t n;

	while (c->pull_left && sluice_conn_room(c->conn)) {
		size_t want =
			c->pull_left > 0 && c->pull_left < PIECE ? (size_t)c->pull_left : PIECE;

		n = c->pull->ops->pull(c->pull, piece, want);
		if (n == -EAGAIN)
			return;
		if (n < 0 || (!n && c->pull_left > 0)) {
			sluice_conn_abort(c->conn, "the body cannot be made");
			return;
		}
		if (!n)
			c->pull_left = 0;
		else if (send_piece(c, piece, (size_t)n))
			return;
		else if (c->pull_left > 0)
			c->pull_left -= n;
	}
	if (!c->pull_left)
		finish_response(c);
}

static void pump_response(struct client *c)
{
	if (c->pull)
		pump_pull(c);
	else if (c->out)
		pump_memory(c);
}

void sluice_http_push(struct client *c)
{
	pump_response(c);
}

static void write_fields(struct sluice_http_writer *w, const struct sluice_response *r, int closing)
{
	const struct {
		const char *name, *value;
	} fields[] = {
		{ "Content-Type", r->type },
		{ "Content-Disposition", r->disposition },
		{ "Allow", r->allow },
		{ "WWW-Authenticate", r->authenticate ? "Bearer" : NULL },
		{ "Upgrade", r->status == 426 ? SLUICE_WIRE_UPGRADE : NULL },
		{ "ETag", r->etag },
		{ "Accept-Ranges", r->ranges ? "bytes" : NULL },
		{ "Content-Range", r->range },
		{ "X-Frame-Time", r->frame_time },
		{ "Set-Cookie", r->cookie },
		{ "Cache-Control", r->cache ? r->cache : "no-store" },
		{ "X-Content-Type-Options", "nosniff" },
		{ "Referrer-Policy", "no-referrer" },
		{ "Content-Security-Policy", r->security ? r->security : "default-src 'none'" },
		{ "Connection", closing ? "close" : NULL },
	};
	size_t i;

	for (i = 0; i < sizeof(fields) / sizeof(fields[0]); i++)
		if (fields[i].value && *fields[i].value)
			sluice_http_write_field(w, fields[i].name, "%s", fields[i].value);
	if (r->retry_s)
		sluice_http_write_field(w, "Retry-After", "%u", r->retry_s);
}

void sluice_response_drop(struct sluice_response *r)
{
	free(r->body);
	if (r->pull)
		r->pull->ops->close(r->pull);
	memset(r, 0, sizeof(*r));
}

/* Takes r's body. */
static void send_response(struct client *c, struct sluice_response *r)
{
	char head[2048];
	struct sluice_http_writer w = { .buf = head, .size = sizeof(head) };
	struct iovec iov = { .iov_base = head };
	int64_t length = r->pull ? r->length : (int64_t)r->size;
	long n;

	if (length < 0)
		c->closing = 1;
	sluice_http_write_status(&w, r->status);
	if (length >= 0 && r->status != 204 && r->status != 304)
		sluice_http_write_field(&w, "Content-Length", "%lld", (long long)length);
	write_fields(&w, r, c->closing);
	n = sluice_http_write_end(&w);
	iov.iov_len = n > 0 ? (size_t)n : 0;
	sluice_io_timer_cancel(c->loop->io, &c->deadline);
	if (n < 0 || sluice_conn_send(c->conn, &iov, 1)) {
		sluice_response_drop(r);
		sluice_conn_abort(c->conn, "cannot answer");
		return;
	}
	set_deadline(c, IDLE_MS); /* for the client to take it */
	c->out = r->body;
	c->out_size = r->size;
	c->out_sent = 0;
	c->pull = r->pull;
	c->pull_left = length;
	if (c->pull)
		c->pull->client = c;
	if (c->head || (!c->out_size && !c->pull))
		finish_response(c);
	else
		pump_response(c);
}

struct sluice_later *sluice_http_later(struct sluice_call *call)
{
	struct sluice_later *l = calloc(1, sizeof(*l));

	if (!l)
		return NULL;
	l->client = call->client;
	call->client->later = l;
	call->out->later = 1;
	return l;
}

void sluice_http_later_drop(struct sluice_later *l, struct sluice_call *call)
{
	free(l);
	call->client->later = NULL;
	call->out->later = 0;
}

void sluice_http_answer(struct sluice_later *l, struct sluice_response *r)
{
	struct client *c = l->client;

	free(l);
	if (!c) {
		sluice_response_drop(r);
		return;
	}
	c->later = NULL;
	c->closing |= c->loop->server->stopping;
	send_response(c, r);
}

static void send_problem(struct client *c, int status, const char *detail)
{
	struct sluice_response r = { 0 };

	c->head = c->http->method == SLUICE_HTTP_HEAD;
	sluice_api_problem(&r, status, detail);
	send_response(c, &r);
}

/* ---- the uplink ---- */

static void upgrade(struct client *c)
{
	struct sluice_http *h = c->http;
	struct sluice_session_request who = { 0 };
	struct sluice_tls_peer peer;
	char head[256];
	struct sluice_http_writer w = { .buf = head, .size = sizeof(head) };
	struct iovec iov = { .iov_base = head };
	const char *why = NULL;
	int status;

	c->closing = 1;
	if (h->method != SLUICE_HTTP_GET || h->content_length) {
		send_problem(c, 405, NULL);
		return;
	}
	if (!h->upgrade ||
	    !sluice_http_token(sluice_http_field(h, "upgrade"), SLUICE_WIRE_UPGRADE)) {
		send_problem(c, 426, "ask for Upgrade: " SLUICE_WIRE_UPGRADE);
		return;
	}
	sluice_conn_peer(c->conn, &peer);
	status = sluice_device_check(c->loop->auth, &peer, &who, &why);
	if (status) {
		send_problem(c, status, why);
		return;
	}
	sluice_http_write_status(&w, 101);
	sluice_http_write_field(&w, "Upgrade", "%s", SLUICE_WIRE_UPGRADE);
	sluice_http_write_field(&w, "Connection", "Upgrade");
	iov.iov_len = (size_t)sluice_http_write_end(&w);
	sluice_io_timer_cancel(c->loop->io, &c->deadline);
	c->session = w.overflow ? NULL : sluice_session_open(c->loop, c->conn, &who);
	if (!c->session) {
		sluice_conn_abort(c->conn, "out of memory");
		return;
	}
	free(c->http);
	c->http = NULL;
	free(c->body);
	c->body = NULL;
	if (sluice_conn_send(c->conn, &iov, 1))
		sluice_conn_abort(c->conn, "cannot answer");
}

/* ---- requests ---- */

static int is_uplink(const struct sluice_http *h)
{
	char path[64];

	return !sluice_http_path(h, path, sizeof(path)) && !strcmp(path, SLUICE_WIRE_PATH);
}

static void run_request(struct client *c)
{
	struct sluice_tls_peer peer;
	struct sluice_response r = { 0 };
	struct sluice_call call = {
		.server = c->loop->server,
		.loop = c->loop,
		.auth = c->loop->auth,
		.index = c->loop->index,
		.client = c,
		.request = c->http,
		.peer = &peer,
		.address = sluice_conn_address(c->conn),
		.body = c->body,
		.size = c->body_size,
		.out = &r,
	};

	sluice_conn_peer(c->conn, &peer);
	c->closing = !c->http->keep_alive || c->loop->server->stopping;
	c->head = c->http->method == SLUICE_HTTP_HEAD;
	sluice_api_handle(&call);
	sluice_http_begin_request(c->http, 0);
	c->begun = 0;
	free(c->body);
	c->body = NULL;
	c->body_size = 0;
	if (r.later)
		sluice_io_timer_cancel(c->loop->io, &c->deadline);
	else
		send_response(c, &r);
}

static int add_body(struct client *c)
{
	uint8_t *more = realloc(c->body, c->body_size + c->http->body_size);

	if (!more)
		return -ENOMEM;
	c->body = more;
	memcpy(c->body + c->body_size, c->http->body, c->http->body_size);
	c->body_size += c->http->body_size;
	return 0;
}

/* Returns the bytes taken; stops at the upgrade. Bytes may be used up before the message is. */
static size_t feed_request(struct client *c, const uint8_t *data, size_t size)
{
	size_t used = 0, at = 0;
	int step;

	do {
		step = sluice_http_feed(c->http, data + at, size - at, &used);
		at += used;
		if (step < 0) {
			c->closing = 1;
			send_problem(c, c->http->status, c->http->why);
		} else if (step == SLUICE_HTTP_STARTED && is_uplink(c->http)) {
			upgrade(c);
		} else if (step == SLUICE_HTTP_BODY && add_body(c)) {
			sluice_conn_abort(c->conn, "out of memory");
			return size;
		} else if (step == SLUICE_HTTP_DONE) {
			run_request(c);
			if (at < size && !c->closing) { /* no pipelining */
				c->closing = 1;
				sluice_conn_abort(c->conn,
						  "a request before the last was answered");
			}
			return size;
		}
	} while (step != SLUICE_HTTP_MORE && !c->closing && !c->session);
	return at;
}

static void on_open(void *arg)
{
	struct client *c = arg;

	set_deadline(c, REQUEST_MS);
}

static void on_data(void *arg, const uint8_t *data, size_t size)
{
	struct client *c = arg;
	size_t used;

	if (!c->session) {
		if (c->closing)
			return;
		if (is_answering(c)) { /* not taken yet: no pipelining */
			sluice_conn_abort(c->conn, "a request before the last was answered");
			return;
		}
		if (!c->begun)
			set_deadline(c, REQUEST_MS);
		c->begun = 1;
		used = feed_request(c, data, size);
		data += used;
		size -= used;
	}
	if (c->session && size)
		sluice_session_data(c->session, data, size);
}

static void on_drain(void *arg)
{
	struct client *c = arg;

	if (c->session)
		sluice_session_drain(c->session);
	else
		pump_response(c);
}

static void on_close(void *arg, enum sluice_conn_end end, const char *why)
{
	struct client *c = arg;
	struct sluice_loop *l = c->loop;

	if (!c->session)
		sluice_debug("connection from %s ended: %s", sluice_conn_address(c->conn), why);
	sluice_session_close(c->session, why);
	sluice_io_timer_cancel(l->io, &c->deadline);
	if (c->next)
		c->next->prev = c->prev;
	if (c->prev)
		c->prev->next = c->next;
	else
		l->clients = c->next;
	l->client_count--;
	free(c->http);
	free(c->body);
	free(c->out);
	drop_pull(c);
	if (c->later)
		c->later->client = NULL;
	free(c);
	sluice_loop_idle(l);
}

static struct client *open_client(struct sluice_loop *l, int fd)
{
	static const struct sluice_conn_ops ops = { on_open, on_data, on_drain, on_close };
	struct sluice_conn_config conf = {
		.io = l->io,
		.tls = l->tls,
		.ops = &ops,
		.high_water = SLUICE_HIGH_WATER,
	};
	struct client *c = calloc(1, sizeof(*c));

	if (c)
		c->http = malloc(sizeof(*c->http));
	if (!c || !c->http) {
		close(fd);
		free(c);
		return NULL;
	}
	c->loop = l;
	sluice_http_begin_request(c->http, 0);
	c->conn = sluice_conn_adopt(&conf, fd, c);
	if (!c->conn) {
		free(c->http);
		free(c);
		return NULL;
	}
	return c;
}

void sluice_http_accept(struct sluice_loop *l, int fd)
{
	struct client *c = open_client(l, fd);

	if (!c) {
		l->client_count--;
		sluice_loop_idle(l);
		return;
	}
	c->next = l->clients;
	if (c->next)
		c->next->prev = c;
	l->clients = c;
}

void sluice_http_end_all(void *loop)
{
	struct sluice_loop *l = loop;
	struct client *c;

	for (c = l->clients; c; c = c->next) {
		if (c->session)
			sluice_session_goaway(c->session, SLUICE_CODE_SHUTDOWN, "the server ends",
					      2000);
		else if (!is_answering(c) || (c->pull && c->pull_left < 0))
			sluice_conn_shutdown(c->conn);
	}
	sluice_loop_idle(l);
}

void sluice_http_cut_all(void *loop)
{
	struct sluice_loop *l = loop;
	struct client *c;

	for (c = l->clients; c; c = c->next)
		sluice_conn_abort(c->conn, "the server ends");
	sluice_loop_idle(l);
}
