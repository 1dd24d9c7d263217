/* SPDX-License-Identifier: MIT */
/*
 * sealed.h - a file that is one sealed message (sluice/layout.h), bound to its place in the store:
 * moved to another one it does not open. What begins like none is plain, and read as it is, so
 * that a store that is sealed from some day on still gives what it kept before.
 */
#ifndef SLUICE_SEALED_H
#define SLUICE_SEALED_H

#include "cloud/seal.h"

/* What sealing adds to a file at most. */
#define SLUICE_SEALED_MORE (sizeof(struct sluice_sealed) + SLUICE_SEAL_TAG)

/* The bytes of such a file, malloc'd, in *out. -ENOMEM, -EIO. */
int sluice_sealed_make(const struct sluice_keyring *keys, const char *place, const uint8_t *data,
		       size_t size, uint8_t **out, size_t *out_size);

/* In place; *size shrinks. keys may be NULL. -ENOKEY; -EBADMSG: damaged, or of another place. */
int sluice_sealed_open(const struct sluice_keyring *keys, const char *place, uint8_t *data,
		       size_t *size);

#endif
