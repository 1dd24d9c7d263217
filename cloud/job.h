/* SPDX-License-Identifier: MIT */
/*
 * job.h - batch work over what is stored: the summary of a period of one camera, or its frames
 * analysed again with other settings. A row of the index, which outlives crashes; jobs.h works
 * on them, one at a time, at the lowest priority.
 *
 * waiting -> running -> done, failed or cancelled. One that was running when the node ended waits
 * again; after SLUICE_JOB_TRIES starts it has failed.
 */
#ifndef SLUICE_JOB_H
#define SLUICE_JOB_H

#include <stdint.h>

#define SLUICE_JOB_TRIES	3
#define SLUICE_JOB_OPTIONS_MAX	1024 /* bytes of JSON, NUL included */
#define SLUICE_JOB_STEP_MAX	64
#define SLUICE_JOB_REASON_MAX	200
#define SLUICE_JOBS_WAITING_MAX 1000 /* of all tenants, asked for by people; then -EBUSY */
#define SLUICE_JOBS_KEPT	2000 /* rows that have ended; the oldest go */
#define SLUICE_JOB_SPAN_NS	(31 * 86400000000000ull) /* of a period at most */

enum sluice_job_kind {
	SLUICE_JOB_PERIOD,    /* a summary of kind "period" */
	SLUICE_JOB_REANALYSE, /* one of kind "analysis": the events that other settings tell */
};

enum sluice_job_state {
	SLUICE_JOB_WAITING,
	SLUICE_JOB_RUNNING,
	SLUICE_JOB_DONE,
	SLUICE_JOB_FAILED,
	SLUICE_JOB_CANCELLED,
};

struct sluice_job {
	uint64_t id; /* from 1, in the order in which they were made */
	uint8_t camera[16];
	enum sluice_job_kind kind;
	enum sluice_job_state state;
	uint64_t from_ns, to_ns;		   /* UTC, [from, to) */
	char options[SLUICE_JOB_OPTIONS_MAX];	   /* JSON object, what docs/api.md allows */
	char by[64];				   /* who asked; "": the schedule */
	uint64_t created_ns, started_ns, ended_ns; /* UTC; 0: not yet */
	uint32_t tries;
	uint32_t progress;		    /* thousandths */
	char step[SLUICE_JOB_STEP_MAX];	    /* what it is at: "drawing" */
	char result[33];		    /* id of the summary that it made, "" */
	char reason[SLUICE_JOB_REASON_MAX]; /* why it failed */
};

static inline const char *sluice_job_kind_name(enum sluice_job_kind kind)
{
	return kind == SLUICE_JOB_PERIOD ? "period" : "reanalyse";
}

static inline const char *sluice_job_state_name(enum sluice_job_state state)
{
	static const char *const names[] = { "waiting", "running", "done", "failed", "cancelled" };

	return state <= SLUICE_JOB_CANCELLED ? names[state] : "failed";
}

static inline int sluice_job_ended(const struct sluice_job *j)
{
	return j->state >= SLUICE_JOB_DONE;
}

#endif
