/* SPDX-License-Identifier: MIT */
/*
 * detector.h - the node's detector: a plug-in (include/sluice/detector.h) in a process of its own,
 * the thread that owns that process, and what others ask of it.
 *
 * One of a node; any thread may ask. Nobody waits longer than the deadline, whatever becomes of the
 * plug-in: who gets no answer goes on without.
 */
#ifndef SLUICE_CLOUD_DETECTOR_H
#define SLUICE_CLOUD_DETECTOR_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "cloud/detector_box.h"

struct sluice_detector;

struct sluice_detector_config {
	const char *plugin;   /* absolute path of the shared object; borrowed */
	const char *config;   /* path of its configuration, "": none; borrowed */
	float min_score;      /* boxes below are passed over */
	uint32_t deadline_ms; /* of one question, waiting included */
	uint64_t memory;      /* bytes of its process */
	uint32_t rest_ms;     /* after the first failure, then twice as long each time; 0: 1000 */
};

struct sluice_cloud_conf;
/* That of [detector]; its texts are c's. */
struct sluice_detector_config sluice_detector_of(const struct sluice_cloud_conf *c);

enum sluice_detector_state {
	SLUICE_DETECTOR_NONE,
	SLUICE_DETECTOR_LOADING,
	SLUICE_DETECTOR_IDLE, /* or at work */
	SLUICE_DETECTOR_RESTING,
	SLUICE_DETECTOR_OFF, /* failed too often: until the next start of the node */
};

/* Of the whole process, for metrics. */
struct sluice_detector_counts {
	_Atomic uint32_t state;			       /* enum sluice_detector_state */
	_Atomic uint64_t started, died, hung, refused; /* refused: said what it may not say */
	_Atomic uint64_t answered, late, failed, away; /* questions */
	_Atomic uint64_t pictures, busy_us;	       /* of those answered */
};
extern struct sluice_detector_counts sluice_detector_counts;

struct sluice_detector_thing {
	float x, y, w, h, score; /* pixels of the picture, inside of it */
	char class[SLUICE_DETECTOR_NAME_MAX];
};

/* What was found in the pictures of a question. */
struct sluice_detector_answer {
	char name[SLUICE_DETECTOR_NAME_MAX]; /* of the plug-in */
	uint32_t looked;		     /* so many of the pictures, the first ones */
	bool done;			     /* detector.c's own, with result */
	int result;
	uint32_t count[SLUICE_DETECTOR_PICTURES];
	struct sluice_detector_thing thing[SLUICE_DETECTOR_PICTURES][SLUICE_DETECTOR_BOX_MAX];
};

/* Starts the thread, which starts the process. c is copied. 0 or -errno. */
int sluice_detector_open(const struct sluice_detector_config *c, struct sluice_detector **out);
/* Ends both; nobody asks any more. NULL-safe. */
void sluice_detector_close(struct sluice_detector *d);

/* The longer side of the pictures that it likes best, in pixels; 0: it is not there now, do not
 * ask. NULL-safe. */
uint32_t sluice_detector_side(struct sluice_detector *d);
/* The same, for who has time: while it is being started it is waited for, but no longer than
 * that. NULL-safe. */
uint32_t sluice_detector_wait(struct sluice_detector *d, uint32_t ms);

/*
 * What is in these pictures, the most important first; those that the area or the answer has no
 * room for are left out. live: goes before those that are not. 0: *a says what was found, in as
 * many of them as there was time for; -ETIMEDOUT: in none; -EAGAIN: it is not there; -EIO: it
 * failed.
 */
int sluice_detector_ask(struct sluice_detector *d, const struct sluice_detector_image *image,
			uint32_t count, bool live, struct sluice_detector_answer *a);

/* What a plug-in says of itself, for --check. */
struct sluice_detector_report {
	struct sluice_detector_ready ready;
	char first_class[SLUICE_DETECTOR_NAME_MAX];
	char why[SLUICE_DETECTOR_WHY + 96]; /* of a failure */
};

/* Loads it in a process, once, which then ends. 0; -errno with why. */
int sluice_detector_try(const struct sluice_detector_config *c, struct sluice_detector_report *r);

#endif
