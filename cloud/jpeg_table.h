/* SPDX-License-Identifier: MIT */
/*
 * jpeg_table.h - Huffman tables of a JPEG as look-ups that bring a code and what follows it in one
 * step. jpeg_coarse.c includes it, nobody else.
 */
#ifndef SLUICE_JPEG_TABLE_H
#define SLUICE_JPEG_TABLE_H

#include <stdbool.h>
#include <stdint.h>

#define JPEG_LOOK 11  /* bits that are looked up at once */
#define JPEG_END  128 /* advance of the end of a block, beyond all its 64 positions */

/* clang-format off */
/*
 * step[next JPEG_LOOK bits]: a code with its value, and if there is room in those bits, another.
 *   bits 0..7    how many bits both take
 *   bits 8..15   positions of the block to go on
 *   bits 16..31  the value
 *   bits 32..39  positions of the other one; all of it 0, if there is none
 *   bits 40..55  its value
 *   bits 56..63  how many bits the first takes alone
 * If the code is looked up but not all of its value: bits 0..7 and 56..63 are 0, 8..15 the length
 * of the code, 16..23 what it means. If the code is longer than what is looked up, all is 0. For
 * both ask jpeg_table_long().
 *
 * skip[...] takes as many steps as fit without their values: bits 0..7 and 8..15 as above (0 bits:
 * none fits); an end of the block is the last of them and adds JPEG_END.
 */
/* clang-format on */
struct jpeg_table {
	uint64_t step[1 << JPEG_LOOK];
	uint16_t skip[1 << JPEG_LOOK];
	int32_t last[18]; /* greatest code of a length, -1: none; [17] ends every search */
	int32_t offset[17];
	uint8_t count[17], value[256]; /* what it was made of */
	bool dc, known;
};

/* Does nothing if the table is made of the same already. False: these are no codes of a baseline
 * JPEG. count[1..16], value[256] as in the file. */
bool jpeg_table_make(struct jpeg_table *t, bool dc, const uint8_t count[17],
		     const uint8_t value[256]);

/* The step whose code is longer than what is looked up; 0: no code is like this. */
uint32_t jpeg_table_search(const struct jpeg_table *t, uint32_t next);

/* The first half of a step: a code, of that length, and the bits behind it. next: from the top. */
static inline uint32_t jpeg_step_of(bool dc, uint8_t symbol, uint32_t length, uint32_t next)
{
	uint32_t bits = symbol & 15, advance = dc ? 0 : (symbol >> 4) + 1u;
	int32_t value = 0;

	if (bits) {
		uint32_t raw = next << length >> (32 - bits);

		value = (int32_t)raw;
		if (!(raw >> (bits - 1)))
			value -= (1 << bits) - 1;
	} else if (!dc && symbol != 0xf0) {
		advance = JPEG_END;
	}
	return (uint32_t)value << 16 | advance << 8 | (length + bits);
}

/* The step for the next 32 bits of the scan, where step, from the table, takes 0 bits: bits 0..31
 * as above, of one code, at most 27 bits long; 0: no code is like this. */
static inline uint32_t jpeg_table_long(const struct jpeg_table *t, uint64_t step, uint32_t next)
{
	return step ? jpeg_step_of(t->dc, step >> 16 & 255, step >> 8 & 255, next)
		    : jpeg_table_search(t, next);
}

#endif
