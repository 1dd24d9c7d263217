// SPDX-License-Identifier: MIT
/*
 * http_answer.c - what goes back on a connection.
 *
 * An answer may take its time (sluice_http_later()), and a long body is pulled from whoever makes
 * it as the connection takes it. A body without a known length ends with the connection. How long
 * an answer took (Server-Timing) is told to those alone who have shown who they are: to strangers
 * it would tell which names and tokens are known.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cloud/http_state.h"

#define PIECE (16u << 10)

int http_is_answering(const struct client *c)
{
	return c->out || c->pull || c->later;
}

void http_drop_pull(struct client *c)
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
	http_drop_pull(c);
	if (c->closing)
		sluice_conn_shutdown(c->conn);
	else
		http_set_deadline(c, http_conf(c)->limits.idle_ms);
}

/* Each piece taken gives the peer time for the next. 0, or it is ending. */
static int send_piece(struct client *c, const void *data, size_t size)
{
	struct iovec iov = { (void *)data, size };
	int err = sluice_conn_send(c->conn, &iov, 1);

	if (!err)
		http_set_deadline(c, http_conf(c)->limits.idle_ms);
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

void http_pump(struct client *c)
{
	if (c->pull)
		pump_pull(c);
	else if (c->out)
		pump_memory(c);
}

void sluice_http_push(struct client *c)
{
	http_pump(c);
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

/* From the last byte of the request to the first of the answer. */
static void write_timing(struct sluice_http_writer *w, struct client *c)
{
	if (c->asked_ns)
		sluice_http_write_field(w, "Server-Timing", "app;dur=%.2f",
					(double)(http_now() - c->asked_ns) / 1e6);
	c->asked_ns = 0;
}

void http_send(struct client *c, struct sluice_response *r)
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
	http_set_deadline(c, http_conf(c)->limits.idle_ms); /* for the client to take it */
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
		http_pump(c);
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
	http_send(c, r);
}

void http_problem(struct client *c, int status, const char *detail)
{
	struct sluice_response r = { 0 };

	c->head = c->http->method == SLUICE_HTTP_HEAD;
	sluice_api_problem(&r, status, detail);
	http_send(c, &r);
}
