/* SPDX-License-Identifier: (GPL-2.0 WITH Linux-syscall-note) OR MIT */
/*
 * wire.h - messages between the relay and the cloud, version 1; docs/protocol.md tells the story.
 *
 * TLS 1.3 with both certificates, ALPN "http/1.1", one HTTP/1.1 request
 *	GET /v1/uplink  Upgrade: sluice/1  Connection: Upgrade
 * answered by 101, then messages in both directions: a 32-byte header, then payload. All integers
 * are little-endian. A receiver closes the link (GOAWAY first) on: another version, a header CRC or
 * payload CRC that does not match, a length beyond the negotiated maximum, a message out of place,
 * an unknown type with SLUICE_WIRE_CRITICAL set. Unknown types without it are skipped.
 *
 * Control payloads are fields: u16 tag, u16 zero, u32 length, value, padded with zeros to 8 bytes.
 * Unknown tags are skipped; a tag given twice is an error unless the message lists it as repeated.
 */
#ifndef _SLUICE_WIRE_H
#define _SLUICE_WIRE_H

#include <linux/types.h>

#define SLUICE_WIRE_VERSION	 1
#define SLUICE_WIRE_UPGRADE	 "sluice/1"
#define SLUICE_WIRE_PATH	 "/v1/uplink"
#define SLUICE_WIRE_PAYLOAD_MAX	 (8u << 20)   /* hard cap; WELCOME may lower it */
#define SLUICE_WIRE_CONTROL_MAX	 (256u << 10) /* payload of any message but FRAME */
#define SLUICE_WIRE_PART_MAX	 (16u << 10)  /* bytes of media in one PART */
#define SLUICE_WIRE_PARTIALS	 16	      /* PARTIALs of one HELLO */
#define SLUICE_WIRE_SLOTS	 16	      /* cameras of one device: their live lanes */
#define SLUICE_WIRE_SLOTS_ALL	 32	      /* slots 17..32: back-fill lanes */
#define SLUICE_WIRE_FEATURES_MAX 255	      /* bytes of FEATURES and of ALLOWS */
#define SLUICE_WIRE_LOG_MAX	 (64u << 10)  /* bytes of log in one COMMAND_RESULT */
#define SLUICE_WIRE_HEARTBEAT_MS 15000
#define SLUICE_WIRE_STALE_MS	 25000
#define SLUICE_WIRE_JOIN_MS	 10000 /* an event is over when nothing has moved for so long */

/* flags */
#define SLUICE_WIRE_CRITICAL 0x8000u

struct sluice_wire_header {
	__u8 version;	    /* SLUICE_WIRE_VERSION */
	__u8 type;	    /* enum sluice_wire_type */
	__le16 flags;	    /* SLUICE_WIRE_CRITICAL; others zero */
	__le32 length;	    /* of the payload, bytes */
	__le32 slot;	    /* 0: the link; 1..SLUICE_WIRE_SLOTS_ALL: a lane opened by OPEN */
	__le32 payload_crc; /* CRC-32C of the payload */
	__le64 sequence;    /* FRAME: the frame's; else a count of the sender's messages */
	__le32 reserved;    /* zero */
	__le32 header_crc;  /* CRC-32C of the 28 bytes before */
};

enum sluice_wire_type {
	/* device to cloud */
	SLUICE_MSG_HELLO = 1, /* first message: BOOT_ID, BUILD, CLOCK, [PARTIAL], [FEATURES],
			       * [ALLOWS]; answered by
			       * WELCOME or GOAWAY */
	SLUICE_MSG_OPEN =
		2, /* slot: NAME, EPOCH, SIZE, FORMAT, FIRST_NS, CLOCK. New epoch: OPEN again */
	SLUICE_MSG_FRAME = 3, /* slot: struct sluice_wire_frame, cell bitmap, picture */
	SLUICE_MSG_STATS = 4, /* slot: LEDGER, NOW_NS, STATE, EPOCH, [CLOCK], [PAUSED]: all frames
			       * up to NOW_NS that moved have been sent before it */
	SLUICE_MSG_CLOSE =
		5, /* slot: EPOCH, LEDGER, NOW_NS: the stream has ended, nothing follows in it */
	SLUICE_MSG_SUMMARY_ACK =
		6,	     /* ID, STATUS: the summary and its media are on the device's disk */
	SLUICE_MSG_PING = 7, /* either side; answered by PONG with the same payload */
	SLUICE_MSG_PONG = 8,
	SLUICE_MSG_BYE = 9,		/* orderly end; TEXT */
	SLUICE_MSG_CONFIG_RESULT = 10,	/* slot: JSON: what became of a CONFIG */
	SLUICE_MSG_COMMAND_RESULT = 11, /* JSON: what became of a COMMAND */
	SLUICE_MSG_SETTINGS = 12, /* slot: JSON: the settings in force, whoever changed them */
	/* cloud to device */
	SLUICE_MSG_WELCOME = 32, /* SESSION, NODE, CREDIT, PAYLOAD_MAX, HEARTBEAT_MS */
	SLUICE_MSG_OPENED =
		33, /* slot: EPOCH, RESUME (highest STORED sequence + 1 of that epoch; 0: none) */
	SLUICE_MSG_ACK =
		34, /* slot: EPOCH, STAGE, CUMULATIVE: every frame sent up to it has that stage */
	SLUICE_MSG_CREDIT =
		35, /* CREDIT: absolute count of FRAME payload bytes the device may have sent */
	SLUICE_MSG_REJECT =
		36, /* slot: EPOCH, SEQUENCE, CODE, TEXT: that frame will never be stored */
	SLUICE_MSG_EVENT = 37, /* slot: JSON: an event started */
	SLUICE_MSG_SUMMARY =
		38, /* slot: ID, JSON (summary.json), MEDIA repeated: PARTs follow for each */
	SLUICE_MSG_PART = 39,	 /* struct sluice_wire_part, bytes */
	SLUICE_MSG_CONFIG = 40,	 /* slot: JSON: settings asked for */
	SLUICE_MSG_GOAWAY = 41,	 /* CODE, TEXT, RETRY_MS */
	SLUICE_MSG_DONE = 42,	 /* slot: EPOCH: answers CLOSE once everything of that epoch is
				  * analysed   and its summaries have been sent before */
	SLUICE_MSG_COMMAND = 43, /* JSON: something to be done now; only one that FEATURES names */
};

enum sluice_wire_tag {
	SLUICE_TAG_BOOT_ID = 1,	 /* text: of the device's kernel */
	SLUICE_TAG_BUILD = 2,	 /* text: relay version */
	SLUICE_TAG_CLOCK = 3,	 /* 3 x u64: monotonic ns, realtime ns, uncertainty ns */
	SLUICE_TAG_NAME = 4,	 /* text: camera name */
	SLUICE_TAG_EPOCH = 5,	 /* u64 */
	SLUICE_TAG_SIZE = 6,	 /* 2 x u32: width, height */
	SLUICE_TAG_FORMAT = 7,	 /* u32: fourcc of the camera */
	SLUICE_TAG_FIRST_NS = 8, /* u64: monotonic time of the epoch's first frame */
	SLUICE_TAG_NOW_NS = 9,	 /* u64: monotonic time of the newest delivered frame */
	SLUICE_TAG_STATE = 10,	 /* u32: SLUICE_STATE_* */
	SLUICE_TAG_LEDGER = 11,	 /* u64s: delivered, pending, bytes seen, bytes passed, count[32] */
	SLUICE_TAG_ID = 12,	 /* text: summary id, 32 hex digits */
	SLUICE_TAG_STATUS = 13,	 /* u32: 0 stored, else positive errno */
	SLUICE_TAG_SESSION = 14, /* u64 */
	SLUICE_TAG_NODE = 15,	 /* text */
	SLUICE_TAG_CREDIT = 16,	 /* u64 */
	SLUICE_TAG_PAYLOAD_MAX = 17,  /* u32 */
	SLUICE_TAG_HEARTBEAT_MS = 18, /* u32 */
	SLUICE_TAG_RESUME = 19,	      /* u64 */
	SLUICE_TAG_STAGE = 20,	      /* u32: enum sluice_wire_stage */
	SLUICE_TAG_CUMULATIVE = 21,   /* u64: a frame sequence */
	SLUICE_TAG_SEQUENCE = 22,     /* u64 */
	SLUICE_TAG_CODE = 23,	      /* u32: enum sluice_wire_code */
	SLUICE_TAG_TEXT = 24,	      /* text for people */
	SLUICE_TAG_JSON = 25,	      /* UTF-8 JSON object */
	SLUICE_TAG_MEDIA = 26,	      /* struct sluice_wire_media, then the file name; repeated */
	SLUICE_TAG_RETRY_MS = 27,     /* u32 */
	SLUICE_TAG_LANE = 28,	      /* u32: enum sluice_wire_lane; absent: live */
	SLUICE_TAG_RANGE = 29,	      /* 2 x u64: first and last sequence; absent: all */
	SLUICE_TAG_PARTIAL = 30,      /* struct sluice_wire_part: up to there a summary is on the
				       * device's disk; repeated */
	SLUICE_TAG_FEATURES = 31,     /* text: words of SLUICE_WIRE_FEATURES_MAX bytes at most, with
				       * blanks between: what the device can be asked */
	SLUICE_TAG_ALLOWS = 32,	      /* text: those of them that its owner lets the cloud ask */
	SLUICE_TAG_PAUSED =
		33,	/* u64: published frames that were dropped while paused; absent: none */
	SLUICE_TAG_END, /* what is known ends before it */
};

enum sluice_wire_lane {
	SLUICE_LANE_LIVE = 0,	  /* slots 1..16: frames as they are taken */
	SLUICE_LANE_BACKFILL = 1, /* slots 17..32: what waited on the device's disk */
};

enum sluice_wire_stage {
	SLUICE_STAGE_RECEIVED = 1,
	SLUICE_STAGE_STORED = 2, /* durable: the device may free the frame */
};

enum sluice_wire_code {
	SLUICE_CODE_OK = 0,
	SLUICE_CODE_SHUTDOWN = 1, /* come back after RETRY_MS */
	SLUICE_CODE_VERSION = 2,
	SLUICE_CODE_PROTOCOL = 3,
	SLUICE_CODE_REVOKED = 4,
	SLUICE_CODE_LIMIT = 5,	    /* too many cameras, bytes, or credit overrun */
	SLUICE_CODE_TOO_BIG = 6,    /* frame beyond PAYLOAD_MAX */
	SLUICE_CODE_BAD_FRAME = 7,  /* not a JPEG of the announced size */
	SLUICE_CODE_STORAGE = 8,    /* cannot store now */
	SLUICE_CODE_REPLACED = 9,   /* the same device connected again */
	SLUICE_CODE_ELSEWHERE = 10, /* another node has more room */
};

/* Bit of STATE beside SLUICE_STATE_*: the device drops what this camera's gate lets through. */
#define SLUICE_WIRE_STATE_PAUSED 0x80000000u

/* Start of a FRAME's payload; then cells_size bytes of bitmap, padded to 8, then a JPEG to the end.
 */
struct sluice_wire_frame {
	__le64 epoch;
	__le64 time_ns; /* monotonic, of the device; CLOCK pairs map it to UTC */
	__le32 format;	/* 'JPEG' fourcc */
	__le16 reason;	/* enum sluice_reason */
	__le16 flags;	/* SLUICE_FRAME_*, SLUICE_WIRE_REGION */
	__le32 score;
	__le32 event;
	__le32 dropped;
	__le32 lost;
	__le16 width, height;
	__le16 grid_w, grid_h;
	__le32 cells_size;
	__le32 settings;
};

/* Bit of sluice_wire_frame.flags: a part of a picture. */
#define SLUICE_WIRE_REGION 0x0100u

/*
 * What changed since a full frame. With SLUICE_WIRE_REGION in the flags it stands after the cells,
 * then mask_size bytes of mask padded with zeros to 8, then a JPEG of w x h pixels to the end, with
 * the tables and the sampling of the base. MCUs (mcu_w x mcu_h) are counted row by row within w x
 * h; where bit i (bit 0 of byte 0 first) is clear, the base's pixels hold and the JPEG's mean
 * nothing.
 */
struct sluice_wire_region {
	__le16 x, y;	   /* pixels, multiples of the MCU */
	__le16 w, h;	   /* multiples of the MCU, or up to the picture's edge */
	__le64 base;	   /* sequence of an earlier full frame of the same epoch and lane */
	__u8 mcu_w, mcu_h; /* 8, 16 or 32 */
	__le16 reserved;   /* zero */
	__le32 mask_size;  /* ceil(MCUs / 8); 0: all of them count */
};

/* One media file of a SUMMARY; in a MEDIA field, the file name follows (no directory). */
struct sluice_wire_media {
	__le32 index; /* 0.. in the order of the fields */
	__le32 reserved;
	__le64 size;
	__u8 sha256[32];
};

/* Start of a PART's payload; then 1..SLUICE_WIRE_PART_MAX bytes. Parts of one file come in order.
 */
struct sluice_wire_part {
	__u8 id[32]; /* summary id, hex digits */
	__le32 index;
	__le32 reserved;
	__le64 offset;
};

_Static_assert(sizeof(struct sluice_wire_header) == 32, "wire header");
_Static_assert(sizeof(struct sluice_wire_frame) == 56, "wire frame");
_Static_assert(sizeof(struct sluice_wire_region) == 24, "wire region");
_Static_assert(sizeof(struct sluice_wire_media) == 48, "wire media");
_Static_assert(sizeof(struct sluice_wire_part) == 48, "wire part");

#endif
