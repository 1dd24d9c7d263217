/* SPDX-License-Identifier: MIT */
/* text.h - words for an event, by templates: nothing is said that was not measured. */
#ifndef SLUICE_TEXT_H
#define SLUICE_TEXT_H

#include <stdint.h>

#include "cloud/events.h"
#include "cloud/track_facts.h"

#define SLUICE_TEXT_TITLE 96
#define SLUICE_TEXT_BODY  400

struct sluice_text {
	char title[SLUICE_TEXT_TITLE];
	char body[SLUICE_TEXT_BODY]; /* at most two sentences */
	char scene[SLUICE_TEXT_BODY];
	float confidence; /* that something really happened, 0..1 */
};

/* Tell e; camera is the name for people. */
void sluice_text_event(const struct sluice_event_log *e, const char *camera, uint32_t w, uint32_t h,
		       const struct sluice_scale *scale, struct sluice_text *out);

#endif
