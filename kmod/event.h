/* SPDX-License-Identifier: GPL-2.0 */
/* event.h - tells netlink listeners what happened, from any task context. */
#ifndef SLUICE_EVENT_H
#define SLUICE_EVENT_H

#include <linux/skbuff.h>
#include <linux/types.h>
#include <sluice/control.h>

/* What a notification says; copied, so that no camera has to outlive it. */
struct sluice_event_note {
	u64 time_ns;
	u64 epoch;
	u32 camera;
	u32 event; /* enum sluice_event */
	u32 format;
	char name[SLUICE_CAMERA_NAME_SIZE];
};

/* Queue a notification; it is sent by a work. Never blocks; drops the note if 64 are waiting. */
void sluice_event_post(const struct sluice_event_note *n);

/* Take no more notifications; wait until those queued have been sent. */
void sluice_event_exit(void);

/* Build and multicast one notification (control.c). */
void sluice_control_notify(const struct sluice_event_note *n);

#endif
