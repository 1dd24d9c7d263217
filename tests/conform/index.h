/* SPDX-License-Identifier: MIT */
/* index.h - what every back end of the index must do, as a list of cases. */
#ifndef SLUICE_CONFORM_INDEX_H
#define SLUICE_CONFORM_INDEX_H

#include "cloud/index.h"

struct conform_index {
	const char *name;
	/* Nothing is in the data base any more; no handle is open. Exits on failure. */
	void (*clear)(struct conform_index *rig);
	/* A handle more on one and the same data base. Exits on failure. */
	struct sluice_index *(*open)(struct conform_index *rig);
	/*
	 * For the cases with faults: from now on call number at, from 1, of whatever is done with
	 * what lies below the index fails; 0: none. How: number way, below ways. Returns how many
	 * there have been since the last time.
	 */
	unsigned int (*fail)(struct conform_index *rig, unsigned int way, unsigned int at);
	unsigned int ways;
	int unsure; /* a commit that is said to have failed may have come through */
	void *ctx;
};

/* Runs every case by CHECK(). */
void conform_index(struct conform_index *rig);
/* The same of what is left when calls fail. */
void conform_index_faults(struct conform_index *rig);

#endif
