// SPDX-License-Identifier: MIT
/*
 * devices_sink.c - what the cloud's ingest is held against: a process that accepts one TLS 1.3
 * connection with the cloud's own certificate, reads, and throws away. Nothing is checked, copied,
 * stored or answered.
 */
#include "tests/bench/devices.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <openssl/ssl.h>

#define PIECE 20480 /* as large as a frame and its head */

static SSL_CTX *open_ctx(const struct cloud_process *c, bool server)
{
	SSL_CTX *ctx = SSL_CTX_new(server ? TLS_server_method() : TLS_client_method());
	char path[256];

	SSL_CTX_set_min_proto_version(ctx, TLS1_3_VERSION);
	snprintf(path, sizeof(path), "%s/server.crt", c->data);
	if (server && SSL_CTX_use_certificate_chain_file(ctx, path) != 1)
		return NULL;
	snprintf(path, sizeof(path), "%s/server.key", c->data);
	if (server && SSL_CTX_use_PrivateKey_file(ctx, path, SSL_FILETYPE_PEM) != 1)
		return NULL;
	return ctx;
}

/* The sink: ends with 0 once it has read so many bytes. */
static int run_sink(const struct cloud_process *c, int listener, uint64_t bytes)
{
	static char buf[65536];
	SSL_CTX *ctx = open_ctx(c, true);
	int fd = accept(listener, NULL, NULL), n;
	SSL *ssl = ctx ? SSL_new(ctx) : NULL;

	if (!ssl || fd < 0 || SSL_set_fd(ssl, fd) != 1 || SSL_accept(ssl) != 1)
		return 1;
	while (bytes) {
		n = SSL_read(ssl, buf, sizeof(buf));
		if (n <= 0)
			return 1;
		bytes -= (uint64_t)n < bytes ? (uint64_t)n : bytes;
	}
	return SSL_write(ssl, "done", 4) == 4 ? 0 : 1;
}

static int feed_sink(const struct cloud_process *c, const struct sockaddr_in *at, uint64_t bytes)
{
	static char frame[PIECE], word[4];
	SSL_CTX *ctx = open_ctx(c, false);
	SSL *ssl = SSL_new(ctx);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), ok;

	ok = !connect(fd, (const struct sockaddr *)at, sizeof(*at)) && SSL_set_fd(ssl, fd) == 1 &&
	     SSL_connect(ssl) == 1;
	while (ok && bytes) {
		ok = SSL_write(ssl, frame, PIECE) == PIECE;
		bytes -= bytes < PIECE ? bytes : PIECE;
	}
	ok = ok && SSL_read(ssl, word, sizeof(word)) > 0;
	SSL_free(ssl);
	SSL_CTX_free(ctx);
	close(fd);
	return ok ? 0 : -1;
}

double devices_sink(const struct cloud_process *c, uint64_t bytes)
{
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof(a);
	int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), status = -1, err;
	struct rusage use;
	pid_t pid;

	if (bind(listener, (struct sockaddr *)&a, len) || listen(listener, 1) ||
	    getsockname(listener, (struct sockaddr *)&a, &len)) {
		close(listener);
		return -1;
	}
	pid = fork();
	if (!pid)
		_exit(run_sink(c, listener, bytes));
	close(listener);
	err = feed_sink(c, &a, bytes);
	if (pid < 0 || wait4(pid, &status, 0, &use) != pid || err || status)
		return -1;
	return (double)use.ru_utime.tv_sec + (double)use.ru_utime.tv_usec * 1e-6 +
	       (double)use.ru_stime.tv_sec + (double)use.ru_stime.tv_usec * 1e-6;
}
