// SPDX-License-Identifier: MIT
/*
 * track_group.c - several things in one blob: whoever walked in rides it until it falls apart.
 *
 * Who is in there goes on as it went before the blobs met; the box that grew and shrank while they
 * did says nothing of its way. Where its portrait is found in the picture near that place, that is
 * where it is; one that is behind another is found nowhere, and goes on blindly.
 */
#include <math.h>

#include "cloud/track_state.h"

#define INSIDE	    0.55f /* of a track's box in a blob: it is in there */
#define RIDER_HITS  3	  /* who has been seen so often (twice that where light changes), and ... */
#define RIDER_AREA  0.12f /* ... is so large a part of a blob may be in it with others */
#define ALONE	    1.25f /* a blob that is not larger than this holds one thing */
#define REACH_X	    0.025f  /* of the picture's width: how far a portrait is looked for, and ... */
#define REACH_Y	    0.0065f /* ... up and down */
#define FOUND	    28.0f   /* grey levels: more alike than that is no chance */
#define FOUND_NOISE (1.5f * TRACK_NOISE) /* of a place that a portrait was found at */

/* Share of the box that lies in the blob. */
static float inside(const struct sluice_box *a, const struct sluice_blob *b)
{
	float w = fminf(a->x + a->w, b->x + b->w) - fmaxf(a->x, b->x);
	float h = fminf(a->y + a->h, b->y + b->h) - fmaxf(a->y, b->y);

	return fmaxf(0, w) * fmaxf(0, h) / (a->w * a->h);
}

/* The blob that most of each track is in, or -1. */
static void find_homes(const struct sluice_tracker *t, const struct sluice_blob *blobs,
		       uint32_t count, int home[SLUICE_TRACKS_MAX])
{
	for (uint32_t i = 0; i < t->count; i++) {
		const struct sluice_track *k = &t->tracks[i];
		uint32_t need = k->light_hits ? 2 * RIDER_HITS : RIDER_HITS;
		struct sluice_box p = track_predicted(k);
		float most = INSIDE;

		home[i] = -1;
		for (uint32_t j = 0; j < count && k->hits >= need; j++)
			if (inside(&p, &blobs[j]) > most &&
			    p.w * p.h > RIDER_AREA * blobs[j].w * blobs[j].h) {
				most = inside(&p, &blobs[j]);
				home[i] = (int)j;
			}
	}
}

/* From where it was last seen alone, at the speed that it had. */
static void walk_in(struct sluice_track *k, double t_s)
{
	float dt = (float)(t_s - k->seen_s);

	k->cx.x = k->last.x + k->last.w / 2 + k->vx * dt;
	k->cy.x = k->last.y + k->last.h / 2 + k->vy * dt;
	k->cx.v = k->vx;
	k->cy.v = k->vy;
}

/* If its portrait is found there, the place counts as seen. */
static void look_for(const struct sluice_tracker *t, struct sluice_track *k)
{
	const struct sluice_portrait *known = &t->portrait[k - t->tracks];
	float w = k->usual_w, h = k->usual_h, x = k->cx.x - w / 2, y = k->cy.x - h / 2;
	int reach_x = (int)ceilf(REACH_X * (float)t->w),
	    reach_y = (int)ceilf(REACH_Y * (float)t->w);

	if (known->views < TRACK_PORTRAIT_MIN ||
	    sluice_portrait_find(known, &t->sitting, reach_x, reach_y, &x, &y, w, h) >= FOUND)
		return;
	kalman_update(&k->cx, x + w / 2, FOUND_NOISE * (float)t->w);
	kalman_update(&k->cy, y + h / 2, FOUND_NOISE * (float)t->w);
}

/* It goes on as it went, but stays in the blob. */
static void ride(const struct sluice_tracker *t, struct sluice_track *k,
		 const struct sluice_blob *b, double t_s)
{
	struct sluice_box p;

	if (!k->merged)
		walk_in(k, t_s);
	/* what grew or shrank on the way in was the group */
	k->w.v = k->h.v = 0;
	k->w.x = fminf(k->usual_w, b->w);
	k->h.x = fminf(k->usual_h, b->h);
	look_for(t, k);
	p = track_predicted(k);
	p.t_s = t_s;
	p.x = fmaxf(b->x, fminf(p.x, b->x + b->w - p.w));
	p.y = fmaxf(b->y, fminf(p.y, b->y + b->h - p.h));
	k->cx.x = p.x + p.w / 2;
	k->cy.x = p.y + p.h / 2;
	k->merged = true;
	if (b->support)
		k->backed_s = t_s;
	k->last = p;
	k->seen_s = t_s;
	k->missed_s = 0;
	track_path_add(k, &p);
}

void track_ride_groups(struct sluice_tracker *t, const struct sluice_blob *blobs, uint32_t count,
		       double t_s, bool *taken, bool *riding)
{
	int home[SLUICE_TRACKS_MAX];

	find_homes(t, blobs, count, home);
	for (uint32_t j = 0; j < count; j++) {
		float largest = 0, hidden = 0;
		uint32_t members = 0;

		for (uint32_t i = 0; i < t->count; i++) {
			struct sluice_box p = track_predicted(&t->tracks[i]);

			if (home[i] != (int)j)
				continue;
			members++;
			largest = fmaxf(largest, p.w * p.h);
			hidden = fmaxf(hidden, (float)(t_s - t->tracks[i].alone_s));
		}
		if (members < 2)
			continue;
		/* as small as one of them: the others are hidden, and after a while gone */
		if (blobs[j].w * blobs[j].h < ALONE * largest && hidden > TRACK_LOST_S)
			continue;
		taken[j] = true;
		for (uint32_t i = 0; i < t->count; i++)
			if (home[i] == (int)j) {
				riding[i] = true;
				ride(t, &t->tracks[i], &blobs[j], t_s);
			}
	}
}
