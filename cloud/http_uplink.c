// SPDX-License-Identifier: MIT
/*
 * http_uplink.c - GET /v1/uplink with Upgrade: sluice/1 needs a verified client certificate that is
 * recorded and not denied; then the connection belongs to a session for the rest of its life. Where
 * users and devices lie in PostgreSQL the desk looks the certificate up, and the connection waits.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cloud/device.h"
#include "cloud/http_state.h"

static const char certificate_field[] = "x-sluice-client-cert";

/* ---- who is it? ---- */

int http_find_peer(struct client *c, struct sluice_tls_peer *peer, const char **why)
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

const char *http_find_address(const struct client *c)
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
		http_problem(c, err == -EUSERS ? 429 : 503,
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
	http_send(c, &r);
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

void http_upgrade(struct client *c)
{
	struct sluice_http *h = c->http;
	struct sluice_session_request who = { 0 };
	struct sluice_tls_peer peer;
	const char *why = NULL;
	int status;

	c->closing = 1;
	if (!sluice_server_ingests(c->loop->server)) {
		http_problem(c, 503, "this node takes no devices: connect to one of role ingest");
		return;
	}
	if (h->method != SLUICE_HTTP_GET || h->content_length) {
		http_problem(c, 405, NULL);
		return;
	}
	if (!h->upgrade ||
	    !sluice_http_token(sluice_http_field(h, "upgrade"), SLUICE_WIRE_UPGRADE)) {
		http_problem(c, 426, "ask for Upgrade: " SLUICE_WIRE_UPGRADE);
		return;
	}
	status = http_find_peer(c, &peer, &why);
	if (!status)
		status = c->loop->auth ? sluice_device_check(c->loop->auth, &peer, &who, &why)
				       : sluice_device_name(&peer, &who, &why);
	snprintf(who.address, sizeof(who.address), "%s", http_find_address(c));
	if (status)
		http_problem(c, status, why);
	else if (c->loop->auth)
		begin_uplink(c, &who);
	else
		admit_later(c, &who);
}
