// SPDX-License-Identifier: MIT
/*
 * http.c - an accepted connection: TLS, then HTTP/1.1 requests one after the other, or the uplink.
 *
 * Deadlines are those of [limits]: handshake, then request from its first byte (or the connection's
 * begin) to its last, however it trickles in; idle between requests, and for each piece of an
 * answer. Of the connections without a handshake the oldest makes room for the newest: an honest
 * one is through in milliseconds.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "cloud/http_state.h"
#include "lib/log.h"

static void on_late(void *arg)
{
	struct client *c = arg;

	sluice_count(&c->loop->server->counters, SLUICE_N_REQUEST_LATE, 1);
	sluice_conn_abort(c->conn, "no complete request in time");
}

void http_set_deadline(struct client *c, uint64_t ms)
{
	sluice_io_timer_in(c->loop->io, &c->deadline, ms, on_late, c);
}

const struct sluice_cloud_conf *http_conf(const struct client *c)
{
	return c->loop->server->c.conf;
}

uint64_t http_now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
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
	http_set_deadline(c, http_conf(c)->limits.request_ms);
}

static void on_data(void *arg, const uint8_t *data, size_t size)
{
	struct client *c = arg;
	size_t used;

	if (!c->session) {
		if (c->closing && !c->later)
			return;
		if (http_is_answering(c)) { /* not taken yet: no pipelining */
			sluice_conn_abort(c->conn, "a request before the last was answered");
			return;
		}
		if (!c->begun)
			http_set_deadline(c, http_conf(c)->limits.request_ms);
		c->begun = 1;
		used = http_feed(c, data, size);
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
		http_pump(c);
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
	http_drop_pull(c);
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
		else if (!http_is_answering(c) || (c->pull && c->pull_left < 0))
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
