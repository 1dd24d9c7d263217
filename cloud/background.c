// SPDX-License-Identifier: MIT
/*
 * background.c - what is common to all models; a model only says how it learns
 * (background_model.h). Everything goes by elapsed time, not by frame count: frames come gated, 5 a
 * second during motion and one a minute otherwise.
 *
 * Per picture: (1) the light of the whole picture is fitted; what it explains is no change. (2) A
 * pixel differs weakly or strongly by a threshold that follows its own noise, in luma or in colour.
 * (3) The model may know better (other modes). (4) What is the old structure under another light
 * is none (shadows, lamps). (5) A pixel is kept if most of its neighbours agree. (6) Learning:
 * background at once, foreground only if it has stood still at one value for ABSORB_S (HELD_S below
 * a living track): what was put down becomes background, what was taken away leaves no ghost. (7)
 * If a large part differs in two pictures running, the place is compared with itself moved: the
 * camera was pushed, or the scene is another one; the model begins anew.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "cloud/background_state.h"

#define LIGHT_LARGE 0.06f /* of the picture under another light: more than a shadow */
#define COLOURFUL   3	  /* mean distance of chroma from grey */
#define LEARN_S	    0.6f  /* first pictures: the model learns fast and says nothing */
#define SCENE_SHARE 0.35f

static const struct background_ops *const kinds[SLUICE_BACKGROUND_KINDS + 1] = {
	&background_mixture, &background_mean, &background_mixture, &background_delta,
	&background_median
};

const char *sluice_background_name(uint32_t kind)
{
	return kind <= SLUICE_BACKGROUND_KINDS ? kinds[kind]->name : NULL;
}

size_t sluice_background_bytes(uint32_t kind, uint32_t w, uint32_t h)
{
	size_t n = (size_t)w * h, c = (size_t)((w + 1) / 2) * ((h + 1) / 2);

	return sizeof(struct sluice_background) +
	       n * (3 * sizeof(int16_t) + 5 + kinds[kind]->pixel_bytes) +
	       c * (3 * sizeof(int16_t) + 2) + 2 * w * sizeof(int16_t);
}

struct sluice_background *sluice_background_open(uint32_t kind, uint32_t w, uint32_t h)
{
	struct sluice_background *b = calloc(1, sizeof(*b));
	size_t n = (size_t)w * h, c = (size_t)((w + 1) / 2) * ((h + 1) / 2);

	if (!b)
		return NULL;
	b->ops = kinds[kind <= SLUICE_BACKGROUND_KINDS ? kind : 0];
	b->w = w;
	b->h = h;
	b->threshold = 1;
	b->own = calloc(n, b->ops->pixel_bytes ? b->ops->pixel_bytes : 1);
	b->mean = calloc(3 * n + 3 * c + 2 * w, sizeof(*b->mean));
	b->cand = calloc(5 * n + 2 * c, 1);
	if (!b->own || !b->mean || !b->cand) {
		sluice_background_close(b);
		return NULL;
	}
	b->dev = b->mean + n;
	b->lit = b->dev + n;
	b->cb = b->lit + n;
	b->cr = b->cb + c;
	b->hue = b->cr + c;
	b->line = b->hue + c;
	b->still = b->cand + n;
	b->raw = b->still + n;
	b->how = b->raw + n;
	b->diff = b->how + n;
	b->hue_raw = b->diff + n;
	b->hue_diff = b->hue_raw + c;
	return b;
}

void sluice_background_close(struct sluice_background *b)
{
	if (!b)
		return;
	free(b->own);
	free(b->mean);
	free(b->cand);
	free(b);
}

void sluice_background_sensitivity(struct sluice_background *b, float times)
{
	b->threshold = 1 / fminf(fmaxf(times, 0.5f), 4);
}

void sluice_background_reset(struct sluice_background *b)
{
	b->age_s = 0;
	b->pictures = 0;
	b->scene_run = 0;
}

static void begin(struct sluice_background *b, const struct sluice_gray *g)
{
	size_t n = (size_t)b->w * b->h, c = sluice_gray_chroma(g);
	uint64_t hues = 0;

	for (size_t i = 0; i < n; i++) {
		b->mean[i] = (int16_t)(g->px[i] * Q7);
		b->dev[i] = Q7;
	}
	memcpy(b->cand, g->px, n);
	memset(b->still, 0, n);
	b->colour = g->cb;
	b->colourful = false;
	for (size_t i = 0; g->cb && i < c; i++) {
		hues += (uint64_t)(abs(g->cb[i] - 128) + abs(g->cr[i] - 128));
		b->cb[i] = (int16_t)(g->cb[i] * Q7);
		b->cr[i] = (int16_t)(g->cr[i] * Q7);
		b->hue[i] = Q7;
	}
	b->colourful = hues > COLOURFUL * c;
	if (b->ops->begin)
		b->ops->begin(b->own, g->px, n);
	b->age_s = 0;
	b->scene_run = 0;
	b->pictures = 1;
}

/* ---- one picture ---- */

const uint8_t *sluice_background_lit(const struct sluice_background *b)
{
	return b->any_lit ? b->raw : NULL;
}

VECTORS static void follow_light(uint8_t *how, uint8_t lit, size_t n)
{
	for (size_t i = 0; i < n; i++)
		how[i] = either8(when8(how[i] != 0), lit, HOW_LEARN);
}

void sluice_background_frame(struct sluice_background *b, const struct sluice_gray *g, float dt_s,
			     const uint8_t *hold, bool quiet, uint8_t *mask,
			     struct sluice_background_result *r)
{
	size_t n = (size_t)b->w * b->h;
	const int16_t *expected;
	uint8_t lit;

	memset(r, 0, sizeof(*r));
	b->any_lit = false;
	if (!b->pictures || b->colour != (g->cb != NULL)) {
		begin(b, g);
		memset(mask, 0, n);
		r->learning = true;
		return;
	}
	dt_s = dt_s < 0 ? 0 : dt_s > 60 ? 60 : dt_s;
	b->age_s += dt_s;
	expected = background_light_up(b, g->px);
	background_find(b, g, expected, mask, r);
	/* a shadow that passes leaves no trace; a new light is followed */
	lit = r->light > LIGHT_LARGE ? HOW_LIGHT : b->pictures % 3 ? HOW_KEEP : HOW_LEARN;
	if (r->light > 0)
		follow_light(b->how, lit, n);
	r->learning = b->age_s < LEARN_S || b->pictures < 3;
	b->scene_run = r->foreground > SCENE_SHARE * n ? b->scene_run + 1 : 0;
	if (b->scene_run >= 2) {
		r->change = background_change(b, g->px);
		begin(b, g);
		memset(mask, 0, n);
		r->foreground = 0;
		return;
	}
	if (r->learning) {
		memset(mask, 0, n);
		r->foreground = 0;
	}
	background_learn(b, g, expected, dt_s, hold, quiet, mask);
	if (b->pictures < 1000)
		b->pictures++;
}

void sluice_background_absorb(struct sluice_background *b, const struct sluice_gray *g, uint32_t x0,
			      uint32_t y0, uint32_t x1, uint32_t y1)
{
	uint32_t cw = (b->w + 1) / 2;

	for (uint32_t y = y0; y < y1 && y < b->h; y++)
		for (uint32_t x = x0; x < x1 && x < b->w; x++) {
			size_t i = (size_t)y * b->w + x, c = (size_t)(y / 2) * cw + x / 2;

			b->mean[i] = (int16_t)(g->px[i] * Q7);
			b->still[i] = 0;
			if (!b->colour || !g->cb)
				continue;
			b->cb[c] = (int16_t)(g->cb[c] * Q7);
			b->cr[c] = (int16_t)(g->cr[c] * Q7);
		}
}

/* Of n pixels: the steps of picture and background (Q7) to the pixels next to them, where the mask
 * has a border between the two. */
VECTORS static void sum_steps(const uint8_t *restrict mask, const uint8_t *restrict mask2,
			      const uint8_t *restrict px, const uint8_t *restrict px2,
			      const int16_t *restrict mean, const int16_t *restrict mean2, size_t n,
			      uint64_t *now, uint64_t *before)
{
	uint32_t sum = 0, sum2 = 0;

	for (size_t i = 0; i < n; i++) {
		int16_t border = when16(!mask[i] != !mask2[i]);
		int16_t d = (int16_t)(px[i] - px2[i]), e = (int16_t)(mean[i] - mean2[i]);

		d = d < 0 ? -d : d;
		e = e < 0 ? -e : e;
		sum += (uint16_t)(d & border);
		sum2 += (uint16_t)(e & border);
	}
	*now += sum;
	*before += sum2;
}

float sluice_background_edges(const struct sluice_background *b, const struct sluice_gray *g,
			      const uint8_t *mask, uint32_t x0, uint32_t y0, uint32_t x1,
			      uint32_t y1)
{
	uint64_t now = 0, before = 0;
	uint32_t from = x0 ? x0 - 1 : 0, to = x1 + 1 < b->w ? x1 + 1 : b->w - 1;

	for (uint32_t y = y0 ? y0 - 1 : 0; from < to && y <= y1 && y + 1 < b->h; y++) {
		size_t i = (size_t)y * b->w + from;

		for (size_t next = 1; next <= b->w; next += b->w - 1)
			sum_steps(mask + i, mask + i + next, g->px + i, g->px + i + next,
				  b->mean + i, b->mean + i + next, to - from, &now, &before);
	}
	return ((float)now + 1) / ((float)before / Q7 + 1);
}
