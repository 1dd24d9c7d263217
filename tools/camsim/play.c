// SPDX-License-Identifier: MIT
/*
 * The clock of a roll: its own times, a fixed rate, or as fast as the host takes the frames.
 *
 * The clock starts when the host's first URB is there, so frame 0 is never missed, and no frame is
 * ever left out: a host that falls behind gets the frames late. One that is more than half a second
 * behind (a stopped virtual machine) gets them at the clip's pace from then on, not in a burst;
 * that is counted as a slip.
 */
#include "tools/camsim/play.h"

#define LATE_NS 500000000ull

static uint64_t offset_ns(const struct play *p)
{
	if (p->rate == PLAY_FIXED)
		return ((uint64_t)p->pass * p->roll->count + p->next) * p->interval_ns;
	return p->pass * p->roll->pass_ns + p->roll->frames[p->next].pts_ns;
}

void play_start(struct play *p, const struct roll *roll, bool resume)
{
	if (!resume || p->roll != roll || p->ended) {
		p->next = 0;
		p->pass = 0;
	}
	p->roll = roll;
	p->ended = false;
	p->running = false;
}

void play_run(struct play *p, uint64_t now_ns)
{
	if (p->running || p->ended)
		return;
	p->running = true;
	p->base_ns = now_ns - offset_ns(p);
}

uint64_t play_due_ns(const struct play *p)
{
	if (!p->running || p->ended || (p->paused && !p->steps))
		return PLAY_NEVER;
	if (p->rate == PLAY_MAX || p->steps)
		return p->silent_until_ns;
	return p->base_ns + offset_ns(p);
}

uint32_t play_take(struct play *p, uint64_t now_ns)
{
	uint64_t due = p->base_ns + offset_ns(p);
	uint32_t frame = p->next;

	if (p->steps)
		p->steps--;
	else if (p->rate != PLAY_MAX && now_ns > due && now_ns - due > LATE_NS) {
		p->base_ns += now_ns - due;
		p->slips++;
	}
	if (++p->next == p->roll->count) {
		p->next = 0;
		p->pass++;
		p->ended = p->pass == p->passes;
	}
	return frame;
}

void play_delay(struct play *p, uint64_t now_ns, uint64_t ns)
{
	p->base_ns += ns;
	p->silent_until_ns = now_ns + ns;
}

void play_pause(struct play *p)
{
	p->paused = true;
}

void play_resume(struct play *p, uint64_t now_ns)
{
	if (!p->paused)
		return;
	p->paused = false;
	p->steps = 0;
	if (!p->running)
		return;
	p->running = false;
	play_run(p, now_ns);
}

void play_step(struct play *p)
{
	p->steps++;
}
