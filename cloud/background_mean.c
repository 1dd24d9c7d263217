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
		int16_t now = (int16_t)(px[i] * Q7), m = mean[i], e = expected[i];
		int16_t d = (int16_t)(now - e), far = d < 0 ? -d : d;
		int16_t to = keeps(how[i]) ? e : now;
		int16_t share = how[i] >= HOW_LIGHT ? al : am;

		share = how[i] == HOW_TAKE ? 32767 : share;
		mean[i] = (int16_t)(m + move_by(to - m, share));
		dev[i] = how[i] == HOW_LEARN ? (int16_t)(dev[i] + move_by(far - dev[i], ad))
					     : dev[i];
	}
}

const struct background_ops background_mean = { .name = "mean", .learn = learn };
