/* SPDX-License-Identifier: MIT */
/*
 * analysis.h - what the worker does with the stored frames of one camera, in order: decode,
 * background, blobs, tracks, events, key frames, text. Knows nothing of sockets, segments or
 * threads.
 *
 * One struct sluice_analysis per camera, used by one thread at a time. Frames arrive gated: long
 * gaps are normal, and everything is scaled by time_ns. All callbacks are made from within the
 * calls below.
 */
#ifndef SLUICE_ANALYSIS_H
#define SLUICE_ANALYSIS_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct sluice_analysis;
struct sluice_detector_answer;
struct sluice_detector_image;
struct sluice_digest_plan;
struct sluice_tally;

/* A stored frame. All pointers are borrowed for the call. */
struct sluice_stored_frame {
	uint64_t epoch, sequence;
	uint64_t time_ns; /* device monotonic */
	uint64_t utc_ns;
	uint16_t reason; /* enum sluice_reason */
	uint16_t flags;	 /* SLUICE_FRAME_*, SLUICE_WIRE_REGION */
	uint32_t score;
	uint32_t settings; /* version of the gate settings */
	uint16_t width, height;
	uint16_t grid_w, grid_h;
	const uint8_t *cells; /* motion-cell bitmap, NULL if none */
	const uint8_t *jpeg;  /* with SLUICE_WIRE_REGION: its head and mask before it */
	size_t jpeg_size;
};

/* Twice as sensitive: a difference, and a thing, half as large is enough. */
#define SLUICE_SENSITIVITY_MIN 500
#define SLUICE_SENSITIVITY_MAX 4000

#define SLUICE_ZONES_MAX       16
#define SLUICE_ZONE_POINTS_MAX 16

/* A place in the picture: 1/10000 of its width and height, from the top left corner. */
struct sluice_zone_point {
	uint16_t x, y;
};

/* A polygon, closed by itself; fewer than 3 points: the zone is ignored. */
struct sluice_zone {
	char name[32];	   /* with the final NUL; what summaries say */
	uint32_t concern;  /* 1: who is in it is of concern (concerns.h) */
	uint32_t dwell_ms; /* ... from so long on */
	uint32_t count;
	struct sluice_zone_point point[SLUICE_ZONE_POINTS_MAX];
};

enum sluice_line_concern {
	SLUICE_LINE_FORWARD = 1,
	SLUICE_LINE_BACKWARD = 2,
	SLUICE_LINE_BOTH = 3,
};

/* A line from a to b. Who crosses it from its left to its right, looking from a to b, goes
 * "forward". */
struct sluice_line {
	char name[32];
	uint32_t concern; /* enum sluice_line_concern; 0: none */
	struct sluice_zone_point a, b;
};

struct sluice_analysis_config {
	char camera[32];	/* name for people */
	uint32_t join_ms;	/* events closer than this are one: 10000 */
	uint32_t event_max_ms;	/* then continued under the same id: 300000 */
	uint32_t keyframes_max; /* 12 */
	const char *language;	/* "en" */
	uint32_t background;	/* enum sluice_background_kind; 0: the best known */
	uint32_t sensitivity;	/* thousandths of the usual, see below; 0: the usual */
	uint32_t scale; /* looked at as 1/scale of the picture, 1, 2, 4 or 8; 0: by its size */
	uint32_t zone_count, line_count;
	uint32_t night_from, night_to; /* minutes of the node's day; the same: no night is named */
	struct sluice_zone zones[SLUICE_ZONES_MAX];
	struct sluice_line lines[SLUICE_ZONES_MAX];
};

/* Those of from into *c. */
static inline void sluice_analysis_take_zones(struct sluice_analysis_config *c,
					      const struct sluice_analysis_config *from)
{
	c->zone_count = from->zone_count;
	c->line_count = from->line_count;
	c->night_from = from->night_from;
	c->night_to = from->night_to;
	memcpy(c->zones, from->zones, sizeof(c->zones));
	memcpy(c->lines, from->lines, sizeof(c->lines));
}

/* A file that goes with a summary; bytes are borrowed for the callback. */
struct sluice_summary_media {
	char name[48]; /* "key-1.jpg" */
	const uint8_t *data;
	size_t size;
};

struct sluice_summary {
	char id[33]; /* 32 hex digits: first 128 bits of SHA-256(camera, version, epoch, start,
			part) */
	uint64_t epoch;
	uint64_t start_utc_ns, end_utc_ns;
	const char *json; /* docs/api.md, summary version 1 */
	const struct sluice_summary_media *media;
	size_t media_count;
};

struct sluice_analysis_ops {
	/* an event has started; json as docs/api.md, event version 1; may be NULL */
	void (*event)(void *ctx, const char *id, const char *json);
	/* an event has ended (or reached event_max_ms) and is told */
	void (*summary)(void *ctx, const struct sluice_summary *s);
	/* after the summary: what its digest is made from, the callee's from now on
	 * (sluice_digest_plan_free()); may be NULL */
	void (*digest)(void *ctx, struct sluice_digest_plan *plan);
	/* what an event, or a sample, says of the gate (gauge.h); may be NULL */
	void (*tally)(void *ctx, const struct sluice_tally *t);
	/* fetch the JPEG of an earlier frame of this camera (key frames, bases of regions), always
	 * the whole picture. Returns a malloc'd buffer that the analysis frees, or NULL. */
	uint8_t *(*fetch)(void *ctx, uint64_t epoch, uint64_t sequence, size_t *size);
	/* what is in pictures (detector.h): the longer side that they have at most, 0: do not ask
	 * now; and the question, which takes no longer than a summary may wait. Both or none NULL
	 */
	uint32_t (*look_side)(void *ctx);
	int (*look)(void *ctx, const struct sluice_detector_image *image, uint32_t count,
		    struct sluice_detector_answer *a);
};

/* Returns NULL when out of memory. ops and ctx must outlive the analysis. */
struct sluice_analysis *sluice_analysis_open(const struct sluice_analysis_config *c,
					     const struct sluice_analysis_ops *ops, void *ctx);

/* From now on the zones and lines of c, alone of it, are those that events are told with. */
void sluice_analysis_zones(struct sluice_analysis *a, const struct sluice_analysis_config *c);

/* A new epoch began: first_ns = monotonic time of its first frame, which is second 0 of summaries.
 */
void sluice_analysis_epoch(struct sluice_analysis *a, uint64_t epoch, uint64_t first_ns,
			   uint64_t first_utc_ns);

/*
 * One frame. 0, or -EBADMSG if the JPEG does not decode (it is counted and skipped). Where memory
 * was wanting, here (-ENOMEM) and below, sluice_starved has grown (starved.h), what would have been
 * told is not, and the analysis is of no use any more: begin one anew, with the same frames.
 */
int sluice_analysis_frame(struct sluice_analysis *a, const struct sluice_stored_frame *f);

/*
 * The device's ledger and clock, from STATS: all frames with motion up to now_ns have been given.
 * May end events. counts[32] by enum sluice_reason, cumulative; delivered likewise.
 */
void sluice_analysis_clock(struct sluice_analysis *a, uint64_t now_ns, int gate_open,
			   uint64_t delivered, const uint64_t counts[32]);

/* The epoch has ended: end and tell what is open. */
void sluice_analysis_flush(struct sluice_analysis *a);

/* NULL-safe. Open events are dropped untold: call flush first to tell them. */
void sluice_analysis_close(struct sluice_analysis *a);

#endif
