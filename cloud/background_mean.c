// SPDX-License-Identifier: MIT
/* background_mean.c - one Gaussian a pixel: exponential means of value and absolute deviation. */
#include <stdlib.h>

#include "cloud/background_model.h"

VECTORS static void learn(void *own, const uint8_t *restrict px, const int16_t *restrict expected,
			  const uint8_t *restrict how, const struct background_step *s,
			  int16_t *restrict mean, int16_t *restrict dev, size_t n)
{
	int16_t am = s->mean, ad = s->dev, al = s->light;

	for (size_t i = 0; i < n; i++) {
		int16_t now = (int16_t)(px[i] * Q7), m = mean[i], e = expected[i], v = dev[i];
		int16_t d = (int16_t)(now - e), far = d < 0 ? -d : d, h = how[i];
		int16_t keep = when16((h == HOW_KEEP) | (h == HOW_HELD));
		int16_t share = either16(when16(h >= HOW_LIGHT), al, am);

		share |= when16(h == HOW_TAKE) & 32767;
		mean[i] = (int16_t)(m + move_by((int16_t)(either16(keep, e, now) - m), share));
		dev[i] = (int16_t)(v + move_by((int16_t)(far - v), when16(h == HOW_LEARN) & ad));
	}
}

const struct background_ops background_mean = { .name = "mean", .learn = learn };
