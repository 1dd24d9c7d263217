/* SPDX-License-Identifier: MIT */
/*
 * jobs.h - long work over what is stored, at the lowest priority: a row of the index from the wish
 * to the result (index_jobs.c), done by a few threads with a sandboxed child each.
 *
 * Whoever wants something adds a row, in this process or in another one (sluice-cloud jobs); the
 * threads look every second, or when they are poked. A cancelled job ends within some seconds. A
 * job that a killed node was at is begun again by the next one; whatever it stores has an id that
 * follows from the job's, so it is stored, and told to the device, once. A process that was on
 * duty, was frozen, and comes to when another one has it, is refused whatever it writes.
 */
#ifndef SLUICE_JOBS_H
#define SLUICE_JOBS_H

#include <jansson.h>
#include <stdatomic.h>
#include <stdbool.h>

#include "cloud/index.h"
#include "cloud/media.h"
#include "cloud/sandbox.h"
#include "cloud/shelf.h"
#include "cloud/worker.h"

#define SLUICE_JOBS_AT_ONCE_MAX 16
#define SLUICE_JOBS_SPAN_MAX	(32 * 86400000000000ull) /* ns of stored time that a job is over */
#define SLUICE_JOBS_WAITING_MAX 1000 /* queued of one tenant; of more, none is taken */

/* Hours and days that are told by themselves. */
struct sluice_jobs_periods {
	bool hour, day;
	uint64_t wait_ns;     /* after its end: what is late may yet come */
	unsigned int seconds; /* of synopsis, at most */
	const char *language; /* of title and text; borrowed */
};

struct sluice_jobs_config {
	const char *data; /* the data directory, borrowed */
	struct sluice_media *media;
	struct sluice_cameras *cameras;
	struct sluice_fleet *fleet; /* where zones are, borrowed; NULL: there are none */
	const struct sluice_sandbox_config *sandbox; /* borrowed; NULL: no children */
	unsigned int at_once;			     /* 1..SLUICE_JOBS_AT_ONCE_MAX */
	struct sluice_jobs_periods periods;
	const char *h264;		  /* path of ffmpeg, borrowed; NULL: none */
	struct sluice_detector *detector; /* borrowed; NULL: classes are guessed */
	uint64_t keep_ns;		  /* rows of jobs that ended are dropped after; 0: never */
	/* summary: as of a worker; called in our threads */
	const struct sluice_worker_ops *ops;
	/* a job has come further, or ended; json is one line; may be NULL */
	void (*told)(void *ctx, const struct sluice_camera *c, const char *json);
	void *ctx;
	/* Of several processes on the same index one is on duty: it alone takes jobs and adds those
	 * that are due. Not 0: this one, by the token of the lease of the bus's first partition,
	 * under which rows and results are written (fence.h). NULL: it always is. Borrowed. */
	const atomic_ullong *duty;
	const struct sluice_bus *bus; /* borrowed; with duty */
};

struct sluice_jobs;

/* Queues again what an earlier life was at, and starts. c is copied. */
int sluice_jobs_open(const struct sluice_jobs_config *c, struct sluice_jobs **out);
/* What runs is broken off and queued again. NULL-safe. */
void sluice_jobs_close(struct sluice_jobs *j);
/* There may be a new job, or one that is to end: look now. NULL-safe; any thread. */
void sluice_jobs_poke(struct sluice_jobs *j);

/* Of this process since it started. */
struct sluice_jobs_counts {
	_Atomic uint64_t done, failed, cancelled;
	_Atomic uint32_t running;
};
extern struct sluice_jobs_counts sluice_jobs_counts;

/* "queued" */
const char *sluice_job_state_name(enum sluice_job_state state);
/* One as the API tells it (docs/api.md); a new reference, NULL: out of memory. */
json_t *sluice_job_json(const struct sluice_camera *c, const struct sluice_index_job *j);

/*
 * Makes a new row of what somebody asks for: kind and settings as of docs/api.md, settings may be
 * NULL. 0, or -EINVAL with a sentence in why: what is wrong and what would be right; j->id is new.
 * settings' text is in *text, malloc'd, the caller's, to which j->settings points.
 */
int sluice_job_ask(struct sluice_index_job *j, const char *kind, const json_t *settings,
		   uint64_t from_ns, uint64_t to_ns, char **text, char *why, size_t size);

/* jobs_due.c: adds what is due at now_ns of hours and days, each once. How many are new. */
int sluice_jobs_due(struct sluice_index *ix, const struct sluice_jobs_periods *p, uint64_t now_ns);

#endif
