/* SPDX-License-Identifier: MIT */
/*
 * lane.h - back-fill: what of the spool is to be said next, in slots 17..32. Knows nothing of
 * sockets, as drain.h does not: the uplink asks next(), sends it, and says sent().
 */
#ifndef RELAY_LANE_H
#define RELAY_LANE_H

#include "relay/drain.h"
#include "relay/spool.h"

struct relay_lane {
	enum relay_phase phase; /* NEW: nothing is open in its slot */
	struct relay_run *run;
	uint64_t last;	 /* of the range that was opened */
	uint64_t resume; /* what lies below is STORED */
};

struct relay_lanes {
	struct relay_spool *spool;   /* NULL: there are none */
	struct relay_camera *camera; /* SLUICE_WIRE_SLOTS: lane i is that of camera i */
	struct relay_lane lane[SLUICE_WIRE_SLOTS];
	uint64_t sent; /* frames */
};

struct relay_lane_todo {
	enum relay_step step; /* NOTHING, OPEN, FRAME or CLOSE */
	unsigned int lane;
	struct relay_run *run;
	struct relay_spool_frame frame;
};

/* The link is up or down: every lane begins anew. */
void relay_lanes_link(struct relay_lanes *l, bool up);
/* Cameras that only the spool knows get a place; those with frames in it are held. */
void relay_lanes_hold(struct relay_lanes *l);

void relay_lanes_next(struct relay_lanes *l, struct relay_lane_todo *t);
void relay_lanes_sent(struct relay_lanes *l, const struct relay_lane_todo *t);

/* From the cloud; lane: 0.. . 0, or -EPROTO if it does not fit what was sent. */
int relay_lanes_opened(struct relay_lanes *l, unsigned int lane, uint64_t epoch, uint64_t resume);
int relay_lanes_stored(struct relay_lanes *l, unsigned int lane, uint64_t epoch,
		       uint64_t cumulative);
int relay_lanes_rejected(struct relay_lanes *l, unsigned int lane, uint64_t epoch,
			 uint64_t sequence);
int relay_lanes_done(struct relay_lanes *l, unsigned int lane, uint64_t epoch, uint64_t first);

#endif
