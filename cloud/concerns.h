/* SPDX-License-Identifier: MIT */
/*
 * concerns.h - what of an event somebody may want to look at, and how soon. Rules over what was
 * measured of its tracks; nothing is recognised, so all of it is called heuristic, and each concern
 * names its track and the picture that shows it.
 *
 * The level of an event is the highest of its concerns: 0 nothing unusual that was measured, 1
 * somebody should look, 2 somebody should look now. Only what an operator has named can give 2: a
 * zone or a line of concern, at night.
 */
#ifndef SLUICE_CONCERNS_H
#define SLUICE_CONCERNS_H

#include "cloud/concern_kinds.h"
#include "cloud/events.h"
#include "cloud/track_facts.h"

#define SLUICE_CONCERNS_MAX 12 /* told of an event; the highest, then the first, are */

enum sluice_text_language { SLUICE_TEXT_EN, SLUICE_TEXT_ZH, SLUICE_TEXT_LANGUAGES };

struct sluice_concern {
	enum sluice_concern_kind kind;
	uint32_t level;	   /* 0..2 */
	uint32_t track;	   /* its id; 0: it is of no single one */
	double t_s;	   /* when */
	uint64_t sequence; /* the picture nearest to that; 0: there is none */
	const char *class; /* of the track; static */
	const char *place; /* zone or line, the config's; NULL: none */
	double value;	   /* seconds, heights a second, how many; by kind */
	bool forward, night;
	uint32_t night_from, night_to; /* minutes */
};

struct sluice_concerns {
	struct sluice_concern list[SLUICE_CONCERNS_MAX]; /* highest first, then by time */
	uint32_t count, untold;
	uint32_t level; /* of the event */
};

/* Of a picture of w x h analysed pixels; first_utc_ns: UTC of second 0; c, scale: may be NULL. */
void sluice_concerns_find(const struct sluice_event_log *e, uint32_t w, uint32_t h,
			  const struct sluice_analysis_config *c, const struct sluice_scale *scale,
			  uint64_t first_utc_ns, struct sluice_concerns *out);

/* One sentence, with its evidence. */
void sluice_concern_text(const struct sluice_concern *k, enum sluice_text_language language,
			 char *out, size_t size);

/* Does ns lie between from and to, minutes of a day of the node's time zone? The same: never. */
bool sluice_concern_night(uint64_t utc_ns, uint32_t from, uint32_t to);

#endif
