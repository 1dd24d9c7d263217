/* SPDX-License-Identifier: MIT */
/*
 * track_state.h - what track.c (assignment, life and death) and track_group.c (several things in
 * one blob) share. Nobody else includes it.
 */
#ifndef SLUICE_TRACK_STATE_H
#define SLUICE_TRACK_STATE_H

#include "cloud/assign.h"
#include "cloud/portrait.h"
#include "cloud/track.h"

#define TRACK_NOISE	   0.008f /* of the picture's width: noise of a blob's edge */
#define TRACK_LOST_S	   3.0f	  /* pictures without it that end a track */
#define TRACK_PORTRAIT_MIN 3	  /* views of a portrait that something can be found by */

struct sluice_tracker {
	uint32_t w, h;
	uint32_t next_id;
	double now_s;
	uint32_t count;
	struct sluice_track tracks[SLUICE_TRACKS_MAX];
	struct sluice_portrait portrait[SLUICE_TRACKS_MAX]; /* of tracks[] */
	struct sluice_portrait_sitting sitting;		    /* of the picture under way */
	float cost[SLUICE_ASSIGN_MAX][SLUICE_ASSIGN_MAX];
};

void kalman_update(struct sluice_kalman *k, float z, float noise);

/* Where the track is now, as its filter has it. */
struct sluice_box track_predicted(const struct sluice_track *k);

/* Keep a box of its way, at most ten a second. */
void track_path_add(struct sluice_track *k, const struct sluice_box *b);

/*
 * Tracks of which two or more are in one blob ride it, until it falls apart or is too small to hold
 * them. taken: blobs that need no owner; riding: tracks that need no blob.
 */
void track_ride_groups(struct sluice_tracker *t, const struct sluice_blob *blobs, uint32_t count,
		       double t_s, bool *taken, bool *riding);

#endif
