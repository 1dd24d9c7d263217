/* SPDX-License-Identifier: MIT */
/*
 * proxy_head.h - what a proxy says before the first byte of a connection that it passes on: PROXY
 * protocol version 1 (text, nginx) or 2 (binary, HAProxy), told apart by their first bytes.
 * Incremental, bounded, no allocation, no input or output.
 *
 * Believe it only where the proxy itself is known: whoever may send it may claim any address.
 */
#ifndef SLUICE_LIB_PROXY_HEAD_H
#define SLUICE_LIB_PROXY_HEAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#define SLUICE_PROXY_V1_MAX 107	 /* with CRLF; the protocol's own bound */
#define SLUICE_PROXY_V2_MAX 4096 /* of what follows the fixed 16 bytes */

/* Zeroed before the first byte. */
struct sluice_proxy_head {
	/* the result */
	bool known;		      /* false: LOCAL or UNKNOWN, the proxy speaks for itself */
	struct sockaddr_storage from; /* the client's address, if known */
	socklen_t from_len;
	const char *why; /* in error: a sentence, static */
	/* private */
	uint32_t used, skip;
	uint8_t bytes[SLUICE_PROXY_V1_MAX];
};

/* Takes bytes; *used of them belonged to the head, the rest to the connection. 1: complete; 0: more
 * are needed, all were taken; -EBADMSG: no such head. */
int sluice_proxy_head_feed(struct sluice_proxy_head *p, const uint8_t *data, size_t size,
			   size_t *used);

#endif
