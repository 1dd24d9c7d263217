/* SPDX-License-Identifier: MIT */
/* keyframes.h - the few pictures that tell an event. */
#ifndef SLUICE_KEYFRAMES_H
#define SLUICE_KEYFRAMES_H

#include <stdint.h>

#include "cloud/events.h"

#define SLUICE_KEYFRAMES_MAX   24
#define SLUICE_KEYFRAME_TRACKS 8

struct sluice_keyframe {
	uint64_t sequence;
	double t_s;
	const char *why; /* "best view", "burst", "peak", "coverage" */
	uint32_t track_count;
	uint32_t tracks[SLUICE_KEYFRAME_TRACKS]; /* ids of tracks in the picture */
};

/*
 * Choose at most max (<= SLUICE_KEYFRAMES_MAX) pictures of e, in order of time. There is at least
 * one if the event has a picture at all. Returns how many.
 */
uint32_t sluice_keyframes_choose(const struct sluice_event_log *e, uint32_t max,
				 struct sluice_keyframe out[SLUICE_KEYFRAMES_MAX]);

#endif
