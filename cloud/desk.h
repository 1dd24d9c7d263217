/* SPDX-License-Identifier: MIT */
/*
 * desk.h - threads that do what may wait for a data base of another machine, so that no event loop
 * does. Each has handles of its own. There is one where [index] says postgresql; where the data
 * bases are files of this machine the loops look into them themselves, and there is none.
 */
#ifndef SLUICE_DESK_H
#define SLUICE_DESK_H

#include "cloud/auth.h"
#include "cloud/index.h"
#include "lib/io.h"

#define SLUICE_DESK_THREADS 4
#define SLUICE_DESK_MAX	    1024 /* jobs that wait */

struct sluice_desk;

/* Embedded in what is to be done; the caller's memory until done(). */
struct sluice_desk_job {
	void (*run)(struct sluice_desk_job *j);	 /* in a thread of the desk */
	void (*done)(struct sluice_desk_job *j); /* in the loop, always called once */
	struct sluice_io *io;			 /* of that loop */
	int cancelled;				 /* 1: run() was not called, the node ends */
	struct sluice_auth *auth;		 /* the thread's own, for run() alone */
	struct sluice_index *index;		 /* likewise */
	struct sluice_desk_job *next;
};

/* data is borrowed. Says what is wrong; -errno. */
int sluice_desk_open(const char *data, unsigned int threads, struct sluice_desk **out);
/* Finishes the jobs at hand, cancels the others, takes no more. The loops must still be there.
 * NULL-safe. */
void sluice_desk_stop(struct sluice_desk *d);
/* After stop(). NULL-safe. */
void sluice_desk_close(struct sluice_desk *d);

/* Any thread. -EBUSY: too many wait or it was stopped, nothing was taken. */
int sluice_desk_post(struct sluice_desk *d, struct sluice_desk_job *j);

#endif
