// SPDX-License-Identifier: MIT
/*
 * One connection over a BIO of our own: reading takes from the bytes just fed, writing appends to
 * the chain of chunks that the socket sends from. OpenSSL encrypts from the caller's memory into
 * its record buffer and the record is copied once, as ciphertext, into the chain.
 *
 * Failure is final. The alert that OpenSSL wrote is still in the output and should be sent; the
 * fault says whose certificate was the matter, which is the question that people have.
 */
#include "lib/tls_private.h"

#include <errno.h>
#include <openssl/err.h>
#include <openssl/x509v3.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SCRATCH 4096 /* small parts are gathered here, so that they share a record */

static BIO_METHOD *bio_method;
static pthread_once_t bio_once = PTHREAD_ONCE_INIT;

static int bio_write(BIO *b, const char *data, int size)
{
	struct sluice_tls *t = BIO_get_data(b);

	BIO_clear_retry_flags(b);
	return sluice_outq_add(&t->out, data, (size_t)size) ? -1 : size;
}

static int bio_read(BIO *b, char *data, int size)
{
	struct sluice_tls *t = BIO_get_data(b);
	size_t n = (size_t)size < t->in_size ? (size_t)size : t->in_size;

	BIO_clear_retry_flags(b);
	if (!n) {
		BIO_set_retry_read(b);
		return -1;
	}
	memcpy(data, t->in, n);
	t->in += n;
	t->in_size -= n;
	return (int)n;
}

static long bio_ctrl(BIO *b, int cmd, long num, void *ptr)
{
	return cmd == BIO_CTRL_FLUSH;
}

static int bio_create(BIO *b)
{
	BIO_set_init(b, 1);
	return 1;
}

static void make_bio_method(void)
{
	BIO_METHOD *m = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "sluice");

	if (!m || !BIO_meth_set_write(m, bio_write) || !BIO_meth_set_read(m, bio_read) ||
	    !BIO_meth_set_ctrl(m, bio_ctrl) || !BIO_meth_set_create(m, bio_create))
		BIO_meth_free(m);
	else
		bio_method = m;
}

/* The name that the server's certificate must have, as name or as address. */
static int expect_host(struct sluice_tls *t, const char *host)
{
	X509_VERIFY_PARAM *param = SSL_get0_param(t->ssl);

	snprintf(t->host, sizeof(t->host), "%s", host);
	if (X509_VERIFY_PARAM_set1_ip_asc(param, host) == 1)
		return 0;
	ERR_clear_error();
	X509_VERIFY_PARAM_set_hostflags(param, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
	if (X509_VERIFY_PARAM_set1_host(param, host, 0) != 1 ||
	    SSL_set_tlsext_host_name(t->ssl, host) != 1)
		return -EINVAL;
	return 0;
}

/* With a copy: OpenSSL marks the session of a connection that ends badly as unusable. */
static void resume(struct sluice_tls *t)
{
	struct tls_kept *k = tls_kept_find(t->ctx, t->host, t->port);
	SSL_SESSION *copy;

	if (!k)
		return;
	copy = SSL_SESSION_dup(k->session);
	if (copy)
		SSL_set_session(t->ssl, copy);
	SSL_SESSION_free(copy);
}

struct sluice_tls *sluice_tls_open(struct sluice_tls_ctx *ctx, const char *host, const char *port)
{
	struct sluice_tls *t = calloc(1, sizeof(*t));
	BIO *bio;

	pthread_once(&bio_once, make_bio_method);
	if (!t || !bio_method)
		goto fail;
	t->ctx = ctx;
	ctx->refs++;
	t->ssl = SSL_new(ctx->ssl);
	bio = t->ssl ? BIO_new(bio_method) : NULL;
	if (!bio)
		goto fail;
	BIO_set_data(bio, t);
	SSL_set_bio(t->ssl, bio, bio);
	SSL_set_app_data(t->ssl, t);
	if (ctx->server) {
		SSL_set_accept_state(t->ssl);
	} else {
		if (!host || strlen(host) >= TLS_HOST_MAX || expect_host(t, host))
			goto fail;
		snprintf(t->port, sizeof(t->port), "%s", port);
		resume(t);
		SSL_set_connect_state(t->ssl);
	}
	return t;
fail:
	sluice_tls_close(t);
	return NULL;
}

void sluice_tls_close(struct sluice_tls *t)
{
	if (!t)
		return;
	/* or OpenSSL forgets the session of a client that was only cut off */
	if (t->ready && !t->failed)
		SSL_set_shutdown(t->ssl, SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN);
	SSL_free(t->ssl);
	sluice_outq_clear(&t->out);
	sluice_tls_ctx_close(t->ctx);
	free(t);
}

/* Faults of the peer's certificate that we found. */
static bool describe_verify(struct sluice_tls *t)
{
	long v = SSL_get_verify_result(t->ssl);
	const char *whose = t->ctx->server ? "the client's" : "the server's";

	if (v == X509_V_OK)
		return false;
	switch (v) {
	case X509_V_ERR_CERT_HAS_EXPIRED:
		t->fault = SLUICE_TLS_EXPIRED;
		snprintf(t->error, sizeof(t->error), "%s certificate has expired", whose);
		break;
	case X509_V_ERR_CERT_NOT_YET_VALID:
		t->fault = SLUICE_TLS_EXPIRED;
		snprintf(t->error, sizeof(t->error),
			 "%s certificate is not yet valid; is this machine's clock right?", whose);
		break;
	case X509_V_ERR_HOSTNAME_MISMATCH:
	case X509_V_ERR_IP_ADDRESS_MISMATCH:
		t->fault = SLUICE_TLS_NAME;
		snprintf(t->error, sizeof(t->error), "%s certificate is not for the name '%s'",
			 whose, t->host);
		break;
	default:
		t->fault = SLUICE_TLS_UNTRUSTED;
		snprintf(t->error, sizeof(t->error), "%s certificate is not trusted: %s", whose,
			 X509_verify_cert_error_string(v));
	}
	return true;
}

/* Faults that the peer told by an alert, and the rest. */
static void describe_reason(struct sluice_tls *t, unsigned long e)
{
	const char *text = e ? ERR_reason_error_string(e) : NULL;
	const char *peer = t->ctx->server ? "the client" : "the server";

	switch (e && ERR_GET_LIB(e) == ERR_LIB_SSL ? ERR_GET_REASON(e) : 0) {
	case SSL_R_SSLV3_ALERT_CERTIFICATE_EXPIRED:
		t->fault = SLUICE_TLS_OWN_EXPIRED;
		snprintf(t->error, sizeof(t->error), "%s refused our certificate: it has expired",
			 peer);
		return;
	case SSL_R_TLSV1_ALERT_UNKNOWN_CA:
	case SSL_R_SSLV3_ALERT_BAD_CERTIFICATE:
	case SSL_R_SSLV3_ALERT_UNSUPPORTED_CERTIFICATE:
	case SSL_R_SSLV3_ALERT_CERTIFICATE_REVOKED:
	case SSL_R_SSLV3_ALERT_CERTIFICATE_UNKNOWN:
	case SSL_R_TLSV1_ALERT_ACCESS_DENIED:
	case SSL_R_TLSV13_ALERT_CERTIFICATE_REQUIRED:
		t->fault = SLUICE_TLS_REFUSED;
		snprintf(t->error, sizeof(t->error), "%s refused our certificate: %s", peer, text);
		return;
	case SSL_R_TLSV1_ALERT_PROTOCOL_VERSION:
	case SSL_R_UNSUPPORTED_PROTOCOL:
	case SSL_R_WRONG_VERSION_NUMBER:
	case SSL_R_HTTP_REQUEST:
	case SSL_R_HTTPS_PROXY_REQUEST:
		t->fault = SLUICE_TLS_VERSION;
		snprintf(t->error, sizeof(t->error), "%s does not speak TLS 1.3: %s", peer, text);
		return;
	default:
		t->fault = SLUICE_TLS_BROKEN;
		snprintf(t->error, sizeof(t->error), "TLS: %s", text ? text : "protocol error");
	}
}

static int fail_tls(struct sluice_tls *t)
{
	unsigned long e = ERR_get_error();

	if (!t->failed) {
		t->failed = true;
		if (t->ready || !describe_verify(t))
			describe_reason(t, e);
	}
	ERR_clear_error();
	return -EPROTO;
}

/* 0: wants more input. */
static int shake_hands(struct sluice_tls *t)
{
	int r = SSL_do_handshake(t->ssl);

	if (r == 1) {
		t->ready = true;
		return 0;
	}
	return SSL_get_error(t->ssl, r) == SSL_ERROR_WANT_READ ? 0 : fail_tls(t);
}

int sluice_tls_start(struct sluice_tls *t)
{
	ERR_clear_error();
	return shake_hands(t);
}

int sluice_tls_feed(struct sluice_tls *t, const uint8_t *data, size_t size,
		    bool (*plain)(void *arg, const uint8_t *data, size_t size), void *arg)
{
	uint8_t buf[16384];
	int err;

	if (t->failed)
		return -EPROTO;
	ERR_clear_error();
	t->in = data;
	t->in_size = size;
	if (!t->ready) {
		err = shake_hands(t);
		if (err)
			return err;
	}
	while (t->ready) {
		size_t n;
		int r = SSL_read_ex(t->ssl, buf, sizeof(buf), &n);

		if (r == 1) {
			if (!plain(arg, buf, n))
				return -ECANCELED;
			ERR_clear_error();
			continue;
		}
		switch (SSL_get_error(t->ssl, r)) {
		case SSL_ERROR_WANT_READ:
			return 0;
		case SSL_ERROR_ZERO_RETURN:
			return 1;
		default:
			return fail_tls(t);
		}
	}
	return 0;
}

bool sluice_tls_ready(const struct sluice_tls *t)
{
	return t->ready;
}

static int encrypt(struct sluice_tls *t, const void *data, size_t size)
{
	size_t n;

	if (!size)
		return 0;
	/* our BIO takes everything or fails for good */
	return SSL_write_ex(t->ssl, data, size, &n) == 1 && n == size ? 0 : fail_tls(t);
}

int sluice_tls_write(struct sluice_tls *t, const struct iovec *iov, unsigned int count)
{
	uint8_t scratch[SCRATCH];
	size_t have = 0;
	int err = 0;

	if (t->failed)
		return -EPROTO;
	if (!t->ready || t->bye)
		return -ENOTCONN;
	ERR_clear_error();
	for (unsigned int i = 0; i < count && !err; i++) {
		if (iov[i].iov_len <= SCRATCH - have) {
			if (iov[i].iov_len)
				memcpy(scratch + have, iov[i].iov_base, iov[i].iov_len);
			have += iov[i].iov_len;
			continue;
		}
		err = encrypt(t, scratch, have);
		have = 0;
		if (!err)
			err = encrypt(t, iov[i].iov_base, iov[i].iov_len);
	}
	return err ? err : encrypt(t, scratch, have);
}

void sluice_tls_goodbye(struct sluice_tls *t)
{
	if (!t->ready || t->failed || t->bye)
		return;
	t->bye = true;
	ERR_clear_error();
	SSL_shutdown(t->ssl);
	ERR_clear_error();
}

size_t sluice_tls_pending(const struct sluice_tls *t)
{
	return t->out.bytes;
}

unsigned int sluice_tls_output(struct sluice_tls *t, struct iovec *iov, unsigned int max)
{
	return sluice_outq_peek(&t->out, iov, max);
}

void sluice_tls_consume(struct sluice_tls *t, size_t bytes)
{
	sluice_outq_consume(&t->out, bytes);
}

enum sluice_tls_fault sluice_tls_fault(const struct sluice_tls *t)
{
	return t->fault;
}

const char *sluice_tls_error(const struct sluice_tls *t)
{
	return t->error;
}

bool sluice_tls_resumed(const struct sluice_tls *t)
{
	return SSL_session_reused(t->ssl);
}
