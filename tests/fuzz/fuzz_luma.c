// SPDX-License-Identifier: MIT
/*
 * fuzz_luma.c - any format, size, stride and length: the grid and the masked copy stay inside
 * their buffers, and every table gives the same cells. The first 16 bytes are the format, the rest
 * the mask and the picture, repeated as often as needed.
 */
#include "kmod/luma.h"
#include "kmod/mask.h"
#include <stdlib.h>

static const u32 formats[] = {
	SLUICE_FMT_YUYV, SLUICE_FMT_UYVY, SLUICE_FMT_NV12,  SLUICE_FMT_NV21,
	SLUICE_FMT_YU12, SLUICE_FMT_GREY, SLUICE_FMT_RGB24, SLUICE_FMT_BGR24
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void run(const struct sluice_picture *p, const uint8_t *data, size_t size, size_t len)
{
	const struct sluice_luma_ops *const *table = sluice_luma_tables();
	size_t cells = (size_t)p->grid_w * p->grid_h;
	u16 *want = malloc(cells * sizeof(*want)), *got = malloc(cells * sizeof(*got));
	uint8_t *frame = malloc(len), *copy = malloc(len), *bits = malloc((cells + 7) / 8);
	int ret;

	for (size_t i = 0; i < len; i++)
		frame[i] = data[i % size];
	for (size_t i = 0; i < (cells + 7) / 8; i++)
		bits[i] = data[i % size];
	sluice_luma = &sluice_luma_scalar;
	ret = sluice_luma_grid(p, frame, len, want);
	for (; *table; table++) {
		sluice_luma = *table;
		if (sluice_luma_grid(p, frame, len, got) != ret ||
		    (!ret && memcmp(want, got, cells * sizeof(*want))))
			abort();
	}
	if (!ret) {
		sluice_mask_copy(p, copy, frame, len, bits);
		sluice_mask_copy(p, copy, frame, len, NULL);
		if (memcmp(copy, frame, p->size_min))
			abort();
	}
	free(bits);
	free(copy);
	free(frame);
	free(got);
	free(want);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct sluice_picture p;
	u32 fourcc, width, height, line;
	u16 word[8];

	if (size < 17)
		return 0;
	memcpy(word, data, sizeof(word));
	fourcc = word[0] & 8 ? word[0] * 65537u : formats[word[0] & 7];
	width = word[1] % (word[0] & 16 ? 5000 : 700);
	height = word[2] % (word[0] & 32 ? 300 : 60);
	line = word[0] & 64 ? word[3] : 0;
	if (sluice_picture_init(&p, fourcc, width, height, line) || !p.size_min)
		return 0;
	/* at most a few MB a run, mostly the exact length, else near it */
	if (p.size_min < 4u << 20)
		run(&p, data + 16, size - 16,
		    word[0] & 128 ? p.size_min + word[4] % 64 - min_t(u32, word[5] % 64, p.size_min)
				  : p.size_min);
	return 0;
}
