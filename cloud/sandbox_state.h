/* SPDX-License-Identifier: MIT */
/* sandbox_state.h - what sandbox.c (the child's life), sandbox_channel.c and analyst.c (batches)
 * share. Nobody else includes it. */
#ifndef SLUICE_SANDBOX_STATE_H
#define SLUICE_SANDBOX_STATE_H

#include <sys/types.h>
#include <time.h>

#include "cloud/box.h"
#include "cloud/room.h"
#include "cloud/sandbox.h"
#include "lib/log.h"

struct sluice_sandbox {
	const struct sluice_sandbox_config *c;
	const char *what;
	int nice;
	const atomic_int *stopping;
	pid_t pid;     /* 0: no child */
	int fd;	       /* the channel, -1 */
	uint8_t *area; /* the frames; stays after a death, for whoever looks for the culprit */
	struct sluice_box_progress *progress;
	uint32_t child;	  /* which child this is: a number that grows */
	uint32_t subject; /* the last one given out to it */
	struct sluice_room room;
	uint64_t rest_ms; /* before the next start; 0: none */
	uint8_t *reply;	  /* the last message */
	size_t reply_room;
	char death[96];
	bool killed; /* by somebody outside: kill -9, the system out of memory */
	struct sluice_log_limit limit;
	/* of the period at work: whom to tell how far it is, and that it is not wanted any more */
	int (*told)(void *ctx, int per_mille);
	bool unwanted;
	/* the batch */
	struct sluice_analyst *owner; /* whose it is; NULL: there is none */
	uint32_t steps, at;	      /* at: the step at work when the child died */
	uint32_t step_offset[SLUICE_BOX_STEPS];
	size_t used;
};

static inline uint64_t sandbox_now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000u + (uint64_t)ts.tv_nsec / 1000000u;
}

/* ---- sandbox.c ---- */

/* The child is no more, or will be at once; what is known of its end is kept. */
void sandbox_bury(struct sluice_sandbox *b, const char *why);
/* A child that is ready; waits for it. 0 or -ECANCELED. */
int sandbox_ensure(struct sluice_sandbox *b);
/* Of its room, if the time has come. */
void sandbox_ease(struct sluice_sandbox *b);

/* ---- sandbox_channel.c ---- */

/* Has it said that it is? */
int sandbox_is_ready(struct sluice_sandbox *b);
/* -EPIPE: it did not take it; it is dead then. */
int sandbox_send(struct sluice_sandbox *b, uint32_t type, uint32_t subject, const void *part,
		 size_t size, const void *more, size_t more_size);
/* Serves the child until it says DONE. -EPIPE: it is dead. */
int sandbox_serve(struct sluice_sandbox *b, const struct sluice_box_speaker *who,
		  uint64_t messages_max, const struct sluice_analysis_ops *ops, void *ctx,
		  struct sluice_box_done *done);

#endif
