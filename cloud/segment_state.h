/* SPDX-License-Identifier: MIT */
/* segment_state.h - what the writer and the readers of segments share; nobody else includes it. */
#ifndef SLUICE_SEGMENT_STATE_H
#define SLUICE_SEGMENT_STATE_H

#include "cloud/segment.h"

static inline size_t pad8(size_t n)
{
	return (n + 7) & ~(size_t)7;
}

/* Where the first record lies. */
static inline uint64_t segment_begin(int sealed)
{
	return sizeof(struct sluice_segment_header) + (sealed ? 2 * sizeof(struct sluice_lock) : 0);
}

#endif
