// SPDX-License-Identifier: MIT
/*
 * events.c - the bounded memory of one event. Everything in it has a limit, and the limit thins out
 * instead of cutting off: a long event is remembered whole, only coarser.
 */
#include <stdlib.h>
#include <string.h>

#include "cloud/events.h"

void sluice_event_clear(struct sluice_event_log *e)
{
	for (uint32_t i = 0; i < e->track_count; i++)
		free(e->tracks[i].path);
	e->track_count = 0;
	e->moment_count = 0;
	e->activity_count = 0;
	e->object_count = 0;
	e->light_moments = e->motion_moments = 0;
	e->camera_moved = false;
	e->nuisance = SLUICE_NUISANCE_NONE;
	e->peak = 0;
	e->active = false;
	e->scene_change = false;
}

void sluice_event_begin(struct sluice_event_log *e, double t_s)
{
	sluice_event_clear(e);
	e->active = true;
	e->part_start_s = t_s;
	e->last_motion_s = e->end_s = t_s;
}

/* Forget every second moment, but never one with more objects than both neighbours: peaks are kept.
 */
static void thin_out(struct sluice_event_log *e)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < e->moment_count; i++) {
		const struct sluice_moment *m = &e->moments[i];
		bool peak = i && i + 1 < e->moment_count && m->objects > m[-1].objects &&
			    m->objects > m[1].objects;

		if (i % 2 == 0 ||
		    (peak && n + (e->moment_count - i) / 2 < SLUICE_MOMENTS_MAX * 3 / 4))
			e->moments[n++] = *m;
	}
	e->moment_count = n;
}

void sluice_event_moment(struct sluice_event_log *e, const struct sluice_moment *m)
{
	double second = m->t_s - e->part_start_s;

	if (e->moment_count == SLUICE_MOMENTS_MAX)
		thin_out(e);
	e->moments[e->moment_count++] = *m;
	e->camera_moved |= m->camera_moved;
	if (m->motion) {
		e->motion_moments++;
		e->light_moments += m->light;
		if (m->t_s > e->last_motion_s)
			e->last_motion_s = m->t_s;
		if (m->objects > e->peak)
			e->peak = m->objects;
	}
	if (m->motion && m->t_s > e->end_s)
		e->end_s = m->t_s;
	if (second >= 0 && second < SLUICE_ACTIVITY_MAX) {
		uint32_t i = (uint32_t)second;

		while (e->activity_count <= i)
			e->activity[e->activity_count++] = 0;
		if (m->moving > e->activity[i])
			e->activity[i] = m->moving;
	}
}

bool sluice_event_track(struct sluice_event_log *e, struct sluice_track *t)
{
	uint32_t at = e->track_count;

	if (at == SLUICE_EVENT_TRACKS) {
		at = 0;
		for (uint32_t i = 1; i < SLUICE_EVENT_TRACKS; i++)
			if (e->tracks[i].hits < e->tracks[at].hits)
				at = i;
		if (e->tracks[at].hits >= t->hits)
			return false;
		free(e->tracks[at].path);
	} else {
		e->track_count++;
	}
	e->tracks[at] = *t;
	t->path = NULL;
	t->path_count = 0;
	return true;
}
