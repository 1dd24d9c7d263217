/* SPDX-License-Identifier: MIT */
/*
 * reel.h - a file of FRAMEs as sluice-relay sent them, to be sent again: one struct reel_head, then
 * each frame as one struct reel_frame and its payload. It lives for one run on one machine: host
 * order.
 */
#ifndef TESTS_BENCH_REEL_H
#define TESTS_BENCH_REEL_H

#include <stdint.h>

#define REEL_MAGIC	0x6c656572u /* "reel" */
#define REEL_FRAMES_MAX 4096

struct reel_head {
	uint32_t magic, count; /* frames */
	uint32_t width, height;
	uint64_t span_ns; /* after so long it may begin anew */
};

struct reel_frame {
	uint64_t time_ns; /* since the first frame */
	uint32_t base;	  /* of a region: number of the frame that it completes; else its own */
	uint32_t size;	  /* bytes of the payload: struct sluice_wire_frame and what follows */
};

_Static_assert(sizeof(struct reel_head) == 24, "reel head");
_Static_assert(sizeof(struct reel_frame) == 16, "reel frame");

#endif
