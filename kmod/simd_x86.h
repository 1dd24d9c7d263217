/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/*
 * simd_x86.h - when the vector unit may be used.
 *
 * In the kernel it belongs to user space: a section between simd_begin() and simd_end() holds it
 * with preemption off, so a section is kept to a few microseconds. Where it cannot be had (an
 * interrupt inside another section) simd_begin() says no and the caller goes the scalar way, which
 * has the same result. UML and other architectures do not have this (SLUICE_SIMD_X86 is not set).
 */
#ifndef SLUICE_SIMD_X86_H
#define SLUICE_SIMD_X86_H

#include "core.h"

#ifdef __KERNEL__
#include <asm/cpufeature.h>
#include <asm/fpu/api.h>

static inline bool simd_begin(void)
{
	if (!irq_fpu_usable())
		return false;
	kernel_fpu_begin();
	return true;
}

static inline void simd_end(void)
{
	kernel_fpu_end();
}

static inline bool simd_has_sse2(void)
{
	return boot_cpu_has(X86_FEATURE_XMM2);
}

static inline bool simd_has_avx2(void)
{
	return boot_cpu_has(X86_FEATURE_AVX2) && boot_cpu_has(X86_FEATURE_OSXSAVE) &&
	       cpu_has_xfeatures(XFEATURE_MASK_SSE | XFEATURE_MASK_YMM, NULL);
}
#else
static inline bool simd_begin(void)
{
	return true;
}

static inline void simd_end(void)
{
}

static inline bool simd_has_sse2(void)
{
	return __builtin_cpu_supports("sse2");
}

static inline bool simd_has_avx2(void)
{
	return __builtin_cpu_supports("avx2");
}
#endif

#endif
