// SPDX-License-Identifier: MIT
/*
 * http_request.c - requests, one after the other: answered by the loop, or by the desk where the
 * data base may be waited for. One that breaks the rules of http1.h is answered once and the
 * connection closed.
 */
#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cloud/http_state.h"

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
	later->asked_ns = http_now();
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
	uint64_t asked_ns = http_now();
	int status = http_find_peer(c, &peer, &why);
	struct sluice_call call = {
		.server = c->loop->server,
		.loop = c->loop,
		.auth = c->loop->auth,
		.index = c->loop->index,
		.client = c,
		.request = c->http,
		.peer = &peer,
		.address = http_find_address(c),
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
		http_send(c, &r);
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

size_t http_feed(struct client *c, const uint8_t *data, size_t size)
{
	size_t used = 0, at = 0;
	int step;

	do {
		step = sluice_http_feed(c->http, data + at, size - at, &used);
		at += used;
		if (step < 0) {
			c->closing = 1;
			http_problem(c, c->http->status, c->http->why);
		} else if (step == SLUICE_HTTP_STARTED && is_uplink(c->http)) {
			http_upgrade(c);
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
