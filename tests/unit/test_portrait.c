// SPDX-License-Identifier: MIT
/*
 * test_portrait.c - a search of many places at once against the words of portrait.h, place by
 * place, in random pictures: in the middle, at the borders and beyond them, in colour and grey.
 */
#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "cloud/portrait.h"
#include "tests/unit/check.h"

#define W	 97
#define H	 61
#define SURE	 2048 /* cells that are part of it more often than not */
#define FARTHEST 4.0f

static uint8_t px[W * H], cb[49 * 31], cr[49 * 31], mask[W * H];
static struct sluice_gray gray = { .px = px, .cb = cb, .cr = cr, .w = W, .h = H, .scale = 2 };
static const struct sluice_portrait_sitting sitting = { &gray, mask };

static void paint(void)
{
	for (int i = 0; i < W * H; i++) {
		px[i] = (uint8_t)(i % W * 2 + random_below(64));
		mask[i] = (uint8_t)(random_below(8) ? 1 + random_below(2) : 0);
	}
	for (int i = 0; i < 49 * 31; i++) {
		cb[i] = (uint8_t)(100 + random_below(64));
		cr[i] = (uint8_t)(100 + random_below(64));
	}
}

/* In 1/16 grey levels. */
static int cell_apart(const struct sluice_portrait_cell *c, int x, int y)
{
	int d, ch = y / 2 * 49 + x / 2;

	if (x < 0 || y < 0 || x >= W || y >= H || !mask[y * W + x])
		return SLUICE_PORTRAIT_APART * 16;
	d = abs(px[y * W + x] * 16 - c->px[0]) + abs((gray.cb ? cb[ch] : 128) * 16 - c->px[1]) +
	    abs((gray.cr ? cr[ch] : 128) * 16 - c->px[2]);
	return d < SLUICE_PORTRAIT_APART * 16 ? d : SLUICE_PORTRAIT_APART * 16;
}

static int all_apart(const struct sluice_portrait *p, float x, float y, float w, float h, int dx,
		     int dy, int *count)
{
	int sum = 0;

	*count = 0;
	for (int i = 0; i < SLUICE_PORTRAIT_CELLS; i++) {
		float col = (float)(i % SLUICE_PORTRAIT_COLS) + 0.5f;
		float row = (float)(i / SLUICE_PORTRAIT_COLS) + 0.5f;

		if (p->cell[i].sure < SURE)
			continue;
		sum += cell_apart(&p->cell[i], (int)floorf(x + col * w / SLUICE_PORTRAIT_COLS) + dx,
				  (int)floorf(y + row * h / SLUICE_PORTRAIT_ROWS) + dy);
		(*count)++;
	}
	return sum;
}

/* No place of the reach may be better than the one that was found, and that one is told rightly. */
static void check_find(const struct sluice_portrait *p, int reach_x, int reach_y, float x, float y,
		       float w, float h)
{
	float at_x = x, at_y = y, is, far, found;
	int count, sum;

	is = sluice_portrait_find(p, &sitting, reach_x, reach_y, &at_x, &at_y, w, h);
	CHECK(fabsf(at_x - x) <= (float)reach_x && fabsf(at_y - y) <= (float)reach_y);
	sum = all_apart(p, x, y, w, h, (int)(at_x - x), (int)(at_y - y), &count);
	if (!count) {
		CHECK(is == SLUICE_PORTRAIT_APART && at_x == x && at_y == y);
		return;
	}
	CHECK(is == (float)sum / (float)(count * 16));
	far = hypotf((at_x - x) / (float)(reach_x + 1), (at_y - y) / (float)(reach_y + 1));
	found = (float)sum + FARTHEST * 16 * far * (float)count;
	for (int dy = -reach_y; dy <= reach_y; dy++)
		for (int dx = -reach_x; dx <= reach_x; dx++) {
			far = hypotf((float)dx / (float)(reach_x + 1),
				     (float)dy / (float)(reach_y + 1));
			sum = all_apart(p, x, y, w, h, dx, dy, &count);
			CHECK((float)sum + FARTHEST * 16 * far * (float)count > found - 2);
		}
}

static void test_random(bool colour)
{
	gray.cb = colour ? cb : NULL;
	gray.cr = colour ? cr : NULL;
	for (int i = 0; i < 40; i++) {
		struct sluice_portrait p = { 0 };
		float w = 4 + (float)random_below(60), h = 4 + (float)random_below(50);
		float x = (float)random_below(W + 40) - 20 - w / 2;
		float y = (float)random_below(H + 40) - 20 - h / 2;

		for (int k = 0; k < 4; k++) {
			paint();
			sluice_portrait_learn(&p, &sitting, x, y, w, h);
		}
		x += (float)random_below(7) - 3;
		y += (float)random_below(7) - 3;
		check_find(&p, i % 3 ? 8 : 40, i % 3 ? 3 : 11, x, y, w, h);
	}
}

int main(int argc, char **argv)
{
	random_seed(seed_of(argc, argv));
	test_random(true);
	test_random(false);
	return check_result();
}
