// SPDX-License-Identifier: MIT
/*
 * background_moved.c - another scene, or the same from a camera that was pushed. The place as it
 * was and as it is are shrunk to cells and compared where they overlap when one is moved. Cells are
 * held against their surroundings, so that a light that goes on in one corner moves nothing.
 */
#include <math.h>
#include <string.h>

#include "cloud/background_state.h"

#define CELLS	  40 /* a side */
#define AROUND	  3  /* cells: the surroundings */
#define MOVED_MAX 12 /* cells: how far a pushed camera is looked for */

static void shrink(const struct sluice_background *b, const uint8_t *px, float cell[CELLS * CELLS])
{
	for (uint32_t cy = 0; cy < CELLS; cy++)
		for (uint32_t cx = 0; cx < CELLS; cx++) {
			uint32_t x1 = (cx + 1) * b->w / CELLS, y1 = (cy + 1) * b->h / CELLS, n = 0;
			float sum = 0;

			for (uint32_t y = cy * b->h / CELLS; y < y1; y++)
				for (uint32_t x = cx * b->w / CELLS; x < x1; x++, n++)
					sum += px ? px[(size_t)y * b->w + x]
						  : b->mean[(size_t)y * b->w + x] / (float)Q7;
			cell[cy * CELLS + cx] = n ? sum / n : 0;
		}
}

/* What stands out from its surroundings: light that falls on a part of the picture takes no part.
 */
static void stand_out(float cell[CELLS * CELLS])
{
	float from[CELLS * CELLS];

	memcpy(from, cell, sizeof(from));
	for (int y = 0; y < CELLS; y++)
		for (int x = 0; x < CELLS; x++) {
			float sum = 0;
			int n = 0;

			for (int v = y - AROUND; v <= y + AROUND; v++)
				for (int u = x - AROUND; u <= x + AROUND; u++)
					if (u >= 0 && v >= 0 && u < CELLS && v < CELLS) {
						sum += from[v * CELLS + u];
						n++;
					}
			cell[y * CELLS + x] = from[y * CELLS + x] / (sum / (float)n + 8);
		}
}

/* Correlation of the two where they overlap when the second is moved. */
static float alike(const float *p, const float *q, int dx, int dy)
{
	float sp = 0, sq = 0, pp = 0, qq = 0, pq = 0, n = 0;

	for (int y = dy > 0 ? dy : 0; y < CELLS && y - dy < CELLS; y++)
		for (int x = dx > 0 ? dx : 0; x < CELLS && x - dx < CELLS; x++) {
			float u = p[y * CELLS + x], v = q[(y - dy) * CELLS + x - dx];

			sp += u;
			sq += v;
			pp += u * u;
			qq += v * v;
			pq += u * v;
			n++;
		}
	pp -= sp * sp / n;
	qq -= sq * sq / n;
	return (pq - sp * sq / n) / sqrtf(pp * qq + 1e-3f);
}

enum sluice_background_change background_change(const struct sluice_background *b,
						const uint8_t *px)
{
	float now[CELLS * CELLS], before[CELLS * CELLS], here, best = 0;

	shrink(b, px, now);
	shrink(b, NULL, before);
	stand_out(now);
	stand_out(before);
	here = alike(before, now, 0, 0);
	for (int dy = -MOVED_MAX; dy <= MOVED_MAX; dy++)
		for (int dx = -MOVED_MAX; dx <= MOVED_MAX; dx++)
			if (dx || dy)
				best = fmaxf(best, alike(before, now, dx, dy));
	return best > 0.8f && best > here + 0.1f ? SLUICE_CHANGE_CAMERA : SLUICE_CHANGE_SCENE;
}
