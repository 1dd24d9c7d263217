// SPDX-License-Identifier: MIT
/*
 * conn_connect.c - a connection until hands are shaken: names, addresses, a proxy on either side,
 * TLS.
 *
 * It is made here and not by libcurl: what libcurl connects and encrypts it also wants to send,
 * from its own buffers and with its own TLS; here the same TLS that encrypts frames without a copy
 * has to go on, on the same loop, and the relay needs no more of libcurl than race.c and tunnel.c
 * have in 300 lines.
 */
#include "lib/conn_state.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define HIGH_WATER   (256u << 10)
#define HANDSHAKE_MS 10000
#define MS	     1000000ull

/* Where TCP goes. */
static const struct sluice_place *connect_to(const struct sluice_conn *c)
{
	return c->proxy ? &c->proxy->at : &c->at;
}

int conn_start_tls(struct sluice_conn *c)
{
	const char *host = c->at.host[0] ? c->at.host : NULL;

	c->tls = sluice_tls_open(c->conf.tls, host, c->at.port);
	if (c->tls && !sluice_tls_start(c->tls))
		return 0;
	conn_end(c, SLUICE_CONN_ERROR, "cannot begin TLS: out of memory");
	return -1;
}

void conn_take_tunnel(struct sluice_conn *c, const uint8_t *data, size_t size)
{
	int r = sluice_tunnel_feed(c->tunnel, data, size);

	if (r < 0) {
		conn_end(c, SLUICE_CONN_PROXY, "proxy %s: %s", c->address, c->tunnel->why);
		return;
	}
	if (!r)
		return;
	free(c->tunnel);
	c->tunnel = NULL;
	if (!c->conf.tls)
		conn_become_open(c);
	else if (!conn_start_tls(c))
		conn_flush_soon(c);
}

static void set_address(struct sluice_conn *c, const struct sockaddr *a, socklen_t len)
{
	char host[64], port[8];

	if (!getnameinfo(a, len, host, sizeof(host), port, sizeof(port),
			 NI_NUMERICHOST | NI_NUMERICSERV))
		snprintf(c->address, sizeof(c->address), "%s port %s", host, port);
}

size_t conn_take_head(struct sluice_conn *c, const uint8_t *data, size_t size)
{
	struct sluice_proxy_head *h = c->head;
	const struct sockaddr *from = (const struct sockaddr *)&h->from;
	size_t used;
	int r = sluice_proxy_head_feed(h, data, size, &used);

	if (r < 0)
		conn_end(c, SLUICE_CONN_PROXY, "proxy %s: %s", c->address, h->why);
	if (r <= 0)
		return size;
	if (h->known) {
		set_address(c, from, h->from_len);
		if (c->conf.from && !c->conf.from(c->arg, from))
			conn_end(c, SLUICE_CONN_ABORTED, "not let in");
	}
	free(h);
	c->head = NULL;
	return used;
}

static void on_handshake_late(void *arg)
{
	struct sluice_conn *c = arg;

	if (c->resolve)
		conn_end(c, SLUICE_CONN_RESOLVE, "looking up '%s' takes too long",
			 connect_to(c)->host);
	else if (!c->stream)
		conn_end(c, SLUICE_CONN_CONNECT, "cannot connect to %s: no answer",
			 sluice_race_address(c->race));
	else if (c->tunnel)
		conn_end(c, SLUICE_CONN_PROXY, "proxy %s: no answer within %u s", c->address,
			 c->conf.handshake_ms / 1000);
	else
		conn_end(c, SLUICE_CONN_HANDSHAKE, "no TLS handshake within %u s",
			 c->conf.handshake_ms / 1000);
}

static void open_later(void *arg)
{
	struct sluice_conn *c = arg;

	conn_become_open(c);
}

/* The request to the proxy becomes the first plain bytes. 0, or -1 and the connection ends. */
static int start_tunnel(struct sluice_conn *c)
{
	char head[1536];
	int n = sluice_tunnel_request(c->proxy, c->at.host, c->at.port, head, sizeof(head));

	c->tunnel = calloc(1, sizeof(*c->tunnel));
	if (c->tunnel && n > 0 && !sluice_outq_add(&c->plain, head, (size_t)n))
		return 0;
	conn_end(c, SLUICE_CONN_ERROR, "cannot ask the proxy: out of memory");
	return -1;
}

/* Takes the fd. */
static void start_stream(struct sluice_conn *c, int fd)
{
	int one = 1;

	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	if (c->conf.unsent_max)
		setsockopt(fd, IPPROTO_TCP, TCP_NOTSENT_LOWAT, &c->conf.unsent_max,
			   sizeof(c->conf.unsent_max));
	if (c->proxy ? start_tunnel(c) : c->conf.tls && c->at.host[0] && conn_start_tls(c)) {
		close(fd);
		return;
	}
	c->stream = sluice_io_stream_open(c->conf.io, fd, &conn_stream_ops, c);
	if (!c->stream) {
		close(fd);
		conn_end(c, SLUICE_CONN_ERROR, "out of memory");
		return;
	}
	if (!c->conf.tls && !c->proxy &&
	    !c->head) /* not at once: the owner may not have its pointer yet */
		sluice_io_timer_in(c->conf.io, &c->attempt, 0, open_later, c);
	conn_flush_soon(c);
}

static void on_raced(void *arg, int fd, const char *address)
{
	struct sluice_conn *c = arg;

	c->race = NULL;
	snprintf(c->address, sizeof(c->address), "%s", address);
	if (fd < 0)
		conn_end(c, SLUICE_CONN_CONNECT, "cannot connect to %s%s: %s",
			 c->proxy ? "the proxy " : "", address, strerror(-fd));
	else
		start_stream(c, fd);
}

static void on_resolved(void *arg, struct addrinfo *addrs, const char *why)
{
	struct sluice_conn *c = arg;

	c->resolve = NULL;
	c->addrs = addrs;
	if (!addrs) {
		conn_end(c, SLUICE_CONN_RESOLVE, "cannot look up %s'%s': %s",
			 c->proxy ? "the proxy " : "", connect_to(c)->host, why);
		return;
	}
	c->race = sluice_race_start(c->conf.io, addrs, on_raced, c);
	if (!c->race)
		conn_end(c, SLUICE_CONN_ERROR, "cannot connect: out of memory");
}

static struct sluice_conn *new_conn(const struct sluice_conn_config *conf, void *arg)
{
	struct sluice_conn *c = calloc(1, sizeof(*c));

	if (!c)
		return NULL;
	c->conf = *conf;
	c->conf.proxy = NULL; /* the caller's */
	if (!c->conf.high_water)
		c->conf.high_water = HIGH_WATER;
	c->water = c->conf.high_water;
	if (!c->conf.handshake_ms)
		c->conf.handshake_ms = HANDSHAKE_MS;
	c->arg = arg;
	sluice_io_timer_in(conf->io, &c->deadline, c->conf.handshake_ms, on_handshake_late, c);
	return c;
}

struct sluice_conn *sluice_conn_connect(const struct sluice_conn_config *conf, const char *host,
					const char *port, void *arg)
{
	struct sluice_conn *c = new_conn(conf, arg);
	const struct sluice_place *to;

	if (!c)
		return NULL;
	snprintf(c->at.host, sizeof(c->at.host), "%s", host);
	snprintf(c->at.port, sizeof(c->at.port), "%s", port);
	if (conf->proxy) {
		c->proxy = malloc(sizeof(*c->proxy));
		if (!c->proxy) {
			conn_end(c, SLUICE_CONN_ERROR, "out of memory");
			return c;
		}
		*c->proxy = *conf->proxy;
	}
	to = connect_to(c);
	snprintf(c->address, sizeof(c->address), "%.80s port %s", to->host, to->port);
	c->resolve = sluice_resolve_start(conf->io, to->host, to->port, on_resolved, c);
	if (!c->resolve)
		conn_end(c, SLUICE_CONN_ERROR, "cannot look up '%s': out of memory", to->host);
	return c;
}

struct sluice_conn *sluice_conn_adopt(const struct sluice_conn_config *conf, int fd, void *arg)
{
	struct sluice_conn *c = new_conn(conf, arg);
	struct sockaddr_storage a;
	socklen_t len = sizeof(a);

	if (!c) {
		close(fd);
		return NULL;
	}
	if (!getpeername(fd, (struct sockaddr *)&a, &len))
		set_address(c, (struct sockaddr *)&a, len);
	if (conf->proxied) {
		c->head = calloc(1, sizeof(*c->head));
		if (!c->head) {
			close(fd);
			conn_end(c, SLUICE_CONN_ERROR, "out of memory");
			return c;
		}
	}
	start_stream(c, fd);
	return c;
}
