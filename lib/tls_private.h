/* SPDX-License-Identifier: MIT */
/* tls_private.h - what tls_ctx.c and tls.c share. */
#ifndef SLUICE_LIB_TLS_PRIVATE_H
#define SLUICE_LIB_TLS_PRIVATE_H

#include "lib/outq.h"
#include "lib/tls.h"

#include <openssl/ssl.h>

#define TLS_HOST_MAX 256

struct sluice_tls_ctx {
	SSL_CTX *ssl;
	unsigned int refs; /* the owner and each connection; one thread */
	bool server;
	SSL_SESSION *session; /* client: the last one */
	char session_host[TLS_HOST_MAX];
};

struct sluice_tls {
	struct sluice_tls_ctx *ctx;
	SSL *ssl;
	const uint8_t *in; /* ciphertext that OpenSSL has not yet taken */
	size_t in_size;
	struct sluice_outq out;
	bool ready, failed, bye;
	enum sluice_tls_fault fault;
	char host[TLS_HOST_MAX];
	char error[400];
};

#endif
