/* SPDX-License-Identifier: MIT */
/*
 * crew.h - the workers of one process: one for each partition that it holds. Alone it holds all of
 * them; beside other processes its share.
 */
#ifndef SLUICE_CREW_H
#define SLUICE_CREW_H

#include "cloud/worker.h"

struct sluice_crew;

/*
 * c's partition does not count; the rest is copied. On a bus of one process all partitions are held
 * when it returns, or it fails as sluice_worker_open(); on one of several they are claimed by and
 * by, and it fails only for want of memory or threads. *duty is the token of the first partition's
 * lease while that is held here, which one process at a time does, else 0; borrowed, may be NULL.
 */
int sluice_crew_open(const struct sluice_worker_config *c, atomic_ullong *duty,
		     struct sluice_crew **out);

/* Partitions held now. NULL-safe, any thread. */
unsigned int sluice_crew_held(struct sluice_crew *w);

/* Ends all of them; see sluice_worker_close(). NULL-safe. */
void sluice_crew_close(struct sluice_crew *w);

/* The share of one of members processes in count partitions. */
unsigned int sluice_crew_share(unsigned int count, unsigned int members);

#endif
