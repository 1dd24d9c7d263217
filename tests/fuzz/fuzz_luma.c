// SPDX-License-Identifier: MIT
/*
 * fuzz_luma.c - any format, size, stride and length: the grid and the masked copy stay inside
 * their buffers, every table gives the same cells, no masked pixel is in the copy, and nothing but
 * a plain copy is where no mask is. The first 16 bytes are eight words that choose (fuzz_luma.h),
 * the rest is mask and picture, repeated as often as needed. The frame lies in an allocation of
 * exactly its length, at any alignment; a plane that is short is refused by all tables alike.
 */
#include "kmod/luma.h"
#include "kmod/mask.h"
#include "tests/fuzz/fuzz_luma.h"
#include <stdlib.h>

static const u32 formats[] = {
	SLUICE_FMT_YUYV, SLUICE_FMT_UYVY, SLUICE_FMT_NV12,  SLUICE_FMT_NV21,
	SLUICE_FMT_YU12, SLUICE_FMT_GREY, SLUICE_FMT_RGB24, SLUICE_FMT_BGR24
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The luma (or colour) bytes of the copy: masked cells are black, others as they were. */
static void check_copy(const struct sluice_picture *p, const uint8_t *copy, const uint8_t *frame,
		       const uint8_t *bits)
{
	const uint8_t black = p->pixel_step == 3 ? 0 : 16;
	u32 colours = p->pixel_step == 3 ? 3 : 1;

	for (u32 y = 0; y < p->height; y++) {
		for (u32 x = 0; x < p->width; x++) {
			u32 cell = y / p->block * p->grid_w + x / p->block;
			bool masked = bits && bits[cell / 8] >> (cell % 8) & 1;
			size_t at =
				(size_t)y * p->stride + (size_t)x * p->pixel_step + p->luma_first;

			for (u32 c = 0; c < colours; c++)
				if (copy[at + c] != (masked ? black : frame[at + c]))
					abort();
		}
	}
}

static void run(const struct sluice_picture *p, const uint8_t *data, size_t size, size_t len,
		u32 shift)
{
	const struct sluice_luma_ops *const *table = sluice_luma_tables();
	size_t cells = (size_t)p->grid_w * p->grid_h;
	u16 *want = malloc(cells * sizeof(*want)), *got = malloc(cells * sizeof(*got));
	uint8_t *room = malloc(len + shift), *frame = room + shift;
	uint8_t *copy = malloc(len ? len : 1), *bits = malloc((cells + 7) / 8);
	int ret;

	for (size_t i = 0; i < len; i++)
		frame[i] = data[i % size];
	for (size_t i = 0; i < (cells + 7) / 8; i++)
		bits[i] = data[i % size];
	sluice_luma = &sluice_luma_scalar;
	ret = sluice_luma_grid(p, frame, len, want);
	if ((ret == 0) != (len >= p->size_min) || (ret && ret != -EMSGSIZE))
		abort();
	for (; *table; table++) {
		sluice_luma = *table;
		if (sluice_luma_grid(p, frame, len, got) != ret ||
		    (!ret && memcmp(want, got, cells * sizeof(*want))))
			abort();
	}
	if (!ret) {
		sluice_mask_copy(p, copy, frame, len, bits);
		check_copy(p, copy, frame, bits);
		sluice_mask_copy(p, copy, frame, len, NULL);
		if (memcmp(copy, frame, p->size_min))
			abort();
	}
	free(bits);
	free(copy);
	free(room);
	free(got);
	free(want);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct sluice_picture p;
	u32 fourcc, width, height, line;
	size_t len;
	u16 word[FUZZ_WORDS];

	if (size < sizeof(word) + 1)
		return 0;
	memcpy(word, data, sizeof(word));
	fourcc = word[FUZZ_CHOICE] & FUZZ_FOURCC ? word[FUZZ_CHOICE] * 65537u
						 : formats[word[FUZZ_CHOICE] & 7];
	width = word[FUZZ_WIDTH] % (word[FUZZ_CHOICE] & FUZZ_WIDE ? 5000 : 700);
	height = word[FUZZ_HEIGHT] % (word[FUZZ_CHOICE] & FUZZ_HIGH ? 300 : 60);
	line = word[FUZZ_CHOICE] & FUZZ_STRIDE ? word[FUZZ_LINE] : 0;
	if (sluice_picture_init(&p, fourcc, width, height, line) || !p.size_min)
		return 0;
	/* at most a few MB a run */
	if (p.size_min >= 4u << 20)
		return 0;
	len = p.size_min;
	if (word[FUZZ_CHOICE] & FUZZ_NEAR)
		len = len + word[FUZZ_MORE] % 64 - min_t(u32, word[FUZZ_LESS] % 64, p.size_min);
	if (word[FUZZ_CHOICE] & FUZZ_SHORT) /* a plane that is missing, a frame cut anywhere */
		len = (u64)p.size_min * word[FUZZ_LESS] / 65536;
	run(&p, data + sizeof(word), size - sizeof(word), len, word[FUZZ_SHIFT] % 8);
	return 0;
}
