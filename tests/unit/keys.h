/* SPDX-License-Identifier: MIT */
/* keys.h - master keys for tests. */
#ifndef SLUICE_TEST_KEYS_H
#define SLUICE_TEST_KEYS_H

#include <string.h>

#include "cloud/seal.h"
#include "lib/sha256.h"

/* A ring with the key of that number, and behind it, if it is not 0, the one of number `old`. */
static inline const struct sluice_keyring *make_ring(struct sluice_keyring *r, int number, int old)
{
	uint8_t digest[32];

	memset(r, 0, sizeof(*r));
	for (r->count = 0; r->count < (old ? 2u : 1u); r->count++) {
		memset(r->key[r->count].key, r->count ? old : number, 32);
		sluice_sha256(r->key[r->count].key, 32, digest);
		memcpy(r->key[r->count].id, digest, 8);
	}
	return r;
}

static inline const struct sluice_keyring *make_keys(int number)
{
	static struct sluice_keyring ring;

	return make_ring(&ring, number, 0);
}

#endif
