/* SPDX-License-Identifier: MIT */
/*
 * plants.h - frames that kill, planted in the children of a test that is its own child: in epoch
 * KILLER + k sequence BAD does plant[k]; in epoch SORTER each does what a child may.
 */
#ifndef SLUICE_TEST_PLANTS_H
#define SLUICE_TEST_PLANTS_H

#define KILLER 1000
#define SORTER 900
#define BAD    3
#define PLANTS 10

struct plant {
	const char *name;
	void (*run)(void);
	const char *death; /* what the master says of it */
};
extern const struct plant plant[PLANTS];

#endif
