/* SPDX-License-Identifier: (GPL-2.0 WITH Linux-syscall-note) OR MIT */
/*
 * control.h - generic netlink family "sluice", version 1. The YAML description is
 * docs/sluice.yaml. Requests that change something need CAP_NET_ADMIN, and so does joining the
 * event group. Integers are in the machine's byte order; strings are NUL-terminated; attributes
 * that a command does not list are refused (strict policy), with an extack text.
 *
 * A camera is named by CAMERA (its index) or NAME; a request that gives both must match both.
 */
#ifndef _SLUICE_CONTROL_H
#define _SLUICE_CONTROL_H

#include <linux/types.h>
#include <sluice/ring.h>

#define SLUICE_GENL_NAME    "sluice"
#define SLUICE_GENL_VERSION 1
#define SLUICE_GENL_GROUP   "events"

enum sluice_cmd {
	SLUICE_CMD_UNSPEC,
	SLUICE_CMD_GET,	   /* do: one camera; dump: all. Answer: all about it */
	SLUICE_CMD_ATTACH, /* FD, MODE, [NAME], [ARENA], [settings], [masks]. Answer: as GET */
	SLUICE_CMD_DETACH, /* camera. The ring stays until its reader closes it */
	SLUICE_CMD_SET,	   /* camera, [IF_VERSION], settings. Answer: as GET */
	SLUICE_CMD_MASK,   /* camera, [IF_VERSION], [PRIVACY], [THRESHOLDS]; an empty one clears */
	SLUICE_CMD_SNAPSHOT, /* camera */
	SLUICE_CMD_EVENT,    /* notification only: camera, EVENT, TIME, [EPOCH] */
	__SLUICE_CMD_MAX
};
#define SLUICE_CMD_MAX (__SLUICE_CMD_MAX - 1)

enum sluice_mode {
	SLUICE_MODE_TAP = 1,	 /* another process streams; its frames are looked at */
	SLUICE_MODE_CAPTURE = 2, /* the module streams the camera */
};

enum sluice_attr {
	SLUICE_ATTR_UNSPEC,
	SLUICE_ATTR_PAD,
	SLUICE_ATTR_CAMERA, /* u32: index, N of /dev/sluiceN */
	SLUICE_ATTR_NAME,   /* string, SLUICE_CAMERA_NAME_SIZE; default "camN" */
	SLUICE_ATTR_MODE,   /* u32: enum sluice_mode */
	SLUICE_ATTR_FD, /* s32: open video node of the caller; capture: configured by S_FMT, S_PARM,
			 * not streaming, O_RDWR */
	SLUICE_ATTR_ARENA,	/* u64: bytes of the whole ring; 1 MiB .. 256 MiB; default 32 MiB */
	SLUICE_ATTR_STATE,	/* u32: SLUICE_STATE_* */
	SLUICE_ATTR_CARD,	/* string: the driver's name of the camera */
	SLUICE_ATTR_VIDEO,	/* u32: minor of /dev/videoN's node number N */
	SLUICE_ATTR_FORMAT,	/* u32: fourcc; 0 until the first frame */
	SLUICE_ATTR_WIDTH,	/* u32 */
	SLUICE_ATTR_HEIGHT,	/* u32 */
	SLUICE_ATTR_EPOCH,	/* u64 */
	SLUICE_ATTR_SETTINGS,	/* nest: enum sluice_setting */
	SLUICE_ATTR_IF_VERSION, /* u32: do it only if the settings have this version, else -ESTALE
				 */
	SLUICE_ATTR_PRIVACY,	/* binary: bitmap of cells, ceil(grid_w * grid_h / 8) bytes */
	SLUICE_ATTR_THRESHOLDS, /* binary: one byte a cell, 1/16; 0 = ignore the cell */
	SLUICE_ATTR_GRID_W,	/* u32 */
	SLUICE_ATTR_GRID_H,	/* u32 */
	SLUICE_ATTR_LEDGER,	/* nest: enum sluice_ledger_attr */
	SLUICE_ATTR_EVENT,	/* u32: enum sluice_event */
	SLUICE_ATTR_TIME,	/* u64: CLOCK_MONOTONIC ns */
	SLUICE_ATTR_READER,	/* u8: 1 if a reader holds the ring */
	SLUICE_ATTR_LATENCY,	/* nest: enum sluice_latency_attr */
	__SLUICE_ATTR_MAX
};
#define SLUICE_ATTR_MAX (__SLUICE_ATTR_MAX - 1)

/* Settings; a SET changes those that it names. Defaults and limits are those of kmod/frame.h. */
enum sluice_setting {
	SLUICE_SETTING_UNSPEC,
	SLUICE_SETTING_VERSION,	    /* u32, in answers only */
	SLUICE_SETTING_PRESET,	    /* u32: 0 low, 1 medium, 2 high; ~0 in answers: single values */
	SLUICE_SETTING_FLOOR,	    /* u32: Q8 grey levels, 256..16384 */
	SLUICE_SETTING_K,	    /* u32: 1/16, 16..1024 */
	SLUICE_SETTING_MASS,	    /* u32: 1/16 T, 16..4096 */
	SLUICE_SETTING_STRONG,	    /* u32: 1/16 T, 64..65535 */
	SLUICE_SETTING_CONFIRM_MS,  /* u32: 0..1000 */
	SLUICE_SETTING_WARMUP_MS,   /* u32: 200..60000 */
	SLUICE_SETTING_SCENE_PCT,   /* u32: 10..100 */
	SLUICE_SETTING_ROW_BANDS,   /* u32: 0, 1 */
	SLUICE_SETTING_RATE_MFPS,   /* u32: frames per 1000 s, 0 = all */
	SLUICE_SETTING_PREROLL_MS,  /* u32: 0..30000 */
	SLUICE_SETTING_POSTROLL_MS, /* u32: 0..60000 */
	SLUICE_SETTING_KEEPALIVE_MS, /* u32: 0 or 1000..3600000 */
	SLUICE_SETTING_AUDIT_MS,     /* u32: 0 or 1000..86400000 */
	SLUICE_SETTING_STALL_MS,     /* u32: 1000..600000 */
	SLUICE_SETTING_TAMPER,	     /* u32: 0, 1: look for tampering */
	__SLUICE_SETTING_MAX
};
#define SLUICE_SETTING_MAX (__SLUICE_SETTING_MAX - 1)

enum sluice_ledger_attr {
	SLUICE_LEDGER_UNSPEC,
	SLUICE_LEDGER_PAD,
	SLUICE_LEDGER_DELIVERED,    /* u64 */
	SLUICE_LEDGER_PENDING,	    /* u64 */
	SLUICE_LEDGER_BYTES_SEEN,   /* u64 */
	SLUICE_LEDGER_BYTES_PASSED, /* u64 */
	SLUICE_LEDGER_COUNTS,	    /* binary: u64[SLUICE_REASON_COUNT], by enum sluice_reason */
	__SLUICE_LEDGER_MAX
};
#define SLUICE_LEDGER_MAX (__SLUICE_LEDGER_MAX - 1)

#define SLUICE_LATENCY_BUCKETS 32

/*
 * Durations since the attach. bucket[i] counts those of 2^i .. 2^(i+1) - 1 ns; bucket[0] has 0 ns
 * as well, the last one everything above.
 */
struct sluice_latency_histogram {
	__u64 bucket[SLUICE_LATENCY_BUCKETS];
	__u64 sum_ns;
};

enum sluice_latency_attr {
	SLUICE_LATENCY_UNSPEC,
	SLUICE_LATENCY_PAD,
	SLUICE_LATENCY_COMMIT, /* struct sluice_latency_histogram: the driver finished the buffer ->
				* its record is visible; frames that waited in the pre-roll are not
				* in it */
	SLUICE_LATENCY_HANDLED, /* the same: the driver finished the buffer -> looked at; all frames
				 */
	SLUICE_LATENCY_WORK,	/* the same: looking at a frame, and copying it where it passes */
	SLUICE_LATENCY_TAP,	/* the same: what DQBUF of a tapped application took longer */
	__SLUICE_LATENCY_MAX
};
#define SLUICE_LATENCY_MAX (__SLUICE_LATENCY_MAX - 1)

enum sluice_event {
	SLUICE_EVENT_MOTION_START = 1,
	SLUICE_EVENT_MOTION_END,
	SLUICE_EVENT_SCENE_CHANGE,
	SLUICE_EVENT_STALL,    /* no frame for stall_ms */
	SLUICE_EVENT_RESUMED,  /* frames again after a stall */
	SLUICE_EVENT_GONE,     /* camera unplugged */
	SLUICE_EVENT_OVERRUN,  /* first frame of a series lost to a full ring */
	SLUICE_EVENT_SETTINGS, /* settings or masks changed */
	SLUICE_EVENT_ATTACHED,
	SLUICE_EVENT_DETACHED,
	SLUICE_EVENT_REFUSED, /* the stream has a format that Sluice does not know; FORMAT names it
			       */
	/* tampering: the camera was covered, defocused, turned; its scene is back */
	SLUICE_EVENT_COVERED,
	SLUICE_EVENT_DEFOCUSED,
	SLUICE_EVENT_TURNED,
	SLUICE_EVENT_CLEAR,
};

#endif
