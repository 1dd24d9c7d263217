/* SPDX-License-Identifier: MIT */
/*
 * worker_state.h - what the files of a worker share: worker.c (live lanes), subject.c, backfill.c
 * and the rest. Nobody else includes it.
 */
#ifndef SLUICE_WORKER_STATE_H
#define SLUICE_WORKER_STATE_H

#include <pthread.h>
#include <stdatomic.h>

#include "cloud/analysis.h"
#include "cloud/fence.h"
#include "cloud/index.h"
#include "cloud/parked.h"
#include "cloud/sandbox.h"
#include "cloud/shelf.h"
#include "cloud/tally.h"
#include "cloud/worker.h"
#include "lib/log.h"

#define BUCKETS 64

/* What the device has said last of its ledger and time. */
struct clock {
	int known, open;
	int64_t at; /* the last frame before it */
	uint64_t now_ns, delivered, counts[32];
};

/* One lane of one camera. */
struct subject {
	struct subject *next;
	struct sluice_worker *worker;
	const struct sluice_camera *camera;
	struct sluice_analyst *analyst;
	int has_epoch, ended;
	uint64_t epoch, first_ns, first_utc_ns;
	uint64_t first;	  /* of the run, in back-fill */
	int64_t last;	  /* highest sequence given to the analysis; -1: none */
	uint64_t last_ns; /* time of that frame, 0: none yet */
	int64_t come;	  /* highest sequence that the bus has brought; -1: none */
	int64_t told;	  /* as in the index */
	uint16_t reason;  /* of the frame given last */
	int event_open;
	uint64_t zones_turn; /* of the zones that the analyst has */
	/* the child died over it */
	struct clock clock, clock_told; /* clock_told: as it was when told was noted */
	int64_t suspect;		/* sequence of the frame that it last died at; -1: none */
	unsigned int killed;		/* times that it was killed there from outside */
	unsigned int stuck;		/* times that it died at no frame, without getting on */
	unsigned int unended;		/* times that the epoch could not be ended */
	/* park.c: its child has no room for it; what the device said last meanwhile */
	int parked, closed;
	int idle; /* it has made room for another one, until something comes of it */
	struct sluice_parked in_list;
	struct clock away;
	uint64_t away_epoch, closed_epoch;
	uint64_t heard_ms; /* when anything came of it */
	/* toll.c: of its gate; not stored yet */
	struct sluice_tally tally;
	uint64_t tuned_ns; /* when it was last looked at */
};

struct sluice_worker {
	struct sluice_worker_config c;
	uint32_t lane; /* enum sluice_wire_lane: one kind a worker */
	struct sluice_lease lease;
	struct sluice_fence fence; /* of it; a write that it refuses sets stopping */
	struct sluice_index *index;
	struct sluice_shelf shelf;
	struct sluice_analysis_ops ops;
	struct sluice_digester *digester; /* NULL: no digests are wanted */
	struct sluice_sandbox *sandbox;	  /* NULL: analysed in this process */
	uint32_t mourned;		  /* the last child whose death the log tells */
	uint64_t looked_ms;		  /* when room was looked for */
	struct sluice_rebuild *rebuild;
	pthread_t thread;
	atomic_int stopping;
	atomic_int leaving; /* stop after the present chunk, or within what a start reads again */
	int beginning;	    /* that is going on; the thread's */
	uint64_t doubt_until_ms; /* what is stored is to be read once more then; 0: it is not */
	atomic_int ended;	 /* the thread has nothing more to do */
	struct subject *bucket[BUCKETS];
	struct sluice_log_limit limit;
};

/* subject_ops.c: what the analyses of w call. digester and detector must be there already, if there
 * are any. */
void worker_set_ops(struct sluice_worker *w);

/* subject.c */

/* NULL: out of memory. */
struct subject *worker_subject(struct sluice_worker *w, const struct sluice_camera *c);
/* 0, or as sluice_analyst_frame(). */
int worker_give_frame(struct subject *s, const struct sluice_stored_frame *f);
/* The epoch is the present one from now on; what the index knows of it decides where it begins. 0
 * or -errno: the last one is still the present one. */
int worker_enter_epoch(struct subject *s, uint64_t epoch);

/* Everything up to here is told. */
void worker_told(struct subject *s);
/* What the index said when the progress was noted: told, or in the log. */
void worker_noted(struct subject *s, int err);

/* The epoch has ended: what is open is told, and then, if it is to be told, that it is done; it
 * takes up no room in a child any more. 0 or -errno. */
int worker_close_epoch(struct subject *s, int tell);
/* What a STATS or CLOSE says; `at` stays. */
void worker_read_clock(struct clock *c, const struct sluice_item *item);
/* The same, to the analysis; an event may be over by it. 0 or -errno. */
int worker_give_clock(struct subject *s, const struct sluice_item *item);
/* The thread has ended. */
void worker_subjects_free(struct sluice_worker *w);

/* replay.c */

/* Stored frames of the present epoch and this kind of lane with after < sequence <= last; *frames
 * counts them. 0 or -errno, -ECANCELED when stopping, -EPIPE. */
int worker_replay(struct subject *s, int64_t after, uint64_t last, uint64_t *frames);
/* The same, about `most` of them. */
int worker_replay_some(struct subject *s, int64_t after, uint64_t last, uint64_t most,
		       uint64_t *frames);
/* At a start: every epoch of this worker's cameras that has not ended, as far as it is not told. */
void worker_replay_epochs(struct sluice_worker *w);

/* The lease was had now; and, often: if it was had from one who might yet live (bus.h), and that
 * one's time is over now, what is stored is read once more. The thread's. */
void worker_doubt(struct sluice_worker *w);
void worker_doubt_over(struct sluice_worker *w);

#define WORKER_TRIES 5 /* of what may yet succeed */

/* At a start: is what failed to be tried again? Says so, and waits before. *tries begins at 0. */
int worker_try_again(struct sluice_worker *w, int err, const char *what, int *tries);

/* revive.c */

/* err is what a call of the analyst said. -EPIPE: its child died, so it is begun anew and given all
 * that is not told, until that works. 0: that call's work is done, too (but not flush's). -errno,
 * -ECANCELED when stopping. */
int worker_revive(struct subject *s, int err);
/* Ends and tells what is open; errors as above. */
int worker_flush(struct subject *s);
/* Gives the stored frames behind s->last up to upto, all of them done; errors as above. */
int worker_catch_up(struct subject *s, uint64_t upto, uint64_t *frames);
/* The same, about `most` of them; fewer than that: there are no more. */
int worker_catch_some(struct subject *s, uint64_t upto, uint64_t most, uint64_t *frames);

/* park.c */

/* A call said -ENOBUFS. 1: there is room now, it may be made again; 0: the camera is parked. */
int worker_no_room(struct subject *s);
/* Something has come of a camera that is parked. */
void worker_leave_out(struct subject *s, const struct sluice_item *item);
/* Goes on with those that are parked, as far as there is room. */
void worker_take_up(struct sluice_worker *w);
/* It is not parked any more, if it was. */
void worker_unpark(struct subject *s);
/* Something has come of it. */
void worker_heard(struct subject *s);

/* toll.c */

/* What the analysis says of the gate. */
void worker_toll(struct subject *s, const struct sluice_tally *t);
/* Stores it, if there is enough of it, in the caller's transaction; 0 or -errno. */
int worker_toll_store(struct subject *s);
/* That transaction is durable. What it speaks for is proposed, every now and then. */
void worker_toll_stored(struct subject *s);
/* Stores what there is, in a transaction of its own: the epoch ends without that of its progress.
 */
void worker_toll_end(struct subject *s);
/* The frames that it is of will be given again. */
void worker_toll_forget(struct subject *s);

/* backfill.c */
void worker_backfill_start(struct sluice_worker *w);
/* 0 or -errno: it is not done, and may be tried again. */
int worker_backfill_item(struct sluice_worker *w, const struct sluice_item *item);

#endif
