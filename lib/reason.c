// SPDX-License-Identifier: MIT
/* reason.c - one table of names; a reason without a line here is none that a frame can have. */
#include "lib/reason.h"
#include <stddef.h>
#include <string.h>

static const struct {
	const char *name;
	const char *text;
} reasons[SLUICE_REASON_COUNT] = {
	[SLUICE_REASON_QUIET] = { "quiet", "nothing moved" },
	[SLUICE_REASON_UNCONFIRMED] = { "unconfirmed", "a flicker that was no motion" },
	[SLUICE_REASON_RATE] = { "rate", "beyond the asked frames per second" },
	[SLUICE_REASON_MOTION] = { "motion", "something moved" },
	[SLUICE_REASON_PREROLL] = { "preroll", "before the motion" },
	[SLUICE_REASON_POSTROLL] = { "postroll", "after the motion" },
	[SLUICE_REASON_KEEPALIVE] = { "keepalive", "sign of life" },
	[SLUICE_REASON_AUDIT] = { "audit", "random sample of quiet frames" },
	[SLUICE_REASON_SCENE_CHANGE] = { "scene_change", "the whole picture changed" },
	[SLUICE_REASON_WARMUP] = { "warmup", "the gate was learning" },
	[SLUICE_REASON_SNAPSHOT] = { "snapshot", "asked for" },
	[SLUICE_REASON_CORRUPT] = { "corrupt", "could not be looked at" },
	[SLUICE_REASON_TAMPER] = { "tamper", "the camera was covered, defocused or turned" },
	[SLUICE_REASON_OVERRUN] = { "overrun", "ring full" },
	[SLUICE_REASON_LATE] = { "late", "buffer gone before the copy" },
	[SLUICE_REASON_DRIVER] = { "driver", "gap in the driver's numbers" },
	[SLUICE_REASON_ERRORFLAG] = { "errorflag", "marked as bad by the driver" },
};

const char *sluice_reason_name(unsigned int reason)
{
	return reason < SLUICE_REASON_COUNT ? reasons[reason].name : NULL;
}

const char *sluice_reason_text(unsigned int reason)
{
	return reason < SLUICE_REASON_COUNT ? reasons[reason].text : NULL;
}

enum sluice_reason_class sluice_reason_class(unsigned int reason)
{
	if (reason < SLUICE_REASON_MOTION)
		return SLUICE_DROPPED;
	return reason < SLUICE_REASON_OVERRUN ? SLUICE_PASSED : SLUICE_LOST;
}

enum sluice_reason sluice_reason_find(const char *name)
{
	unsigned int i;

	for (i = 0; i < SLUICE_REASON_COUNT; i++)
		if (reasons[i].name && !strcmp(reasons[i].name, name))
			return i;
	return SLUICE_REASON_NONE;
}

uint64_t sluice_reason_sum(const uint64_t *counts, enum sluice_reason_class class)
{
	uint64_t sum = 0;
	unsigned int i;

	for (i = 0; i < SLUICE_REASON_COUNT; i++)
		if (sluice_reason_class(i) == class)
			sum += counts[i];
	return sum;
}
