/* SPDX-License-Identifier: MIT */
/* tunnel.h - HTTP CONNECT through a proxy: the request, and a strict look at the answer. */
#ifndef SLUICE_LIB_TUNNEL_H
#define SLUICE_LIB_TUNNEL_H

#include "lib/url.h"

#include <stdint.h>

#define SLUICE_TUNNEL_HEAD_MAX 8192 /* of the answer; more is refused */

/* "CONNECT host:port" into buf. Returns its bytes, -ENOBUFS. */
int sluice_tunnel_request(const struct sluice_proxy *p, const char *host, const char *port,
			  char *buf, size_t size);

struct sluice_tunnel {
	int status;    /* once the first line is there */
	char why[160]; /* in error: a sentence for people */
	/* private */
	size_t used;
	char head[SLUICE_TUNNEL_HEAD_MAX + 1];
};

/*
 * What the proxy said; zero *t first. 0: more is needed; 1: the tunnel is open, and the next byte
 * is the far side's; -ECONNREFUSED: the proxy said no; -EBADMSG: not an answer. Bytes after the
 * head are an error: in TLS the client speaks first, so they can only be the proxy's.
 */
int sluice_tunnel_feed(struct sluice_tunnel *t, const uint8_t *data, size_t size);

#endif
