/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/*
 * luma_x86.h - row functions of luma.h for x86. Leaf functions, each file compiled for its ISA and
 * never inlined elsewhere; vector types of the compiler, no intrinsics headers (the kernel has
 * none). Flags: luma_sse2 -msse -msse2, luma_avx2 -msse -msse2 -mavx -mavx2.
 */
#ifndef SLUICE_LUMA_X86_H
#define SLUICE_LUMA_X86_H

#include "luma.h"

void sluice_luma_sse2_grey(const u8 *line, u32 stride, u32 rows, u32 cells, u32 block, u32 shift,
			   u16 *cell);
void sluice_luma_sse2_yuyv(const u8 *line, u32 stride, u32 rows, u32 cells, u32 block, u32 shift,
			   u16 *cell);
void sluice_luma_sse2_uyvy(const u8 *line, u32 stride, u32 rows, u32 cells, u32 block, u32 shift,
			   u16 *cell);
void sluice_luma_sse2_rgb(const u8 *line, u32 stride, u32 rows, u32 cells, u32 block, u32 shift,
			  u16 *cell);
void sluice_luma_sse2_grey_narrow(const u8 *line, u32 stride, u32 rows, u32 cells, u32 block,
				  u32 shift, u16 *cell);
void sluice_luma_sse2_yuyv_narrow(const u8 *line, u32 stride, u32 rows, u32 cells, u32 block,
				  u32 shift, u16 *cell);
void sluice_luma_sse2_uyvy_narrow(const u8 *line, u32 stride, u32 rows, u32 cells, u32 block,
				  u32 shift, u16 *cell);
/* The scalar one of luma.c: for pictures this small there is nothing to win. */
void sluice_luma_rgb_narrow(const u8 *line, u32 stride, u32 rows, u32 cells, u32 block, u32 shift,
			    u16 *cell);

void sluice_luma_avx2_grey(const u8 *line, u32 stride, u32 rows, u32 cells, u32 block, u32 shift,
			   u16 *cell);
void sluice_luma_avx2_yuyv(const u8 *line, u32 stride, u32 rows, u32 cells, u32 block, u32 shift,
			   u16 *cell);
void sluice_luma_avx2_uyvy(const u8 *line, u32 stride, u32 rows, u32 cells, u32 block, u32 shift,
			   u16 *cell);

#endif
