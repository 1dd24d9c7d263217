// SPDX-License-Identifier: MIT
/*
 * background_mixture.c - two Gaussians a pixel (Stauffer, Grimson 1999, with two modes). The second
 * holds what the pixel shows at times: leaves and sky, a flame. It has a weight that grows while
 * the pixel shows it and fades slowly; above TRUSTED it is background too. When it outweighs the
 * first they change places.
 */
#include <stdlib.h>

#include "cloud/background_model.h"

#define NEAR	8    /* grey levels from a mode that belong to it */
#define TRUSTED 96   /* of 255 */
#define NEARBY	4096 /* pixels */

/* Own state: n values, then n weights. */

VECTORS static void know_row(const uint8_t *restrict value, const uint8_t *restrict weight,
			     const uint8_t *restrict px, const int16_t *restrict expected,
			     const int16_t *restrict mean, const int16_t *restrict dev,
			     uint8_t *restrict raw, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		int16_t d = (int16_t)(px[i] - value[i] - ((expected[i] - mean[i]) >> 7));
		int16_t t = (int16_t)(9 + ((dev[i] * 3) >> 7));

		d = d < 0 ? -d : d;
		raw[i] = (d < t) & (weight[i] > TRUSTED) ? 0 : raw[i];
	}
}

static void know(const void *own, size_t n, size_t from, const uint8_t *px, const int16_t *expected,
		 const int16_t *mean, const int16_t *dev, uint8_t *raw, size_t count)
{
	const uint8_t *value = (const uint8_t *)own + from;

	know_row(value, value + n, px + from, expected + from, mean + from, dev + from, raw + from,
		 count);
}

VECTORS static void weigh(uint8_t *restrict value, uint8_t *restrict weight,
			  const uint8_t *restrict px, const int16_t *restrict mean,
			  const uint8_t *restrict how, uint8_t grow, uint8_t fade, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		uint8_t p = px[i], v = value[i], w = weight[i], m = (uint8_t)(mean[i] >> 7);
		uint8_t first = when8(how[i] == HOW_LEARN) & when8(apart(p, m) < NEAR);
		uint8_t second = when8(apart(p, v) < NEAR) & when8(how[i] != HOW_HELD);
		uint8_t sum = (uint8_t)(w + grow), up = sum | when8(sum < w);
		uint8_t down = (uint8_t)(w - fade) & when8(w >= fade), next, tried;

		next = either8(first, down, either8(second, up, down));
		/* forgotten: what is shown now is tried */
		tried = when8(next < 9) & (uint8_t)~first;
		value[i] = either8(tried & (uint8_t)~second, p, v);
		weight[i] = either8(tried, 9, next);
	}
}

static void learn(void *own, const uint8_t *px, const int16_t *expected, const uint8_t *how,
		  const struct background_step *s, int16_t *mean, int16_t *dev, size_t n)
{
	uint8_t *value = own;

	/* what the first has read and written is near when the second wants it */
	for (size_t i = 0, count; i < n; i += count) {
		count = n - i < NEARBY ? n - i : NEARBY;
		background_mean.learn(NULL, px + i, expected + i, how + i, s, mean + i, dev + i,
				      count);
		weigh(value + i, value + n + i, px + i, mean + i, how + i, s->grow, s->fade, count);
	}
}

const struct background_ops background_mixture = {
	.name = "mixture of two", .pixel_bytes = 2, .know = know, .learn = learn
};
