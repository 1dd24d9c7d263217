// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * luma_x86.c - chooses the grid's row functions by CPU features.
 *
 * luma.c keeps a section (simd_x86.h) to 16 KiB of input, about 2 us. Where it cannot be had that
 * section runs scalar; the sums are the same. Not built for UML and other architectures: they run
 * the scalar table.
 */
#include "luma_x86.h"
#include "simd_x86.h"

#ifdef __KERNEL__
#define BEGIN simd_begin
#define END   simd_end
#else
#define BEGIN NULL
#define END   NULL
#endif

#define NARROW                                                                \
	{                                                                     \
		sluice_luma_sse2_grey_narrow, sluice_luma_sse2_yuyv_narrow,   \
			sluice_luma_sse2_uyvy_narrow, sluice_luma_rgb_narrow, \
	}

static const struct sluice_luma_ops sse2_ops = {
	.name = "sse2",
	.row = { sluice_luma_sse2_grey, sluice_luma_sse2_yuyv, sluice_luma_sse2_uyvy,
		 sluice_luma_sse2_rgb },
	.narrow = NARROW,
	.begin = BEGIN,
	.end = END,
};

static const struct sluice_luma_ops avx2_ops = {
	.name = "avx2",
	.row = { sluice_luma_avx2_grey, sluice_luma_avx2_yuyv, sluice_luma_avx2_uyvy,
		 sluice_luma_sse2_rgb },
	.narrow = NARROW,
	.begin = BEGIN,
	.end = END,
};

const struct sluice_luma_ops *const *sluice_luma_tables(void)
{
	static const struct sluice_luma_ops *const all[] = { &avx2_ops, &sse2_ops,
							     &sluice_luma_scalar, NULL };

	return all + (simd_has_avx2() ? 0 : simd_has_sse2() ? 1 : 2);
}
