// SPDX-License-Identifier: MIT
/* sign.c - a detached signature by the server's key, whose certificate the authority has signed. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <openssl/evp.h>
#include <openssl/pem.h>

#include "cloud/export.h"

static EVP_PKEY *read_key(const char *data)
{
	char path[4096];
	EVP_PKEY *key;
	FILE *f;

	snprintf(path, sizeof(path), "%s/server.key", data);
	f = fopen(path, "re");
	if (!f)
		return NULL;
	key = PEM_read_PrivateKey(f, NULL, NULL, NULL);
	fclose(f);
	return key;
}

int sluice_sign(const char *data, const void *text, size_t size, uint8_t **out, size_t *out_size)
{
	EVP_PKEY *key = read_key(data);
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	int err = key && ctx ? -EIO : -EACCES;

	*out = NULL;
	if (key && ctx && EVP_DigestSignInit(ctx, NULL, EVP_sha256(), NULL, key) == 1 &&
	    EVP_DigestSign(ctx, NULL, out_size, text, size) == 1) {
		*out = malloc(*out_size);
		err = !*out						     ? -ENOMEM
		      : EVP_DigestSign(ctx, *out, out_size, text, size) == 1 ? 0
									     : -EIO;
	}
	if (err) {
		free(*out);
		*out = NULL;
	}
	EVP_MD_CTX_free(ctx);
	EVP_PKEY_free(key);
	return err;
}
