/* SPDX-License-Identifier: MIT */
/*
 * bus.h - what every back end of the bus must do, as a list of cases. A rig opens handles on one
 * and the same bus: each is what one process has of it.
 */
#ifndef SLUICE_CONFORM_BUS_H
#define SLUICE_CONFORM_BUS_H

#include "cloud/bus.h"

struct conform_bus {
	const char *name;
	/* Handle 0 or 1; where there is one process only, both are the same. Exits on failure. */
	struct sluice_bus *(*open)(struct conform_bus *rig, int which);
	/* Ends the handle, as its process would. */
	void (*close)(struct conform_bus *rig, int which);
	struct sluice_cameras *cameras;
	unsigned int partitions;
	unsigned int again_ms; /* after back() the chunk comes within this */
	void *ctx;
};

/* Runs every case by CHECK(); the bus is empty before and afterwards. */
void conform_bus(struct conform_bus *rig);

#endif
