/* SPDX-License-Identifier: MIT */
/*
 * drain.h - one camera: what of its ring has been sent, stored, rejected, and what is to be said
 * next. Knows nothing of sockets; the uplink asks next(), sends it, and says sent().
 *
 *	tail <= cursor <= head      tail: oldest record not STORED; the ring frees what lies before
 *	                            cursor: next record to send on this link
 *	tail <= spill               records before it are on their way to the spool; while there are
 *	                            any, nothing is sent
 *
 * Epochs that the cloud has not answered with DONE are kept in a short list, oldest first, so that
 * each is opened and closed again on every new link until it is.
 */
#ifndef RELAY_DRAIN_H
#define RELAY_DRAIN_H

#include "relay/budget.h"
#include "relay/region.h"
#include "relay/ring.h"

#include <sluice/wire.h>

#define RELAY_EPOCHS 8
#define RELAY_PAUSES 4

enum relay_phase {
	RELAY_NEW,     /* not yet opened on this link */
	RELAY_OPENING, /* OPEN sent */
	RELAY_OPEN,    /* OPENED came */
	RELAY_CLOSED,  /* CLOSE sent */
};

struct relay_epoch {
	uint64_t epoch;
	uint64_t first_ns, now_ns;
	uint64_t calm_ns;     /* from then on STATS end the event that was sent; 0: none is open */
	uint64_t resume;      /* every sequence below is STORED */
	uint64_t sent_next;   /* highest sequence ever sent, + 1 */
	uint64_t range_first; /* said in OPEN: what comes before went to the spool */
	bool spilled;	      /* some of its frames did */
	uint32_t width, height, format;
	enum relay_phase phase;
	bool done;
};

/* What became of a record between tail and cursor (or of one rejected, on an earlier link). */
struct relay_fate {
	uint64_t index, epoch, sequence;
	bool rejected; /* or paused: it is not sent */
	bool paused;
};

/* Records that are dropped because somebody asked for it: first..last - 1; UINT64_MAX: still. */
struct relay_pause {
	uint64_t first, last;
};

struct relay_camera {
	char name[SLUICE_CAMERA_NAME_SIZE]; /* "": this place is free */
	uint32_t slot;			    /* 1..SLUICE_WIRE_SLOTS */
	bool attached;			    /* the ring is mapped */
	bool gone;			    /* its gate died or the source was cut */
	struct relay_ring ring;
	uint64_t tail, cursor;
	uint64_t sent_mark; /* records before it were sent at least once */
	uint64_t spill;
	uint64_t spilled_to; /* it goes on the run of the record before it; UINT64_MAX: none does */
	bool spilling;
	bool over_budget;		  /* the record at cursor may not go now */
	struct relay_budget_event newest; /* how much of it was sent live */
	bool held; /* the spool has frames of it: it is not finished, and keeps its place */
	uint64_t age_mark, age_ns; /* the ring has held record age_mark - 1 since age_ns */
	struct relay_fate *fate;
	struct relay_region region[2]; /* by lane: the spool fills while a frame waits for credit */
	struct relay_epoch epoch[RELAY_EPOCHS];
	unsigned int epochs;
	uint64_t done_epoch;	   /* newest that the cloud called DONE */
	struct relay_snapshot now; /* newest; stays after the ring has gone */
	uint64_t now_mark;	   /* head after it was taken */
	struct relay_snapshot due; /* of the STATS to send once cursor has reached due_mark */
	uint64_t due_mark;
	bool stats_due;
	bool linked;
	struct relay_pause pause[RELAY_PAUSES]; /* in order */
	unsigned int pauses;
	/* counters, since the ring was attached */
	uint64_t sent, stored, rejected, spooled;
	uint64_t paused;    /* dropped by request */
	uint64_t held_back; /* of spooled: for the sake of what matters more */
};

enum relay_step {
	RELAY_NOTHING,
	RELAY_SEND_OPEN,
	RELAY_SEND_FRAME,
	RELAY_SEND_STATS,
	RELAY_SEND_CLOSE,
};

struct relay_todo {
	enum relay_step step;
	struct relay_epoch *epoch;
	struct sluice_ring_desc desc; /* of SEND_FRAME */
};

/* Takes the mapped ring (and zeroes the caller's). 0 or -ENOMEM, then the ring is unmapped. */
int relay_camera_attach(struct relay_camera *c, struct relay_ring *ring);
/* Unmap; counters and the last snapshot stay for the ledger. */
void relay_camera_detach(struct relay_camera *c);

/* Look at the gate's words; makes STATS due if they moved. */
void relay_camera_look(struct relay_camera *c);

/*
 * ns of the gate's clock, as it was at the last look, until the event whose motion was sent last is
 * over: STATS of a look after that let the cloud tell it. 0: it is over, and no STATS have said so
 * yet. UINT64_MAX: they have, nothing has moved, or no frames come that would move that clock.
 */
uint64_t relay_camera_calm_in(const struct relay_camera *c);

/* A link is up (everything not STORED will be sent again) or down (next() has nothing). */
void relay_camera_link(struct relay_camera *c, bool up);

void relay_camera_next(struct relay_camera *c, struct relay_todo *t);
/* It was handed to the connection. */
void relay_camera_sent(struct relay_camera *c, const struct relay_todo *t);
/* The frame of next() will never be sent: it cannot be. Counted as rejected. */
void relay_camera_refuse(struct relay_camera *c, const struct relay_todo *t);

/* The oldest record that is not with the spool. 1 and *d, 0 if there is none. */
int relay_camera_spill_next(struct relay_camera *c, struct sluice_ring_desc *d);
/* It was added to the spool; refused: it will never be sent (counted as rejected). */
void relay_camera_spill_add(struct relay_camera *c, const struct sluice_ring_desc *d, bool refused);
/* What was added is the spool's (ok), or is the ring's again. */
void relay_camera_spill_settled(struct relay_camera *c, bool ok);
/* The oldest record is in the spool already: a crash came between. */
void relay_camera_spill_known(struct relay_camera *c);
/* Monotonic time of the first frame of a record's epoch, as far as it is known. */
uint64_t relay_camera_first_ns(const struct relay_camera *c, const struct sluice_ring_desc *d);
/* Share of the ring that is not released, in 1/256: of its arena or of its records. */
unsigned int relay_camera_fill(const struct relay_camera *c);

/*
 * From now on records are dropped and counted as paused, or are sent again. What was published
 * before a pause still goes its way. 0 also if it is so already; -EBUSY: RELAY_PAUSES are not over
 * yet, since frames from before them still wait.
 */
int relay_camera_pause(struct relay_camera *c);
int relay_camera_resume(struct relay_camera *c);
bool relay_camera_paused(const struct relay_camera *c);
/* Pass what is paused and next, whether there is a link or not: the ring is to have room. */
void relay_camera_pass_paused(struct relay_camera *c);

/* From the cloud. 0, or -EPROTO if it does not fit what was sent. */
int relay_camera_opened(struct relay_camera *c, uint64_t epoch, uint64_t resume);
int relay_camera_stored(struct relay_camera *c, uint64_t epoch, uint64_t cumulative);
int relay_camera_rejected(struct relay_camera *c, uint64_t epoch, uint64_t sequence);
int relay_camera_done(struct relay_camera *c, uint64_t epoch);

/* The stream has ended for good, all of it is stored, and the cloud said DONE. */
bool relay_camera_finished(const struct relay_camera *c);

#endif
