/* SPDX-License-Identifier: MIT */
/*
 * io_object.h - inside of io: what the loop knows of an object. pending counts requests that the
 * kernel holds; once an object is closed and pending is 0 it is released at the end of the turn,
 * so a callback may close its own object and return into code that still looks at it.
 */
#ifndef SLUICE_LIB_IO_OBJECT_H
#define SLUICE_LIB_IO_OBJECT_H

#include "lib/io.h"

#include <pthread.h>

#define io_container(ptr, type, member) ((type *)((char *)(ptr)-offsetof(type, member)))

struct io_object {
	struct sluice_io *io;
	struct io_object *next, *prev; /* all objects of the io */
	struct io_object *dead;
	uint32_t pending;
	bool closed, queued;
	void (*stop)(struct io_object *o);    /* close it */
	void (*release)(struct io_object *o); /* last call: frees */
};

struct io_posted {
	struct io_posted *next;
	void (*fn)(void *arg);
	void *arg;
};

struct sluice_io {
	const struct sluice_io_backend *backend;
	void *ctx;
	uint64_t now; /* 0: ask */
	struct sluice_io_timer *timers;
	struct io_object *objects, *dead;
	bool stop;

	pthread_mutex_t lock; /* guards the posted list */
	struct io_posted *posted, **posted_end;
	int event_fd;

	int signal_fd;
	void (*signal_fn)(void *arg, int signal);
	void *signal_arg;
};

void sluice_io_object_add(struct sluice_io *io, struct io_object *o);
/* Hand a request to the back end. */
void sluice_io_object_submit(struct io_object *o, struct sluice_io_request *r);
/* A request was answered for good. */
void sluice_io_object_answered(struct io_object *o);
/* No more callbacks; cancel the requests before. */
void sluice_io_object_close(struct io_object *o);

/* Run what is due at now. True if any timer ran. */
bool sluice_io_timers_run(struct sluice_io *io);
/* When the next one is due; UINT64_MAX: none. */
uint64_t sluice_io_timers_next(const struct sluice_io *io);

#endif
