/* SPDX-License-Identifier: MIT */
/* track.h - blobs of successive pictures joined to things that move. */
#ifndef SLUICE_TRACK_H
#define SLUICE_TRACK_H

#include <stdbool.h>
#include <stdint.h>

#include "cloud/blobs.h"

#define SLUICE_TRACKS_MAX     64   /* alive at once */
#define SLUICE_TRACK_PATH_MAX 3000 /* boxes kept of one track: 300 s at 10 a second */

struct sluice_box {
	double t_s;	  /* since the first frame of the epoch */
	float x, y, w, h; /* pixels of the analysed picture */
};

/* Position and velocity of one coordinate, with its covariance. */
struct sluice_kalman {
	float x, v;
	float pxx, pxv, pvv;
};

struct sluice_track {
	uint32_t id;
	bool confirmed; /* seen often enough to be told */
	bool moved;	/* left its place at least once */
	uint32_t hits;
	double start_s, seen_s;	  /* first and last time it was really seen */
	float missed_s;		  /* how long pictures have gone by without it */
	float unseen_s;		  /* the same, in all, before it was seen again */
	float look[SLUICE_LOOKS]; /* as blobs' */
	uint32_t light_hits;	  /* sightings while the light changed */
	uint32_t backed;	  /* sightings in which the gate saw motion there, ... */
	uint32_t backed_hits;	  /* ... of so many up to the last of them, ... */
	double backed_s;	  /* ... and when it last did, in a blob with others too */
	double alone_s;		  /* when it last had a blob of its own */
	bool merged;		  /* it is in a blob with others: its box is a guess */
	float way;		  /* farthest that it came from where it began, in its own sizes */
	struct sluice_kalman cx, cy, w, h;
	float busy;		 /* as blobs', of late */
	float usual_w, usual_h;	 /* of late, when it was alone */
	struct sluice_box last;	 /* last observation */
	float vx, vy;		 /* pixels per second over the last observations */
	struct sluice_box *path; /* path_count boxes, at most ten a second */
	uint32_t path_count;
	struct {
		uint64_t sequence;
		double t_s;
		float score;
	} best; /* the picture that shows it best */
	struct {
		char class[32], by[32]; /* class "": no detector has said */
		float score;		/* 0..1 */
	} seen_as;
};

struct sluice_tracker;

struct sluice_tracker *sluice_tracker_open(uint32_t w, uint32_t h); /* NULL: out of memory */
void sluice_tracker_close(struct sluice_tracker *t);		    /* NULL-safe */

/* A track ended (not seen in three seconds of pictures, or tracker flushed); the callee may take
 * t->path. Time without pictures ends none: the gate saw nothing move, so it is where it was. */
typedef void sluice_track_ended(void *ctx, struct sluice_track *t);

/*
 * Blobs of the picture g at t_s (never before the last one) with frame number sequence; mask[h][w]:
 * its foreground, as sluice_blobs_find() has left it. Blobs with no support continue tracks but
 * begin none. Ended tracks are handed to ended().
 */
void sluice_tracker_frame(struct sluice_tracker *t, double t_s, uint64_t sequence,
			  const struct sluice_gray *g, const uint8_t *mask,
			  const struct sluice_blob *blobs, uint32_t count,
			  sluice_track_ended *ended, void *ctx);

/* End all. */
void sluice_tracker_flush(struct sluice_tracker *t, sluice_track_ended *ended, void *ctx);

/* The living tracks, for reading; *count of them. */
struct sluice_track *sluice_tracker_live(struct sluice_tracker *t, uint32_t *count);

#endif
