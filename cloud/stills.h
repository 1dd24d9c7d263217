/* SPDX-License-Identifier: MIT */
/* stills.h - what was left in the picture, and what was taken out of it: foreground that stands
 * still and is nobody. */
#ifndef SLUICE_STILLS_H
#define SLUICE_STILLS_H

#include "cloud/background.h"
#include "cloud/track.h"

#define SLUICE_STILLS_MAX 16

enum sluice_object_kind { SLUICE_OBJECT_LEFT, SLUICE_OBJECT_REMOVED };

/* Something that was left or removed. */
struct sluice_object {
	enum sluice_object_kind kind;
	struct sluice_box box; /* t_s: since when */
};

struct sluice_stills {
	uint32_t count;
	struct {
		struct sluice_box box;
		double since_s, seen_s;
		bool told;
		float look[SLUICE_LOOKS]; /* since then */
	} at[SLUICE_STILLS_MAX];
};

/*
 * The blobs of one picture. Those that no track owns and that stand for STILL_S are judged by their
 * edges: what has gone is taken for background at once, so that it leaves no ghost. Returns how
 * many of out[SLUICE_STILLS_MAX] are new.
 */
uint32_t sluice_stills_frame(struct sluice_stills *s, double t_s, const struct sluice_blob *blobs,
			     uint32_t count, struct sluice_tracker *tracker,
			     struct sluice_background *b, const struct sluice_gray *g,
			     uint8_t *mask, struct sluice_object out[SLUICE_STILLS_MAX]);

#endif
