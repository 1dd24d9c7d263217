// SPDX-License-Identifier: MIT
/* seed_jpeg_dc.c - writes seeds for fuzz_jpeg_dc into a folder: a JPEG of every shape. */
#include "tests/unit/jpeg_make.h"
#include <stdio.h>
#include <stdlib.h>

int main(int argc, char **argv)
{
	static const unsigned int sizes[][3] = { { 64, 48, 1 }, { 33, 17, 2 }, { 96, 64, 6 } };

	if (argc != 2) {
		fprintf(stderr, "usage: seed_jpeg_dc FOLDER\n");
		return 2;
	}
	for (unsigned int i = 0; i < 48; i++) {
		struct jpeg_shape s = { .width = sizes[i % 3][0],
					.height = sizes[i % 3][1],
					.components = i & 1 ? 3 : 1,
					.h = 1 + (i >> 1 & 1),
					.v = 1 + (i >> 2 & 1),
					.quality = i & 8 ? 90 : 40,
					.restart = i & 16 ? 3 : 0,
					.apart = i == 40,
					.progressive = i == 41,
					.optimise = i % 5 == 0,
					.no_tables = i % 5 == 1 };
		size_t size;
		unsigned char *data = jpeg_make(&s, i, i % 7 * 20, &size);
		char name[4096];
		FILE *f;

		snprintf(name, sizeof(name), "%s/seed-%u", argv[1], i);
		f = fopen(name, "w");
		if (!f || fputc(sizes[i % 3][2], f) < 0 || fputc(0, f) < 0 ||
		    fwrite(data, 1, size, f) != size || fclose(f)) {
			perror(name);
			return 1;
		}
		free(data);
	}
	return 0;
}
