// SPDX-License-Identifier: MIT
/*
 * analysis.c - one camera's chain for one picture: decode, background, blobs, tracks; telling.c
 * makes events of it. An event also ends by the device's clock (STATS), when no picture comes.
 *
 * A picture that does not decode is counted and skipped: the gate's verdict still keeps the event
 * alive, so a camera with a bad cable loses pictures, not events.
 */
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "cloud/analysis_state.h"
#include "cloud/starved.h"
#include "cloud/vectors.h"

#define LIGHT_SHARE 0.06f /* of the picture under another light: more than a shadow */
#define AREA_MIN    1500  /* a blob has at least 1/AREA_MIN of the picture, and at least 5 pixels */

struct sluice_analysis *sluice_analysis_open(const struct sluice_analysis_config *c,
					     const struct sluice_analysis_ops *ops, void *ctx)
{
	struct sluice_analysis *a = calloc(1, sizeof(*a));

	if (!a)
		return NULL;
	a->config = *c;
	a->ops = ops;
	a->ctx = ctx;
	a->canvas = sluice_canvas_open(c->scale);
	if (!a->canvas) {
		free(a);
		return NULL;
	}
	return a;
}

bool analysis_starved(const struct sluice_analysis *a)
{
	return a->starved != sluice_starved;
}

void sluice_analysis_zones(struct sluice_analysis *a, const struct sluice_analysis_config *c)
{
	sluice_analysis_take_zones(&a->config, c);
}

static void models_close(struct sluice_analysis *a)
{
	sluice_background_close(a->background);
	sluice_blobs_close(a->blobs);
	sluice_tracker_close(a->tracker);
	free(a->mask);
	free(a->hold);
	free(a->heat);
	a->background = NULL;
	a->blobs = NULL;
	a->tracker = NULL;
	a->mask = a->hold = NULL;
	a->heat = NULL;
	a->seen_one = false;
	a->stills.count = 0;
	sluice_gauge_reset(&a->gauge);
}

void sluice_analysis_close(struct sluice_analysis *a)
{
	if (!a)
		return;
	sluice_event_clear(&a->event);
	models_close(a);
	sluice_canvas_close(a->canvas);
	free(a);
}

static float sensitivity(const struct sluice_analysis *a)
{
	uint32_t s = a->config.sensitivity;

	if (!s)
		return 1;
	s = s < SLUICE_SENSITIVITY_MIN ? SLUICE_SENSITIVITY_MIN : s;
	return (s > SLUICE_SENSITIVITY_MAX ? SLUICE_SENSITIVITY_MAX : s) / 1000.0f;
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
	a->background = sluice_background_open(a->config.background, g->w, g->h);
	a->blobs = sluice_blobs_open(g->w, g->h);
	a->tracker = sluice_tracker_open(g->w, g->h);
	a->mask = calloc(n, 1);
	a->hold = calloc(n, 1);
	a->heat = a->ops->digest ? calloc(n, sizeof(*a->heat)) : NULL;
	sluice_starved += a->ops->digest && !a->heat;
	a->width = width;
	a->height = height;
	if (a->background)
		sluice_background_sensitivity(a->background, sensitivity(a));
	if (!a->background || !a->blobs || !a->tracker || !a->mask || !a->hold) {
		models_close(a);
		return -ENOMEM;
	}
	return 0;
}

static void history_add(struct sluice_analysis *a, const struct sluice_moment *m)
{
	if (a->history_count == ANALYSIS_HISTORY) {
		memmove(a->history, a->history + 1, (ANALYSIS_HISTORY - 1) * sizeof(*m));
		a->history_count--;
	}
	a->history[a->history_count++] = *m;
}

VECTORS static void add_line(const uint8_t *restrict px, uint32_t w, uint16_t *restrict sum)
{
	for (size_t x = 0; x < w; x++)
		sum[x] = (uint16_t)(sum[x] + px[x]);
}

/* Of every second pixel of every second line. */
static void make_thumb(const struct sluice_gray *g, uint8_t thumb[SLUICE_THUMB])
{
	uint16_t sum[SLUICE_DECODE_SIDE_MAX]; /* of at most 256 lines */

	for (uint32_t ty = 0; ty < 8; ty++) {
		uint32_t y0 = ty * g->h / 8, y1 = (ty + 1) * g->h / 8;

		memset(sum, 0, g->w * sizeof(*sum));
		for (uint32_t y = y0; y < y1; y += 2)
			add_line(g->px + (size_t)y * g->w, g->w, sum);
		for (uint32_t tx = 0; tx < 8; tx++) {
			uint32_t x0 = tx * g->w / 8, x1 = (tx + 1) * g->w / 8, all = 0, n;

			for (uint32_t x = x0; x < x1; x += 2)
				all += sum[x];
			n = ((x1 - x0 + 1) / 2) * ((y1 - y0 + 1) / 2);
			thumb[ty * 8 + tx] = (uint8_t)(n ? all / n : 0);
		}
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

/* What was left or removed is told with the event, if there is one. */
static void note_objects(struct sluice_analysis *a, double t_s, const struct sluice_blob *blobs,
			 uint32_t count, const struct sluice_gray *g)
{
	struct sluice_object found[SLUICE_STILLS_MAX];
	struct sluice_event_log *e = &a->event;
	uint32_t n = sluice_stills_frame(&a->stills, t_s, blobs, count, a->tracker, a->background,
					 g, a->mask, found);

	for (uint32_t i = 0; i < n && e->active && e->object_count < SLUICE_STILLS_MAX; i++)
		e->objects[e->object_count++] = found[i];
}

static float edges_of(const struct sluice_analysis *a, const struct sluice_gray *g,
		      const struct sluice_blob *b)
{
	return sluice_background_edges(a->background, g, a->mask, (uint32_t)b->x, (uint32_t)b->y,
				       (uint32_t)(b->x + b->w), (uint32_t)(b->y + b->h));
}

/* What the gate did with the picture, for those who want to know. */
static void gauge(struct sluice_analysis *a, const struct sluice_stored_frame *f, double t_s,
		  const struct sluice_gray *g, struct sluice_blob *blobs, uint32_t count,
		  bool light)
{
	struct sluice_gauge_sight s = { .frame = f,
					.t_s = t_s,
					.gray = g,
					.blob = blobs,
					.blobs = count,
					.area_min = g->w * g->h / AREA_MIN,
					.light = light,
					.event = a->event.active };
	struct sluice_blob alone;
	struct sluice_tally tally;

	if (!a->ops->tally)
		return;
	if (count == 1) { /* of which nobody has asked for its edges */
		alone = blobs[0];
		alone.edges = edges_of(a, g, &alone);
		s.blob = &alone;
	}
	if (sluice_gauge_picture(&a->gauge, &s, &tally))
		a->ops->tally(a->ctx, &tally);
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

	err = sluice_canvas_frame(a->canvas, f, a->ops, a->ctx, &g);
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
	sluice_background_frame(a->background, &g, dt > 0 ? dt : 0, a->hold, !any_cell(f), a->mask,
				&r);
	for (size_t i = 0; a->heat && a->event.active && i < (size_t)g.w * g.h; i++)
		a->heat[i] += a->mask[i] && a->heat[i] < UINT16_MAX;
	area_min = (uint32_t)((float)(g.w * g.h) / (AREA_MIN * sensitivity(a)));
	n = sluice_blobs_find(a->blobs, a->mask, sluice_background_lit(a->background), &g,
			      area_min > 12 ? area_min : 12, f->cells, f->grid_w, f->grid_h, blobs);
	for (uint32_t i = 0; i < n && n > 1; i++)
		blobs[i].edges = edges_of(a, &g, &blobs[i]);
	sluice_tracker_frame(a->tracker, t_s, f->sequence, &g, a->mask, blobs, n,
			     analysis_track_ended, a);
	gauge(a, f, t_s, &g, blobs, n,
	      r.learning || r.light > LIGHT_SHARE || r.change != SLUICE_CHANGE_NONE);
	note_objects(a, t_s, blobs, n, &g);
	m->camera_moved = r.change == SLUICE_CHANGE_CAMERA;
	m->light = r.light > LIGHT_SHARE || r.change == SLUICE_CHANGE_SCENE;
	live = sluice_tracker_live(a->tracker, &count);
	for (uint32_t i = 0; i < count; i++) {
		if (live[i].seen_s < t_s)
			continue;
		live[i].light_hits += m->light;
		m->objects += live[i].hits >= 3 && live[i].moved;
	}
	m->moving = (float)r.foreground / ((float)g.w * g.h);
	make_thumb(&g, m->thumb);
	sluice_look_make(&g, a->mask, &m->look);
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
	bool motion = f->reason == SLUICE_REASON_MOTION ||
		      f->reason == SLUICE_REASON_SCENE_CHANGE || f->reason == SLUICE_REASON_TAMPER;
	struct sluice_moment m = { .sequence = f->sequence, .score = f->score, .motion = motion };
	int err = 0;

	a->starved = sluice_starved;
	if (f->epoch != a->epoch)
		sluice_analysis_epoch(a, f->epoch, f->time_ns, f->utc_ns);
	m.t_s = f->time_ns > a->first_ns ? (f->time_ns - a->first_ns) / 1e9 : 0;
	if (a->seen_one && m.t_s < a->last_t_s)
		m.t_s = a->last_t_s; /* buffers may come out of order by a frame or two */
	if (analysis_event_over(a, m.t_s))
		analysis_event_end(a);
	if (e->active && motion && m.t_s - e->part_start_s >= a->config.event_max_ms / 1000.0)
		analysis_event_continue(a, m.t_s);
	if (f->reason != SLUICE_REASON_CORRUPT)
		err = look(a, f, m.t_s, &m);
	if (err == -ENOMEM) {
		sluice_starved++;
		return err;
	}
	if (err || !a->tracker) {
		a->undecodable++;
		if (e->active && motion)
			e->last_motion_s = e->end_s = m.t_s;
		return err;
	}
	if (motion && !e->active)
		analysis_event_start(a, &m, f->reason == SLUICE_REASON_SCENE_CHANGE);
	if (e->active) {
		e->settings = f->settings;
		sluice_event_moment(e, &m);
	}
	history_add(a, &m);
	return analysis_starved(a) ? -ENOMEM : 0;
}

void sluice_analysis_clock(struct sluice_analysis *a, uint64_t now_ns, int gate_open,
			   uint64_t delivered, const uint64_t counts[32])
{
	double now_s = now_ns > a->first_ns ? (now_ns - a->first_ns) / 1e9 : 0;

	a->starved = sluice_starved;
	a->delivered = delivered;
	memcpy(a->counts, counts, sizeof(a->counts));
	if (!gate_open && analysis_event_over(a, now_s))
		analysis_event_end(a);
}

void sluice_analysis_flush(struct sluice_analysis *a)
{
	a->starved = sluice_starved;
	if (a->event.active)
		a->event.end_s = fmax(a->event.end_s, analysis_dwelling(a));
	if (a->tracker)
		sluice_tracker_flush(a->tracker, analysis_track_ended, a);
	analysis_event_end(a);
}
