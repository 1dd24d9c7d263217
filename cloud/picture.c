// SPDX-License-Identifier: MIT
/* picture.c - see picture.h. The letters are drawn for this: 5 x 7 in a place of 6 x 9. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cloud/picture.h"

static const struct {
	char letter;
	uint8_t rows[7];
} font[] = {
	{ ' ', { 0 } },
	{ '0', { 14, 17, 19, 21, 25, 17, 14 } },
	{ '1', { 4, 12, 4, 4, 4, 4, 14 } },
	{ '2', { 14, 17, 1, 2, 4, 8, 31 } },
	{ '3', { 31, 2, 4, 2, 1, 17, 14 } },
	{ '4', { 2, 6, 10, 18, 31, 2, 2 } },
	{ '5', { 31, 16, 30, 1, 1, 17, 14 } },
	{ '6', { 6, 8, 16, 30, 17, 17, 14 } },
	{ '7', { 31, 1, 2, 4, 8, 8, 8 } },
	{ '8', { 14, 17, 17, 14, 17, 17, 14 } },
	{ '9', { 14, 17, 17, 15, 1, 2, 12 } },
	{ '-', { 0, 0, 0, 31, 0, 0, 0 } },
	{ ':', { 0, 12, 12, 0, 12, 12, 0 } },
	{ '.', { 0, 0, 0, 0, 0, 12, 12 } },
	{ '/', { 1, 1, 2, 4, 8, 16, 16 } },
	{ 'X', { 17, 17, 10, 4, 10, 17, 17 } },
	{ 'U', { 17, 17, 17, 17, 17, 17, 14 } },
	{ 'T', { 31, 4, 4, 4, 4, 4, 4 } },
	{ 'C', { 14, 17, 16, 16, 16, 17, 14 } },
};

const uint8_t *sluice_letter_rows(char letter)
{
	for (size_t i = 0; i < sizeof(font) / sizeof(font[0]); i++)
		if (font[i].letter == letter)
			return font[i].rows;
	return font[0].rows;
}

int sluice_picture_size(struct sluice_picture *p, uint32_t w, uint32_t h)
{
	uint8_t *px;

	if (!w || !h || w > SLUICE_PICTURE_SIDE_MAX || h > SLUICE_PICTURE_SIDE_MAX)
		return -EINVAL;
	w = (w + 1) & ~1u;
	h = (h + 1) & ~1u;
	if (p->plane[0] && p->w == w && p->h == h)
		return 0;
	px = malloc((size_t)w * h * 3 / 2);
	if (!px)
		return -ENOMEM;
	free(p->plane[0]);
	p->plane[0] = px;
	p->plane[1] = px + (size_t)w * h;
	p->plane[2] = p->plane[1] + (size_t)w * h / 4;
	p->w = w;
	p->h = h;
	return 0;
}

void sluice_picture_free(struct sluice_picture *p)
{
	if (!p)
		return;
	free(p->plane[0]);
	memset(p, 0, sizeof(*p));
}

void sluice_picture_fill(struct sluice_picture *p, uint8_t luma)
{
	size_t n = (size_t)p->w * p->h;

	memset(p->plane[0], luma, n);
	memset(p->plane[1], 128, n / 2);
}

void sluice_picture_paste(struct sluice_picture *p, const struct sluice_picture *from, uint32_t x,
			  uint32_t y)
{
	for (int i = 0; i < 3; i++) {
		uint32_t s = i ? 1 : 0, at_x = x >> s, at_y = y >> s, w = p->w >> s, h = p->h >> s;
		uint32_t from_w = from->w >> s, from_h = from->h >> s;
		uint32_t n = at_x < w ? w - at_x : 0;

		if (n > from_w)
			n = from_w;
		for (uint32_t row = 0; row < from_h && at_y + row < h; row++)
			memcpy(p->plane[i] + (size_t)(at_y + row) * w + at_x,
			       from->plane[i] + (size_t)row * from_w, n);
	}
}

/* One grey rectangle, cut to the picture. */
static void fill_rect(struct sluice_picture *p, int x0, int y0, int x1, int y1, uint8_t luma)
{
	int w = (int)p->w, h = (int)p->h;

	x0 = x0 < 0 ? 0 : x0;
	y0 = y0 < 0 ? 0 : y0;
	x1 = x1 > w ? w : x1;
	y1 = y1 > h ? h : y1;
	for (int y = y0; y < y1 && x0 < x1; y++) {
		size_t at = (size_t)(y / 2) * (p->w / 2) + x0 / 2, n = (x1 + 1) / 2 - x0 / 2;

		memset(p->plane[0] + (size_t)y * p->w + x0, luma, x1 - x0);
		memset(p->plane[1] + at, 128, n);
		memset(p->plane[2] + at, 128, n);
	}
}

static void outline(struct sluice_picture *p, int x0, int y0, int x1, int y1, uint8_t luma)
{
	fill_rect(p, x0, y0, x1, y0 + 1, luma);
	fill_rect(p, x0, y1 - 1, x1, y1, luma);
	fill_rect(p, x0, y0, x0 + 1, y1, luma);
	fill_rect(p, x1 - 1, y0, x1, y1, luma);
}

void sluice_picture_box(struct sluice_picture *p, int x, int y, int w, int h)
{
	outline(p, x - 1, y - 1, x + w + 1, y + h + 1, 16);
	outline(p, x, y, x + w, y + h, 235);
}

void sluice_picture_text(struct sluice_picture *p, uint32_t x, uint32_t y, uint32_t size,
			 const char *text)
{
	int left = (int)x, top = (int)y, s = (int)size;

	fill_rect(p, left, top, left + (int)strlen(text) * SLUICE_LETTER_W * s,
		  top + SLUICE_LETTER_H * s, 0);
	for (; *text; text++, left += SLUICE_LETTER_W * s) {
		const uint8_t *rows = sluice_letter_rows(*text);

		for (int i = 0; i < 35; i++) {
			int at_x = left + (i % 5 + 1) * s - s / 2, at_y = top + (i / 5 + 1) * s;

			if (rows[i / 5] & 16 >> i % 5)
				fill_rect(p, at_x, at_y, at_x + s, at_y + s, 255);
		}
	}
}
