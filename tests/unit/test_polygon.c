// SPDX-License-Identifier: MIT
/* Polygons to cells: a mask may cover too much, never too little. */
#include <stdio.h>
#include <string.h>

#include "tools/ctl/polygon.h"

static int bad;

static void expect(const char *what, int is, int want)
{
	if (is != want) {
		printf("%s: %d, not %d\n", what, is, want);
		bad++;
	}
}

static int count(const char *text, uint32_t w, uint32_t h)
{
	static uint8_t cell[80 * 60];
	struct polygon p;
	int n = 0;

	memset(cell, 0, sizeof(cell));
	if (polygon_parse(text, w, h, &p))
		return -1;
	polygon_cells(&p, 8, 80, 60, cell);
	for (size_t i = 0; i < sizeof(cell); i++)
		n += cell[i];
	return n;
}

/* Every pixel inside a triangle lies in a set cell. */
static void covers(void)
{
	static uint8_t cell[80 * 60];
	struct polygon p;

	memset(cell, 0, sizeof(cell));
	expect("triangle parses", polygon_parse("13,7 601,222 90,471", 640, 480, &p), 0);
	polygon_cells(&p, 8, 80, 60, cell);
	for (int y = 0; y < 480; y++)
		for (int x = 0; x < 640; x++) {
			int in = 0;

			for (uint32_t i = 0, j = 2; i < 3; j = i++)
				if ((p.y[i] > y + 0.5) != (p.y[j] > y + 0.5) &&
				    x + 0.5 < (p.x[j] - p.x[i]) * (y + 0.5 - p.y[i]) /
							      (p.y[j] - p.y[i]) +
						      p.x[i])
					in = !in;
			if (in && !cell[y / 8 * 80 + x / 8]) {
				printf("pixel %d,%d is not covered\n", x, y);
				bad++;
				return;
			}
		}
}

int main(void)
{
	expect("whole picture", count("0,0 640,0 640,480 0,480", 640, 480), 80 * 60);
	/* a sliver inside one cell still covers it */
	expect("sliver", count("3,3 4,3 4,4", 640, 480), 1);
	expect("two points", count("0,0 8,8", 640, 480), -1);
	expect("outside", count("0,0 641,0 5,5", 640, 480), -1);
	expect("negative", count("-1,0 8,0 8,8", 640, 480), -1);
	expect("rubbish", count("a,b", 640, 480), -1);
	expect("block of 640/80", polygon_block(640, 80), 8);
	expect("block of 426/107", polygon_block(426, 107), 4);
	expect("block of 160/80", polygon_block(160, 80), 2);
	expect("no block", polygon_block(640, 33), 0);
	covers();
	return bad != 0;
}
