/* SPDX-License-Identifier: MIT */
/*
 * Faults: what goes wrong with which frame, as a fixed script.
 *
 * "name:frame[:value],...". A frame's number counts every frame that the camera sent since the
 * program began, from 0, over restarts and replugs, so each fault happens once. Several may meet in
 * one frame.
 */
#ifndef SLUICE_CAMSIM_FAULT_H
#define SLUICE_CAMSIM_FAULT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "tools/camsim/roll.h"

#define FAULTS_MAX 64

enum fault_kind {
	FAULT_TRUNC,	 /* cut the frame to value % (50) */
	FAULT_RANDOM,	 /* value random bytes (0: all of them) in the middle of the frame */
	FAULT_SIZE,	 /* another picture size: the JPEG claims half, YUYV is a quarter */
	FAULT_PAD,	 /* value (512) zeros behind the frame */
	FAULT_OVER,	 /* zeros up to value (1000) bytes beyond what the driver's buffer holds */
	FAULT_ERR,	 /* error bit in every payload header */
	FAULT_HLEN,	 /* header length byte is value (0) */
	FAULT_NOEOF,	 /* end-of-frame bit missing */
	FAULT_NOFID,	 /* frame ID bit not toggled */
	FAULT_EMPTY,	 /* a header with end-of-frame and no data */
	FAULT_SILENT,	 /* value (1500) ms of silence before the frame */
	FAULT_URBSTATUS, /* one URB ends with status -value (71) before the frame; may be repeated
			  */
	FAULT_PKTSTATUS, /* one isochronous packet ends with -value (18), its data in the next */
	FAULT_DETACH, /* unplugged before the frame; plugged in again after value ms (0: never) */
	FAULT_CUTOFF, /* the same, in the middle of the frame */
	FAULT_STALL,  /* frame counts commits: that one is stalled */
	FAULT_STALLPROBE, /* frame counts probes that were set: that one is stalled */
	FAULT_KINDS
};

struct fault {
	enum fault_kind kind;
	uint64_t frame;
	uint32_t value;
	bool done;
};

struct fault_list {
	struct fault items[FAULTS_MAX];
	uint32_t count;
};

/* What meets in one frame. */
struct fault_set {
	uint32_t mask; /* 1 << enum fault_kind */
	uint32_t value[FAULT_KINDS];
	uint32_t times[FAULT_KINDS];
};

/* Adds a specification; -EINVAL and @why for one that is not understood, and nothing is added. */
int fault_parse(struct fault_list *list, const char *text, char *why, size_t why_size);

/* Takes one fault of @kind that is due at @frame off the list: true and its value. */
bool fault_take(struct fault_list *list, enum fault_kind kind, uint64_t frame, uint32_t *value);

/* Takes every fault that concerns the bytes of @frame. */
void fault_collect(struct fault_list *list, uint64_t frame, struct fault_set *set);

/* "trunc+err", or "" */
void fault_describe(const struct fault_set *set, char *text, size_t size);

/* Bytes of a frame after its faults; @scratch is kept between frames and freed by its owner. */
struct fault_bytes {
	const uint8_t *data;
	size_t size;
	uint8_t *scratch;
	size_t room;
};

/*
 * Applies the faults that change a frame's bytes. @size_max is what the driver's buffer holds. The
 * source is never written to. 0 or -ENOMEM. Random bytes depend on @seed alone.
 */
int fault_apply(const struct fault_set *set, enum roll_format format, uint32_t size_max,
		uint64_t seed, const uint8_t *data, size_t size, struct fault_bytes *bytes);

/* The lines of --help. */
void fault_print_help(FILE *to);

#endif
