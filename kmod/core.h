/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/*
 * core.h - lets the gate core (frame, luma, jpeg_dc, gate, mask, ring, ledger) compile in the
 * kernel and in user space from the same source. The core uses integers only, allocates nothing
 * after its init functions, never sleeps, never prints, and takes no lock: its caller owns the
 * camera.
 */
#ifndef SLUICE_CORE_H
#define SLUICE_CORE_H

#ifdef __KERNEL__
#include <linux/types.h>
#include <linux/kernel.h>
#include <linux/errno.h>
#include <linux/string.h>
#include <linux/math64.h>
#include <linux/minmax.h>
#include <asm/barrier.h>
#define core_store_release(p, v) smp_store_release(p, v)
#define core_load_acquire(p)	 smp_load_acquire(p)
#define core_read_once(x)	 READ_ONCE(x)
#define core_write_once(x, v)	 WRITE_ONCE(x, v)
#define core_mb()		 smp_mb()  /* full: stores before it, loads after it */
#define core_wmb()		 smp_wmb() /* stores before it, stores after it */
#else
#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
typedef uint8_t u8;
typedef uint16_t u16;
typedef uint32_t u32;
typedef uint64_t u64;
typedef int8_t s8;
typedef int16_t s16;
typedef int32_t s32;
typedef int64_t s64;
#define core_store_release(p, v) __atomic_store_n(p, v, __ATOMIC_RELEASE)
#define core_load_acquire(p)	 __atomic_load_n(p, __ATOMIC_ACQUIRE)
#define core_read_once(x)	 __atomic_load_n(&(x), __ATOMIC_RELAXED)
#define core_write_once(x, v)	 __atomic_store_n(&(x), v, __ATOMIC_RELAXED)
#define core_mb()		 __atomic_thread_fence(__ATOMIC_SEQ_CST)
#define core_wmb()		 __atomic_thread_fence(__ATOMIC_RELEASE)
static inline u64 div64_u64(u64 a, u64 b)
{
	return a / b;
}
static inline s64 div64_s64(s64 a, s64 b)
{
	return a / b;
}
#define div_u64(a, b)		 ((u64)(a) / (u32)(b))
/* Names from __COUNTER__: nested uses do not shadow each other. */
#define CORE_PICK_(a, op, b, x, y)     \
	({                             \
		__typeof__(a) x = (a); \
		__typeof__(b) y = (b); \
		x op y ? x : y;        \
	})
#define CORE_PICK__(a, op, b, id) CORE_PICK_(a, op, b, core_a##id, core_b##id)
#define CORE_PICK(a, op, b, id)	  CORE_PICK__(a, op, b, id)
#define min(a, b)		  CORE_PICK(a, <, b, __COUNTER__)
#define max(a, b)		  CORE_PICK(a, >, b, __COUNTER__)
#define min_t(t, a, b)		  min((t)(a), (t)(b))
#define max_t(t, a, b)		  max((t)(a), (t)(b))
#define clamp(v, lo, hi)	  min(max(v, lo), hi)
#define clamp_t(t, v, lo, hi)	  min_t(t, max_t(t, v, lo), hi)
#endif

#endif
