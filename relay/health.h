/* SPDX-License-Identifier: MIT */
/*
 * health.h - is the relay doing its work? Judged by counters that move, never by handles that are
 * open: a link that is "up" and a ring that is mapped prove nothing.
 */
#ifndef RELAY_HEALTH_H
#define RELAY_HEALTH_H

#include "relay/drain.h"

#define RELAY_HEALTH_LOOP_MS   5000  /* without a look: the loop stands */
#define RELAY_HEALTH_FRAMES_MS 30000 /* a streaming camera without a delivered frame */
#define RELAY_HEALTH_STORED_MS 60000 /* something waits and nothing is stored */

/* What one look saw of a camera. */
struct relay_pulse {
	char name[SLUICE_CAMERA_NAME_SIZE]; /* "": none in this place */
	bool streaming;			    /* frames are expected */
	uint64_t delivered;		    /* by the driver, as the gate counts */
	uint64_t settled;		    /* stored or rejected for good */
	uint64_t waiting;		    /* published and neither */
};

struct relay_health {
	uint64_t looked_ns;
	struct {
		struct relay_pulse pulse;
		uint64_t delivered_ns, settled_ns; /* when it moved last, or had no reason to */
	} camera[SLUICE_WIRE_SLOTS];
	struct {
		uint64_t waiting, settled, settled_ns; /* as above, of frames on the disk */
	} spool;
	char trouble[200]; /* of the link; "": it is up */
};

/* What the camera's counters say now. */
void relay_pulse_take(struct relay_pulse *p, const struct relay_camera *c);

/* Once a second, from the loop. pulse: count of them, one for each place. */
void relay_health_look(struct relay_health *h, uint64_t now_ns, const struct relay_pulse *pulse,
		       unsigned int count);

/* With the look, where there is a spool: frames in it, and how many of it were ever settled. */
void relay_health_spool(struct relay_health *h, uint64_t now_ns, uint64_t waiting,
			uint64_t settled);

/* True: all is well. text: why not, or a short word of what moves; lines for people. */
bool relay_health_good(const struct relay_health *h, uint64_t now_ns, char *text, size_t size);

#endif
