/* SPDX-License-Identifier: MIT */
/* cond.h - condition variables that wait by the clock that nobody sets. */
#ifndef SLUICE_LIB_COND_H
#define SLUICE_LIB_COND_H

#include <pthread.h>
#include <stdint.h>
#include <time.h>

/* Its waits end by CLOCK_MONOTONIC. Not to be used before, nor after pthread_cond_destroy(). */
static inline void sluice_cond_init(pthread_cond_t *c)
{
	pthread_condattr_t attr;

	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(c, &attr);
	pthread_condattr_destroy(&attr);
}

/* So many milliseconds from now, for pthread_cond_timedwait() on one of these. */
static inline struct timespec sluice_cond_until(uint64_t ms)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	t.tv_sec += (time_t)(ms / 1000);
	t.tv_nsec += (long)(ms % 1000) * 1000000;
	t.tv_sec += t.tv_nsec / 1000000000;
	t.tv_nsec %= 1000000000;
	return t;
}

#endif
