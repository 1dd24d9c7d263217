// SPDX-License-Identifier: MIT
/*
 * tls_forwarded.c - a client's certificate that a proxy in front has received. The proxy has seen
 * that the client holds the key; that the certificate is of somebody we believe is looked at here,
 * so that a proxy's mistake (ssl_verify_client optional_no_ca) lets nobody in.
 */
#include "lib/tls_private.h"

#include <errno.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <stdlib.h>
#include <string.h>

#define TEXT_MAX 12288 /* within SLUICE_HTTP_HEAD_MAX */

static int digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* %XX undone; out has room for in. -EINVAL. */
static int unescape(const char *in, char *out)
{
	for (; *in; in++) {
		if (*in != '%') {
			*out++ = *in;
			continue;
		}
		if (digit(in[1]) < 0 || digit(in[2]) < 0 || !(digit(in[1]) | digit(in[2])))
			return -EINVAL;
		*out++ = (char)(digit(in[1]) << 4 | digit(in[2]));
		in += 2;
	}
	*out = 0;
	return 0;
}

static X509 *read_pem(const char *text)
{
	BIO *bio = BIO_new_mem_buf(text, -1);
	X509 *x = bio ? PEM_read_bio_X509(bio, NULL, NULL, NULL) : NULL;

	BIO_free(bio);
	return x;
}

static X509 *read_base64(const char *text)
{
	size_t n = strlen(text);
	unsigned char *der = n && n % 4 == 0 ? malloc(n) : NULL;
	int size = der ? EVP_DecodeBlock(der, (const unsigned char *)text, (int)n) : -1;
	const unsigned char *at = der;
	X509 *x = NULL;

	if (size > 0) {
		size -= (text[n - 1] == '=') + (text[n - 2] == '=');
		x = d2i_X509(NULL, &at, size);
		if (x && at != der + size) {
			X509_free(x);
			x = NULL;
		}
	}
	free(der);
	return x;
}

static int believe(struct sluice_tls_ctx *ctx, X509 *x)
{
	X509_STORE_CTX *c = X509_STORE_CTX_new();
	int ok = c && X509_STORE_CTX_init(c, SSL_CTX_get_cert_store(ctx->ssl), x, NULL) == 1 &&
		 X509_STORE_CTX_set_purpose(c, X509_PURPOSE_SSL_CLIENT) == 1 &&
		 X509_verify_cert(c) == 1;

	X509_STORE_CTX_free(c);
	return ok ? 0 : -EPERM;
}

int sluice_tls_forwarded(struct sluice_tls_ctx *ctx, const char *text, struct sluice_tls_peer *peer)
{
	char *plain = strlen(text) <= TEXT_MAX ? malloc(strlen(text) + 1) : NULL;
	X509 *x = NULL;
	int err = -EINVAL;

	memset(peer, 0, sizeof(*peer));
	if (plain && !unescape(text, plain))
		x = strstr(plain, "-----BEGIN") ? read_pem(plain) : read_base64(plain);
	free(plain);
	if (x) {
		err = believe(ctx, x);
		if (!err)
			tls_describe_peer(x, peer);
	}
	X509_free(x);
	ERR_clear_error();
	return err;
}
