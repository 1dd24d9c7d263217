/* SPDX-License-Identifier: MIT */
/*
 * listen.h - the doors of the node. Loop 0 accepts on all of them.
 *
 * DIRECT: anybody. PROXIED: proxies that pass connections on and say whose they are in a PROXY
 * head; TLS is the client's own. TERMINATED: proxies that end TLS themselves; they show a
 * certificate to us, and tell that of their client in a header.
 */
#ifndef SLUICE_CLOUD_LISTEN_H
#define SLUICE_CLOUD_LISTEN_H

#include "cloud/door.h"
#include "lib/io.h"
#include "lib/tls.h"

enum sluice_listen_kind { SLUICE_LISTEN_DIRECT, SLUICE_LISTEN_PROXIED, SLUICE_LISTEN_TERMINATED };

#define SLUICE_LISTENERS 3

struct sluice_server;

struct sluice_listener {
	struct sluice_server *server;
	enum sluice_listen_kind kind;
	struct sluice_io_listener *io; /* NULL: not configured */
	struct sluice_tls_ctx *tls;    /* of TERMINATED: asks for the proxy's certificate */
	uint16_t port;
};

/* An accepted connection on its way to its loop. */
struct sluice_arrival {
	int fd;
	const struct sluice_listener *listener;
	struct sluice_door_place place;
};

/* Listens where the configuration says; prints what is wrong. -errno. */
int sluice_listen_open(struct sluice_server *s);
/* No more connections. */
void sluice_listen_stop(struct sluice_server *s);
void sluice_listen_close(struct sluice_server *s);

/* "ADDR:PORT" or "[ADDR]:PORT"; -EINVAL. */
int sluice_listen_address(const char *text, struct sockaddr_storage *addr, socklen_t *len);

#endif
