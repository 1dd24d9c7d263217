// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * luma_sse2.c - row functions of the grid with 128-bit vectors.
 *
 * Packed formats: keep the luma byte of every 16-bit lane, add the lines in u16 (8 * 255 fits),
 * then fold neighbours: pmaddwd by ones halves the lanes, packssdw brings two vectors together
 * again, three rounds make eight blocks of eight vectors. One byte a pixel: psadbw against zero
 * is the sum of 8 pixels; the same packing, without the rounds. All sums stay below 16384, so
 * signed saturation never happens. Blocks that do not fill eight vectors go one by one.
 */
#include "luma_x86.h"

typedef char v16 __attribute__((vector_size(16)));
typedef short v8s __attribute__((vector_size(16)));
typedef int v4i __attribute__((vector_size(16)));
typedef long long v2q __attribute__((vector_size(16)));
typedef v8s v8s_any __attribute__((aligned(1), may_alias));
typedef v16 v16_any __attribute__((aligned(1), may_alias));

/*
 * Each tile asks for its share of the next row of blocks, in the order of memory: lines of a tile
 * lie too far apart for the CPU to see a stream in them. Rows of blocks up to NEAR bytes are
 * fetched into the first-level cache, others would push out what is in use.
 */
#define NEAR 16384

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

/* Sum of one block of 8 pixels of 2 bytes. */
static __always_inline u32 packed_block(const u8 *p, u32 stride, u32 rows, bool odd)
{
	v8s acc = {};

	for (u32 r = 0; r < rows; r++, p += stride)
		acc += load_luma(p, odd);
	acc = fold(acc, acc);
	acc = fold(acc, acc);
	return (u16)fold(acc, acc)[0];
}

/* One line of eight blocks. */
static __always_inline void packed_line(v8s *a, const u8 *p, const u8 *next, bool odd, bool far)
{
	if (far) {
		__builtin_prefetch(next, 0, 2);
		__builtin_prefetch(next + 64, 0, 2);
	} else {
		__builtin_prefetch(next, 0, 3);
		__builtin_prefetch(next + 64, 0, 3);
	}
#pragma GCC unroll 8
	for (u32 i = 0; i < 8; i++)
		a[i] += load_luma(p + 16 * i, odd);
}

/* Eight blocks; far: see NEAR. */
static __always_inline void packed_tile(const u8 *p, u32 stride, u32 rows, const u8 *next,
					u32 shift, u16 *cell, bool odd, bool far)
{
	v8s a[8] = {};

	for (u32 r = 0; r < rows; r++, p += stride, next += 128)
		packed_line(a, p, next, odd, far);
	*(v8s_any *)cell += fold(fold(fold(a[0], a[1]), fold(a[2], a[3])),
				 fold(fold(a[4], a[5]), fold(a[6], a[7])))
			    << (short)shift;
}

static __always_inline void row_packed(const u8 *line, u32 stride, u32 rows, u32 cells, u32 shift,
				       u16 *cell, bool odd)
{
	const u8 *next = line + (size_t)rows * stride;
	bool far = (size_t)rows * stride > NEAR;

	for (; cells >= 8; cells -= 8, line += 128, cell += 8, next += 128 * rows) {
		if (far)
			packed_tile(line, stride, rows, next, shift, cell, odd, true);
		else
			packed_tile(line, stride, rows, next, shift, cell, odd, false);
	}
	for (; cells; cells--, line += 16)
		*cell++ += packed_block(line, stride, rows, odd) << shift;
}

void sluice_luma_sse2_yuyv(const u8 *line, u32 stride, u32 rows, u32 cells, u32 block, u32 shift,
			   u16 *cell)
{
	row_packed(line, stride, rows, cells, shift, cell, false);
}

void sluice_luma_sse2_uyvy(const u8 *line, u32 stride, u32 rows, u32 cells, u32 block, u32 shift,
			   u16 *cell)
{
	row_packed(line, stride, rows, cells, shift, cell, true);
}

void sluice_luma_sse2_grey(const u8 *line, u32 stride, u32 rows, u32 cells, u32 block, u32 shift,
			   u16 *cell)
{
	const v16 zero = {};

	const u8 *next = line + (size_t)rows * stride;

	for (; cells >= 8; cells -= 8, line += 64, cell += 8) {
		v2q a[4] = {};
		const u8 *p = line;

		for (u32 r = 0; r < rows; r++, p += stride, next += 64) {
			__builtin_prefetch(next);
#pragma GCC unroll 4
			for (u32 i = 0; i < 4; i++)
				a[i] += (v2q)__builtin_ia32_psadbw128(
					*(const v16_any *)(p + 16 * i), zero);
		}
		*(v8s_any *)cell += __builtin_ia32_packssdw128(
					    (v4i)__builtin_ia32_packssdw128((v4i)a[0], (v4i)a[1]),
					    (v4i)__builtin_ia32_packssdw128((v4i)a[2], (v4i)a[3]))
				    << (short)shift;
	}
	for (; cells; cells--, line += 8) {
		const u8 *p = line;
		v2q acc = {};

		for (u32 r = 0; r < rows; r++, p += stride) {
			u64 w;

			memcpy(&w, p, sizeof(w));
			acc += (v2q)__builtin_ia32_psadbw128((v16)(v2q){ (long long)w, 0 }, zero);
		}
		*cell++ += (u16)acc[0] << shift;
	}
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
