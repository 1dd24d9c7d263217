/* SPDX-License-Identifier: MIT */
/*
 * sandbox.h - a child process that decodes and analyses, and the thread that owns it.
 *
 * One owner thread a sandbox: it starts the child (when there is first something to do), gives it
 * batches and serves what it asks for, all within the calls below. A child that dies, hangs or says
 * what it may not say is ended; every subject that it knew is then lost (sluice_analyst_lost) and
 * is begun anew by its owner, from the stored frames.
 */
#ifndef SLUICE_SANDBOX_H
#define SLUICE_SANDBOX_H

#include <stdatomic.h>
#include <stdbool.h>

#include "cloud/analysis.h"
#include "cloud/digest.h"

struct sluice_sandbox;

struct sluice_sandbox_config {
	uint64_t memory;      /* bytes that a child may use */
	uint64_t deadline_ms; /* of one frame, or of one answer */
};

/* Of the whole process, for status and metrics. */
struct sluice_sandbox_counts {
	_Atomic uint64_t started, died, hung, refused; /* refused: said what it may not say */
};
extern struct sluice_sandbox_counts sluice_sandbox_counts;

/* No child yet. what: for the log, borrowed for ever; stopping: read while waiting; both and c
 * outlive it. NULL: out of memory. */
struct sluice_sandbox *sluice_sandbox_open(const struct sluice_sandbox_config *c, const char *what,
					   int nice, const atomic_int *stopping);
/* NULL-safe. */
void sluice_sandbox_close(struct sluice_sandbox *b);

/* Of the child that is dead now: what ended it, for people: "signal 11 (Segmentation fault)". */
const char *sluice_sandbox_death(const struct sluice_sandbox *b);
bool sluice_sandbox_lives(const struct sluice_sandbox *b);
/* Which child that was: a number that grows. */
uint32_t sluice_sandbox_number(const struct sluice_sandbox *b);
/* Was it killed from outside (kill -9, the system out of memory)? A child cannot do that itself. */
bool sluice_sandbox_killed(const struct sluice_sandbox *b);

/*
 * The digest of a plan, told by ops->summary; ops->fetch as in an analysis. 0; -ENODATA, -ENOMEM as
 * sluice_digest_make(); -EPIPE: the child died; -ECANCELED: stopping.
 */
int sluice_sandbox_digest(struct sluice_sandbox *b, const struct sluice_digest_plan *plan,
			  const struct sluice_analysis_ops *ops, void *ctx);

struct sluice_period;

/*
 * The summary of a period, told by ops->summary; ops->fetch as in an analysis, for any frame of the
 * camera. progress (may be NULL) is told how far it has come; other than 0 from it ends it: then,
 * and when stopping, -ECANCELED. 0; -ENODATA, -ENOMEM as sluice_period_make(); -E2BIG; -EPIPE: the
 * child died.
 */
int sluice_sandbox_period(struct sluice_sandbox *b, const struct sluice_period *p,
			  const struct sluice_analysis_ops *ops,
			  int (*progress)(void *ctx, int per_mille), void *ctx);

/* ---- one camera's analysis, wherever it is done ---- */

struct sluice_analyst;

/* b NULL: in this process. c is copied (language is borrowed). NULL: out of memory. */
struct sluice_analyst *sluice_analyst_open(struct sluice_sandbox *b,
					   const struct sluice_analysis_config *c,
					   const struct sluice_analysis_ops *ops, void *ctx);
/* NULL-safe. */
void sluice_analyst_close(struct sluice_analyst *a);

/*
 * As those of analysis.h. With a sandbox they may be kept for a while: sync() sees to it that all
 * of it is done and told; clock() and flush() do so themselves. 0; -EPIPE: the child died, this
 * analyst is lost (or has been before); -ENOMEM: what was made is thrown away, the analyst is lost;
 * -ECANCELED: stopping, the analyst is lost too; -ENOBUFS: its child has no room for it (room.h),
 * it is not in the child and is lost.
 */
int sluice_analyst_epoch(struct sluice_analyst *a, uint64_t epoch, uint64_t first_ns,
			 uint64_t first_utc_ns);
int sluice_analyst_frame(struct sluice_analyst *a, const struct sluice_stored_frame *f);
int sluice_analyst_clock(struct sluice_analyst *a, uint64_t now_ns, int gate_open,
			 uint64_t delivered, const uint64_t counts[32]);
int sluice_analyst_flush(struct sluice_analyst *a);
/* Takes on the zones and lines of c, and keeps them over a reset. */
int sluice_analyst_zones(struct sluice_analyst *a, const struct sluice_analysis_config *c);
int sluice_analyst_sync(struct sluice_analyst *a);

/* Does it take up room in a child? */
bool sluice_analyst_held(const struct sluice_analyst *a);
/* Is there room for it in its child, as far as its pictures are known? */
bool sluice_analyst_fits(struct sluice_analyst *a);
/* The child forgets it; the next call begins as if it were just opened. Without a child it stays.
 */
void sluice_analyst_leave(struct sluice_analyst *a);

/* Does it stand for nothing any more? */
bool sluice_analyst_lost(const struct sluice_analyst *a);
/* It does from now on. */
void sluice_analyst_lose(struct sluice_analyst *a);
/* Was the child at work for it when it died? */
bool sluice_analyst_died(const struct sluice_analyst *a);
/* As if it were just opened. */
int sluice_analyst_reset(struct sluice_analyst *a);

/* The frame that was at work when the child of this analyst's last batch died; borrowed, until the
 * next call with the sandbox. NULL: it was not at a frame. */
const struct sluice_stored_frame *sluice_analyst_suspect(struct sluice_analyst *a);

/* The child's end: what sluice-cloud does when it finds itself started as one. Returns the exit
 * code. */
#define SLUICE_SANDBOX_WORD    "sandbox-child"
#define SLUICE_SANDBOX_STARVED 4 /* it had no memory for something that may not be missing */
int sluice_sandbox_child(int argc, char **argv);

/* For tests: called in a child before each frame, if anybody defines it. */
void sluice_sandbox_plant(const struct sluice_stored_frame *f) __attribute__((weak));

#endif
