// SPDX-License-Identifier: MIT
/*
 * fuzz_segment.c - the readers of segments on any bytes: what a decoder accepts lies within its
 * input. Both CRCs are mended first where the input is long enough, or nothing would get past them;
 * for a sealed record the tag too. Bits of the first byte: 1 mend, 2 sealed, 4 the key is known,
 * 8 seal what is there.
 */
#include <endian.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "cloud/segment.h"
#include "lib/crc32c.h"

static const uint8_t key[32] = { 1, 2, 3 };

/* The payload becomes what a writer would have sealed. */
static void seal(uint8_t *buf, struct sluice_record *r, uint32_t length)
{
	struct sluice_seal_part part = { buf + sizeof(*r), length - SLUICE_SEAL_TAG };
	uint8_t *out = malloc(length);

	r->payload_crc = r->header_crc = 0;
	if (out && !sluice_seal_bytes(key, le32toh(r->counter), r, sizeof(*r), &part, 1, out))
		memcpy(buf + sizeof(*r), out, length);
	free(out);
}

static void mend(uint8_t *buf, size_t size, int how)
{
	struct sluice_record r;
	uint32_t length;

	if (size < sizeof(r))
		return;
	memcpy(&r, buf, sizeof(r));
	length = le32toh(r.length);
	r.magic = htole32(SLUICE_RECORD_MAGIC);
	if (how & 8 && length <= size - sizeof(r) && length >= SLUICE_SEAL_TAG)
		seal(buf, &r, length);
	if (length <= size - sizeof(r))
		r.payload_crc = htole32(sluice_crc32c(0, buf + sizeof(r), length));
	r.header_crc = htole32(sluice_crc32c(0, &r, offsetof(struct sluice_record, header_crc)));
	memcpy(buf, &r, sizeof(r));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct sluice_record_key k = { 0 };
	struct sluice_segment_frame f;
	struct sluice_segment_info info;
	struct sluice_keyring ring = { .count = 1 };
	struct sluice_lock lock[2];
	uint8_t found[32],
		*copy = malloc(size ? size : 1); /* exact, so that a read beyond it is seen */
	__attribute__((
		unused)) static volatile uint8_t sum; /* so that the reads are not left out */
	size_t i;
	long n;

	if (!copy)
		return 0;
	memcpy(copy, data, size);
	if (size && data[0] & 1)
		mend(copy, size, data[0]);
	k.sealed = size && data[0] & 2;
	k.known = size && data[0] & 4;
	memcpy(k.key, key, sizeof(key));
	n = sluice_record_decode(copy, size, &k, &f);
	if (n > 0 && k.sealed && !k.known && (f.jpeg || f.cells))
		abort();
	if (n > 0) {
		if ((size_t)n > size || n % 8)
			abort();
		for (i = 0; i < f.cells_size; i++)
			sum ^= f.cells[i];
		for (i = 0; i < f.jpeg_size; i++)
			sum ^= f.jpeg[i];
	}
	if (size >= 64)
		sluice_segment_decode(copy, &info);
	if (size >= sizeof(lock)) {
		memcpy(lock, copy, sizeof(lock));
		memcpy(ring.key[0].id, lock[0].key_id, sizeof(ring.key[0].id));
		if (!sluice_seal_unwrap(&ring, data, 8, lock, found))
			abort(); /* nobody guesses a tag */
	}
	free(copy);
	return 0;
}
