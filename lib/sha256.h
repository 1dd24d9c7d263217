/* SPDX-License-Identifier: MIT */
/*
 * sha256.h - SHA-256 of bytes that are at hand, which cannot fail.
 *
 * OpenSSL 3's SHA256() allocates, and leaves the digest unwritten when it cannot. Names, ids and
 * manifests that are made of digests would then be made of nothing.
 */
#ifndef SLUICE_SHA256_H
#define SLUICE_SHA256_H

#include <stddef.h>
#include <stdint.h>
#include <openssl/sha.h>

static inline void sluice_sha256(const void *data, size_t size, uint8_t out[SHA256_DIGEST_LENGTH])
{
	SHA256_CTX c;

	/* deprecated in favour of the calls that allocate */
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wdeprecated-declarations"
	SHA256_Init(&c);
	SHA256_Update(&c, data, size);
	SHA256_Final(out, &c);
#pragma GCC diagnostic pop
}

#endif
