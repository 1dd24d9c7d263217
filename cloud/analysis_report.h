/* SPDX-License-Identifier: MIT */
/*
 * analysis_report.h - what an analysis that was made again found, and how it differs from another
 * one, as a summary of kind "analysis" (docs/api.md).
 */
#ifndef SLUICE_ANALYSIS_REPORT_H
#define SLUICE_ANALYSIS_REPORT_H

#include "cloud/analysis.h"
#include "cloud/compare.h"

#define SLUICE_ANALYSIS_FILE	 "analysis.json"
#define SLUICE_ANALYSIS_PICTURES 24  /* of events that only the second has */
#define SLUICE_ANALYSIS_LISTED	 100 /* entries of a list in summary.json; the file has all */

/* All is borrowed. */
struct sluice_analysis_facts {
	const char *id, *camera, *job;
	const char *against; /* id of the analysis that is the first; NULL: what was told live */
	uint64_t epoch, from_ns, to_ns, frames, unread;
	const json_t *settings, *events; /* events: whole summaries of the second */
	const struct sluice_told_list *first, *second;
	uint8_t *(*fetch)(void *ctx, uint64_t epoch, uint64_t sequence, size_t *size);
	void *ctx;
};

struct sluice_analysis_report {
	struct sluice_summary summary; /* what follows is what it points to */
	char *json, *file;
	struct sluice_summary_media media[SLUICE_ANALYSIS_PICTURES + 1];
	uint8_t *picture[SLUICE_ANALYSIS_PICTURES];
	json_t *result; /* of the job: summary, and counts */
};

/* 0, or -ENOMEM; to be freed in either case. */
int sluice_analysis_report(const struct sluice_analysis_facts *f, struct sluice_analysis_report *r);
void sluice_analysis_report_free(struct sluice_analysis_report *r);

#endif
