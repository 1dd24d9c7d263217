/* SPDX-License-Identifier: MIT */
/* segment.h - stored frames: files that are appended to, or one piece of memory that is put whole
 * (depot.h); the bytes are in sluice/layout.h. */
#ifndef SLUICE_SEGMENT_H
#define SLUICE_SEGMENT_H

#include <stddef.h>
#include <stdint.h>
#include <sluice/layout.h>
#include "cloud/depot.h"
#include "cloud/seal.h"

/* Bit of a record's flags that the device never sets: the picture is not a JPEG of the announced
 * size. It is kept as evidence, and never decoded. */
#define SLUICE_RECORD_BAD      0x8000u
/* Another one: the frame came in a back-fill lane, and is analysed there. */
#define SLUICE_RECORD_BACKFILL 0x4000u

#define SLUICE_RECORD_PAYLOAD_MAX (9u << 20) /* bytes; a longer record is damage */

/* One record in host order. Pointers are borrowed. */
struct sluice_segment_frame {
	uint64_t epoch, sequence;
	uint64_t time_ns, utc_ns;
	uint16_t width, height;
	uint16_t grid_w, grid_h;
	uint16_t reason, flags;
	uint32_t score, event, settings;
	const uint8_t *cells; /* bitmap, cells_size bytes; NULL if 0 */
	uint32_t cells_size;
	const uint8_t *jpeg; /* with SLUICE_WIRE_REGION in flags: its head and mask before it */
	uint32_t jpeg_size;
};

/* Header of a segment in host order. */
struct sluice_segment_info {
	uint8_t camera[16];
	uint64_t created_ns, epoch, sequence;
	int sealed; /* set by the readers; when it is created its keys decide */
};

struct sluice_segment; /* open for appending; one thread at a time */

/*
 * Sealed if keys (may be NULL) holds one. Creates the file (which must not exist) and writes its
 * header; the directory is synced by sluice_segment_sync(). Returns 0 or a negative errno; *out is
 * NULL on failure.
 */
int sluice_segment_create(const char *path, const struct sluice_segment_info *info,
			  const struct sluice_keyring *keys, struct sluice_segment **out);

/* The same in memory, for a depot that takes whole ones: nothing to be synced, no file. */
int sluice_segment_begin(const struct sluice_segment_info *info, const struct sluice_keyring *keys,
			 struct sluice_segment **out);
/* Its bytes so far, valid until the next append or close; their count is sluice_segment_size(). */
const uint8_t *sluice_segment_bytes(const struct sluice_segment *s);

/*
 * Appends a record; not durable before sluice_segment_sync(). On failure the file is as before.
 * *offset and *length receive where the record lies, padding included.
 * -EINVAL: beyond SLUICE_RECORD_PAYLOAD_MAX. -EIO: an earlier failure could not be undone; the
 * segment takes no more. Else the errno of write.
 */
int sluice_segment_append(struct sluice_segment *s, const struct sluice_segment_frame *f,
			  uint64_t *offset, uint32_t *length);

/* Makes everything appended durable. After a failure the segment takes no more (-EIO). */
int sluice_segment_sync(struct sluice_segment *s);
/* For a sync together with others': the file, -1 if it is dead; then the outcome of its fdatasync.
 * A directory that holds its name must have been synced, too. Returns err. */
int sluice_segment_fd(const struct sluice_segment *s);
int sluice_segment_synced(struct sluice_segment *s, int err);

/* Takes back what was appended beyond size and is not wanted (its group was not committed). */
void sluice_segment_rewind(struct sluice_segment *s, uint64_t size);

/* Bytes written so far, header included. */
uint64_t sluice_segment_size(const struct sluice_segment *s);

/* NULL-safe. Does not sync. */
void sluice_segment_close(struct sluice_segment *s);

/* What is needed to read a record. All zero: of a segment that is not sealed. */
struct sluice_record_key {
	int sealed;
	int known; /* key is its segment's; else a sealed payload is not looked into */
	uint8_t key[32];
};

/*
 * Parses a record at the start of buf, and decrypts it in place. Returns the bytes it takes
 * (padding included), 0 if size bytes are too few to hold it, -EBADMSG if it is none. Pointers of
 * *f point into buf; cells and jpeg are NULL where they stay sealed.
 */
long sluice_record_decode(uint8_t *buf, size_t size, const struct sluice_record_key *k,
			  struct sluice_segment_frame *f);

/* Parses the 64 bytes at the start of a file. -EBADMSG, or -EPROTONOSUPPORT: another version. */
int sluice_segment_decode(const uint8_t buf[64], struct sluice_segment_info *info);

/* Called for each whole record, in order; a non-zero return ends the scan and is returned. */
typedef int (*sluice_segment_fn)(void *ctx, const struct sluice_segment_frame *f, uint64_t offset,
				 uint32_t length);

/*
 * Reads a segment from its start to its first bad record or its end. *good_end receives the
 * offset behind the last whole record, *size the size of the file; equal if nothing is damaged.
 * Returns 0 also for a damaged tail. -EBADMSG: the header is damaged (*good_end is 0). keys NULL:
 * what is sealed is walked without looking into it; else -ENOKEY: none of them opens it.
 */
int sluice_segment_scan(const char *path, const struct sluice_keyring *keys,
			struct sluice_segment_info *info, sluice_segment_fn fn, void *ctx,
			uint64_t *good_end, uint64_t *size);

/* The same of a segment in a depot; what is put whole is loaded, so that the hash that a bucket
 * keeps with it is compared too (-EBADMSG with *good_end 0 and *size 0: it is another one). */
int sluice_segment_scan_in(struct sluice_depot *d, const char *path,
			   const struct sluice_keyring *keys, struct sluice_segment_info *info,
			   sluice_segment_fn fn, void *ctx, uint64_t *good_end, uint64_t *size);

/* Cuts the file to good_end bytes, durably. */
int sluice_segment_truncate(const char *path, uint64_t good_end);

/*
 * Reads one record. *buf receives the malloc'd bytes that *f points into; the caller frees it.
 * -EBADMSG if there is no whole record at that place; -ENOKEY: it is sealed, and not by a key of
 * keys (NULL: none).
 */
int sluice_segment_read(const char *path, const struct sluice_keyring *keys, uint64_t offset,
			uint32_t length, struct sluice_segment_frame *f, uint8_t **buf);
int sluice_segment_read_in(struct sluice_depot *d, const char *path,
			   const struct sluice_keyring *keys, uint64_t offset, uint32_t length,
			   struct sluice_segment_frame *f, uint8_t **buf);

#endif
