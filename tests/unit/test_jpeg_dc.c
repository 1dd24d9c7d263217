// SPDX-License-Identifier: MIT
/*
 * test_jpeg_dc.c - the DC grid against libjpeg's coefficients, on every shape that cameras send,
 * on what they break, and on every truncation.
 */
#include "jpeg_make.h"
#include "kmod/jpeg_dc.h"
#include "tests/unit/check.h"
#include <stdio.h>
#include <stdlib.h>

#define CELLS (64 * 64)

static struct sluice_jpeg_dc dec;

static int same_grid(const struct jpeg_shape *s, const uint16_t *a, const uint16_t *b)
{
	size_t cells = (size_t)((s->width + 7) / 8) * ((s->height + 7) / 8);

	return !memcmp(a, b, cells * sizeof(*a));
}

/* data in a buffer of exactly its size, so that a sanitiser sees a read beyond it */
static int grid_of(const struct jpeg_shape *s, const uint8_t *data, size_t size, uint16_t *cell,
		   struct sluice_jpeg_info *info)
{
	uint8_t *exact = malloc(size ? size : 1);
	int ret;

	memcpy(exact, data, size);
	ret = sluice_jpeg_dc_grid(&dec, exact, size, s->width, s->height, cell, info);
	free(exact);
	return ret;
}

static void test_shapes(void)
{
	static const unsigned int sampling[][3] = { { 1, 1, 1 }, { 1, 2, 2 }, { 3, 1, 1 },
						    { 3, 2, 1 }, { 3, 2, 2 }, { 3, 1, 2 },
						    { 3, 4, 1 } };
	static const unsigned int size[][2] = {
		{ 64, 48 }, { 200, 120 }, { 33, 17 }, { 16, 16 }, { 131, 75 }
	};
	static uint16_t want[CELLS], got[CELLS];
	unsigned int seed = 1, n = 0;

	for (unsigned int i = 0; i < 7 * 5 * 32; i++) {
		struct jpeg_shape s = { .width = size[i / 7 % 5][0], .height = size[i / 7 % 5][1] };
		unsigned int bits = i / 35, noise = bits & 1 ? 200 : 10;
		struct sluice_jpeg_info info;
		size_t bytes, padded;
		uint8_t *data;
		char name[96];
		int ret;

		s.components = sampling[i % 7][0];
		s.h = sampling[i % 7][1];
		s.v = sampling[i % 7][2];
		s.quality = bits & 2 ? 95 : 60;
		s.restart = bits & 4 ? 1 + i % 5 : 0;
		s.apart = bits & 8;
		s.no_tables = bits & 16 && !s.apart;
		s.optimise = !s.no_tables && i & 1;
		data = jpeg_make(&s, seed++, noise, &bytes);
		snprintf(name, sizeof(name), "%ux%u c%u %ux%u q%d dri %u%s%s%s", s.width, s.height,
			 s.components, s.h, s.v, s.quality, s.restart, s.apart ? " apart" : "",
			 s.no_tables ? " no tables" : "", s.optimise ? " own tables" : "");
		jpeg_reference(data, bytes, want);
		memset(got, 0x55, sizeof(got));
		ret = grid_of(&s, data, bytes, got, &info);
		EXPECT(name, ret == 0);
		EXPECT(name, same_grid(&s, want, got));
		EXPECT(name, info.width == s.width && info.height == s.height);
		EXPECT(name, info.bytes == bytes && info.no_tables == s.no_tables);

		/* padding behind EOI is none of the picture; without EOI all of it is */
		padded = bytes + 1000;
		data = realloc(data, padded);
		memset(data + bytes, i & 1 ? 0xff : 0, 1000);
		memset(got, 0x55, sizeof(got));
		EXPECT(name, !grid_of(&s, data, padded, got, &info) && info.bytes == bytes);
		EXPECT(name, same_grid(&s, want, got));
		memset(got, 0x55, sizeof(got));
		EXPECT(name, !grid_of(&s, data, bytes - 2, got, &info) && info.bytes == bytes - 2);
		EXPECT(name, same_grid(&s, want, got));
		free(data);
		n++;
	}
	printf("%u shapes\n", n);
}

/* Segments that say nothing, fill bytes before markers, FF FF 00 as data. */
static void test_junk(void)
{
	static const uint8_t junk[] = { 0xff, 0xff, 0xff, 0xe3, 0,    6,    0xff, 0xd9, 0xff, 0xda,
					0xff, 0xfe, 0,	  3,	0xff, 0xff, 0xff, 0xef, 0,    2 };
	struct jpeg_shape s = { .width = 160,
				.height = 96,
				.components = 3,
				.h = 2,
				.v = 1,
				.quality = 90,
				.restart = 4 };
	static uint16_t want[CELLS], got[CELLS];
	size_t bytes, more = 0;
	uint8_t *data = jpeg_make(&s, 7, 255, &bytes), *out = malloc(2 * bytes + sizeof(junk));
	bool scan = false;

	jpeg_reference(data, bytes, want);
	for (size_t i = 0; i < bytes; i++) {
		if (i == 2) {
			memcpy(out + more, junk, sizeof(junk));
			more += sizeof(junk);
		}
		scan |= data[i] == 0xff && data[i + 1] == 0xda;
		if (scan && data[i] == 0xff && data[i + 1] != 0xda)
			out[more++] = 0xff; /* before stuffing and restart markers alike */
		out[more++] = data[i];
	}
	EXPECT("junk", !grid_of(&s, out, more, got, NULL));
	EXPECT("junk", same_grid(&s, want, got));
	free(out);
	free(data);
}

static void test_refused(void)
{
	struct jpeg_shape s = {
		.width = 160, .height = 96, .components = 3, .h = 2, .v = 1, .quality = 80
	};
	struct jpeg_shape other = s;
	static uint16_t cell[CELLS];
	size_t bytes;
	uint8_t *data = jpeg_make(&s, 9, 50, &bytes);

	other.height = 88;
	EXPECT("other size", grid_of(&other, data, bytes, cell, NULL) == -EMSGSIZE);
	EXPECT("empty", grid_of(&s, data, 0, cell, NULL) == -EBADMSG);
	free(data);
	s.progressive = true;
	data = jpeg_make(&s, 9, 50, &bytes);
	EXPECT("progressive", grid_of(&s, data, bytes, cell, NULL) == -EOPNOTSUPP);
	free(data);
	s.progressive = false;
	s.rgb = true;
	s.h = 1;
	data = jpeg_make(&s, 9, 50, &bytes);
	EXPECT("rgb", grid_of(&s, data, bytes, cell, NULL) == -EOPNOTSUPP);
	free(data);
}

/* Cut anywhere, the picture either lacks blocks or is whole. */
static void test_truncated(void)
{
	struct jpeg_shape s = { .width = 96,
				.height = 64,
				.components = 3,
				.h = 2,
				.v = 2,
				.quality = 85,
				.restart = 5 };
	static uint16_t want[CELLS], got[CELLS];
	size_t bytes, whole = 0;
	uint8_t *data = jpeg_make(&s, 11, 120, &bytes);

	jpeg_reference(data, bytes, want);
	for (size_t i = 0; i <= bytes; i++) {
		int ret = grid_of(&s, data, i, got, NULL);

		EXPECT("cut", ret == 0 || ret == -EBADMSG);
		if (!ret) {
			whole++;
			EXPECT("cut", i + 8 > bytes && same_grid(&s, want, got));
		}
	}
	EXPECT("cut", whole >= 3); /* with EOI, with half of it, without */
	free(data);
}

/* Any byte changed: some error or some grid, never more (the sanitiser builds watch). */
static void test_damaged(void)
{
	struct jpeg_shape s = { .width = 96,
				.height = 64,
				.components = 3,
				.h = 2,
				.v = 1,
				.quality = 85,
				.restart = 6 };
	static uint16_t got[CELLS], want[CELLS];
	size_t bytes;
	uint8_t *data = jpeg_make(&s, 13, 120, &bytes);
	unsigned int errors = 0;

	jpeg_reference(data, bytes, want);
	for (size_t i = 0; i < bytes; i++) {
		uint8_t was = data[i];
		int ret;

		data[i] ^= 1 << i % 8;
		ret = grid_of(&s, data, bytes, got, NULL);
		errors += ret != 0;
		EXPECT("damaged",
		       ret == 0 || ret == -EBADMSG || ret == -EMSGSIZE || ret == -EOPNOTSUPP);
		data[i] = was;
	}
	EXPECT("damaged", errors > 20);
	/* what a bad frame left in the decoder must not show in a good one */
	EXPECT("damaged", !grid_of(&s, data, bytes, got, NULL) && same_grid(&s, want, got));
	free(data);
}

int main(void)
{
	test_shapes();
	test_junk();
	test_refused();
	test_truncated();
	test_damaged();
	return check_result();
}
