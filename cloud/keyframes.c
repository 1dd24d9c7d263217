// SPDX-License-Identifier: MIT
/*
 * keyframes.c - in order of importance: the picture that shows each track best; one picture of
 * every burst of motion (bursts are parted by a second of rest); pictures that close stretches of
 * motion of which nothing is shown yet. A candidate that looks like a chosen one and lies close to
 * it in time adds nothing and is left out (its tracks are named on the chosen one).
 *
 * Of a stretch that picture is taken that is least like all chosen ones (look.h), the way in which
 * VSUMM (de Avila et al. 2011) wants one picture of each kind; and one that shows the same colours
 * in the same places as a chosen one, however long before, is none at all.
 *
 * When there are more candidates than room, longer tracks, heavier bursts and longer stretches go
 * first.
 */
#include <math.h>
#include <stdlib.h>

#include "cloud/keyframes.h"

#define BURST_REST_S 1.0f
#define BURSTS_MAX   128
#define SAME_S	     0.8  /* closer pictures are one ... */
#define SAME_BURST_S 0.2  /* ... but a burst is shown for certain */
#define ALIKE_S	     3.0f /* within this, pictures that look alike are one */
#define ALIKE_GREY   4.0f /* mean difference of the thumbnails */
#define STRETCH_S    2.5f /* least stretch of motion that deserves a picture of its own */

struct choice {
	const struct sluice_event_log *e;
	struct sluice_keyframe *out;
	const struct sluice_moment *from[SLUICE_KEYFRAMES_MAX];
	uint32_t count, max;
	double apart; /* pictures closer than this are one */
};

static const struct sluice_moment *moment_near(const struct sluice_event_log *e, uint64_t sequence,
					       double t_s)
{
	const struct sluice_moment *best = NULL;

	for (uint32_t i = 0; i < e->moment_count; i++) {
		const struct sluice_moment *m = &e->moments[i];

		if (m->sequence == sequence)
			return m;
		if (!best || fabs(m->t_s - t_s) < fabs(best->t_s - t_s))
			best = m;
	}
	return best;
}

static float difference(const struct sluice_moment *a, const struct sluice_moment *b)
{
	float sum = 0;

	for (int i = 0; i < SLUICE_THUMB; i++)
		sum += fabsf((float)a->thumb[i] - b->thumb[i]);
	return sum / SLUICE_THUMB;
}

/* The same things in the same places, at whatever time. */
static bool repeats(const struct choice *c, const struct sluice_moment *m)
{
	for (uint32_t i = 0; i < c->count; i++)
		if (c->from[i]->objects == m->objects && difference(c->from[i], m) < ALIKE_GREY &&
		    sluice_look_alike(&c->from[i]->look, &m->look))
			return true;
	return false;
}

static void name_track(struct sluice_keyframe *k, uint32_t id)
{
	if (!id || k->track_count == SLUICE_KEYFRAME_TRACKS)
		return;
	for (uint32_t i = 0; i < k->track_count; i++)
		if (k->tracks[i] == id)
			return;
	k->tracks[k->track_count++] = id;
}

/* Take a moment unless it adds nothing. alike: also leave it out for looking like a near one. */
static void take(struct choice *c, const struct sluice_moment *m, const char *why, uint32_t track,
		 bool alike)
{
	struct sluice_keyframe *k;

	for (uint32_t i = 0; i < c->count; i++) {
		double dt = fabs(c->from[i]->t_s - m->t_s);

		if (dt < c->apart ||
		    (alike && dt < ALIKE_S && difference(c->from[i], m) < ALIKE_GREY)) {
			if (dt < 0.05)
				name_track(&c->out[i], track);
			return;
		}
	}
	if (c->count == c->max)
		return;
	c->from[c->count] = m;
	k = &c->out[c->count++];
	*k = (struct sluice_keyframe){ .sequence = m->sequence, .t_s = m->t_s, .why = why };
	name_track(k, track);
}

static int longer(const void *p, const void *q)
{
	const struct sluice_track *const *a = p, *const *b = q;
	float la = (*a)->seen_s - (*a)->start_s, lb = (*b)->seen_s - (*b)->start_s;

	return la < lb ? 1 : la > lb ? -1 : 0;
}

static void take_best_views(struct choice *c)
{
	const struct sluice_track *by_length[SLUICE_EVENT_TRACKS];
	uint32_t n = 0, room = c->max;

	for (uint32_t i = 0; i < c->e->track_count; i++)
		by_length[n++] = &c->e->tracks[i];
	qsort(by_length, n, sizeof(by_length[0]), longer);
	c->max = (c->max + 1) / 2; /* the other half is kept for bursts and stretches */
	for (uint32_t i = 0; i < n; i++) {
		const struct sluice_moment *m =
			moment_near(c->e, by_length[i]->best.sequence, by_length[i]->best.t_s);

		/* a track may go on after the event, in frames of the post-roll */
		if (m && m->t_s >= c->e->part_start_s && m->t_s <= c->e->end_s)
			take(c, m, "best view", by_length[i]->id, true);
	}
	c->max = room;
}

static bool shown(const struct choice *c, double start, double end)
{
	for (uint32_t i = 0; i < c->count; i++)
		if (c->from[i]->t_s >= start - 0.01f && c->from[i]->t_s <= end + 0.01f)
			return true;
	return false;
}

static bool near_chosen(const struct choice *c, double t_s)
{
	return shown(c, t_s - c->apart, t_s + c->apart);
}

/* The most telling moment with motion between two times that is not near a chosen one, or NULL. */
static const struct sluice_moment *busiest(const struct choice *c, double start, double end)
{
	const struct sluice_event_log *e = c->e;
	const struct sluice_moment *best = NULL;

	for (uint32_t i = 0; i < e->moment_count; i++) {
		const struct sluice_moment *m = &e->moments[i];

		if (!m->motion || m->t_s < start || m->t_s > end || near_chosen(c, m->t_s))
			continue;
		if (!best || m->objects > best->objects ||
		    (m->objects == best->objects && m->moving > best->moving))
			best = m;
	}
	return best;
}

/* How little a moment is like the chosen ones: the least distance to any, 0..2. */
static float newness(const struct choice *c, const struct sluice_moment *m)
{
	float least = 2;

	for (uint32_t i = 0; i < c->count; i++) {
		const struct sluice_look *l = &c->from[i]->look;
		float d = sluice_look_colours(l, &m->look) + sluice_look_places(l, &m->look);

		least = fminf(least, d);
	}
	return least;
}

/* Of those with motion between two times that are not near a chosen one, and of those the ones in
 * which most things are seen: the newest sight, unless it is none. */
static const struct sluice_moment *newest(const struct choice *c, double start, double end)
{
	const struct sluice_event_log *e = c->e;
	const struct sluice_moment *best = NULL;
	float most = -1;

	for (uint32_t i = 0; i < e->moment_count; i++) {
		const struct sluice_moment *m = &e->moments[i];
		float n;

		if (!m->motion || m->t_s < start || m->t_s > end || near_chosen(c, m->t_s) ||
		    (best && m->objects < best->objects) || repeats(c, m))
			continue;
		n = newness(c, m);
		if (best && m->objects == best->objects && n <= most)
			continue;
		best = m;
		most = n;
	}
	return best;
}

/*
 * The heart of a burst is where the gate's score reaches half of the burst's highest. A picture
 * from outside it may show nothing of what moved (it was not in the picture yet, or has left it),
 * so it does not count as showing the burst.
 */
static void take_burst(struct choice *c, double start, double last)
{
	const struct sluice_event_log *e = c->e;
	const struct sluice_moment *m;
	double from = last, to = start;
	uint32_t most = 0;

	for (uint32_t i = 0; i < e->moment_count; i++) {
		m = &e->moments[i];
		if (m->motion && m->t_s >= start && m->t_s <= last && m->score > most)
			most = m->score;
	}
	for (uint32_t i = 0; i < e->moment_count; i++) {
		m = &e->moments[i];
		if (!m->motion || m->t_s < start || m->t_s > last || m->score < most / 2)
			continue;
		from = fmin(from, m->t_s);
		to = fmax(to, m->t_s);
	}
	if (shown(c, from, to))
		return;
	m = busiest(c, from, to);
	if (!m) {
		c->apart = SAME_BURST_S;
		m = busiest(c, from, to);
	}
	if (m)
		take(c, m, "burst", 0, false);
	c->apart = SAME_S;
}

struct burst {
	double start, last;
	double weight; /* moving share, summed over its pictures */
};

static int heavier(const void *p, const void *q)
{
	const struct burst *a = p, *b = q;

	return a->weight < b->weight ? 1 : a->weight > b->weight ? -1 : 0;
}

/* Find the bursts; when there are more than BURSTS_MAX the first ones are taken. */
static uint32_t find_bursts(const struct sluice_event_log *e, struct burst *out)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < e->moment_count; i++) {
		const struct sluice_moment *m = &e->moments[i];

		if (!m->motion)
			continue;
		if (!n || m->t_s - out[n - 1].last > BURST_REST_S) {
			if (n == BURSTS_MAX)
				break;
			out[n++] = (struct burst){ .start = m->t_s };
		}
		out[n - 1].last = m->t_s;
		out[n - 1].weight += m->moving;
	}
	return n;
}

static void take_bursts(struct choice *c)
{
	struct burst bursts[BURSTS_MAX];
	uint32_t n = find_bursts(c->e, bursts);

	qsort(bursts, n, sizeof(bursts[0]), heavier);
	for (uint32_t i = 0; i < n; i++)
		take_burst(c, bursts[i].start, bursts[i].last);
}

/* A stretch between two chosen pictures (or the event's ends). */
struct stretch {
	double from, to;
};

#define TRIED_MAX (2 * SLUICE_KEYFRAMES_MAX + 1)

/* The longest stretch that was not tried yet; its length is 0 if there is none. */
static struct stretch longest_stretch(const struct choice *c, const struct stretch *tried,
				      uint32_t tried_count)
{
	double before = c->e->part_start_s, last = c->e->last_motion_s;
	struct stretch best = { 0, 0 };

	while (before < last) {
		struct stretch s = { before, last };
		bool old = false;

		for (uint32_t i = 0; i < c->count; i++)
			if (c->from[i]->t_s > before && c->from[i]->t_s < s.to)
				s.to = c->from[i]->t_s;
		for (uint32_t i = 0; i < tried_count; i++)
			old |= tried[i].from == s.from && tried[i].to == s.to;
		if (!old && s.to - s.from > best.to - best.from)
			best = s;
		before = s.to;
	}
	return best;
}

/* Again and again: the longest stretch between chosen pictures gets one from its middle. One with
 * nothing to show there is passed over. */
static void take_stretches(struct choice *c)
{
	struct stretch tried[TRIED_MAX];
	uint32_t n = 0;

	while (c->count < c->max && n < TRIED_MAX) {
		struct stretch s = longest_stretch(c, tried, n);
		double quarter = (s.to - s.from) / 4;
		const struct sluice_moment *m;

		if (s.to - s.from < STRETCH_S)
			return;
		tried[n++] = s;
		m = newest(c, s.from + quarter, s.to - quarter);
		if (m)
			take(c, m, "coverage", 0, false);
	}
}

static int earlier(const void *p, const void *q)
{
	const struct sluice_keyframe *a = p, *b = q;

	return a->t_s < b->t_s ? -1 : a->t_s > b->t_s ? 1 : 0;
}

uint32_t sluice_keyframes_choose(const struct sluice_event_log *e, uint32_t max,
				 struct sluice_keyframe out[SLUICE_KEYFRAMES_MAX])
{
	struct choice c = { .apart = SAME_S,
			    .e = e,
			    .out = out,
			    .max = max < SLUICE_KEYFRAMES_MAX ? max : SLUICE_KEYFRAMES_MAX };
	const struct sluice_moment *peak;

	if (!e->moment_count || !max)
		return 0;
	take_best_views(&c);
	take_bursts(&c);
	take_stretches(&c);
	peak = busiest(&c, e->part_start_s, e->end_s);
	if (peak && c.count && repeats(&c, peak))
		peak = NULL;
	if (peak || !c.count)
		take(&c, peak ? peak : &e->moments[e->moment_count / 2], "peak", 0, true);
	for (uint32_t i = 0; i < c.count; i++)
		for (uint32_t k = 0; k < e->track_count; k++)
			if (e->tracks[k].start_s <= out[i].t_s && e->tracks[k].seen_s >= out[i].t_s)
				name_track(&out[i], e->tracks[k].id);
	qsort(out, c.count, sizeof(out[0]), earlier);
	return c.count;
}
