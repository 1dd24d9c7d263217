/* SPDX-License-Identifier: MIT */
/*
 * conn.h - one TLS (or plain) connection on the event loop: what relay and cloud speak through.
 *
 * Callbacks: open once, data any number of times, drain, and close exactly once, always last and
 * always from the loop, never from within a call of the owner's. After close the connection is
 * gone. There is no other way for it to end: shutdown and abort lead to close as well.
 */
#ifndef SLUICE_LIB_CONN_H
#define SLUICE_LIB_CONN_H

#include "lib/io.h"
#include "lib/tls.h"
#include "lib/url.h"

struct sluice_conn;

enum sluice_conn_end {
	SLUICE_CONN_DONE,      /* shut down by us, everything was sent */
	SLUICE_CONN_ABORTED,   /* abort() by us */
	SLUICE_CONN_PEER,      /* the peer has closed */
	SLUICE_CONN_RESOLVE,   /* no address for the host */
	SLUICE_CONN_CONNECT,   /* nobody answers there */
	SLUICE_CONN_PROXY,     /* the proxy did not let us through */
	SLUICE_CONN_TLS,       /* see sluice_conn_fault() */
	SLUICE_CONN_HANDSHAKE, /* no handshake in time */
	SLUICE_CONN_IDLE,      /* nothing received in time */
	SLUICE_CONN_ERROR,     /* the socket failed (reset, timed out, out of memory) */
};

struct sluice_conn_ops {
	/* connected and, with TLS, both sides are verified */
	void (*open)(void *arg);
	/* plaintext, borrowed for the call */
	void (*data)(void *arg, const uint8_t *data, size_t size);
	/* the queue had been above high_water and is now below half of it; may be NULL */
	void (*drain)(void *arg);
	/* why: one sentence for people, borrowed */
	void (*close)(void *arg, enum sluice_conn_end end, const char *why);
};

struct sluice_conn_config {
	struct sluice_io *io;
	struct sluice_tls_ctx *tls; /* NULL: plain */
	const struct sluice_conn_ops *ops;
	size_t high_water;     /* bytes queued; 0: 256 KiB. send() refuses at 4 times this */
	size_t high_water_max; /* above high_water: the queue grows up to it while the link takes it
				* quickly, and shrinks to an eighth of high_water while it is slow,
				* so that what is urgent need not wait long; 0: it stays as it is */
	uint32_t unsent_max;   /* bytes that the kernel may hold and not send; 0: as it likes */
	uint32_t handshake_ms; /* from connect/adopt to open; 0: 10000 */
	uint32_t idle_ms;      /* without any byte received, after open; 0: never */
	bool proxied;	       /* adopt(): a proxy's head (proxy_head.h) comes first; set it only
				* where the other side is a proxy that is known */
	/* with proxied, before open(): the client's address as the proxy told it. False: it is not
	 * let in. May be NULL; does not come if the proxy speaks for itself */
	bool (*from)(void *arg, const struct sockaddr *addr);
	const struct sluice_proxy *proxy; /* connect() goes through it; NULL: directly; copied */
};

/* Look up, connect (race.h), ask the proxy if there is one, shake hands. port in decimal. c is
 * copied, its ops and ctx borrowed. NULL: out of memory. */
struct sluice_conn *sluice_conn_connect(const struct sluice_conn_config *c, const char *host,
					const char *port, void *arg);

/* The server's side of an accepted fd, which it takes. NULL: out of memory, fd closed. */
struct sluice_conn *sluice_conn_adopt(const struct sluice_conn_config *c, int fd, void *arg);

/*
 * Send a vector, in order. The bytes are taken (encrypted or copied) before the call returns.
 * -ENOBUFS: 4 x high_water queued, nothing taken; -ENOTCONN: not open, or closing.
 */
int sluice_conn_send(struct sluice_conn *c, const struct iovec *iov, unsigned int count);

/* Bytes that may be queued before high_water; 0: wait for drain. */
size_t sluice_conn_room(const struct sluice_conn *c);

/* Stop and go on receiving. */
void sluice_conn_pause(struct sluice_conn *c, bool pause);

/* Change the deadline for silence; 0: none. */
void sluice_conn_idle(struct sluice_conn *c, uint32_t idle_ms);

/* Send what is queued, say goodbye, close; at most 5 s. No data() comes any more. */
void sluice_conn_shutdown(struct sluice_conn *c);

/* Close now. why is told to close(), NULL: "aborted". */
void sluice_conn_abort(struct sluice_conn *c, const char *why);

enum sluice_tls_fault sluice_conn_fault(const struct sluice_conn *c);
void sluice_conn_peer(const struct sluice_conn *c, struct sluice_tls_peer *peer);
/* "192.0.2.1 port 443" of the other side (of the proxy, if we connect through one; of the client,
 * if a proxy told it), "" if unknown. */
const char *sluice_conn_address(const struct sluice_conn *c);
bool sluice_conn_resumed(const struct sluice_conn *c);

#endif
