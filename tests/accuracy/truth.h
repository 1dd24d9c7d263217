/* SPDX-License-Identifier: MIT */
/* truth.h - what really happened in a clip or a generated scene, and how a gate did against it. */
#ifndef SLUICE_ACCURACY_TRUTH_H
#define SLUICE_ACCURACY_TRUTH_H

#include <dirent.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>

#define SPANS_MAX    128
#define TRUTH_SUFFIX ".events.json"

struct span {
	double start, end; /* seconds since the first frame */
};

struct spans {
	size_t count;
	struct span at[SPANS_MAX];
};

struct truth {
	struct spans events;
	struct spans calm;     /* quiet and nuisance: motion here is false */
	struct spans optional; /* neither a hit nor a false alarm */
	double tolerance_s;    /* of the events' edges */
};

/*
 * Reads NAME.events.json. Returns 0, or -1 with a message on stderr. A file without "quiet" and
 * "nuisance" has no calm time; times in "nuisance" that overlap an event are not calm.
 */
int truth_read(struct truth *t, const char *path);

/* For scandir(): it is such a file. */
int truth_is(const struct dirent *e);
/* The path of the clip that NAME.events.json is about. False: it is not there. */
bool truth_media(char *path, size_t size, const char *data, const char *name);

/* Adds a span; beyond SPANS_MAX it is an error of the caller (aborts). */
static inline void spans_add(struct spans *s, double start, double end)
{
	if (s->count == SPANS_MAX)
		abort();
	s->at[s->count++] = (struct span){ start, end };
}

/* One frame as the gate decided. */
struct decision {
	double t_s;	/* since the first frame */
	bool motion;	/* motion or scene change */
	bool pass;	/* motion, or warm-up */
	bool published; /* passed with the rolls of the frame path; only sluice-feed tells */
	double score;
};

#define START_S 1.2 /* the warm-up: no false alarm is counted before */
#define EARLY_S 0.5 /* motion so much before an event's visible start belongs to it */

struct score {
	size_t events, found;
	double delay_s[SPANS_MAX]; /* of each event; < 0: missed */
	double worst_delay_s;	   /* of found events that start after 1.5 s */
	double false_s, calm_s;
	double bare,
		rolled; /* share of frames passed: as decided; with 1 s pre- and 2 s post-roll */
};

void score_decisions(struct score *s, const struct truth *t, const struct decision *d, size_t n);

/* Share of frames that were published. */
double published_share(const struct decision *d, size_t n);

/* Stretches with motion, those closer than gap_s joined. */
void motion_spans(struct spans *s, const struct decision *d, size_t n, double gap_s);

#endif
