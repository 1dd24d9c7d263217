// SPDX-License-Identifier: MIT
/*
 * look.c - see look.h. Colours are counted at the resolution of the chroma, in equal sectors of the
 * Cb-Cr plane: a quarter of it has three, told apart by the ratio of the two.
 */
#include "cloud/look.h"

#include <stdlib.h>
#include <string.h>

#include "cloud/vectors.h"

#define COLOURLESS 12 /* |Cb| + |Cr| below it is grey */
#define CELL_SHARE 8  /* one in so many */

/* 0..11: quarters of the plane in turn, three sectors each. */
static unsigned int sector(int b, int r)
{
	int x = abs(b), y = abs(r), quarter = r >= 0 ? (b >= 0 ? 0 : 1) : (b < 0 ? 2 : 3);
	/* tan 30 and tan 60 in thousandths; every second quarter is walked from Cr to Cb */
	int third = y * 1000 < x * 577 ? 0 : y * 1000 < x * 1732 ? 1 : 2;

	return (unsigned int)(quarter * 3 + (quarter & 1 ? 2 - third : third));
}

static unsigned int bin_of(const struct sluice_gray *g, size_t luma, size_t chroma)
{
	int b = g->cb ? g->cb[chroma] - 128 : 0, r = g->cb ? g->cr[chroma] - 128 : 0;

	return abs(b) + abs(r) < COLOURLESS ? SLUICE_LOOK_HUES + g->px[luma] / 64u : sector(b, r);
}

VECTORS static bool any_set(const uint8_t *row, size_t w)
{
	uint8_t any = 0;

	for (size_t x = 0; x < w; x++)
		any |= row[x];
	return any;
}

void sluice_look_make(const struct sluice_gray *g, const uint8_t *mask, struct sluice_look *out)
{
	uint32_t count[SLUICE_LOOK_BINS] = { 0 }, cell[64] = { 0 }, all = 0;
	uint32_t cw = (g->w + 1) / 2, ch = (g->h + 1) / 2;

	memset(out, 0, sizeof(*out));
	for (uint32_t y = 0; y < ch; y++) {
		const uint8_t *row = mask + (size_t)(2 * y) * g->w;
		uint32_t *cells = cell + y * 8 / ch * 8;

		for (uint32_t x = any_set(row, g->w) ? 0 : cw; x < cw; x++) {
			if (!row[2 * x]) {
				if (2 * x + 8 <= g->w && !eight_at(row + 2 * x))
					x += 3;
				continue;
			}
			count[bin_of(g, (size_t)(2 * y) * g->w + 2 * x, (size_t)y * cw + x)]++;
			cells[x * 8 / cw]++;
			all++;
		}
	}
	for (unsigned int i = 0; i < SLUICE_LOOK_BINS && all; i++)
		out->bin[i] = (uint8_t)((count[i] * 255 + all / 2) / all);
	for (unsigned int i = 0; i < 64; i++)
		if (cell[i] * 64 * CELL_SHARE >= cw * ch && cell[i])
			out->where |= 1ull << i;
}

static bool has_any(const struct sluice_look *a)
{
	for (unsigned int i = 0; i < SLUICE_LOOK_BINS; i++)
		if (a->bin[i])
			return true;
	return false;
}

float sluice_look_colours(const struct sluice_look *a, const struct sluice_look *b)
{
	int sum = 0;

	if (!has_any(a) || !has_any(b))
		return 0;
	for (unsigned int i = 0; i < SLUICE_LOOK_BINS; i++)
		sum += abs(a->bin[i] - b->bin[i]);
	return sum < 510 ? (float)sum / 510 : 1;
}

float sluice_look_places(const struct sluice_look *a, const struct sluice_look *b)
{
	int any = __builtin_popcountll(a->where | b->where);

	return any ? 1 - (float)__builtin_popcountll(a->where & b->where) / (float)any : 0;
}
