// SPDX-License-Identifier: MIT
/*
 * drain_pause.c - records that are dropped by request. A pause is a row of the ring's records, from
 * the head at the time it was asked for to the head when it ended, so that each frame is on the one
 * or on the other side of it, whatever link and spool do, and after a restart of the relay as well.
 */
#include "relay/drain_private.h"

#include <errno.h>
#include <string.h>

bool relay_camera_drops(const struct relay_camera *c, uint64_t index)
{
	for (unsigned int i = 0; i < c->pauses; i++)
		if (index >= c->pause[i].first && index < c->pause[i].last)
			return true;
	return false;
}

void relay_camera_prune_pauses(struct relay_camera *c)
{
	unsigned int over = 0;

	while (over < c->pauses && c->pause[over].last <= c->tail)
		over++;
	c->pauses -= over;
	memmove(c->pause, c->pause + over, c->pauses * sizeof(c->pause[0]));
}

bool relay_camera_paused(const struct relay_camera *c)
{
	return c->pauses && c->pause[c->pauses - 1].last == UINT64_MAX;
}

int relay_camera_pause(struct relay_camera *c)
{
	if (relay_camera_paused(c))
		return 0;
	relay_camera_prune_pauses(c);
	if (c->pauses == RELAY_PAUSES)
		return -EBUSY;
	c->pause[c->pauses++] = (struct relay_pause){ relay_ring_head(&c->ring), UINT64_MAX };
	relay_camera_tell(c);
	return 0;
}

int relay_camera_resume(struct relay_camera *c)
{
	if (!relay_camera_paused(c))
		return 0;
	c->pause[c->pauses - 1].last = relay_ring_head(&c->ring);
	relay_camera_pass_paused(c);
	relay_camera_prune_pauses(c);
	relay_camera_tell(c);
	return 0;
}
