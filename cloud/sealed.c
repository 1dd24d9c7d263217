// SPDX-License-Identifier: MIT
/* sealed.c - see sealed.h. Each file has a key of its own, used once, wrapped with the place. */
#include "cloud/sealed.h"

#include <endian.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <openssl/crypto.h>

int sluice_sealed_make(const struct sluice_keyring *keys, const char *place, const uint8_t *data,
		       size_t size, uint8_t **out, size_t *out_size)
{
	const struct sluice_seal_part part = { data, size };
	struct sluice_sealed head = { .magic = htole64(SLUICE_SEALED_MAGIC),
				      .version = htole32(SLUICE_SEALED_VERSION) };
	uint8_t key[32];
	int err = sluice_seal_new(keys, place, strlen(place), key, &head.lock[0]);

	*out_size = sizeof(head) + size + SLUICE_SEAL_TAG;
	*out = err ? NULL : malloc(*out_size);
	if (!err && !*out)
		err = -ENOMEM;
	if (!err) {
		memcpy(*out, &head, sizeof(head));
		err = sluice_seal_bytes(key, 1, NULL, 0, &part, 1, *out + sizeof(head));
	}
	OPENSSL_cleanse(key, sizeof(key));
	if (err) {
		free(*out);
		*out = NULL;
	}
	return err;
}

int sluice_sealed_open(const struct sluice_keyring *keys, const char *place, uint8_t *data,
		       size_t *size)
{
	struct sluice_sealed head;
	uint8_t key[32];
	int err;

	if (*size < SLUICE_SEALED_MORE)
		return 0;
	memcpy(&head, data, sizeof(head));
	if (le64toh(head.magic) != SLUICE_SEALED_MAGIC)
		return 0;
	if (le32toh(head.version) != SLUICE_SEALED_VERSION)
		return -EPROTONOSUPPORT;
	err = sluice_seal_unwrap(keys, place, strlen(place), head.lock, key);
	if (!err)
		err = sluice_seal_open(key, 1, NULL, 0, data + sizeof(head), *size - sizeof(head));
	OPENSSL_cleanse(key, sizeof(key));
	if (err)
		return err;
	*size -= SLUICE_SEALED_MORE;
	memmove(data, data + sizeof(head), *size);
	return 0;
}
