/* SPDX-License-Identifier: MIT */
/* text.h - words for an event, by templates: nothing is said that was not measured. */
#ifndef SLUICE_TEXT_H
#define SLUICE_TEXT_H

#include <stdint.h>

#include "cloud/events.h"

#define SLUICE_TEXT_TITLE 96
#define SLUICE_TEXT_BODY  400

enum sluice_side {
	SLUICE_SIDE_INSIDE,
	SLUICE_SIDE_LEFT,
	SLUICE_SIDE_RIGHT,
	SLUICE_SIDE_TOP,
	SLUICE_SIDE_BOTTOM
};

/* What can be said of a track without a detector: guesses from shape and speed, always called
 * heuristic. */
struct sluice_track_facts {
	const char *class; /* "person-like", "vehicle-like", "small", "unknown" */
	float confidence;  /* 0..1 */
	enum sluice_side enter, leave;
};

struct sluice_text {
	char title[SLUICE_TEXT_TITLE];
	char body[SLUICE_TEXT_BODY]; /* at most two sentences */
	char scene[SLUICE_TEXT_BODY];
	float confidence; /* that something really happened, 0..1 */
};

/* Pictures of w x h analysed pixels. */
void sluice_track_facts(const struct sluice_track *t, uint32_t w, uint32_t h,
			struct sluice_track_facts *f);

const char *sluice_side_name(enum sluice_side side);

/* Tell e; camera is the name for people. */
void sluice_text_event(const struct sluice_event_log *e, const char *camera, uint32_t w, uint32_t h,
		       struct sluice_text *out);

#endif
