// SPDX-License-Identifier: MIT
/*
 * fuzz_jpeg_dc.c - hostile MJPEG. The first two bytes choose the stream's size, the rest is the
 * frame, in an allocation of exactly its length so that one byte read beyond it is seen. The
 * decoder is kept from input to input as a camera's is, and a frame that decodes must decode the
 * same with a fresh one: nothing of the frame before may show.
 */
#include "kmod/jpeg_dc.h"
#include <stdlib.h>

static const u32 sizes[][2] = { { 640, 480 }, { 64, 48 },   { 33, 17 }, { 1280, 720 },
				{ 16, 16 },   { 200, 120 }, { 96, 64 }, { 160, 96 } };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct sluice_jpeg_dc kept;
	struct sluice_jpeg_dc *fresh;
	struct sluice_jpeg_info info, again;
	u32 width, height, cells;
	u16 *cell, *same;
	uint8_t *frame;
	int ret;

	if (size < 2)
		return 0;
	width = sizes[data[0] & 7][0];
	height = sizes[data[0] & 7][1];
	cells = (width + 7) / 8 * ((height + 7) / 8);
	size -= 2;
	frame = malloc(size ? size : 1);
	cell = malloc(cells * sizeof(*cell));
	same = malloc(cells * sizeof(*same));
	fresh = calloc(1, sizeof(*fresh));
	memcpy(frame, data + 2, size);
	ret = sluice_jpeg_dc_grid(&kept, frame, size, width, height, cell, &info);
	if (ret && ret != -EBADMSG && ret != -EOPNOTSUPP && ret != -EMSGSIZE)
		abort();
	if (ret != sluice_jpeg_dc_grid(fresh, frame, size, width, height, same, &again))
		abort();
	if (!ret && (info.bytes > size || info.bytes != again.bytes || info.width != width ||
		     memcmp(cell, same, cells * sizeof(*cell))))
		abort();
	free(fresh);
	free(same);
	free(cell);
	free(frame);
	return 0;
}
