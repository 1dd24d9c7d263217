/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/*
 * jpeg_pictures.h - small JPEGs with the grids that libjpeg's own coefficients give for them; made
 * by tests/kunit/make_pictures.c, which says what each of them is.
 */
#ifndef SLUICE_KUNIT_JPEG_PICTURES_H
#define SLUICE_KUNIT_JPEG_PICTURES_H

#include "../core.h"

struct jpeg_picture {
	const char *name;
	const u8 *data;
	u32 size; /* bytes */
	u16 width, height;
	bool no_tables;	 /* as cameras send it: without Huffman tables */
	const u16 *grid; /* ceil(height / 8) rows of ceil(width / 8) cells */
};

/* Ended by an element without data. */
extern const struct jpeg_picture jpeg_pictures[];

#endif
