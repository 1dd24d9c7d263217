// SPDX-License-Identifier: MIT
/*
 * background_median.c - the median of the last SAMPLES pictures, one every SAMPLE_S; samples of
 * foreground are not taken. Between samples the value stays, but for the light.
 */
#include <stdlib.h>
#include <string.h>

#include "cloud/background_model.h"

#define SAMPLES	 7 /* odd */
#define SAMPLE_S 2.0f

struct history {
	uint8_t v[SAMPLES]; /* sorted by nothing: the oldest is replaced */
	uint8_t next;
};

static void begin(void *own, const uint8_t *px, size_t n)
{
	struct history *h = own;

	for (size_t i = 0; i < n; i++) {
		memset(h[i].v, px[i], SAMPLES);
		h[i].next = 0;
	}
}

static uint8_t middle(const struct history *h)
{
	for (int i = 0; i < SAMPLES; i++) {
		int below = 0, same = 0;

		for (int k = 0; k < SAMPLES; k++) {
			below += h->v[k] < h->v[i];
			same += h->v[k] == h->v[i];
		}
		if (below <= SAMPLES / 2 && below + same > SAMPLES / 2)
			return h->v[i];
	}
	return h->v[0];
}

/* A sample is due for a share of the pixels in every picture, so that no picture costs more than
 * another. */
static void learn(void *own, const uint8_t *px, const int16_t *expected, const uint8_t *how,
		  const struct background_step *s, int16_t *mean, int16_t *dev, size_t n)
{
	struct history *h = own;
	uint32_t due = (uint32_t)(65536 * (s->dt_s < SAMPLE_S ? s->dt_s : SAMPLE_S) / SAMPLE_S);
	struct background_step still = *s;

	still.mean = 0;
	background_mean.learn(NULL, px, expected, how, &still, mean, dev, n);
	for (size_t i = 0; i < n; i++) {
		uint32_t dice = ((uint32_t)(i + h[0].next) * 2654435761u >> 16) & 0xffff;

		if (how[i] == HOW_TAKE) {
			memset(h[i].v, px[i], SAMPLES);
		} else if (how[i] != HOW_KEEP && how[i] != HOW_HELD && dice < due) {
			h[i].v[h[i].next] = px[i];
			h[i].next = (h[i].next + 1) % SAMPLES;
			mean[i] = (int16_t)(middle(&h[i]) * Q7);
		}
	}
}

const struct background_ops background_median = { .name = "median of seven",
						  .pixel_bytes = sizeof(struct history),
						  .begin = begin,
						  .learn = learn };
