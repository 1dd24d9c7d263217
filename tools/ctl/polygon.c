// SPDX-License-Identifier: MIT
/* polygon.c - even-odd fill at the cells' centres, and every cell that an edge passes through. */
#include <errno.h>
#include <math.h>
#include <stdbool.h>
#include <stdlib.h>

#include "tools/ctl/polygon.h"

int polygon_parse(const char *text, uint32_t width, uint32_t height, struct polygon *p)
{
	char *end;

	p->count = 0;
	while (*text) {
		double x = strtod(text, &end), y;

		if (end == text || *end != ',' || p->count == POLYGON_POINTS)
			return -EINVAL;
		text = end + 1;
		y = strtod(text, &end);
		if (end == text || !(x >= 0) || !(y >= 0) || x > width || y > height)
			return -EINVAL;
		p->x[p->count] = x;
		p->y[p->count++] = y;
		for (text = end; *text == ' '; text++)
			;
	}
	return p->count >= 3 ? 0 : -EINVAL;
}

static bool inside(const struct polygon *p, double x, double y)
{
	bool in = false;

	for (uint32_t i = 0, j = p->count - 1; i < p->count; j = i++)
		if ((p->y[i] > y) != (p->y[j] > y) &&
		    x < (p->x[j] - p->x[i]) * (y - p->y[i]) / (p->y[j] - p->y[i]) + p->x[i])
			in = !in;
	return in;
}

/* Does the segment a-b touch the rectangle? Clip it (Liang, Barsky 1984). */
static bool crosses(double ax, double ay, double bx, double by, double x0, double y0, double x1,
		    double y1)
{
	double d[4] = { ax - bx, bx - ax, ay - by, by - ay };
	double q[4] = { ax - x0, x1 - ax, ay - y0, y1 - ay }, from = 0, to = 1;

	for (int i = 0; i < 4; i++) {
		if (d[i] == 0) {
			if (q[i] < 0)
				return false;
		} else if (d[i] < 0) {
			from = fmax(from, q[i] / d[i]);
		} else {
			to = fmin(to, q[i] / d[i]);
		}
	}
	return from <= to;
}

uint32_t polygon_block(uint32_t width, uint32_t grid_w)
{
	for (uint32_t block = 8; block >= 2; block /= 2)
		if ((width + block - 1) / block == grid_w)
			return block;
	return 0;
}

void polygon_cells(const struct polygon *p, uint32_t block, uint32_t grid_w, uint32_t grid_h,
		   uint8_t *cell)
{
	double side = block;

	for (uint32_t gy = 0; gy < grid_h; gy++)
		for (uint32_t gx = 0; gx < grid_w; gx++) {
			double x0 = gx * side, y0 = gy * side;
			bool hit = inside(p, x0 + side / 2, y0 + side / 2);

			for (uint32_t i = 0, j = p->count - 1; !hit && i < p->count; j = i++)
				hit = crosses(p->x[j], p->y[j], p->x[i], p->y[i], x0, y0, x0 + side,
					      y0 + side);
			if (hit)
				cell[gy * grid_w + gx] = 1;
		}
}
