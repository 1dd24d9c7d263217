// SPDX-License-Identifier: MIT
/*
 * Descriptors, built from the profile's modes.
 *
 * One configuration: VideoControl (terminal, processing unit, output) and VideoStreaming. Bulk has
 * its endpoint in alternate setting 0; isochronous has settings 1 to 3 for 1 to 3 KiB a microframe.
 * No stills, no metadata, no interrupt endpoint: nothing that vhci does not carry.
 */
#include "tools/camsim/descriptors.h"

#include <errno.h>
#include <string.h>

#define CLOCK_HZ       48000000u
#define INTERVAL_HZ    10000000u /* intervals are in units of 100 ns */
#define ENDPOINT_IN    (0x80 | ENDPOINT_VIDEO)
#define BANDWIDTH_BITS 8

enum { DT_DEVICE = 1, DT_CONFIG = 2, DT_STRING = 3, DT_BOS = 15 };

/* Descriptors being written. Everything fits by construction; a test holds the largest profile. */
struct sink {
	uint8_t *out;
	size_t size;
};

static void put8(struct sink *s, uint32_t v)
{
	if (s->size < DESCRIPTORS_MAX)
		s->out[s->size] = v;
	s->size++;
}

static void put16(struct sink *s, uint32_t v)
{
	put8(s, v & 0xff);
	put8(s, v >> 8 & 0xff);
}

static void put32(struct sink *s, uint32_t v)
{
	put16(s, v & 0xffff);
	put16(s, v >> 16);
}

static void put_bytes(struct sink *s, const void *bytes, size_t size)
{
	for (size_t i = 0; i < size; i++)
		put8(s, ((const uint8_t *)bytes)[i]);
}

#define PUT(s, ...) \
	put_bytes(s, (const uint8_t[]){ __VA_ARGS__ }, sizeof((const uint8_t[]){ __VA_ARGS__ }))

static void patch16(struct sink *s, size_t at, size_t v)
{
	s->out[at] = v & 0xff;
	s->out[at + 1] = v >> 8;
}

static void add_interval(struct profile_mode *mode, uint32_t interval)
{
	uint32_t i = 0;

	for (uint32_t k = 0; k < mode->interval_count; k++) {
		uint32_t had = mode->intervals[k];

		if ((had > interval ? had - interval : interval - had) <= interval / 100)
			return;
	}
	while (i < mode->interval_count && mode->intervals[i] < interval)
		i++;
	memmove(&mode->intervals[i + 1], &mode->intervals[i],
		(mode->interval_count - i) * sizeof(mode->intervals[0]));
	mode->intervals[i] = interval;
	mode->interval_count++;
}

int profile_add(struct profile *profile, enum roll_format format, uint32_t width, uint32_t height,
		uint32_t interval, uint32_t size_max)
{
	struct profile_mode mode = { format, width, height, .interval_default = interval };
	uint8_t formats = profile_formats(profile);

	if (profile->mode_count == PROFILE_MODES_MAX)
		return -ENOSPC;
	mode.frame_size_max = width * height * 2;
	if (mode.frame_size_max < size_max)
		mode.frame_size_max = size_max;
	add_interval(&mode, interval);
	add_interval(&mode, 333333);
	add_interval(&mode, 666666);
	add_interval(&mode, 1000000);
	for (uint32_t i = 0; i < profile->mode_count; i++) {
		const struct profile_mode *had = &profile->modes[i];

		if (had->format != format)
			continue;
		if (had->width == width && had->height == height)
			return -EEXIST;
		mode.format_index = had->format_index;
	}
	if (!mode.format_index)
		mode.format_index = formats + 1;
	mode.frame_index = profile_frames(profile, mode.format_index) + 1;
	profile->modes[profile->mode_count++] = mode;
	return 0;
}

const struct profile_mode *profile_find(const struct profile *profile, uint8_t format_index,
					uint8_t frame_index)
{
	for (uint32_t i = 0; i < profile->mode_count; i++)
		if (profile->modes[i].format_index == format_index &&
		    profile->modes[i].frame_index == frame_index)
			return &profile->modes[i];
	return NULL;
}

uint32_t profile_formats(const struct profile *profile)
{
	uint32_t formats = 0;

	for (uint32_t i = 0; i < profile->mode_count; i++)
		if (formats < profile->modes[i].format_index)
			formats = profile->modes[i].format_index;
	return formats;
}

uint32_t profile_frames(const struct profile *profile, uint8_t format_index)
{
	uint32_t frames = 0;

	for (uint32_t i = 0; i < profile->mode_count; i++)
		frames += profile->modes[i].format_index == format_index;
	return frames;
}

static void put_device(struct sink *s, const struct profile *profile)
{
	PUT(s, 18, DT_DEVICE, 0x00, profile->super ? 3 : 2, 0xef, 0x02, 0x01,
	    profile->super ? 9 : 64);
	put16(s, 0x1d6b);
	put16(s, 0x0102);
	put16(s, 0x0100);
	PUT(s, 1, 2, 3, 1);
}

static void put_endpoint(struct sink *s, const struct profile *profile, uint32_t alternate)
{
	PUT(s, 7, 5, ENDPOINT_IN, profile->iso ? 0x05 : 0x02);
	if (profile->iso)
		put16(s, 1024 | (alternate - 1) << 11);
	else
		put16(s, profile->super ? 1024 : 512);
	put8(s, profile->iso);
	if (profile->super)
		PUT(s, 6, 0x30, 0, 0, 0, 0);
}

static void put_control_interface(struct sink *s)
{
	PUT(s, 9, 4, INTERFACE_CONTROL, 0, 0, 0x0e, 0x01, 0, 2);
	PUT(s, 13, 0x24, 1, 0x10, 0x01);
	put16(s, 13 + 18 + 12 + 9);
	put32(s, CLOCK_HZ);
	PUT(s, 1, INTERFACE_STREAMING);
	/* exposure mode and time */
	PUT(s, 18, 0x24, 2, ENTITY_TERMINAL, 0x01, 0x02, 0, 0, 0, 0, 0, 0, 0, 0, 3, 0x0a, 0, 0);
	/* brightness, contrast, saturation; power line frequency */
	PUT(s, 12, 0x24, 5, ENTITY_PROCESSING, ENTITY_TERMINAL, 0, 0, 2, 0x0b, 0x04, 0, 0);
	PUT(s, 9, 0x24, 3, ENTITY_OUTPUT, 0x01, 0x01, 0, ENTITY_PROCESSING, 0);
}

static void put_frame(struct sink *s, const struct profile_mode *mode)
{
	uint32_t n = mode->interval_count;
	uint64_t bits = (uint64_t)mode->width * mode->height * 2 * BANDWIDTH_BITS;
	uint64_t rates[2];

	for (int i = 0; i < 2; i++) {
		uint32_t interval = mode->intervals[i ? 0 : n - 1];
		uint64_t rate = bits * ((INTERVAL_HZ + interval / 2) / interval);

		rates[i] = rate > UINT32_MAX ? UINT32_MAX : rate;
	}
	PUT(s, 26 + 4 * n, 0x24, mode->format == ROLL_MJPEG ? 7 : 5, mode->frame_index, 0);
	put16(s, mode->width);
	put16(s, mode->height);
	put32(s, rates[0]);
	put32(s, rates[1]);
	put32(s, mode->frame_size_max);
	put32(s, mode->interval_default);
	put8(s, n);
	for (uint32_t i = 0; i < n; i++)
		put32(s, mode->intervals[i]);
}

static void put_format(struct sink *s, const struct profile *profile, uint8_t format_index)
{
	uint8_t frames = profile_frames(profile, format_index);

	if (profile_find(profile, format_index, 1)->format == ROLL_MJPEG) {
		PUT(s, 11, 0x24, 6, format_index, frames, 1, 1, 0, 0, 0, 0);
	} else {
		PUT(s, 27, 0x24, 4, format_index, frames);
		PUT(s, 'Y', 'U', 'Y', '2', 0, 0, 0x10, 0, 0x80, 0, 0, 0xaa, 0, 0x38, 0x9b, 0x71);
		PUT(s, 16, 1, 0, 0, 0, 0);
	}
	for (uint8_t i = 1; i <= frames; i++)
		put_frame(s, profile_find(profile, format_index, i));
	PUT(s, 6, 0x24, 0x0d, 1, 1, 4); /* colour: BT.709 primaries, BT.601 matrix */
}

static void put_streaming_interface(struct sink *s, const struct profile *profile)
{
	uint8_t formats = profile_formats(profile);
	size_t at;

	PUT(s, 9, 4, INTERFACE_STREAMING, 0, !profile->iso, 0x0e, 0x02, 0, 0);
	at = s->size;
	PUT(s, 13 + formats, 0x24, 1, formats, 0, 0, ENDPOINT_IN, 0, ENTITY_OUTPUT, 0, 0, 0, 1);
	for (uint8_t i = 1; i <= formats; i++)
		put8(s, 0);
	for (uint8_t i = 1; i <= formats; i++)
		put_format(s, profile, i);
	patch16(s, at + 4, s->size - at);
	if (!profile->iso)
		put_endpoint(s, profile, 0);
	for (uint8_t i = 1; profile->iso && i <= ALTERNATES_ISO; i++) {
		PUT(s, 9, 4, INTERFACE_STREAMING, i, 1, 0x0e, 0x02, 0, 0);
		put_endpoint(s, profile, i);
	}
}

static void put_configuration(struct sink *s, const struct profile *profile)
{
	/* 100 mA, or at SuperSpeed, in units of 8 mA, 400 mA */
	PUT(s, 9, DT_CONFIG, 0, 0, 2, 1, 0, 0x80, 50);
	PUT(s, 8, 0x0b, INTERFACE_CONTROL, 2, 0x0e, 0x03, 0, 2);
	put_control_interface(s);
	put_streaming_interface(s, profile);
	patch16(s, 2, s->size);
}

static void put_bos(struct sink *s)
{
	PUT(s, 5, DT_BOS, 22, 0, 2);
	PUT(s, 7, 0x10, 2, 0, 0, 0, 0);
	PUT(s, 10, 0x10, 3, 0, 0x0e, 0, 1, 0, 0, 0);
}

static void put_string(struct sink *s, const char *text)
{
	size_t n = strnlen(text, PROFILE_STRING_MAX - 1);

	PUT(s, 2 + 2 * n, DT_STRING);
	for (size_t i = 0; i < n; i++)
		put16(s, (uint8_t)text[i]);
}

int descriptor_get(const struct profile *profile, uint8_t type, uint8_t index, uint8_t *out)
{
	struct sink s = { out, 0 };
	const char *strings[] = { profile->maker, profile->product, profile->serial };

	if (type == DT_DEVICE && !index)
		put_device(&s, profile);
	else if (type == DT_CONFIG && !index)
		put_configuration(&s, profile);
	else if (type == DT_STRING && !index)
		PUT(&s, 4, DT_STRING, 0x09, 0x04);
	else if (type == DT_STRING && index <= 3)
		put_string(&s, strings[index - 1]);
	else if (type == DT_BOS && !index && profile->super)
		put_bos(&s);
	else
		return -ENOENT;
	return s.size <= DESCRIPTORS_MAX ? (int)s.size : -ENOENT;
}
