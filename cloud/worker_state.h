/* SPDX-License-Identifier: MIT */
/* worker_state.h - what worker.c (live lanes) and backfill.c share. Nobody else includes it. */
#ifndef SLUICE_WORKER_STATE_H
#define SLUICE_WORKER_STATE_H

#include <pthread.h>
#include <stdatomic.h>

#include "cloud/analysis.h"
#include "cloud/index.h"
#include "cloud/worker.h"
#include "lib/log.h"

#define BUCKETS 64

/* One lane of one camera. */
struct subject {
	struct subject *next;
	struct sluice_worker *worker;
	const struct sluice_camera *camera;
	struct sluice_analysis *analysis;
	int has_epoch, ended;
	uint64_t epoch;
	uint64_t first;	 /* of the run, in back-fill */
	int64_t last;	 /* highest sequence given to the analysis; -1: none */
	int64_t told;	 /* as in the index */
	uint16_t reason; /* of the frame given last */
	int event_open;
	uint64_t bad_frames;
};

struct sluice_worker {
	struct sluice_worker_config c;
	uint32_t lane; /* enum sluice_wire_lane: one kind a worker */
	struct sluice_index *index;
	struct sluice_rebuild *rebuild;
	pthread_t thread;
	atomic_int stopping;
	struct subject *bucket[BUCKETS];
	struct sluice_log_limit limit;
};

/* A new chain for the subject. NULL: out of memory. */
struct sluice_analysis *worker_analysis(struct subject *s);
/* NULL: out of memory. */
struct subject *worker_subject(struct sluice_worker *w, const struct sluice_camera *c);
void worker_give_frame(struct subject *s, const struct sluice_stored_frame *f);
/* Stored frames of the present epoch and this kind of lane with after < sequence <= last; *frames
 * counts them. 0 or -errno, -ECANCELED when stopping. */
int worker_replay(struct subject *s, int64_t after, uint64_t last, uint64_t *frames);

/* backfill.c */
void worker_backfill_start(struct sluice_worker *w);
void worker_backfill_item(struct sluice_worker *w, const struct sluice_item *item);

#endif
