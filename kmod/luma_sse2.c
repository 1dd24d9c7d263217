// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * luma_sse2.c - row functions of the grid with 128-bit vectors.
 *
 * Line by line, in the order of memory, which is what the CPU fetches ahead by itself: larger
 * pictures come from memory, and that is the limit then. Packed formats: the luma bytes of two
 * vectors are packed into one. psadbw against zero is the sum of 8 bytes, a block's share of the
 * line; four vectors of those, packed to u16, are added to eight cells. All sums stay below 16384,
 * so signed saturation never happens.
 *
 * Narrow blocks: add the lines in u16 (8 * 255 fits), then fold neighbours: pmaddwd by ones halves
 * the lanes, packssdw brings two vectors together again.
 */
#include "luma_x86.h"

typedef char v16 __attribute__((vector_size(16)));
typedef short v8s __attribute__((vector_size(16)));
typedef int v4i __attribute__((vector_size(16)));
typedef long long v2q __attribute__((vector_size(16)));
typedef v8s v8s_any __attribute__((aligned(1), may_alias));
typedef v16 v16_any __attribute__((aligned(1), may_alias));

#define ONES ((v8s){ 1, 1, 1, 1, 1, 1, 1, 1 })
#define LOW  ((v8s){ 255, 255, 255, 255, 255, 255, 255, 255 })

/* Sums of neighbours of a, then of b: eight u16 lanes. */
static __always_inline v8s fold(v8s a, v8s b)
{
	return __builtin_ia32_packssdw128(__builtin_ia32_pmaddwd128(a, ONES),
					  __builtin_ia32_pmaddwd128(b, ONES));
}

static __always_inline v8s load_luma(const u8 *p, bool odd)
{
	v8s v = *(const v8s_any *)p;

	return odd ? __builtin_ia32_psrlwi128(v, 8) : v & LOW;
}

/* The luma bytes of 16 pixels. */
static __always_inline v16 load_sixteen(const u8 *p, enum sluice_luma_layout layout)
{
	bool odd = layout == SLUICE_LUMA_UYVY;

	if (layout == SLUICE_LUMA_GREY)
		return *(const v16_any *)p;
	return (v16)__builtin_ia32_packuswb128(load_luma(p, odd), load_luma(p + 16, odd));
}

/* ... of 8, and zeros. */
static __always_inline v16 load_eight(const u8 *p, enum sluice_luma_layout layout)
{
	u64 w;

	if (layout != SLUICE_LUMA_GREY)
		return (v16)__builtin_ia32_packuswb128(load_luma(p, layout == SLUICE_LUMA_UYVY),
						       (v8s){});
	memcpy(&w, p, sizeof(w));
	return (v16)(v2q){ (long long)w, 0 };
}

/* Sums of each 8 bytes: of two blocks, low and high half. */
static __always_inline v4i sum_eights(v16 luma)
{
	return (v4i)__builtin_ia32_psadbw128(luma, (v16){});
}

/* A line of four blocks: their sums, zeros between them. */
static __always_inline v4i four_blocks(const u8 *p, u32 bytes, enum sluice_luma_layout layout)
{
	return (v4i)__builtin_ia32_packssdw128(sum_eights(load_sixteen(p, layout)),
					       sum_eights(load_sixteen(p + 2 * bytes, layout)));
}

static __always_inline void row_lines(const u8 *line, u32 stride, u32 rows, u32 cells, u32 shift,
				      u16 *cell, enum sluice_luma_layout layout)
{
	const u32 bytes = layout == SLUICE_LUMA_GREY ? 8 : 16; /* of a block */

	for (; rows; rows--, line += stride) {
		const u8 *p = line;
		u32 i;

		for (i = 0; i + 8 <= cells; i += 8, p += 8 * bytes)
			*(v8s_any *)(cell + i) += __builtin_ia32_packssdw128(
							  four_blocks(p, bytes, layout),
							  four_blocks(p + 4 * bytes, bytes, layout))
						  << (short)shift;
		for (; i < cells; i++, p += bytes)
			cell[i] += sum_eights(load_eight(p, layout))[0] << shift;
	}
}

void sluice_luma_sse2_grey(const u8 *line, u32 stride, u32 rows, u32 cells, u32 block, u32 shift,
			   u16 *cell)
{
	row_lines(line, stride, rows, cells, shift, cell, SLUICE_LUMA_GREY);
}

void sluice_luma_sse2_yuyv(const u8 *line, u32 stride, u32 rows, u32 cells, u32 block, u32 shift,
			   u16 *cell)
{
	row_lines(line, stride, rows, cells, shift, cell, SLUICE_LUMA_YUYV);
}

void sluice_luma_sse2_uyvy(const u8 *line, u32 stride, u32 rows, u32 cells, u32 block, u32 shift,
			   u16 *cell)
{
	row_lines(line, stride, rows, cells, shift, cell, SLUICE_LUMA_UYVY);
}

/* 48 bytes are two blocks: columns summed in u16, even and odd bytes apart, colours at the end. */
void sluice_luma_sse2_rgb(const u8 *line, u32 stride, u32 rows, u32 cells, u32 block, u32 shift,
			  u16 *cell)
{
	for (; cells >= 2; cells -= 2, line += 48, cell += 6) {
		v8s a[6] = {}; /* even bytes of vector 0, odd ones, even of vector 1, ... */
		const u8 *p = line;
		u16 column[48];

		for (u32 r = 0; r < rows; r++, p += stride) {
#pragma GCC unroll 3
			for (u32 i = 0; i < 3; i++) {
				v8s v = *(const v8s_any *)(p + 16 * i);

				a[2 * i] += v & LOW;
				a[2 * i + 1] += __builtin_ia32_psrlwi128(v, 8);
			}
		}
		for (u32 i = 0; i < 6; i++)
			*(v8s_any *)(column + 8 * i) = a[i];
			/* byte b lies at [b / 16][b % 2][b % 16 / 2] */
#pragma GCC unroll 48
		for (u32 b = 0; b < 48; b++)
			cell[b / 24 * 3 + b % 3] += column[b / 16 * 16 + b % 2 * 8 + b % 16 / 2]
						    << shift;
	}
	for (; cells; cells--, line += 24, cell += 3) {
		for (u32 r = 0; r < rows; r++) {
			for (u32 b = 0; b < 24; b++)
				cell[b % 3] += line[(size_t)r * stride + b] << shift;
		}
	}
}

/* Single narrow blocks: pixels of step bytes. */
static void narrow_rest(const u8 *line, u32 stride, u32 rows, u32 cells, u32 block, u32 shift,
			u16 *cell, u32 step)
{
	for (u32 r = 0; r < rows; r++, line += stride) {
		for (u32 i = 0; i < cells * block; i++)
			cell[i / block] += line[i * step] << shift;
	}
}

/* Eight blocks of 4 or 2 pixels are as many vectors; one round of folding a halving. */
static __always_inline void narrow_packed(const u8 *line, u32 stride, u32 rows, u32 cells,
					  u32 block, u32 shift, u16 *cell, bool odd)
{
	for (; cells >= 8; cells -= 8, line += 16 * block, cell += 8) {
		v8s a[4] = {};
		const u8 *p = line;

		for (u32 r = 0; r < rows; r++, p += stride) {
			a[0] += load_luma(p, odd);
			a[1] += load_luma(p + 16, odd);
			if (block == 4) {
				a[2] += load_luma(p + 32, odd);
				a[3] += load_luma(p + 48, odd);
			}
		}
		a[0] = fold(a[0], a[1]);
		if (block == 4)
			a[0] = fold(a[0], fold(a[2], a[3]));
		*(v8s_any *)cell += a[0] << (short)shift;
	}
	narrow_rest(line + odd, stride, rows, cells, block, shift, cell, 2);
}

void sluice_luma_sse2_yuyv_narrow(const u8 *line, u32 stride, u32 rows, u32 cells, u32 block,
				  u32 shift, u16 *cell)
{
	narrow_packed(line, stride, rows, cells, block, shift, cell, false);
}

void sluice_luma_sse2_uyvy_narrow(const u8 *line, u32 stride, u32 rows, u32 cells, u32 block,
				  u32 shift, u16 *cell)
{
	narrow_packed(line, stride, rows, cells, block, shift, cell, true);
}

void sluice_luma_sse2_grey_narrow(const u8 *line, u32 stride, u32 rows, u32 cells, u32 block,
				  u32 shift, u16 *cell)
{
	for (; cells >= 8; cells -= 8, line += 8 * block, cell += 8) {
		v8s a[2] = {};
		const u8 *p = line;

		for (u32 r = 0; r < rows; r++, p += stride) {
			a[0] += load_luma(p, false) + load_luma(p, true);
			if (block == 4)
				a[1] += load_luma(p + 16, false) + load_luma(p + 16, true);
		}
		*(v8s_any *)cell += (block == 4 ? fold(a[0], a[1]) : a[0]) << (short)shift;
	}
	narrow_rest(line, stride, rows, cells, block, shift, cell, 1);
}
