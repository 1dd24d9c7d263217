/* SPDX-License-Identifier: MIT */
/*
 * bucket.h - so many a second, and twice as many at once: a token bucket that may go into debt, so
 * that what has come is always taken and the next has to wait.
 */
#ifndef SLUICE_CLOUD_BUCKET_H
#define SLUICE_CLOUD_BUCKET_H

#include <stdbool.h>
#include <stdint.h>

/* Zeroed: full. */
struct sluice_bucket {
	uint64_t at_ns;
	int64_t spent; /* of what there is at once */
};

/* Takes n. True: it is in debt now. */
static inline bool sluice_bucket_take(struct sluice_bucket *b, uint64_t rate, uint64_t n,
				      uint64_t now_ns)
{
	uint64_t ms = (now_ns - b->at_ns) / 1000000u;
	uint64_t back = ms > 100000 ? UINT64_C(1) << 40 : ms * rate / 1000;

	if (back) {
		b->spent = back >= (uint64_t)b->spent ? 0 : b->spent - (int64_t)back;
		b->at_ns = now_ns;
	}
	b->spent += (int64_t)n;
	return b->spent > (int64_t)(2 * rate);
}

#endif
