/* SPDX-License-Identifier: MIT */
/*
 * vision_note.h - what a vision model said of an event, as a summary of its own (kind "vision",
 * docs/api.md), and what was counted of the asking. Its id follows from that of the event's
 * summary, so it is found without a search, and there is one.
 */
#ifndef SLUICE_VISION_NOTE_H
#define SLUICE_VISION_NOTE_H

#include <stdatomic.h>
#include <stdio.h>

#include "cloud/vision_ask.h"

/* Why an event that might have been asked about was not. */
enum sluice_vision_skip {
	SLUICE_VISION_SKIP_BUDGET,   /* it would have cost too much */
	SLUICE_VISION_SKIP_FULL,     /* too many wait */
	SLUICE_VISION_SKIP_OLD,	     /* it ended more than an hour ago */
	SLUICE_VISION_SKIP_PICTURES, /* none could be made */
	SLUICE_VISION_SKIP_GIVEN_UP, /* asked three times, or not to be asked again */
	SLUICE_VISION_SKIPS
};

/* Of the whole process. */
struct sluice_vision_counts {
	atomic_ullong calls[SLUICE_VISION_FAILURES]; /* by their end; [0]: with a text */
	atomic_ullong skipped[SLUICE_VISION_SKIPS];
	atomic_ullong tokens_in, tokens_out, cost; /* cost: millionths */
	atomic_uint waiting;
};
extern struct sluice_vision_counts sluice_vision_counts;

/* The id of what is said of a summary. */
void sluice_vision_id(const char *of, char id[33]);

struct sluice_vision_facts {
	const char *model;
	unsigned int language; /* 0 English, 1 Chinese */
	const struct sluice_vision_picture *picture;
	uint32_t pictures;
	double took_s;
	uint64_t cost; /* millionths */
	bool priced;   /* cost is one: a price was named */
};

/* The summary of kind "vision", malloc'd; event: the summary that it is of. NULL: out of memory. */
char *sluice_vision_note(const json_t *event, const struct sluice_vision_answer *a,
			 const struct sluice_vision_facts *f);

/* Prometheus text of the counts. */
void sluice_vision_print(FILE *out);

#endif
