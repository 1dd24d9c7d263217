// SPDX-License-Identifier: MIT
/*
 * seal.c - wrapped keys and sealed bytes, see seal.h.
 *
 * Nonces: a master key wraps with random nonces of 96 bits, one for each file; NIST's bound of 2^32
 * for random nonces is beyond any store (a segment each second for a century). Below a file's key
 * the nonce is a counter that its one writer only raises: a segment is written by one thread,
 * never opened again for writing, and a record that was taken back has used up its number; a
 * summary's file is one message.
 */
#include <endian.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/rand.h>

#include "cloud/seal.h"
#include "lib/crc32c.h"

#define NONCE 12

struct message {
	int encrypt;
	const uint8_t *key, *nonce;
	const void *aad;
	size_t aad_size;
	uint8_t *tag;
};

/* Runs the parts through the cipher into out; sets or checks the tag. */
static int run_cipher(const struct message *m, const struct sluice_seal_part *part, size_t count,
		      uint8_t *out)
{
	EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
	int n, err = -EIO;
	size_t i;

	if (!ctx)
		return -ENOMEM;
	if (EVP_CipherInit_ex(ctx, EVP_aes_256_gcm(), NULL, m->key, m->nonce, m->encrypt) != 1 ||
	    EVP_CipherUpdate(ctx, NULL, &n, m->aad, (int)m->aad_size) != 1)
		goto out;
	for (i = 0; i < count; i++) {
		if (part[i].size &&
		    EVP_CipherUpdate(ctx, out, &n, part[i].data, (int)part[i].size) != 1)
			goto out;
		out += part[i].size;
	}
	if (!m->encrypt &&
	    EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_SET_TAG, SLUICE_SEAL_TAG, m->tag) != 1)
		goto out;
	if (EVP_CipherFinal_ex(ctx, out, &n) != 1)
		err = m->encrypt ? -EIO : -EBADMSG;
	else if (!m->encrypt ||
		 EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_GET_TAG, SLUICE_SEAL_TAG, m->tag) == 1)
		err = 0;
out:
	EVP_CIPHER_CTX_free(ctx);
	return err;
}

static void put_nonce(uint64_t counter, uint8_t nonce[NONCE])
{
	uint64_t le = htole64(counter);

	memset(nonce, 0, NONCE);
	memcpy(nonce, &le, sizeof(le));
}

int sluice_seal_bytes(const uint8_t key[32], uint64_t counter, const void *aad, size_t aad_size,
		      const struct sluice_seal_part *part, size_t count, uint8_t *out)
{
	uint8_t nonce[NONCE];
	struct message m = { 1, key, nonce, aad, aad_size, out };
	size_t i;

	put_nonce(counter, nonce);
	for (i = 0; i < count; i++)
		m.tag += part[i].size;
	return run_cipher(&m, part, count, out);
}

int sluice_seal_open(const uint8_t key[32], uint64_t counter, const void *aad, size_t aad_size,
		     uint8_t *data, size_t size)
{
	uint8_t nonce[NONCE];
	struct message m = { 0, key, nonce, aad, aad_size, NULL };
	struct sluice_seal_part part = { data, size - SLUICE_SEAL_TAG };

	if (size < SLUICE_SEAL_TAG)
		return -EBADMSG;
	m.tag = data + size - SLUICE_SEAL_TAG;
	put_nonce(counter, nonce);
	return run_cipher(&m, &part, 1, data);
}

static uint32_t lock_crc(const struct sluice_lock *l)
{
	return sluice_crc32c(0, l, offsetof(struct sluice_lock, crc));
}

int sluice_seal_wrap(const struct sluice_keyring *r, const void *aad, size_t aad_size,
		     const uint8_t key[32], struct sluice_lock *lock)
{
	struct sluice_seal_part part = { key, 32 };
	struct message m = { 1, r->key[0].key, lock->nonce, aad, aad_size, lock->tag };
	int err;

	memset(lock, 0, sizeof(*lock));
	if (RAND_bytes(lock->nonce, sizeof(lock->nonce)) != 1)
		return -EIO;
	memcpy(lock->key_id, r->key[0].id, sizeof(lock->key_id));
	err = run_cipher(&m, &part, 1, lock->wrapped);
	lock->crc = htole32(lock_crc(lock));
	return err;
}

int sluice_seal_new(const struct sluice_keyring *r, const void *aad, size_t aad_size,
		    uint8_t key[32], struct sluice_lock *lock)
{
	return RAND_priv_bytes(key, 32) == 1 ? sluice_seal_wrap(r, aad, aad_size, key, lock) : -EIO;
}

/* -ENODATA: empty or damaged. */
static int open_lock(const struct sluice_keyring *r, const void *aad, size_t aad_size,
		     const struct sluice_lock *lock, uint8_t key[32])
{
	struct sluice_lock l = *lock;
	struct sluice_seal_part part = { l.wrapped, sizeof(l.wrapped) };
	struct message m = { 0, NULL, l.nonce, aad, aad_size, l.tag };
	size_t i;

	if (le32toh(l.crc) != lock_crc(&l))
		return -ENODATA;
	for (i = 0; r && i < r->count; i++) {
		if (memcmp(r->key[i].id, l.key_id, sizeof(l.key_id)) != 0)
			continue;
		m.key = r->key[i].key;
		return run_cipher(&m, &part, 1, key);
	}
	return -ENOKEY;
}

/* Says that a lock does not open, and nothing of the machine that has tried. */
static int is_verdict(int err)
{
	return err == -ENODATA || err == -EBADMSG || err == -ENOKEY;
}

int sluice_seal_unwrap(const struct sluice_keyring *r, const void *aad, size_t aad_size,
		       const struct sluice_lock lock[2], uint8_t key[32])
{
	int first = open_lock(r, aad, aad_size, &lock[0], key), second;

	if (!first)
		return 0;
	second = open_lock(r, aad, aad_size, &lock[1], key);
	if (!second)
		return 0;
	if (!is_verdict(first))
		return first;
	if (!is_verdict(second))
		return second;
	return first == -ENOKEY || second == -ENOKEY ? -ENOKEY : -EBADMSG;
}

void sluice_keyring_clear(struct sluice_keyring *r)
{
	if (r)
		OPENSSL_cleanse(r, sizeof(*r));
}
