/* SPDX-License-Identifier: MIT */
/* desk.h - a thread that does, in order, what may wait for the disk. */
#ifndef RELAY_DESK_H
#define RELAY_DESK_H

#include "lib/io.h"

struct relay_desk;

/* run() on the desk's thread; later done() in the loop's, which frees the job. */
struct relay_job {
	struct relay_job *next;
	void (*run)(struct relay_job *job);
	void (*done)(struct relay_job *job);
	size_t bytes; /* of memory that it holds */
};

/* io NULL: no thread, put() does all of it at once (tests). Start it after sluice_io_signals().
 * NULL and -errno in *err. */
struct relay_desk *relay_desk_open(struct sluice_io *io, int *err);
/* From the loop's thread. Takes the job. */
void relay_desk_put(struct relay_desk *d, struct relay_job *job);
/* Bytes of the jobs that are not done; from the loop's thread. */
size_t relay_desk_bytes(const struct relay_desk *d);
/* Runs what is still there, then done() of all. Before the io is closed. NULL-safe. */
void relay_desk_close(struct relay_desk *d);

#endif
