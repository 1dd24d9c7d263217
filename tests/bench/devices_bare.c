// SPDX-License-Identifier: MIT
/*
 * devices_bare.c - what the cloud's handshakes are held against: the server's half of the same
 * mutual TLS 1.3 handshake, with the cloud's certificate and options, by OpenSSL alone: both ends
 * in one thread, joined by memory. No socket, no event loop, no second thread that wants the same
 * locks. What the cloud needs beyond it is its own and the kernel's.
 */
#include "tests/bench/devices.h"

#include <stdio.h>
#include <time.h>

#include <openssl/ssl.h>

static double cpu_s(void)
{
	struct timespec t;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static SSL_CTX *open_ctx(const struct cloud_process *c, bool server)
{
	SSL_CTX *ctx = SSL_CTX_new(server ? TLS_server_method() : TLS_client_method());
	char cert[256], key[256], ca[256];

	snprintf(ca, sizeof(ca), "%s/ca.crt", c->data);
	if (server) {
		snprintf(cert, sizeof(cert), "%s/server.crt", c->data);
		snprintf(key, sizeof(key), "%s/server.key", c->data);
		SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_SERVER);
		SSL_CTX_sess_set_cache_size(ctx, 4096);
		SSL_CTX_set_options(ctx, SSL_OP_NO_TICKET);
		SSL_CTX_set_num_tickets(ctx, 1);
		SSL_CTX_set_session_id_context(ctx, (const unsigned char *)"bare", 4);
		SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, NULL);
	} else {
		cloud_process_file(c, 0, "crt", cert);
		cloud_process_file(c, 0, "key", key);
		SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER, NULL);
	}
	SSL_CTX_set_min_proto_version(ctx, TLS1_3_VERSION);
	SSL_CTX_set1_groups_list(ctx, "X25519:P-256");
	if (SSL_CTX_load_verify_file(ctx, ca) == 1 &&
	    SSL_CTX_use_certificate_file(ctx, cert, SSL_FILETYPE_PEM) == 1 &&
	    SSL_CTX_use_PrivateKey_file(ctx, key, SSL_FILETYPE_PEM) == 1)
		return ctx;
	SSL_CTX_free(ctx);
	return NULL;
}

/* One handshake. Seconds of CPU that its server took; < 0: it failed. */
static double shake(SSL_CTX *server_ctx, SSL_CTX *client_ctx)
{
	double begun = cpu_s(), used;
	SSL *server = SSL_new(server_ctx), *client;
	BIO *in = BIO_new(BIO_s_mem()), *out = BIO_new(BIO_s_mem());
	int client_done = 0, server_done = 0;

	SSL_set_accept_state(server);
	used = cpu_s() - begun;
	client = SSL_new(client_ctx);
	SSL_set_connect_state(client);
	BIO_up_ref(in);
	BIO_up_ref(out);
	SSL_set_bio(server, in, out);
	SSL_set_bio(client, out, in);
	for (unsigned int round = 0; round < 3 && !server_done; round++) {
		client_done = SSL_do_handshake(client) == 1;
		begun = cpu_s();
		server_done = SSL_do_handshake(server) == 1;
		used += cpu_s() - begun;
	}
	begun = cpu_s();
	SSL_free(server);
	used += cpu_s() - begun;
	SSL_free(client);
	return client_done && server_done ? used : -1;
}

double devices_bare(const struct cloud_process *c, unsigned int seconds)
{
	SSL_CTX *server = open_ctx(c, true), *client = open_ctx(c, false);
	double until = cpu_s() + seconds, used = 0, one = server && client ? 0 : -1;
	unsigned int count = 0;

	for (; one >= 0 && cpu_s() < until; count++) {
		one = shake(server, client);
		used += one;
	}
	SSL_CTX_free(server);
	SSL_CTX_free(client);
	return one >= 0 && used > 0 ? count / used : 0;
}
