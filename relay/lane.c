// SPDX-License-Identifier: MIT
/*
 * One run is open in a lane at a time: OPEN with the range that is on the disk; its frames, from
 * RESUME on; OPEN again with a longer range if the run has grown meanwhile; CLOSE when it has ended
 * and all of it was sent. DONE comes later, and only then is the run forgotten: one that the cloud
 * was told of is opened and closed again on each new link until then, even if nothing of it is
 * left to be sent.
 *
 * The spool gives out its frames in one row, oldest first, whichever camera they are of; while a
 * lane waits for OPENED, the others wait with it.
 */
#include "relay/lane.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

void relay_lanes_link(struct relay_lanes *l, bool up)
{
	if (!l->spool)
		return;
	memset(l->lane, 0, sizeof(l->lane));
	for (struct relay_run *r = relay_spool_runs(l->spool); r; r = r->next) {
		r->closed = false;
		r->sent_next = 0;
	}
	relay_spool_rewind(l->spool);
}

static int find_camera(const struct relay_lanes *l, const char *name)
{
	for (int i = 0; i < (int)SLUICE_WIRE_SLOTS; i++)
		if (!strcmp(l->camera[i].name, name))
			return i;
	return -1;
}

void relay_lanes_hold(struct relay_lanes *l)
{
	if (!l->spool)
		return;
	for (unsigned int i = 0; i < SLUICE_WIRE_SLOTS; i++)
		l->camera[i].held = false;
	for (struct relay_run *r = relay_spool_runs(l->spool); r; r = r->next) {
		const char *name = relay_spool_camera(l->spool, r->camera);
		int at = find_camera(l, name);

		if (at < 0)
			at = find_camera(l, "");
		if (at < 0)
			continue; /* until one of the others is finished */
		snprintf(l->camera[at].name, sizeof(l->camera[at].name), "%s", name);
		l->camera[at].slot = (uint32_t)at + 1;
		l->camera[at].held = true;
	}
}

static int lane_of(const struct relay_lanes *l, const struct relay_run *r)
{
	return find_camera(l, relay_spool_camera(l->spool, r->camera));
}

static bool is_spent(const struct relay_run *r)
{
	return r->ended && !r->staged && r->left == r->flight;
}

static bool want_step(struct relay_lane_todo *t, enum relay_step step, unsigned int lane,
		      struct relay_run *run)
{
	t->step = step;
	t->lane = lane;
	t->run = run;
	return true;
}

/* A run that is to be closed, or to be opened only to be closed. */
static bool next_close(struct relay_lanes *l, struct relay_lane_todo *t)
{
	for (unsigned int i = 0; i < SLUICE_WIRE_SLOTS; i++)
		if (l->lane[i].phase == RELAY_OPEN && is_spent(l->lane[i].run))
			return want_step(t, RELAY_SEND_CLOSE, i, l->lane[i].run);
	for (struct relay_run *r = relay_spool_runs(l->spool); r; r = r->next) {
		int at = r->told && !r->closed && is_spent(r) && !r->left ? lane_of(l, r) : -1;

		if (at >= 0 && l->lane[at].phase == RELAY_NEW)
			return want_step(t, RELAY_SEND_OPEN, (unsigned int)at, r);
	}
	return false;
}

void relay_lanes_next(struct relay_lanes *l, struct relay_lane_todo *t)
{
	struct relay_lane *lane;
	int at;

	t->step = RELAY_NOTHING;
	if (!l->spool || next_close(l, t))
		return;
	while (relay_spool_peek(l->spool, &t->frame) > 0) {
		struct relay_run *run = t->frame.run;

		at = lane_of(l, run);
		if (at < 0)
			return;
		lane = &l->lane[at];
		if (lane->phase == RELAY_OPENING)
			return;
		if (lane->phase == RELAY_OPEN && lane->run == run &&
		    t->frame.sequence < lane->resume) {
			if (relay_spool_skip(l->spool))
				return;
			continue;
		}
		if (lane->phase == RELAY_NEW)
			want_step(t, RELAY_SEND_OPEN, (unsigned int)at, run);
		else if (lane->run != run)
			want_step(t, RELAY_SEND_CLOSE, (unsigned int)at, lane->run);
		else if (t->frame.sequence > lane->last)
			want_step(t, RELAY_SEND_OPEN, (unsigned int)at, run);
		else
			want_step(t, RELAY_SEND_FRAME, (unsigned int)at, run);
		return;
	}
	next_close(l, t); /* a run may have turned out to be spent */
}

void relay_lanes_sent(struct relay_lanes *l, const struct relay_lane_todo *t)
{
	struct relay_lane *lane = &l->lane[t->lane];

	switch (t->step) {
	case RELAY_SEND_OPEN:
		lane->phase = RELAY_OPENING;
		lane->run = t->run;
		lane->last = t->run->last;
		t->run->closed = false; /* DONE of an earlier CLOSE is not meant for this */
		relay_spool_run_told(l->spool, t->run);
		break;
	case RELAY_SEND_FRAME:
		l->sent++;
		t->run->sent_next = t->frame.sequence + 1;
		relay_spool_taken(l->spool);
		break;
	case RELAY_SEND_CLOSE:
		t->run->closed = true;
		lane->phase = RELAY_NEW;
		lane->run = NULL;
		break;
	default:
		break;
	}
}

/* ---- from the cloud ---- */

int relay_lanes_opened(struct relay_lanes *l, unsigned int at, uint64_t epoch, uint64_t resume)
{
	struct relay_lane *lane = &l->lane[at];

	if (!l->spool || lane->phase != RELAY_OPENING || lane->run->epoch != epoch ||
	    (resume && resume - 1 > lane->last))
		return -EPROTO;
	lane->phase = RELAY_OPEN;
	lane->resume = resume;
	return 0;
}

int relay_lanes_stored(struct relay_lanes *l, unsigned int at, uint64_t epoch, uint64_t cumulative)
{
	struct relay_run *of = NULL;
	uint64_t sent_next = 0;

	if (!l->spool)
		return -EPROTO;
	for (struct relay_run *r = relay_spool_runs(l->spool); r; r = r->next) {
		if (r->epoch != epoch || lane_of(l, r) != (int)at)
			continue;
		of = r;
		if (r->sent_next > sent_next)
			sent_next = r->sent_next;
	}
	if (!of)
		return 0; /* of runs that are over: told twice */
	if (cumulative >= sent_next)
		return -EPROTO; /* never sent */
	relay_spool_stored(l->spool, of->camera, epoch, cumulative);
	return 0;
}

int relay_lanes_rejected(struct relay_lanes *l, unsigned int at, uint64_t epoch, uint64_t sequence)
{
	if (l->spool)
		for (struct relay_run *r = relay_spool_runs(l->spool); r; r = r->next)
			if (lane_of(l, r) == (int)at)
				return relay_spool_rejected(l->spool, r->camera, epoch, sequence);
	return -EPROTO;
}

int relay_lanes_done(struct relay_lanes *l, unsigned int at, uint64_t epoch, uint64_t first)
{
	if (!l->spool)
		return -EPROTO;
	for (struct relay_run *r = relay_spool_runs(l->spool); r; r = r->next)
		if (r->epoch == epoch && r->first == first && lane_of(l, r) == (int)at) {
			if (r->closed) /* else it answers the CLOSE of an earlier link */
				relay_spool_forget_run(l->spool, r);
			return 0;
		}
	return 0; /* told twice */
}
