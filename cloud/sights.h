/* SPDX-License-Identifier: MIT */
/* sights.h - which pictures of an event show its tracks best, and what a detector sees in them. */
#ifndef SLUICE_SIGHTS_H
#define SLUICE_SIGHTS_H

#include "cloud/analysis.h"
#include "cloud/events.h"
#include "cloud/keyframes.h"

#define SLUICE_SIGHTS_TRACKS 8	/* of an event, the longest in view */
#define SLUICE_SIGHTS_MAX    12 /* pictures of an event */

struct sluice_sights_config {
	const struct sluice_analysis_ops *ops;
	void *ctx;
	uint64_t epoch;
	uint32_t width, height; /* of the camera's picture */
	uint32_t scale;		/* a pixel of the tracks' boxes is so many of them */
};

/*
 * Asks ops->look about the best view of each track of e and, for as long as there is room, about
 * the key frames (with their bytes) that show it at another time. What it is sure of is put into
 * the tracks (seen_as); the others stay as they are, as all do if there is nobody to ask, or no
 * answer in time.
 */
void sluice_sights_classify(struct sluice_event_log *e, const struct sluice_keyframe *keys,
			    const struct sluice_summary_media *media, uint32_t count,
			    const struct sluice_sights_config *c);

#endif
