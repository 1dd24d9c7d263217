/* SPDX-License-Identifier: MIT */
/*
 * spool_record.h - one frame in a segment of the spool: a header of 192 bytes, the payload of its
 * FRAME as it goes on the wire, zeros up to a multiple of 8. All integers are little-endian.
 */
#ifndef RELAY_SPOOL_RECORD_H
#define RELAY_SPOOL_RECORD_H

#include "lib/wire.h"

#define RELAY_SPOOL_MAGIC   0x31705353u /* "SSp1" */
#define RELAY_SPOOL_PAYLOAD (9u << 20)	/* bytes; a longer one is damage */
#define RELAY_SPOOL_BOOT    40

struct relay_spool_header {
	__le32 magic;
	__le32 payload_size;
	__le32 payload_crc; /* CRC-32C */
	__le32 place;	    /* in its batch, from 1; 0: written before there was that */
	__le64 number;	    /* counts all records that this spool ever took, from 1 */
	__le64 durable;	    /* bytes of this segment that were on the disk when it was written */
	__le64 epoch;
	__le64 sequence;
	__le64 run; /* first sequence of the unbroken row of frames that it belongs to */
	__le64 time_ns;
	__le64 first_ns; /* of the epoch's first frame */
	__le64 clock[3]; /* as CLOCK of wire.h, of the boot that it was taken in */
	__le32 event;
	__le16 reason;
	__le16 reserved2;
	__le16 width, height;
	__le32 format;		     /* of the camera */
	__u8 boot[RELAY_SPOOL_BOOT]; /* BOOT_ID, zeros behind */
	__u8 camera[32];	     /* name, zeros behind */
	__le32 reserved3;
	__le32 header_crc; /* CRC-32C of the 188 bytes before */
};

_Static_assert(sizeof(struct relay_spool_header) == 192, "spool header");

/* The same in host order. */
struct relay_spool_record {
	uint64_t number, durable;
	uint64_t epoch, sequence, run;
	uint64_t time_ns, first_ns;
	struct sluice_wire_clock clock;
	uint32_t event, format;
	uint16_t reason, width, height;
	char boot[RELAY_SPOOL_BOOT];
	char camera[32];
	uint32_t payload_size, payload_crc;
	uint32_t place;
};

void relay_spool_header_put(struct relay_spool_header *h, const struct relay_spool_record *r);
/* 0, or -EBADMSG: it is none, or damaged. */
int relay_spool_header_get(const struct relay_spool_header *h, struct relay_spool_record *r);

/* Bytes that a record takes in its segment. */
static inline uint64_t relay_spool_record_size(uint32_t payload_size)
{
	return sizeof(struct relay_spool_header) + ((payload_size + 7u) & ~7u);
}

#endif
