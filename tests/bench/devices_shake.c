// SPDX-License-Identifier: MIT
/*
 * devices_shake.c - handshakes and nothing else, by blocking clients in threads. A client of
 * TLS 1.3 is done before the server is, so each waits for the first ticket: the server sends it
 * last.
 */
#include "tests/bench/devices.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#include <openssl/ssl.h>

#define CLIENTS 2

struct shaker {
	const struct cloud_process *cloud;
	pthread_t thread;
	SSL_CTX *ctx;
	SSL_SESSION *session; /* to resume; NULL: a full handshake each time */
	bool resumed, ticket, failed;
	double until;
	uint64_t count;
};

static double now_s(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static int on_session(SSL *ssl, SSL_SESSION *session)
{
	struct shaker *s = SSL_get_app_data(ssl);

	s->ticket = true;
	if (!s->resumed)
		return 0;
	SSL_SESSION_free(s->session);
	s->session = SSL_SESSION_dup(session);
	return 0;
}

static int dial(const struct cloud_process *c)
{
	struct sockaddr_in a = { .sin_family = AF_INET,
				 .sin_port = htons((uint16_t)strtoul(c->port, NULL, 10)),
				 .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	const struct timeval limit = { 5, 0 };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
	if (!connect(fd, (struct sockaddr *)&a, sizeof(a)))
		return fd;
	close(fd);
	return -1;
}

/* One handshake, up to the ticket. */
static int shake(struct shaker *s)
{
	int fd = dial(s->cloud), want = s->resumed && s->session, ok;
	SSL *ssl = SSL_new(s->ctx);
	char byte;

	SSL_set_app_data(ssl, s);
	SSL_set_fd(ssl, fd);
	SSL_set1_host(ssl, "localhost");
	SSL_set_tlsext_host_name(ssl, "localhost");
	if (want)
		SSL_set_session(ssl, s->session);
	s->ticket = false;
	ok = fd >= 0 && SSL_connect(ssl) == 1 && (!want || SSL_session_reused(ssl));
	/* nothing else comes: the first ticket ends the wait, the end of the connection fails it */
	SSL_set_mode(ssl, SSL_MODE_AUTO_RETRY);
	SSL_clear_mode(ssl, SSL_MODE_AUTO_RETRY);
	while (ok && !s->ticket)
		ok = SSL_read(ssl, &byte, 1) > 0 || (s->ticket && 1) ||
		     SSL_get_error(ssl, 0) == SSL_ERROR_WANT_READ;
	SSL_free(ssl);
	if (fd >= 0)
		close(fd);
	return ok ? 0 : -1;
}

static void *shaker_main(void *arg)
{
	struct shaker *s = arg;

	while (now_s() < s->until && !s->failed) {
		s->failed = shake(s) != 0;
		s->count += !s->failed;
	}
	return NULL;
}

static int open_shaker(struct shaker *s, const struct cloud_process *c, unsigned int n)
{
	char path[256];
	bool ok;

	s->cloud = c;
	s->ctx = SSL_CTX_new(TLS_client_method());
	SSL_CTX_set_min_proto_version(s->ctx, TLS1_3_VERSION);
	SSL_CTX_set_verify(s->ctx, SSL_VERIFY_PEER, NULL);
	SSL_CTX_set_alpn_protos(s->ctx, (const unsigned char *)"\x08http/1.1", 9);
	SSL_CTX_set_session_cache_mode(s->ctx, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
	SSL_CTX_sess_set_new_cb(s->ctx, on_session);
	SSL_CTX_set1_groups_list(s->ctx, "X25519:P-256");
	snprintf(path, sizeof(path), "%s/ca.crt", c->data);
	ok = SSL_CTX_load_verify_file(s->ctx, path) == 1;
	cloud_process_file(c, n, "crt", path);
	ok = ok && SSL_CTX_use_certificate_file(s->ctx, path, SSL_FILETYPE_PEM) == 1;
	cloud_process_file(c, n, "key", path);
	return ok && SSL_CTX_use_PrivateKey_file(s->ctx, path, SSL_FILETYPE_PEM) == 1 ? 0 : -1;
}

uint64_t devices_shake(const struct cloud_process *c, bool resumed, unsigned int seconds)
{
	struct shaker s[CLIENTS] = { 0 };
	uint64_t count = 0;
	unsigned int i;
	bool failed = false;

	for (i = 0; i < CLIENTS; i++) {
		s[i].resumed = resumed;
		s[i].until = now_s() + seconds;
		failed |= open_shaker(&s[i], c, i) != 0;
	}
	for (i = 0; i < CLIENTS && !failed; i++)
		pthread_create(&s[i].thread, NULL, shaker_main, &s[i]);
	for (i = 0; i < CLIENTS; i++) {
		if (!failed)
			pthread_join(s[i].thread, NULL);
		count += s[i].count;
		failed |= s[i].failed;
		SSL_SESSION_free(s[i].session);
		SSL_CTX_free(s[i].ctx);
	}
	return failed ? 0 : count;
}
