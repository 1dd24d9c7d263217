/* SPDX-License-Identifier: MIT */
/*
 * tube.h - what was followed in a period, as things that can be moved in time: each is seen in some
 * stored frames, and those that touch each other there are moved together (a unit), so that nobody
 * is shown greeting nobody.
 */
#ifndef SLUICE_TUBE_H
#define SLUICE_TUBE_H

#include "cloud/period.h"

#define SLUICE_TUBE_STILLS_MAX 600000 /* of all tubes; those of more are not shown */

/* One tube in one frame. */
struct sluice_still {
	uint32_t frame;	    /* of the period */
	int16_t x, y, w, h; /* the camera's pixels */
};

/* As the period's tube of the same number. */
struct sluice_tube {
	uint32_t first, count; /* its stills, by frame; 0: no frame shows it */
	uint32_t unit;
	int64_t start_ns, end_ns;
};

/* A moment of a unit: frame, and the time that the unit has been active until then. */
struct sluice_unit_step {
	uint32_t frame;
	float at_s; /* standing still and time without frames are cut short */
};

struct sluice_unit {
	uint32_t first_member, member_count;
	uint32_t first_step, step_count;
	double active_s;
	int64_t start_ns, end_ns;
};

struct sluice_tubes {
	uint32_t tube_count, unit_count, still_count, step_count;
	struct sluice_tube *tubes;
	struct sluice_unit *units; /* by start */
	uint32_t *members;	   /* of units: tubes by start */
	struct sluice_still *stills;
	struct sluice_unit_step *steps;
};

/* span_s: no unit of several tubes is longer, in seconds as they were. -ENOMEM. */
int sluice_tubes_make(const struct sluice_period *p, double span_s, struct sluice_tubes *out);
void sluice_tubes_free(struct sluice_tubes *t); /* safe on one that is zero */

/* Its still in that frame, or NULL. */
const struct sluice_still *sluice_tube_still(const struct sluice_tubes *t, uint32_t tube,
					     uint32_t frame);

#endif
