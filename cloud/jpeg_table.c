// SPDX-License-Identifier: MIT
/*
 * jpeg_table.c - see jpeg_table.h. A camera sends the same tables with every picture, so a table
 * remembers of what it was made.
 */
#include "cloud/jpeg_table.h"

#include <string.h>

#define DC_BITS_MAX 11
#define AC_BITS_MAX 10

static bool is_symbol(bool dc, uint8_t symbol)
{
	if (dc)
		return symbol <= DC_BITS_MAX;
	return symbol & 15 ? (symbol & 15) <= AC_BITS_MAX : symbol == 0 || symbol == 0xf0;
}

#define ALL ((1u << JPEG_LOOK) - 1)

/* What one step takes, of those that are looked up to their end. */
static uint32_t bits_of(uint64_t step)
{
	return (uint32_t)(step >> 56);
}

static void make_skips(struct jpeg_table *t)
{
	for (uint32_t i = 0; i <= ALL; i++) {
		uint32_t taken = 0, advance = 0;

		while (taken < JPEG_LOOK && advance < JPEG_END) {
			uint64_t s = t->step[i << taken & ALL];

			if (!bits_of(s) || taken + bits_of(s) > JPEG_LOOK ||
			    advance + (s >> 8 & (JPEG_END - 1)) >= 64)
				break;
			taken += bits_of(s);
			advance += s >> 8 & 255;
		}
		t->skip[i] = (uint16_t)(advance << 8 | taken);
	}
}

/* The first half of every step is there; from the second on, none but the first half is looked at.
 */
static void make_pairs(struct jpeg_table *t)
{
	for (uint32_t i = 0; i <= ALL; i++) {
		uint64_t s = t->step[i], next;
		uint32_t taken = bits_of(s);

		if (!taken)
			continue;
		next = taken < JPEG_LOOK ? t->step[i << taken & ALL] : 0;
		if ((s >> 8 & 255) < JPEG_END && bits_of(next) &&
		    taken + bits_of(next) <= JPEG_LOOK) {
			s |= (next >> 8 & 0xffffff) << 32;
			taken += bits_of(next);
		}
		t->step[i] = (s & ~255ull) | taken;
	}
}

static void make_steps(struct jpeg_table *t)
{
	uint32_t code = 0, k = 0;

	memset(t->step, 0, sizeof(t->step));
	for (uint32_t length = 1; length <= JPEG_LOOK; length++, code <<= 1)
		for (uint32_t i = 0; i < t->count[length]; i++, code++, k++) {
			uint32_t rest = JPEG_LOOK - length;

			for (uint32_t j = 0; j < 1u << rest; j++) {
				uint32_t at = code << rest | j;
				uint64_t s = jpeg_step_of(t->dc, t->value[k], length,
							  at << (32 - JPEG_LOOK));

				if ((s & 255) <= JPEG_LOOK)
					s |= (s & 255) << 56;
				else
					s = (uint32_t)t->value[k] << 16 | length << 8;
				t->step[at] = s;
			}
		}
}

bool jpeg_table_make(struct jpeg_table *t, bool dc, const uint8_t count[17],
		     const uint8_t value[256])
{
	uint32_t code = 0, k = 0;

	if (t->known && t->dc == dc && !memcmp(t->count + 1, count + 1, 16) &&
	    !memcmp(t->value, value, sizeof(t->value)))
		return true;
	t->known = false;
	for (uint32_t length = 1; length <= 16; length++, code <<= 1) {
		t->offset[length] = (int32_t)k - (int32_t)code;
		t->last[length] = count[length] ? (int32_t)(code + count[length] - 1) : -1;
		code += count[length];
		k += count[length];
		/* a code of ones alone is no code */
		if (k > 256 || code >= 1u << length)
			return false;
	}
	t->last[17] = INT32_MAX;
	for (uint32_t i = 0; i < k; i++)
		if (!is_symbol(dc, value[i]))
			return false;
	t->dc = dc;
	memcpy(t->count, count, sizeof(t->count));
	memcpy(t->value, value, sizeof(t->value));
	make_steps(t);
	make_skips(t);
	make_pairs(t);
	t->known = true;
	return true;
}

uint32_t jpeg_table_search(const struct jpeg_table *t, uint32_t next)
{
	uint32_t length = JPEG_LOOK + 1;

	while ((int32_t)(length < 17 ? next >> (32 - length) : 0) > t->last[length])
		length++;
	if (length > 16)
		return 0;
	return jpeg_step_of(t->dc, t->value[(int32_t)(next >> (32 - length)) + t->offset[length]],
			    length, next);
}
