// SPDX-License-Identifier: MIT
/*
 * Strict on purpose: what is not plainly a host and a port is refused before anything is asked of a
 * resolver. Host and port go into request heads, so only letters that cannot end a line are taken.
 */
#include "lib/url.h"

#include <errno.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define LETTERS	 "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
#define DIGITS	 "0123456789"
#define USER_MAX 256

/* HOST[:PORT][/]; out->port is the fallback, "" if a port must be there. */
static bool read_place(const char *s, struct sluice_place *out)
{
	const char *host = s, *end, *port;
	bool v6 = *s == '[';
	size_t n;

	if (v6) {
		end = strchr(++host, ']');
		port = end ? end + 1 : NULL;
	} else {
		end = host + strcspn(host, ":/");
		port = end;
	}
	if (!end || end == host || (size_t)(end - host) >= sizeof(out->host))
		return false;
	n = (size_t)(end - host);
	if (strspn(host, v6 ? DIGITS "abcdefABCDEF.:" : LETTERS DIGITS ".-_") < n)
		return false;
	memcpy(out->host, host, n);
	out->host[n] = 0;
	if (*port == ':') {
		n = strspn(++port, DIGITS);
		if (!n || n > 5 || strtoul(port, NULL, 10) - 1 >= 65535)
			return false;
		memcpy(out->port, port, n);
		out->port[n] = 0;
		port += n;
	}
	return out->port[0] && (!*port || !strcmp(port, "/"));
}

bool sluice_url_cloud(const char *url, struct sluice_place *out)
{
	snprintf(out->port, sizeof(out->port), "443");
	return !strncasecmp(url, "https://", 8) && read_place(url + 8, out);
}

static int hex_digit(char c)
{
	const char *digits = "0123456789abcdef", *p = c ? strchr(digits, c | 0x20) : NULL;

	if (c >= '0' && c <= '9')
		return c - '0';
	return p && *p >= 'a' ? (int)(p - digits) : -1;
}

/* Percent escapes; -1: malformed, or a byte that may not be in it. */
static int decode(const char *s, size_t n, char *out, size_t size)
{
	size_t used = 0;

	for (size_t i = 0; i < n; i++) {
		int c = (unsigned char)s[i];

		if (c == '%') {
			if (n - i < 3 || hex_digit(s[i + 1]) < 0 || hex_digit(s[i + 2]) < 0)
				return -1;
			c = hex_digit(s[i + 1]) << 4 | hex_digit(s[i + 2]);
			i += 2;
		}
		if (c < 0x20 || c == 0x7f || used + 1 >= size)
			return -1;
		out[used++] = (char)c;
	}
	return (int)used;
}

/* "user:password" before the @, as Basic has it (RFC 7617): no colon in the user's name. */
static int read_user(const char *s, size_t n, char *basic)
{
	const char *colon = memchr(s, ':', n);
	size_t user_size = colon ? (size_t)(colon - s) : n;
	char plain[USER_MAX];
	int user, password = 0;

	user = decode(s, user_size, plain, sizeof(plain) - 1);
	if (user < 1 || memchr(plain, ':', (size_t)user))
		return -EINVAL;
	plain[user++] = ':';
	if (colon)
		password = decode(colon + 1, n - user_size - 1, plain + user,
				  sizeof(plain) - (size_t)user);
	if (password < 0)
		return -EINVAL;
	EVP_EncodeBlock((unsigned char *)basic, (const unsigned char *)plain, user + password);
	OPENSSL_cleanse(plain, sizeof(plain));
	return 0;
}

int sluice_url_proxy(const char *url, struct sluice_proxy *out, const char **why)
{
	const char *rest = url, *at;

	memset(out, 0, sizeof(*out));
	*why = "the proxy must be http://[USER:PASSWORD@]HOST:PORT";
	if (!strncasecmp(url, "http://", 7)) {
		rest = url + 7;
	} else if (strstr(url, "://")) {
		*why = "only http:// proxies are spoken to (the TLS connection goes through one); "
		       "no https:// and no socks";
		return -EINVAL;
	}
	at = strrchr(rest, '@');
	if (at && read_user(rest, (size_t)(at - rest), out->basic)) {
		*why = "user and password of the proxy are not well-formed; write special letters "
		       "as %XX";
		return -EINVAL;
	}
	return read_place(at ? at + 1 : rest, &out->at) ? 0 : -EINVAL;
}

bool sluice_url_bypass(const char *list, const char *host)
{
	size_t host_size = strlen(host);

	while (list && *list) {
		size_t n = strcspn(list, ", \t");
		const char *name = list;

		list += n + (list[n] != 0);
		if (n == 1 && *name == '*')
			return true;
		if (n && *name == '.') {
			name++;
			n--;
		}
		if (!n || n > host_size || strncasecmp(host + host_size - n, name, n))
			continue;
		if (n == host_size || host[host_size - n - 1] == '.')
			return true;
	}
	return false;
}
