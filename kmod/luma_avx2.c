// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * luma_avx2.c - row functions of the grid with 256-bit vectors: the way of luma_sse2.c, with twice
 * the blocks. Packing works on each 128-bit half by itself, so at the end the halves are woven
 * together again. The blocks that are left over go to luma_sse2.c.
 */
#include "luma_x86.h"

typedef char v32 __attribute__((vector_size(32)));
typedef short v16s __attribute__((vector_size(32)));
typedef int v8i __attribute__((vector_size(32)));
typedef v16s v16s_any __attribute__((aligned(1), may_alias));
typedef v32 v32_any __attribute__((aligned(1), may_alias));

#define LOW \
	((v16s){ 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255 })

static __always_inline v16s load_luma(const u8 *p, bool odd)
{
	v16s v = *(const v16s_any *)p;

	return odd ? __builtin_ia32_psrlwi256(v, 8) : v & LOW;
}

/* The luma bytes of 32 pixels; of packed formats blocks 0 2 1 3. */
static __always_inline v32 load_lumas(const u8 *p, enum sluice_luma_layout layout)
{
	bool odd = layout == SLUICE_LUMA_UYVY;

	if (layout == SLUICE_LUMA_GREY)
		return *(const v32_any *)p;
	return (v32)__builtin_ia32_packuswb256(load_luma(p, odd), load_luma(p + 32, odd));
}

/* A line of eight blocks: their sums, zeros between them. */
static __always_inline v8i eight_blocks(const u8 *p, u32 bytes, enum sluice_luma_layout layout)
{
	v32 low = load_lumas(p, layout), high = load_lumas(p + 4 * bytes, layout);

	return (v8i)__builtin_ia32_packssdw256((v8i)__builtin_ia32_psadbw256(low, (v32){}),
					       (v8i)__builtin_ia32_psadbw256(high, (v32){}));
}

/* A line of 16 blocks: their sums. */
static __always_inline v16s sixteen_blocks(const u8 *p, u32 bytes, enum sluice_luma_layout layout)
{
	v16s s = __builtin_ia32_packssdw256(eight_blocks(p, bytes, layout),
					    eight_blocks(p + 8 * bytes, bytes, layout));

	/* halves: 0 1, 4 5, 8 9, 12 13 and 2 3, 6 7, 10 11, 14 15 */
	if (layout == SLUICE_LUMA_GREY)
		return (v16s)__builtin_shufflevector((v8i)s, (v8i)s, 0, 4, 1, 5, 2, 6, 3, 7);
	/* halves: 0 2 4 .. 14 and 1 3 5 .. 15 */
	return __builtin_shufflevector(s, s, 0, 8, 1, 9, 2, 10, 3, 11, 4, 12, 5, 13, 6, 14, 7, 15);
}

/* Returns how many cells it did. */
static __always_inline u32 row_lines(const u8 *line, u32 stride, u32 rows, u32 cells, u32 shift,
				     u16 *cell, enum sluice_luma_layout layout)
{
	const u32 bytes = layout == SLUICE_LUMA_GREY ? 8 : 16; /* of a block */

	cells -= cells % 16;
	for (; rows; rows--, line += stride)
		for (u32 i = 0; i < cells; i += 16)
			*(v16s_any *)(cell + i) += sixteen_blocks(line + i * bytes, bytes, layout)
						   << (short)shift;
	return cells;
}

void sluice_luma_avx2_grey(const u8 *line, u32 stride, u32 rows, u32 cells, u32 block, u32 shift,
			   u16 *cell)
{
	u32 n = row_lines(line, stride, rows, cells, shift, cell, SLUICE_LUMA_GREY);

	sluice_luma_sse2_grey(line + 8 * n, stride, rows, cells - n, block, shift, cell + n);
}

void sluice_luma_avx2_yuyv(const u8 *line, u32 stride, u32 rows, u32 cells, u32 block, u32 shift,
			   u16 *cell)
{
	u32 n = row_lines(line, stride, rows, cells, shift, cell, SLUICE_LUMA_YUYV);

	sluice_luma_sse2_yuyv(line + 16 * n, stride, rows, cells - n, block, shift, cell + n);
}

void sluice_luma_avx2_uyvy(const u8 *line, u32 stride, u32 rows, u32 cells, u32 block, u32 shift,
			   u16 *cell)
{
	u32 n = row_lines(line, stride, rows, cells, shift, cell, SLUICE_LUMA_UYVY);

	sluice_luma_sse2_uyvy(line + 16 * n, stride, rows, cells - n, block, shift, cell + n);
}
