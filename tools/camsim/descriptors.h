/* SPDX-License-Identifier: MIT */
/*
 * What the camera is (its profile) and how it says so (USB and UVC 1.1 descriptors).
 */
#ifndef SLUICE_CAMSIM_DESCRIPTORS_H
#define SLUICE_CAMSIM_DESCRIPTORS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "tools/camsim/roll.h"

#define PROFILE_MODES_MAX     8
#define PROFILE_INTERVALS_MAX 8
#define PROFILE_STRING_MAX    64 /* with the final 0 */
#define DESCRIPTORS_MAX	      2048

#define PAYLOAD_HEADER_SIZE 2
#define PAYLOAD_BULK	    16384 /* one payload is one URB: 32 packets of 512 */
#define PAYLOAD_SUPER	    32768 /* 32 packets of 1024 */
#define PAYLOAD_ISO	    3072  /* three transactions of 1024 in a microframe */

/* Entities of the VideoControl interface; the interfaces' and the endpoint's number. */
enum {
	ENTITY_TERMINAL = 1,
	ENTITY_PROCESSING = 2,
	ENTITY_OUTPUT = 3,
	INTERFACE_CONTROL = 0,
	INTERFACE_STREAMING = 1,
	ENDPOINT_VIDEO = 1,
	ALTERNATES_ISO = 3,
};

struct profile_mode {
	enum roll_format format;
	uint32_t width, height;
	uint32_t frame_size_max;		   /* bytes, for the driver's buffers */
	uint32_t intervals[PROFILE_INTERVALS_MAX]; /* 100 ns, shortest first */
	uint32_t interval_count;
	uint32_t interval_default;
	uint8_t format_index, frame_index; /* from 1, set by profile_add */
};

struct profile {
	bool iso;   /* else bulk */
	bool super; /* SuperSpeed, else high speed */
	uint32_t payload_max;
	struct profile_mode modes[PROFILE_MODES_MAX]; /* the first one is the default */
	uint32_t mode_count;
	char maker[PROFILE_STRING_MAX], product[PROFILE_STRING_MAX], serial[PROFILE_STRING_MAX];
};

/*
 * Adds a mode with the intervals @interval (the default), 30, 15 and 10 frames a second.
 * -EEXIST: this format and size is there already; -ENOSPC: too many.
 */
int profile_add(struct profile *profile, enum roll_format format, uint32_t width, uint32_t height,
		uint32_t interval, uint32_t size_max);

/* The mode with these indices, or NULL. */
const struct profile_mode *profile_find(const struct profile *profile, uint8_t format_index,
					uint8_t frame_index);
uint32_t profile_formats(const struct profile *profile);
uint32_t profile_frames(const struct profile *profile, uint8_t format_index);

/*
 * Writes descriptor @type (wValue's high byte) number @index into @out, DESCRIPTORS_MAX bytes.
 * Its length, or -ENOENT for one that the camera does not have (a stall).
 */
int descriptor_get(const struct profile *profile, uint8_t type, uint8_t index, uint8_t *out);

#endif
