// SPDX-License-Identifier: MIT
/*
 * background_mixture.c - two Gaussians a pixel (Stauffer, Grimson 1999, with two modes). The second holds what the pixel shows at times:
 * leaves and sky, a flame. It has a weight that grows while the pixel shows it and fades slowly; above TRUSTED it
 * is background too. When it outweighs the first they change places.
 */
#include <stdlib.h>

#include "cloud/background_model.h"

#define GROW_S	8.0f   /* of being shown, from nothing to full */
#define FADE_S	120.0f /* of not being shown, from full to nothing */
#define TRUSTED 48     /* of 255 */

struct mode {
	uint8_t value, weight;
};

VECTORS static void know(const void *own, const uint8_t *px, const int16_t *expected,
			 const int16_t *mean, const int16_t *dev, uint8_t *raw, size_t n)
{
	const struct mode *m = own;

	for (size_t i = 0; i < n; i++) {
		int16_t d = (int16_t)(px[i] - m[i].value - (expected[i] - mean[i]) / Q7);
		int16_t t = (int16_t)(9 + dev[i] / (Q7 / 3));

		d = d < 0 ? -d : d;
		raw[i] = d < t && m[i].weight > TRUSTED ? 0 : raw[i];
	}
}

static void learn(void *own, const uint8_t *px, const int16_t *expected, const uint8_t *how,
		  const struct background_step *s, int16_t *mean, int16_t *dev, size_t n)
{
	struct mode *m = own;
	float dt = s->dt_s < 1 ? s->dt_s : 1;
	/* whole steps of the weight, and by chance of the pixel's place one more */
	uint32_t grow = (uint32_t)(65536 * 255 * dt / GROW_S), fade = (uint32_t)(65536 * 255 * dt / FADE_S);

	background_mean.learn(NULL, px, expected, how, s, mean, dev, n);
	for (size_t i = 0; i < n; i++) {
		int d = px[i] - m[i].value, w = m[i].weight;
		uint32_t dice = (uint32_t)i * 40503u & 0xffff;

		if (how[i] == HOW_LEARN && abs(px[i] * Q7 - mean[i]) < 6 * Q7) {
			w -= (int)((fade + dice) >> 16);
		} else if (abs(d) < 8) {
			w += (int)((grow + dice) >> 16);
			m[i].value = (uint8_t)(m[i].value + d / 4);
		} else {
			w -= (int)((fade * 2 + dice) >> 16);
			if (w <= 8) {
				m[i].value = px[i];
				w = 9;
			}
		}
		m[i].weight = (uint8_t)(w < 0 ? 0 : w > 255 ? 255 : w);
	}
}

const struct background_ops background_mixture = { .name = "mixture of two",
						   .pixel_bytes = sizeof(struct mode),
						   .know = know,
						   .learn = learn };
