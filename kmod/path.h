/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/*
 * path.h - the private state of one camera's frame path, shared by frame.c (decides), roll.c (the
 * frames that wait) and record.c (bytes, records and the control page). Nobody else includes it.
 */
#ifndef SLUICE_PATH_H
#define SLUICE_PATH_H

#include "frame.h"

/* How the bytes of a frame fared. */
#define ITEM_STORED  (1u << 0) /* they lie in the arena, or would if there were a ring */
#define ITEM_THINNED (1u << 1) /* not kept: beyond the rate */
#define ITEM_NOSPACE (1u << 2) /* not kept: no room */
#define ITEM_NODHT   (1u << 3)
#define ITEM_MASKED  (1u << 4)

/*
 * A frame between its arrival and its verdict. mark is the verdict it gets if the gate does not
 * open: QUIET, UNCONFIRMED, or a passing one (KEEPALIVE, AUDIT, CORRUPT).
 */
struct sluice_item {
	u64 time_ns;
	u32 sequence; /* low word */
	u32 driver_sequence;
	u32 size; /* payload bytes in the arena; the motion-cell bitmap follows */
	u32 page;
	u32 clock_ms; /* low word of the path's clock at its arrival */
	u16 score;
	u8 mark;
	u8 flags;
};

struct sluice_path {
	struct sluice_picture picture;
	struct sluice_settings settings;
	struct sluice_ring *ring;
	struct sluice_ledger *ledger;
	const struct sluice_frame_ops *ops;
	void *ctx;

	/* blocks that follow this struct in the caller's memory */
	struct sluice_gate *gate;
	struct sluice_tamper *tamper;
	struct sluice_jpeg_dc *jpeg; /* NULL: raw */
	u16 *cell;
	u8 *bits;    /* motion cells of the frame in hand */
	u8 *privacy; /* in force if masked */
	u8 *map;     /* thresholds, in force if mapped */
	struct sluice_item *waiting;
	u32 bits_size;
	bool masked;
	bool mapped;
	enum sluice_tamper_kind tampered;

	/* the stream */
	bool running;
	u64 epoch;	  /* the running one, or the last */
	u64 sequence;	  /* of the next frame */
	u64 clock_ns;	  /* since the epoch's first frame; never goes back */
	u64 clock_ms;	  /* the same, whole ms */
	u64 clock_skew;	  /* clock - time_ns after a jump, modulo 2^64 */
	u64 last_pass_ms; /* clock of the newest frame that passes or will */
	u64 rate_due_ns;
	u32 random;

	/* the gate's roll */
	bool open;
	bool mark_open; /* the next record gets SLUICE_FRAME_OPENS */
	bool streak;	/* frames since streak_first qualified without a break */
	bool snapshot;
	bool overrun; /* inside a series of losses */
	u32 streak_first;
	u32 event;
	u64 last_motion_ms; /* clock */

	/* the queue of frames that wait: waiting[(first + i) % SLUICE_PENDING_MAX] */
	u32 first, length;
	u32 stored; /* of these, with bytes in the arena */

	/* for the record after and for the control page */
	u64 told_dropped, told_lost; /* ledger totals at the record before */
	u32 changed;
	u32 state;
	u64 epoch_first_ns, now_ns, last_motion_ns;
};

/* record.c */

/*
 * Copy a frame's bytes and bitmap into the arena; frames that wait are given up, oldest first, when
 * room is short. whole: the payload is a full picture. Sets ITEM_STORED or ITEM_NOSPACE.
 */
void path_store(struct sluice_path *p, const struct sluice_frame *f, struct sluice_item *item,
		bool whole);
/* Publish a stored item as the next record, or just settle it where there is no ring. */
void path_publish(struct sluice_path *p, struct sluice_item *item, enum sluice_reason reason,
		  u32 flags);
/* Final verdict of an item that is not published; its bytes are freed. */
void path_settle(struct sluice_path *p, struct sluice_item *item, enum sluice_reason reason);
void path_mirror(struct sluice_path *p);

/* roll.c */

void roll_push(struct sluice_path *p, const struct sluice_item *item);
/* Settle what has waited too long, in order. */
void roll_expire(struct sluice_path *p);
/* Give the oldest waiting frame up (it is published if its mark passes). False: none waits. */
bool roll_pop(struct sluice_path *p);
/* True if a waiting frame holds arena pages. */
bool roll_holds_space(const struct sluice_path *p);
/* Before the gate opens: give the oldest up while less than a quarter of the ring is free. */
void roll_make_headroom(struct sluice_path *p);
/* Publish what waits as PREROLL; opening: what the rate thinned was motion's, else it was quiet. */
void roll_publish(struct sluice_path *p, bool opening);
/* The stream ends: settle all that waits under its mark. */
void roll_settle(struct sluice_path *p);

#endif
