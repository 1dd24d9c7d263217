// SPDX-License-Identifier: MIT
/* test_proxy_head.c - both versions, in one piece and byte by byte, and each rule broken once. */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <string.h>

#include "lib/proxy_head.h"
#include "tests/unit/check.h"

#define V2 "\r\n\r\n\0\r\nQUIT\n"

/* The answer to bytes that come one by one; taken: how many it used. */
static int feed_each(struct sluice_proxy_head *p, const void *data, size_t size, size_t *taken)
{
	const uint8_t *bytes = data;
	size_t used, i;
	int r = 0;

	memset(p, 0, sizeof(*p));
	for (i = *taken = 0; i < size && !r; i++) {
		r = sluice_proxy_head_feed(p, bytes + i, 1, &used);
		*taken += used;
	}
	return r;
}

static int feed(struct sluice_proxy_head *p, const void *data, size_t size, size_t *taken)
{
	struct sluice_proxy_head each;
	size_t n;
	int r;

	memset(p, 0, sizeof(*p));
	r = sluice_proxy_head_feed(p, data, size, taken);
	CHECK(feed_each(&each, data, size, &n) == r && n == *taken && each.known == p->known);
	return r;
}

static int is_from(const struct sluice_proxy_head *p, const char *address, uint16_t port)
{
	char text[INET6_ADDRSTRLEN] = "";
	const struct sockaddr_in *v4 = (const struct sockaddr_in *)&p->from;
	const struct sockaddr_in6 *v6 = (const struct sockaddr_in6 *)&p->from;

	if (!p->known)
		return 0;
	if (p->from.ss_family == AF_INET)
		inet_ntop(AF_INET, &v4->sin_addr, text, sizeof(text));
	else
		inet_ntop(AF_INET6, &v6->sin6_addr, text, sizeof(text));
	return !strcmp(text, address) &&
	       ntohs(p->from.ss_family == AF_INET ? v4->sin_port : v6->sin6_port) == port;
}

static void test_v1(void)
{
	static const char *const bad[] = {
		"PROXY TCP4 192.0.2.7 198.51.100.1 56324\r\n",
		"PROXY TCP4 192.0.2.7 198.51.100.1 56324 443 1\r\n",
		"PROXY TCP4 192.0.2.7  198.51.100.1 56324 443\r\n",
		"PROXY TCP4 192.0.2.7 198.51.100.1 56324 443 \r\n",
		"PROXY TCP4 192.0.2.07 198.51.100.1 56324 443\r\n",
		"PROXY TCP4 192.0.2.7 198.51.100.1 65536 443\r\n",
		"PROXY TCP4 192.0.2.7 198.51.100.1 056 443\r\n",
		"PROXY TCP4 2001:db8::1 2001:db8::2 56324 443\r\n",
		"PROXY TCP5 192.0.2.7 198.51.100.1 56324 443\r\n",
		"PROXY TCP4 192.0.2.7 198.51.100.1 56324 443\n",
		"PROXY TCP4 192.0.2.7 198.51.100.1 56324 443\r\r\n",
		"PROXY TCP4 192.0.2.7\t198.51.100.1 56324 443\r\n",
		"proxy TCP4 192.0.2.7 198.51.100.1 56324 443\r\n",
		"GET / HTTP/1.1\r\n",
	};
	static const char good[] = "PROXY TCP4 192.0.2.7 198.51.100.1 56324 443\r\n\x16\x03";
	struct sluice_proxy_head p;
	char line[200];
	size_t n, i;

	CHECK(feed(&p, good, sizeof(good) - 1, &n) == 1 && n == sizeof(good) - 3);
	CHECK(is_from(&p, "192.0.2.7", 56324));
	CHECK(feed(&p, good, 20, &n) == 0 && n == 20);
	CHECK(feed(&p, "PROXY TCP6 2001:db8::1 2001:db8::2 1 2\r\n", 40, &n) == 1);
	CHECK(is_from(&p, "2001:db8::1", 1));
	CHECK(feed(&p, "PROXY UNKNOWN\r\n", 15, &n) == 1 && n == 15 && !p.known);
	CHECK(feed(&p, "PROXY UNKNOWN what ever\r\n", 25, &n) == 1 && !p.known);
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		int r = feed(&p, bad[i], strlen(bad[i]), &n);

		CHECK(r == -EBADMSG && p.why);
		if (r != -EBADMSG)
			fprintf(stderr, "taken: %s", bad[i]);
	}
	memset(line, 'x', sizeof(line));
	memcpy(line, "PROXY UNKNOWN ", 14);
	CHECK(feed(&p, line, sizeof(line), &n) == -EBADMSG && n == SLUICE_PROXY_V1_MAX);
	memcpy(line + SLUICE_PROXY_V1_MAX - 2, "\r\n", 2);
	CHECK(feed(&p, line, sizeof(line), &n) == 1 && n == SLUICE_PROXY_V1_MAX);
}

static void test_v2(void)
{
	static const char v4[] = V2 "\x21\x11\0\x0f\xc0\0\2\7\xc6\x33\x64\1\xdc\4\1\xbb\4\0\0rest";
	static const char v6[] = V2 "\x21\x21\0\x24\x20\1\xd\xb8\0\0\0\0\0\0\0\0\0\0\0\1"
				    "\x20\1\xd\xb8\0\0\0\0\0\0\0\0\0\0\0\2\0\1\0\2";
	static const char local[] = V2 "\x20\0\0\3abcrest";
	static const char *const bad[] = {
		V2 "\x11\x11\0\x0c", /* version 1 in binary */
		V2 "\x22\x11\0\x0c", /* a command that does not exist */
		V2 "\x21\x12\0\x0c", /* datagrams */
		V2 "\x21\x31\0\xd8", /* Unix sockets */
		V2 "\x21\x11\0\x0b", /* shorter than its addresses */
		V2 "\x21\x11\x10\1", /* longer than the bound */
	};
	struct sluice_proxy_head p;
	size_t n, i;

	CHECK(feed(&p, v4, sizeof(v4) - 1, &n) == 1 && n == 31);
	CHECK(is_from(&p, "192.0.2.7", 56324));
	CHECK(feed(&p, v6, sizeof(v6) - 1, &n) == 1 && n == 52);
	CHECK(is_from(&p, "2001:db8::1", 1));
	CHECK(feed(&p, local, sizeof(local) - 1, &n) == 1 && n == 19 && !p.known);
	CHECK(feed(&p, v4, 30, &n) == 0 && n == 30);
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		CHECK(feed(&p, bad[i], 16, &n) == -EBADMSG && p.why);
	CHECK(feed(&p, "\r\n\r\nGET", 7, &n) == -EBADMSG);
}

int main(void)
{
	test_v1();
	test_v2();
	return check_result();
}
