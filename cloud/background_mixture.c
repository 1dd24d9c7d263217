// SPDX-License-Identifier: MIT
/*
 * background_mixture.c - three Gaussians a pixel (Stauffer, Grimson 1999, with three modes). The
 * second and the third hold what the pixel shows at times: leaves and sky, a flame. Each has a
 * weight that grows while the pixel shows it and fades slowly; above TRUSTED it is background too.
 * A mode that is forgotten tries what is shown now, so that one of the two is free for it while the
 * other keeps what comes back.
 */
#include <stdlib.h>

#include "cloud/background_model.h"

#define NEAR	8    /* grey levels from a mode that belong to it */
#define TRUSTED 96   /* of 255 */
#define TRIED	9    /* weight of what is shown for the first time; with less it is forgotten */
#define NEARBY	4096 /* pixels */

/* Own state of n pixels: values and weights of the second mode, then of the third. */

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
	for (size_t mode = 0; mode < 2; mode++) {
		const uint8_t *value = (const uint8_t *)own + 2 * mode * n + from;

		know_row(value, value + n, px + from, expected + from, mean + from, dev + from,
			 raw + from, count);
	}
}

VECTORS static void weigh(uint8_t *restrict value, uint8_t *restrict weight,
			  uint8_t *restrict value3, uint8_t *restrict weight3,
			  const uint8_t *restrict px, const int16_t *restrict mean,
			  const uint8_t *restrict how, uint8_t grow, uint8_t fade, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		uint8_t p = px[i], w = weight[i], w3 = weight3[i], m = (uint8_t)(mean[i] >> 7);
		uint8_t other = (uint8_t) ~(when8(how[i] == HOW_LEARN) & when8(apart(p, m) < NEAR));
		uint8_t free = other & when8(how[i] != HOW_HELD);
		uint8_t second = when8(apart(p, value[i]) < NEAR) & free;
		uint8_t third = when8(apart(p, value3[i]) < NEAR) & free & (uint8_t)~second;
		uint8_t up = (uint8_t)(w + grow), up3 = (uint8_t)(w3 + grow), tried, tried3;

		up |= when8(up < w);
		up3 |= when8(up3 < w3);
		w = either8(second, up, (uint8_t)(w - fade) & when8(w >= fade));
		w3 = either8(third, up3, (uint8_t)(w3 - fade) & when8(w3 >= fade));
		tried = when8(w < TRIED) & other & (uint8_t) ~(second | third);
		tried3 = when8(w3 < TRIED) & other & (uint8_t) ~(second | third | tried);
		value[i] = either8(tried, p, value[i]);
		weight[i] = either8(tried, TRIED, w);
		value3[i] = either8(tried3, p, value3[i]);
		weight3[i] = either8(tried3, TRIED, w3);
	}
}

static void learn(void *own, const uint8_t *px, const int16_t *expected, const uint8_t *how,
		  const struct background_step *s, int16_t *mean, int16_t *dev, size_t n)
{
	uint8_t *value = own;

	/* what the first has read and written is near when the others want it */
	for (size_t i = 0, count; i < n; i += count) {
		uint8_t *second = value + i, *third = second + 2 * n;

		count = n - i < NEARBY ? n - i : NEARBY;
		background_mean.learn(NULL, px + i, expected + i, how + i, s, mean + i, dev + i,
				      count);
		weigh(second, second + n, third, third + n, px + i, mean + i, how + i, s->grow,
		      s->fade, count);
	}
}

const struct background_ops background_mixture = {
	.name = "mixture of three", .pixel_bytes = 4, .know = know, .learn = learn
};
