// SPDX-License-Identifier: MIT
/*
 * fuzz_segment.c - the readers of segments on any bytes: what a decoder accepts lies within its
 * input. Both CRCs are mended first where the input is long enough, or nothing would get past them.
 */
#include <endian.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "cloud/segment.h"
#include "lib/crc32c.h"

static void mend(uint8_t *buf, size_t size)
{
	struct sluice_record r;
	uint32_t length;

	if (size < sizeof(r))
		return;
	memcpy(&r, buf, sizeof(r));
	length = le32toh(r.length);
	if (length <= size - sizeof(r))
		r.payload_crc = htole32(sluice_crc32c(0, buf + sizeof(r), length));
	r.magic = htole32(SLUICE_RECORD_MAGIC);
	r.header_crc = htole32(sluice_crc32c(0, &r, offsetof(struct sluice_record, header_crc)));
	memcpy(buf, &r, sizeof(r));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct sluice_segment_frame f;
	struct sluice_segment_info info;
	uint8_t *copy = malloc(size ? size : 1); /* exact, so that a read beyond it is seen */
	static volatile uint8_t sum;		 /* so that the reads are not left out */
	size_t i;
	long n;

	if (!copy)
		return 0;
	memcpy(copy, data, size);
	if (size && data[0] & 1)
		mend(copy, size);
	n = sluice_record_decode(copy, size, &f);
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
	free(copy);
	return 0;
}
