/* SPDX-License-Identifier: MIT */
/*
 * digest.h - an event to look at: a short video of its active time, a sheet of its key frames and a
 * map of where things moved. Made from stored frames some time after the event has been told.
 */
#ifndef SLUICE_DIGEST_H
#define SLUICE_DIGEST_H

#include <jansson.h>
#include <stdbool.h>

#include "cloud/analysis.h"
#include "cloud/keyframes.h"

#define SLUICE_DIGEST_FPS	10  /* of the video */
#define SLUICE_DIGEST_SIDE	640 /* pixels: its longer side at most */
#define SLUICE_DIGEST_SECONDS	20  /* of video, at most; longer events are shown faster */
#define SLUICE_DIGEST_MEDIA_MAX 4

struct sluice_digest_frame {
	uint64_t sequence;
	double t_s;
};

struct sluice_digest_box {
	double t_s;
	uint16_t track;
	int16_t x, y, w, h; /* the camera's pixels */
};

/* What is remembered of an event until its digest is made. All of it is the plan's own. */
struct sluice_digest_plan {
	char camera[32], event[33], summary[33]; /* event's id, and that of the summary of it */
	char title[96];
	uint64_t epoch, first_utc_ns;
	double start_s, end_s;
	uint32_t width, height; /* the camera's picture */
	uint32_t small;		/* pixels; not 0: no digest, but its key frames at most so large */
	struct sluice_digest_frame *frames; /* by time */
	uint32_t frame_count;
	struct sluice_digest_box *boxes; /* by track, then by time */
	uint32_t box_count;
	struct sluice_digest_frame keys[SLUICE_KEYFRAMES_MAX];
	uint32_t key_count;
	uint16_t *heat; /* [heat_h][heat_w]: in how many pictures something moved there */
	uint32_t heat_w, heat_h;
};

/* Frames, boxes (times scale: the camera's pixels), key frames and times of e; the rest is the
 * caller's to fill. NULL: out of memory, or no frames. */
struct sluice_digest_plan *sluice_digest_plan(const struct sluice_event_log *e,
					      const struct sluice_keyframe *keys,
					      uint32_t key_count, uint32_t scale);
void sluice_digest_plan_free(struct sluice_digest_plan *p); /* NULL-safe */

/* Which frame is shown when: a gap between frames counts for half a second at most. */
struct sluice_digest_line {
	double active_s; /* of the event, gaps taken out */
	double factor;	 /* how much faster than life; 1: as it was */
	uint32_t count;	 /* pictures of the video, at least 1 */
};

/* Plan a video of at most seconds (> 0) of count >= 1 frames by time. */
void sluice_digest_line(const struct sluice_digest_frame *frames, uint32_t count, double seconds,
			struct sluice_digest_line *line);
/* The frame that picture k shows; at is where the last call ended (0 at first), k only grows. */
uint32_t sluice_digest_shown(const struct sluice_digest_frame *frames, uint32_t count,
			     const struct sluice_digest_line *line, uint32_t k, uint32_t *at,
			     double *at_s);

struct sluice_digest_options {
	double seconds; /* of video at most */
	bool boxes;	/* draw what was followed */
	/* The original JPEG, malloc'd, or NULL. */
	uint8_t *(*fetch)(void *ctx, uint64_t epoch, uint64_t sequence, size_t *size);
	int (*stopped)(void *ctx); /* asked before each picture; may be NULL */
	void *ctx;
};

/* A summary of kind "digest" (docs/api.md) with its files, to be freed with sluice_digest_free. */
struct sluice_digest {
	struct sluice_summary summary; /* its pointers point into this struct or to its own */
	struct sluice_summary_media media[SLUICE_DIGEST_MEDIA_MAX];
	char *json;
};

/*
 * Make the digest of p. Frames that cannot be fetched or decoded are left out and counted. What
 * cannot be made (no VP9 encoder here) is left out and said to be null; -ENODATA if nothing can
 * be. -ECANCELED: stopped() said so. -ENOMEM. With p->small: "small-N.jpg" of the key frame N, from
 * 1, of at most SLUICE_DIGEST_MEDIA_MAX, and no digest.
 */
int sluice_digest_make(const struct sluice_digest_plan *p, const struct sluice_digest_options *o,
		       struct sluice_digest **out);
void sluice_digest_free(struct sluice_digest *d); /* NULL-safe */

/* sheet.c: the storyboard (JPEG) and the heat map (PNG) of p; *data malloc'd. -ENODATA: no frame
 * can be shown, or nothing moved. -ENOSYS: no PNG encoder. -ENOMEM, -EIO. */
int sluice_digest_storyboard(const struct sluice_digest_plan *p,
			     const struct sluice_digest_options *o, uint8_t **data, size_t *size);
int sluice_digest_thumb(const struct sluice_digest_plan *p, const struct sluice_digest_options *o,
			uint8_t **data, size_t *size);
int sluice_digest_heat(const struct sluice_digest_plan *p, const struct sluice_digest_options *o,
		       uint8_t **data, size_t *size);

/* The key frame at, at most p->small pixels a side, nothing written on it. -ENODATA: it cannot be
 * shown, or even 1/8 of it is too large. */
int sluice_digest_small(const struct sluice_digest_plan *p, const struct sluice_digest_options *o,
			uint32_t at, uint8_t **data, size_t *size);

/* "2026-11-23 22:41:07.3 UTC" */
void sluice_digest_clock(uint64_t utc_ns, char text[32]);

#endif
