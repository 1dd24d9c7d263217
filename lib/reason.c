// SPDX-License-Identifier: MIT
/* reason.c - see reason.h. */
#include <stddef.h>

#include "lib/reason.h"

const char *sluice_reason_name(unsigned int reason)
{
	static const char *const names[SLUICE_REASON_COUNT] = {
		[SLUICE_REASON_QUIET] = "quiet",
		[SLUICE_REASON_UNCONFIRMED] = "unconfirmed",
		[SLUICE_REASON_RATE] = "rate",
		[SLUICE_REASON_MOTION] = "motion",
		[SLUICE_REASON_PREROLL] = "preroll",
		[SLUICE_REASON_POSTROLL] = "postroll",
		[SLUICE_REASON_KEEPALIVE] = "keepalive",
		[SLUICE_REASON_AUDIT] = "audit",
		[SLUICE_REASON_SCENE_CHANGE] = "scene_change",
		[SLUICE_REASON_WARMUP] = "warmup",
		[SLUICE_REASON_SNAPSHOT] = "snapshot",
		[SLUICE_REASON_CORRUPT] = "corrupt",
		[SLUICE_REASON_OVERRUN] = "overrun",
		[SLUICE_REASON_LATE] = "late",
		[SLUICE_REASON_DRIVER] = "driver",
		[SLUICE_REASON_ERRORFLAG] = "errorflag",
	};

	return reason < SLUICE_REASON_COUNT ? names[reason] : NULL;
}
