// SPDX-License-Identifier: MIT
/*
 * analysis.c - one camera's chain: decode, background, blobs, tracks, and the event that they are
 * in.
 *
 * An event begins with the first picture that the gate passed as motion (or scene change), or
 * earlier, where a thing that moves now was first seen in the pre-roll. It ends when join_ms have
 * passed without motion: by a later picture, or by the device's clock (STATS) when no picture
 * comes. After event_max_ms it is told as a part and goes on under the same event id.
 *
 * A picture that does not decode is counted and skipped: the gate's verdict still keeps the event
 * alive, so a camera with a bad cable loses pictures, not events. Key frames are the stored bytes
 * themselves, fetched when the event is told; one that can no longer be fetched is left out.
 */
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <stdio.h>
#include <string.h>

#include <sluice/ring.h>

#include "cloud/analysis.h"
#include "cloud/background.h"
#include "cloud/blobs.h"
#include "cloud/decode.h"
#include "cloud/events.h"
#include "cloud/keyframes.h"
#include "cloud/summary.h"
#include "cloud/track.h"

#define HISTORY 96 /* moments before an event */
#define LOOK_BACK                                                                               \
	0.7 /* seconds an event's start may lie before its first motion: the gate needs less to \
	       confirm */
#define AREA_MIN 1500 /* a blob has at least 1/AREA_MIN of the picture, and at least 5 pixels */
#define LOSSES	 4

struct sluice_analysis {
	struct sluice_analysis_config config;
	const struct sluice_analysis_ops *ops;
	void *ctx;
	uint64_t epoch, first_ns, first_utc_ns;
	uint32_t width, height; /* of the camera */
	struct sluice_gray gray;
	struct sluice_decoder *decoder;
	struct sluice_background *background;
	struct sluice_blobs *blobs;
	struct sluice_tracker *tracker;
	uint8_t *mask, *hold;
	double last_t_s;
	bool seen_one;
	uint64_t undecodable;
	uint64_t delivered, counts[SLUICE_REASON_COUNT]; /* the device's ledger as last told */
	struct sluice_moment history[HISTORY];
	uint32_t history_count;
	struct sluice_event_log event;
};

#define DWELL_S	     30.0 /* how long an event waits for what stands still in the picture */
#define DWELL_HITS   8	  /* ... and what it waits for: followed this often, */
#define DWELL_WAY    0.5f /* and come this far, in its own sizes */
#define STANDS_SHARE 0.5f /* of overlap, while it stands */
#define DWELL_AREA   200  /* and at least 1/DWELL_AREA of the picture */

static const char *const loss_names[LOSSES + 1] = { "overrun", "late", "driver", "errorflag",
						    NULL };

struct sluice_analysis *sluice_analysis_open(const struct sluice_analysis_config *c,
					     const struct sluice_analysis_ops *ops, void *ctx)
{
	struct sluice_analysis *a = calloc(1, sizeof(*a));

	if (!a)
		return NULL;
	a->config = *c;
	a->ops = ops;
	a->ctx = ctx;
	a->decoder = sluice_decoder_open();
	if (!a->decoder) {
		free(a);
		return NULL;
	}
	return a;
}

static void models_close(struct sluice_analysis *a)
{
	sluice_background_close(a->background);
	sluice_blobs_close(a->blobs);
	sluice_tracker_close(a->tracker);
	free(a->mask);
	free(a->hold);
	a->background = NULL;
	a->blobs = NULL;
	a->tracker = NULL;
	a->mask = a->hold = NULL;
	a->seen_one = false;
}

void sluice_analysis_close(struct sluice_analysis *a)
{
	if (!a)
		return;
	sluice_event_clear(&a->event);
	models_close(a);
	sluice_decoder_close(a->decoder);
	free(a);
}

/* Models for the picture just decoded; made anew when its size changes. */
static int models_for(struct sluice_analysis *a, const struct sluice_gray *g, uint32_t width,
		      uint32_t height)
{
	size_t n = (size_t)g->w * g->h;

	if (a->background && a->gray.w == g->w && a->gray.h == g->h && a->width == width &&
	    a->height == height)
		return 0;
	models_close(a);
	a->background = sluice_background_open(g->w, g->h);
	a->blobs = sluice_blobs_open(g->w, g->h);
	a->tracker = sluice_tracker_open(g->w, g->h);
	a->mask = calloc(n, 1);
	a->hold = calloc(n, 1);
	a->width = width;
	a->height = height;
	if (!a->background || !a->blobs || !a->tracker || !a->mask || !a->hold) {
		models_close(a);
		return -ENOMEM;
	}
	return 0;
}

static bool worth_telling(const struct sluice_track *t)
{
	return t->confirmed && (t->moved || t->hits >= 6);
}

static void track_ended(void *ctx, struct sluice_track *t)
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
		if (!copy.path)
			continue;
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

static void tell(struct sluice_analysis *a, bool continued)
{
	struct sluice_event_log *e = &a->event;
	struct sluice_keyframe keys[SLUICE_KEYFRAMES_MAX];
	struct sluice_summary_media media[SLUICE_KEYFRAMES_MAX];
	char files[SLUICE_KEYFRAMES_MAX][48];
	struct sluice_summary s = { .epoch = a->epoch, .media = media };
	struct sluice_summary_facts f;
	uint64_t lost[LOSSES];
	char *json;
	uint32_t n;

	qsort(e->tracks, e->track_count, sizeof(e->tracks[0]), by_start);
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
	json = sluice_summary_json(e, s.id, &f, keys, (const char(*)[48])files, n);
	s.start_utc_ns = a->first_utc_ns + (uint64_t)(e->part_start_s * 1e9);
	s.end_utc_ns = a->first_utc_ns + (uint64_t)(e->end_s * 1e9);
	s.json = json;
	s.media_count = n;
	if (json)
		a->ops->summary(a->ctx, &s);
	free(json);
	for (uint32_t i = 0; i < n; i++)
		free((void *)media[i].data);
}

static void event_end(struct sluice_analysis *a)
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
 * When the thing that the event is about was last seen, if it stands in the newest picture; else 0.
 * It cannot leave without motion.
 */
static double dwelling(const struct sluice_analysis *a)
{
	double seen = 0;
	uint32_t count;
	const struct sluice_track *live;

	if (!a->tracker)
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

/* Is the event over at t_s? Then its end is set. */
static bool event_over(struct sluice_analysis *a, double t_s)
{
	double rest = t_s - a->event.last_motion_s, seen;

	if (!a->event.active || rest < a->config.join_ms / 1000.0)
		return false;
	seen = dwelling(a);
	if (seen > 0 && rest < DWELL_S)
		return false;
	a->event.end_s = fmax(a->event.end_s, seen);
	return true;
}

static void ledger_mark(struct sluice_analysis *a)
{
	a->event.seen_at_start = a->delivered;
	a->event.passed_at_start = sum_of(a->counts, SLUICE_REASON_MOTION, SLUICE_REASON_OVERRUN);
	for (int i = 0; i < LOSSES; i++)
		a->event.lost_at_start[i] = a->counts[SLUICE_REASON_OVERRUN + i];
}

/* The event goes on, but its memory is told and begun anew. */
static void event_continue(struct sluice_analysis *a, double t_s)
{
	tell_living(a);
	tell(a, true);
	sluice_event_begin(&a->event, t_s);
	a->event.part++;
	ledger_mark(a);
}

static void event_start(struct sluice_analysis *a, const struct sluice_moment *now,
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
	if (json)
		a->ops->event(a->ctx, e->event_id, json);
	free(json);
}

static void history_add(struct sluice_analysis *a, const struct sluice_moment *m)
{
	if (a->history_count == HISTORY) {
		memmove(a->history, a->history + 1, (HISTORY - 1) * sizeof(*m));
		a->history_count--;
	}
	a->history[a->history_count++] = *m;
}

static void make_thumb(const struct sluice_gray *g, uint8_t thumb[SLUICE_THUMB])
{
	for (uint32_t ty = 0; ty < 8; ty++)
		for (uint32_t tx = 0; tx < 8; tx++) {
			uint32_t x0 = tx * g->w / 8, x1 = (tx + 1) * g->w / 8, sum = 0, n = 0;

			for (uint32_t y = ty * g->h / 8; y < (ty + 1) * g->h / 8; y += 2)
				for (uint32_t x = x0; x < x1; x += 2, n++)
					sum += g->px[(size_t)y * g->w + x];
			thumb[ty * 8 + tx] = n ? sum / n : 0;
		}
}

static void make_hold(struct sluice_analysis *a)
{
	uint32_t count;
	struct sluice_track *live = sluice_tracker_live(a->tracker, &count);

	memset(a->hold, 0, (size_t)a->gray.w * a->gray.h);
	for (uint32_t i = 0; i < count; i++) {
		const struct sluice_box *b = &live[i].last;
		uint32_t x0 = b->x > 1 ? b->x - 1 : 0, y0 = b->y > 1 ? b->y - 1 : 0;
		uint32_t x1 = fminf(b->x + b->w + 1, a->gray.w),
			 y1 = fminf(b->y + b->h + 1, a->gray.h);

		if (!live[i].confirmed || !live[i].moved)
			continue;
		for (uint32_t y = y0; y < y1 && x1 > x0; y++)
			memset(a->hold + (size_t)y * a->gray.w + x0, 1, x1 - x0);
	}
}

static bool any_cell(const struct sluice_stored_frame *f)
{
	size_t n = ((size_t)f->grid_w * f->grid_h + 7) / 8;

	if (!f->cells)
		return f->reason == SLUICE_REASON_MOTION;
	for (size_t i = 0; i < n; i++)
		if (f->cells[i])
			return true;
	return false;
}

/* Decode and measure: fills m's picture facts. */
static int look(struct sluice_analysis *a, const struct sluice_stored_frame *f, double t_s,
		struct sluice_moment *m)
{
	struct sluice_background_result r;
	struct sluice_blob blobs[SLUICE_BLOBS_MAX];
	struct sluice_gray g;
	uint32_t n, count, area_min;
	struct sluice_track *live;
	double dt;
	int err;

	err = sluice_decode_gray(a->decoder, f->jpeg, f->jpeg_size, f->width, f->height, &g);
	if (err)
		return err;
	err = models_for(a, &g, f->width, f->height);
	if (err)
		return err;
	a->gray = g;
	dt = a->seen_one ? t_s - a->last_t_s : 0;
	if (f->reason == SLUICE_REASON_SCENE_CHANGE)
		sluice_background_reset(a->background);
	make_hold(a);
	sluice_background_frame(a->background, g.px, dt > 0 ? dt : 0, a->hold, !any_cell(f),
				a->mask, &r);
	area_min = g.w * g.h / AREA_MIN;
	n = sluice_blobs_find(a->blobs, a->mask, g.px, area_min > 5 ? area_min : 5, f->cells,
			      f->grid_w, f->grid_h, blobs);
	sluice_tracker_frame(a->tracker, t_s, f->sequence, blobs, n, track_ended, a);
	live = sluice_tracker_live(a->tracker, &count);
	for (uint32_t i = 0; i < count; i++)
		m->objects += live[i].hits >= 2 && live[i].seen_s >= t_s;
	m->moving = (float)r.foreground / ((float)g.w * g.h);
	make_thumb(&g, m->thumb);
	a->last_t_s = t_s;
	a->seen_one = true;
	return 0;
}

void sluice_analysis_epoch(struct sluice_analysis *a, uint64_t epoch, uint64_t first_ns,
			   uint64_t first_utc_ns)
{
	if (a->epoch == epoch)
		return;
	sluice_analysis_flush(a);
	models_close(a);
	a->epoch = epoch;
	a->first_ns = first_ns;
	a->first_utc_ns = first_utc_ns;
	a->history_count = 0;
	a->last_t_s = 0;
}

int sluice_analysis_frame(struct sluice_analysis *a, const struct sluice_stored_frame *f)
{
	struct sluice_event_log *e = &a->event;
	bool motion = f->reason == SLUICE_REASON_MOTION || f->reason == SLUICE_REASON_SCENE_CHANGE;
	struct sluice_moment m = { .sequence = f->sequence, .score = f->score, .motion = motion };
	int err = 0;

	if (f->epoch != a->epoch)
		sluice_analysis_epoch(a, f->epoch, f->time_ns, f->utc_ns);
	m.t_s = f->time_ns > a->first_ns ? (f->time_ns - a->first_ns) / 1e9 : 0;
	if (a->seen_one && m.t_s < a->last_t_s)
		m.t_s = a->last_t_s; /* buffers may come out of order by a frame or two */
	if (event_over(a, m.t_s))
		event_end(a);
	if (e->active && motion && m.t_s - e->part_start_s >= a->config.event_max_ms / 1000.0)
		event_continue(a, m.t_s);
	if (f->reason != SLUICE_REASON_CORRUPT)
		err = look(a, f, m.t_s, &m);
	if (err == -ENOMEM)
		return err;
	if (err || !a->tracker) {
		a->undecodable++;
		if (e->active && motion)
			e->last_motion_s = e->end_s = m.t_s;
		return err;
	}
	if (motion && !e->active)
		event_start(a, &m, f->reason == SLUICE_REASON_SCENE_CHANGE);
	if (e->active) {
		e->settings = f->settings;
		sluice_event_moment(e, &m);
	}
	history_add(a, &m);
	return 0;
}

void sluice_analysis_clock(struct sluice_analysis *a, uint64_t now_ns, int gate_open,
			   uint64_t delivered, const uint64_t counts[32])
{
	double now_s = now_ns > a->first_ns ? (now_ns - a->first_ns) / 1e9 : 0;

	a->delivered = delivered;
	memcpy(a->counts, counts, sizeof(a->counts));
	if (!gate_open && event_over(a, now_s))
		event_end(a);
}

void sluice_analysis_flush(struct sluice_analysis *a)
{
	if (a->event.active)
		a->event.end_s = fmax(a->event.end_s, dwelling(a));
	if (a->tracker)
		sluice_tracker_flush(a->tracker, track_ended, a);
	event_end(a);
}
