/* SPDX-License-Identifier: MIT */
/*
 * picture.h - a small colour picture (4:2:0, full range) that can be written on: boxes, and text in
 * a font of its own. What lies outside of the picture is cut off.
 */
#ifndef SLUICE_PICTURE_H
#define SLUICE_PICTURE_H

#include <stddef.h>
#include <stdint.h>

#define SLUICE_PICTURE_SIDE_MAX 2048 /* pixels */

struct sluice_picture {
	uint8_t *plane[3]; /* Y [h][w], Cb and Cr [h / 2][w / 2], packed; one allocation */
	uint32_t w, h;	   /* even */
};

/* Give p this size (rounded up to even); it may have had another. What it shows is undefined.
 * -EINVAL: 0 or above SLUICE_PICTURE_SIDE_MAX. -ENOMEM: p is as before. */
int sluice_picture_size(struct sluice_picture *p, uint32_t w, uint32_t h);
void sluice_picture_free(struct sluice_picture *p); /* NULL-safe; p can be used again */

/* All of it grey of this brightness. */
void sluice_picture_fill(struct sluice_picture *p, uint8_t luma);

/* Copy from into p with its corner at x, y (even). */
void sluice_picture_paste(struct sluice_picture *p, const struct sluice_picture *from, uint32_t x,
			  uint32_t y);

/* The outline of a box, two pixels wide, light on dark. */
void sluice_picture_box(struct sluice_picture *p, int x, int y, int w, int h);

/* Size of a letter's place in pixels, times the size that text is drawn in. */
#define SLUICE_LETTER_W 6
#define SLUICE_LETTER_H 9

/* White letters on black: digits, "-:./X" and "UTC"; others leave their place empty. */
void sluice_picture_text(struct sluice_picture *p, uint32_t x, uint32_t y, uint32_t size,
			 const char *text);

/* The 7 rows of a letter, 5 bits each, leftmost is 16; all 0 for one that there is not. */
const uint8_t *sluice_letter_rows(char letter);

#endif
