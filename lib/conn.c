// SPDX-License-Identifier: MIT
/*
 * look up -> race -> [tunnel] -> hands shaken -> open -> [flushing -> lingering] -> end
 *
 * conn_connect.c has it up to the shaken hands. Through a proxy the first words are plain (CONNECT
 * and its answer), then TLS begins on the same stream. The plain queue is always sent before TLS
 * has anything, so whose bytes are in flight is never a question: as long as the plain queue holds
 * any, they are the plain ones.
 *
 * Every way to end goes through conn_end(), which keeps the first reason, stops everything that
 * could call back and lets the loop tell the owner: by the stream's closed(), or by a timer that is
 * due at once where there is no stream yet. So close() never comes from within a call of the owner,
 * and nothing refers to the connection when it is freed.
 *
 * Shutting down: what is queued is sent, close_notify, FIN; then what still arrives is read and
 * dropped until the peer closes too. Closing with unread bytes would make the kernel send a reset,
 * which may overtake our last words.
 */
#include "lib/conn_state.h"

#include <errno.h>
#include <netdb.h>
#include <openssl/crypto.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SHUTDOWN_MS 5000
#define QUICK_MS    10u
#define SLOW_MS	    200u
#define MS	    1000000ull

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

void conn_end(struct sluice_conn *c, enum sluice_conn_end end, const char *format, ...)
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
		conn_end(c, SLUICE_CONN_ERROR, "cannot send: %s", strerror(-err));
}

void conn_flush_soon(struct sluice_conn *c)
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
		conn_end(c, SLUICE_CONN_ERROR, "connection lost: %s", strerror(-err));
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
		conn_end(c, SLUICE_CONN_ERROR, "cannot send: %s", strerror(-err));
		return err;
	}
	if (queued(c) >= c->water)
		c->above = true;
	conn_flush_soon(c);
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
		conn_end(c, SLUICE_CONN_IDLE, "nothing was received for %u s",
			 c->conf.idle_ms / 1000);
}

void conn_become_open(struct sluice_conn *c)
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

	conn_become_open(c);
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

static void on_data(void *arg, const uint8_t *data, size_t size)
{
	struct sluice_conn *c = arg;
	int r;

	c->received_ns = sluice_io_now(c->conf.io);
	if (c->tunnel) {
		conn_take_tunnel(c, data, size);
		return;
	}
	if (c->head) {
		size_t used = conn_take_head(c, data, size);

		data += used;
		size -= used;
		if (c->ending || c->head || !size)
			return;
	}
	/* a server pays for TLS when the client has said something */
	if (c->conf.tls && !c->tls && conn_start_tls(c))
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
		conn_end(c, SLUICE_CONN_TLS, "%s", sluice_tls_error(c->tls));
		return;
	}
	if (sluice_tls_ready(c->tls))
		conn_become_open(c);
	conn_flush_soon(c);
	if (r == 1)
		conn_end(c, c->finishing ? SLUICE_CONN_DONE : SLUICE_CONN_PEER,
			 c->finishing ? "closed" : "closed by the other side");
}

static void on_end(void *arg, int err)
{
	struct sluice_conn *c = arg;

	if (c->finishing)
		conn_end(c, SLUICE_CONN_DONE, "closed");
	else if (err)
		conn_end(c, SLUICE_CONN_ERROR, "connection lost: %s", strerror(-err));
	else if (c->tunnel)
		conn_end(c, SLUICE_CONN_PROXY, "proxy %s: closed without an answer", c->address);
	else if (!c->open && c->conf.tls)
		conn_end(c, SLUICE_CONN_PEER, "the other side closed during the TLS handshake");
	else
		conn_end(c, SLUICE_CONN_PEER, "closed by the other side");
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

const struct sluice_io_stream_ops conn_stream_ops = { on_data, on_end, on_sent, on_closed };

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

	conn_end(c, SLUICE_CONN_DONE, "closed, the other side did not answer");
}

void sluice_conn_shutdown(struct sluice_conn *c)
{
	if (c->ending || c->finishing)
		return;
	if (!c->open) {
		conn_end(c, SLUICE_CONN_ABORTED, "aborted");
		return;
	}
	sluice_io_stream_pause(c->stream, false);
	c->finishing = true;
	if (c->tls)
		sluice_tls_goodbye(c->tls);
	sluice_io_timer_in(c->conf.io, &c->deadline, SHUTDOWN_MS, on_shutdown_late, c);
	conn_flush_soon(c);
}

void sluice_conn_abort(struct sluice_conn *c, const char *why)
{
	conn_end(c, SLUICE_CONN_ABORTED, "%s", why ? why : "aborted");
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
