/* SPDX-License-Identifier: MIT */
/* period_make.h - a period as a summary: facts, words, synopsis, storyboard, heat map. */
#ifndef SLUICE_PERIOD_MAKE_H
#define SLUICE_PERIOD_MAKE_H

#include "cloud/analysis.h"
#include "cloud/period.h"

#define SLUICE_PERIOD_MEDIA_MAX 5
#define SLUICE_PERIOD_LISTED	250 /* events told in the JSON; all are counted */
#define SLUICE_PERIOD_CELLS	12  /* pictures of the storyboard at most */

struct sluice_period_options {
	/* The original JPEG, malloc'd, or NULL. */
	uint8_t *(*fetch)(void *ctx, uint64_t epoch, uint64_t sequence, size_t *size);
	int (*stopped)(void *ctx);		    /* asked before each picture; may be NULL */
	void (*progress)(void *ctx, int per_mille); /* may be NULL */
	void *ctx;
};

/* A summary of kind "period" (docs/api.md) with its files. */
struct sluice_period_made {
	struct sluice_summary summary; /* its pointers point into this struct or to its own */
	struct sluice_summary_media media[SLUICE_PERIOD_MEDIA_MAX];
	char *json;
};

/*
 * Makes the summary p->id of p. The same p and frames give the same bytes. What cannot be made (no
 * frame is left, no VP9 encoder) is left out and said to be null. -ENODATA: there is no event in p.
 * -ECANCELED: stopped() said so. -ENOMEM.
 */
int sluice_period_make(const struct sluice_period *p, const struct sluice_period_options *o,
		       struct sluice_period_made **out);
void sluice_period_made_free(struct sluice_period_made *m); /* NULL-safe */

#endif
