// SPDX-License-Identifier: MIT
/*
 * password.c - scrypt (RFC 7914) with N 2^15 (unless set), r 8, p 1 and a salt of 16 bytes. The
 * parameters stand in the hash, so that they can grow; what is read back is bounded, since it comes
 * from a file.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/rand.h>

#include "cloud/camera.h"
#include "cloud/password.h"

#define BLOCK	   8
#define PARALLEL   1
#define SALT_BYTES 16
#define KEY_BYTES  32
#define MEMORY_MAX (256ul << 20)

static unsigned int cost = SLUICE_PASSWORD_COST;

void sluice_password_cost(unsigned int log_n)
{
	cost = log_n;
}

int sluice_password_check(const char *password)
{
	size_t n = strlen(password), i;

	if (n < SLUICE_PASSWORD_MIN || n > SLUICE_PASSWORD_MAX)
		return -EINVAL;
	for (i = 0; i < n; i++)
		if ((unsigned char)password[i] < 0x20 || password[i] == 0x7f)
			return -EINVAL;
	return 0;
}

static int derive(const char *password, unsigned int log_n, const uint8_t *salt, uint8_t *key)
{
	return EVP_PBE_scrypt(password, strlen(password), salt, SALT_BYTES, 1ull << log_n, BLOCK,
			      PARALLEL, MEMORY_MAX, key, KEY_BYTES) == 1
		       ? 0
		       : -ENOMEM;
}

int sluice_password_hash(const char *password, char out[SLUICE_PASSWORD_HASH])
{
	uint8_t salt[SALT_BYTES], key[KEY_BYTES];
	char salt_hex[2 * SALT_BYTES + 1], key_hex[2 * KEY_BYTES + 1];
	int err;

	if (RAND_bytes(salt, sizeof(salt)) != 1)
		return -EIO;
	err = derive(password, cost, salt, key);
	if (err)
		return err;
	sluice_hex(salt, sizeof(salt), salt_hex);
	sluice_hex(key, sizeof(key), key_hex);
	snprintf(out, SLUICE_PASSWORD_HASH, "scrypt$%u$%d$%d$%s$%s", cost, BLOCK, PARALLEL,
		 salt_hex, key_hex);
	OPENSSL_cleanse(key, sizeof(key));
	OPENSSL_cleanse(key_hex, sizeof(key_hex));
	return 0;
}

int sluice_password_verify(const char *password, const char *hash)
{
	char salt_hex[2 * SALT_BYTES + 1] = "", key_hex[2 * KEY_BYTES + 1] = "", end;
	uint8_t salt[SALT_BYTES] = { 0 }, key[KEY_BYTES] = { 0 }, found[KEY_BYTES];
	unsigned int log_n = cost, block = BLOCK, parallel = PARALLEL;
	int err;

	if (*hash && (sscanf(hash, "scrypt$%2u$%2u$%2u$%32[0-9a-f]$%64[0-9a-f]%c", &log_n, &block,
			     &parallel, salt_hex, key_hex, &end) != 5 ||
		      log_n < 10 || log_n > SLUICE_PASSWORD_COST_MAX || block != BLOCK ||
		      parallel != PARALLEL || sluice_unhex(salt_hex, salt, sizeof(salt)) ||
		      sluice_unhex(key_hex, key, sizeof(key))))
		return -EINVAL;
	err = derive(password, log_n, salt, found);
	if (!err && (CRYPTO_memcmp(found, key, sizeof(key)) || !*hash))
		err = -EACCES;
	OPENSSL_cleanse(found, sizeof(found));
	return err;
}
