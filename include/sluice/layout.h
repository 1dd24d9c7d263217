/* SPDX-License-Identifier: (GPL-2.0 WITH Linux-syscall-note) OR MIT */
/*
 * layout.h - what lies on disk. Integers little-endian, reserved words zero.
 *
 * Segment of stored frames (cloud): a 64-byte header, then records, append-only:
 *	struct sluice_record, cell bitmap, JPEG, zeros up to a multiple of 8.
 * A record is valid if both CRCs match; the first bad one ends the segment (a crash cut it), and
 * what follows is truncated. Frames of one segment belong to one camera; epochs may follow one
 * another.
 *
 * A sealed segment (version 2) has two struct sluice_lock behind its header: the segment's own
 * random key, wrapped by the master key with the header as what it belongs to; one of them is empty
 * but while the master key is being changed. Cells and JPEG of a record are sealed together with
 * AES-256-GCM and followed by the tag, which length counts and payload_crc covers: a torn tail is
 * found without any key. What is authenticated beside them is the record's header with both CRCs
 * zero; the nonce is its counter, never used twice within a segment. Sealed files of summaries:
 * struct sluice_sealed, then the bytes, then the tag, with counter 1.
 *
 * Summaries on the device: <state>/summaries/CAMERA/YYYY-MM-DD/ID/{summary.json,key-N.jpg,...}. A
 * directory of that name is complete; while it is being written it is called .ID.part beside it.
 * <state>/outbox/{hook,mqtt,webhook}/ID: still to be announced there; holds "CAMERA/YYYY-MM-DD".
 */
#ifndef _SLUICE_LAYOUT_H
#define _SLUICE_LAYOUT_H

#include <linux/types.h>

#define SLUICE_SEGMENT_MAGIC   0x47455353554c53ull /* "SLUSSEG" */
#define SLUICE_SEGMENT_VERSION 1
#define SLUICE_SEGMENT_SEALED  2	   /* the version of a sealed one */
#define SLUICE_SEGMENT_MAX     (64u << 20) /* bytes; then the next segment is begun */
#define SLUICE_SEGMENT_MAX_S   600	   /* seconds; likewise */
#define SLUICE_RECORD_MAGIC    0x44524353u /* "SCRD" */

struct sluice_segment_header {
	__le64 magic;
	__le32 version;
	__le32 header_crc; /* CRC-32C of the 64 bytes with this word zero */
	__u8 camera[16];   /* camera id: first 16 bytes of SHA-256(tenant/device/name) */
	__le64 created_ns; /* UTC */
	__le64 epoch;	   /* of the first record */
	__le64 sequence;   /* of the first record */
	__le64 reserved;
};

/* A key of 32 bytes, wrapped with AES-256-GCM. All zero: none. */
struct sluice_lock {
	__u8 key_id[8]; /* of the master key: first bytes of its SHA-256 */
	__u8 nonce[12];
	__u8 wrapped[32];
	__u8 tag[16];
	__le32 reserved[2];
	__le32 crc; /* CRC-32C of the 76 bytes before */
};

#define SLUICE_SEAL_TAG 16 /* bytes behind what is sealed */

/* Start of a sealed file of a summary. */
struct sluice_sealed {
	__le64 magic;
	__le32 version;
	__le32 reserved;
	struct sluice_lock lock[2];
};

#define SLUICE_SEALED_MAGIC   0x4c4145535553ull /* "SUSEAL" */
#define SLUICE_SEALED_VERSION 1

struct sluice_record {
	__le32 magic;
	__le32 length;	    /* bitmap and JPEG, without padding */
	__le32 cells_size;  /* bytes of bitmap, padded to 8 before the JPEG */
	__le32 payload_crc; /* CRC-32C of the length bytes */
	__le64 epoch;
	__le64 sequence;
	__le64 time_ns; /* device monotonic */
	__le64 utc_ns;	/* mapped by the clock pair then known */
	__le16 width, height;
	__le16 grid_w, grid_h;
	__le16 reason;
	__le16 flags;
	__le32 score;
	__le32 event;
	__le32 settings;
	__le32 counter;	   /* of a sealed record, from 1; else 0 */
	__le32 header_crc; /* CRC-32C of the 76 bytes before */
};

_Static_assert(sizeof(struct sluice_segment_header) == 64, "segment header");
_Static_assert(sizeof(struct sluice_record) == 80, "record");
_Static_assert(sizeof(struct sluice_lock) == 80, "lock");
_Static_assert(sizeof(struct sluice_sealed) == 176, "sealed");

#endif
