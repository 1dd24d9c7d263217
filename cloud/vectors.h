/* SPDX-License-Identifier: MIT */
/* vectors.h - loops over pixels that the compiler makes vectors of. */
#ifndef SLUICE_VECTORS_H
#define SLUICE_VECTORS_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

/* GCC makes one of each and takes the widest that the processor has. */
#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__) && \
	!defined(__SANITIZE_ADDRESS__)
#define VECTORS __attribute__((target_clones("avx2", "default")))
#else
#define VECTORS
#endif

/* Choices in loops over pixels are made with masks: a branch keeps a loop from becoming vectors. */
static inline uint8_t when8(bool is)
{
	return (uint8_t) - (uint8_t)is;
}

static inline int16_t when16(bool is)
{
	return (int16_t) - (int16_t)is;
}

static inline uint8_t either8(uint8_t mask, uint8_t a, uint8_t b)
{
	return (a & mask) | (b & (uint8_t)~mask);
}

static inline int16_t either16(int16_t mask, int16_t a, int16_t b)
{
	return (int16_t)((a & mask) | (b & ~mask));
}

static inline uint8_t apart(uint8_t a, uint8_t b)
{
	return (uint8_t)((a > b ? a : b) - (a > b ? b : a));
}

/* Eight bytes at once: 0 if none of them is set. */
static inline uint64_t eight_at(const uint8_t *p)
{
	uint64_t v;

	memcpy(&v, p, sizeof(v));
	return v;
}

/* Q15; written as the processors' instruction rounds. */
static inline int16_t move_by(int16_t diff, int16_t share)
{
	return (int16_t)((((diff * share) >> 14) + 1) >> 1);
}

#endif
