// SPDX-License-Identifier: MIT
/* totp.c - RFC 6238 over RFC 4226. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include "cloud/totp.h"

void sluice_totp_code(const uint8_t *secret, size_t size, uint64_t step, unsigned int digits,
		      char *out)
{
	uint8_t counter[8], mac[EVP_MAX_MD_SIZE];
	unsigned int length = 0, at, i;
	uint32_t value, mod = 1;

	for (i = 0; i < 8; i++)
		counter[i] = (uint8_t)(step >> (56 - 8 * i));
	memset(mac, 0, sizeof(mac));
	HMAC(EVP_sha1(), secret, (int)size, counter, sizeof(counter), mac, &length);
	at = mac[19] & 15;
	value = (uint32_t)(mac[at] & 0x7f) << 24 | (uint32_t)mac[at + 1] << 16 |
		(uint32_t)mac[at + 2] << 8 | mac[at + 3];
	for (i = 0; i < digits; i++)
		mod *= 10;
	snprintf(out, digits + 1, "%0*u", (int)digits, value % mod);
}

int sluice_totp_check(const uint8_t secret[SLUICE_TOTP_SECRET], const char *code, uint64_t now_s,
		      uint64_t *used)
{
	uint64_t now = now_s / SLUICE_TOTP_STEP_S, step, found = 0;
	char want[7];

	if (strlen(code) != 6)
		return -EACCES;
	for (step = now ? now - 1 : now; step <= now + 1; step++) {
		sluice_totp_code(secret, SLUICE_TOTP_SECRET, step, 6, want);
		if (!CRYPTO_memcmp(want, code, 6) && step > *used && !found)
			found = step;
	}
	if (!found)
		return -EACCES;
	*used = found;
	return 0;
}

void sluice_base32(const uint8_t *in, size_t size, char *out)
{
	static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
	uint32_t bits = 0;
	int have = 0;
	size_t i, n = 0;

	for (i = 0; i < size; i++) {
		bits = bits << 8 | in[i];
		for (have += 8; have >= 5; have -= 5)
			out[n++] = letters[bits >> (have - 5) & 31];
	}
	out[n] = 0;
}

int sluice_totp_uri(const char *secret_text, const char *issuer, const char *tenant,
		    const char *user, char *out, size_t size)
{
	/* names have no character that would need escaping */
	int n = snprintf(out, size, "otpauth://totp/%s:%s%%40%s?secret=%s&issuer=%s", issuer, user,
			 tenant, secret_text, issuer);

	return n < 0 || (size_t)n >= size ? -ENAMETOOLONG : 0;
}
