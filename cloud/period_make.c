// SPDX-License-Identifier: MIT
/*
 * period_make.c - see period_make.h. The synopsis first, it takes nearly all of the time; then the
 * storyboard (the most telling key frame of each of some stretches of equally many events) and the
 * heat map (where boxes moved; what stands still heats nothing), drawn as those of a digest.
 */
#include "cloud/period_make.h"

#include <errno.h>
#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cloud/digest.h"
#include "cloud/period_text.h"
#include "cloud/summary.h"
#include "cloud/synopsis.h"

#define PLANNED	  100 /* per mille done when the synopsis is planned, and drawn */
#define DRAWN	  900
#define HEAT_CELL 8 /* the camera's pixels */

struct making {
	const struct sluice_period *p;
	const struct sluice_period_options *o;
	struct sluice_period_made *made;
	struct sluice_period_facts facts;
	struct sluice_synopsis synopsis;
	uint32_t w, h; /* of the video */
	struct sluice_period_frame key[SLUICE_PERIOD_CELLS];
	uint32_t key_event[SLUICE_PERIOD_CELLS], key_count;
};

static void say_progress(struct making *m, int per_mille)
{
	if (m->o->progress)
		m->o->progress(m->o->ctx, per_mille);
}

static int is_stopped(const struct making *m)
{
	return m->o->stopped && m->o->stopped(m->o->ctx);
}

static void add_file(struct making *m, const char *name, uint8_t *data, size_t size)
{
	struct sluice_summary_media *f = &m->made->media[m->made->summary.media_count++];

	snprintf(f->name, sizeof(f->name), "%s", name);
	f->data = data;
	f->size = size;
}

/* What could not be made is not there; only what ends it all is returned. */
static int add_made(struct making *m, int err, const char *name, uint8_t *data, size_t size)
{
	if (err == -ECANCELED || err == -ENOMEM)
		return err;
	if (!err)
		add_file(m, name, data, size);
	return 0;
}

/* ---- synopsis ---- */

static uint8_t *fetch(void *ctx, uint64_t epoch, uint64_t sequence, size_t *size)
{
	struct making *m = ctx;

	return m->o->fetch(m->o->ctx, epoch, sequence, size);
}

static int stopped(void *ctx)
{
	return is_stopped(ctx);
}

static void on_picture(void *ctx, uint32_t done, uint32_t of)
{
	say_progress(ctx, PLANNED + (int)((DRAWN - PLANNED) * (uint64_t)done / of));
}

static int make_synopsis(struct making *m)
{
	const struct sluice_synopsis_options o = {
		.fetch = fetch, .stopped = stopped, .progress = on_picture, .ctx = m
	};
	uint8_t *data = NULL;
	size_t size = 0;
	char *map;
	int err = sluice_synopsis_plan(m->p, &m->synopsis);

	if (err)
		return err;
	say_progress(m, PLANNED);
	err = sluice_synopsis_draw(&m->synopsis, &o, &m->w, &m->h, &data, &size);
	if (err)
		return add_made(m, err, "", NULL, 0);
	add_file(m, "synopsis.webm", data, size);
	map = sluice_synopsis_map(&m->synopsis, m->w, m->h);
	if (!map)
		return -ENOMEM;
	add_file(m, "synopsis.json", (uint8_t *)map, strlen(map));
	return 0;
}

/* ---- sheets ---- */

static double worth(const struct sluice_period_event *e)
{
	return e->threat * 100.0 + e->peak * 10.0 + e->tracks + e->confidence;
}

/* Of equally many events each, the one that shows most. */
static void choose_keys(struct making *m)
{
	const struct sluice_period *p = m->p;
	uint32_t shown = 0, at = 0, cells, cell, best = 0;

	for (uint32_t i = 0; i < p->event_count; i++)
		shown += p->events[i].key_count > 0;
	cells = shown < SLUICE_PERIOD_CELLS ? shown : SLUICE_PERIOD_CELLS;
	for (uint32_t i = 0; i < p->event_count; i++) {
		if (!p->events[i].key_count)
			continue;
		cell = (uint32_t)((uint64_t)at * cells / shown);
		if (cell >= m->key_count) {
			m->key_count = cell + 1;
			best = i;
		} else if (worth(&p->events[i]) > worth(&p->events[best])) {
			best = i;
		}
		m->key[cell] = p->events[best].keys[0];
		m->key_event[cell] = best;
		at++;
	}
}

/* Sheets are drawn of a plan of one stream: there a frame's number is its place among our keys. */
static uint8_t *fetch_key(void *ctx, uint64_t epoch, uint64_t sequence, size_t *size)
{
	struct making *m = ctx;

	if (sequence >= m->key_count)
		return NULL;
	return m->o->fetch(m->o->ctx, m->key[sequence].epoch, m->key[sequence].sequence, size);
}

/* A box more, as the corners of a table of differences. */
static void heat_box(const struct sluice_period_box *b, int32_t *d, uint32_t w, uint32_t h)
{
	int x0 = b->x / HEAT_CELL, y0 = b->y / HEAT_CELL;
	int x1 = (b->x + b->w - 1) / HEAT_CELL + 1, y1 = (b->y + b->h - 1) / HEAT_CELL + 1;

	x0 = x0 < 0 ? 0 : x0;
	y0 = y0 < 0 ? 0 : y0;
	x1 = x1 > (int)w ? (int)w : x1;
	y1 = y1 > (int)h ? (int)h : y1;
	if (x0 >= x1 || y0 >= y1)
		return;
	d[y0 * (int)(w + 1) + x0]++;
	d[y0 * (int)(w + 1) + x1]--;
	d[y1 * (int)(w + 1) + x0]--;
	d[y1 * (int)(w + 1) + x1]++;
}

static void heat_boxes(const struct sluice_period *p, int32_t *d, uint32_t w, uint32_t h)
{
	for (uint32_t i = 0; i < p->tube_count; i++) {
		const struct sluice_period_box *last = NULL;

		for (uint32_t k = 0; k < p->tubes[i].count; k++) {
			const struct sluice_period_box *b = &p->boxes[p->tubes[i].first + k];

			if (last && abs(b->x + b->w / 2 - last->x - last->w / 2) < HEAT_CELL &&
			    abs(b->y + b->h / 2 - last->y - last->h / 2) < HEAT_CELL)
				continue;
			heat_box(b, d, w, h);
			last = b;
		}
	}
}

/* Differences to sums, row by row and then column by column. */
static void sum_up(const int32_t *d, uint16_t *heat, uint32_t w, uint32_t h)
{
	for (uint32_t y = 0; y < h; y++) {
		int32_t row = 0;

		for (uint32_t x = 0; x < w; x++) {
			int32_t above = y ? heat[(y - 1) * w + x] : 0;

			row += d[y * (w + 1) + x];
			above += row;
			above = above < 0 ? 0 : above;
			heat[y * w + x] = (uint16_t)(above > UINT16_MAX ? UINT16_MAX : above);
		}
	}
}

static int make_heat(const struct sluice_period *p, struct sluice_digest_plan *plan)
{
	uint32_t w = (p->width + HEAT_CELL - 1) / HEAT_CELL;
	uint32_t h = (p->height + HEAT_CELL - 1) / HEAT_CELL;
	int32_t *d = calloc((size_t)(w + 1) * (h + 1), sizeof(*d));

	plan->heat = calloc((size_t)w * h + 1, sizeof(*plan->heat));
	plan->heat_w = w;
	plan->heat_h = h;
	if (d && plan->heat) {
		heat_boxes(p, d, w, h);
		sum_up(d, plan->heat, w, h);
	}
	free(d);
	return d && plan->heat ? 0 : -ENOMEM;
}

static int make_sheets(struct making *m)
{
	static const struct {
		const char *name;
		int (*make)(const struct sluice_digest_plan *p,
			    const struct sluice_digest_options *o, uint8_t **data, size_t *size);
	} sheets[] = { { "storyboard.jpg", sluice_digest_storyboard },
		       { "heat.png", sluice_digest_heat },
		       { "thumb.jpg", sluice_digest_thumb } };
	const struct sluice_digest_options o = { .fetch = fetch_key, .ctx = m };
	struct sluice_digest_plan plan = { .first_utc_ns = (uint64_t)m->p->from_ns,
					   .width = m->p->width,
					   .height = m->p->height,
					   .key_count = m->key_count };
	int err;

	for (uint32_t i = 0; i < m->key_count; i++)
		plan.keys[i] = (struct sluice_digest_frame){
			i, fmax(0, (double)(m->key[i].at_ns - m->p->from_ns) * 1e-9)
		};
	err = make_heat(m->p, &plan);
	for (size_t i = 0; !err && i < sizeof(sheets) / sizeof(sheets[0]); i++) {
		uint8_t *data = NULL;
		size_t size = 0;
		int made = is_stopped(m) ? -ECANCELED : sheets[i].make(&plan, &o, &data, &size);

		err = add_made(m, made, sheets[i].name, data, size);
	}
	free(plan.heat);
	return err;
}

/* ---- the JSON ---- */

static double rounded(double v)
{
	return round(v * 1000) / 1000;
}

static const char *file_of(const struct making *m, const char *name)
{
	for (size_t i = 0; i < m->made->summary.media_count; i++)
		if (!strcmp(m->made->media[i].name, name))
			return name;
	return NULL;
}

static json_t *event_json(const struct sluice_period_event *e)
{
	json_t *o = json_object();

	json_object_set_new(o, "event", json_string(e->event));
	json_object_set_new(o, "summary", json_string(e->summary));
	json_object_set_new(o, "title", json_string(e->title));
	sluice_summary_time(o, "start", "start_ns", (uint64_t)e->start_ns);
	sluice_summary_time(o, "end", "end_ns", (uint64_t)e->end_ns);
	json_object_set_new(o, "confidence", json_real(rounded(e->confidence)));
	json_object_set_new(o, "threat_level", json_integer(e->threat));
	json_object_set_new(o, "peak_objects", json_integer(e->peak));
	json_object_set_new(o, "tracks", json_integer(e->tracks));
	return o;
}

static void set_events(json_t *o, const struct making *m)
{
	const struct sluice_period *p = m->p;
	json_t *list = json_array(), *board = json_array();
	uint32_t told = 0;

	for (uint32_t i = 0; i < p->event_count; i++)
		if (!p->events[i].nuisance && told++ < SLUICE_PERIOD_LISTED)
			json_array_append_new(list, event_json(&p->events[i]));
	for (uint32_t i = 0; i < m->key_count; i++) {
		const struct sluice_period_event *e = &p->events[m->key_event[i]];
		json_t *cell = json_pack("{s:s,s:s}", "event", e->event, "summary", e->summary);

		sluice_summary_time(cell, "at", "at_ns", (uint64_t)m->key[i].at_ns);
		json_array_append_new(board, cell);
	}
	json_object_set_new(o, "events", list);
	json_object_set_new(o, "storyboard_of", board);
}

static void set_counts(json_t *o, const struct making *m)
{
	const struct sluice_period_facts *f = &m->facts;
	json_t *classes = json_object(), *activity = json_array(), *concerns = json_object();

	for (uint32_t i = 0; i < f->classes; i++)
		json_object_set_new(classes, f->by_class[i].name,
				    json_integer(f->by_class[i].count));
	if (f->unnamed)
		json_object_set_new(classes, "others", json_integer(f->unnamed));
	for (uint32_t i = 0; i < SLUICE_PERIOD_BUCKETS; i++)
		json_array_append_new(activity, json_integer(f->bucket[i]));
	json_object_set_new(o, "event_count", json_integer(f->events));
	json_object_set_new(o, "nuisance_count", json_integer(f->nuisance));
	json_object_set_new(o, "events_untold", json_integer(m->p->events_untold));
	json_object_set_new(o, "objects", json_integer(f->objects));
	json_object_set_new(o, "objects_untold", json_integer(m->p->tubes_untold));
	json_object_set_new(o, "classes", classes);
	json_object_set_new(o, "peak_objects", json_integer(f->peak));
	for (uint32_t i = 0; i < SLUICE_CONCERNS; i++)
		if (f->concern[i])
			json_object_set_new(concerns, sluice_concern_name(i),
					    json_integer(f->concern[i]));
	json_object_set_new(o, "threat_level", json_integer(f->threat));
	json_object_set_new(o, "concerns", concerns);
	json_object_set_new(o, "active_s", json_real(rounded(f->active_s)));
	json_object_set_new(o, "activity", activity);
	json_object_set_new(o, "ledger",
			    m->p->seen ? json_pack("{s:I,s:I,s:I}", "seen", (json_int_t)m->p->seen,
						   "passed", (json_int_t)m->p->passed, "lost",
						   (json_int_t)m->p->lost)
				       : json_null());
}

/* Title and text as those of any summary, in the asked language, and both beside. */
static void set_words(json_t *o, const struct making *m)
{
	const struct sluice_synopsis *s = &m->synopsis;
	uint32_t shown = file_of(m, "synopsis.webm") ? s->shown : 0;
	json_t *all = json_object();

	for (int i = 0; i < SLUICE_PERIOD_LANGUAGES; i++) {
		struct sluice_period_text t;

		sluice_period_words(m->p, &m->facts, shown, m->p->tube_count - shown,
				    (enum sluice_period_language)i, &t);
		json_object_set_new(all, sluice_period_language[i],
				    json_pack("{s:s,s:s,s:s}", "title", t.title, "text", t.text,
					      "report", t.report));
		if (i && strcmp(m->p->language, sluice_period_language[i]) != 0)
			continue;
		json_object_set_new(o, "title", json_string(t.title));
		json_object_set_new(o, "text", json_string(t.text));
		json_object_set_new(o, "report", json_string(t.report));
	}
	json_object_set_new(o, "texts", all);
}

static void set_synopsis(json_t *o, const struct making *m)
{
	const struct sluice_synopsis *s = &m->synopsis;
	const char *video = file_of(m, "synopsis.webm");

	json_object_set_new(o, "synopsis", json_pack("s?", video));
	json_object_set_new(o, "synopsis_map", json_pack("s?", file_of(m, "synopsis.json")));
	if (video) {
		json_object_set_new(o, "video_s",
				    json_real(rounded((double)s->pictures / SLUICE_SYNOPSIS_FPS)));
		json_object_set_new(o, "factor", json_real(rounded(s->factor)));
		json_object_set_new(o, "objects_shown", json_integer(s->shown));
		json_object_set_new(o, "objects_left_out",
				    json_integer(m->p->tube_count - s->shown));
	}
	json_object_set_new(o, "storyboard", json_pack("s?", file_of(m, "storyboard.jpg")));
	json_object_set_new(o, "heat", json_pack("s?", file_of(m, "heat.png")));
	json_object_set_new(o, "thumb", json_pack("s?", file_of(m, "thumb.jpg")));
}

static char *make_json(const struct making *m)
{
	const struct sluice_period *p = m->p;
	json_t *o = json_object();
	char text[24], *out;

	snprintf(text, sizeof(text), "%llu", (unsigned long long)p->epoch);
	json_object_set_new(o, "version", json_integer(1));
	json_object_set_new(o, "id", json_string(p->id));
	json_object_set_new(o, "kind", json_string("period"));
	json_object_set_new(o, "span", json_string(p->span));
	json_object_set_new(o, "camera", json_string(p->camera));
	json_object_set_new(o, "epoch", json_string(text));
	sluice_summary_time(o, "start", "start_ns", (uint64_t)p->from_ns);
	sluice_summary_time(o, "end", "end_ns", (uint64_t)p->to_ns);
	json_object_set_new(
		o, "start_s",
		json_real(rounded((double)(p->from_ns - (int64_t)p->first_utc_ns) * 1e-9)));
	json_object_set_new(
		o, "end_s",
		json_real(rounded((double)(p->to_ns - (int64_t)p->first_utc_ns) * 1e-9)));
	json_object_set_new(o, "reason", json_string("period"));
	json_object_set_new(o, "language", json_string(p->language));
	json_object_set_new(o, "confidence", json_real(rounded(m->facts.confidence)));
	set_words(o, m);
	set_counts(o, m);
	set_events(o, m);
	set_synopsis(o, m);
	json_object_set_new(o, "width", json_integer(p->width));
	json_object_set_new(o, "height", json_integer(p->height));
	out = json_dumps(o, JSON_COMPACT);
	json_decref(o);
	return out;
}

int sluice_period_make(const struct sluice_period *p, const struct sluice_period_options *o,
		       struct sluice_period_made **out)
{
	struct making m = { .p = p, .o = o };
	int err;

	*out = NULL;
	if (!p->event_count)
		return -ENODATA;
	m.made = calloc(1, sizeof(*m.made));
	if (!m.made)
		return -ENOMEM;
	m.made->summary.media = m.made->media;
	memcpy(m.made->summary.id, p->id, sizeof(p->id));
	m.made->summary.epoch = p->epoch;
	m.made->summary.start_utc_ns = (uint64_t)p->from_ns;
	m.made->summary.end_utc_ns = (uint64_t)p->to_ns;
	sluice_period_facts(p, &m.facts);
	choose_keys(&m);
	err = make_synopsis(&m);
	if (!err)
		err = make_sheets(&m);
	m.made->json = err ? NULL : make_json(&m);
	m.made->summary.json = m.made->json;
	if (!err && !m.made->json)
		err = -ENOMEM;
	sluice_synopsis_free(&m.synopsis);
	if (err)
		sluice_period_made_free(m.made);
	else
		*out = m.made;
	return err;
}

void sluice_period_made_free(struct sluice_period_made *m)
{
	if (!m)
		return;
	for (size_t i = 0; i < m->summary.media_count; i++)
		free((void *)m->media[i].data);
	free(m->json);
	free(m);
}
