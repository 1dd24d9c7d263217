/* SPDX-License-Identifier: MIT */
/*
 * wire.h - reading and writing the messages of <sluice/wire.h>; docs/protocol.md tells their
 * meaning. No input or output. Values are in host order on this side of the functions.
 */
#ifndef SLUICE_LIB_WIRE_H
#define SLUICE_LIB_WIRE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sluice/ring.h>
#include <sluice/wire.h>

/* ---- messages ---- */

struct sluice_wire_message {
	uint8_t type; /* enum sluice_wire_type */
	uint16_t flags;
	uint32_t slot;
	uint32_t length; /* of the payload */
	uint64_t sequence;
	const uint8_t *payload; /* borrowed */
};

/* Fill a header. payload_crc: sluice_crc32c() over the payload, however it is scattered. */
void sluice_wire_header_put(struct sluice_wire_header *h, const struct sluice_wire_message *m,
			    uint32_t payload_crc);

/*
 * Check and read a header. 0, or -EPROTONOSUPPORT (another version), -EBADMSG (header CRC, reserved
 * word or unknown flags, slot beyond SLUICE_WIRE_SLOTS_ALL), -EMSGSIZE (FRAME above frame_max,
 * others above SLUICE_WIRE_CONTROL_MAX).
 */
int sluice_wire_header_get(const struct sluice_wire_header *h, uint32_t frame_max,
			   struct sluice_wire_message *m, uint32_t *payload_crc);

/*
 * Reads messages from bytes that come in any pieces. Allocates at most one payload, and only when
 * one comes in pieces. frame_max: largest FRAME accepted, 0 where none may come.
 */
struct sluice_wire_decoder {
	uint32_t frame_max;
	/* private */
	struct sluice_wire_message m;
	struct sluice_wire_header head;
	uint32_t head_used;
	uint32_t payload_crc, crc;
	uint32_t have;
	bool in_payload;
	uint8_t *buf;
	size_t buf_size;
};

void sluice_wire_decoder_init(struct sluice_wire_decoder *d, uint32_t frame_max);
/* NULL-safe, and safe on zeroed memory. */
void sluice_wire_decoder_exit(struct sluice_wire_decoder *d);

/*
 * Look at bytes; *used of them were taken. 1: *m is a message, its payload valid until the next
 * call (and until data goes away); 0: more bytes are needed (all were taken). Errors as
 * header_get(), -EILSEQ (payload CRC), -ENOMEM; the link must be closed then.
 */
int sluice_wire_feed(struct sluice_wire_decoder *d, const uint8_t *data, size_t size, size_t *used,
		     struct sluice_wire_message *m);

/* "FRAME"; "type 77" is not told: unknown ones are "UNKNOWN". */
const char *sluice_wire_type_name(uint8_t type);

/* True if the type is one of version 1. Unknown: skip, or close if flags has CRITICAL. */
bool sluice_wire_type_known(uint8_t type);

/* A sentence for an error of feed(). */
const char *sluice_wire_strerror(int err);

/* GOAWAY code that tells the peer about an error of feed(). */
enum sluice_wire_code sluice_wire_error_code(int err);

/* ---- fields: writing ---- */

/* Into buf; the first error stays in err (-ENOBUFS) and makes the rest do nothing. */
struct sluice_wire_writer {
	uint8_t *buf;
	size_t size;
	size_t used;
	int err;
};

void sluice_wire_put_bytes(struct sluice_wire_writer *w, uint16_t tag, const void *data,
			   size_t size);
void sluice_wire_put_text(struct sluice_wire_writer *w, uint16_t tag, const char *text);
void sluice_wire_put_u32(struct sluice_wire_writer *w, uint16_t tag, uint32_t value);
void sluice_wire_put_u64(struct sluice_wire_writer *w, uint16_t tag, uint64_t value);

/* Monotonic and real time of one moment, taken by sandwiching; all ns. */
struct sluice_wire_clock {
	uint64_t monotonic;
	uint64_t realtime;
	uint64_t uncertainty;
};

/* Best of several tries. */
void sluice_wire_clock_now(struct sluice_wire_clock *c);

struct sluice_wire_ledger {
	uint64_t delivered, pending, bytes_seen, bytes_passed;
	uint64_t count[SLUICE_REASON_COUNT];
};

void sluice_wire_put_clock(struct sluice_wire_writer *w, const struct sluice_wire_clock *c);
void sluice_wire_put_size(struct sluice_wire_writer *w, uint32_t width, uint32_t height);
void sluice_wire_put_range(struct sluice_wire_writer *w, uint64_t first, uint64_t last);
void sluice_wire_put_ledger(struct sluice_wire_writer *w, const struct sluice_wire_ledger *l);
void sluice_wire_put_media(struct sluice_wire_writer *w, uint32_t index, uint64_t size,
			   const uint8_t sha256[32], const char *name);

/* ---- fields: reading ---- */

struct sluice_wire_field {
	uint16_t tag;
	uint32_t size;
	const uint8_t *value; /* 8-byte aligned within the payload */
};

#define SLUICE_WIRE_TAGS 64

/* All known fields of a payload, by tag; a repeated one is counted and walked with next(). */
struct sluice_wire_fields {
	const uint8_t *payload;
	uint32_t length;
	uint64_t present; /* bit = tag */
	struct sluice_wire_field field[SLUICE_WIRE_TAGS];
};

/* 0, or -EBADMSG: truncated, padding or reserved not zero, tag given twice and not in repeated
 * (bits by tag). Unknown tags are skipped. */
int sluice_wire_fields_get(struct sluice_wire_fields *f, const uint8_t *payload, uint32_t length,
			   uint64_t repeated);

/* Walk: start with *at = 0. 1 and a field, 0 at the end, -EBADMSG. */
int sluice_wire_field_next(const uint8_t *payload, uint32_t length, uint32_t *at,
			   struct sluice_wire_field *field);

/* 0, -ENOENT if absent, -EBADMSG if of another size. Out values are untouched on error. */
int sluice_wire_get_u32(const struct sluice_wire_fields *f, uint16_t tag, uint32_t *value);
int sluice_wire_get_u64(const struct sluice_wire_fields *f, uint16_t tag, uint64_t *value);
int sluice_wire_get_size(const struct sluice_wire_fields *f, uint32_t *width, uint32_t *height);
/* -EBADMSG too if it ends before it begins. */
int sluice_wire_get_range(const struct sluice_wire_fields *f, uint64_t *first, uint64_t *last);
int sluice_wire_get_clock(const struct sluice_wire_fields *f, struct sluice_wire_clock *c);
int sluice_wire_get_ledger(const struct sluice_wire_fields *f, struct sluice_wire_ledger *l);
/* Copies and terminates; -EBADMSG too if it holds a NUL or does not fit. */
int sluice_wire_get_text(const struct sluice_wire_fields *f, uint16_t tag, char *text, size_t size);
/* Borrowed, not terminated. */
int sluice_wire_get_bytes(const struct sluice_wire_fields *f, uint16_t tag, const uint8_t **data,
			  uint32_t *size);

/* One MEDIA field. name: the file's, [A-Za-z0-9._-]{1,47}, not beginning with a dot. */
struct sluice_wire_media_info {
	uint32_t index;
	uint64_t size;
	uint8_t sha256[32];
	char name[48];
};

int sluice_wire_media_get(const struct sluice_wire_field *field, struct sluice_wire_media_info *m);

/* ---- FRAME and PART ---- */

/* The start of a FRAME in host order; cells and picture point into the payload. */
struct sluice_wire_frame_info {
	uint64_t epoch, time_ns;
	uint32_t format;
	uint16_t reason, flags;
	uint32_t score, event, dropped, lost;
	uint16_t width, height, grid_w, grid_h;
	uint32_t cells_size, settings;
	const uint8_t *cells; /* NULL if cells_size is 0 */
	const uint8_t *picture;
	uint32_t picture_size;
};

#define SLUICE_WIRE_JPEG 0x4745504au /* 'JPEG' fourcc */

/* Bytes of bitmap of a FRAME with its padding. */
static inline uint32_t sluice_wire_cells_padded(uint32_t cells_size)
{
	return (cells_size + 7u) & ~7u;
}

/* The fixed part; the caller sends cells, padding and picture after it. */
void sluice_wire_frame_put(struct sluice_wire_frame *out, const struct sluice_wire_frame_info *in);

/* 0, or -EBADMSG: too short, cells_size that is neither 0 nor that of the grid, padding not zero,
 * another format, a reason that does not pass frames, no picture. */
int sluice_wire_frame_get(const uint8_t *payload, uint32_t length,
			  struct sluice_wire_frame_info *out);

struct sluice_wire_part_info {
	char id[33];
	uint32_t index;
	uint64_t offset;
	const uint8_t *data;
	uint32_t size;
};

/* 0 or -EBADMSG (id not hex, empty, above SLUICE_WIRE_PART_MAX). */
int sluice_wire_part_get(const uint8_t *payload, uint32_t length, struct sluice_wire_part_info *p);
/* The fixed part; 0 or -EINVAL for a bad id. */
int sluice_wire_part_put(struct sluice_wire_part *out, const char *id, uint32_t index,
			 uint64_t offset);

/* One PARTIAL of HELLO: a place in a summary's files. put: a bad id is left out. */
struct sluice_wire_partial {
	char id[33];
	uint32_t index;
	uint64_t offset;
};

void sluice_wire_put_partial(struct sluice_wire_writer *w, const struct sluice_wire_partial *p);
int sluice_wire_partial_get(const struct sluice_wire_field *field, struct sluice_wire_partial *p);

/* True for 32 lower-case hex digits and the end. */
bool sluice_wire_id_ok(const char *id);

#endif
