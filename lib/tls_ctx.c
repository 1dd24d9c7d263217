// SPDX-License-Identifier: MIT
/*
 * What all connections of one side share: certificate, key, whom to believe, and the sessions: on
 * the client's side the last one of each address, on the server's those of the last clients. Only
 * TLS 1.3, no early data (a replayed FRAME would be harmless, a replayed request of the dashboard
 * would not).
 */
#include "lib/tls_private.h"

#include <errno.h>
#include <openssl/err.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#define SESSIONS_MAX 4096 /* that a server keeps for clients that come back */

static const unsigned char alpn[] = { 8, 'h', 't', 't', 'p', '/', '1', '.', '1' };

static int choose_alpn(SSL *ssl, const unsigned char **out, unsigned char *out_len,
		       const unsigned char *in, unsigned int in_len, void *arg)
{
	for (unsigned int i = 0; i < in_len; i += in[i] + 1u) {
		if (in[i] != 8 || in_len - i < sizeof(alpn) || memcmp(in + i, alpn, sizeof(alpn)))
			continue;
		*out = in + i + 1;
		*out_len = 8;
		return SSL_TLSEXT_ERR_OK;
	}
	return SSL_TLSEXT_ERR_ALERT_FATAL;
}

static int check_key_file(const char *path, char *why, size_t why_size)
{
	struct stat st;

	if (stat(path, &st)) {
		snprintf(why, why_size, "cannot read the key %s: %s", path, strerror(errno));
		return -errno;
	}
	if (st.st_mode & 077) {
		snprintf(why, why_size, "the key %s is readable by others; run: chmod 600 %s", path,
			 path);
		return -EACCES;
	}
	return 0;
}

/* The reason of OpenSSL's oldest error, which is the cause of the later ones. */
static int openssl_error(const char *what, const char *path, char *why, size_t why_size)
{
	unsigned long e = ERR_get_error();
	const char *text = e ? ERR_reason_error_string(e) : NULL;

	if (!text)
		text = e && ERR_SYSTEM_ERROR(e) ? strerror(ERR_GET_REASON(e)) : "not usable";
	snprintf(why, why_size, "cannot read the %s %s: %s", what, path, text);
	ERR_clear_error();
	return -EINVAL;
}

static int load_files(struct sluice_tls_ctx *ctx, const struct sluice_tls_config *c, char *why,
		      size_t why_size)
{
	int err;

	if (c->cert && SSL_CTX_use_certificate_chain_file(ctx->ssl, c->cert) != 1)
		return openssl_error("certificate", c->cert, why, why_size);
	if (c->key) {
		err = check_key_file(c->key, why, why_size);
		if (err)
			return err;
		if (SSL_CTX_use_PrivateKey_file(ctx->ssl, c->key, SSL_FILETYPE_PEM) != 1 &&
		    ERR_GET_REASON(ERR_peek_error()) != X509_R_KEY_VALUES_MISMATCH)
			return openssl_error("key", c->key, why, why_size);
		if (SSL_CTX_check_private_key(ctx->ssl) != 1) {
			ERR_clear_error();
			snprintf(why, why_size, "the key %s does not belong to the certificate %s",
				 c->key, c->cert ? c->cert : "(none)");
			return -EINVAL;
		}
	}
	if (c->ca && SSL_CTX_load_verify_file(ctx->ssl, c->ca) != 1)
		return openssl_error("certificate authority", c->ca, why, why_size);
	if (!c->ca && !c->server)
		SSL_CTX_set_default_verify_paths(ctx->ssl);
	if (c->ca && c->server)
		SSL_CTX_set_client_CA_list(ctx->ssl, SSL_load_client_CA_file(c->ca));
	if (c->pinned) {
		X509_VERIFY_PARAM_set_flags(SSL_CTX_get0_param(ctx->ssl),
					    X509_V_FLAG_PARTIAL_CHAIN);
		SSL_CTX_set_verify(ctx->ssl, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT,
				   NULL);
	}
	return 0;
}

struct tls_kept *tls_kept_find(struct sluice_tls_ctx *ctx, const char *host, const char *port)
{
	for (int i = 0; i < SLUICE_TLS_SESSIONS; i++) {
		struct tls_kept *k = &ctx->kept[i];

		if (k->session && !strcmp(k->host, host) && !strcmp(k->port, port))
			return k;
	}
	return NULL;
}

/*
 * OpenSSL marks the session of a connection that was not shut down as not resumable, so a copy is
 * kept. Returning 0 leaves the original to OpenSSL.
 */
static int keep_session(SSL *ssl, SSL_SESSION *session)
{
	struct sluice_tls *t = SSL_get_app_data(ssl);
	struct sluice_tls_ctx *ctx = t->ctx;
	struct tls_kept *k = tls_kept_find(ctx, t->host, t->port);
	SSL_SESSION *copy = SSL_SESSION_dup(session);

	if (!copy)
		return 0;
	if (!k) { /* one that is free, used = 0, or the oldest */
		k = &ctx->kept[0];
		for (int i = 1; i < SLUICE_TLS_SESSIONS; i++)
			if (ctx->kept[i].used < k->used)
				k = &ctx->kept[i];
	}
	SSL_SESSION_free(k->session);
	k->session = copy;
	k->used = ++ctx->kept_count;
	snprintf(k->host, sizeof(k->host), "%s", t->host);
	snprintf(k->port, sizeof(k->port), "%s", t->port);
	return 0;
}

static int set_up(struct sluice_tls_ctx *ctx, bool server)
{
	static const unsigned char id[] = "sluice";
	SSL_CTX *s = ctx->ssl;

	if (SSL_CTX_set_min_proto_version(s, TLS1_3_VERSION) != 1 ||
	    SSL_CTX_set1_groups_list(s, "X25519:P-256") != 1)
		return -ENOMEM;
	SSL_CTX_set_mode(s, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_AUTO_RETRY);
	SSL_CTX_set_options(s, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION);
	SSL_CTX_set_verify(s, SSL_VERIFY_PEER, NULL);
	if (server) {
		SSL_CTX_set_alpn_select_cb(s, choose_alpn, NULL);
		/*
		 * Sessions are kept here, the oldest make room, and a ticket is only a number. A
		 * ticket with the session in it would have to be written for each handshake, with
		 * the client's certificate, and read and parsed for each that is resumed, which
		 * costs as much as the signatures do. One for each connection: a client keeps one.
		 */
		SSL_CTX_set_session_cache_mode(s, SSL_SESS_CACHE_SERVER);
		SSL_CTX_sess_set_cache_size(s, SESSIONS_MAX);
		SSL_CTX_set_options(s, SSL_OP_NO_TICKET);
		if (SSL_CTX_set_num_tickets(s, 1) != 1 ||
		    SSL_CTX_set_session_id_context(s, id, sizeof(id) - 1) != 1)
			return -ENOMEM;
	} else {
		if (SSL_CTX_set_alpn_protos(s, alpn, sizeof(alpn)))
			return -ENOMEM;
		SSL_CTX_set_session_cache_mode(s,
					       SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
		SSL_CTX_sess_set_new_cb(s, keep_session);
	}
	return 0;
}

struct sluice_tls_ctx *sluice_tls_ctx_open(const struct sluice_tls_config *c, int *err, char *why,
					   size_t why_size)
{
	struct sluice_tls_ctx *ctx = calloc(1, sizeof(*ctx));

	ERR_clear_error();
	*err = -ENOMEM;
	snprintf(why, why_size, "out of memory");
	if (!ctx)
		return NULL;
	ctx->refs = 1;
	ctx->server = c->server;
	ctx->ssl = SSL_CTX_new(c->server ? TLS_server_method() : TLS_client_method());
	if (!ctx->ssl)
		goto fail;
	*err = set_up(ctx, c->server);
	if (!*err)
		*err = load_files(ctx, c, why, why_size);
	if (*err)
		goto fail;
	why[0] = 0;
	return ctx;
fail:
	sluice_tls_ctx_close(ctx);
	return NULL;
}

void sluice_tls_ctx_close(struct sluice_tls_ctx *ctx)
{
	if (!ctx || --ctx->refs)
		return;
	for (int i = 0; i < SLUICE_TLS_SESSIONS; i++)
		SSL_SESSION_free(ctx->kept[i].session);
	SSL_CTX_free(ctx->ssl);
	free(ctx);
}

static int64_t asn1_seconds(const ASN1_TIME *at)
{
	struct tm tm;

	return at && ASN1_TIME_to_tm(at, &tm) == 1 ? (int64_t)timegm(&tm) : 0;
}

int64_t sluice_tls_ctx_begin(const struct sluice_tls_ctx *ctx)
{
	X509 *x = SSL_CTX_get0_certificate(ctx->ssl);

	return x ? asn1_seconds(X509_get0_notBefore(x)) : 0;
}

int64_t sluice_tls_ctx_expiry(const struct sluice_tls_ctx *ctx)
{
	X509 *x = SSL_CTX_get0_certificate(ctx->ssl);

	return x ? asn1_seconds(X509_get0_notAfter(x)) : 0;
}

static void hex(char *out, size_t size, const unsigned char *bytes, size_t n)
{
	static const char digits[] = "0123456789abcdef";
	size_t i;

	for (i = 0; i < n && 2 * i + 2 < size; i++) {
		out[2 * i] = digits[bytes[i] >> 4];
		out[2 * i + 1] = digits[bytes[i] & 15];
	}
	out[2 * i] = 0;
}

static void read_uris(X509 *x, struct sluice_tls_peer *peer)
{
	GENERAL_NAMES *names = X509_get_ext_d2i(x, NID_subject_alt_name, NULL, NULL);

	for (int i = 0; i < sk_GENERAL_NAME_num(names); i++) {
		const GENERAL_NAME *n = sk_GENERAL_NAME_value(names, i);
		size_t len;

		if (n->type != GEN_URI || peer->uris == SLUICE_TLS_URIS)
			continue;
		len = (size_t)ASN1_STRING_length(n->d.uniformResourceIdentifier);
		if (len >= sizeof(peer->uri[0]))
			continue;
		memcpy(peer->uri[peer->uris], ASN1_STRING_get0_data(n->d.uniformResourceIdentifier),
		       len);
		peer->uri[peer->uris][len] = 0;
		/* a NUL inside would make two readers see two names */
		if (strlen(peer->uri[peer->uris]) == len)
			peer->uris++;
	}
	GENERAL_NAMES_free(names);
}

void tls_describe_peer(X509 *x, struct sluice_tls_peer *peer)
{
	const ASN1_INTEGER *serial = X509_get0_serialNumber(x);
	unsigned char digest[32];
	unsigned int n = 0;

	peer->present = true;
	X509_NAME_get_text_by_NID(X509_get_subject_name(x), NID_commonName, peer->name,
				  sizeof(peer->name));
	hex(peer->serial, sizeof(peer->serial), ASN1_STRING_get0_data(serial),
	    (size_t)ASN1_STRING_length(serial));
	if (X509_digest(x, EVP_sha256(), digest, &n) == 1)
		hex(peer->sha256, sizeof(peer->sha256), digest, n);
	peer->not_after = asn1_seconds(X509_get0_notAfter(x));
	read_uris(x, peer);
	ERR_clear_error();
}

void sluice_tls_peer(const struct sluice_tls *t, struct sluice_tls_peer *peer)
{
	X509 *x = SSL_get0_peer_certificate(t->ssl);

	memset(peer, 0, sizeof(*peer));
	if (x && SSL_get_verify_result(t->ssl) == X509_V_OK)
		tls_describe_peer(x, peer);
}

/* [A-Za-z0-9._-]{1,63} of n bytes */
static bool copy_name(char out[SLUICE_TLS_ID], const char *s, size_t n)
{
	if (!n || n >= SLUICE_TLS_ID || s[0] == '.')
		return false;
	if (strspn(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-") < n)
		return false;
	memcpy(out, s, n);
	out[n] = 0;
	return true;
}

int sluice_tls_identity(const struct sluice_tls_peer *peer, char tenant[SLUICE_TLS_ID],
			char device[SLUICE_TLS_ID])
{
	static const char scheme[] = "sluice://";
	const char *found = NULL, *slash;

	for (unsigned int i = 0; i < peer->uris; i++) {
		if (strncmp(peer->uri[i], scheme, sizeof(scheme) - 1))
			continue;
		if (found)
			return -EINVAL;
		found = peer->uri[i] + sizeof(scheme) - 1;
	}
	if (!found)
		return -ENOENT;
	slash = strchr(found, '/');
	if (!slash || !copy_name(tenant, found, (size_t)(slash - found)) ||
	    !copy_name(device, slash + 1, strlen(slash + 1)))
		return -EINVAL;
	return 0;
}
