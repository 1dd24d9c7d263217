// SPDX-License-Identifier: MIT
/*
 * squares.c - a whole detector in one page: what is brighter than its surroundings and about as
 * wide as tall is a "square", else a "bar". No model; for tests, and to begin one's own from
 * (docs/detector.md). Its configuration is one line: "threshold = 0..255", default 200.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sluice/detector.h>

#define SMALLEST 6 /* pixels of a side */

struct squares {
	unsigned int threshold;
	uint8_t *seen; /* of the picture at work */
	uint32_t *stack;
};

static int squares_open(const char *config, const char *folder, void **detector, char *why,
			size_t why_size)
{
	struct squares *s = calloc(1, sizeof(*s));
	size_t pixels = SLUICE_DETECTOR_SIDE_MAX * SLUICE_DETECTOR_SIDE_MAX;

	if (!s)
		return -ENOMEM;
	s->threshold = 200;
	if (config[0] &&
	    (sscanf(config, " threshold = %u", &s->threshold) != 1 || s->threshold > 255)) {
		snprintf(why, why_size, "say: threshold = 0..255, in place of: %.40s", config);
		free(s);
		return -EINVAL;
	}
	s->seen = malloc(pixels);
	s->stack = malloc(pixels * sizeof(*s->stack));
	if (!s->seen || !s->stack) {
		free(s->seen);
		free(s->stack);
		free(s);
		return -ENOMEM;
	}
	*detector = s;
	return 0;
}

static void squares_info(void *detector, struct sluice_detector_info *info)
{
	static const char *const classes[] = { "square", "bar" };

	snprintf(info->name, sizeof(info->name), "squares");
	info->batch_max = 2;
	info->side = 320;
	info->class_count = 2;
	info->classes = classes;
}

static unsigned int luma(const struct sluice_detector_image *i, uint32_t x, uint32_t y)
{
	const uint8_t *p = i->data + (size_t)y * i->stride + 3 * (size_t)x;

	return (p[0] * 77u + p[1] * 150u + p[2] * 29u) >> 8;
}

/* All that hangs together with the pixel at x, y. */
static void flood(struct squares *s, const struct sluice_detector_image *i, uint32_t x, uint32_t y,
		  struct sluice_detector_box *b)
{
	uint32_t x0 = x, x1 = x, y0 = y, y1 = y, n = 0, w = i->width;
	size_t filled = 0;

	s->stack[n++] = y * w + x;
	s->seen[y * w + x] = 1;
	while (n) {
		uint32_t at = s->stack[--n], ax = at % w, ay = at / w;

		filled++;
		x0 = ax < x0 ? ax : x0;
		x1 = ax > x1 ? ax : x1;
		y0 = ay < y0 ? ay : y0;
		y1 = ay > y1 ? ay : y1;
		for (uint32_t k = 0; k < 9; k++) { /* corners count */
			uint32_t bx = ax + k % 3 - 1, by = ay + k / 3 - 1;

			if (bx >= w || by >= i->height || s->seen[by * w + bx] ||
			    luma(i, bx, by) < s->threshold)
				continue;
			s->seen[by * w + bx] = 1;
			s->stack[n++] = by * w + bx;
		}
	}
	*b = (struct sluice_detector_box){ x0, y0, x1 - x0 + 1, y1 - y0 + 1, 0, 0 };
	b->score = (float)filled / (b->w * b->h);
	b->class = b->w > 1.5f * b->h || b->h > 1.5f * b->w;
}

static int squares_detect(void *detector, const struct sluice_detector_image *image, uint32_t count,
			  struct sluice_detector_result *result, uint32_t left_ms, char *why,
			  size_t why_size)
{
	struct squares *s = detector;

	for (uint32_t n = 0; n < count; n++) {
		const struct sluice_detector_image *i = &image[n];
		struct sluice_detector_result *r = &result[n];

		memset(s->seen, 0, (size_t)i->width * i->height);
		for (uint32_t y = 0; y < i->height; y++)
			for (uint32_t x = 0; x < i->width && r->count < r->capacity; x++) {
				struct sluice_detector_box *b = &r->box[r->count];

				if (s->seen[y * i->width + x] || luma(i, x, y) < s->threshold)
					continue;
				flood(s, i, x, y, b);
				r->count += b->w >= SMALLEST && b->h >= SMALLEST;
			}
	}
	return 0;
}

static void squares_close(void *detector)
{
	struct squares *s = detector;

	free(s->seen);
	free(s->stack);
	free(s);
}

const struct sluice_detector_table *sluice_detector(uint32_t abi)
{
	static const struct sluice_detector_table table = {
		SLUICE_DETECTOR_ABI, sizeof(table),  squares_open,
		squares_info,	     squares_detect, squares_close,
	};

	return abi == SLUICE_DETECTOR_ABI ? &table : NULL;
}
