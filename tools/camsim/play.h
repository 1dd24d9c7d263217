/* SPDX-License-Identifier: MIT */
/*
 * Which frame of the roll comes next, and when. Reads no clock: times are handed in, in ns.
 */
#ifndef SLUICE_CAMSIM_PLAY_H
#define SLUICE_CAMSIM_PLAY_H

#include <stdbool.h>
#include <stdint.h>

#include "tools/camsim/roll.h"

#define PLAY_NEVER UINT64_MAX

enum play_rate { PLAY_CLIP, PLAY_FIXED, PLAY_MAX };

struct play {
	const struct roll *roll;
	enum play_rate rate;
	uint64_t interval_ns; /* PLAY_FIXED */
	uint32_t passes;      /* how often the roll is played; 0: for ever */
	uint32_t pass, next;  /* the frame that comes next */
	uint64_t base_ns;     /* when frame 0 of pass 0 was due */
	uint64_t silent_until_ns;
	bool running; /* the clock was set */
	bool ended;
	bool paused;
	uint32_t steps; /* frames allowed although paused */
	uint64_t slips; /* how often the clock was set back because the host came too late */
};

/* From the first frame, or (@resume) from where it stood if the roll is the same. */
void play_start(struct play *p, const struct roll *roll, bool resume);
/* The host takes frames from now on: the next one is due at once. */
void play_run(struct play *p, uint64_t now_ns);
/* When the next frame is due; PLAY_NEVER when none is to come. */
uint64_t play_due_ns(const struct play *p);
/* Takes the next frame: its index in the roll. Only when one is due. */
uint32_t play_take(struct play *p, uint64_t now_ns);
/* Everything from the next frame on comes @ns later, and nothing before @now_ns + @ns. */
void play_delay(struct play *p, uint64_t now_ns, uint64_t ns);
void play_pause(struct play *p);
void play_resume(struct play *p, uint64_t now_ns);
void play_step(struct play *p);

#endif
