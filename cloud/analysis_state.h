/* SPDX-License-Identifier: MIT */
/*
 * analysis_state.h - what analysis.c (pictures) and telling.c (events) share of one camera. Nobody
 * else includes it.
 */
#ifndef SLUICE_ANALYSIS_STATE_H
#define SLUICE_ANALYSIS_STATE_H

#include <stdbool.h>

#include <sluice/ring.h>

#include "cloud/analysis.h"
#include "cloud/background.h"
#include "cloud/blobs.h"
#include "cloud/canvas.h"
#include "cloud/events.h"
#include "cloud/gauge.h"
#include "cloud/stills.h"
#include "cloud/track.h"
#include "cloud/track_facts.h"

#define ANALYSIS_HISTORY 96 /* moments before an event */

struct sluice_analysis {
	struct sluice_analysis_config config;
	const struct sluice_analysis_ops *ops;
	void *ctx;
	uint64_t epoch, first_ns, first_utc_ns;
	uint32_t width, height; /* of the camera */
	struct sluice_gray gray;
	struct sluice_canvas *canvas;
	struct sluice_background *background;
	struct sluice_blobs *blobs;
	struct sluice_tracker *tracker;
	struct sluice_stills stills;
	struct sluice_scale scale; /* learned over all events */
	uint8_t *mask, *hold;
	uint16_t *heat; /* in how many pictures of the event the mask was set; NULL: not asked */
	double last_t_s;
	bool seen_one;
	uint64_t undecodable;
	unsigned long starved; /* sluice_starved when the present call began */
	uint64_t delivered, counts[SLUICE_REASON_COUNT]; /* the device's ledger as last told */
	struct sluice_moment history[ANALYSIS_HISTORY];
	uint32_t history_count;
	struct sluice_event_log event;
	struct sluice_gauge gauge; /* if its tallies are wanted */
};

/* For the tracker: a track that ended is told with the event, if there is one. */
void analysis_track_ended(void *ctx, struct sluice_track *t);

/* The event begins with this picture, or a little earlier where what moves was seen earlier. */
void analysis_event_start(struct sluice_analysis *a, const struct sluice_moment *now,
			  bool scene_change);

/* The event has become too long: tell a part of it, and go on. */
void analysis_event_continue(struct sluice_analysis *a, double t_s);

/* Is the event over at t_s? */
bool analysis_event_over(const struct sluice_analysis *a, double t_s);

/* Is something missing of what the present call has made? Then it is not told. */
bool analysis_starved(const struct sluice_analysis *a);

/* When the thing that the event is about was last seen, if it stands in the newest picture; else 0.
 */
double analysis_dwelling(const struct sluice_analysis *a);

/* Tell the event, if there is one, and forget it. */
void analysis_event_end(struct sluice_analysis *a);

#endif
