// SPDX-License-Identifier: MIT
/*
 * look up -> race -> [tunnel] -> hands shaken -> open -> [flushing -> lingering] -> end
 *
 * The connection is made here and not by libcurl: what libcurl connects and encrypts it also wants
 * to send, from its own buffers and with its own TLS; here the same TLS that encrypts frames
 * without a copy has to go on, on the same loop, and the relay needs no more of libcurl than race.c
 * and tunnel.c have in 300 lines.
 *
 * Through a proxy the first words are plain (CONNECT and its answer), then TLS begins on the same
 * stream. The plain queue is always sent before TLS has anything, so whose bytes are in flight is
 * never a question: as long as the plain queue holds any, they are the plain ones.
 *
 * Every way to end goes through end_conn(), which keeps the first reason, stops everything that
 * could call back and lets the loop tell the owner: by the stream's closed(), or by a timer that is
 * due at once where there is no stream yet. So close() never comes from within a call of the owner,
 * and nothing refers to the connection when it is freed.
 *
 * Shutting down: what is queued is sent, close_notify, FIN; then what still arrives is read and
 * dropped until the peer closes too. Closing with unread bytes would make the kernel send a reset,
 * which may overtake our last words.
 */
#include "lib/conn.h"
#include "lib/outq.h"
#include "lib/proxy_head.h"
#include "lib/race.h"
#include "lib/resolve.h"
#include "lib/tunnel.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/crypto.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define HIGH_WATER   (256u << 10)
#define HANDSHAKE_MS 10000
#define SHUTDOWN_MS  5000
#define QUICK_MS     10u
#define SLOW_MS	     200u
#define MS	     1000000ull

struct sluice_conn {
	struct sluice_conn_config conf;
	void *arg;
	struct sluice_place at; /* where TLS ends; host "": we are the server */
	char address[96];
	struct sluice_resolve *resolve;
	struct addrinfo *addrs;
	struct sluice_race *race;
	struct sluice_proxy *proxy;	/* our copy; NULL: none */
	struct sluice_tunnel *tunnel;	/* while the proxy is asked */
	struct sluice_proxy_head *head; /* while a proxy's head is awaited */
	struct sluice_io_stream *stream;
	struct sluice_tls *tls;
	struct sluice_outq plain; /* without TLS */
	struct sluice_io_timer deadline, attempt, flush;
	uint64_t received_ns, sent_ns;
	size_t in_flight, water; /* water: high_water as it is now */
	bool open, above, finishing, finished, ending, pause;
	enum sluice_conn_end end;
	enum sluice_tls_fault fault;
	char why[512];
};

/* Where TCP goes. */
static const struct sluice_place *connect_to(const struct sluice_conn *c)
{
	return c->proxy ? &c->proxy->at : &c->at;
}

static size_t queued(const struct sluice_conn *c)
{
	return c->tls ? sluice_tls_pending(c->tls) : c->plain.bytes;
}

static void free_conn(struct sluice_conn *c)
{
	if (c->addrs)
		freeaddrinfo(c->addrs);
	sluice_tls_close(c->tls);
	sluice_outq_clear(&c->plain);
	if (c->proxy)
		OPENSSL_cleanse(c->proxy, sizeof(*c->proxy));
	free(c->proxy);
	free(c->tunnel);
	free(c->head);
	free(c);
}

static void tell_end(void *arg)
{
	struct sluice_conn *c = arg;

	c->conf.ops->close(c->arg, c->end, c->why);
	free_conn(c);
}

__attribute__((format(printf, 3, 4))) static void end_conn(struct sluice_conn *c,
							   enum sluice_conn_end end,
							   const char *format, ...)
{
	va_list ap;

	if (c->ending)
		return;
	c->ending = true;
	c->end = end;
	va_start(ap, format);
	vsnprintf(c->why, sizeof(c->why), format, ap);
	va_end(ap);
	if (c->tls)
		c->fault = sluice_tls_fault(c->tls);
	sluice_io_timer_cancel(c->conf.io, &c->attempt);
	sluice_io_timer_cancel(c->conf.io, &c->flush);
	sluice_io_timer_cancel(c->conf.io, &c->deadline);
	sluice_resolve_cancel(c->resolve);
	c->resolve = NULL;
	sluice_race_cancel(c->race);
	c->race = NULL;
	if (c->stream)
		sluice_io_stream_close(c->stream); /* leads to tell_end() */
	else
		sluice_io_timer_in(c->conf.io, &c->deadline, 0, tell_end, c);
}

/* ---- sending ---- */

static void flush(void *arg)
{
	struct sluice_conn *c = arg;
	struct iovec iov[SLUICE_IO_VECTORS];
	unsigned int n;
	int err;

	if (!c->stream || c->ending || c->in_flight)
		return;
	n = c->tls && !c->plain.bytes ? sluice_tls_output(c->tls, iov, SLUICE_IO_VECTORS)
				      : sluice_outq_peek(&c->plain, iov, SLUICE_IO_VECTORS);
	if (!n) {
		if (c->finishing && !c->finished) {
			c->finished = true;
			sluice_io_stream_finish(c->stream);
		}
		return;
	}
	for (unsigned int i = 0; i < n; i++)
		c->in_flight += iov[i].iov_len;
	c->sent_ns = sluice_io_now(c->conf.io);
	err = sluice_io_stream_send(c->stream, iov, n);
	if (err)
		end_conn(c, SLUICE_CONN_ERROR, "cannot send: %s", strerror(-err));
}

/* Later in this turn, so that what a callback sends in pieces goes out in one. */
static void flush_soon(struct sluice_conn *c)
{
	if (!c->in_flight && !c->flush.set && !c->ending)
		sluice_io_timer_in(c->conf.io, &c->flush, 0, flush, c);
}

/* A queue that the kernel took in ms: was it quick or slow? */
static void adapt_water(struct sluice_conn *c, size_t bytes)
{
	uint64_t took = sluice_io_now(c->conf.io) - c->sent_ns;

	if (c->conf.high_water_max <= c->conf.high_water)
		return;
	if (took > SLOW_MS * MS && c->water > c->conf.high_water / 8)
		c->water /= 2;
	else if (took < QUICK_MS * MS && bytes >= c->water / 2 &&
		 c->water <= c->conf.high_water_max / 2)
		c->water *= 2;
}

static void on_sent(void *arg, int err)
{
	struct sluice_conn *c = arg;
	size_t n = c->in_flight;

	if (err) {
		end_conn(c, SLUICE_CONN_ERROR, "connection lost: %s", strerror(-err));
		return;
	}
	c->in_flight = 0;
	adapt_water(c, n);
	if (c->tls && !c->plain.bytes)
		sluice_tls_consume(c->tls, n);
	else
		sluice_outq_consume(&c->plain, n);
	flush(c);
	if (c->above && !c->finishing && queued(c) < c->water / 2) {
		c->above = false;
		if (c->conf.ops->drain && !c->ending)
			c->conf.ops->drain(c->arg);
	}
}

int sluice_conn_send(struct sluice_conn *c, const struct iovec *iov, unsigned int count)
{
	int err = 0;

	if (!c->open || c->ending || c->finishing)
		return -ENOTCONN;
	if (queued(c) > 4 * c->water)
		return -ENOBUFS;
	if (c->tls)
		err = sluice_tls_write(c->tls, iov, count);
	else
		for (unsigned int i = 0; i < count && !err; i++)
			err = sluice_outq_add(&c->plain, iov[i].iov_base, iov[i].iov_len);
	if (err) {
		/* part of the vector may be queued: the stream cannot go on */
		end_conn(c, SLUICE_CONN_ERROR, "cannot send: %s", strerror(-err));
		return err;
	}
	if (queued(c) >= c->water)
		c->above = true;
	flush_soon(c);
	return 0;
}

size_t sluice_conn_room(const struct sluice_conn *c)
{
	size_t n = queued(c);

	if (!c->open || c->ending || c->finishing || c->above || n >= c->water)
		return 0;
	return c->water - n;
}

/* ---- receiving ---- */

static void on_idle(void *arg)
{
	struct sluice_conn *c = arg;
	uint64_t due = c->received_ns + c->conf.idle_ms * MS;

	if (sluice_io_now(c->conf.io) < due)
		sluice_io_timer_set(c->conf.io, &c->deadline, due, on_idle, c);
	else
		end_conn(c, SLUICE_CONN_IDLE, "nothing was received for %u s",
			 c->conf.idle_ms / 1000);
}

static void become_open(struct sluice_conn *c)
{
	if (c->open || c->ending)
		return;
	c->open = true;
	sluice_io_timer_cancel(c->conf.io, &c->attempt);
	sluice_conn_idle(c, c->conf.idle_ms);
	c->conf.ops->open(c->arg);
}

static bool on_plain(void *arg, const uint8_t *data, size_t size)
{
	struct sluice_conn *c = arg;

	become_open(c);
	if (!c->ending && !c->finishing)
		c->conf.ops->data(c->arg, data, size);
	return !c->ending;
}

/* The alert that explains our refusal leaves with whatever the socket takes at once. */
static void send_alert(struct sluice_conn *c)
{
	struct msghdr msg = { 0 };
	struct iovec iov[4];

	if (c->in_flight)
		return;
	msg.msg_iov = iov;
	msg.msg_iovlen = sluice_tls_output(c->tls, iov, 4);
	if (msg.msg_iovlen)
		(void)!sendmsg(sluice_io_stream_fd(c->stream), &msg, MSG_DONTWAIT | MSG_NOSIGNAL);
}

static int start_tls(struct sluice_conn *c);

/* What the proxy answers. */
static void take_tunnel(struct sluice_conn *c, const uint8_t *data, size_t size)
{
	int r = sluice_tunnel_feed(c->tunnel, data, size);

	if (r < 0) {
		end_conn(c, SLUICE_CONN_PROXY, "proxy %s: %s", c->address, c->tunnel->why);
		return;
	}
	if (!r)
		return;
	free(c->tunnel);
	c->tunnel = NULL;
	if (!c->conf.tls)
		become_open(c);
	else if (!start_tls(c))
		flush_soon(c);
}

static void set_address(struct sluice_conn *c, const struct sockaddr *a, socklen_t len)
{
	char host[64], port[8];

	if (!getnameinfo(a, len, host, sizeof(host), port, sizeof(port),
			 NI_NUMERICHOST | NI_NUMERICSERV))
		snprintf(c->address, sizeof(c->address), "%s port %s", host, port);
}

/* What a proxy says before the client's first byte. Returns the bytes taken; c->head is NULL when
 * it is complete. */
static size_t take_head(struct sluice_conn *c, const uint8_t *data, size_t size)
{
	struct sluice_proxy_head *h = c->head;
	const struct sockaddr *from = (const struct sockaddr *)&h->from;
	size_t used;
	int r = sluice_proxy_head_feed(h, data, size, &used);

	if (r < 0)
		end_conn(c, SLUICE_CONN_PROXY, "proxy %s: %s", c->address, h->why);
	if (r <= 0)
		return size;
	if (h->known) {
		set_address(c, from, h->from_len);
		if (c->conf.from && !c->conf.from(c->arg, from))
			end_conn(c, SLUICE_CONN_ABORTED, "not let in");
	}
	free(h);
	c->head = NULL;
	return used;
}

static void on_data(void *arg, const uint8_t *data, size_t size)
{
	struct sluice_conn *c = arg;
	int r;

	c->received_ns = sluice_io_now(c->conf.io);
	if (c->tunnel) {
		take_tunnel(c, data, size);
		return;
	}
	if (c->head) {
		size_t used = take_head(c, data, size);

		data += used;
		size -= used;
		if (c->ending || c->head || !size)
			return;
	}
	/* a server pays for TLS when the client has said something */
	if (c->conf.tls && !c->tls && start_tls(c))
		return;
	if (!c->tls) {
		on_plain(c, data, size);
		return;
	}
	r = sluice_tls_feed(c->tls, data, size, on_plain, c);
	if (c->ending)
		return;
	if (r == -EPROTO) {
		send_alert(c);
		end_conn(c, SLUICE_CONN_TLS, "%s", sluice_tls_error(c->tls));
		return;
	}
	if (sluice_tls_ready(c->tls))
		become_open(c);
	flush_soon(c);
	if (r == 1)
		end_conn(c, c->finishing ? SLUICE_CONN_DONE : SLUICE_CONN_PEER,
			 c->finishing ? "closed" : "closed by the other side");
}

static void on_end(void *arg, int err)
{
	struct sluice_conn *c = arg;

	if (c->finishing)
		end_conn(c, SLUICE_CONN_DONE, "closed");
	else if (err)
		end_conn(c, SLUICE_CONN_ERROR, "connection lost: %s", strerror(-err));
	else if (c->tunnel)
		end_conn(c, SLUICE_CONN_PROXY, "proxy %s: closed without an answer", c->address);
	else if (!c->open && c->conf.tls)
		end_conn(c, SLUICE_CONN_PEER, "the other side closed during the TLS handshake");
	else
		end_conn(c, SLUICE_CONN_PEER, "closed by the other side");
}

static void on_closed(void *arg)
{
	struct sluice_conn *c = arg;

	if (!c->ending) { /* the io itself is being closed */
		c->end = SLUICE_CONN_ABORTED;
		snprintf(c->why, sizeof(c->why), "the event loop ends");
		sluice_io_timer_cancel(c->conf.io, &c->attempt);
		sluice_io_timer_cancel(c->conf.io, &c->flush);
		sluice_io_timer_cancel(c->conf.io, &c->deadline);
	}
	c->stream = NULL;
	tell_end(c);
}

/* ---- connecting ---- */

static void on_handshake_late(void *arg)
{
	struct sluice_conn *c = arg;

	if (c->resolve)
		end_conn(c, SLUICE_CONN_RESOLVE, "looking up '%s' takes too long",
			 connect_to(c)->host);
	else if (!c->stream)
		end_conn(c, SLUICE_CONN_CONNECT, "cannot connect to %s: no answer",
			 sluice_race_address(c->race));
	else if (c->tunnel)
		end_conn(c, SLUICE_CONN_PROXY, "proxy %s: no answer within %u s", c->address,
			 c->conf.handshake_ms / 1000);
	else
		end_conn(c, SLUICE_CONN_HANDSHAKE, "no TLS handshake within %u s",
			 c->conf.handshake_ms / 1000);
}

static void open_later(void *arg)
{
	struct sluice_conn *c = arg;

	become_open(c);
}

/* 0, or -1 and the connection ends. */
static int start_tls(struct sluice_conn *c)
{
	const char *host = c->at.host[0] ? c->at.host : NULL;

	c->tls = sluice_tls_open(c->conf.tls, host, c->at.port);
	if (c->tls && !sluice_tls_start(c->tls))
		return 0;
	end_conn(c, SLUICE_CONN_ERROR, "cannot begin TLS: out of memory");
	return -1;
}

/* The request to the proxy becomes the first plain bytes. 0 or -1 as above. */
static int start_tunnel(struct sluice_conn *c)
{
	char head[1536];
	int n = sluice_tunnel_request(c->proxy, c->at.host, c->at.port, head, sizeof(head));

	c->tunnel = calloc(1, sizeof(*c->tunnel));
	if (c->tunnel && n > 0 && !sluice_outq_add(&c->plain, head, (size_t)n))
		return 0;
	end_conn(c, SLUICE_CONN_ERROR, "cannot ask the proxy: out of memory");
	return -1;
}

/* Takes the fd. */
static void start_stream(struct sluice_conn *c, int fd)
{
	static const struct sluice_io_stream_ops ops = { on_data, on_end, on_sent, on_closed };
	int one = 1;

	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	if (c->conf.unsent_max)
		setsockopt(fd, IPPROTO_TCP, TCP_NOTSENT_LOWAT, &c->conf.unsent_max,
			   sizeof(c->conf.unsent_max));
	if (c->proxy ? start_tunnel(c) : c->conf.tls && c->at.host[0] && start_tls(c)) {
		close(fd);
		return;
	}
	c->stream = sluice_io_stream_open(c->conf.io, fd, &ops, c);
	if (!c->stream) {
		close(fd);
		end_conn(c, SLUICE_CONN_ERROR, "out of memory");
		return;
	}
	if (!c->conf.tls && !c->proxy &&
	    !c->head) /* not at once: the owner may not have its pointer yet */
		sluice_io_timer_in(c->conf.io, &c->attempt, 0, open_later, c);
	flush_soon(c);
}

static void on_raced(void *arg, int fd, const char *address)
{
	struct sluice_conn *c = arg;

	c->race = NULL;
	snprintf(c->address, sizeof(c->address), "%s", address);
	if (fd < 0)
		end_conn(c, SLUICE_CONN_CONNECT, "cannot connect to %s%s: %s",
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
		end_conn(c, SLUICE_CONN_RESOLVE, "cannot look up %s'%s': %s",
			 c->proxy ? "the proxy " : "", connect_to(c)->host, why);
		return;
	}
	c->race = sluice_race_start(c->conf.io, addrs, on_raced, c);
	if (!c->race)
		end_conn(c, SLUICE_CONN_ERROR, "cannot connect: out of memory");
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
			end_conn(c, SLUICE_CONN_ERROR, "out of memory");
			return c;
		}
		*c->proxy = *conf->proxy;
	}
	to = connect_to(c);
	snprintf(c->address, sizeof(c->address), "%.80s port %s", to->host, to->port);
	c->resolve = sluice_resolve_start(conf->io, to->host, to->port, on_resolved, c);
	if (!c->resolve)
		end_conn(c, SLUICE_CONN_ERROR, "cannot look up '%s': out of memory", to->host);
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
			end_conn(c, SLUICE_CONN_ERROR, "out of memory");
			return c;
		}
	}
	start_stream(c, fd);
	return c;
}

/* ---- the rest ---- */

void sluice_conn_pause(struct sluice_conn *c, bool pause)
{
	if (c->stream && !c->ending && !c->finishing)
		sluice_io_stream_pause(c->stream, pause);
}

void sluice_conn_idle(struct sluice_conn *c, uint32_t idle_ms)
{
	c->conf.idle_ms = idle_ms;
	if (!c->open || c->ending || c->finishing)
		return;
	sluice_io_timer_cancel(c->conf.io, &c->deadline);
	c->received_ns = sluice_io_now(c->conf.io);
	if (idle_ms)
		sluice_io_timer_in(c->conf.io, &c->deadline, idle_ms, on_idle, c);
}

static void on_shutdown_late(void *arg)
{
	struct sluice_conn *c = arg;

	end_conn(c, SLUICE_CONN_DONE, "closed, the other side did not answer");
}

void sluice_conn_shutdown(struct sluice_conn *c)
{
	if (c->ending || c->finishing)
		return;
	if (!c->open) {
		end_conn(c, SLUICE_CONN_ABORTED, "aborted");
		return;
	}
	sluice_io_stream_pause(c->stream, false);
	c->finishing = true;
	if (c->tls)
		sluice_tls_goodbye(c->tls);
	sluice_io_timer_in(c->conf.io, &c->deadline, SHUTDOWN_MS, on_shutdown_late, c);
	flush_soon(c);
}

void sluice_conn_abort(struct sluice_conn *c, const char *why)
{
	end_conn(c, SLUICE_CONN_ABORTED, "%s", why ? why : "aborted");
}

enum sluice_tls_fault sluice_conn_fault(const struct sluice_conn *c)
{
	return c->fault;
}

void sluice_conn_peer(const struct sluice_conn *c, struct sluice_tls_peer *peer)
{
	memset(peer, 0, sizeof(*peer));
	if (c->tls)
		sluice_tls_peer(c->tls, peer);
}

const char *sluice_conn_address(const struct sluice_conn *c)
{
	return c->address;
}

bool sluice_conn_resumed(const struct sluice_conn *c)
{
	return c->tls && sluice_tls_resumed(c->tls);
}
