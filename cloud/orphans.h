/* SPDX-License-Identifier: MIT */
/*
 * orphans.h - segments in a bucket that no row of the index names: of a group that failed, of a
 * process that ended between put and commit, or of one that is on its way at this moment.
 */
#ifndef SLUICE_ORPHANS_H
#define SLUICE_ORPHANS_H

#include <stddef.h>
#include <stdint.h>
#include "cloud/depot.h"

#define SLUICE_ORPHAN_HOURS_MIN 1 /* younger ones may be on their way */

struct sluice_orphans {
	char (*path)[SLUICE_DEPOT_PATH];
	size_t count, room;
};

/* For sluice_check(): ctx is a struct sluice_orphans. */
int sluice_orphans_add(void *ctx, const char *path);
void sluice_orphans_free(struct sluice_orphans *o);

/* When it was begun, by its name; 0: none of ours. UTC, ns. */
uint64_t sluice_orphan_time(const char *path);

/* Removes those that were begun before a time; *removed counts them. */
int sluice_orphans_remove(const struct sluice_orphans *o, struct sluice_depot *d,
			  uint64_t before_ns, size_t *removed);

#endif
