/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/*
 * frame.h - what happens to one frame: count it, compute its grid, ask the gate, apply the roll,
 * rate, keep-alive and audit policy, copy it into the ring when it may pass, and settle it in the
 * ledger. The same code runs in sluice.ko and in sluice-feed.
 *
 * Order is kept: records leave in the order of their sequence numbers. A frame that passes on its
 * own while older frames wait in the pre-roll (keep-alive, audit) waits with them and is published
 * when its turn comes; a snapshot publishes what waits before it. A waiting frame is published
 * (PREROLL) when the gate opens while it is younger than preroll_ms, and else settled as QUIET or
 * UNCONFIRMED. rate limits how many frames a second are kept, in the pre-roll, during motion and in
 * the post-roll; the frame that opens the gate is always kept. With rate 0 every frame is.
 */
#ifndef SLUICE_FRAME_H
#define SLUICE_FRAME_H

#include <sluice/control.h>
#include "core.h"
#include "luma.h"
#include "jpeg_dc.h"
#include "gate.h"
#include "tamper.h"
#include "mask.h"
#include "ring.h"
#include "ledger.h"

#define SLUICE_PENDING_MAX 2048 /* frames in the pre-roll; 30 s at 60 fps */

/* Settings of one camera; the limits are enforced by sluice_settings_check(). */
struct sluice_settings {
	u32 version; /* grows by one with every change */
	u32 preset;  /* enum sluice_preset that gate was filled from; ~0: single values */
	struct sluice_gate_config gate;
	u32 rate_mfps;	  /* frames per 1000 s kept while open: 5000; 0 = all; at most 240000 */
	u32 preroll_ms;	  /* 5000; 0..30000 */
	u32 postroll_ms;  /* 5000; 0..60000 */
	u32 keepalive_ms; /* 60000; 0 = off; else 1000..3600000 */
	u32 audit_ms; /* mean time between audited quiet frames: 60000; 0 = off; else 1000..86400000
		       */
	u32 stall_ms; /* 10000; 1000..600000 */
	u32 tamper;   /* 1; 0: do not look for it */
};

/* Defaults of DESIGN 8. */
void sluice_settings_default(struct sluice_settings *s);

/* Returns NULL, or the name and range of the value that is outside its limits. */
const char *sluice_settings_check(const struct sluice_settings *s);

/* One setting by its number in control.h. Names are the members' ("rate_mfps"). */
struct sluice_setting_info {
	const char *name;  /* NULL: no such setting */
	const char *range; /* for people: "rate_mfps: 0..240000" */
	u32 offset;	   /* of the u32 in struct sluice_settings */
	u32 least, most;
	bool zero; /* 0 is allowed besides least..most */
};

/* Indexed by enum sluice_setting, 0..SLUICE_SETTING_MAX. */
extern const struct sluice_setting_info sluice_setting_infos[];

/*
 * Set one value, as a netlink SET or `--set name=value` does. PRESET fills the gate's values; a
 * single gate value sets preset to ~0. version is not touched: the caller counts it once per
 * change. Returns 0, -EINVAL for an unknown or read-only setting, -ERANGE.
 */
int sluice_settings_set(struct sluice_settings *s, u32 setting, u32 value);

/* A buffer as the driver gave it; the bytes stay the driver's (or the application's: hostile). */
struct sluice_frame {
	const void *data;      /* NULL: gone before the copy (LATE) */
	size_t len;	       /* payload bytes, already clamped to the buffer */
	const void *chroma[2]; /* of pictures whose planes lie apart: none is NULL unless data is */
	size_t chroma_len[2];
	u64 time_ns; /* CLOCK_MONOTONIC */
	u32 driver_sequence;
	bool error;  /* the driver marked it as bad */
	u64 done_ns; /* CLOCK_MONOTONIC when the driver finished it, for statistics; 0: not known */
};

enum sluice_frame_note {
	SLUICE_NOTE_OPEN = 1, /* motion started */
	SLUICE_NOTE_CLOSE,    /* post-roll over */
	SLUICE_NOTE_SCENE,    /* scene change */
	SLUICE_NOTE_OVERRUN,  /* first frame of a series lost to a full ring */
	SLUICE_NOTE_COVERED,  /* tampering: in the order of enum sluice_tamper_kind */
	SLUICE_NOTE_DEFOCUSED,
	SLUICE_NOTE_TURNED,
	SLUICE_NOTE_CLEAR, /* the scene is back */
};

/* How the path tells its surroundings; all are called in the caller's context, under its lock. */
struct sluice_frame_ops {
	/* final verdict of a frame, exactly once per frame; order of verdicts is not that of frames
	 */
	void (*verdict)(void *ctx, u64 epoch, u64 sequence, u64 time_ns, u32 score,
			enum sluice_reason reason);
	/* a record was published; wake: a sleeping reader should be woken */
	void (*published)(void *ctx, const struct sluice_ring_desc *d, bool wake);
	void (*note)(void *ctx, enum sluice_frame_note note, u64 time_ns);
	/* per-frame decision, before rolls: for tools; may be NULL */
	void (*decided)(void *ctx, u64 sequence, const struct sluice_gate_result *r);
};

struct sluice_path; /* one camera's state */

struct sluice_path_config {
	const struct sluice_picture *picture;
	const struct sluice_settings *settings;
	struct sluice_ring
		*ring; /* NULL: decide only, nothing is stored (gate-only); rolls still hold */
	struct sluice_ledger *ledger;
	const struct sluice_frame_ops *ops;
	void *ctx;
	u64 epoch_floor; /* the epoch before (sluice_path_epoch() of it); those made are greater */
	u32 seed;	 /* of the audit sample */
};

/*
 * Bytes that a path needs for a picture format (gate, cells, pending table, JPEG tables); 0 if the
 * gate refuses the grid.
 */
size_t sluice_path_size(const struct sluice_picture *p);

/* Make a path in mem (8-byte aligned, zeroed, sluice_path_size() bytes, the caller's). */
struct sluice_path *sluice_path_init(void *mem, const struct sluice_path_config *c);

/*
 * One delivered frame. May take a copy's time; never sleeps, never allocates. real_ns: wall clock
 * in ns, used only to name a new epoch (epoch = max(real_ns, the last epoch + 1)).
 */
void sluice_path_frame(struct sluice_path *p, const struct sluice_frame *f, u64 real_ns);

/*
 * A frame that was counted by the driver but could not be looked at; reason LATE or ERRORFLAG. Its
 * verdict has epoch 0 if no frame of the stream was seen before it.
 */
void sluice_path_lost(struct sluice_path *p, u32 driver_sequence, enum sluice_reason reason);

/*
 * The next frame that is neither CORRUPT nor a SCENE_CHANGE, and that the ring has room for, passes
 * as SNAPSHOT.
 */
void sluice_path_snapshot(struct sluice_path *p);

/* Settings changed; takes effect with the next frame. Must have passed sluice_settings_check(). */
void sluice_path_settings(struct sluice_path *p, const struct sluice_settings *s);

/* Copies of grid_w * grid_h threshold factors (gate.h) and of the privacy bitmap; NULL = none. */
void sluice_path_threshold_map(struct sluice_path *p, const u8 *map);
void sluice_path_privacy(struct sluice_path *p, const u8 *bits);

/* The stream ended: settle what waits (closing the gate), close the ledger, next frame = new epoch.
 */
void sluice_path_end(struct sluice_path *p);

/* The running epoch, or the last one: epoch_floor of the path that follows. */
u64 sluice_path_epoch(const struct sluice_path *p);

/* SLUICE_STATE_* as the path sees it: unlike the control page's, no reader can write it. */
u32 sluice_path_state(const struct sluice_path *p);

/* Write ctrl's state and ledger words now (the path does it by itself after every frame). */
void sluice_path_mirror(struct sluice_path *p, u32 state_set, u32 state_clear);

#endif
