/* SPDX-License-Identifier: MIT */
/* depot.h - what every back end of segments must do, as a list of cases. */
#ifndef SLUICE_CONFORM_DEPOT_H
#define SLUICE_CONFORM_DEPOT_H

#include "cloud/depot.h"

struct conform_depot {
	const char *name, *data; /* data: an empty directory for an index and the like */
	/* A handle more on one and the same store, which is whole. Exits on failure. */
	struct sluice_depot *(*open)(struct conform_depot *rig);
	/* Requests to read, until now; NULL: a call costs nothing, and is not counted. */
	unsigned long long (*requests)(struct conform_depot *rig);
	/* As of struct conform_media: makes a request fail; returns how many were made. */
	unsigned int (*fail)(struct conform_depot *rig, unsigned int way, unsigned int at,
			     int stays);
	unsigned int ways;
	int heals;		/* a single failure is tried again, and nobody sees it */
	unsigned int etag_way;	/* the way that a read may come through for good; else ways */
	unsigned int wait_ways; /* ways that are tried where all fail; the rest take their time */
	unsigned int lost_way;	/* what was done is not said; 0: there is no such way */
};

/* Runs every case by CHECK(); the store is empty before and afterwards. */
void conform_depot(struct conform_depot *rig);
/* The same of what is left when requests fail; rig->fail is there. */
void conform_depot_faults(struct conform_depot *rig);

#endif
