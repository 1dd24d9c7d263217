/* SPDX-License-Identifier: MIT */
/* blobs.h - connected foreground of one picture, as boxes. */
#ifndef SLUICE_BLOBS_H
#define SLUICE_BLOBS_H

#include <stdint.h>

#include "cloud/decode.h"

#define SLUICE_BLOBS_MAX 64
#define SLUICE_LOOKS	 6

struct sluice_blob {
	float x, y, w, h;	  /* pixels of the analysed picture */
	uint32_t area;		  /* foreground pixels */
	uint32_t support;	  /* motion cells of the gate that touch it */
	float busy;		  /* share of its box's cells in which the gate saw motion */
	float sharpness;	  /* mean squared Laplacian inside */
	float edges;		  /* sluice_background_edges() of it; 1: not asked */
	float look[SLUICE_LOOKS]; /* mean luma, Cb, Cr of the upper and of the lower half */
};

struct sluice_blobs;

struct sluice_blobs *sluice_blobs_open(uint32_t w, uint32_t h); /* NULL: out of memory */
void sluice_blobs_close(struct sluice_blobs *b);		/* NULL-safe */

/*
 * Label mask[h][w] (8-connected after closing gaps of two pixels), join boxes of parts of one
 * thing, and measure them in the picture. cells: the gate's bitmap of grid_w x grid_h over the same
 * picture, NULL = unknown (support is then 1). What is no blob is taken out of the mask: components
 * that differ strongly nowhere, specks below area_min (a quarter of it is enough where the gate saw
 * motion), and small ones in the rim of what lit[h][w] explains (NULL: nothing). At most
 * SLUICE_BLOBS_MAX of the largest are kept. Returns how many.
 */
uint32_t sluice_blobs_find(struct sluice_blobs *b, uint8_t *mask, const uint8_t *lit,
			   const struct sluice_gray *g, uint32_t area_min, const uint8_t *cells,
			   uint32_t grid_w, uint32_t grid_h,
			   struct sluice_blob out[SLUICE_BLOBS_MAX]);

#endif
