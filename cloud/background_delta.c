// SPDX-License-Identifier: MIT
/*
 * background_delta.c - sigma-delta (Manzanera, Richefeu 2007), scaled by time: value and deviation
 * go towards the picture by at most so much a second, which makes them an approximate median of the
 * past.
 */
#include <stdlib.h>

#include "cloud/background_model.h"

#define MEAN_SPEED 5.0f /* grey levels a second */
#define DEV_SPEED  1.5f

VECTORS static void learn(void *own, const uint8_t *restrict px, const int16_t *restrict expected,
			  const uint8_t *restrict how, const struct background_step *s,
			  int16_t *restrict mean, int16_t *restrict dev, size_t n)
{
	float dt = s->dt_s < 4 ? s->dt_s : 4;
	int16_t vm = (int16_t)(1 + MEAN_SPEED * Q7 * dt), vd = (int16_t)(1 + DEV_SPEED * Q7 * dt);
	int16_t am = s->mean, al = s->light;

	for (size_t i = 0; i < n; i++) {
		int16_t now = (int16_t)(px[i] * Q7), m = mean[i], e = expected[i], h = how[i];
		int16_t d = (int16_t)(now - m), far = (int16_t)(now - e), v = dev[i], c;

		far = far < 0 ? -far : far;
		c = d < -vm ? -vm : d > vm ? vm : d;
		c = either16(when16((h == HOW_KEEP) | (h == HOW_HELD)),
			     move_by((int16_t)(e - m), am), c);
		c = either16(when16(h == HOW_LIGHT), move_by(d, al), c);
		c = either16(when16(h == HOW_TAKE), d, c);
		mean[i] = (int16_t)(m + c);
		c = (int16_t)(far - v);
		c = c < -vd ? -vd : c > vd ? vd : c;
		dev[i] = (int16_t)(v + (c & when16(h == HOW_LEARN)));
	}
}

const struct background_ops background_delta = { .name = "sigma-delta", .learn = learn };
