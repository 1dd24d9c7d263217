// SPDX-License-Identifier: MIT
/*
 * track.c - constant-velocity Kalman filters on centre and size, least-cost assignment on overlap,
 * distance and direction.
 *
 * The frame is SORT (Bewley et al. 2016) with two ideas of OC-SORT (Cao et al. 2023): when a track
 * is seen again after a gap, its filter is run again along the straight line between the two
 * observations (re-update), and the cost counts how far the new direction differs from the observed
 * one. Time is real: pictures come irregularly, so noise, gates and life times are per second,
 * never per picture.
 *
 * A track is told (confirmed) after CONFIRM_HITS sightings; it ends when it was not seen for
 * LOST_S. Only a blob that the gate saw moving begins a track; any blob continues one, so a person
 * who stands still keeps the track for as long as the background does not take the place over.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "cloud/assign.h"
#include "cloud/starved.h"
#include "cloud/track.h"

#define CONFIRM_HITS 3
#define LOST_S	     3.0f
#define MISS_MAX_S   0.5f /* one picture without it counts for no more, however long the gap */
#define STILL_GAP_S  1.0f /* after a longer gap nothing is known of speeds */
#define PATH_STEP_S  0.0999f
#define ACCEL	     120.0f /* pixels/s^2: process noise at 160 pixels of width */
#define MEASURE	     0.008f /* of the picture's width: noise of a blob's edge */
#define SPEED_MAX    1.2f   /* picture widths per second: how far a thing may jump */
#define COST_NONE    4.0f   /* more than any allowed pair */
#define DIRECTION    0.2f   /* weight of the direction cost */
#define LOOK	     0.8f   /* weight of looking different, and ... */
#define LOOK_FAR     40.0f  /* ... the mean difference, in grey levels, that counts fully */
#define SPEED_S	     0.8    /* over which a speed is measured: what flickers has none */
#define HOLE	     0.8f /* sluice_background_edges() of what is left where a thing was, and ... */
#define HOLE_COST    0.6f /* ... why a track goes on with the thing */
#define INSIDE	     0.55f /* of a track's box in a blob: it is in there */
#define RIDER_HITS   3 /* who has been seen so often (twice that where light changes), and ... */
#define RIDER_AREA   0.12f /* ... is so large a part of a blob may be in it with others */
#define ALONE	     1.25f /* a blob that is not larger than this holds one thing */

struct sluice_tracker {
	uint32_t w, h;
	uint32_t next_id;
	double now_s;
	uint32_t count;
	struct sluice_track tracks[SLUICE_TRACKS_MAX];
	float cost[SLUICE_ASSIGN_MAX][SLUICE_ASSIGN_MAX];
};

_Static_assert(SLUICE_TRACKS_MAX <= SLUICE_ASSIGN_MAX && SLUICE_BLOBS_MAX <= SLUICE_ASSIGN_MAX,
	       "assignment");

struct sluice_tracker *sluice_tracker_open(uint32_t w, uint32_t h)
{
	struct sluice_tracker *t = calloc(1, sizeof(*t));

	if (!t)
		return NULL;
	t->w = w;
	t->h = h;
	t->next_id = 1;
	return t;
}

void sluice_tracker_close(struct sluice_tracker *t)
{
	if (!t)
		return;
	for (uint32_t i = 0; i < t->count; i++)
		free(t->tracks[i].path);
	free(t);
}

static void kalman_init(struct sluice_kalman *k, float x, float noise, float speed_sigma)
{
	*k = (struct sluice_kalman){ .x = x,
				     .pxx = noise * noise,
				     .pvv = speed_sigma * speed_sigma };
}

static void kalman_predict(struct sluice_kalman *k, float dt, float accel)
{
	float q = accel * accel, dt2 = dt * dt;

	k->x += k->v * dt;
	k->pxx += dt * (2 * k->pxv + dt * k->pvv) + q * dt2 * dt2 / 4;
	k->pxv += dt * k->pvv + q * dt2 * dt / 2;
	k->pvv += q * dt2;
}

static void kalman_update(struct sluice_kalman *k, float z, float noise)
{
	float s = k->pxx + noise * noise, gx = k->pxx / s, gv = k->pxv / s, e = z - k->x;

	k->x += gx * e;
	k->v += gv * e;
	k->pvv -= gv * k->pxv;
	k->pxv -= gx * k->pxv;
	k->pxx -= gx * k->pxx;
}

static void filter_box(const struct sluice_tracker *t, struct sluice_track *k,
		       const struct sluice_box *b)
{
	float noise = MEASURE * t->w;

	kalman_update(&k->cx, b->x + b->w / 2, noise);
	kalman_update(&k->cy, b->y + b->h / 2, noise);
	kalman_update(&k->w, b->w, noise);
	kalman_update(&k->h, b->h, noise);
}

static void predict(const struct sluice_tracker *t, struct sluice_track *k, float dt)
{
	float accel = ACCEL * t->w / 160.0f;

	kalman_predict(&k->cx, dt, accel);
	kalman_predict(&k->cy, dt, accel);
	kalman_predict(&k->w, dt, accel / 4);
	kalman_predict(&k->h, dt, accel / 4);
	k->w.v *= expf(-dt); /* sizes change, but do not run away */
	k->h.v *= expf(-dt);
}

static float overlap(const struct sluice_box *a, const struct sluice_blob *b)
{
	float x0 = fmaxf(a->x, b->x), x1 = fminf(a->x + a->w, b->x + b->w);
	float y0 = fmaxf(a->y, b->y), y1 = fminf(a->y + a->h, b->y + b->h);
	float i = fmaxf(0, x1 - x0) * fmaxf(0, y1 - y0);

	return i / (a->w * a->h + b->w * b->h - i + 1e-3f);
}

static float look_apart(const float *a, const float *b)
{
	float sum = 0;

	for (int i = 0; i < SLUICE_LOOKS; i++)
		sum += fabsf(a[i] - b[i]);
	return sum / SLUICE_LOOKS;
}

/* 0 (fits) .. about 3; COST_NONE and more: not the same thing. */
static float cost_of(const struct sluice_tracker *t, const struct sluice_track *k,
		     const struct sluice_blob *b, double t_s)
{
	struct sluice_box p = { .w = fmaxf(k->w.x, 1), .h = fmaxf(k->h.x, 1) };
	float dt = t_s - k->seen_s, bx = b->x + b->w / 2, by = b->y + b->h / 2, iou, far, reach,
	      ratio, turn = 0;
	float lx = k->last.x + k->last.w / 2, ly = k->last.y + k->last.h / 2;

	p.x = k->cx.x - p.w / 2;
	p.y = k->cy.x - p.h / 2;
	iou = overlap(&p, b);
	far = hypotf(bx - k->cx.x, by - k->cy.x);
	reach = 0.5f * (hypotf(p.w, p.h) + hypotf(b->w, b->h)) / 2 +
		fminf(SPEED_MAX * t->w * dt, 0.15f * t->w + hypotf(k->vx, k->vy) * dt);
	ratio = b->w * b->h / (k->last.w * k->last.h + 1e-3f);
	if (iou <= 0 && (far > reach || ratio > 6 || ratio < 1 / 6.0f))
		return COST_NONE * 2;
	if (hypotf(k->vx, k->vy) > 0.025f * t->w && hypotf(bx - lx, by - ly) > 0.0125f * t->w) {
		float a = atan2f(by - ly, bx - lx) - atan2f(k->vy, k->vx);

		turn = fabsf(remainderf(a, 2 * (float)M_PI)) / (float)M_PI;
	}
	return 1 - iou + fminf(1, far / (reach + 1e-3f)) + DIRECTION * turn +
	       (b->edges < HOLE ? HOLE_COST : 0) +
	       LOOK * fminf(1, look_apart(k->look, b->look) / LOOK_FAR);
}

static void path_add(struct sluice_track *k, const struct sluice_box *b)
{
	if (k->path_count && b->t_s - k->path[k->path_count - 1].t_s < PATH_STEP_S)
		return;
	if (k->path_count == SLUICE_TRACK_PATH_MAX) { /* keep every second box */
		for (uint32_t i = 0; i < SLUICE_TRACK_PATH_MAX / 2; i++)
			k->path[i] = k->path[2 * i];
		k->path_count /= 2;
	}
	if (k->path)
		k->path[k->path_count++] = *b;
}

/* How well a picture shows the thing: large, not cut by the border, sharp. */
static float view_score(const struct sluice_tracker *t, const struct sluice_blob *b)
{
	bool cut = b->x <= 1 || b->y <= 1 || b->x + b->w >= t->w - 1 || b->y + b->h >= t->h - 1;

	return b->w * b->h * (cut ? 0.4f : 1.0f) * (1 + logf(1 + b->sharpness) / 8);
}

/* Between observations that are SPEED_S apart, as OC-SORT measures directions. */
static void measure_speed(struct sluice_track *k, const struct sluice_box *now)
{
	const struct sluice_box *then = &k->last;
	float dt;

	for (uint32_t i = k->path_count; i-- > 0 && now->t_s - then->t_s < SPEED_S;)
		then = &k->path[i];
	dt = (float)(now->t_s - then->t_s);
	if (!k->hits || dt <= 0)
		return;
	k->vx = (now->x + now->w / 2 - then->x - then->w / 2) / dt;
	k->vy = (now->y + now->h / 2 - then->y - then->h / 2) / dt;
}

static void observe(const struct sluice_tracker *t, struct sluice_track *k,
		    const struct sluice_blob *b, double t_s, uint64_t sequence)
{
	struct sluice_box box = { t_s, b->x, b->y, b->w, b->h };
	float dt = t_s - k->seen_s, score = view_score(t, b), far;
	const struct sluice_box *first = k->path_count ? &k->path[0] : &k->last;

	if (k->hits && dt > 0.7f && k->missed_s > 0) {
		/* re-update: the filter walks the straight line between the observations */
		float done = 0;

		k->cx.x = k->last.x + k->last.w / 2;
		k->cy.x = k->last.y + k->last.h / 2;
		while (done + 0.2f < dt) {
			float f = (done += 0.2f) / dt;
			struct sluice_box mid = { 0, k->last.x + f * (b->x - k->last.x),
						  k->last.y + f * (b->y - k->last.y),
						  k->last.w + f * (b->w - k->last.w),
						  k->last.h + f * (b->h - k->last.h) };

			predict(t, k, 0.2f);
			filter_box(t, k, &mid);
		}
		predict(t, k, dt - done);
	}
	filter_box(t, k, &box);
	measure_speed(k, &box);
	far = hypotf(b->x + b->w / 2 - first->x - first->w / 2,
		     b->y + b->h / 2 - first->y - first->h / 2);
	k->way = fmaxf(k->way, far / hypotf(b->w, b->h));
	if (k->hits && far > 0.5f * fminf(hypotf(b->w, b->h), 0.2f * t->w))
		k->moved = true;
	for (int i = 0; i < SLUICE_LOOKS; i++)
		k->look[i] += (b->look[i] - k->look[i]) * (k->hits ? 0.2f : 1);
	k->usual_w += (b->w - k->usual_w) * (k->hits ? 0.2f : 1);
	k->usual_h += (b->h - k->usual_h) * (k->hits ? 0.2f : 1);
	k->merged = false;
	k->alone_s = t_s;
	k->last = box;
	k->seen_s = t_s;
	k->missed_s = 0;
	k->hits++;
	if (b->support) {
		k->backed++;
		k->backed_hits = k->hits;
		k->backed_s = t_s;
	}
	k->confirmed = k->confirmed || k->hits >= CONFIRM_HITS;
	path_add(k, &box);
	if (score > k->best.score) {
		k->best.score = score;
		k->best.t_s = t_s;
		k->best.sequence = sequence;
	}
}

/* ---- several things in one blob ---- */

static struct sluice_box predicted(const struct sluice_track *k)
{
	float w = fmaxf(k->w.x, 1), h = fmaxf(k->h.x, 1);

	return (struct sluice_box){ 0, k->cx.x - w / 2, k->cy.x - h / 2, w, h };
}

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
		struct sluice_box p = predicted(k);
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

/* It goes on as it went, but stays in the blob. */
static void ride(const struct sluice_tracker *t, struct sluice_track *k,
		 const struct sluice_blob *b, double t_s)
{
	struct sluice_box p = predicted(k);

	p.t_s = t_s;
	/* what grew or shrank on the way in was the group */
	k->w.v = k->h.v = 0;
	k->w.x = p.w = fminf(k->usual_w, b->w);
	k->h.x = p.h = fminf(k->usual_h, b->h);
	p.x = k->cx.x - p.w / 2;
	p.y = k->cy.x - p.h / 2;
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
	path_add(k, &p);
}

/*
 * Tracks of which two or more are in one blob ride it, until it falls apart or is too small to hold
 * them. taken: blobs that need no owner; riding: tracks that need no blob.
 */
static void ride_groups(struct sluice_tracker *t, const struct sluice_blob *blobs, uint32_t count,
			double t_s, bool *taken, bool *riding)
{
	int home[SLUICE_TRACKS_MAX];

	find_homes(t, blobs, count, home);
	for (uint32_t j = 0; j < count; j++) {
		float largest = 0, hidden = 0;
		uint32_t members = 0;

		for (uint32_t i = 0; i < t->count; i++) {
			struct sluice_box p = predicted(&t->tracks[i]);

			if (home[i] != (int)j)
				continue;
			members++;
			largest = fmaxf(largest, p.w * p.h);
			hidden = fmaxf(hidden, (float)(t_s - t->tracks[i].alone_s));
		}
		if (members < 2)
			continue;
		/* as small as one of them: the others are hidden, and after a while gone */
		if (blobs[j].w * blobs[j].h < ALONE * largest && hidden > LOST_S)
			continue;
		taken[j] = true;
		for (uint32_t i = 0; i < t->count; i++)
			if (home[i] == (int)j) {
				riding[i] = true;
				ride(t, &t->tracks[i], &blobs[j], t_s);
			}
	}
}

static void start(struct sluice_tracker *t, const struct sluice_blob *b, double t_s,
		  uint64_t sequence)
{
	struct sluice_track *k;

	if (t->count == SLUICE_TRACKS_MAX)
		return;
	k = &t->tracks[t->count++];
	memset(k, 0, sizeof(*k));
	k->id = t->next_id++;
	k->start_s = k->seen_s = t_s;
	k->path = malloc(SLUICE_TRACK_PATH_MAX * sizeof(*k->path));
	sluice_starved += !k->path;
	kalman_init(&k->cx, b->x + b->w / 2, MEASURE * t->w, 0.3f * t->w);
	kalman_init(&k->cy, b->y + b->h / 2, MEASURE * t->w, 0.3f * t->w);
	kalman_init(&k->w, b->w, MEASURE * t->w, 0.05f * t->w);
	kalman_init(&k->h, b->h, MEASURE * t->w, 0.05f * t->w);
	k->last = (struct sluice_box){ t_s, b->x, b->y, b->w, b->h };
	observe(t, k, b, t_s, sequence);
}

static void end_at(struct sluice_tracker *t, uint32_t i, sluice_track_ended *ended, void *ctx)
{
	ended(ctx, &t->tracks[i]);
	free(t->tracks[i].path); /* NULL if it was taken */
	t->tracks[i] = t->tracks[--t->count];
}

/* Tracks that were not in this picture, dt after the one before, grow old; too old ones end. */
static void age(struct sluice_tracker *t, double t_s, float dt, sluice_track_ended *ended,
		void *ctx)
{
	for (uint32_t i = t->count; i-- > 0;) {
		struct sluice_track *k = &t->tracks[i];

		if (k->seen_s >= t_s)
			continue;
		k->missed_s += fminf(dt, MISS_MAX_S);
		if (k->missed_s > (k->confirmed ? LOST_S : LOST_S / 3))
			end_at(t, i, ended, ctx);
	}
}

/* Nothing moved for a while: whatever is still there stands. */
static void stand_still(struct sluice_track *k)
{
	k->cx.v = k->cy.v = k->w.v = k->h.v = 0;
	k->vx = k->vy = 0;
}

void sluice_tracker_frame(struct sluice_tracker *t, double t_s, uint64_t sequence,
			  const struct sluice_blob *blobs, uint32_t count,
			  sluice_track_ended *ended, void *ctx)
{
	int col_of[SLUICE_ASSIGN_MAX];
	bool taken[SLUICE_BLOBS_MAX] = { false }, riding[SLUICE_TRACKS_MAX] = { false };
	float dt = t_s > t->now_s ? t_s - t->now_s : 0;

	for (uint32_t i = 0; i < t->count; i++) {
		if (dt > STILL_GAP_S)
			stand_still(&t->tracks[i]);
		predict(t, &t->tracks[i], fminf(dt, STILL_GAP_S));
	}
	ride_groups(t, blobs, count, t_s, taken, riding);
	for (uint32_t i = 0; i < t->count; i++)
		for (uint32_t j = 0; j < count; j++)
			t->cost[i][j] = taken[j] || riding[i]
						? COST_NONE
						: fminf(cost_of(t, &t->tracks[i], &blobs[j], t_s),
							COST_NONE);
	t->now_s = t_s;
	sluice_assign(t->cost, t->count, count, col_of);
	for (uint32_t i = 0; i < t->count; i++) {
		int j = col_of[i];

		if (j < 0 || t->cost[i][j] >= COST_NONE)
			continue;
		taken[j] = true;
		observe(t, &t->tracks[i], &blobs[j], t_s, sequence);
	}
	for (uint32_t j = 0; j < count; j++)
		if (!taken[j] && blobs[j].support)
			start(t, &blobs[j], t_s, sequence);
	age(t, t_s, dt, ended, ctx);
}

void sluice_tracker_flush(struct sluice_tracker *t, sluice_track_ended *ended, void *ctx)
{
	while (t->count)
		end_at(t, t->count - 1, ended, ctx);
}

struct sluice_track *sluice_tracker_live(struct sluice_tracker *t, uint32_t *count)
{
	*count = t->count;
	return t->tracks;
}
