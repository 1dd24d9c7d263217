/* SPDX-License-Identifier: MIT */
/*
 * gauge.h - holds what the gate of a camera did against what the analysis sees in its frames, for a
 * tally (tally.h): an event at a time, and each sample, that is a frame that the gate let through
 * though it was closed (audit, keep-alive).
 *
 * Something was missed in a sample if a blob is in it that stands out by edges of its own, under
 * the same light, at a place that looked otherwise in the picture before, and looks so again in the
 * one after, and if the gate did not open within seconds. What comes to stay, and light that
 * changes for good, is no miss.
 */
#ifndef SLUICE_GAUGE_H
#define SLUICE_GAUGE_H

#include "cloud/analysis.h"
#include "cloud/blobs.h"
#include "cloud/events.h"
#include "cloud/tally.h"

#define SLUICE_GAUGE_COLS  80
#define SLUICE_GAUGE_ROWS  60
#define SLUICE_GAUGE_BOXES 8 /* of a sample, the largest ones */

struct sluice_gauge_picture {
	bool there;
	double t_s;
	uint8_t mean[SLUICE_GAUGE_COLS * SLUICE_GAUGE_ROWS];
};

struct sluice_gauge {
	struct sluice_tally event;	    /* of the one that goes on; frames alone are counted */
	struct sluice_gauge_picture before; /* the newest one, or that before the sample */
	struct sluice_gauge_picture sample; /* about which nothing is known yet */
	uint32_t count;			    /* what may have been missed in it */
	struct sluice_box box[SLUICE_GAUGE_BOXES]; /* shares of the picture */
	uint32_t grid_w, grid_h, settings;	   /* of the sample */
	uint64_t utc_ns;
};

struct sluice_gauge_sight {
	const struct sluice_stored_frame *frame;
	double t_s; /* since the epoch's first frame */
	const struct sluice_gray *gray;
	const struct sluice_blob *blob; /* with edges */
	uint32_t blobs, area_min;	/* area_min: pixels of a blob, at least */
	bool light; /* the light changed in it, the camera moved, or the model is too young */
	bool event; /* it belongs to one */
};

/* Nothing is known any more: another epoch, or another size. */
void sluice_gauge_reset(struct sluice_gauge *g);

/* A picture that was looked at. True: *out is what is known of the sample before it. */
bool sluice_gauge_picture(struct sluice_gauge *g, const struct sluice_gauge_sight *s,
			  struct sluice_tally *out);

/*
 * An event is told, or a part of it: seen[i] says whether its i-th track was a thing; w, h: of the
 * analysed pictures. True: *out is what it adds. False: it says nothing of the gate's thresholds
 * (the scene changed, the camera moved), or no frame of it had cells.
 */
bool sluice_gauge_event(struct sluice_gauge *g, const struct sluice_event_log *e, const bool *seen,
			uint32_t w, uint32_t h, struct sluice_tally *out);

#endif
