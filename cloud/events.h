/* SPDX-License-Identifier: MIT */
/* events.h - what is remembered of an event while it goes on. */
#ifndef SLUICE_EVENTS_H
#define SLUICE_EVENTS_H

#include <stdbool.h>
#include <stdint.h>

#include "cloud/look.h"
#include "cloud/stills.h"
#include "cloud/track.h"

#define SLUICE_MOMENTS_MAX                                                                        \
	2048			/* pictures remembered; beyond that every second one is forgotten \
				 */
#define SLUICE_EVENT_TRACKS 256 /* tracks told; beyond that the shortest goes */
#define SLUICE_ACTIVITY_MAX 900 /* seconds of the activity curve */
#define SLUICE_THUMB	    64	/* 8x8 means: enough to tell near-duplicates */

/* One picture of the event: what key frames are chosen from. */
struct sluice_moment {
	uint64_t sequence;
	double t_s;	/* since the first frame of the epoch */
	float moving;	/* share of the picture, 0..1 */
	uint32_t score; /* of the gate */
	uint16_t objects;
	bool camera_moved;
	bool light;  /* the light of much of the picture changed */
	bool motion; /* the gate said so (not a roll, keep-alive, ...) */
	uint8_t thumb[SLUICE_THUMB];
	struct sluice_look look; /* of what moves */
};

/* Why an event is none that anybody would look at. */
enum sluice_nuisance {
	SLUICE_NUISANCE_NONE,
	SLUICE_NUISANCE_LIGHT,	  /* only the light changed */
	SLUICE_NUISANCE_NO_TRACK, /* nothing could be followed, or only what stays in its place */
};

struct sluice_event_log {
	bool active;
	bool scene_change;
	uint32_t part; /* 0, 1, ...: continued past the longest event */
	char event_id[33];
	double start_s, part_start_s, last_motion_s, end_s;
	uint32_t peak;
	uint32_t settings;
	uint64_t seen_at_start, passed_at_start, lost_at_start[8];
	uint32_t moment_count;
	struct sluice_moment moments[SLUICE_MOMENTS_MAX];
	uint32_t track_count;
	struct sluice_track tracks[SLUICE_EVENT_TRACKS]; /* own their paths */
	uint32_t object_count;
	struct sluice_object objects[SLUICE_STILLS_MAX];
	uint32_t light_moments; /* of those with motion: in which the light changed more than things
				   did */
	uint32_t motion_moments;
	bool camera_moved;
	enum sluice_nuisance nuisance; /* decided when it is told */
	uint32_t activity_count;
	float activity[SLUICE_ACTIVITY_MAX]; /* one a second from part_start_s */
};

/* Begin a part at t_s. Keeps event_id, start_s and part; drops moments, tracks and activity. */
void sluice_event_begin(struct sluice_event_log *e, double t_s);

/* Remember a picture (t_s not before the last one's). */
void sluice_event_moment(struct sluice_event_log *e, const struct sluice_moment *m);

/* Take over a track that has ended, path and all. Returns false if it was not kept (path stays the
 * caller's). */
bool sluice_event_track(struct sluice_event_log *e, struct sluice_track *t);

/* Free what the log owns; it can be begun again. */
void sluice_event_clear(struct sluice_event_log *e);

#endif
