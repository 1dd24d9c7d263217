/* SPDX-License-Identifier: MIT */
/* depot_case.h - what the files of the cases share. */
#ifndef SLUICE_CONFORM_DEPOT_CASE_H
#define SLUICE_CONFORM_DEPOT_CASE_H

#include "tests/conform/depot.h"

#define DEPOT_CAMERAS 3

extern struct sluice_camera depot_camera[DEPOT_CAMERAS];

unsigned int depot_count(struct sluice_depot *d);
void depot_empty(struct sluice_depot *d);

/* depot_store.c: groups of frames through store.c. */
void conform_depot_store(struct conform_depot *rig);
void conform_depot_store_faults(struct conform_depot *rig);

#endif
