/* SPDX-License-Identifier: MIT */
/*
 * A roll: the frames that a simulated camera plays, with their own times.
 *
 * File, little-endian, no padding beyond what is named:
 *   struct roll_header (64 bytes), then frame_count times struct roll_frame_header and its bytes.
 * Versions: a reader refuses a version, a header size or reserved bytes that it does not know.
 * Sizes are checked against the file before anything is used, checksums when the roll is opened.
 */
#ifndef SLUICE_CAMSIM_ROLL_H
#define SLUICE_CAMSIM_ROLL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#define ROLL_MAGIC	"SLUICERL"
#define ROLL_VERSION	1u
#define ROLL_FRAMES_MAX 1000000
#define ROLL_FRAME_MAX	(64u << 20)
#define ROLL_SIDE_MAX	8192

enum roll_format { ROLL_MJPEG = 1, ROLL_YUYV = 2 };

struct roll_header {
	char magic[8];
	uint32_t version;
	uint32_t header_size; /* of this struct */
	uint32_t format;      /* enum roll_format */
	uint32_t width;	      /* pixels, even for YUYV */
	uint32_t height;
	uint32_t frame_count;
	uint64_t interval_ns;	/* the clip's own frame interval; never 0 */
	uint64_t loop_pause_ns; /* pause between the last frame of a pass and the next pass */
	uint64_t reserved[2];	/* 0 */
};

struct roll_frame_header {
	uint64_t pts_ns; /* since the first frame; never decreases */
	uint32_t size;	 /* bytes that follow */
	uint32_t crc32;	 /* of those bytes, IEEE 802.3 */
};

_Static_assert(sizeof(struct roll_header) == 64, "roll header");
_Static_assert(sizeof(struct roll_frame_header) == 16, "roll frame header");

struct roll_frame {
	uint64_t pts_ns;
	const uint8_t *data;
	uint32_t size;
	uint32_t crc32;
};

struct roll {
	enum roll_format format;
	uint32_t width, height;
	uint32_t count;	      /* frames, at least 1 */
	uint32_t size_max;    /* bytes of the largest frame */
	uint64_t interval_ns; /* nominal */
	uint64_t pass_ns;     /* first frame of a pass to the first of the next */
	struct roll_frame *frames;
	void *map;
	size_t map_size;
};

/* CRC-32 (IEEE 802.3) of @size bytes, going on from @crc; start with 0. */
uint32_t roll_crc32(uint32_t crc, const void *data, size_t size);

/*
 * Opens a roll or a file of concatenated JPEGs (played at 30 fps) and checks all of it.
 * 0, -errno when the file cannot be read, -EBADMSG when it is not what it claims to be;
 * @why (at least 128 bytes) then says what is wrong.
 */
int roll_open(struct roll *roll, const char *path, char *why, size_t why_size);
/* The same for bytes in memory, which stay the caller's and must outlive the roll. */
int roll_parse(struct roll *roll, const uint8_t *data, size_t size, char *why, size_t why_size);
void roll_close(struct roll *roll);

/* Width and height of a JPEG from its frame header: 0, or -EBADMSG. */
int roll_jpeg_size(const uint8_t *data, size_t size, uint32_t *width, uint32_t *height);

const char *roll_format_name(enum roll_format format);

/* Writing: begin, add each frame in order, end (which fills in the header). 0 or -errno. */
struct roll_writer {
	FILE *file;
	struct roll_header header;
	uint64_t pts_last_ns;
};
int roll_writer_begin(struct roll_writer *w, const char *path, enum roll_format format,
		      uint32_t width, uint32_t height);
int roll_writer_add(struct roll_writer *w, uint64_t pts_ns, const void *data, uint32_t size);
int roll_writer_end(struct roll_writer *w, uint64_t interval_ns, uint64_t loop_pause_ns);
void roll_writer_drop(struct roll_writer *w);

#endif
