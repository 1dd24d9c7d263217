// SPDX-License-Identifier: MIT
/*
 * uplink_sink.c - the other end of the measured connections: blocking OpenSSL, a process a
 * connection. As the cloud does it says STORED every MiB or 200 ms, and keeps 8 MiB of credit ahead
 * of what is stored; frames are checked (CRC) and dropped. Anything unexpected ends the process:
 * the measured side then fails.
 */
#include "uplink_bench.h"
#include "lib/crc32c.h"
#include "lib/wire.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <openssl/ssl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define WINDOW	  (8u << 20)
#define GROUP	  (1u << 20)
#define GROUP_NS  200000000ull
#define FRAME_MAX (4u << 20)

struct link {
	SSL *ssl;
	struct sluice_wire_decoder decoder;
	uint64_t epoch, received, stored, sequence, stored_ns, sent;
	bool waiting;
};

static uint64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static void write_all(SSL *ssl, const void *data, size_t size)
{
	size_t n;

	if (SSL_write_ex(ssl, data, size, &n) != 1 || n != size)
		exit(1);
}

static size_t read_some(SSL *ssl, void *data, size_t size)
{
	size_t n = 0;

	return SSL_read_ex(ssl, data, size, &n) == 1 ? n : 0;
}

static void say(struct link *l, uint8_t type, uint32_t slot, const struct sluice_wire_writer *w)
{
	struct sluice_wire_message m = { .type = type, .slot = slot, .sequence = l->sent++ };
	uint8_t buf[sizeof(struct sluice_wire_header) + 512];

	m.length = w->used;
	sluice_wire_header_put((void *)buf, &m, sluice_crc32c(0, w->buf, w->used));
	memcpy(buf + sizeof(struct sluice_wire_header), w->buf, w->used);
	write_all(l->ssl, buf, sizeof(struct sluice_wire_header) + w->used);
}

static void store(struct link *l)
{
	_Alignas(8) uint8_t buf[128];
	struct sluice_wire_writer w = { .buf = buf, .size = sizeof(buf) };

	l->stored = l->received;
	l->stored_ns = now_ns();
	l->waiting = false;
	sluice_wire_put_u64(&w, SLUICE_TAG_EPOCH, l->epoch);
	sluice_wire_put_u32(&w, SLUICE_TAG_STAGE, SLUICE_STAGE_STORED);
	sluice_wire_put_u64(&w, SLUICE_TAG_CUMULATIVE, l->sequence);
	say(l, SLUICE_MSG_ACK, 1, &w);
	w = (struct sluice_wire_writer){ .buf = buf, .size = sizeof(buf) };
	sluice_wire_put_u64(&w, SLUICE_TAG_CREDIT, l->stored + WINDOW);
	say(l, SLUICE_MSG_CREDIT, 0, &w);
}

static void take(struct link *l, const struct sluice_wire_message *m)
{
	_Alignas(8) uint8_t buf[256];
	struct sluice_wire_writer w = { .buf = buf, .size = sizeof(buf) };
	struct sluice_wire_fields f;

	if (m->type == SLUICE_MSG_FRAME) {
		l->received += m->length;
		l->sequence = m->sequence;
		if (!l->waiting)
			l->stored_ns = now_ns();
		l->waiting = true;
		if (l->received - l->stored >= GROUP)
			store(l);
		return;
	}
	if (m->type == SLUICE_MSG_HELLO) {
		sluice_wire_put_u64(&w, SLUICE_TAG_CREDIT, WINDOW);
		sluice_wire_put_u32(&w, SLUICE_TAG_PAYLOAD_MAX, FRAME_MAX);
		say(l, SLUICE_MSG_WELCOME, 0, &w);
	} else if (m->type == SLUICE_MSG_OPEN || m->type == SLUICE_MSG_CLOSE) {
		if (sluice_wire_fields_get(&f, m->payload, m->length, 0) ||
		    sluice_wire_get_u64(&f, SLUICE_TAG_EPOCH, &l->epoch))
			exit(1);
		if (l->waiting)
			store(l);
		sluice_wire_put_u64(&w, SLUICE_TAG_EPOCH, l->epoch);
		if (m->type == SLUICE_MSG_OPEN)
			sluice_wire_put_u64(&w, SLUICE_TAG_RESUME, 0);
		say(l, m->type == SLUICE_MSG_OPEN ? SLUICE_MSG_OPENED : SLUICE_MSG_DONE, m->slot,
		    &w);
	}
}

static void serve_uplink(SSL *ssl)
{
	static const char answer[] = "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\n"
				     "Upgrade: sluice/1\r\n\r\n";
	static uint8_t buf[1 << 17];
	struct link l = { .ssl = ssl };
	struct sluice_wire_message m;
	size_t n, used;

	write_all(ssl, answer, sizeof(answer) - 1);
	sluice_wire_decoder_init(&l.decoder, FRAME_MAX);
	while ((n = read_some(ssl, buf, sizeof(buf)))) {
		const uint8_t *p = buf;

		while (n) {
			int r = sluice_wire_feed(&l.decoder, p, n, &used, &m);

			if (r < 0)
				exit(1);
			if (r)
				take(&l, &m);
			p += used;
			n -= used;
		}
		if (l.waiting && now_ns() - l.stored_ns > GROUP_NS)
			store(&l);
	}
}

/* From behind the head of the first request, which is in buf. */
static void serve_posts(SSL *ssl, char *buf, size_t room, size_t have)
{
	static const char answer[] = "HTTP/1.1 204 No Content\r\n\r\n";

	while (have) {
		char *end, *length;
		size_t body, n;

		buf[have] = 0;
		end = strstr(buf, "\r\n\r\n");
		length = strcasestr(buf, "content-length:");
		if (!end || !length) {
			if (have == room || !(n = read_some(ssl, buf + have, room - have)))
				return;
			have += n;
			continue;
		}
		body = strtoul(length + 15, NULL, 10) + (size_t)(end + 4 - buf);
		while (have < body && (n = read_some(ssl, buf, room))) {
			body -= have; /* it is dropped as it comes */
			have = n;
		}
		if (have < body)
			return;
		write_all(ssl, answer, sizeof(answer) - 1);
		memmove(buf, buf + body, have - body);
		have -= body;
		if (!have)
			have = read_some(ssl, buf, room);
	}
}

static void serve_raw(SSL *ssl, char *buf, size_t room, size_t have)
{
	size_t left = strtoul(buf + 4, NULL, 10), n;

	left -= have;
	while (left && (n = read_some(ssl, buf, room)))
		left -= n;
	write_all(ssl, "!", 1);
}

static void serve_one(SSL_CTX *ctx, int fd)
{
	static char buf[(1 << 17) + 1];
	SSL *ssl = SSL_new(ctx);
	size_t have;

	SSL_set_fd(ssl, fd);
	if (SSL_accept(ssl) != 1)
		exit(1);
	have = read_some(ssl, buf, sizeof(buf) - 1);
	buf[have] = 0;
	if (!strncmp(buf, "GET ", 4))
		serve_uplink(ssl);
	else if (!strncmp(buf, "POST ", 5))
		serve_posts(ssl, buf, sizeof(buf) - 1, have);
	else if (!strncmp(buf, "RAW ", 4))
		serve_raw(ssl, buf, sizeof(buf) - 1, have);
	SSL_shutdown(ssl);
	exit(0);
}

static int choose_alpn(SSL *ssl, const unsigned char **out, unsigned char *size,
		       const unsigned char *in, unsigned int in_size, void *arg)
{
	static const unsigned char http[] = "\x08http/1.1";

	return SSL_select_next_proto((unsigned char **)out, size, http, 9, in, in_size) ==
			       OPENSSL_NPN_NEGOTIATED
		       ? SSL_TLSEXT_ERR_OK
		       : SSL_TLSEXT_ERR_NOACK;
}

int uplink_sink_listen(int *fd)
{
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t size = sizeof(a);

	*fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (*fd < 0 || bind(*fd, (void *)&a, sizeof(a)) || listen(*fd, 8) ||
	    getsockname(*fd, (void *)&a, &size))
		return -errno;
	return ntohs(a.sin_port);
}

void uplink_sink_serve(int fd, const char *crt, const char *key)
{
	SSL_CTX *ctx = SSL_CTX_new(TLS_server_method());
	int one = 1, peer;

	signal(SIGCHLD, SIG_IGN);
	signal(SIGPIPE, SIG_IGN);
	SSL_CTX_set_min_proto_version(ctx, TLS1_3_VERSION);
	SSL_CTX_set_alpn_select_cb(ctx, choose_alpn, NULL);
	if (SSL_CTX_use_certificate_chain_file(ctx, crt) != 1 ||
	    SSL_CTX_use_PrivateKey_file(ctx, key, SSL_FILETYPE_PEM) != 1)
		exit(1);
	while ((peer = accept(fd, NULL, NULL)) >= 0) {
		setsockopt(peer, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
		if (!fork())
			serve_one(ctx, peer);
		close(peer);
	}
	exit(1);
}
