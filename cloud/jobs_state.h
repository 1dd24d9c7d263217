/* SPDX-License-Identifier: MIT */
/* jobs_state.h - what jobs.c (threads), job.c (the job at work) and the kinds of jobs share. Nobody
 * else includes it. */
#ifndef SLUICE_JOBS_STATE_H
#define SLUICE_JOBS_STATE_H

#include "cloud/jobs.h"
#include "lib/log.h"

/* The job at work, and the thread that is at it. */
struct job_work {
	struct sluice_jobs_config *c;
	struct sluice_shelf shelf;	  /* the thread's own */
	struct sluice_sandbox *sandbox;	  /* NULL: done in this process */
	atomic_int *stop;		  /* it is to end */
	const atomic_int *stopping, *on;  /* the node is stopping; this process is on duty */
	const struct sluice_fence *fence; /* under which its row is written; NULL: nobody else is */
	struct sluice_log_limit *limit;
	/* of the job */
	const struct sluice_camera *camera;
	struct sluice_index_job job; /* its texts are copies that live as long as it is at work */
	json_t *settings;
	json_t *notes;	  /* of an earlier life, or the last that were written; NULL: none */
	json_t *result;	  /* what the kind makes; a new reference */
	char why[200];	  /* what it failed of, for people */
	uint64_t told_ns; /* progress was written last */
	int told;
};

/* job.c: the job of that id from its row to its end, of which a failure is a part. */
void job_run(struct job_work *w, const char *id);

/* Writes and tells how far it is, not too often. Other than 0: it is to end. */
int job_progress(struct job_work *w, int per_mille);
/* The same, for who only asks. */
int job_stopped(void *w);

/* To go on from in a later life: written to the row, and once more if the node stops. Takes notes
 * (NULL: nothing happens). That it cannot be written is no reason to end. */
void job_note(struct job_work *w, json_t *notes);

/* jobs_period.c: 0, -ECANCELED, or -errno with why. */
int job_period(struct job_work *w);
/* What a period's settings may be: 0, or -EINVAL with why. */
int job_period_check(const json_t *settings, char *why, size_t size);

/* jobs_reanalyse.c: likewise. */
int job_reanalyse(struct job_work *w);
int job_reanalyse_check(const json_t *settings, char *why, size_t size);

#endif
