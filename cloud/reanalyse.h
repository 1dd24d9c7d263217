/* SPDX-License-Identifier: MIT */
/*
 * reanalyse.h - the stored frames of a time of one camera through the analysis once more, with
 * settings of their own. Nothing that is told already is touched.
 */
#ifndef SLUICE_REANALYSE_H
#define SLUICE_REANALYSE_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "cloud/detector.h"
#include "cloud/sandbox.h"
#include "cloud/shelf.h"

#define SLUICE_REANALYSE_EVENTS_MAX 5000	     /* summaries; of more, none is made */
#define SLUICE_REANALYSE_AFTER_NS   3600000000000ull /* an event may end so long after the time */

/* Set by the caller; what is marked * goes on from call to call. */
struct sluice_reanalysis {
	const struct sluice_shelf *shelf;
	const struct sluice_camera *camera;
	struct sluice_sandbox *sandbox;	  /* NULL: in this process */
	struct sluice_detector *detector; /* asked what tracks are; NULL: it is guessed */
	struct sluice_analysis_config config;
	uint64_t from_ns, to_ns; /* UTC: events that begin in [from, to) */
	/* how far it is; other than 0: it is to end. May be NULL. */
	int (*progress)(void *ctx, int per_mille);
	/* no event is going on: events and upto_ns may be kept, to go on from there. May be NULL.
	 */
	void (*settled)(void *ctx);
	void *ctx;

	/* * whole summaries as told, without boxes and activity, in the order in which they ended;
	 * those that only led up to the time, and what follows it, are among them */
	json_t *events;
	uint64_t upto_ns; /* * of the last frame that all of events is made of; 0: begin */
	uint64_t epoch;	  /* * of the first frame; has_epoch: there was one */
	bool has_epoch;
	uint64_t frames, unread; /* * analysed; damaged or gone */
};

/*
 * 0; -ECANCELED: progress, or the sandbox's stop, wants it to end; -ENODATA: no frame is stored of
 * that time; -E2BIG: too many events; -EPIPE: children die of it (why says of which frame); -ENOMEM
 * or what the index says. Called again after -ECANCELED it goes on from upto_ns.
 */
int sluice_reanalyse(struct sluice_reanalysis *r, char *why, size_t size);

#endif
