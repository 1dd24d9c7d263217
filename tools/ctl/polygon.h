/* SPDX-License-Identifier: MIT */
/* polygon.h - polygons in pixels to cells of the grid. */
#ifndef SLUICE_CTL_POLYGON_H
#define SLUICE_CTL_POLYGON_H

#include <stdint.h>

#define POLYGON_POINTS 64

struct polygon {
	uint32_t count;
	double x[POLYGON_POINTS], y[POLYGON_POINTS];
};

/* "10,10 200,10 200,150": at least three points within width x height. Returns 0 or -EINVAL. */
int polygon_parse(const char *text, uint32_t width, uint32_t height, struct polygon *p);

/*
 * Set cell[grid_h * grid_w] to 1 for every cell that p touches (a privacy mask may cover too much,
 * never too little): cells whose centre lies inside or which an edge crosses.
 */
void polygon_cells(const struct polygon *p, uint32_t block, uint32_t grid_w, uint32_t grid_h,
		   uint8_t *cell);

/* Side of a cell in pixels, from the width and how many cells cover it: 8, 4 or 2; 0 if none fits.
 */
uint32_t polygon_block(uint32_t width, uint32_t grid_w);

#endif
