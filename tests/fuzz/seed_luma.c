// SPDX-License-Identifier: MIT
/*
 * seed_luma.c - writes seeds for fuzz_luma into a folder: every format, packed and with odd
 * strides, odd sizes, whole, short by a byte, without the planes behind luma, and cut.
 */
#include "tests/fuzz/fuzz_luma.h"
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int main(int argc, char **argv)
{
	static const uint16_t sizes[][2] = { { 64, 48 }, { 640, 33 }, { 37, 29 }, { 16, 16 } };
	unsigned int n = 0;

	if (argc != 2) {
		fprintf(stderr, "usage: seed_luma FOLDER\n");
		return 2;
	}
	for (uint16_t format = 0; format < 8; format++) {
		for (unsigned int i = 0; i < 4 * 5; i++) {
			const uint16_t *s = sizes[i % 4];
			uint16_t word[FUZZ_WORDS] = { format, s[0],
						      s[1],   (uint16_t)(s[0] * 3 + 1 + i),
						      0,      1 };
			static const uint16_t kind[] = { 0, FUZZ_STRIDE, FUZZ_STRIDE | FUZZ_NEAR,
							 FUZZ_SHORT, FUZZ_SHORT | FUZZ_STRIDE };
			uint8_t rest[96];
			char name[4096];
			FILE *f;

			word[FUZZ_CHOICE] |= kind[i / 4];
			word[FUZZ_SHIFT] = (uint16_t)i;
			if (kind[i / 4] & FUZZ_SHORT) /* two thirds: luma without chroma */
				word[FUZZ_LESS] = (uint16_t)(i & 1 ? 43691 : i * 3000);
			for (unsigned int k = 0; k < sizeof(rest); k++)
				rest[k] = (uint8_t)(k * 37 + i * 11 + format);
			snprintf(name, sizeof(name), "%s/seed-%u", argv[1], n++);
			f = fopen(name, "w");
			if (!f || fwrite(word, sizeof(word), 1, f) != 1 ||
			    fwrite(rest, sizeof(rest), 1, f) != 1 || fclose(f)) {
				perror(name);
				return 1;
			}
		}
	}
	return 0;
}
