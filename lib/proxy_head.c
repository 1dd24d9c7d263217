// SPDX-License-Identifier: MIT
/*
 * proxy_head.c - strict: what the protocol's text does not allow is refused, and so is what Sluice
 * has no use for (datagrams, Unix sockets). Of version 2 the addresses are kept and what follows
 * them (TLVs) is counted off unread, SLUICE_PROXY_V2_MAX bytes at most.
 */
#include "lib/proxy_head.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <string.h>

#define V2_FIXED 16
#define V2_IPV4	 12 /* two addresses, two ports */
#define V2_IPV6	 36

static const uint8_t signature[12] = { '\r', '\n', '\r', '\n', 0,   '\r',
				       '\n', 'Q',  'U',	 'I',  'T', '\n' };

static int refuse(struct sluice_proxy_head *p, const char *why)
{
	p->why = why;
	return -EBADMSG;
}

static void set_from(struct sluice_proxy_head *p, int family, const void *address, uint16_t port)
{
	p->known = true;
	if (family == AF_INET) {
		struct sockaddr_in *a = (struct sockaddr_in *)&p->from;

		a->sin_family = AF_INET;
		a->sin_port = htons(port);
		memcpy(&a->sin_addr, address, sizeof(a->sin_addr));
		p->from_len = sizeof(*a);
	} else {
		struct sockaddr_in6 *a = (struct sockaddr_in6 *)&p->from;

		a->sin6_family = AF_INET6;
		a->sin6_port = htons(port);
		memcpy(&a->sin6_addr, address, sizeof(a->sin6_addr));
		p->from_len = sizeof(*a);
	}
}

/* ---- version 1 ---- */

/* "0".."65535", no leading zeros; -1: none. */
static long read_port(const char *s)
{
	long n = 0;

	if (!*s || (s[0] == '0' && s[1]) || strlen(s) > 5)
		return -1;
	for (; *s; s++) {
		if (*s < '0' || *s > '9')
			return -1;
		n = 10 * n + *s - '0';
	}
	return n <= 65535 ? n : -1;
}

/* Cuts the next word off at a single blank; NULL: there is none. */
static char *next_word(char **at)
{
	char *word = *at, *end = word ? strchr(word, ' ') : NULL;

	*at = end ? end + 1 : NULL;
	if (end)
		*end = 0;
	return word && *word ? word : NULL;
}

/* line: what stands behind "PROXY ", without CRLF. */
static int read_v1(struct sluice_proxy_head *p, char *line)
{
	struct in6_addr from, to;
	char *word[5], *at = line;
	int family, i;
	long port;

	if (!strcmp(line, "UNKNOWN") || !strncmp(line, "UNKNOWN ", 8))
		return 1;
	for (i = 0; i < 5; i++) {
		word[i] = next_word(&at);
		if (!word[i])
			break;
	}
	if (i < 5 || at)
		return refuse(p, "the PROXY line has not six words");
	family = !strcmp(word[0], "TCP4") ? AF_INET : !strcmp(word[0], "TCP6") ? AF_INET6 : 0;
	if (!family)
		return refuse(p, "the PROXY line has another family than TCP4 and TCP6");
	port = read_port(word[3]);
	if (inet_pton(family, word[1], &from) != 1 || inet_pton(family, word[2], &to) != 1 ||
	    port < 0 || read_port(word[4]) < 0)
		return refuse(p, "the PROXY line has a malformed address or port");
	set_from(p, family, &from, (uint16_t)port);
	return 1;
}

static int feed_v1(struct sluice_proxy_head *p, uint8_t byte)
{
	static const char start[] = "PROXY ";
	const size_t n = sizeof(start) - 1;

	p->bytes[p->used++] = byte;
	if (p->used <= n)
		return byte == (uint8_t)start[p->used - 1]
			       ? 0
			       : refuse(p, "no PROXY head at the start");
	if (byte == '\n') {
		if (p->bytes[p->used - 2] != '\r')
			return refuse(p, "the PROXY line does not end in CR LF");
		p->bytes[p->used - 2] = 0;
		return read_v1(p, (char *)p->bytes + n);
	}
	if (p->bytes[p->used - 2] == '\r' || (byte != '\r' && (byte < ' ' || byte > '~')))
		return refuse(p, "the PROXY line holds a byte that is no text");
	if (p->used == SLUICE_PROXY_V1_MAX)
		return refuse(p, "the PROXY line is too long");
	return 0;
}

/* ---- version 2 ---- */

/* The fixed part is there: how much follows, and how much of that is wanted. */
static int check_v2(struct sluice_proxy_head *p)
{
	const uint8_t *b = p->bytes;
	uint32_t length = (uint32_t)b[14] << 8 | b[15];
	uint32_t want = b[13] == 0x11 ? V2_IPV4 : b[13] == 0x21 ? V2_IPV6 : 0;

	if (b[12] != 0x20 && b[12] != 0x21)
		return refuse(p, "the PROXY head is of another version or command");
	if (length > SLUICE_PROXY_V2_MAX)
		return refuse(p, "the PROXY head is too long");
	if (b[12] == 0x20) { /* LOCAL: whatever follows means nothing */
		p->skip = length;
		return 0;
	}
	if (b[13] && !want)
		return refuse(p, "the PROXY head is not of TCP over IPv4 or IPv6");
	if (length < want)
		return refuse(p, "the PROXY head is too short for its addresses");
	p->skip = length - want;
	return 0;
}

/* Bytes that are kept: the fixed part and the addresses. */
static uint32_t kept_v2(const struct sluice_proxy_head *p)
{
	const uint8_t *b = p->bytes;

	if (p->used < V2_FIXED || b[12] == 0x20)
		return V2_FIXED;
	return V2_FIXED + (b[13] == 0x11 ? V2_IPV4 : b[13] == 0x21 ? V2_IPV6 : 0);
}

static void read_v2(struct sluice_proxy_head *p)
{
	const uint8_t *a = p->bytes + V2_FIXED;

	if (kept_v2(p) == V2_FIXED + V2_IPV4)
		set_from(p, AF_INET, a, (uint16_t)(a[8] << 8 | a[9]));
	else if (kept_v2(p) == V2_FIXED + V2_IPV6)
		set_from(p, AF_INET6, a, (uint16_t)(a[32] << 8 | a[33]));
}

static int feed_v2(struct sluice_proxy_head *p, uint8_t byte)
{
	int err;

	if (p->used >= V2_FIXED && p->used == kept_v2(p)) {
		p->skip--;
	} else {
		p->bytes[p->used++] = byte;
		if (p->used <= sizeof(signature))
			return byte == signature[p->used - 1]
				       ? 0
				       : refuse(p, "no PROXY head at the start");
		err = p->used == V2_FIXED ? check_v2(p) : 0;
		if (err)
			return err;
	}
	if (p->used < kept_v2(p) || p->used < V2_FIXED || p->skip)
		return 0;
	read_v2(p);
	return 1;
}

int sluice_proxy_head_feed(struct sluice_proxy_head *p, const uint8_t *data, size_t size,
			   size_t *used)
{
	int r = 0;

	for (*used = 0; *used < size && !r; ++*used) {
		uint8_t byte = data[*used];
		int binary = p->used ? p->bytes[0] == signature[0] : byte == signature[0];

		r = binary ? feed_v2(p, byte) : feed_v1(p, byte);
	}
	return r;
}
