// SPDX-License-Identifier: MIT
/*
 * make_pictures - writes kmod/kunit/jpeg_pictures.c to standard output: small JPEGs of the shapes
 * that cameras send, and their grids from libjpeg's coefficients. `make kunit-pictures` runs it.
 */
#include <stdio.h>
#include <stdlib.h>
#include "tests/unit/jpeg_make.h"

static const struct {
	const char *name;
	struct jpeg_shape shape;
} pictures[] = {
	{ "camera_422",
	  { .width = 64,
	    .height = 48,
	    .components = 3,
	    .h = 2,
	    .v = 1,
	    .quality = 70,
	    .restart = 4,
	    .no_tables = true } },
	{ "odd_420",
	  { .width = 51,
	    .height = 33,
	    .components = 3,
	    .h = 2,
	    .v = 2,
	    .quality = 60,
	    .optimise = true } },
	{ "plain_444",
	  { .width = 24, .height = 24, .components = 3, .h = 1, .v = 1, .quality = 50 } },
	{ "grey", { .width = 40, .height = 26, .components = 1, .h = 1, .v = 1, .quality = 80 } },
	{ "scans_apart",
	  { .width = 32,
	    .height = 24,
	    .components = 3,
	    .h = 2,
	    .v = 1,
	    .quality = 50,
	    .apart = true } },
};

#define PICTURES (sizeof(pictures) / sizeof(*pictures))

int main(void)
{
	size_t size[PICTURES];

	printf("// SPDX-License-Identifier: GPL-2.0\n"
	       "/* Made by tests/kunit/make_pictures.c (make kunit-pictures); not to be edited. "
	       "*/\n"
	       "#include \"jpeg_pictures.h\"\n\n/* clang-format off */\n");
	for (size_t i = 0; i < PICTURES; i++) {
		const struct jpeg_shape *s = &pictures[i].shape;
		size_t cells = (size_t)((s->width + 7) / 8) * ((s->height + 7) / 8);
		uint16_t *grid = malloc(cells * sizeof(*grid));
		uint8_t *data = jpeg_make(s, 17 + i, 90, &size[i]);

		if (!grid)
			return 1;
		jpeg_reference(data, size[i], grid);
		printf("static const u8 data_%s[] = {", pictures[i].name);
		for (size_t k = 0; k < size[i]; k++)
			printf("%s%u,", k % 20 ? " " : "\n\t", data[k]);
		printf("\n};\n\nstatic const u16 grid_%s[] = {", pictures[i].name);
		for (size_t k = 0; k < cells; k++)
			printf("%s%u,", k % 12 ? " " : "\n\t", grid[k]);
		printf("\n};\n\n");
		free(data);
		free(grid);
	}
	printf("const struct jpeg_picture jpeg_pictures[] = {\n");
	for (size_t i = 0; i < PICTURES; i++)
		printf("\t{ \"%s\", data_%s, %zu, %u, %u, %s, grid_%s },\n", pictures[i].name,
		       pictures[i].name, size[i], pictures[i].shape.width, pictures[i].shape.height,
		       pictures[i].shape.no_tables ? "true" : "false", pictures[i].name);
	printf("\t{ NULL },\n};\n");
	return 0;
}
