/* SPDX-License-Identifier: MIT */
/* uplink_state.h - what uplink.c and uplink_camera.c share. Nobody else includes it. All in the
 * thread of the session's loop. */
#ifndef SLUICE_UPLINK_STATE_H
#define SLUICE_UPLINK_STATE_H

#include "cloud/session.h"

/* ---- uplink.c ---- */

/* A rule is broken: GOAWAY with that text, and the link ends. */
void uplink_break_off(struct sluice_session *ss, const char *text);

/* ---- uplink_camera.c ---- */

/* With room for so many bytes of data, of that slot's camera, epoch and lane. NULL: out of memory,
 * and the link ends. */
struct sluice_item *uplink_item(struct sluice_session *ss, enum sluice_item_kind kind,
				uint32_t slot, size_t data);
/* Hands it to the writer; a session with too much in the queue is not read from for a while. */
void uplink_put(struct sluice_session *ss, struct sluice_item *item);

void uplink_take_open(struct sluice_session *ss, uint32_t number,
		      const struct sluice_wire_fields *f);
void uplink_take_frame(struct sluice_session *ss, const struct sluice_wire_message *m);
/* STATS and CLOSE. */
void uplink_take_ledger(struct sluice_session *ss, const struct sluice_wire_message *m,
			const struct sluice_wire_fields *f);

#endif
