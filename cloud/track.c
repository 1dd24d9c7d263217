// SPDX-License-Identifier: MIT
/*
 * track.c - constant-velocity Kalman filters on centre and size, least-cost assignment on overlap,
 * distance and direction.
 *
 * The frame is SORT (Bewley et al. 2016) with two ideas of OC-SORT (Cao et al. 2023): when a track
 * is seen again after a gap, its filter is run again along the straight line between the two
 * observations (re-update), and the cost counts how far the new direction differs from the observed
 * one. Time is real: pictures come irregularly, so noise, gates and life times are per second,
 * never per picture. What is in one blob with others is track_group.c's.
 *
 * A track is told (confirmed) after CONFIRM_HITS sightings; it ends when it was not seen for
 * TRACK_LOST_S. Only a blob that the gate saw moving begins a track; any blob continues one, so a
 * person who stands still keeps the track for as long as the background does not take the place
 * over.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "cloud/starved.h"
#include "cloud/track_state.h"

#define CONFIRM_HITS 3
#define MISS_MAX_S   0.5f /* one picture without it counts for no more, however long the gap */
#define STILL_GAP_S  1.0f /* after a longer gap nothing is known of speeds */
#define PATH_STEP_S  0.0999f
#define ACCEL	     120.0f /* pixels/s^2: process noise at 160 pixels of width */
#define SPEED_MAX    1.2f   /* picture widths per second: how far a thing may jump */
#define COST_NONE    4.0f   /* more than any allowed pair */
#define DIRECTION    0.2f   /* weight of the direction cost */
#define LOOK	     0.8f   /* weight of looking different, and ... */
#define LOOK_FAR     40.0f  /* ... the mean difference, in grey levels, that counts fully */
#define SPEED_S	     0.8    /* over which a speed is measured: what flickers has none */
#define HOLE	     0.8f /* sluice_background_edges() of what is left where a thing was, and ... */
#define HOLE_COST    0.6f /* ... why a track goes on with the thing */
#define STILL	     0.25f /* a blob so much calmer than the track was of late, ... */
#define STILL_COST   1.0f  /* ... why a track goes on with what moves */
#define YOUNG	     1.0f  /* not confirmed: the others choose first */
#define PORTRAIT     1.5f  /* weight of not being like its portrait, after a group fell apart */
#define PORTRAIT_OFF 2	   /* pixels: how far its middle may be from the blob's */
#define ODD	     1.4f  /* so much larger or smaller than usual it is no view for the portrait */

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

void kalman_update(struct sluice_kalman *k, float z, float noise)
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
	float noise = TRACK_NOISE * t->w;

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

struct sluice_box track_predicted(const struct sluice_track *k)
{
	float w = fmaxf(k->w.x, 1), h = fmaxf(k->h.x, 1);

	return (struct sluice_box){ 0, k->cx.x - w / 2, k->cy.x - h / 2, w, h };
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

/* What speaks against it that is neither place nor direction. */
static float unlikely(const struct sluice_track *k, const struct sluice_blob *b)
{
	return LOOK * fminf(1, look_apart(k->look, b->look) / LOOK_FAR) +
	       (b->edges < HOLE ? HOLE_COST : 0) + (b->busy < STILL * k->busy ? STILL_COST : 0) +
	       (k->confirmed ? 0 : YOUNG);
}

/* The same of one that comes out of a group, and of which it is known what it looks like. */
static float unlike(const struct sluice_tracker *t, const struct sluice_track *k,
		    const struct sluice_blob *b)
{
	const struct sluice_portrait *known = &t->portrait[k - t->tracks];
	float w = k->usual_w, h = k->usual_h, x = b->x + (b->w - w) / 2, y = b->y + (b->h - h) / 2;

	if (!k->merged || known->views < TRACK_PORTRAIT_MIN)
		return 0;
	return PORTRAIT / SLUICE_PORTRAIT_APART *
	       sluice_portrait_find(known, &t->sitting, PORTRAIT_OFF, PORTRAIT_OFF, &x, &y, w, h);
}

/* 0 (fits) .. about 6; COST_NONE and more: not the same thing. */
static float cost_of(const struct sluice_tracker *t, const struct sluice_track *k,
		     const struct sluice_blob *b, double t_s)
{
	struct sluice_box p = track_predicted(k);
	float dt = t_s - k->seen_s, bx = b->x + b->w / 2, by = b->y + b->h / 2, iou, far, reach,
	      ratio, turn = 0, cost;
	float lx = k->last.x + k->last.w / 2, ly = k->last.y + k->last.h / 2;

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
	cost = 1 - iou + fminf(1, far / (reach + 1e-3f)) + DIRECTION * turn + unlikely(k, b);
	return cost < COST_NONE ? cost + unlike(t, k, b) : cost; /* the portrait is dear */
}

void track_path_add(struct sluice_track *k, const struct sluice_box *b)
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

static bool fits(float is, float usual)
{
	return is < ODD * usual && usual < ODD * is;
}

static void observe(struct sluice_tracker *t, struct sluice_track *k, const struct sluice_blob *b,
		    double t_s, uint64_t sequence)
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
	k->busy += (b->busy - k->busy) * (k->hits ? 0.3f : 1);
	k->usual_w += (b->w - k->usual_w) * (k->hits ? 0.2f : 1);
	k->usual_h += (b->h - k->usual_h) * (k->hits ? 0.2f : 1);
	if (fits(b->w, k->usual_w) && fits(b->h, k->usual_h))
		sluice_portrait_learn(&t->portrait[k - t->tracks], &t->sitting,
				      b->x + (b->w - k->usual_w) / 2,
				      b->y + (b->h - k->usual_h) / 2, k->usual_w, k->usual_h);
	k->merged = false;
	k->alone_s = t_s;
	k->last = box;
	k->seen_s = t_s;
	k->unseen_s += k->missed_s;
	k->missed_s = 0;
	k->hits++;
	if (b->support) {
		k->backed++;
		k->backed_hits = k->hits;
		k->backed_s = t_s;
	}
	k->confirmed = k->confirmed || k->hits >= CONFIRM_HITS;
	track_path_add(k, &box);
	if (score > k->best.score) {
		k->best.score = score;
		k->best.t_s = t_s;
		k->best.sequence = sequence;
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
	memset(&t->portrait[k - t->tracks], 0, sizeof(*t->portrait));
	k->id = t->next_id++;
	k->start_s = k->seen_s = t_s;
	k->path = malloc(SLUICE_TRACK_PATH_MAX * sizeof(*k->path));
	sluice_starved += !k->path;
	kalman_init(&k->cx, b->x + b->w / 2, TRACK_NOISE * t->w, 0.3f * t->w);
	kalman_init(&k->cy, b->y + b->h / 2, TRACK_NOISE * t->w, 0.3f * t->w);
	kalman_init(&k->w, b->w, TRACK_NOISE * t->w, 0.05f * t->w);
	kalman_init(&k->h, b->h, TRACK_NOISE * t->w, 0.05f * t->w);
	k->last = (struct sluice_box){ t_s, b->x, b->y, b->w, b->h };
	observe(t, k, b, t_s, sequence);
}

static void end_at(struct sluice_tracker *t, uint32_t i, sluice_track_ended *ended, void *ctx)
{
	ended(ctx, &t->tracks[i]);
	free(t->tracks[i].path); /* NULL if it was taken */
	t->tracks[i] = t->tracks[--t->count];
	t->portrait[i] = t->portrait[t->count];
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
		if (k->missed_s > (k->confirmed ? TRACK_LOST_S : TRACK_LOST_S / 3))
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
			  const struct sluice_gray *g, const uint8_t *mask,
			  const struct sluice_blob *blobs, uint32_t count,
			  sluice_track_ended *ended, void *ctx)
{
	int col_of[SLUICE_ASSIGN_MAX];
	bool taken[SLUICE_BLOBS_MAX] = { false }, riding[SLUICE_TRACKS_MAX] = { false };
	float dt = t_s > t->now_s ? t_s - t->now_s : 0;

	t->sitting = (struct sluice_portrait_sitting){ g, mask };
	for (uint32_t i = 0; i < t->count; i++) {
		if (dt > STILL_GAP_S)
			stand_still(&t->tracks[i]);
		predict(t, &t->tracks[i], fminf(dt, STILL_GAP_S));
	}
	track_ride_groups(t, blobs, count, t_s, taken, riding);
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
