/* SPDX-License-Identifier: MIT */
/*
 * tls.h - TLS 1.3 without sockets: ciphertext in, plaintext out, and back. OpenSSL 3.0, P-256, ALPN
 * "http/1.1" only. The server asks for a client certificate and verifies it when one comes; whether
 * one is required is for the caller to decide, per request. The client verifies the server's chain
 * and name, always.
 */
#ifndef SLUICE_LIB_TLS_H
#define SLUICE_LIB_TLS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>

#define SLUICE_TLS_SESSIONS 8

struct sluice_tls_ctx;
struct sluice_tls;

struct sluice_tls_config {
	bool server;
	const char *cert; /* PEM files: own certificate, then intermediates; may be NULL (client) */
	const char *key;  /* 0600; refused if others may read it */
	const char *ca;	  /* whom to believe; NULL: the system's (client), nobody (server) */
	bool pinned;	  /* server: a certificate is required, and must itself be one of ca */
};

/* NULL and -errno in *err, text in why: missing or unreadable file, key that does not belong to the
 * certificate, key readable by others (-EACCES), expired certificate is not an error here. */
struct sluice_tls_ctx *sluice_tls_ctx_open(const struct sluice_tls_config *c, int *err, char *why,
					   size_t why_size);
/* NULL-safe; connections made from it live on. A server's may serve several threads; a client's is
 * of one (its sessions are). */
void sluice_tls_ctx_close(struct sluice_tls_ctx *ctx);

/* When the own certificate begins and ends, UTC seconds; 0: there is none. */
int64_t sluice_tls_ctx_begin(const struct sluice_tls_ctx *ctx);
int64_t sluice_tls_ctx_expiry(const struct sluice_tls_ctx *ctx);

/* What ended a connection, so that programs can say what to do about it. */
enum sluice_tls_fault {
	SLUICE_TLS_OK,
	SLUICE_TLS_EXPIRED,	/* the peer's certificate has expired or is not yet valid */
	SLUICE_TLS_UNTRUSTED,	/* the peer's certificate is of nobody we believe */
	SLUICE_TLS_NAME,	/* the server's certificate is for another name */
	SLUICE_TLS_REFUSED,	/* the peer refused our certificate, or misses it */
	SLUICE_TLS_OWN_EXPIRED, /* the peer refused it because it has expired */
	SLUICE_TLS_VERSION,	/* no TLS 1.3, or no TLS at all */
	SLUICE_TLS_BROKEN,	/* anything else: not TLS, tampered, out of memory */
};

/* A connection. host: the name that the server must have (a name or an address), client only. NULL:
 * out of memory. A client resumes by itself the last session that its ctx had with this host and
 * port (SLUICE_TLS_SESSIONS of them are kept, in memory). A session goes with the certificate that
 * it was made with, so a new certificate needs a new ctx. */
struct sluice_tls *sluice_tls_open(struct sluice_tls_ctx *ctx, const char *host, const char *port);
/* NULL-safe. */
void sluice_tls_close(struct sluice_tls *t);

/* Begin (the client's hello becomes output). 0 or -EPROTO. */
int sluice_tls_start(struct sluice_tls *t);

/*
 * Ciphertext that arrived, any amount. plain(arg, bytes) is called for what it holds; bytes are
 * borrowed for the call; plain may return false to stop at once (then -ECANCELED). Returns 0, 1 if
 * the peer has said goodbye (close_notify), or -EPROTO (see fault and error). May produce output.
 */
int sluice_tls_feed(struct sluice_tls *t, const uint8_t *data, size_t size,
		    bool (*plain)(void *arg, const uint8_t *data, size_t size), void *arg);

/* True once the handshake is complete on this side. */
bool sluice_tls_ready(const struct sluice_tls *t);

/* Encrypt; straight from the caller's memory. 0, -ENOTCONN before ready, -EPROTO, -ENOMEM. */
int sluice_tls_write(struct sluice_tls *t, const struct iovec *iov, unsigned int count);

/* Say close_notify. */
void sluice_tls_goodbye(struct sluice_tls *t);

/* Ciphertext to send: bytes waiting; up to max parts of it, which stay in place until consumed
 * (writing more meanwhile is fine). */
size_t sluice_tls_pending(const struct sluice_tls *t);
unsigned int sluice_tls_output(struct sluice_tls *t, struct iovec *iov, unsigned int max);
void sluice_tls_consume(struct sluice_tls *t, size_t bytes);

enum sluice_tls_fault sluice_tls_fault(const struct sluice_tls *t);
/* One sentence for people, "" if there is no error. Names the certificate where it is one. */
const char *sluice_tls_error(const struct sluice_tls *t);
bool sluice_tls_resumed(const struct sluice_tls *t);

#define SLUICE_TLS_URIS 4

/* The peer's certificate. A resumed session has it too: check revocation each time. */
struct sluice_tls_peer {
	bool present;	   /* verified, or the handshake would have failed */
	char name[96];	   /* common name, for display */
	char serial[64];   /* lower-case hex */
	char sha256[65];   /* of the DER, lower-case hex */
	int64_t not_after; /* UTC seconds */
	unsigned int uris; /* subject alternative names of type URI; longer ones are left out */
	char uri[SLUICE_TLS_URIS][160];
};

void sluice_tls_peer(const struct sluice_tls *t, struct sluice_tls_peer *peer);

/*
 * The same of a certificate that somebody else has verified the possession of, and forwards as
 * text: PEM with %XX escapes, or base64 of the DER. It is held against whom ctx believes. -EINVAL:
 * malformed; -EPERM: not believed, or expired.
 */
int sluice_tls_forwarded(struct sluice_tls_ctx *ctx, const char *text,
			 struct sluice_tls_peer *peer);

#define SLUICE_TLS_ID 64

/* Tenant and device from the one URI sluice://tenant/device; both are [A-Za-z0-9._-]{1,63}. 0,
 * -ENOENT if there is none, -EINVAL if it is malformed or there are several. */
int sluice_tls_identity(const struct sluice_tls_peer *peer, char tenant[SLUICE_TLS_ID],
			char device[SLUICE_TLS_ID]);

#endif
