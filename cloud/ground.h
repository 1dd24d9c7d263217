/* SPDX-License-Identifier: MIT */
/*
 * ground.h - the place without what moves: for a time of day, the median of some stored frames
 * around it, each pixel taken only from frames in which nothing that was followed is before it.
 */
#ifndef SLUICE_GROUND_H
#define SLUICE_GROUND_H

#include "cloud/decode.h"
#include "cloud/synopsis.h"

#define SLUICE_GROUND_SLOTS   24 /* times of a period */
#define SLUICE_GROUND_SAMPLES 25 /* frames that a ground is made of */

/* Decoded frames of a period, the last few used; and how they are got. */
struct sluice_reel;

/* s and o are borrowed. NULL: out of memory. */
struct sluice_reel *sluice_reel_open(const struct sluice_synopsis *s,
				     const struct sluice_synopsis_options *o);
void sluice_reel_close(struct sluice_reel *r); /* NULL-safe */

/* The frame, decoded, until the next 16 calls; NULL: it cannot be read (*err 0) or -ENOMEM. All
 * have one size. */
const struct sluice_picture *sluice_reel_frame(struct sluice_reel *r, uint32_t frame, int *err);

/* Size of all pictures. */
void sluice_reel_size(const struct sluice_reel *r, uint32_t *w, uint32_t *h);

/*
 * The median of at most SLUICE_GROUND_SAMPLES of those frames, into out. -ENODATA: none can be
 * read; -ENOMEM.
 */
int sluice_ground_make(struct sluice_reel *r, const uint32_t *frames, uint32_t count,
		       struct sluice_picture *out);

/* Frames to make the ground of [start, end] from: some before, some in it, some behind; at most 9
 * into frames; how many. */
uint32_t sluice_ground_around(const struct sluice_period *p, int64_t start_ns, int64_t end_ns,
			      uint32_t frames[9]);

#endif
