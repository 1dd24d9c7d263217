// SPDX-License-Identifier: MIT
/*
 * devices_footage.c - the FRAMEs that all devices send: one still JPEG again and again, which costs
 * the devices little beside the cloud, or a reel (reel.h), begun anew at its end.
 *
 * What a reel says of itself is put right for where it is sent again: epoch, time, and the base of
 * a region, which is the frame of the same round.
 */
#include "tests/bench/devices.h"
#include "tests/bench/reel.h"

#include <endian.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/wire.h"
#include "tests/unit/jpeg_make.h"

#define REASON_MOVE 8

struct shot {
	uint8_t *payload;
	uint32_t size, base; /* as in struct reel_frame */
	uint64_t time_ns;
};

struct footage {
	struct shot *shot;
	uint32_t count, width, height;
	uint64_t span_ns; /* 0: a still, whose time is that of sending it */
};

/* The largest picture of at most so many bytes, by its quality. */
static uint8_t *make_picture(const struct devices_options *o, size_t *size)
{
	struct jpeg_shape shape = {
		.width = o->width, .height = o->height, .components = 3, .h = 2, .v = 2
	};
	uint8_t *jpeg;

	for (shape.quality = 95;; shape.quality -= 3) {
		jpeg = jpeg_make(&shape, 1, 4, size);
		if (*size <= o->bytes || shape.quality <= 5)
			return jpeg;
		free(jpeg);
	}
}

static int make_still(struct footage *f, const struct devices_options *o)
{
	size_t picture;
	struct sluice_wire_frame_info info = { .epoch = 0, /* the device's */
					       .format = SLUICE_WIRE_JPEG,
					       .reason = REASON_MOVE,
					       .width = (uint16_t)o->width,
					       .height = (uint16_t)o->height,
					       .event = 1 };
	uint8_t *jpeg = make_picture(o, &picture);
	struct shot *s = calloc(1, sizeof(*s));

	f->shot = s;
	f->width = o->width;
	f->height = o->height;
	if (s) {
		f->count = 1;
		s->size = (uint32_t)(sizeof(struct sluice_wire_frame) + picture);
		s->payload = malloc(s->size);
	}
	if (s && s->payload) {
		sluice_wire_frame_put((struct sluice_wire_frame *)s->payload, &info);
		memcpy(s->payload + sizeof(struct sluice_wire_frame), jpeg, picture);
	}
	free(jpeg);
	return s && s->payload ? 0 : -1;
}

/* True if the payload is a FRAME, and holds a region's head where it says that it is one. */
static bool fits(const struct shot *s)
{
	struct sluice_wire_frame_info info;

	return !sluice_wire_frame_get(s->payload, s->size, &info) &&
	       (!(info.flags & SLUICE_WIRE_REGION) ||
		info.picture_size > sizeof(struct sluice_wire_region));
}

static int read_shot(struct footage *f, FILE *in)
{
	struct shot *s = &f->shot[f->count];
	struct reel_frame head;

	if (fread(&head, sizeof(head), 1, in) != 1 || head.base > f->count ||
	    head.size > SLUICE_WIRE_PAYLOAD_MAX)
		return -1;
	*s = (struct shot){ .size = head.size, .base = head.base, .time_ns = head.time_ns };
	s->payload = malloc(s->size + 1u);
	f->count++;
	return s->payload && fread(s->payload, s->size, 1, in) == 1 && fits(s) ? 0 : -1;
}

static int read_reel(struct footage *f, const char *path)
{
	FILE *in = fopen(path, "rb");
	struct reel_head head = { 0 };
	int err;

	if (!in) {
		fprintf(stderr, "devices: cannot read %s: %s\n", path, strerror(errno));
		return -1;
	}
	err = fread(&head, sizeof(head), 1, in) == 1 && head.magic == REEL_MAGIC && head.count &&
			      head.count <= REEL_FRAMES_MAX && head.span_ns
		      ? 0
		      : -1;
	f->shot = err ? NULL : calloc(head.count, sizeof(*f->shot));
	f->width = head.width;
	f->height = head.height;
	f->span_ns = head.span_ns;
	while (!err && f->count < head.count)
		err = f->shot ? read_shot(f, in) : -1;
	fclose(in);
	if (err)
		fprintf(stderr, "devices: %s is no whole reel; make one: build/tests/reel %s\n",
			path, path);
	return err;
}

struct footage *footage_open(const struct devices_options *o)
{
	struct footage *f = calloc(1, sizeof(*f));

	if (!f)
		return NULL;
	if (o->reel ? !read_reel(f, o->reel) : !make_still(f, o))
		return f;
	footage_close(f);
	return NULL;
}

void footage_close(struct footage *f)
{
	if (!f)
		return;
	for (uint32_t i = 0; f->shot && i < f->count; i++)
		free(f->shot[i].payload);
	free(f->shot);
	free(f);
}

void footage_picture(const struct footage *f, uint32_t *width, uint32_t *height)
{
	*width = f->width;
	*height = f->height;
}

uint64_t footage_span_ns(const struct footage *f, uint64_t frames)
{
	return (frames + f->count - 1) / f->count * f->span_ns;
}

uint32_t footage_size(const struct footage *f, uint64_t sequence)
{
	return f->shot[sequence % f->count].size;
}

const uint8_t *footage_frame(struct footage *f, uint64_t epoch, uint64_t sequence,
			     uint64_t first_ns, uint64_t now_ns)
{
	const struct shot *s = &f->shot[sequence % f->count];
	struct sluice_wire_frame *head = (struct sluice_wire_frame *)s->payload;
	uint64_t round = sequence / f->count;
	struct sluice_wire_region *region;

	head->epoch = htole64(epoch);
	head->time_ns = htole64(f->span_ns ? first_ns + round * f->span_ns + s->time_ns : now_ns);
	if (le16toh(head->flags) & SLUICE_WIRE_REGION) {
		region = (struct sluice_wire_region *)(s->payload + sizeof(*head) +
						       sluice_wire_cells_padded(
							       le32toh(head->cells_size)));
		region->base = htole64(round * f->count + s->base);
	}
	return s->payload;
}
