// SPDX-License-Identifier: MIT
/*
 * telling.c - when an event begins, goes on and is over, and how it becomes a summary.
 *
 * It begins with the first picture that the gate passed as motion (or scene change), or earlier,
 * where a thing that moves now was first seen in the pre-roll. It is over when join_ms have passed
 * without motion; while something that came walking stands in the picture, it waits for it to go,
 * DWELL_S at most. After event_max_ms it is told as a part and goes on under the same event id.
 *
 * Key frames are the stored bytes themselves (or rebuilt from regions without loss), fetched when
 * the event is told; one that can no longer be fetched is left out.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cloud/analysis_state.h"
#include "cloud/digest.h"
#include "cloud/keyframes.h"
#include "cloud/sights.h"
#include "cloud/starved.h"
#include "cloud/summary.h"
#include "cloud/text.h"

/* an event starts at most so long before its first motion: the gate confirms in less */
#define LOOK_BACK    0.7
#define BLIND_S	     1.5 /* what moves then moved before the gate and the model could see */
#define BEFORE_S     0.9 /* what shows before a thing shows so much earlier at most */
#define LOSSES	     4
#define LATE_S	     0.5  /* what begins so shortly before the last motion came too late */
#define DWELL_S	     30.0 /* how long an event waits for what stands still in the picture */
#define DWELL_HITS   8	  /* ... and what it waits for: followed this often, */
#define DWELL_WAY    0.5f /* and come this far, in its own sizes */
#define PEAK_S	     0.6
#define STANDS_SHARE 0.5f /* of overlap, while it stands */
#define DWELL_AREA   200  /* and at least 1/DWELL_AREA of the picture */

static const char *const loss_names[LOSSES + 1] = { "overrun", "late", "driver", "errorflag",
						    NULL };

static bool worth_telling(const struct sluice_track *t)
{
	return t->confirmed && (t->moved || t->hits >= 6);
}

void analysis_track_ended(void *ctx, struct sluice_track *t)
{
	struct sluice_analysis *a = ctx;

	if (a->event.active && worth_telling(t) && t->path_count &&
	    t->seen_s >= a->event.part_start_s)
		sluice_event_track(&a->event, t);
}

/* Tracks that live on beyond the event (or its part) are told as far as they went; their path
 * begins anew. */
static void tell_living(struct sluice_analysis *a)
{
	uint32_t count;
	struct sluice_track *live = a->tracker ? sluice_tracker_live(a->tracker, &count) : NULL;

	for (uint32_t i = 0; live && i < count; i++) {
		struct sluice_track copy = live[i];

		if (!worth_telling(&copy) || !copy.path_count ||
		    copy.seen_s < a->event.part_start_s)
			continue;
		copy.path = malloc(SLUICE_TRACK_PATH_MAX * sizeof(*copy.path));
		if (!copy.path) {
			sluice_starved++;
			continue;
		}
		memcpy(copy.path, live[i].path, copy.path_count * sizeof(*copy.path));
		if (!sluice_event_track(&a->event, &copy))
			free(copy.path);
		live[i].path_count = 0;
		live[i].best.score = 0;
	}
}

static uint64_t sum_of(const uint64_t counts[SLUICE_REASON_COUNT], unsigned int from,
		       unsigned int to)
{
	uint64_t sum = 0;

	for (unsigned int i = from; i < to; i++)
		sum += counts[i];
	return sum;
}

static void facts_of(const struct sluice_analysis *a, struct sluice_summary_facts *f)
{
	memset(f, 0, sizeof(*f));
	f->camera = a->config.camera;
	f->config = &a->config;
	f->people = &a->scale;
	f->epoch = a->epoch;
	f->first_utc_ns = a->first_utc_ns;
	f->w = a->gray.w;
	f->h = a->gray.h;
	f->scale = a->gray.scale;
	f->width = a->width;
	f->height = a->height;
}

/* Fetch the key frames' bytes; those that are gone are taken out of keys. */
static uint32_t fetch_media(struct sluice_analysis *a, struct sluice_keyframe *keys, uint32_t count,
			    struct sluice_summary_media *media, char (*files)[48])
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < count; i++) {
		size_t size = 0;
		uint8_t *data = a->ops->fetch
					? a->ops->fetch(a->ctx, a->epoch, keys[i].sequence, &size)
					: NULL;

		if (!data)
			continue;
		keys[n] = keys[i];
		snprintf(files[n], sizeof(files[n]), "key-%u.jpg", n + 1);
		memcpy(media[n].name, files[n], sizeof(media[n].name));
		media[n].data = data;
		media[n].size = size;
		n++;
	}
	return n;
}

/* A longer event may show more: one picture for each further half minute. */
static uint32_t keyframes_max(const struct sluice_analysis *a)
{
	double length = a->event.end_s - a->event.part_start_s;

	return a->config.keyframes_max + (uint32_t)(fmax(0, length - 30) / 30);
}

static int by_start(const void *p, const void *q)
{
	const struct sluice_track *a = p, *b = q;

	return a->start_s < b->start_s ? -1 : a->start_s > b->start_s ? 1 : 0;
}

/* Hand on what the digest is made from; the heat map begins anew. */
static void plan_digest(struct sluice_analysis *a, const char *id,
			const struct sluice_keyframe *keys, uint32_t count)
{
	const struct sluice_event_log *e = &a->event;
	size_t n = (size_t)a->gray.w * a->gray.h;
	const struct sluice_text_facts facts = { e,	    a->config.camera, a->gray.w,
						 a->gray.h, &a->scale,	      0 };
	struct sluice_digest_plan *p;
	struct sluice_text text;

	if (!a->ops->digest)
		return;
	p = sluice_digest_plan(e, keys, count, a->gray.scale);
	if (p) {
		sluice_text_event(&facts, SLUICE_TEXT_EN, &text);
		snprintf(p->title, sizeof(p->title), "%s", text.title);
		memcpy(p->camera, a->config.camera, sizeof(p->camera));
		memcpy(p->event, e->event_id, sizeof(p->event));
		memcpy(p->summary, id, sizeof(p->summary));
		p->epoch = a->epoch;
		p->first_utc_ns = a->first_utc_ns;
		p->width = a->width;
		p->height = a->height;
		p->heat = a->heat;
		p->heat_w = a->gray.w;
		p->heat_h = a->gray.h;
		a->heat = calloc(n, sizeof(*a->heat));
		sluice_starved += !a->heat;
		a->ops->digest(a->ctx, p);
	} else if (a->heat) {
		memset(a->heat, 0, n * sizeof(*a->heat));
	}
}

/* Most things that count, together for PEAK_S: what is in pieces for a moment is not many. */
static uint32_t peak_of(const struct sluice_event_log *e, const bool *counts)
{
	uint32_t peak = 0;

	for (uint32_t i = 0; i < e->track_count; i++) {
		double from = e->tracks[i].start_s;
		uint32_t n = 0;

		for (uint32_t k = 0; counts[i] && k < e->track_count; k++)
			n += counts[k] && (k == i || (e->tracks[k].start_s <= from &&
						      e->tracks[k].seen_s >= from + PEAK_S));
		peak = n > peak ? n : peak;
	}
	return peak;
}

/* Was it anything? Then what came teaches how large things are. counts: which tracks are things. */
static void judge(struct sluice_analysis *a, bool *counts)
{
	struct sluice_event_log *e = &a->event;
	bool any = false;
	struct sluice_track_facts f;

	for (uint32_t i = 0; i < e->track_count; i++) {
		const struct sluice_track *t = &e->tracks[i];

		/* what came as the last motion ended, or did not move since the event began, is not
		 * what moved */
		counts[i] = t->start_s <= fmax(e->end_s - LATE_S, e->part_start_s) &&
			    t->backed_s >= e->part_start_s &&
			    (sluice_track_real(t, a->gray.w, a->gray.h) ||
			     sluice_track_lively(t, a->gray.w, a->gray.h));
		any |= counts[i];
		if (!counts[i])
			continue;
		sluice_track_facts(t, a->gray.w, a->gray.h, NULL, &a->scale, &f);
		sluice_scale_learn(&a->scale, &f, t, a->gray.h);
	}
	e->peak = peak_of(e, counts);
	if (any || e->camera_moved)
		return;
	e->object_count = 0; /* nobody was there who could have left it */
	e->nuisance = e->scene_change || 2 * e->light_moments > e->motion_moments
			      ? SLUICE_NUISANCE_LIGHT
			      : SLUICE_NUISANCE_NO_TRACK;
}

/* What the event says of the gate. */
static void tell_gauge(struct sluice_analysis *a, const bool *counts)
{
	struct sluice_tally tally;

	if (a->ops->tally &&
	    sluice_gauge_event(&a->gauge, &a->event, counts, a->gray.w, a->gray.h, &tally))
		a->ops->tally(a->ctx, &tally);
}

/* The gate opens for a shadow or a headlight too. An event is told from when the first thing was
 * seen that is told. */
static void start_with_first(struct sluice_event_log *e, uint32_t w, uint32_t h)
{
	double first = e->end_s;

	for (uint32_t i = 0; i < e->track_count; i++)
		if (sluice_track_real(&e->tracks[i], w, h))
			first = fmin(first, e->tracks[i].start_s);
	if (!e->nuisance && e->part_start_s > 0 && first > e->part_start_s &&
	    first - e->part_start_s < BEFORE_S && first < e->end_s)
		e->part_start_s = first;
}

/* What the tracks are, if there is a detector that says so. */
static void classify(struct sluice_analysis *a, const struct sluice_keyframe *keys,
		     const struct sluice_summary_media *media, uint32_t count)
{
	const struct sluice_sights_config c = { .ops = a->ops,
						.ctx = a->ctx,
						.epoch = a->epoch,
						.width = a->width,
						.height = a->height,
						.scale = a->gray.scale };

	sluice_sights_classify(&a->event, keys, media, count, &c);
}

static void tell(struct sluice_analysis *a, bool continued)
{
	struct sluice_event_log *e = &a->event;
	struct sluice_keyframe keys[SLUICE_KEYFRAMES_MAX];
	struct sluice_summary_media media[SLUICE_KEYFRAMES_MAX];
	char files[SLUICE_KEYFRAMES_MAX][48];
	bool counts[SLUICE_EVENT_TRACKS] = { false };
	struct sluice_summary s = { .epoch = a->epoch, .media = media };
	struct sluice_summary_facts f;
	uint64_t lost[LOSSES];
	char *json;
	uint32_t n;

	qsort(e->tracks, e->track_count, sizeof(e->tracks[0]), by_start);
	judge(a, counts);
	if (!e->part)
		start_with_first(e, a->gray.w, a->gray.h);
	facts_of(a, &f);
	f.continued = continued;
	f.seen = a->delivered - e->seen_at_start;
	f.passed =
		sum_of(a->counts, SLUICE_REASON_MOTION, SLUICE_REASON_OVERRUN) - e->passed_at_start;
	for (int i = 0; i < LOSSES; i++)
		lost[i] = a->counts[SLUICE_REASON_OVERRUN + i] - e->lost_at_start[i];
	f.lost = lost;
	f.lost_names = loss_names;
	sluice_summary_id(a->config.camera, a->epoch, e->start_s, e->part, s.id);
	n = sluice_keyframes_choose(e, keyframes_max(a), keys);
	n = fetch_media(a, keys, n, media, files);
	if (!e->nuisance)
		classify(a, keys, media, n);
	json = sluice_summary_json(e, s.id, &f, keys, (const char(*)[48])files, n);
	s.start_utc_ns = sluice_summary_utc(a->first_utc_ns, e->part_start_s);
	s.end_utc_ns = sluice_summary_utc(a->first_utc_ns, e->end_s);
	s.json = json;
	s.media_count = n;
	sluice_starved += !json;
	if (!analysis_starved(a))
		a->ops->summary(a->ctx, &s);
	if (!analysis_starved(a))
		tell_gauge(a, counts);
	if (!analysis_starved(a) && !e->nuisance)
		plan_digest(a, s.id, keys, n);
	free(json);
	for (uint32_t i = 0; i < n; i++)
		free((void *)media[i].data);
}

void analysis_event_end(struct sluice_analysis *a)
{
	if (!a->event.active)
		return;
	tell_living(a);
	tell(a, false);
	sluice_event_clear(&a->event);
	a->event.part = 0;
}

/* Has it stood in one place for the last second that it was seen? A flame does not. */
static bool stands(const struct sluice_track *t)
{
	const struct sluice_box *a = &t->last;

	for (uint32_t i = t->path_count; i-- > 0;) {
		const struct sluice_box *b = &t->path[i];
		float w = fminf(a->x + a->w, b->x + b->w) - fmaxf(a->x, b->x);
		float h = fminf(a->y + a->h, b->y + b->h) - fmaxf(a->y, b->y);
		float both = fmaxf(w, 0) * fmaxf(h, 0);

		if (both < STANDS_SHARE * (a->w * a->h + b->w * b->h - both))
			return false;
		if (a->t_s - b->t_s > 1)
			return true;
	}
	return false;
}

/*
 * When the thing that the event is about was last seen, if it stands in the newest picture and has
 * not come to stay; else 0. It cannot leave without motion.
 */
double analysis_dwelling(const struct sluice_analysis *a)
{
	double seen = 0;
	uint32_t count;
	const struct sluice_track *live;

	if (!a->tracker || a->last_t_s - a->event.last_motion_s >= DWELL_S)
		return 0;
	live = sluice_tracker_live(a->tracker, &count);
	for (uint32_t i = 0; i < count; i++) {
		const struct sluice_track *t = &live[i];

		if (t->confirmed && t->hits >= DWELL_HITS && t->way >= DWELL_WAY &&
		    t->seen_s >= a->last_t_s &&
		    t->last.w * t->last.h * DWELL_AREA > (float)a->gray.w * a->gray.h && stands(t))
			seen = fmax(seen, t->seen_s);
	}
	return seen;
}

bool analysis_event_over(const struct sluice_analysis *a, double t_s)
{
	double rest = t_s - a->event.last_motion_s;

	if (!a->event.active || rest < a->config.join_ms / 1000.0)
		return false;
	/* what has stood for DWELL_S has come to stay: the event was over when it stood */
	return rest >= DWELL_S || analysis_dwelling(a) == 0;
}

static void ledger_mark(struct sluice_analysis *a)
{
	a->event.seen_at_start = a->delivered;
	a->event.passed_at_start = sum_of(a->counts, SLUICE_REASON_MOTION, SLUICE_REASON_OVERRUN);
	for (int i = 0; i < LOSSES; i++)
		a->event.lost_at_start[i] = a->counts[SLUICE_REASON_OVERRUN + i];
}

/* The event goes on, but its memory is told and begun anew. */
void analysis_event_continue(struct sluice_analysis *a, double t_s)
{
	tell_living(a);
	tell(a, true);
	sluice_event_begin(&a->event, t_s);
	a->event.part++;
	ledger_mark(a);
}

void analysis_event_start(struct sluice_analysis *a, const struct sluice_moment *now,
			  bool scene_change)
{
	struct sluice_event_log *e = &a->event;
	double start = now->t_s;
	const struct sluice_box *box = NULL;
	struct sluice_summary_facts f;
	uint32_t count;
	struct sluice_track *live = sluice_tracker_live(a->tracker, &count);
	char *json;

	for (uint32_t i = 0; i < count; i++) {
		if (live[i].hits < 2 || live[i].seen_s + 1 < now->t_s)
			continue;
		if (live[i].start_s < start && live[i].start_s > now->t_s - LOOK_BACK)
			start = live[i].start_s;
		if (!box || live[i].last.w * live[i].last.h > box->w * box->h)
			box = &live[i].last;
	}
	if (now->t_s < BLIND_S)
		start = 0;
	sluice_event_begin(e, start);
	e->start_s = start;
	e->part = 0;
	e->scene_change = scene_change;
	ledger_mark(a);
	sluice_summary_id(a->config.camera, a->epoch, start, 0, e->event_id);
	for (uint32_t i = 0; i < a->history_count; i++)
		if (a->history[i].t_s >= start)
			sluice_event_moment(e, &a->history[i]);
	if (!a->ops->event)
		return;
	facts_of(a, &f);
	json = sluice_summary_event_json(e, &f, box);
	sluice_starved += !json;
	if (!analysis_starved(a))
		a->ops->event(a->ctx, e->event_id, json);
	free(json);
}
