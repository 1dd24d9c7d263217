// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * luma_avx2.c - row functions of the grid with 256-bit vectors: the way of luma_sse2.c, two blocks
 * a vector. Packing works on each 128-bit half by itself, so at the end the halves are woven
 * together again.
 */
#include "luma_x86.h"

typedef char v32 __attribute__((vector_size(32)));
typedef short v16s __attribute__((vector_size(32)));
typedef int v8i __attribute__((vector_size(32)));
typedef long long v4q __attribute__((vector_size(32)));
typedef short v8s __attribute__((vector_size(16)));
typedef int v4i __attribute__((vector_size(16)));
typedef char v16 __attribute__((vector_size(16)));
typedef long long v2q __attribute__((vector_size(16)));
typedef v16s v16s_any __attribute__((aligned(1), may_alias));
typedef v32 v32_any __attribute__((aligned(1), may_alias));
typedef v8s v8s_any __attribute__((aligned(1), may_alias));

/*
 * Each tile asks for its share of the next row of blocks, in the order of memory: lines of a tile
 * lie too far apart for the CPU to see a stream in them. That holds for rows of blocks up to NEAR
 * bytes. Larger pictures come from memory, which is the limit then: the narrow tiles of luma_sse2.c
 * spread what they ask for more evenly and are faster (make bench).
 */
#define NEAR 12288

#define ONES  ((v16s){ 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1 })
#define LOW   (ONES * 255)
#define ONES8 ((v8s){ 1, 1, 1, 1, 1, 1, 1, 1 })

/* Sums of neighbours of a, then of b, in each half. */
static __always_inline v16s fold(v16s a, v16s b)
{
	return __builtin_ia32_packssdw256(__builtin_ia32_pmaddwd256(a, ONES),
					  __builtin_ia32_pmaddwd256(b, ONES));
}

static __always_inline v16s load_luma(const u8 *p, bool odd)
{
	v16s v = *(const v16s_any *)p;

	return odd ? __builtin_ia32_psrlwi256(v, 8) : v & LOW;
}

/* One block of 8 pixels of 2 bytes. */
static __always_inline u32 packed_block(const u8 *p, u32 stride, u32 rows, bool odd)
{
	v8s acc = {};

	for (u32 r = 0; r < rows; r++, p += stride) {
		v8s v = *(const v8s_any *)p;

		acc += odd ? __builtin_ia32_psrlwi128(v, 8) : v & (ONES8 * 255);
	}
	for (u32 i = 0; i < 3; i++) {
		v4i pair = __builtin_ia32_pmaddwd128(acc, ONES8);

		acc = __builtin_ia32_packssdw128(pair, pair);
	}
	return (u16)acc[0];
}

/* One line of 16 blocks. */
static __always_inline void packed_line(v16s *a, const u8 *p, const u8 *next, bool odd)
{
#pragma GCC unroll 4
	for (u32 i = 0; i < 4; i++)
		__builtin_prefetch(next + 64 * i, 0, 3);
#pragma GCC unroll 8
	for (u32 i = 0; i < 8; i++)
		a[i] += load_luma(p + 32 * i, odd);
}

static __always_inline void row_packed(const u8 *line, u32 stride, u32 rows, u32 cells, u32 shift,
				       u16 *cell, bool odd)
{
	const u8 *next = line + (size_t)rows * stride;

	for (; cells >= 16; cells -= 16, line += 256, cell += 16) {
		const u8 *p = line;
		v16s a[8] = {}, s;

		for (u32 r = 0; r < rows; r++, p += stride, next += 256)
			packed_line(a, p, next, odd);
		s = fold(fold(fold(a[0], a[1]), fold(a[2], a[3])),
			 fold(fold(a[4], a[5]), fold(a[6], a[7])));
		/* halves: blocks 0 2 4 .. 14 and 1 3 5 .. 15 */
		s = __builtin_shufflevector(s, s, 0, 8, 1, 9, 2, 10, 3, 11, 4, 12, 5, 13, 6, 14, 7,
					    15);
		*(v16s_any *)cell += s << (short)shift;
	}
	for (; cells; cells--, line += 16)
		*cell++ += packed_block(line, stride, rows, odd) << shift;
}

void sluice_luma_avx2_yuyv(const u8 *line, u32 stride, u32 rows, u32 cells, u32 block, u32 shift,
			   u16 *cell)
{
	if ((size_t)rows * stride > NEAR)
		sluice_luma_sse2_yuyv(line, stride, rows, cells, block, shift, cell);
	else
		row_packed(line, stride, rows, cells, shift, cell, false);
}

void sluice_luma_avx2_uyvy(const u8 *line, u32 stride, u32 rows, u32 cells, u32 block, u32 shift,
			   u16 *cell)
{
	if ((size_t)rows * stride > NEAR)
		sluice_luma_sse2_uyvy(line, stride, rows, cells, block, shift, cell);
	else
		row_packed(line, stride, rows, cells, shift, cell, true);
}

void sluice_luma_avx2_grey(const u8 *line, u32 stride, u32 rows, u32 cells, u32 block, u32 shift,
			   u16 *cell)
{
	const u8 *next = line + (size_t)rows * stride;
	const v32 zero = {};

	if ((size_t)rows * stride > NEAR) {
		sluice_luma_sse2_grey(line, stride, rows, cells, block, shift, cell);
		return;
	}

	for (; cells >= 16; cells -= 16, line += 128, cell += 16) {
		const u8 *p = line;
		v4q a[4] = {};
		v8i s;

		for (u32 r = 0; r < rows; r++, p += stride, next += 128) {
			__builtin_prefetch(next, 0, 3);
			__builtin_prefetch(next + 64, 0, 3);
#pragma GCC unroll 4
			for (u32 i = 0; i < 4; i++)
				a[i] += (v4q)__builtin_ia32_psadbw256(
					*(const v32_any *)(p + 32 * i), zero);
		}
		s = (v8i)__builtin_ia32_packssdw256(
			(v8i)__builtin_ia32_packssdw256((v8i)a[0], (v8i)a[1]),
			(v8i)__builtin_ia32_packssdw256((v8i)a[2], (v8i)a[3]));
		/* halves: blocks 0 1, 4 5, 8 9, 12 13 and 2 3, 6 7, 10 11, 14 15 */
		s = __builtin_shufflevector(s, s, 0, 4, 1, 5, 2, 6, 3, 7);
		*(v16s_any *)cell += (v16s)s << (short)shift;
	}
	for (; cells; cells--, line += 8) {
		const u8 *p = line;
		v2q acc = {};

		for (u32 r = 0; r < rows; r++, p += stride) {
			u64 w;

			memcpy(&w, p, sizeof(w));
			acc += (v2q)__builtin_ia32_psadbw128((v16)(v2q){ (long long)w, 0 },
							     (v16){});
		}
		*cell++ += (u16)acc[0] << shift;
	}
}
