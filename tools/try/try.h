/* SPDX-License-Identifier: MIT */
/* try.h - one run of sluice-try, and what its steps have in common. */
#ifndef SLUICE_TRY_TRY_H
#define SLUICE_TRY_TRY_H

#include <stdbool.h>
#include <stddef.h>
#include <time.h>

#include "tools/try/child.h"

#define TRY_START_S   30  /* for a program to come up */
#define TRY_PERIOD_S  900 /* for the summary of the whole clip */
#define TRY_CAMERA    "clip"
#define TRY_PATH      4096
#define TRY_FEED_ARGS 32

/* In the order in which they are ended. */
enum {
	TRY_CLOUD, /* the one that devices come to */
	TRY_WORKER,
	TRY_API,
	TRY_BACKENDS,
	TRY_CLOUDS
};

struct
try {
	char bin[TRY_PATH], out[TRY_PATH - 256], work[TRY_PATH - 128];
	const char *clip;
	char *feed_args[TRY_FEED_ARGS + 1];
	int feed_arg_count;
	bool json, keep, region, distributed;
	struct child feed, cloud[TRY_CLOUDS], relay, tool;
	char port[8], token[256];
	char door[64]; /* directory of the feed's socket: such a path must be short */
	char socket[80];
	struct timespec began;
};

/* Set by a signal: everything is to end. */
extern volatile int try_stop;

/* ---- steps.c; what fails has been told ---- */

void try_tell(const struct try *t, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* OUT/.work/name; four results live at a time. */
const char *try_path(const struct try *t, const char *name);
/* Returns -1, having told why a program failed. */
int try_failed(const struct try *t, const struct child *c);
/* Run a program to its end, for so many seconds at most; log and out: names in OUT/.work, out may
 * be NULL. 0 or -1. */
int try_run(struct try *t, unsigned int seconds, const char *log, const char *out,
	    char *const argv[]);
/* First line of a file in OUT/.work that from (may be NULL) is about to write. 0 or -1. */
int try_await_line(struct try *t, struct child *from, unsigned int seconds, const char *name,
		   char *line, int size);

/* ---- node.c: the cloud ---- */

/* Starts it; sets port and token. 0 or -1. */
int node_start(struct try *t);
/* One of its programs that has ended; NULL: all run. */
const struct child *node_ended(struct try *t);
/* The time between two instants (UTC, ns) as one period with a synopsis of so many seconds, whose
 * files are put into dir. Ends the cloud where it must. 0 or -1. */
int node_sum_up(struct try *t, const char *from, const char *to, const char *synopsis,
		const char *dir);
void node_stop(struct try *t);

/* ---- roles.c: the same, of processes on engines (tools/backends) ---- */

int roles_start(struct try *t);
int roles_sum_up(struct try *t, const char *from, const char *to, const char *synopsis,
		 const char *dir);

#endif
