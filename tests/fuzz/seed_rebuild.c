// SPDX-License-Identifier: MIT
/* seed_rebuild DIR - pairs that the relay itself makes, for fuzz_rebuild: DIR/seed-0, seed-1, ...
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "relay/region.h"
#include "tests/unit/jpeg_make.h"

#define W 128
#define H 96

static int write_seed(const char *dir, int number, const uint8_t *base, size_t size,
		      const struct relay_picture *p)
{
	const uint8_t head[4] = { W / 8 - 1, H / 8 - 1, (uint8_t)size, (uint8_t)(size >> 8) };
	char path[512];
	FILE *f;
	int err;

	snprintf(path, sizeof(path), "%s/seed-%d", dir, number);
	f = fopen(path, "wb");
	if (!f)
		return 1;
	err = fwrite(head, 1, 4, f) != 4 || fwrite(base, 1, size, f) != size ||
	      fwrite(p->head.iov_base, 1, p->head.iov_len, f) != p->head.iov_len ||
	      fwrite(p->iov[0].iov_base, 1, p->iov[0].iov_len, f) != p->iov[0].iov_len;
	return fclose(f) || err;
}

int main(int argc, char **argv)
{
	static const uint8_t sampling[4][3] = {
		{ 3, 2, 2 }, { 3, 2, 1 }, { 3, 1, 1 }, { 1, 1, 1 }
	};
	static const struct relay_region_config on = { .on = true, .key_ms = 10000 };
	static uint8_t pixel[W * H * 3], cells[W / 8 * H / 8 / 8];

	for (int i = 0; argc > 1 && i < 4; i++) {
		struct jpeg_shape shape = { .width = W,
					    .height = H,
					    .components = sampling[i][0],
					    .h = sampling[i][1],
					    .v = sampling[i][2],
					    .quality = 60 };
		struct sluice_ring_desc d = { .epoch = 1,
					      .reason = SLUICE_REASON_MOTION,
					      .event = 1,
					      .width = W,
					      .height = H,
					      .grid_w = W / 8,
					      .grid_h = H / 8,
					      .cells_size = sizeof(cells) };
		struct relay_region r = { 0 };
		struct relay_picture p;
		uint8_t *base, *now;
		size_t size, now_size;

		for (size_t k = 0; k < sizeof(pixel); k++)
			pixel[k] = (uint8_t)(k / 90);
		for (int frame = 0; frame < 2; frame++) {
			now = jpeg_from_pixels(&shape, pixel, &now_size);
			p = (struct relay_picture){ .iov = { { now, now_size } },
						    .count = 1,
						    .size = now_size };
			d.sequence = (uint64_t)frame + 1;
			relay_region_make(&r, &on, 0, &d, cells, &p);
			if (!frame) {
				base = now;
				size = now_size;
			}
			for (int y = 30; y < 50; y++)
				memset(pixel + (y * W + 20) * shape.components, 250, 60);
		}
		if (!p.head.iov_len || write_seed(argv[1], i, base, size, &p))
			return 1;
		free(base);
		free(now);
		relay_region_exit(&r);
	}
	return argc < 2;
}
