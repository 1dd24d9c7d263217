// SPDX-License-Identifier: MIT
/*
 * CRC-32C, reflected polynomial 0x82f63b78. With SSE 4.2 the processor's own instruction, eight
 * bytes at a time and three runs at once; otherwise one table of 256 words. The tables are made at
 * first use.
 */
#include "lib/crc32c.h"

#include <pthread.h>
#include <string.h>

#define POLYNOMIAL 0x82f63b78u
#define LANE	   1024 /* bytes of one of three runs */

static uint32_t table[256];
static pthread_once_t table_once = PTHREAD_ONCE_INIT;

static void make_table(void)
{
	for (uint32_t i = 0; i < 256; i++) {
		uint32_t c = i;

		for (int bit = 0; bit < 8; bit++)
			c = c & 1 ? (c >> 1) ^ POLYNOMIAL : c >> 1;
		table[i] = c;
	}
}

uint32_t sluice_crc32c_table(uint32_t crc, const void *data, size_t size)
{
	const uint8_t *p = data;

	pthread_once(&table_once, make_table);
	crc = ~crc;
	while (size--)
		crc = (crc >> 8) ^ table[(crc ^ *p++) & 0xff];
	return ~crc;
}

#ifdef __x86_64__
/*
 * The instruction takes three cycles and one may begin in each: three runs of LANE bytes at once,
 * then the first two are moved on over the zeros of LANE bytes by tables (shift_by_lane), as zlib's
 * crc32_combine() does it by matrices.
 */
static uint32_t lane_shift[4][256];
static pthread_once_t lane_once = PTHREAD_ONCE_INIT;

static uint32_t shift_by_lane(uint32_t c)
{
	return lane_shift[0][c & 0xff] ^ lane_shift[1][c >> 8 & 0xff] ^
	       lane_shift[2][c >> 16 & 0xff] ^ lane_shift[3][c >> 24];
}

__attribute__((target("sse4.2"))) static void make_lane_shift(void)
{
	for (unsigned int i = 0; i < 4; i++)
		for (uint32_t v = 0; v < 256; v++) {
			uint64_t c = v << 8 * i;

			for (unsigned int n = 0; n < LANE / 8; n++)
				c = __builtin_ia32_crc32di(c, 0);
			lane_shift[i][v] = (uint32_t)c;
		}
}

__attribute__((target("sse4.2"))) static uint64_t three_lanes(uint64_t c, const uint8_t *p)
{
	uint64_t b = 0, d = 0, x, y, z;

	for (const uint8_t *end = p + LANE; p < end; p += 8) {
		if (!((uintptr_t)p & 56)) { /* the next three runs, a cache line at a time */
			__builtin_prefetch(p + 3 * LANE);
			__builtin_prefetch(p + 4 * LANE);
			__builtin_prefetch(p + 5 * LANE);
		}
		memcpy(&x, p, 8);
		memcpy(&y, p + LANE, 8);
		memcpy(&z, p + 2 * LANE, 8);
		c = __builtin_ia32_crc32di(c, x);
		b = __builtin_ia32_crc32di(b, y);
		d = __builtin_ia32_crc32di(d, z);
	}
	return shift_by_lane(shift_by_lane((uint32_t)c) ^ (uint32_t)b) ^ (uint32_t)d;
}

__attribute__((target("sse4.2"))) static uint32_t crc_sse42(uint32_t crc, const void *data,
							    size_t size)
{
	const uint8_t *p = data;
	uint64_t c = ~crc;

	if (size >= 3 * LANE)
		pthread_once(&lane_once, make_lane_shift);
	for (; size >= 3 * LANE; size -= 3 * LANE, p += 3 * LANE)
		c = three_lanes(c, p);
	for (; size >= 8; size -= 8, p += 8) {
		uint64_t word;

		memcpy(&word, p, 8);
		c = __builtin_ia32_crc32di(c, word);
	}
	for (; size; size--)
		c = __builtin_ia32_crc32qi((uint32_t)c, *p++);
	return ~(uint32_t)c;
}
#endif

uint32_t sluice_crc32c(uint32_t crc, const void *data, size_t size)
{
#ifdef __x86_64__
	if (__builtin_cpu_supports("sse4.2"))
		return crc_sse42(crc, data, size);
#endif
	return sluice_crc32c_table(crc, data, size);
}
