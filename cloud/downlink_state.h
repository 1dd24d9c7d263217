/* SPDX-License-Identifier: MIT */
/* downlink_state.h - what downlink.c (the queue of a session) and downlink_ask.c (what the index is
 * asked for it) share; nobody else includes it. */
#ifndef SLUICE_DOWNLINK_STATE_H
#define SLUICE_DOWNLINK_STATE_H

#include "cloud/session.h"

/* downlink_ask.c. Where there is a desk it asks, and the answer comes later to the functions below,
 * if the session is there then; else at once. */

/* Which summaries of the slot's camera are not acknowledged. check: and if it is closed, whether
 * all is done. done (may be NULL) was told: it stands behind those. */
void downlink_ask_slot(struct sluice_session *ss, uint32_t slot, int check,
		       const struct sluice_done *done);
/* The row of ss->sending's parcel. */
void downlink_ask_summary(struct sluice_session *ss);

/* downlink.c */
void downlink_queue(struct sluice_session *ss, const struct sluice_camera *c, const char *id);
void downlink_queue_done(struct sluice_session *ss, const struct sluice_camera *c,
			 const struct sluice_done *done);
/* The row of ss->sending's parcel; NULL: err says why there is none. */
void downlink_begin(struct sluice_session *ss, const struct sluice_index_summary *row, int err);

#endif
