/* SPDX-License-Identifier: MIT */
/*
 * seal.h - encryption at rest: AES-256-GCM. Each segment and each file of a summary has a random
 * key of its own, which lies beside it, wrapped by the master key (struct sluice_lock of
 * sluice/layout.h). Only master keys are secrets to be kept; a new one wraps the same keys again.
 */
#ifndef SLUICE_SEAL_H
#define SLUICE_SEAL_H

#include <stddef.h>
#include <stdint.h>
#include <sluice/layout.h>

#define SLUICE_KEYS_MAX 4 /* master keys known at a time: the present one and earlier ones */

/* Master keys. The first wraps what is new, all of them open what is there. */
struct sluice_keyring {
	size_t count;
	struct {
		uint8_t id[8]; /* first bytes of SHA-256 of the key */
		uint8_t key[32];
	} key[SLUICE_KEYS_MAX];
};

/*
 * Adds the key in a file: 64 hex digits, white space around them allowed. why (size bytes) says
 * what is wrong. -EACCES: others may read the file; -EINVAL: it holds no key; -ENOSPC: too many.
 */
int sluice_keyring_file(struct sluice_keyring *r, const char *path, char *why, size_t size);

/* The same from what a command prints: words separated by blanks, run without a shell. -EIO: it
 * failed; -ETIMEDOUT: it took longer than 10 s. */
int sluice_keyring_command(struct sluice_keyring *r, const char *command, char *why, size_t size);

/* Overwrites the keys. NULL-safe. */
void sluice_keyring_clear(struct sluice_keyring *r);

/* A new random key, wrapped by the first master key together with what it belongs to (aad): another
 * file's lock does not fit. -EIO: no randomness, or OpenSSL failed. */
int sluice_seal_new(const struct sluice_keyring *r, const void *aad, size_t aad_size,
		    uint8_t key[32], struct sluice_lock *lock);

/* The same for a key that is there. */
int sluice_seal_wrap(const struct sluice_keyring *r, const void *aad, size_t aad_size,
		     const uint8_t key[32], struct sluice_lock *lock);

/*
 * Finds the key in one of two locks (one is empty but during a change of the master key). r may be
 * NULL. -ENOKEY: wrapped by a master key that is not here; -EBADMSG: both locks are damaged, or
 * belong to something else; -ENOMEM, -EIO: it could not be tried.
 */
int sluice_seal_unwrap(const struct sluice_keyring *r, const void *aad, size_t aad_size,
		       const struct sluice_lock lock[2], uint8_t key[32]);

struct sluice_seal_part {
	const void *data;
	size_t size;
};

/*
 * Encrypts the parts one after another into out, then SLUICE_SEAL_TAG bytes of tag. The pair of key
 * and counter must never be used twice. 0 or -EIO.
 */
int sluice_seal_bytes(const uint8_t key[32], uint64_t counter, const void *aad, size_t aad_size,
		      const struct sluice_seal_part *part, size_t count, uint8_t *out);

/* Decrypts size bytes (tag included) in place; size - SLUICE_SEAL_TAG are left. -EBADMSG: not what
 * was sealed; the bytes are then worth nothing. */
int sluice_seal_open(const uint8_t key[32], uint64_t counter, const void *aad, size_t aad_size,
		     uint8_t *data, size_t size);

#endif
