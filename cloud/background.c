// SPDX-License-Identifier: MIT
/*
 * background.c - running mean and mean absolute deviation of every pixel, updated by elapsed time,
 * not by frame count: frames come gated, 5 a second during motion and one a minute otherwise.
 *
 * Per picture: (1) the light: pixels are sorted by background brightness into classes, the median
 * change of each class is a node of a piecewise linear curve, and what that curve explains is no
 * foreground (exposure steps, lamps, clouds that are larger than a quarter of the picture). (2) The
 * threshold: a floor plus a multiple of the pixel's own deviation. (3) A pixel is kept if at least
 * four of its 3x3 neighbours agree. (4) Learning: background at once, foreground only if it has
 * stood still at one value for ABSORB_S (HELD_S below a living track): what was put down becomes
 * background, what was taken away leaves no ghost. If more than SCENE_SHARE of the picture is
 * foreground in two pictures running, the model begins anew.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "cloud/background.h"

#define TAU_MEAN_S  6.0f  /* background follows slow change */
#define TAU_DEV_S   5.0f  /* noise estimate */
#define FLOOR	    11.0f /* grey levels: JPEG block noise stays below */
#define DEV_FACTOR  4.5f  /* threshold in mean absolute deviations */
#define DEV_MAX	    12.0f /* a flickering place does not go blind for everything */
#define LIGHT_SHARE 0.25f /* of an explained change that raises the threshold */
#define STILL_GREY  6.0f  /* a foreground pixel that changes less stands still */
#define ABSORB_S    4.0f
#define HELD_S	    60.0f
#define LEARN_S	    0.6f /* first pictures: the model learns fast and says nothing */
#define SCENE_SHARE 0.6f
#define CLASSES	    4

struct sluice_background {
	uint32_t w, h;
	float age_s;
	uint32_t pictures;
	uint32_t scene_run;
	float *mean, *dev, *cand, *still;
	float *diff;  /* after the light */
	uint8_t *raw; /* before the neighbour vote */
	float light[256];
};

struct sluice_background *sluice_background_open(uint32_t w, uint32_t h)
{
	struct sluice_background *b = calloc(1, sizeof(*b));
	size_t n = (size_t)w * h;

	if (!b)
		return NULL;
	b->w = w;
	b->h = h;
	b->mean = calloc(n, sizeof(float));
	b->dev = calloc(n, sizeof(float));
	b->cand = calloc(n, sizeof(float));
	b->still = calloc(n, sizeof(float));
	b->diff = calloc(n, sizeof(float));
	b->raw = calloc(n, 1);
	if (!b->mean || !b->dev || !b->cand || !b->still || !b->diff || !b->raw) {
		sluice_background_close(b);
		return NULL;
	}
	return b;
}

void sluice_background_close(struct sluice_background *b)
{
	if (!b)
		return;
	free(b->mean);
	free(b->dev);
	free(b->cand);
	free(b->still);
	free(b->diff);
	free(b->raw);
	free(b);
}

void sluice_background_reset(struct sluice_background *b)
{
	b->age_s = 0;
	b->pictures = 0;
	b->scene_run = 0;
}

static void begin(struct sluice_background *b, const uint8_t *px)
{
	size_t n = (size_t)b->w * b->h;

	for (size_t i = 0; i < n; i++) {
		b->mean[i] = px[i];
		b->dev[i] = 1.0f;
		b->cand[i] = px[i];
		b->still[i] = 0;
	}
}

/* Value below which half of the counted pixels lie, from a histogram over -255..255. */
static float median_of(const uint32_t hist[511], uint32_t total)
{
	uint32_t sum = 0;

	for (int i = 0; i < 511; i++) {
		if (sum + hist[i] > total / 2) {
			float inside = (total / 2.0f - sum) / hist[i];

			return i - 255 - 0.5f + inside;
		}
		sum += hist[i];
	}
	return 0;
}

/* Fill b->light: the change that the light explains, by background brightness. */
static void fit_light(struct sluice_background *b, const uint8_t *px)
{
	uint32_t hist[CLASSES][511], count[CLASSES] = { 0 };
	double brightness[CLASSES] = { 0 };
	float x[CLASSES], y[CLASSES];
	size_t n = (size_t)b->w * b->h;
	int nodes = 0;

	memset(hist, 0, sizeof(hist));
	for (size_t i = 0; i < n; i += 2) {
		int m = (int)(b->mean[i] + 0.5f) & 255;
		int c = m >> 6;

		hist[c][px[i] - m + 255]++;
		count[c]++;
		brightness[c] += m;
	}
	for (int c = 0; c < CLASSES; c++) {
		if (count[c] < n / 32)
			continue;
		x[nodes] = brightness[c] / count[c];
		y[nodes++] = median_of(hist[c], count[c]);
	}
	for (int v = 0; v < 256; v++) {
		int k = 0;

		if (!nodes) {
			b->light[v] = 0;
			continue;
		}
		while (k < nodes && x[k] < v)
			k++;
		if (k == 0)
			b->light[v] = y[0];
		else if (k == nodes)
			b->light[v] = y[nodes - 1];
		else
			b->light[v] =
				y[k - 1] + (y[k] - y[k - 1]) * (v - x[k - 1]) / (x[k] - x[k - 1]);
	}
}

static uint32_t classify(struct sluice_background *b, const uint8_t *px)
{
	size_t n = (size_t)b->w * b->h;
	uint32_t set = 0;

	for (size_t i = 0; i < n; i++) {
		float light = b->light[(uint8_t)b->mean[i]];
		float d = px[i] - b->mean[i] - light;
		float dev = b->dev[i] < DEV_MAX ? b->dev[i] : DEV_MAX;
		float t = DEV_FACTOR * dev;

		t = (t > FLOOR ? t : FLOOR) + LIGHT_SHARE * fabsf(light);
		b->diff[i] = d;
		b->raw[i] = fabsf(d) > t;
		set += b->raw[i];
	}
	return set;
}

/* Majority of the 3x3 neighbourhood; the picture's border pixels are judged with what they have. */
static uint32_t vote(const struct sluice_background *b, uint8_t *mask)
{
	uint32_t w = b->w, h = b->h, set = 0;

	for (uint32_t y = 0; y < h; y++) {
		const uint8_t *mid = b->raw + (size_t)y * w;
		const uint8_t *up = y ? mid - w : mid, *down = y + 1 < h ? mid + w : mid;
		uint8_t *out = mask + (size_t)y * w;

		for (uint32_t x = 0; x < w; x++) {
			uint32_t l = x ? x - 1 : x, r = x + 1 < w ? x + 1 : x;
			uint32_t s = up[l] + up[x] + up[r] + mid[l] + mid[x] + mid[r] + down[l] +
				     down[x] + down[r];

			out[x] = s >= 4 + !mid[x];
			set += out[x];
		}
	}
	return set;
}

static void learn(struct sluice_background *b, const uint8_t *px, float dt, const uint8_t *hold,
		  bool quiet, const uint8_t *mask)
{
	size_t n = (size_t)b->w * b->h;
	float am = 1.0f - expf(-dt / TAU_MEAN_S), ad = 1.0f - expf(-dt / TAU_DEV_S);
	float young = b->pictures < 8 ? 1.0f / (b->pictures + 1) : 0;

	am = am > young ? am : young;
	for (size_t i = 0; i < n; i++) {
		float light = b->light[(uint8_t)b->mean[i]];
		bool held = hold && hold[i];

		if (!mask[i] || (quiet && !held)) {
			float e = fabsf(b->diff[i]);

			b->mean[i] += am * (px[i] - b->mean[i]);
			if (!mask[i])
				b->dev[i] += ad * (e - b->dev[i]);
			b->still[i] = 0;
			b->cand[i] = px[i];
			continue;
		}
		b->mean[i] += am * light; /* the light goes on behind the object */
		b->mean[i] = b->mean[i] < 0 ? 0 : b->mean[i] > 255 ? 255 : b->mean[i];
		if (fabsf(px[i] - b->cand[i]) < STILL_GREY + 2 * b->dev[i]) {
			b->still[i] += dt;
			b->cand[i] += 0.3f * (px[i] - b->cand[i]);
		} else {
			b->still[i] = 0;
			b->cand[i] = px[i];
		}
		if (b->still[i] > (held ? HELD_S : ABSORB_S)) {
			b->mean[i] = b->cand[i];
			b->still[i] = 0;
		}
	}
}

void sluice_background_frame(struct sluice_background *b, const uint8_t *px, float dt_s,
			     const uint8_t *hold, bool quiet, uint8_t *mask,
			     struct sluice_background_result *r)
{
	size_t n = (size_t)b->w * b->h;

	memset(r, 0, sizeof(*r));
	if (!b->pictures) {
		begin(b, px);
		b->pictures = 1;
		memset(mask, 0, n);
		r->learning = true;
		return;
	}
	dt_s = dt_s < 0 ? 0 : dt_s > 60 ? 60 : dt_s;
	b->age_s += dt_s;
	fit_light(b, px);
	classify(b, px);
	r->foreground = vote(b, mask);
	r->learning = b->age_s < LEARN_S || b->pictures < 3;
	b->scene_run = r->foreground > SCENE_SHARE * n ? b->scene_run + 1 : 0;
	if (b->scene_run >= 2) {
		begin(b, px);
		b->pictures = 1;
		b->age_s = 0;
		b->scene_run = 0;
		memset(mask, 0, n);
		r->foreground = 0;
		r->scene_change = true;
		return;
	}
	if (r->learning) {
		memset(mask, 0, n);
		r->foreground = 0;
	}
	learn(b, px, dt_s, hold, quiet, mask);
	if (b->pictures < 1000)
		b->pictures++;
}

const char *sluice_background_name(uint32_t kind)
{
	return "mean";
}
