// SPDX-License-Identifier: MIT
/* gauge.c - see gauge.h. All places are shares of the picture until they become tiles. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <sluice/ring.h>

#include "cloud/gauge.h"

#define OPENS_S	  10.0	/* the gate sees it so soon after the sample: it was not missed */
#define OLD_S	  900.0 /* a picture before that is older says nothing */
#define EDGES_MIN 1.2f	/* of a blob: something stands there */
#define AREAS_MIN 2	/* a blob has at least so often the least area */
#define CHANGE	  6.0f	/* grey levels of a box, in the mean, between with and without the thing */
#define BACK	  3.0f	/* ... and at most 1/3 of that between before and after */

void sluice_gauge_reset(struct sluice_gauge *g)
{
	memset(g, 0, sizeof(*g));
}

/* ---- pictures ---- */

static void take_picture(struct sluice_gauge_picture *p, const struct sluice_gray *g, double t_s)
{
	for (uint32_t ty = 0; ty < SLUICE_GAUGE_ROWS; ty++)
		for (uint32_t tx = 0; tx < SLUICE_GAUGE_COLS; tx++) {
			uint32_t x0 = tx * g->w / SLUICE_GAUGE_COLS,
				 y0 = ty * g->h / SLUICE_GAUGE_ROWS;
			uint32_t x1 = (tx + 1) * g->w / SLUICE_GAUGE_COLS, sum = 0, n = 0;
			uint32_t y1 = (ty + 1) * g->h / SLUICE_GAUGE_ROWS;

			x1 = x1 > x0 ? x1 : x0 + 1;
			y1 = y1 > y0 ? y1 : y0 + 1;
			for (uint32_t y = y0; y < y1; y++)
				for (uint32_t x = x0; x < x1; x++, n++)
					sum += g->px[(size_t)y * g->w + x];
			p->mean[ty * SLUICE_GAUGE_COLS + tx] = (uint8_t)(sum / n);
		}
	p->there = true;
	p->t_s = t_s;
}

static uint32_t first_of(float share, uint32_t n)
{
	return share <= 0 ? 0 : share >= 1 ? n - 1 : (uint32_t)(share * (float)n);
}

/* The last of n that begins before that place. */
static uint32_t last_of(float share, uint32_t n, uint32_t first)
{
	float end = ceilf(share * (float)n);
	uint32_t last = end <= 1 ? 0 : end >= (float)n ? n - 1 : (uint32_t)end - 1;

	return last < first ? first : last;
}

/* Mean difference of two pictures within a box, beyond that of all of them: light is not it. */
static float differ(const struct sluice_gauge_picture *a, const struct sluice_gauge_picture *b,
		    const struct sluice_box *box)
{
	uint32_t x0 = first_of(box->x, SLUICE_GAUGE_COLS);
	uint32_t x1 = last_of(box->x + box->w, SLUICE_GAUGE_COLS, x0);
	uint32_t y0 = first_of(box->y, SLUICE_GAUGE_ROWS);
	uint32_t y1 = last_of(box->y + box->h, SLUICE_GAUGE_ROWS, y0);
	uint32_t sum = 0, n = 0;
	int all = 0;
	float shift;

	for (uint32_t i = 0; i < SLUICE_GAUGE_COLS * SLUICE_GAUGE_ROWS; i++)
		all += a->mean[i] - b->mean[i];
	shift = (float)all / (SLUICE_GAUGE_COLS * SLUICE_GAUGE_ROWS);
	for (uint32_t y = y0; y <= y1; y++)
		for (uint32_t x = x0; x <= x1; x++, n++) {
			uint32_t i = y * SLUICE_GAUGE_COLS + x;

			sum += (uint32_t)fabsf((float)(a->mean[i] - b->mean[i]) - shift);
		}
	return (float)sum / (float)n;
}

/* ---- samples ---- */

static bool is_sample(const struct sluice_gauge_sight *s)
{
	uint16_t reason = s->frame->reason;

	return !s->event && !s->light &&
	       (reason == SLUICE_REASON_AUDIT || reason == SLUICE_REASON_KEEPALIVE);
}

static void take_boxes(struct sluice_gauge *g, const struct sluice_gauge_sight *s)
{
	float w = (float)s->gray->w, h = (float)s->gray->h;

	g->count = 0;
	for (uint32_t i = 0; i < s->blobs && g->count < SLUICE_GAUGE_BOXES; i++) {
		const struct sluice_blob *b = &s->blob[i];
		struct sluice_box *box = &g->box[g->count];

		if (b->area < AREAS_MIN * s->area_min || b->edges < EDGES_MIN)
			continue;
		*box = (struct sluice_box){ s->t_s, b->x / w, b->y / h, b->w / w, b->h / h };
		g->count += differ(&g->sample, &g->before, box) >= CHANGE;
	}
}

/* The tiles that a box touches. */
static void touch(const struct sluice_tiles *g, const struct sluice_box *b, bool *touched)
{
	uint32_t from = sluice_tiles_at(g, b->x, b->y);
	uint32_t to = sluice_tiles_at(g, b->x + b->w, b->y + b->h);

	for (uint32_t y = from / g->w; y <= to / g->w; y++)
		for (uint32_t x = from % g->w; x <= to % g->w; x++)
			touched[y * g->w + x] = true;
}

/* What is known of the sample, now that there is a picture after it. */
static bool judge_sample(struct sluice_gauge *g, const struct sluice_gauge_sight *s,
			 const struct sluice_gauge_picture *now, struct sluice_tally *out)
{
	bool opened = s->event || (s->frame->reason != SLUICE_REASON_AUDIT &&
				   s->frame->reason != SLUICE_REASON_KEEPALIVE);
	bool touched[SLUICE_TILES] = { false };

	if (s->light || sluice_tally_begin(out, g->grid_w, g->grid_h))
		return false;
	out->samples = 1;
	out->settings = g->settings;
	out->utc_ns = g->utc_ns;
	if (opened && s->t_s - g->sample.t_s < OPENS_S)
		return true;
	for (uint32_t i = 0; i < g->count; i++) {
		float thing = differ(&g->sample, now, &g->box[i]);

		if (thing < CHANGE || BACK * differ(&g->before, now, &g->box[i]) > thing)
			continue;
		touch(&out->tiles, &g->box[i], touched);
		out->missed = 1;
	}
	for (uint32_t i = 0; i < SLUICE_TILES; i++)
		out->tile[i].missed = touched[i];
	return true;
}

/* Cells of the gate in a frame of an event: one more frame of each of their tiles. */
static void count_cells(struct sluice_gauge *g, const struct sluice_stored_frame *f)
{
	bool done[SLUICE_TILES] = { false };
	struct sluice_tiles *t = &g->event.tiles;

	if (!f->cells)
		return;
	if ((t->grid_w != f->grid_w || t->grid_h != f->grid_h) &&
	    sluice_tally_begin(&g->event, f->grid_w, f->grid_h))
		return;
	g->event.settings = f->settings;
	g->event.utc_ns = f->utc_ns;
	for (uint32_t y = 0; y < f->grid_h; y++)
		for (uint32_t x = 0; x < f->grid_w; x++) {
			uint32_t i = y * f->grid_w + x, at = y / t->side * t->w + x / t->side;

			if (!(f->cells[i / 8] >> i % 8 & 1) || done[at])
				continue;
			done[at] = true;
			g->event.tile[at].frames++;
		}
}

bool sluice_gauge_picture(struct sluice_gauge *g, const struct sluice_gauge_sight *s,
			  struct sluice_tally *out)
{
	struct sluice_gauge_picture now;
	bool known = false;

	if (s->frame->reason == SLUICE_REASON_MOTION)
		count_cells(g, s->frame);
	if (s->event && !g->sample.there)
		return false;
	take_picture(&now, s->gray, s->t_s);
	if (g->sample.there) {
		known = judge_sample(g, s, &now, out);
		g->sample.there = false;
	}
	if (is_sample(s) && g->before.there && s->t_s - g->before.t_s < OLD_S) {
		g->sample = now;
		g->grid_w = s->frame->grid_w;
		g->grid_h = s->frame->grid_h;
		g->settings = s->frame->settings;
		g->utc_ns = s->frame->utc_ns;
		take_boxes(g, s);
		if (g->count)
			return known; /* the picture before stays what it is */
	}
	g->before = now;
	return known;
}

/* ---- events ---- */

static void touch_track(const struct sluice_tiles *g, const struct sluice_track *track, uint32_t w,
			uint32_t h, bool *touched)
{
	for (uint32_t k = 0; k <= track->path_count; k++) {
		struct sluice_box b = k < track->path_count ? track->path[k] : track->last;

		b.x /= (float)w;
		b.w /= (float)w;
		b.y /= (float)h;
		b.h /= (float)h;
		touch(g, &b, touched);
	}
}

bool sluice_gauge_event(struct sluice_gauge *g, const struct sluice_event_log *e, const bool *seen,
			uint32_t w, uint32_t h, struct sluice_tally *out)
{
	bool touched[SLUICE_TILES] = { false };
	uint32_t i;

	*out = g->event;
	memset(&g->event, 0, sizeof(g->event));
	if (!out->tiles.side || e->scene_change || e->camera_moved || !w || !h)
		return false;
	out->openings = 1;
	out->nothing = e->nuisance != SLUICE_NUISANCE_NONE;
	for (i = 0; i < e->track_count; i++)
		if (seen[i])
			touch_track(&out->tiles, &e->tracks[i], w, h, touched);
	for (i = 0; i < SLUICE_TILES; i++) {
		struct sluice_tile *t = &out->tile[i];

		t->seen = touched[i];
		t->nothing = out->nothing && t->frames;
		if (!out->nothing)
			t->frames = 0;
	}
	return true;
}
