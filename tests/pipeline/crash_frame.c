// SPDX-License-Identifier: MIT
/* crash_frame.c - see crash_frame.h. */
#include <stdlib.h>
#include <string.h>

#include "tests/pipeline/crash_frame.h"
#include "tests/unit/jpeg_make.h"

#define W 64
#define H 48

static uint64_t mix(uint64_t x)
{
	x ^= x >> 31;
	x *= 0x9e3779b97f4a7c15ull;
	return x ^ x >> 29;
}

/* A bright square that walks from left to right. */
static void draw(uint8_t pixel[W * H], uint64_t sequence)
{
	unsigned int left = (unsigned int)(sequence % CRASH_EVENT) * (W - 12) / CRASH_EVENT, y;

	for (y = 0; y < W * H; y++)
		pixel[y] = (uint8_t)(60 + y % W / 4);
	for (y = 18; y < 30; y++)
		memset(pixel + y * W + left, 220, 12);
}

uint8_t *crash_picture(unsigned int camera, uint64_t epoch, uint64_t sequence, size_t *size)
{
	const struct jpeg_shape shape = {
		.width = W, .height = H, .components = 1, .h = 1, .v = 1, .quality = 80
	};
	uint64_t x = mix(mix(camera + 1) ^ mix(epoch) ^ mix(sequence + 77));
	size_t extra = 1000 + x % 10000, jpeg_size, i;
	uint8_t pixel[W * H], *jpeg, *out;

	draw(pixel, sequence);
	jpeg = jpeg_from_pixels(&shape, pixel, &jpeg_size);
	out = malloc(jpeg_size + 4 + extra);
	if (!out)
		abort();
	/* SOI, one comment that nobody else has, the rest */
	memcpy(out, jpeg, 2);
	out[2] = 0xff;
	out[3] = 0xfe;
	out[4] = (uint8_t)((extra + 2) >> 8);
	out[5] = (uint8_t)(extra + 2);
	for (i = 0; i < extra; i++) {
		x = x * 6364136223846793005ull + 1442695040888963407ull;
		out[6 + i] = (uint8_t)(x >> 56);
	}
	memcpy(out + 6 + extra, jpeg + 2, jpeg_size - 2);
	free(jpeg);
	*size = jpeg_size + 4 + extra;
	return out;
}
