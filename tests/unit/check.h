/* SPDX-License-Identifier: MIT */
/*
 * check.h - what a unit test needs: CHECK() prints what does not hold and where, and lets the test
 * go on; EXPECT() names what it was about, too; check_result() is main's return value. random_*()
 * is a seeded generator, so that a failure can be repeated: the seed comes from argv[1] or is a
 * fixed one, and is printed when a check fails.
 */
#ifndef SLUICE_TEST_CHECK_H
#define SLUICE_TEST_CHECK_H

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

/* Weak: one of each, however many files of a test include this. */
__attribute__((weak)) int check_failures;
__attribute__((weak)) uint64_t check_seed = 1;
__attribute__((weak)) uint64_t check_state = 1;

#define CHECK(cond)                                            \
	do {                                                   \
		if (!(cond))                                   \
			check_fail(__FILE__, __LINE__, #cond); \
	} while (0)

/* what: of many cases, the one that is looked at */
#define EXPECT(what, cond)                                              \
	do {                                                            \
		if (!(cond))                                            \
			check_fail_of(__FILE__, __LINE__, what, #cond); \
	} while (0)

static inline void check_fail(const char *file, int line, const char *what)
{
	if (++check_failures <= 20)
		fprintf(stderr, "%s:%d: does not hold: %s (seed %llu)\n", file, line, what,
			(unsigned long long)check_seed);
}

static inline void check_fail_of(const char *file, int line, const char *of, const char *what)
{
	check_fail(file, line, what);
	if (check_failures <= 20)
		fprintf(stderr, "%s:%d: ... of: %s\n", file, line, of);
}

static inline int check_result(void)
{
	if (check_failures)
		fprintf(stderr, "%d checks failed\n", check_failures);
	return check_failures ? 1 : 0;
}

static inline void random_seed(uint64_t seed)
{
	check_seed = seed;
	check_state = seed * 2 + 1;
}

static inline uint64_t seed_of(int argc, char **argv)
{
	const char *env = getenv("SLUICE_SEED");

	if (argc > 1)
		env = argv[1];
	return env ? strtoull(env, NULL, 0) : 1;
}

/* 0..below-1 (splitmix64) */
static inline uint32_t random_below(uint32_t below)
{
	uint64_t z = check_state += 0x9e3779b97f4a7c15ull;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9ull;
	z = (z ^ z >> 27) * 0x94d049bb133111ebull;
	return (uint32_t)((z ^ z >> 31) % below);
}

#endif
