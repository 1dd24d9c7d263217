// SPDX-License-Identifier: MIT
/*
 * Rolls: opening, checking and writing (roll.h has the format).
 *
 * A roll is mapped, never copied: in a guest it lies in memory already. Opening reads it once, so
 * that a damaged file is refused before the camera is plugged in and no page is missing while it
 * plays. A plain file of concatenated JPEGs is taken too: it has no times, so it plays at 30 fps.
 */
#include "tools/camsim/roll.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define JPEGS_INTERVAL_NS 33333333ull

static uint32_t crc_tables[8][256];

static void build_crc_tables(void)
{
	for (uint32_t i = 0; i < 256; i++) {
		uint32_t c = i;

		for (int bit = 0; bit < 8; bit++)
			c = (c >> 1) ^ (c & 1 ? 0xedb88320u : 0);
		crc_tables[0][i] = c;
	}
	for (int i = 0; i < 256; i++)
		for (int t = 1; t < 8; t++)
			crc_tables[t][i] = (crc_tables[t - 1][i] >> 8) ^
					   crc_tables[0][crc_tables[t - 1][i] & 0xff];
}

uint32_t roll_crc32(uint32_t crc, const void *data, size_t size)
{
	const uint8_t *p = data;

	if (!crc_tables[0][1])
		build_crc_tables();
	crc = ~crc;
	for (; size >= 8; size -= 8, p += 8) {
		uint32_t a = crc ^ (p[0] | p[1] << 8 | p[2] << 16 | (uint32_t)p[3] << 24);

		crc = crc_tables[7][a & 0xff] ^ crc_tables[6][a >> 8 & 0xff] ^
		      crc_tables[5][a >> 16 & 0xff] ^ crc_tables[4][a >> 24] ^ crc_tables[3][p[4]] ^
		      crc_tables[2][p[5]] ^ crc_tables[1][p[6]] ^ crc_tables[0][p[7]];
	}
	for (; size; size--, p++)
		crc = (crc >> 8) ^ crc_tables[0][(crc ^ *p) & 0xff];
	return ~crc;
}

const char *roll_format_name(enum roll_format format)
{
	return format == ROLL_MJPEG ? "MJPEG" : "YUYV";
}

int roll_jpeg_size(const uint8_t *data, size_t size, uint32_t *width, uint32_t *height)
{
	size_t at = 2;

	if (size < 4 || data[0] != 0xff || data[1] != 0xd8)
		return -EBADMSG;
	while (at + 4 <= size) {
		uint8_t marker = data[at + 1];
		size_t length = (size_t)data[at + 2] << 8 | data[at + 3];

		if (data[at] != 0xff)
			return -EBADMSG;
		if (marker == 0xff) { /* fill byte */
			at++;
			continue;
		}
		if (marker >= 0xc0 && marker <= 0xc2) {
			if (length < 8 || at + 9 > size)
				return -EBADMSG;
			*height = (uint32_t)data[at + 5] << 8 | data[at + 6];
			*width = (uint32_t)data[at + 7] << 8 | data[at + 8];
			return *width && *height ? 0 : -EBADMSG;
		}
		if (marker == 0xda || length < 2)
			return -EBADMSG;
		at += 2 + length;
	}
	return -EBADMSG;
}

static int check_header(const struct roll_header *h, char *why, size_t why_size)
{
	if (h->version != ROLL_VERSION || h->header_size != sizeof(*h))
		snprintf(why, why_size, "roll of version %u, this program reads version %u",
			 h->version, ROLL_VERSION);
	else if (h->reserved[0] || h->reserved[1])
		snprintf(why, why_size, "reserved bytes of the roll's header are used");
	else if (h->format != ROLL_MJPEG && h->format != ROLL_YUYV)
		snprintf(why, why_size, "unknown format %u", h->format);
	else if (!h->width || !h->height || h->width > ROLL_SIDE_MAX || h->height > ROLL_SIDE_MAX ||
		 (h->format == ROLL_YUYV && h->width & 1))
		snprintf(why, why_size, "picture size %ux%u", h->width, h->height);
	else if (!h->frame_count || h->frame_count > ROLL_FRAMES_MAX)
		snprintf(why, why_size, "%u frames", h->frame_count);
	else if (!h->interval_ns || h->interval_ns > 3600ull * 1000000000)
		snprintf(why, why_size, "frame interval of %llu ns",
			 (unsigned long long)h->interval_ns);
	else if (h->loop_pause_ns > 86400ull * 1000000000)
		snprintf(why, why_size, "loop pause of more than a day");
	else
		return 0;
	return -EBADMSG;
}

/* One frame at @at; returns the offset behind it, 0 when it is not sound. */
static size_t parse_frame(struct roll *roll, uint32_t i, const uint8_t *data, size_t size,
			  size_t at, char *why, size_t why_size)
{
	struct roll_frame *frame = &roll->frames[i];
	struct roll_frame_header h;

	if (size - at < sizeof(h)) {
		snprintf(why, why_size, "ends before frame %u of %u", i, roll->count);
		return 0;
	}
	memcpy(&h, data + at, sizeof(h));
	at += sizeof(h);
	*frame = (struct roll_frame){ h.pts_ns, data + at, h.size, h.crc32 };
	if (!h.size || h.size > ROLL_FRAME_MAX || h.size > size - at)
		snprintf(why, why_size, "frame %u has %u bytes, the file ends before", i, h.size);
	else if (roll->format == ROLL_YUYV && h.size != roll->width * roll->height * 2)
		snprintf(why, why_size, "YUYV frame %u has %u bytes", i, h.size);
	else if (i ? h.pts_ns < frame[-1].pts_ns : h.pts_ns != 0)
		snprintf(why, why_size, "time of frame %u goes backwards", i);
	else if (h.pts_ns > 1ull << 60)
		snprintf(why, why_size, "time of frame %u is out of range", i);
	else if (roll_crc32(0, frame->data, frame->size) != h.crc32)
		snprintf(why, why_size, "frame %u does not match its checksum", i);
	else
		return at + h.size;
	return 0;
}

static int parse_roll(struct roll *roll, const uint8_t *data, size_t size, char *why,
		      size_t why_size)
{
	struct roll_header h;
	size_t at = sizeof(h);
	int r;

	if (size < sizeof(h)) {
		snprintf(why, why_size, "shorter than a roll's header");
		return -EBADMSG;
	}
	memcpy(&h, data, sizeof(h));
	r = check_header(&h, why, why_size);
	if (r)
		return r;
	roll->format = h.format;
	roll->width = h.width;
	roll->height = h.height;
	roll->count = h.frame_count;
	roll->interval_ns = h.interval_ns;
	roll->frames = calloc(roll->count, sizeof(*roll->frames));
	if (!roll->frames)
		return -ENOMEM;
	for (uint32_t i = 0; i < roll->count; i++) {
		at = parse_frame(roll, i, data, size, at, why, why_size);
		if (!at)
			return -EBADMSG;
	}
	roll->pass_ns = roll->frames[roll->count - 1].pts_ns + roll->interval_ns + h.loop_pause_ns;
	return 0;
}

/* Offset just behind the JPEG that begins at @at: where FFD9 is followed by FFD8FF or the end. */
static size_t find_jpeg_end(const uint8_t *data, size_t size, size_t at)
{
	while (at + 2 <= size) {
		const uint8_t *p = memchr(data + at, 0xff, size - 1 - at);

		if (!p)
			break;
		at = p - data;
		if (p[1] == 0xd9 && at + 5 <= size && p[2] == 0xff && p[3] == 0xd8 && p[4] == 0xff)
			return at + 2;
		at++;
	}
	return size;
}

static int parse_jpegs(struct roll *roll, const uint8_t *data, size_t size, char *why,
		       size_t why_size)
{
	uint32_t room = 0;

	roll->format = ROLL_MJPEG;
	roll->interval_ns = JPEGS_INTERVAL_NS;
	if (roll_jpeg_size(data, size, &roll->width, &roll->height)) {
		snprintf(why, why_size, "neither a roll nor concatenated JPEGs");
		return -EBADMSG;
	}
	for (size_t at = 0, end; at < size; at = end) {
		end = find_jpeg_end(data, size, at);
		if (roll->count == ROLL_FRAMES_MAX || end - at > ROLL_FRAME_MAX) {
			snprintf(why, why_size, "JPEG %u is too large or one too many",
				 roll->count);
			return -EBADMSG;
		}
		if (roll->count == room) {
			struct roll_frame *more;

			room = room ? 2 * room : 256;
			more = realloc(roll->frames, room * sizeof(*more));
			if (!more)
				return -ENOMEM;
			roll->frames = more;
		}
		roll->frames[roll->count] =
			(struct roll_frame){ roll->count * JPEGS_INTERVAL_NS, data + at, end - at,
					     roll_crc32(0, data + at, end - at) };
		roll->count++;
	}
	roll->pass_ns = roll->count * JPEGS_INTERVAL_NS;
	return 0;
}

int roll_parse(struct roll *roll, const uint8_t *data, size_t size, char *why, size_t why_size)
{
	int r;

	*roll = (struct roll){ 0 };
	if (size >= 8 && !memcmp(data, ROLL_MAGIC, 8))
		r = parse_roll(roll, data, size, why, why_size);
	else
		r = parse_jpegs(roll, data, size, why, why_size);
	if (r == -ENOMEM)
		snprintf(why, why_size, "out of memory");
	if (r) {
		roll_close(roll);
		return r;
	}
	for (uint32_t i = 0; i < roll->count; i++)
		if (roll->size_max < roll->frames[i].size)
			roll->size_max = roll->frames[i].size;
	return 0;
}

int roll_open(struct roll *roll, const char *path, char *why, size_t why_size)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	void *map = MAP_FAILED;
	struct stat st;
	int r = 0;

	*roll = (struct roll){ 0 };
	if (fd < 0 || fstat(fd, &st) < 0)
		r = -errno;
	else if (!S_ISREG(st.st_mode) || !st.st_size)
		r = -EINVAL;
	if (!r) {
		map = mmap(NULL, st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
		if (map == MAP_FAILED)
			r = -errno;
	}
	if (r)
		snprintf(why, why_size, "%s", r == -EINVAL ? "empty or not a file" : strerror(-r));
	if (fd >= 0)
		close(fd);
	if (r)
		return r;
	r = roll_parse(roll, map, st.st_size, why, why_size);
	if (r) {
		munmap(map, st.st_size);
		return r;
	}
	roll->map = map;
	roll->map_size = st.st_size;
	return 0;
}

void roll_close(struct roll *roll)
{
	free(roll->frames);
	if (roll->map)
		munmap(roll->map, roll->map_size);
	*roll = (struct roll){ 0 };
}
