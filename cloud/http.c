// SPDX-License-Identifier: MIT
/*
 * http.c - an accepted connection: TLS, then HTTP/1.1 requests one after the other, or the uplink.
 *
 * Deadlines are those of [limits]: handshake, then request from its first byte (or the connection's
 * begin) to its last, however it trickles in; idle between requests, and for each piece of an
 * answer. A request that breaks the rules of http1.h is answered once and the connection closed. Of
 * the connections without a handshake the oldest makes room for the newest: an honest one is
 * through in milliseconds.
 *
 * An answer may take its time (sluice_http_later()), and a long body is pulled from whoever makes
 * it as the connection takes it. A body without a known length ends with the connection. How long
 * an answer took (Server-Timing) is told to those alone who have shown who they are: to strangers
 * it would tell which names and tokens are known.
 *
 * GET /v1/uplink with Upgrade: sluice/1 needs a verified client certificate that is recorded and
 * not denied; then the connection belongs to a session for the rest of its life.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "cloud/api.h"
#include "cloud/api_call.h"
#include "cloud/conf.h"
#include "cloud/device.h"
#include "cloud/session.h"
#include "lib/log.h"

#define PIECE (16u << 10)

static const char certificate_field[] = "x-sluice-client-cert";

struct client {
	struct client *next, *prev;
	struct client *half_next, *half_prev; /* of the loop's half-open ones */
	int half;
	struct sluice_loop *loop;
	const struct sluice_listener *listener;
	struct sluice_door_place place;
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
	uint64_t asked_ns; /* monotonic; the time of the answer is told from then; 0: not */
};

static void on_late(void *arg)
{
	struct client *c = arg;

	sluice_count(&c->loop->server->counters, SLUICE_N_REQUEST_LATE, 1);
	sluice_conn_abort(c->conn, "no complete request in time");
}

static void set_deadline(struct client *c, uint64_t ms)
{
	sluice_io_timer_in(c->loop->io, &c->deadline, ms, on_late, c);
}

static const struct sluice_cloud_conf *conf_of(const struct client *c)
{
	return c->loop->server->c.conf;
}

/* ---- answering ---- */

struct sluice_later {
	struct client *client; /* NULL: it has gone */
	uint64_t asked_ns;     /* of a request at the desk; 0: of another */
	int known;	       /* it has been shown who asks */
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
		set_deadline(c, conf_of(c)->limits.idle_ms);
}

/* Each piece taken gives the peer time for the next. 0, or it is ending. */
static int send_piece(struct client *c, const void *data, size_t size)
{
	struct iovec iov = { (void *)data, size };
	int err = sluice_conn_send(c->conn, &iov, 1);

	if (!err)
		set_deadline(c, conf_of(c)->limits.idle_ms);
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

static uint64_t monotonic_now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

/* From the last byte of the request to the first of the answer. */
static void write_timing(struct sluice_http_writer *w, struct client *c)
{
	if (c->asked_ns)
		sluice_http_write_field(w, "Server-Timing", "app;dur=%.2f",
					(double)(monotonic_now() - c->asked_ns) / 1e6);
	c->asked_ns = 0;
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
	write_timing(&w, c);
	n = sluice_http_write_end(&w);
	iov.iov_len = n > 0 ? (size_t)n : 0;
	sluice_io_timer_cancel(c->loop->io, &c->deadline);
	if (n < 0 || sluice_conn_send(c->conn, &iov, 1)) {
		sluice_response_drop(r);
		sluice_conn_abort(c->conn, "cannot answer");
		return;
	}
	set_deadline(c, conf_of(c)->limits.idle_ms); /* for the client to take it */
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
	struct sluice_later *l = call->later;

	if (l) { /* at the desk: it waits already */
		l->known = call->who.role != 0;
		call->later = NULL;
		call->out->later = 1;
		return l;
	}
	l = calloc(1, sizeof(*l));
	if (!l)
		return NULL;
	l->client = call->client;
	call->client->later = l;
	call->out->later = 1;
	return l;
}

void sluice_http_later_drop(struct sluice_later *l, struct sluice_call *call)
{
	call->out->later = 0;
	if (!call->client) {
		call->later = l;
		return;
	}
	free(l);
	call->client->later = NULL;
}

void sluice_http_answer(struct sluice_later *l, struct sluice_response *r)
{
	struct client *c = l->client;

	if (c && l->asked_ns)
		c->asked_ns = l->known ? l->asked_ns : 0;
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

/* ---- who is it? ---- */

/*
 * The certificate that is the client's: its own, or the one that a proxy forwards. 0, or the status
 * to answer with and a sentence in *why.
 */
static int find_peer(struct client *c, struct sluice_tls_peer *peer, const char **why)
{
	const char *text = sluice_http_field(c->http, certificate_field);

	if (c->listener->kind != SLUICE_LISTEN_TERMINATED) {
		sluice_conn_peer(c->conn, peer);
		*why = "X-Sluice-Client-Cert is believed only from a proxy that is configured";
		return text ? 400 : 0;
	}
	memset(peer, 0, sizeof(*peer));
	if (!text || !*text)
		return 0; /* the client has shown none */
	*why = "X-Sluice-Client-Cert is no certificate of this cloud";
	return sluice_tls_forwarded(c->loop->server->tls, text, peer) ? 400 : 0;
}

/* Where the client is, for people: the last word of a proxy's X-Forwarded-For, which is its own. */
static const char *find_address(const struct client *c)
{
	const char *list = c->listener->kind == SLUICE_LISTEN_TERMINATED
				   ? sluice_http_field(c->http, "x-forwarded-for")
				   : NULL;
	const char *last = list ? strrchr(list, ',') : NULL;
	uint8_t raw[16];

	if (!list)
		return sluice_conn_address(c->conn);
	last = last ? last + 1 + strspn(last + 1, " ") : list;
	return inet_pton(AF_INET, last, raw) == 1 || inet_pton(AF_INET6, last, raw) == 1
		       ? last
		       : sluice_conn_address(c->conn);
}

/* ---- the uplink ---- */

/* The connection is the device's link from now on, or it is told why not. */
static void begin_uplink(struct client *c, const struct sluice_session_request *who)
{
	char head[256];
	struct sluice_http_writer w = { .buf = head, .size = sizeof(head) };
	struct iovec iov = { .iov_base = head };
	int err = -ENOMEM;

	sluice_http_write_status(&w, 101);
	sluice_http_write_field(&w, "Upgrade", "%s", SLUICE_WIRE_UPGRADE);
	sluice_http_write_field(&w, "Connection", "Upgrade");
	iov.iov_len = (size_t)sluice_http_write_end(&w);
	if (!w.overflow)
		c->session = sluice_session_open(c->loop, c->conn, who, &err);
	if (!c->session) {
		if (err == -EUSERS)
			sluice_count_refusal(&c->loop->server->counters, SLUICE_REFUSED_DEVICE);
		send_problem(c, err == -EUSERS ? 429 : 503,
			     err == -EUSERS ? "the device has too many links" : NULL);
		return;
	}
	sluice_io_timer_cancel(c->loop->io, &c->deadline);
	free(c->http);
	c->http = NULL;
	free(c->body);
	c->body = NULL;
	if (sluice_conn_send(c->conn, &iov, 1))
		sluice_conn_abort(c->conn, "cannot answer");
}

/* A device whose certificate is looked up at the desk. */
struct arrival {
	struct sluice_desk_job job;
	struct sluice_later *later; /* holds the place of the answer */
	struct sluice_server *server;
	struct sluice_session_request who;
	int err;
};

static struct arrival *arrival_of(struct sluice_desk_job *j)
{
	return (struct arrival *)((char *)j - offsetof(struct arrival, job));
}

static void run_arrival(struct sluice_desk_job *j)
{
	struct arrival *a = arrival_of(j);

	a->err = sluice_device_known(j->auth, a->server->badges, &a->who);
}

static void refuse_device(struct client *c, int status, const char *why)
{
	struct sluice_response r = { 0 };

	sluice_api_problem(&r, status, why);
	r.retry_s = status == 503 ? 5 : 0;
	send_response(c, &r);
}

static void admit_device(struct client *c, int err, const struct sluice_session_request *who)
{
	const char *why;
	int status = sluice_device_status(err, &why);

	if (status == 503)
		why = "the data base does not answer, and nothing is known of this device here";
	if (status)
		refuse_device(c, status, why);
	else if (c->loop->server->stopping)
		refuse_device(c, 503, "the server ends");
	else
		begin_uplink(c, who);
}

static void arrival_done(struct sluice_desk_job *j)
{
	struct arrival *a = arrival_of(j);
	struct client *c = a->later->client;

	if (c) {
		c->later = NULL;
		admit_device(c, j->cancelled ? -EBUSY : a->err, &a->who);
	}
	free(a->later);
	free(a);
}

/* While it is known that the data base is away nobody waits for it. */
static void admit_later(struct client *c, const struct sluice_session_request *who)
{
	struct sluice_server *s = c->loop->server;
	struct arrival *a;

	if (sluice_badges_away(s->badges)) {
		admit_device(c, sluice_device_known(NULL, s->badges, who), who);
		return;
	}
	a = calloc(1, sizeof(*a));
	if (a)
		a->later = calloc(1, sizeof(*a->later));
	if (a && a->later) {
		a->job = (struct sluice_desk_job){ .run = run_arrival,
						   .done = arrival_done,
						   .io = c->loop->io };
		a->server = s;
		a->who = *who;
		a->later->client = c;
		c->later = a->later;
		if (!sluice_desk_post(s->api->desk, &a->job))
			return;
		c->later = NULL;
	}
	if (a)
		free(a->later);
	free(a);
	refuse_device(c, 503, "too many wait for the data base");
}

static void upgrade(struct client *c)
{
	struct sluice_http *h = c->http;
	struct sluice_session_request who = { 0 };
	struct sluice_tls_peer peer;
	const char *why = NULL;
	int status;

	c->closing = 1;
	if (!sluice_server_ingests(c->loop->server)) {
		send_problem(c, 503, "this node takes no devices: connect to one of role ingest");
		return;
	}
	if (h->method != SLUICE_HTTP_GET || h->content_length) {
		send_problem(c, 405, NULL);
		return;
	}
	if (!h->upgrade ||
	    !sluice_http_token(sluice_http_field(h, "upgrade"), SLUICE_WIRE_UPGRADE)) {
		send_problem(c, 426, "ask for Upgrade: " SLUICE_WIRE_UPGRADE);
		return;
	}
	status = find_peer(c, &peer, &why);
	if (!status)
		status = c->loop->auth ? sluice_device_check(c->loop->auth, &peer, &who, &why)
				       : sluice_device_name(&peer, &who, &why);
	snprintf(who.address, sizeof(who.address), "%s", find_address(c));
	if (status)
		send_problem(c, status, why);
	else if (c->loop->auth)
		begin_uplink(c, &who);
	else
		admit_later(c, &who);
}

/* ---- requests ---- */

static int is_uplink(const struct sluice_http *h)
{
	char path[64];

	return !sluice_http_path(h, path, sizeof(path)) && !strcmp(path, SLUICE_WIRE_PATH);
}

/* A request at the desk, with what it has of the connection. */
struct errand {
	struct sluice_desk_job job;
	struct sluice_call call;
	struct sluice_response response;
	struct sluice_later *later;
	struct sluice_http *http;
	uint8_t *body;
	struct sluice_tls_peer peer;
	char address[64];
};

static struct errand *errand_of(struct sluice_desk_job *j)
{
	return (struct errand *)((char *)j - offsetof(struct errand, job));
}

static void run_errand(struct sluice_desk_job *j)
{
	struct errand *e = errand_of(j);

	e->call.auth = j->auth;
	e->call.index = j->index;
	sluice_api_handle(&e->call);
	e->call.auth = NULL;
	e->call.index = NULL;
}

static void drop_errand(struct errand *e)
{
	free(e->http);
	free(e->body);
	free(e);
}

/* If somebody has taken e->later it is his, and may be gone. */
static void errand_done(struct sluice_desk_job *j)
{
	struct errand *e = errand_of(j);

	if (j->cancelled)
		sluice_answer_problem(&e->call, 503, "the server ends");
	else if (e->call.at_loop && e->later->client)
		e->call.at_loop->handle(&e->call);
	if (!e->response.later) {
		e->later->known = e->call.who.role != 0;
		sluice_http_answer(e->later, &e->response);
	}
	drop_errand(e);
}

/* What the connection goes on with comes first, so that nothing has to be given back. */
static struct errand *make_errand(struct client *c, const struct sluice_call *call)
{
	struct errand *e = calloc(1, sizeof(*e));
	struct sluice_http *next = malloc(sizeof(*next));
	struct sluice_later *later = calloc(1, sizeof(*later));

	if (!e || !next || !later) {
		free(e);
		free(next);
		free(later);
		return NULL;
	}
	e->job = (struct sluice_desk_job){ .run = run_errand,
					   .done = errand_done,
					   .io = c->loop->io };
	e->peer = *call->peer;
	snprintf(e->address, sizeof(e->address), "%s", call->address);
	later->client = c;
	later->asked_ns = monotonic_now();
	e->later = later;
	e->http = c->http;
	c->http = next;
	e->body = c->body;
	c->body = NULL;
	e->call = (struct sluice_call){ .server = call->server,
					.loop = call->loop,
					.later = later,
					.request = e->http,
					.peer = &e->peer,
					.address = e->address,
					.body = e->body,
					.size = call->size,
					.out = &e->response };
	return e;
}

/* It is answered by the desk, or call->out says that it cannot be. */
static void send_to_desk(struct client *c, struct sluice_call *call)
{
	struct errand *e = make_errand(c, call);

	if (!e) {
		sluice_answer_error(call, -ENOMEM);
		return;
	}
	c->later = e->later;
	call->out->later = 1;
	if (!sluice_desk_post(c->loop->server->api->desk, &e->job))
		return;
	c->later = NULL;
	call->out->later = 0;
	free(e->later);
	drop_errand(e);
	sluice_answer_problem(call, 503, "too many requests wait for the data base; try again");
	call->out->retry_s = 2;
}

static void run_request(struct client *c)
{
	struct sluice_tls_peer peer;
	struct sluice_response r = { 0 };
	const char *why = NULL;
	uint64_t asked_ns = monotonic_now();
	int status = find_peer(c, &peer, &why);
	struct sluice_call call = {
		.server = c->loop->server,
		.loop = c->loop,
		.auth = c->loop->auth,
		.index = c->loop->index,
		.client = c,
		.request = c->http,
		.peer = &peer,
		.address = find_address(c),
		.body = c->body,
		.size = c->body_size,
		.out = &r,
	};

	sluice_count(&c->loop->server->counters, SLUICE_N_REQUESTS, 1);
	c->closing = status || !c->http->keep_alive || c->loop->server->stopping;
	c->head = c->http->method == SLUICE_HTTP_HEAD;
	if (status)
		sluice_api_problem(&r, status, why);
	else if (c->loop->server->api->desk && sluice_api_waits(&call))
		send_to_desk(c, &call);
	else
		sluice_api_handle(&call);
	c->asked_ns = call.who.role ? asked_ns : 0;
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

/* ---- half-open ones ---- */

static void join_half_open(struct client *c)
{
	struct sluice_loop *l = c->loop;

	c->half = 1;
	c->half_prev = l->half_last;
	if (l->half_last)
		l->half_last->half_next = c;
	else
		l->half_first = c;
	l->half_last = c;
	l->half_count++;
}

static void leave_half_open(struct client *c)
{
	struct sluice_loop *l = c->loop;

	if (!c->half)
		return;
	c->half = 0;
	if (c->half_prev)
		c->half_prev->half_next = c->half_next;
	else
		l->half_first = c->half_next;
	if (c->half_next)
		c->half_next->half_prev = c->half_prev;
	else
		l->half_last = c->half_prev;
	l->half_count--;
}

static void make_room(struct sluice_loop *l)
{
	struct client *oldest = l->half_first;

	if (l->half_count < l->server->c.conf->limits.half_open / l->server->loop_count + 1)
		return;
	sluice_count_refusal(&l->server->counters, SLUICE_REFUSED_HALF_OPEN);
	leave_half_open(oldest);
	sluice_conn_abort(oldest->conn, "no handshake yet, and newer ones wait");
}

/* ---- the connection ---- */

/* A proxy has said whose connection it is. */
static bool on_from(void *arg, const struct sockaddr *from)
{
	struct client *c = arg;
	struct sluice_server *s = c->loop->server;
	enum sluice_refusal r =
		sluice_door_enter(s->door, from, sluice_io_now(c->loop->io), &c->place);

	if (r)
		sluice_count_refusal(&s->counters, r);
	return !r;
}

static void on_open(void *arg)
{
	struct client *c = arg;

	leave_half_open(c);
	sluice_count(&c->loop->server->counters,
		     sluice_conn_resumed(c->conn) ? SLUICE_N_HANDSHAKE_RESUMED
						  : SLUICE_N_HANDSHAKE_FULL,
		     1);
	set_deadline(c, conf_of(c)->limits.request_ms);
}

static void on_data(void *arg, const uint8_t *data, size_t size)
{
	struct client *c = arg;
	size_t used;

	if (!c->session) {
		if (c->closing && !c->later)
			return;
		if (is_answering(c)) { /* not taken yet: no pipelining */
			sluice_conn_abort(c->conn, "a request before the last was answered");
			return;
		}
		if (!c->begun)
			set_deadline(c, conf_of(c)->limits.request_ms);
		c->begun = 1;
		used = feed_request(c, data, size);
		data += used;
		size -= used;
		if (c->later && size) { /* of a device that has not been let in yet */
			sluice_conn_abort(c->conn, "bytes before the upgrade was answered");
			return;
		}
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

	if (end == SLUICE_CONN_TLS || end == SLUICE_CONN_HANDSHAKE)
		sluice_count(&l->server->counters,
			     end == SLUICE_CONN_TLS ? SLUICE_N_HANDSHAKE_FAILED
						    : SLUICE_N_HANDSHAKE_LATE,
			     1);
	if (!c->session)
		sluice_debug("connection from %s ended: %s", sluice_conn_address(c->conn), why);
	leave_half_open(c);
	sluice_door_leave(l->server->door, &c->place);
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

/* Takes the fd; the place becomes the client's. */
static struct client *open_client(struct sluice_loop *l, const struct sluice_arrival *a)
{
	static const struct sluice_conn_ops ops = { on_open, on_data, on_drain, on_close };
	struct sluice_conn_config conf = {
		.io = l->io,
		.tls = a->listener->tls ? a->listener->tls : l->tls,
		.ops = &ops,
		.high_water = SLUICE_HIGH_WATER,
		.handshake_ms = (uint32_t)l->server->c.conf->limits.handshake_ms,
		.proxied = a->listener->kind == SLUICE_LISTEN_PROXIED,
		.from = on_from,
	};
	struct client *c = calloc(1, sizeof(*c));

	if (c)
		c->http = malloc(sizeof(*c->http));
	if (!c || !c->http) {
		close(a->fd);
		free(c);
		return NULL;
	}
	c->loop = l;
	c->listener = a->listener;
	c->place = a->place;
	sluice_http_begin_request(c->http, 0);
	c->conn = sluice_conn_adopt(&conf, a->fd, c);
	if (!c->conn) {
		free(c->http);
		free(c);
		return NULL;
	}
	return c;
}

void sluice_http_accept(struct sluice_loop *l, const struct sluice_arrival *a)
{
	struct sluice_door_place place = a->place;
	struct client *c;

	make_room(l);
	c = open_client(l, a);
	if (!c) {
		sluice_door_leave(l->server->door, &place);
		l->client_count--;
		sluice_loop_idle(l);
		return;
	}
	join_half_open(c);
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
