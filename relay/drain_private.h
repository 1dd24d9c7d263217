/* SPDX-License-Identifier: MIT */
/* drain_private.h - what drain.c, drain_spill.c and drain_pause.c share. */
#ifndef RELAY_DRAIN_PRIVATE_H
#define RELAY_DRAIN_PRIVATE_H

#include "relay/drain.h"

/* NULL: it is not in the list. */
static inline struct relay_epoch *relay_camera_epoch(const struct relay_camera *c, uint64_t epoch)
{
	for (unsigned int i = 0; i < c->epochs; i++)
		if (c->epoch[i].epoch == epoch)
			return (struct relay_epoch *)&c->epoch[i];
	return NULL;
}

/* Where the fate of that record is; another's, if its index is. */
static inline struct relay_fate *relay_camera_fate(const struct relay_camera *c, uint64_t index)
{
	return &c->fate[index & (c->ring.desc_count - 1)];
}

/* That record is dropped because of a pause. */
bool relay_camera_drops(const struct relay_camera *c, uint64_t index);
/* Pauses that the tail has passed are over. */
void relay_camera_prune_pauses(struct relay_camera *c);
/* STATS are due, although the gate's words are the same. */
void relay_camera_tell(struct relay_camera *c);

#endif
