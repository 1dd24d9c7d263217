/* SPDX-License-Identifier: MIT */
/* conn_state.h - what conn.c and conn_connect.c share. Nobody else includes it. */
#ifndef SLUICE_LIB_CONN_STATE_H
#define SLUICE_LIB_CONN_STATE_H

#include "lib/conn.h"
#include "lib/outq.h"
#include "lib/proxy_head.h"
#include "lib/race.h"
#include "lib/resolve.h"
#include "lib/tunnel.h"

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

/* ---- conn.c ---- */

/* The first reason is kept; what could call back is stopped, and the owner is told from the loop.
 */
__attribute__((format(printf, 3, 4))) void conn_end(struct sluice_conn *c, enum sluice_conn_end end,
						    const char *format, ...);
/* Later in this turn, so that what a callback sends in pieces goes out in one. */
void conn_flush_soon(struct sluice_conn *c);
/* Hands are shaken; again is harmless. */
void conn_become_open(struct sluice_conn *c);
extern const struct sluice_io_stream_ops conn_stream_ops;

/* ---- conn_connect.c ---- */

/* 0, or -1 and the connection ends. */
int conn_start_tls(struct sluice_conn *c);
/* What the proxy answers. */
void conn_take_tunnel(struct sluice_conn *c, const uint8_t *data, size_t size);
/* What a proxy says before the client's first byte. Returns the bytes taken; c->head is NULL when
 * it is complete. */
size_t conn_take_head(struct sluice_conn *c, const uint8_t *data, size_t size);

#endif
