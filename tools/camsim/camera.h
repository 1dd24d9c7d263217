/* SPDX-License-Identifier: MIT */
/*
 * The camera: rolls in, URBs answered. One thread; its owner polls the socket and the deadline.
 */
#ifndef SLUICE_CAMSIM_CAMERA_H
#define SLUICE_CAMSIM_CAMERA_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "tools/camsim/descriptors.h"
#include "tools/camsim/fault.h"
#include "tools/camsim/payload.h"
#include "tools/camsim/play.h"
#include "tools/camsim/usbip.h"
#include "tools/camsim/uvc_control.h"

struct camera_counters {
	uint64_t frames; /* begun; the number of the next one */
	uint64_t complete, cut, bytes;
	uint64_t attaches, streams, commits, probes, passes;
};

struct camera {
	/* settings, made by the owner before the first attach */
	struct profile profile;
	struct roll rolls[PROFILE_MODES_MAX]; /* of the mode with the same index */
	struct fault_list faults;
	const char *vhci_dir;
	FILE *log;   /* a JSON line per frame; NULL: none */
	bool resume; /* a new stream goes on where the last one stopped */
	enum play_rate rate;
	uint64_t rate_ns; /* frame interval of PLAY_FIXED */

	/* state */
	int fd; /* -1: unplugged */
	int port;
	bool streaming;
	bool ended;	    /* the roll's last frame has gone; until the next stream */
	uint64_t replug_ns; /* 0: no plan */
	uint64_t bus_ns;    /* iso: when the next URB's time is over */
	uint32_t roll;	    /* being played */
	uint32_t frame;	    /* in flight: index in the roll, */
	uint64_t number;    /* number, */
	uint32_t crc32;	    /* checksum after faults, */
	uint8_t fid;
	bool silenced; /* the next frame comes after a silence; for the log */
	uint32_t cutoff_ms;
	struct fault_set set; /* and faults */
	struct fault_bytes bytes;
	struct play play;
	struct payload payload;
	struct uvc_control control;
	struct camera_counters counters;
	struct usbip usbip;
};

/* 0 or -errno, and @why says what to do. Attached already: 0. */
int camera_attach(struct camera *c, char *why, size_t why_size);
/* Hangs up; @reason goes to stdout. */
void camera_detach(struct camera *c, const char *reason);
/* The socket has something. */
void camera_readable(struct camera *c, uint64_t now_ns);
/* Does what is due: frames, expired unlinks, a planned replug. */
void camera_tick(struct camera *c, uint64_t now_ns);
/* When to call camera_tick next without anything on the socket; PLAY_NEVER when never. */
uint64_t camera_deadline_ns(const struct camera *c);
/* One JSON object. */
void camera_status(const struct camera *c, char *text, size_t size);
/* Frees rolls and buffers; detached before. */
void camera_free(struct camera *c);

#endif
