// SPDX-License-Identifier: MIT
/*
 * pixels.c - what a privacy mask has left of pictures, for the guest's tests. It knows the
 * formats from their definition, and nothing of the module's code.
 *
 *	pixels masked FOURCC WxH STRIDE PLAIN PICTURES left|right|either|all
 * PLAIN is one picture as the camera gives it, PICTURES one or more from the ring. In each, every
 * cell of the masked half must be blank (luma 16, chroma 128, RGB 0) and every other one as in
 * PLAIN. either: each picture has one of the two masks, whole; both must occur. Prints how many
 * have which.
 *
 *	pixels absent FOURCC WxH STRIDE PLAIN FILE left|right|all
 * Nothing that only the masked part of PLAIN has may occur anywhere in FILE (the arena): it is
 * searched, at every offset, for 16 bytes as they stand there and not elsewhere in PLAIN.
 *
 *	pixels numbers BYTES PICTURES
 * Each picture of that many bytes has one number in all its 32-bit words, but for zeros at its
 * end (tests/vm/liar makes such pictures). Prints the numbers.
 *
 * Exit 0, or 1 and the first fault.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct picture {
	uint32_t width, height, stride, block, grid_w;
	size_t size;
	enum { PACKED, RGB, PLANES, GREY } layout;
	int luma_odd, thirds; /* UYVY; YU12 */
};

enum half { LEFT, RIGHT, ALL };

static uint8_t *read_file(const char *path, size_t *size)
{
	FILE *f = fopen(path, "rb");
	uint8_t *bytes = NULL;
	long end = -1;

	if (f && !fseek(f, 0, SEEK_END))
		end = ftell(f);
	if (end > 0)
		bytes = malloc((size_t)end);
	if (!bytes || fseek(f, 0, SEEK_SET) || fread(bytes, (size_t)end, 1, f) != 1) {
		printf("cannot read %s\n", path);
		exit(1);
	}
	fclose(f);
	*size = (size_t)end;
	return bytes;
}

static void set_layout(struct picture *p, const char *code)
{
	p->layout = strstr("YUYV UYVY", code)	     ? PACKED
		    : strstr("RGB3 BGR3", code)	     ? RGB
		    : strstr("NV12 NV21 YU12", code) ? PLANES
						     : GREY;
	p->luma_odd = !strcmp(code, "UYVY");
	p->thirds = !strcmp(code, "YU12");
}

static int in_half(const struct picture *p, uint32_t x, enum half half)
{
	uint32_t column = x / p->block;

	return half == ALL || (half == LEFT) == (column < p->grid_w / 2);
}

/* Pixel column of a byte of a picture, and what it is when blank. -1: no pixel (padding). */
static int column_of(const struct picture *p, size_t offset, uint8_t *blank)
{
	size_t luma = (size_t)p->stride * p->height, at = offset % p->stride, x;

	*blank = 16;
	if (p->layout == PACKED) {
		x = at / 2;
		if ((at & 1) != (size_t)p->luma_odd)
			*blank = 128;
		return x < p->width ? (int)x : -1;
	}
	if (p->layout == RGB) {
		*blank = 0;
		return at / 3 < p->width ? (int)(at / 3) : -1;
	}
	if (offset < luma)
		return at < p->width ? (int)at : -1;
	*blank = 128;
	if (p->thirds)
		at = (offset - luma) % (p->stride / 2) * 2;
	return at < p->width ? (int)at : -1;
}

static int shows(const struct picture *p, const uint8_t *plain, const uint8_t *seen, enum half half,
		 size_t *fault)
{
	for (size_t i = 0; i < p->size; i++) {
		uint8_t blank;
		int x = column_of(p, i, &blank);
		uint8_t want = x >= 0 && in_half(p, (uint32_t)x, half) ? blank : plain[i];

		if (x >= 0 && seen[i] != want) {
			*fault = i;
			return 0;
		}
	}
	return 1;
}

static int check_masked(const struct picture *p, const uint8_t *plain, const char *path,
			const char *which)
{
	size_t bytes, n, of[3] = { 0 }, fault = 0;
	uint8_t *seen = read_file(path, &bytes);
	int either = !strcmp(which, "either");

	n = bytes / p->size;
	if (!n || bytes % p->size) {
		printf("%s: %zu bytes are no pictures of %zu\n", path, bytes, p->size);
		return 1;
	}
	for (size_t i = 0; i < n; i++) {
		const uint8_t *one = seen + i * p->size;
		enum half half;

		for (half = LEFT; half <= ALL; half++)
			if (shows(p, plain, one, half, &fault))
				break;
		if (half > ALL || (!either && half != (which[0] == 'l'	 ? LEFT
						       : which[0] == 'r' ? RIGHT
									 : ALL))) {
			printf("picture %zu of %zu is not masked %s (byte %zu)\n", i, n, which,
			       fault);
			return 1;
		}
		of[half]++;
	}
	printf("pictures=%zu\nleft=%zu\nright=%zu\nall=%zu\n", n, of[LEFT], of[RIGHT], of[ALL]);
	free(seen);
	return either && (!of[LEFT] || !of[RIGHT]);
}

#define WORD 16

/* Is the word blank, or does it stand in the open part as well? */
static int known(const struct picture *p, const uint8_t *plain, const uint8_t *word, enum half half)
{
	for (size_t i = 0; half != ALL && i + WORD <= (size_t)p->stride * p->height; i++) {
		uint8_t blank;
		int first = column_of(p, i, &blank), last = column_of(p, i + WORD - 1, &blank);

		if (first < 0 || last < first)
			continue;
		if (!in_half(p, (uint32_t)first, half) && !in_half(p, (uint32_t)last, half) &&
		    !memcmp(plain + i, word, WORD))
			return 1;
	}
	return 0;
}

static int check_absent(const struct picture *p, const uint8_t *plain, const char *path,
			enum half half)
{
	uint8_t seen[64][WORD];
	size_t bytes, words = 0;
	uint8_t *file = read_file(path, &bytes);
	const size_t row = (size_t)p->stride * (p->height / 2);

	/* Words of the middle line that only the masked part has. */
	for (size_t i = row; i + WORD <= row + p->stride && words < 64; i += 4) {
		uint8_t blank;
		int first = column_of(p, i, &blank), last = column_of(p, i + WORD - 1, &blank);
		size_t k = 0;

		if (first < 0 || last < first || !in_half(p, (uint32_t)first, half) ||
		    !in_half(p, (uint32_t)last, half) || known(p, plain, plain + i, half))
			continue;
		while (k < words && memcmp(seen[k], plain + i, WORD))
			k++;
		if (k == words)
			memcpy(seen[words++], plain + i, WORD);
	}
	if (!words) {
		printf("the masked part has nothing of its own: the test would see nothing\n");
		return 1;
	}
	for (size_t k = 0; k < words; k++) {
		const uint8_t *at = memmem(file, bytes, seen[k], WORD);

		if (at) {
			printf("a masked pixel is at %zu of %s\n", (size_t)(at - file), path);
			return 1;
		}
	}
	printf("words=%zu\nbytes=%zu\n", words, bytes);
	free(file);
	return 0;
}

static int check_numbers(size_t size, const char *path)
{
	size_t bytes, words = size / 4;
	uint8_t *file = read_file(path, &bytes);

	if (!words || bytes % size) {
		printf("%s: %zu bytes are no pictures of %zu\n", path, bytes, size);
		return 1;
	}
	for (size_t i = 0; i < bytes / size; i++) {
		const uint32_t *w = (const uint32_t *)(file + i * size);
		size_t end = words;

		while (end && !w[end - 1])
			end--;
		for (size_t k = 0; k < end; k++) {
			if (w[k] == w[0])
				continue;
			printf("picture %zu has %u and %u\n", i, w[0], w[k]);
			return 1;
		}
		printf("%u\n", w[0]);
	}
	free(file);
	return 0;
}

int main(int argc, char **argv)
{
	struct picture p = { 0 };
	size_t bytes;
	uint8_t *plain;

	if (argc == 4 && !strcmp(argv[1], "numbers"))
		return check_numbers(strtoul(argv[2], NULL, 10), argv[3]);
	if (argc < 8 || sscanf(argv[3], "%ux%u", &p.width, &p.height) != 2) {
		fprintf(stderr, "usage: pixels masked|absent FOURCC WxH STRIDE PLAIN FILE WHICH\n");
		return 2;
	}
	set_layout(&p, argv[2]);
	p.stride = (uint32_t)strtoul(argv[4], NULL, 10);
	p.block = p.width >= 480 ? 8 : p.width >= 240 ? 4 : 2;
	p.grid_w = (p.width + p.block - 1) / p.block;
	p.size = (size_t)p.stride * p.height;
	if (p.layout == PLANES)
		p.size += p.size / 2;
	plain = read_file(argv[5], &bytes);
	if (bytes < p.size) {
		printf("%s is no picture of %zu bytes\n", argv[5], p.size);
		return 1;
	}
	if (!strcmp(argv[1], "masked"))
		return check_masked(&p, plain, argv[6], argv[7]);
	return check_absent(&p, plain, argv[6],
			    argv[7][0] == 'l'	? LEFT
			    : argv[7][0] == 'r' ? RIGHT
						: ALL);
}
