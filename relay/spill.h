/* SPDX-License-Identifier: MIT */
/* spill.h - when frames go from the rings to the spool, and that they do. */
#ifndef RELAY_SPILL_H
#define RELAY_SPILL_H

#include "relay/drain.h"
#include "relay/payload.h"
#include "relay/spool.h"

#define RELAY_SPILL_AFTER_MS 2000 /* without a link */

struct relay_spill {
	struct relay_camera *camera; /* SLUICE_WIRE_SLOTS of them */
	struct relay_spool *spool;   /* NULL: frames stay in the rings */
	struct relay_payload_maker
		maker;		     /* its encoder: the uplink's may hold a frame that waits */
	struct relay_budget *budget; /* NULL: no limits */
	struct sluice_io *io;
	uint32_t after_ms;
	bool up;	  /* the link */
	uint64_t down_ns; /* since when not */
};

/* The link has come or gone. */
void relay_spill_link(struct relay_spill *sp, bool up);
/* A ring was attached: what of it the spool has already is released. */
void relay_spill_attached(struct relay_spill *sp, struct relay_camera *c);
/* Something came into a ring, a batch is settled, time has passed. */
void relay_spill_pump(struct relay_spill *sp);
/* For the spool's settled(). */
void relay_spill_settled(struct relay_spill *sp, int err);

#endif
