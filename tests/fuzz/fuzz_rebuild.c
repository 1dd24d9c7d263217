// SPDX-License-Identifier: MIT
/*
 * fuzz_rebuild.c - hostile pairs of base and region. Input: size of the picture (one byte each, in
 * units of 8 pixels), length of the base (16 bits), the base, the region with its head. What is
 * accepted must be a whole JPEG of the picture's size, and what the analysis sees of it must not
 * leave its memory.
 */
#include <stdlib.h>
#include <string.h>
#include "cloud/canvas.h"
#include "cloud/jpeg_head.h"
#include "cloud/rebuild.h"
#include "lib/wire_region.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct base {
	const uint8_t *jpeg;
	size_t size;
};

static uint8_t *fetch(void *ctx, uint64_t epoch, uint64_t sequence, size_t *size)
{
	const struct base *b = ctx;
	uint8_t *copy = malloc(b->size ? b->size : 1);

	memcpy(copy, b->jpeg, b->size);
	*size = b->size;
	return copy;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct sluice_analysis_ops ops = { .fetch = fetch };
	static struct sluice_rebuild *rebuild;
	static struct sluice_canvas *canvas[4]; /* at 1/1, 1/2, 1/4, 1/8 */
	struct sluice_wire_region_info r;
	struct sluice_stored_frame f = { .sequence = UINT64_MAX, .flags = SLUICE_WIRE_REGION };
	struct sluice_gray gray;
	struct base base;
	const uint8_t *jpeg;
	uint8_t *part;
	uint16_t w, h;
	size_t n;

	if (size < 4)
		return 0;
	if (!rebuild)
		rebuild = sluice_rebuild_open();
	for (uint32_t i = 0; i < 4 && !canvas[i]; i++)
		canvas[i] = sluice_canvas_open(1u << i);
	f.width = (uint16_t)(8 + data[0] % 32 * 8 - data[0] / 32);
	f.height = (uint16_t)(8 + data[1] % 32 * 8 - data[1] / 32);
	base.size = (size_t)data[2] | (size_t)data[3] << 8;
	data += 4;
	size -= 4;
	if (base.size > size)
		base.size = size;
	base.jpeg = data;
	f.jpeg_size = size - base.size;
	part = malloc(f.jpeg_size ? f.jpeg_size : 1); /* exact, so that a read beyond is seen */
	memcpy(part, data + base.size, f.jpeg_size);
	f.jpeg = part;
	if (!sluice_wire_region_get(f.jpeg, f.jpeg_size, f.width, f.height, &r) &&
	    !sluice_rebuild_frame(rebuild, base.jpeg, base.size, f.width, f.height, &r, &jpeg, &n))
		if (sluice_jpeg_head(jpeg, n, &w, &h) || w != f.width || h != f.height)
			abort();
	for (uint32_t i = 0; i < 4; i++)
		sluice_canvas_frame(canvas[i], &f, &ops, &base, &gray);
	free(part);
	return 0;
}
