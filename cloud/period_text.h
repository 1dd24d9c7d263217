/* SPDX-License-Identifier: MIT */
/* period_text.h - what is counted of a period, and words for it: by templates, in English and in
 * Chinese; nothing is said that was not measured. */
#ifndef SLUICE_PERIOD_TEXT_H
#define SLUICE_PERIOD_TEXT_H

#include "cloud/concern_kinds.h"
#include "cloud/period.h"

#define SLUICE_PERIOD_CLASSES 12 /* named; of more, the rarest are not */

struct sluice_period_class {
	char name[SLUICE_PERIOD_CLASS_MAX];
	uint32_t count;
};

struct sluice_period_facts {
	uint32_t events;   /* that are no nuisance; one told in parts counts once */
	uint32_t nuisance; /* likewise */
	uint32_t objects;  /* followed, in all of them */
	struct sluice_period_class by_class[SLUICE_PERIOD_CLASSES]; /* the most frequent first */
	uint32_t classes;					    /* of by_class */
	uint32_t unnamed;			/* objects of classes that are not in it */
	uint32_t guessed, seen;			/* objects by who says what they are */
	uint32_t peak;				/* at once, in any of them */
	uint32_t threat;			/* the highest */
	uint32_t concern[SLUICE_CONCERNS];	/* events with a concern of each kind */
	uint32_t at_level[3];			/* events by their level; nuisances are in none */
	int64_t threat_ns;			/* when the first of the highest began */
	double confidence;			/* mean of theirs; 0: there is none */
	double active_s;			/* that any event was going on */
	int64_t first_ns, last_ns;		/* start of the first event, end of the last */
	uint32_t bucket[SLUICE_PERIOD_BUCKETS]; /* events that began in each part of the period */
	uint32_t busiest;			/* of the buckets */
};

void sluice_period_facts(const struct sluice_period *p, struct sluice_period_facts *f);

struct sluice_period_text {
	char title[160];
	char text[700];	   /* two sentences */
	char report[2600]; /* lines */
};

enum sluice_period_language { SLUICE_PERIOD_EN, SLUICE_PERIOD_ZH, SLUICE_PERIOD_LANGUAGES };

/* "en", "zh" */
extern const char *const sluice_period_language[SLUICE_PERIOD_LANGUAGES];

/* shown: things in the synopsis, 0: there is none; left: that are not in it. */
void sluice_period_words(const struct sluice_period *p, const struct sluice_period_facts *f,
			 uint32_t shown, uint32_t left, enum sluice_period_language language,
			 struct sluice_period_text *out);

#endif
