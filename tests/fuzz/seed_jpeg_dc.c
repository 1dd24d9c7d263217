// SPDX-License-Identifier: MIT
/*
 * seed_jpeg_dc.c - writes seeds for fuzz_jpeg_dc into a folder: a JPEG of every shape; pictures of
 * real cameras, given as files; each of both as USB cameras send them (no Huffman tables, an AVI1
 * segment, fill bytes before markers, padding behind the end, no end at all), and with the faults
 * of the simulated camera that change a frame's bytes.
 */
#include "tests/unit/jpeg_make.h"
#include "tools/camsim/fault.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FILE_MAX (256u << 10) /* what a seed may have */

static const char *folder;
static unsigned int written;

/* size: index into the sizes of fuzz_jpeg_dc.c. */
static void write_seed(unsigned int size, const uint8_t *data, size_t bytes)
{
	char name[4096];
	FILE *f;

	snprintf(name, sizeof(name), "%s/seed-%u", folder, written++);
	f = fopen(name, "w");
	if (!f || fputc((int)size, f) < 0 || fputc(0, f) < 0 ||
	    fwrite(data, 1, bytes, f) != bytes || fclose(f)) {
		perror(name);
		exit(1);
	}
}

/* A copy with n bytes of what, or zeros, put in at an offset. */
static uint8_t *insert(const uint8_t *data, size_t size, size_t at, const uint8_t *what, size_t n)
{
	uint8_t *out = calloc(1, size + n);

	if (!out)
		exit(1);
	memcpy(out, data, at);
	if (what)
		memcpy(out + at, what, n);
	memcpy(out + at + n, data + at, size - at);
	return out;
}

/* The same picture, as cameras send it. */
static void write_camera_shapes(unsigned int size, const uint8_t *data, size_t bytes)
{
	static const uint8_t avi1[] = { 0xff, 0xe0, 0, 0x10, 'A', 'V', 'I', '1', 0,
					0,    0,    0, 0,    0,	  0,   0,   0,	 0 };
	static const uint8_t fill[] = { 0xff, 0xff, 0xff };
	static const uint8_t junk[] = { 0xff, 0xfe, 0, 6, 0xff, 0xd8, 0xff, 0xd9 };
	size_t stripped = bytes;
	uint8_t *one = insert(data, bytes, 0, NULL, 0), *two;

	jpeg_strip(one, &stripped, 0xc4);
	two = insert(one, stripped, 2, avi1, sizeof(avi1));
	write_seed(size, two, stripped + sizeof(avi1));
	write_seed(size, two, stripped + sizeof(avi1) - 2); /* without EOI */
	free(one);
	one = insert(two, stripped + sizeof(avi1), stripped + sizeof(avi1), NULL, 700);
	write_seed(size, one, stripped + sizeof(avi1) + 700);
	free(one);
	free(two);
	one = insert(data, bytes, 2, fill, sizeof(fill));
	write_seed(size, one, bytes + sizeof(fill));
	free(one);
	one = insert(data, bytes, 2, junk, sizeof(junk));
	write_seed(size, one, bytes + sizeof(junk));
	free(one);
}

/* With each fault of the simulated camera that changes the bytes. */
static void write_faults(unsigned int size, const uint8_t *data, size_t bytes)
{
	static const char *const scripts[] = { "trunc:0",     "trunc:0:97",
					       "random:0:40", "random:0:700",
					       "size:0",      "pad:0",
					       "over:0:100",  "random:0:9,trunc:0:70" };

	for (size_t i = 0; i < sizeof(scripts) / sizeof(*scripts); i++) {
		struct fault_list list = { .count = 0 };
		struct fault_bytes b = { .scratch = NULL };
		struct fault_set set;
		char why[128];

		if (fault_parse(&list, scripts[i], why, sizeof(why))) {
			fprintf(stderr, "%s: %s\n", scripts[i], why);
			exit(1);
		}
		fault_collect(&list, 0, &set);
		if (fault_apply(&set, ROLL_MJPEG, (uint32_t)bytes + 1000, i, data, bytes, &b))
			exit(1);
		write_seed(size, b.data, b.size);
		free(b.scratch);
	}
}

static void write_all(unsigned int size, const uint8_t *data, size_t bytes)
{
	write_seed(size, data, bytes);
	write_camera_shapes(size, data, bytes);
	write_faults(size, data, bytes);
}

static void write_made(void)
{
	static const unsigned int sizes[][3] = { { 64, 48, 1 }, { 33, 17, 2 }, { 96, 64, 6 } };

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

		/* The 4:2:2 ones, with restart markers and without, are what cameras send. */
		if (s.components == 3 && s.h == 2 && s.v == 1)
			write_all(sizes[i % 3][2], data, size);
		else
			write_seed(sizes[i % 3][2], data, size);
		free(data);
	}
}

/* 640x480, as those of stereo cameras and of a photographic camera in Debian's opencv-doc are. */
static void write_file(const char *name)
{
	static uint8_t data[FILE_MAX];
	FILE *f = fopen(name, "r");
	size_t n;

	if (!f) {
		perror(name);
		exit(1);
	}
	n = fread(data, 1, sizeof(data), f);
	fclose(f);
	if (n < sizeof(data))
		write_all(0, data, n);
}

int main(int argc, char **argv)
{
	if (argc < 2) {
		fprintf(stderr, "usage: seed_jpeg_dc FOLDER [PICTURE]...\n");
		return 2;
	}
	folder = argv[1];
	write_made();
	for (int i = 2; i < argc; i++)
		write_file(argv[i]);
	return 0;
}
