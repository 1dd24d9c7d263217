// SPDX-License-Identifier: MIT
/*
 * The answer's head is collected up to its empty line and only its first line is read: what fields
 * a proxy adds (even a Content-Length, RFC 9110 9.3.6) means nothing for a tunnel. Nothing that the
 * proxy says is trusted: TLS inside names the cloud.
 */
#include "lib/tunnel.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

int sluice_tunnel_request(const struct sluice_proxy *p, const char *host, const char *port,
			  char *buf, size_t size)
{
	const char *l = strchr(host, ':') ? "[" : "", *r = *l ? "]" : "";
	int n = snprintf(buf, size, "CONNECT %s%s%s:%s HTTP/1.1\r\nHost: %s%s%s:%s\r\n%s%s%s\r\n",
			 l, host, r, port, l, host, r, port,
			 p->basic[0] ? "Proxy-Authorization: Basic " : "", p->basic,
			 p->basic[0] ? "\r\n" : "");

	return n < 0 || (size_t)n >= size ? -ENOBUFS : n;
}

/* "HTTP/1.x NNN": the status, or -1. */
static int read_status(const char *head)
{
	int status = 0;

	if (strncmp(head, "HTTP/1.", 7) || (head[7] != '0' && head[7] != '1') || head[8] != ' ')
		return -1;
	for (int i = 9; i < 12; i++) {
		if (head[i] < '0' || head[i] > '9')
			return -1;
		status = status * 10 + head[i] - '0';
	}
	return head[12] == ' ' || head[12] == '\r' ? status : -1;
}

static int take_answer(struct sluice_tunnel *t)
{
	const char *words = "it refused";

	t->status = read_status(t->head);
	if (t->status < 100) {
		snprintf(t->why, sizeof(t->why), "the proxy's answer is not HTTP/1");
		return -EBADMSG;
	}
	if (t->status >= 200 && t->status < 300)
		return 1;
	if (t->status == 407)
		words = "it wants a user name and password: proxy = http://USER:PASSWORD@HOST:PORT";
	else if (t->status == 403 || t->status == 405)
		words = "it does not allow the cloud's address; ask who runs it";
	else if (t->status >= 502 && t->status <= 504)
		words = "it cannot reach the cloud";
	snprintf(t->why, sizeof(t->why), "the proxy says %d: %s", t->status, words);
	return -ECONNREFUSED;
}

int sluice_tunnel_feed(struct sluice_tunnel *t, const uint8_t *data, size_t size)
{
	for (size_t i = 0; i < size; i++) {
		int r;

		if (t->used == SLUICE_TUNNEL_HEAD_MAX || !data[i]) {
			snprintf(t->why, sizeof(t->why),
				 "the proxy's answer is not HTTP/1, or longer than %d bytes",
				 SLUICE_TUNNEL_HEAD_MAX);
			return -EBADMSG;
		}
		t->head[t->used++] = (char)data[i];
		if (data[i] != '\n' || t->used < 4 || memcmp(t->head + t->used - 4, "\r\n\r\n", 4))
			continue;
		r = take_answer(t);
		if (r == 1 && i + 1 < size) {
			snprintf(t->why, sizeof(t->why), "the proxy spoke out of turn");
			return -EBADMSG;
		}
		return r;
	}
	return 0;
}
