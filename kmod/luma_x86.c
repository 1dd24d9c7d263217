// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * luma_x86.c - chooses the grid's row functions by CPU features.
 *
 * In the kernel the vector unit belongs to user space: a section between begin and end holds it
 * with preemption off, so luma.c keeps a section to 16 KiB of input (about 2 us). Where it cannot
 * be had (an interrupt inside another section) begin says no and that section runs scalar; the
 * sums are the same. Not built for UML and other architectures: they run the scalar table.
 */
#include "luma_x86.h"
#ifdef __KERNEL__
#include <asm/cpufeature.h>
#include <asm/fpu/api.h>

static bool begin_section(void)
{
	if (!irq_fpu_usable())
		return false;
	kernel_fpu_begin();
	return true;
}

static void end_section(void)
{
	kernel_fpu_end();
}

static bool has_sse2(void)
{
	return boot_cpu_has(X86_FEATURE_XMM2);
}

static bool has_avx2(void)
{
	return boot_cpu_has(X86_FEATURE_AVX2) && boot_cpu_has(X86_FEATURE_OSXSAVE) &&
	       cpu_has_xfeatures(XFEATURE_MASK_SSE | XFEATURE_MASK_YMM, NULL);
}
#else
#define begin_section NULL
#define end_section   NULL

static bool has_sse2(void)
{
	return __builtin_cpu_supports("sse2");
}

static bool has_avx2(void)
{
	return __builtin_cpu_supports("avx2");
}
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
	.begin = begin_section,
	.end = end_section,
};

static const struct sluice_luma_ops avx2_ops = {
	.name = "avx2",
	.row = { sluice_luma_avx2_grey, sluice_luma_avx2_yuyv, sluice_luma_avx2_uyvy,
		 sluice_luma_sse2_rgb },
	.narrow = NARROW,
	.begin = begin_section,
	.end = end_section,
};

const struct sluice_luma_ops *const *sluice_luma_tables(void)
{
	static const struct sluice_luma_ops *const all[] = { &avx2_ops, &sse2_ops,
							     &sluice_luma_scalar, NULL };

	return all + (has_avx2() ? 0 : has_sse2() ? 1 : 2);
}
