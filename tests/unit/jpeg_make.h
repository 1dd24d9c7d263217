/* SPDX-License-Identifier: MIT */
/* jpeg_make.h - JPEGs of every shape for the tests of jpeg_dc, made and read back with libjpeg. */
#ifndef TESTS_JPEG_MAKE_H
#define TESTS_JPEG_MAKE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct jpeg_shape {
	unsigned int width, height;
	unsigned int components; /* 1 or 3 */
	unsigned int h, v;	 /* luma sampling; chroma is 1x1 */
	int quality;
	unsigned int restart;		   /* MCUs between restart markers, 0: none */
	bool progressive, optimise, apart; /* apart: every component has a scan of its own */
	bool no_tables;			   /* as cameras do: without DHT */
	bool rgb;			   /* stored as RGB */
};

/*
 * A picture of texture made from seed; noise 0..255 is its strength. *size: its bytes. The caller
 * frees the result. Ends the program if libjpeg fails.
 */
uint8_t *jpeg_make(const struct jpeg_shape *s, unsigned int seed, int noise, size_t *size);

/* The same from pixels: components bytes each, YCbCr. */
uint8_t *jpeg_from_pixels(const struct jpeg_shape *s, const uint8_t *pixel, size_t *size);

/*
 * The grid as libjpeg's own coefficients give it: cell[ceil(h / 8)][ceil(w / 8)], as
 * sluice_jpeg_dc_grid() must. A picture without tables is given the standard ones first.
 */
void jpeg_reference(const uint8_t *data, size_t size, uint16_t *cell);

/* Remove (*size shrinks) all segments with this marker. */
void jpeg_strip(uint8_t *data, size_t *size, int marker);

#endif
