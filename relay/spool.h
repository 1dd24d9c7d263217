/* SPDX-License-Identifier: MIT */
/*
 * spool.h - frames that cannot be sent now, on the disk: bounded, checksummed, in order of their
 * coming. A frame is the spool's from durable() on, and leaves it as stored, rejected, evicted or
 * damaged, each counted.
 *
 * All is called from the loop's thread. Nothing here waits for the disk but the start, the removal
 * of a segment and the writing of the small mark file.
 */
#ifndef RELAY_SPOOL_H
#define RELAY_SPOOL_H

#include "lib/io.h"
#include "relay/payload.h"
#include "relay/spool_record.h"

#define RELAY_SPOOL_CAMERAS 32	 /* names; frames of another one stay in its ring */
#define RELAY_SPOOL_RUNS    8192 /* unbroken rows of frames; beyond that nothing is taken */
#define RELAY_SPOOL_FLIGHT  4096 /* frames handed out and not yet resolved */

enum relay_spool_state {
	RELAY_SPOOL_OK,
	RELAY_SPOOL_EVICTING,  /* full: the oldest make room */
	RELAY_SPOOL_NO_SPACE,  /* the disk is full: nothing is taken */
	RELAY_SPOOL_READ_ONLY, /* nothing can be written */
	RELAY_SPOOL_FAILED,    /* another error of the disk */
};

struct relay_spool_config {
	struct sluice_io *io;
	const char *dir;			    /* made if it is not there; borrowed */
	uint64_t bytes_max;			    /* of all segments; 0: 2 GiB */
	uint32_t segment_bytes;			    /* 0: by bytes_max, 8 MiB for 2 GiB */
	uint32_t commit_ms;			    /* frames wait so long for company; 0: 200 */
	uint32_t mark_ms;			    /* between two writings of the mark; 0: 1000 */
	uint32_t retry_ms;			    /* after an error of the disk; 0: 10000 */
	const char *boot;			    /* BOOT_ID now; borrowed */
	void (*clock)(struct sluice_wire_clock *c); /* NULL: the system's */
	/* Everything that was added is durable (err 0), or was not taken: it is the caller's. */
	void (*settled)(void *arg, int err);
	/* There is something to peek() at that there was not. May be NULL. */
	void (*ready)(void *arg);
	void *arg;
};

/* Frames of one camera, counted since the spool was made. */
struct relay_spool_counts {
	uint64_t stored, rejected;
	uint64_t evicted[SLUICE_REASON_COUNT];
	uint64_t damaged; /* were on the disk, and can no longer be read */
	uint64_t left;	  /* in the spool now */
};

/* An unbroken row of frames of one epoch: none between them went another way. */
struct relay_run {
	struct relay_run *next; /* younger */
	unsigned int camera;
	uint64_t epoch, first, last; /* last: durable */
	uint64_t first_ns, now_ns;
	uint32_t width, height, format;
	char boot[RELAY_SPOOL_BOOT];
	struct sluice_wire_clock clock; /* newest that was written with it */
	uint64_t left;			/* frames that are not resolved */
	uint64_t flight;		/* of these, taken */
	bool ended;			/* nothing will be added */
	bool told; /* the cloud knows of it: it is closed there before it is forgotten */
	/* the lanes' own, of this link: CLOSE was said; highest sequence sent, + 1 */
	bool closed;
	uint64_t sent_next;
	bool durable; /* at least one of its frames is, or was, on the disk */
	/* the spool's own: of what is not yet durable */
	uint64_t staged_last;
	uint32_t staged;
	/* the spool's own: what its records call it, and the number that they begin with: a run is
	 * two after a crash that left its end in doubt */
	uint64_t name, from;
	/* the spool's own: highest durable sequence of the frames of events, and of the others */
	uint64_t durable_last[2];
};

/* What is next to be sent. */
struct relay_spool_frame {
	struct relay_run *run;
	uint64_t sequence, time_ns;
	const uint8_t *payload;
	uint32_t size;
};

struct relay_spool;

/* Reads what is there. NULL and -errno in *err (the directory cannot be made or read); a disk that
 * cannot be written is no error here. c is copied. */
struct relay_spool *relay_spool_open(const struct relay_spool_config *c, int *err);
/* NULL-safe; after the io is closed. What was added and not settled is the caller's still. */
void relay_spool_close(struct relay_spool *s);
/* No callbacks any more; marks what is known. Before the io is closed. NULL-safe. */
void relay_spool_stop(struct relay_spool *s);

/* ---- in ---- */

/* Would add() take something now? */
bool relay_spool_accepts(const struct relay_spool *s);

/*
 * Take a frame; it is copied. joined: the frame before it in its ring is the last that the spool
 * has of this camera, so it may belong to the same run. 0; -EAGAIN: not now, settled() comes;
 * -ENOSPC, -EMSGSIZE, -EDQUOT (camera names), -ENOMEM, -EROFS...: not taken.
 */
int relay_spool_add(struct relay_spool *s, const char *camera, const struct sluice_ring_desc *d,
		    uint64_t first_ns, const struct relay_payload *p, bool joined);
/* Has something been added that is not settled? */
bool relay_spool_pending(const struct relay_spool *s);
/* Write what was added now instead of soon. */
void relay_spool_flush(struct relay_spool *s);
/* The camera's run is over: what comes goes another way. */
void relay_spool_end_run(struct relay_spool *s, const char *camera);
/* Is that frame in a run of the spool (or was)? For a ring that is read again after a crash. */
bool relay_spool_has(const struct relay_spool *s, const char *camera, uint64_t epoch,
		     uint64_t sequence);
/*
 * The same for a record of a ring that is read again. The two classes of frames are synced one
 * after the other, so a crash may leave later frames of one class and not an earlier one of the
 * other. That one cannot be sent any more in its order: it counts as evicted.
 */
bool relay_spool_settle(struct relay_spool *s, const char *camera,
			const struct sluice_ring_desc *d);

/* ---- out ---- */

/* The next frame. 1; 0: none, ever, until ready(); -EAGAIN: it is being read, ready() comes. */
int relay_spool_peek(struct relay_spool *s, struct relay_spool_frame *f);
/* Is there room for one more under way? */
bool relay_spool_may_take(const struct relay_spool *s);
/* The frame of peek() was handed to the link. -ENOBUFS: too many are under way. */
int relay_spool_taken(struct relay_spool *s);
/* The frame of peek() is known to be stored; or can never be sent. -ENOBUFS as above. */
int relay_spool_skip(struct relay_spool *s);
int relay_spool_refuse(struct relay_spool *s);
/* Of those taken: stored up to a sequence; rejected (-EPROTO: that was not taken). */
void relay_spool_stored(struct relay_spool *s, unsigned int camera, uint64_t epoch,
			uint64_t cumulative);
int relay_spool_rejected(struct relay_spool *s, unsigned int camera, uint64_t epoch,
			 uint64_t sequence);
/* The link is gone: what was taken and not resolved comes again. */
void relay_spool_rewind(struct relay_spool *s);

/* ---- runs ---- */

/* The oldest run of any camera; follow next. */
struct relay_run *relay_spool_runs(struct relay_spool *s);
/* The cloud knows of it from now on. */
void relay_spool_run_told(struct relay_spool *s, struct relay_run *r);
/* Ended, with nothing left, and the cloud has analysed all of it. */
void relay_spool_forget_run(struct relay_spool *s, struct relay_run *r);
/* The best clock that is known of its boot. */
void relay_spool_run_clock(const struct relay_spool *s, const struct relay_run *r,
			   struct sluice_wire_clock *c);

/* ---- facts ---- */

enum relay_spool_state relay_spool_state(const struct relay_spool *s);
/* "ok", "evicting", "no-space", "read-only", "failed" */
const char *relay_spool_state_name(enum relay_spool_state state);
uint64_t relay_spool_bytes(const struct relay_spool *s);
uint64_t relay_spool_left(const struct relay_spool *s);
/* Counts of a camera that the spool knows by name or number; NULL: none. */
const struct relay_spool_counts *relay_spool_counts(const struct relay_spool *s, const char *name);
const char *relay_spool_camera(const struct relay_spool *s, unsigned int camera);
/* Headers that could not be read at the start: frames of unknown cameras. */
uint64_t relay_spool_damaged(const struct relay_spool *s);

#endif
