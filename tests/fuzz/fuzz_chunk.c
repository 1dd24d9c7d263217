// SPDX-License-Identifier: MIT
/*
 * fuzz_chunk.c - a chunk of any bytes: what is accepted lies within its input, and comes to the
 * same bytes again. With bit 0 of the first byte the CRC is mended, or nothing would get past it.
 */
#include <endian.h>
#include <stdlib.h>
#include <string.h>

#include "cloud/chunk.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	size_t n;
	struct sluice_cameras *cameras;
	struct sluice_chunk *c;
	uint8_t *copy, *again;
	int mend = size && data[0] & 1;

	if (!size)
		return 0;
	data++;
	size--;
	copy = malloc(size ? size : 1);
	cameras = sluice_cameras_open();
	if (!copy || !cameras)
		abort();
	memcpy(copy, data, size);
	if (mend && size >= sizeof(struct sluice_chunk_head)) {
		struct sluice_chunk_head head;

		memcpy(&head, copy, sizeof(head));
		head.magic = htole32(SLUICE_CHUNK_MAGIC);
		head.version = htole16(SLUICE_CHUNK_VERSION);
		memcpy(copy, &head, sizeof(head));
		head.crc = htole32(sluice_chunk_crc(copy, size));
		memcpy(copy, &head, sizeof(head));
	}
	if (!sluice_chunk_decode(copy, size, cameras, &c)) {
		if (!c->items || !c->last || c->last->next || c->bytes > size + size)
			abort();
		if (sluice_chunk_encode(c, size, &again, &n) || n != size)
			abort();
		free(again);
		sluice_chunk_free(c);
	}
	sluice_cameras_close(cameras);
	free(copy);
	return 0;
}
