// SPDX-License-Identifier: GPL-2.0
/*
 * plant.c - the bugs of plant.h, one a build: SLUICE_PLANT is the name of one of the functions
 * below, called for each frame with the camera's lock held. Each does once what a checker must
 * report by that name, and is harmless otherwise. Never part of a build that is meant to be used.
 */
#include <linux/mutex.h>
#include <linux/slab.h>
#include <linux/spinlock.h>
#include "plant.h"

static u32 frames;

/* kmemleak: memory that nothing points to any more. Several, as a stale register hides one. */
static noinline __maybe_unused void plant_leak(void)
{
	u8 *p = frames < 8 ? kmalloc(200, GFP_KERNEL) : NULL;

	if (p)
		memset(p, 0x5a, 200);
}

/* DEBUG_ATOMIC_SLEEP, and lockdep where there is no preemption to count: a mutex in a spinlock. */
static noinline __maybe_unused void plant_atomic(void)
{
	static DEFINE_SPINLOCK(spin);
	static DEFINE_MUTEX(sleeper);

	spin_lock(&spin);
	mutex_lock(&sleeper);
	mutex_unlock(&sleeper);
	spin_unlock(&spin);
}

/* lockdep: two orders, in even and in odd frames. No deadlock: one task does both. */
static noinline __maybe_unused void plant_inversion(void)
{
	static DEFINE_MUTEX(first);
	static DEFINE_MUTEX(second);
	struct mutex *outer = frames & 1 ? &second : &first;

	mutex_lock(outer);
	mutex_lock(outer == &first ? &second : &first);
	mutex_unlock(outer == &first ? &second : &first);
	mutex_unlock(outer);
}

/* KASAN: one byte behind 13. */
static noinline __maybe_unused void plant_oob(void)
{
	u8 *p = kzalloc(13, GFP_KERNEL);
	size_t at = 13;

	OPTIMIZER_HIDE_VAR(at);
	if (p && !frames)
		WRITE_ONCE(frames, READ_ONCE(p[at]) & 0);
	kfree(p);
}

void sluice_plant_bug(void)
{
	SLUICE_PLANT();
	frames++;
}
