/* SPDX-License-Identifier: MIT */
/*
 * chunk.h - a chunk (bus.h) as bytes, for buses that leave the process.
 *
 * Little-endian: struct sluice_chunk_head, then its items, each a struct sluice_chunk_item and its
 * data, padded with zeros to a multiple of 8 bytes. Another version is refused.
 */
#ifndef SLUICE_CHUNK_H
#define SLUICE_CHUNK_H

#include <stddef.h>
#include <stdint.h>
#include "cloud/bus.h"

#define SLUICE_CHUNK_MAGIC   0x6b636c73u /* "slck" */
#define SLUICE_CHUNK_VERSION 1

struct sluice_chunk_head {
	uint32_t magic;
	uint16_t version, lane;
	uint32_t items; /* how many follow; at least 1 */
	uint32_t crc;	/* CRC32C of all but this field */
	char tenant[SLUICE_NAME_MAX], device[SLUICE_NAME_MAX], name[SLUICE_NAME_MAX];
};

/* Fields as in struct sluice_item. */
struct sluice_chunk_item {
	uint16_t kind, reason, flags, zero;
	uint16_t width, height, grid_w, grid_h;
	uint32_t slot, score, event, settings, state, cells_size, jpeg_size, ledger_size;
	uint64_t session, range_first, range_last, charge, epoch, sequence;
	uint64_t time_ns, utc_ns, put_ns, delivered;
	char id[40];
};

_Static_assert(sizeof(struct sluice_chunk_head) == 112, "chunk head");
_Static_assert(sizeof(struct sluice_chunk_item) == 168, "chunk item");

/* The CRC of an encoded chunk, whatever it says; size: at least of the head. */
uint32_t sluice_chunk_crc(const uint8_t *data, size_t size);

/* *out: malloc'd, the caller's. -EMSGSIZE: more than max bytes. */
int sluice_chunk_encode(const struct sluice_chunk *c, size_t max, uint8_t **out, size_t *size);

/*
 * Any bytes. *out: freed by sluice_chunk_free(); its camera is of the table. -EBADMSG: damaged, or
 * not one; -EPROTONOSUPPORT: of another version; -EINVAL, -EDQUOT: a camera that cannot be.
 */
int sluice_chunk_decode(const uint8_t *data, size_t size, struct sluice_cameras *cameras,
			struct sluice_chunk **out);

#endif
