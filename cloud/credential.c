// SPDX-License-Identifier: MIT
/* credential.c - bearer tokens, cookies (RFC 6265), and what keeps other sites from using them. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include "cloud/camera.h"
#include "cloud/credential.h"

static int copy_secret(const char *from, size_t n, char secret[SLUICE_SECRET_MAX])
{
	if (!n || n >= SLUICE_SECRET_MAX)
		return -EINVAL;
	memcpy(secret, from, n);
	secret[n] = 0;
	return 0;
}

/* Adds to *count how often the cookie is in one field; the last one is in secret. */
static void read_cookies(const char *value, char secret[SLUICE_SECRET_MAX], unsigned int *count)
{
	const size_t n = strlen(SLUICE_COOKIE);

	while (*value) {
		size_t len;

		value += strspn(value, " \t;");
		len = strcspn(value, ";");
		if (len > n && !strncmp(value, SLUICE_COOKIE, n) && value[n] == '=') {
			size_t end = len;

			while (end > n + 1 && (value[end - 1] == ' ' || value[end - 1] == '\t'))
				end--;
			++*count;
			if (copy_secret(value + n + 1, end - n - 1, secret))
				*count = 2; /* never good */
		}
		value += len;
	}
}

enum sluice_credential sluice_credential_read(const struct sluice_http *h,
					      char secret[SLUICE_SECRET_MAX])
{
	const char *field = sluice_http_field(h, "authorization");
	unsigned int i, count = 0;

	secret[0] = 0;
	if (field)
		return !strncasecmp(field, "Bearer ", 7) &&
				       !copy_secret(field + 7, strlen(field + 7), secret)
			       ? SLUICE_BEARER
			       : SLUICE_NO_CREDENTIAL;
	for (i = 0; i < h->field_count; i++)
		if (!strcmp(h->field[i].name, "cookie"))
			read_cookies(h->field[i].value, secret, &count);
	return count == 1 ? SLUICE_COOKIE_SENT : SLUICE_NO_CREDENTIAL;
}

void sluice_csrf_token(const char *secret, char out[SLUICE_CSRF_MAX])
{
	static const uint8_t what[] = "sluice csrf";
	uint8_t mac[EVP_MAX_MD_SIZE];
	unsigned int length = 0;

	memset(mac, 0, sizeof(mac));
	HMAC(EVP_sha256(), secret, (int)strlen(secret), what, sizeof(what) - 1, mac, &length);
	sluice_hex(mac, 16, out);
}

/* Only our own page's requests say same-origin; "none" is a person's own doing. */
static int check_site(const struct sluice_http *h)
{
	const char *site = sluice_http_field(h, "sec-fetch-site");
	const char *origin = sluice_http_field(h, "origin");
	const char *host = sluice_http_field(h, "host");

	if (site && strcmp(site, "same-origin") && strcmp(site, "none"))
		return -EACCES;
	if (origin && (!host || strncmp(origin, "https://", 8) || strcasecmp(origin + 8, host)))
		return -EACCES;
	return 0;
}

int sluice_csrf_check(const struct sluice_http *h, const char *secret)
{
	const char *sent = sluice_http_field(h, "x-csrf-token");
	char want[SLUICE_CSRF_MAX];

	if (check_site(h))
		return -EACCES;
	if (!secret)
		return 0;
	sluice_csrf_token(secret, want);
	if (!sent || strlen(sent) != strlen(want) || CRYPTO_memcmp(sent, want, strlen(want)))
		return -EACCES;
	return 0;
}
