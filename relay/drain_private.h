/* SPDX-License-Identifier: MIT */
/* drain_private.h - what drain.c, drain_spill.c and drain_pause.c share. */
#ifndef RELAY_DRAIN_PRIVATE_H
#define RELAY_DRAIN_PRIVATE_H

#include "relay/drain.h"

/* That record is dropped because of a pause. */
bool relay_camera_drops(const struct relay_camera *c, uint64_t index);
/* Pauses that the tail has passed are over. */
void relay_camera_prune_pauses(struct relay_camera *c);
/* STATS are due, although the gate's words are the same. */
void relay_camera_tell(struct relay_camera *c);

#endif
