/* SPDX-License-Identifier: (GPL-2.0 WITH Linux-syscall-note) OR MIT */
/*
 * ring.h - the shared ring between the gate (kernel module or sluice-feed) and its one reader.
 *
 * One ring per camera. Three regions, found by mmap offset, sizes in the control page:
 *
 *   control   4096 bytes, read-write   words that the gate writes, words that the reader writes
 *   desc      128-byte records, read-only, a power of two of them
 *   arena     frames and motion-cell bitmaps, read-only, 4096-byte pages
 *
 * Record i (a 64-bit count that never wraps) lies in desc[i & (desc_count - 1)]. The gate fills the
 * record and its bytes, then stores head = i + 1 with release; the reader loads head with acquire,
 * reads records tail..head-1, and stores tail = i + 1 with release once record i and its bytes are
 * no longer needed. The gate keeps its own head and never trusts the reader's words: a tail that
 * goes back or beyond head is ignored and counted in bad_tail. Frames that wait in the pre-roll lie
 * in the arena without a record; they get one, in order, when the gate opens. A full ring drops the
 * newest frame, counts it as OVERRUN and tells so in the next record.
 *
 * All integers are in the machine's own byte order: both sides run on one machine. Reserved words
 * are zero. The layout grows by new feature bits and by words taken from the reserved ones;
 * a reader that meets a version it does not know refuses the ring.
 */
#ifndef _SLUICE_RING_H
#define _SLUICE_RING_H

#include <linux/types.h>

#define SLUICE_RING_MAGIC   0x474e5253u /* "SRNG" */
#define SLUICE_RING_VERSION 1u

/* mmap offsets of the three regions of /dev/sluiceN (the feed's memfd is mapped the same way). */
#define SLUICE_RING_MAP_CTRL  0x00000000ull
#define SLUICE_RING_MAP_DESC  0x10000000ull
#define SLUICE_RING_MAP_ARENA 0x20000000ull

#define SLUICE_RING_PAGE	4096u
#define SLUICE_RING_DESC_SIZE	128u
#define SLUICE_RING_ARENA_MAX	(256u << 20) /* bytes; the default is 32 MiB */
#define SLUICE_RING_DESC_MAX	16384u
#define SLUICE_CAMERA_NAME_SIZE 32u /* with the final NUL; [A-Za-z0-9_-]+ */
#define SLUICE_CAMERA_MAX	16u

/*
 * Why a frame passed, was dropped or was lost. Every delivered frame ends under exactly one.
 * The numbers are stable: they are in the ring, on the wire and in the index.
 */
enum sluice_reason {
	SLUICE_REASON_NONE = 0,
	/* dropped: the gate decided */
	SLUICE_REASON_QUIET = 1,       /* nothing moved */
	SLUICE_REASON_UNCONFIRMED = 2, /* something qualified, and was never confirmed */
	SLUICE_REASON_RATE = 3,	       /* moving, but beyond the asked frames per second */
	/* passed */
	SLUICE_REASON_MOTION = 8,
	SLUICE_REASON_PREROLL = 9,
	SLUICE_REASON_POSTROLL = 10,
	SLUICE_REASON_KEEPALIVE = 11,
	SLUICE_REASON_AUDIT = 12, /* random sample of quiet frames */
	SLUICE_REASON_SCENE_CHANGE = 13,
	SLUICE_REASON_WARMUP = 14,
	SLUICE_REASON_SNAPSHOT = 15, /* asked for */
	SLUICE_REASON_CORRUPT = 16,  /* did not parse: passes, fail open */
	SLUICE_REASON_TAMPER = 17,   /* the camera was found covered, defocused or turned */
	/* lost: a fault, never a decision */
	SLUICE_REASON_OVERRUN = 24, /* ring full */
	SLUICE_REASON_LATE = 25,    /* buffer gone before the copy */
	SLUICE_REASON_DRIVER =
		26, /* gap in the driver's sequence: the driver counted it, nobody saw it */
	SLUICE_REASON_ERRORFLAG = 27, /* the driver marked the buffer as bad */
	SLUICE_REASON_COUNT = 32
};

/* Bits of sluice_ring_ctrl.state. */
#define SLUICE_STATE_STREAMING (1u << 0) /* frames are expected */
#define SLUICE_STATE_OPEN      (1u << 1) /* the gate is open: motion or post-roll */
#define SLUICE_STATE_WARMUP    (1u << 2)
#define SLUICE_STATE_STALLED   (1u << 3) /* streaming, and no frame for stall_ms */
#define SLUICE_STATE_GONE      (1u << 4) /* the camera is gone; what is in the ring stays readable */
#define SLUICE_STATE_ENDED     (1u << 5) /* the source has ended (end of a clip, detach) */

/* Tampering, as long as it holds. */
#define SLUICE_STATE_COVERED   (1u << 6)
#define SLUICE_STATE_DEFOCUSED (1u << 7)
#define SLUICE_STATE_TURNED    (1u << 8)

/* Feature bits of sluice_ring_ctrl.features. */
#define SLUICE_RING_F_CELLS  (1u << 0) /* records carry a motion-cell bitmap */
#define SLUICE_RING_F_LEDGER (1u << 1) /* the control page mirrors the ledger */

/*
 * Control page. Each block of words has one writer; blocks that different sides write are on
 * different cache lines.
 */
struct sluice_ring_ctrl {
	/* written once by the gate, before the ring can be mapped */
	__u32 magic;
	__u32 version;
	__u32 features;
	__u32 desc_count; /* power of two */
	__u64 arena_bytes;
	__u64 boot_time_ns; /* CLOCK_MONOTONIC when the ring was made */
	char name[32];	    /* camera name, NUL-terminated */
	__u64 reserved0[8];

	/* offset 128: written by the gate for every record */
	__u64 head;
	__u64 bad_tail; /* times the reader's tail was refused */
	__u64 reserved1[6];

	/* offset 192: written by the gate for every frame; changed & 1 while it writes (seqlock) */
	__u32 changed;
	__u32 state;	      /* SLUICE_STATE_* */
	__u64 epoch;	      /* of the stream now running */
	__u64 epoch_first_ns; /* time_ns of the first frame of that epoch; 0: none yet */
	__u64 now_ns;	      /* time_ns of the newest delivered frame of that epoch */
	__u64 last_motion_ns; /* time_ns of the newest frame with motion; 0: none yet */
	__u64 delivered;      /* frames the driver counted, all epochs since attach */
	__u64 pending;	      /* of these, waiting in the pre-roll without a final verdict */
	__u32 format;	      /* V4L2 fourcc */
	__u32 settings;	      /* version of the settings in force */
	__u16 width, height;  /* of the stream now running */
	__u16 grid_w, grid_h; /* cells */
	__u32 interval_us;    /* nominal frame interval; 0: unknown */
	__u32 reserved2;
	__u64 count[32];    /* by enum sluice_reason; sums with pending to delivered */
	__u64 bytes_seen;   /* payload bytes delivered by the driver */
	__u64 bytes_passed; /* payload bytes published */
	__u64 reserved3[20];

	/* offset 704: written by the reader */
	__u64 tail;
	__u64 wake_mark; /* poll() reports data once head > wake_mark */
	__u64 reserved4[6];

	__u8 reserved5[4096 - 768];
};

/* Bits of sluice_ring_desc.flags. */
#define SLUICE_FRAME_KEY    (1u << 0) /* full picture (always set today) */
#define SLUICE_FRAME_OPENS  (1u << 1) /* first record of a motion period: the gate opened here */
#define SLUICE_FRAME_CLOSES (1u << 2) /* last frame of the post-roll */
#define SLUICE_FRAME_NODHT \
	(1u << 3) /* MJPEG without Huffman tables: the reader inserts the standard ones */
#define SLUICE_FRAME_MASKED (1u << 4) /* privacy mask applied before the copy became visible */

/* One published frame. Immutable from its publication until the reader's tail has passed it. */
struct sluice_ring_desc {
	__u64 sequence; /* counts every delivered frame of the epoch from 0; gaps are verdicts */
	__u64 epoch;	/* names one unbroken stream of the camera; later epochs are greater */
	__u64 time_ns;	/* CLOCK_MONOTONIC of the buffer */
	__u64 offset;	/* of the picture, in bytes from the start of the arena */
	__u32 size;	/* bytes */
	__u32 format;	/* V4L2 fourcc */
	__u16 width, height;
	__u32 stride; /* bytes per line of the first plane; 0 for MJPEG */
	__u32 driver_sequence;
	__u16 reason; /* enum sluice_reason, a passing one */
	__u16 flags;  /* SLUICE_FRAME_* */
	__u32 score;  /* strongest blob in 1/16 of its threshold, 0..65535; 64 and more qualifies */
	__u32 event;  /* counts gate openings of the epoch from 1; 0: outside */
	__u64 cells; /* offset in the arena of the motion-cell bitmap; 0 bytes long if cells_size is
			0 */
	__u32 cells_size; /* bytes: ceil(grid_w * grid_h / 8), row-major, bit 0 of byte 0 is the top
			     left cell */
	__u16 grid_w, grid_h;
	__u32 dropped;	/* verdicts DROPPED since the record before this one */
	__u32 lost;	/* LOST since the record before this one */
	__u32 settings; /* version of the settings that decided */
	__u32 reserved[9];
};

_Static_assert(sizeof(struct sluice_ring_ctrl) == 4096, "control page is one page");
_Static_assert(__builtin_offsetof(struct sluice_ring_ctrl, head) == 128, "gate words");
_Static_assert(__builtin_offsetof(struct sluice_ring_ctrl, changed) == 192, "state words");
_Static_assert(__builtin_offsetof(struct sluice_ring_ctrl, count) == 272, "ledger mirror");
_Static_assert(__builtin_offsetof(struct sluice_ring_ctrl, tail) == 704, "reader words");
_Static_assert(sizeof(struct sluice_ring_desc) == SLUICE_RING_DESC_SIZE, "record size");
_Static_assert(__builtin_offsetof(struct sluice_ring_desc, cells) == 64, "record layout");

/* 1 if the reason lets a frame pass. */
static inline int sluice_reason_passes(unsigned int reason)
{
	return reason >= SLUICE_REASON_MOTION && reason < SLUICE_REASON_OVERRUN;
}

#endif
