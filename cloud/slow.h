/* SPDX-License-Identifier: MIT */
/*
 * slow.h - work that would hold up an event loop, in a thread of its own: files, password hashes.
 * The queue is bounded; whoever does not get into it is told to try again.
 */
#ifndef SLUICE_SLOW_H
#define SLUICE_SLOW_H

#include "lib/io.h"

struct sluice_slow;

/* Embedded in what is to be done; the caller's memory until done(). */
struct sluice_job {
	void (*run)(struct sluice_job *j);  /* in the thread */
	void (*done)(struct sluice_job *j); /* in the loop, always called once */
	struct sluice_io *io;		    /* of that loop */
	int cancelled;			    /* 1: run() was not called, the node ends */
	struct sluice_job *next;
};

/* max: jobs that may wait. NULL: out of memory or of threads. */
struct sluice_slow *sluice_slow_open(unsigned int max);
/* Finishes the job at hand, cancels the others, takes no more. The loops must still be there.
 * NULL-safe. */
void sluice_slow_stop(struct sluice_slow *s);
/* After stop(). NULL-safe. */
void sluice_slow_close(struct sluice_slow *s);

/* -EBUSY: the queue is full or it was stopped, nothing was taken. */
int sluice_slow_post(struct sluice_slow *s, struct sluice_job *j);

#endif
