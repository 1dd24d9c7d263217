/* SPDX-License-Identifier: MIT */
/*
 * Endpoint 0: what the kernel asks and sets. Knows nothing of USB/IP; fed with setup packets.
 */
#ifndef SLUICE_CAMSIM_UVC_CONTROL_H
#define SLUICE_CAMSIM_UVC_CONTROL_H

#include <stdint.h>

#include "tools/camsim/descriptors.h"

#define UVC_PROBE_SIZE	 34
#define UVC_CONTROLS	 6
#define UVC_EVENT_START	 1 /* streaming begins: mode and interval are settled */
#define UVC_EVENT_STOP	 2
#define UVC_EVENT_PROBED 4 /* a probe or commit was set; for faults and logs */

struct uvc_probe {
	uint16_t hint;
	uint8_t format_index, frame_index;
	uint32_t interval; /* 100 ns */
};

struct uvc_control {
	const struct profile *profile;
	struct uvc_probe probe, commit;
	uint8_t configuration;
	uint8_t alternate; /* of the streaming interface */
	uint8_t error;	   /* why the last request was stalled, as UVC 1.1 numbers it */
	bool committed;	   /* bulk: streaming from here to the stop */
	int32_t values[UVC_CONTROLS];
};

void uvc_control_init(struct uvc_control *c, const struct profile *profile);

/*
 * One request. @setup as it came; @out its @out_size bytes, if any; the answer goes to @in, which
 * has DESCRIPTORS_MAX bytes. Returns the answer's length, cut to what was asked for, or -EPIPE for
 * a stall. @events gets the UVC_EVENT bits.
 */
int uvc_control_request(struct uvc_control *c, const uint8_t setup[8], const uint8_t *out,
			uint32_t out_size, uint8_t *in, uint32_t *events);

/* True for the setting of the probe (@commit false) or the commit. */
bool uvc_control_is_set(const uint8_t setup[8], bool commit);

/* Makes what it is told possible: known indices, a listed interval (the nearest). */
struct uvc_probe uvc_control_clamp(const struct profile *profile, struct uvc_probe wish);

#endif
