/* SPDX-License-Identifier: MIT */
/* tls_private.h - what tls_ctx.c and tls.c share. */
#ifndef SLUICE_LIB_TLS_PRIVATE_H
#define SLUICE_LIB_TLS_PRIVATE_H

#include "lib/outq.h"
#include "lib/tls.h"

#include <openssl/ssl.h>
#include <stdatomic.h>

#define TLS_HOST_MAX 256

struct tls_kept {
	SSL_SESSION *session; /* NULL: free */
	uint64_t used;	      /* the lowest goes when there is no room */
	char host[TLS_HOST_MAX], port[8];
};

struct sluice_tls_ctx {
	SSL_CTX *ssl;
	atomic_uint refs; /* the owner and each connection, of any thread */
	bool server;
	struct tls_kept kept[SLUICE_TLS_SESSIONS]; /* client: the last session of each address */
	uint64_t kept_count;
};

struct sluice_tls {
	struct sluice_tls_ctx *ctx;
	SSL *ssl;
	const uint8_t *in; /* ciphertext that OpenSSL has not yet taken */
	size_t in_size;
	struct sluice_outq out;
	bool ready, failed, bye;
	enum sluice_tls_fault fault;
	char host[TLS_HOST_MAX], port[8];
	char error[400];
};

/* Fills *peer, which is zeroed, from a certificate that is believed. */
void tls_describe_peer(X509 *x, struct sluice_tls_peer *peer);

/* The entry of that address, or NULL. */
struct tls_kept *tls_kept_find(struct sluice_tls_ctx *ctx, const char *host, const char *port);

#endif
