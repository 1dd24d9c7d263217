// SPDX-License-Identifier: MIT
/* period.c - see period.h. Summaries are our own words, but they were written from what devices
 * sent: every member is taken as far as it makes sense, and no further. */
#include "cloud/period.h"
#include "cloud/concern_kinds.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define WANTED_NS 3000000000ll /* before and behind what is followed */

struct sluice_period *sluice_period_open(const char *camera, int64_t from_ns, int64_t to_ns)
{
	struct sluice_period *p = calloc(1, sizeof(*p));

	if (!p)
		return NULL;
	snprintf(p->camera, sizeof(p->camera), "%s", camera);
	snprintf(p->span, sizeof(p->span), "other");
	snprintf(p->language, sizeof(p->language), "en");
	p->from_ns = from_ns;
	p->to_ns = to_ns;
	p->seconds = 60;
	p->order_s = 10;
	return p;
}

void sluice_period_free(struct sluice_period *p)
{
	if (!p)
		return;
	free(p->events);
	free(p->tubes);
	free(p->boxes);
	free(p->frames);
	free(p);
}

/* The array with room for one more of size bytes, or NULL: then it is as before. */
static void *grow(void *array, uint32_t count, uint32_t *room, size_t size)
{
	uint32_t n = *room ? 2 * *room : 64;

	if (count < *room)
		return array;
	array = realloc(array, n * size);
	if (array)
		*room = n;
	return array;
}

/* ---- one event ---- */

static int64_t ns_of(const json_t *o, const char *key)
{
	const char *text = json_string_value(json_object_get(o, key));
	uint64_t ns = text ? strtoull(text, NULL, 10) : 0;

	return ns && ns < INT64_MAX / 2 ? (int64_t)ns : -1;
}

static double number_of(const json_t *o, const char *key)
{
	double v = json_number_value(json_object_get(o, key));

	return isfinite(v) && fabs(v) < 1e9 ? v : 0;
}

static void text_of(const json_t *o, const char *key, char *out, size_t size)
{
	const char *text = json_string_value(json_object_get(o, key));
	size_t n = text ? strlen(text) : 0;

	if (n >= size) /* never in the middle of a letter */
		for (n = size - 1; n && ((unsigned char)text[n] & 0xc0) == 0x80; n--)
			;
	if (n)
		memcpy(out, text, n);
	out[n] = 0;
}

/* Seconds of the event's stream to UTC. */
struct clock {
	int64_t start_ns;
	double start_s;
};

static int64_t at_of(const struct clock *c, double t_s)
{
	return c->start_ns + (int64_t)llround((t_s - c->start_s) * 1e9);
}

static int16_t pixel(const json_t *box, size_t i, int most)
{
	double v = json_number_value(json_array_get(box, i));

	return (int16_t)(isfinite(v) ? fmin(fmax(v, -most), 2 * most) : 0);
}

static int add_boxes(struct sluice_period *p, struct sluice_period_tube *t, const json_t *boxes,
		     const struct clock *c)
{
	int64_t last = INT64_MIN;
	const json_t *b;
	size_t i;

	json_array_foreach (boxes, i, b) {
		struct sluice_period_box *to;
		double t_s = json_number_value(json_array_get(b, 0));
		int64_t at;

		if (json_array_size(b) != 5 || !isfinite(t_s) || fabs(t_s) > 1e9 ||
		    p->box_count == SLUICE_PERIOD_BOXES_MAX)
			continue;
		at = at_of(c, t_s);
		if (at <= last)
			continue;
		last = at;
		to = grow(p->boxes, p->box_count, &p->box_room, sizeof(*p->boxes));
		if (!to)
			return -ENOMEM;
		p->boxes = to;
		to += p->box_count;
		*to = (struct sluice_period_box){ at, pixel(b, 1, 16000), pixel(b, 2, 16000),
						  pixel(b, 3, 16000), pixel(b, 4, 16000) };
		if (to->w > 0 && to->h > 0) {
			p->box_count++;
			t->count++;
		}
	}
	return 0;
}

static int add_tracks(struct sluice_period *p, const json_t *tracks, const struct clock *c)
{
	const json_t *track;
	size_t i;

	json_array_foreach (tracks, i, track) {
		struct sluice_period_tube *t;
		int err;

		if (p->tube_count == SLUICE_PERIOD_TUBES_MAX ||
		    p->box_count == SLUICE_PERIOD_BOXES_MAX) {
			p->tubes_untold++;
			continue;
		}
		t = grow(p->tubes, p->tube_count, &p->tube_room, sizeof(*p->tubes));
		if (!t)
			return -ENOMEM;
		p->tubes = t;
		t += p->tube_count;
		*t = (struct sluice_period_tube){ .event = p->event_count - 1,
						  .track = (uint32_t)number_of(track, "id"),
						  .first = p->box_count };
		text_of(track, "class", t->class, sizeof(t->class));
		t->seen = json_is_false(json_object_get(track, "heuristic"));
		err = add_boxes(p, t, json_object_get(track, "boxes"), c);
		if (err)
			return err;
		p->tube_count += t->count > 0;
	}
	return 0;
}

/* Those that show a thing best first: the summary has them by time. */
static void add_keys(struct sluice_period_event *e, const json_t *keys, uint64_t epoch,
		     const struct clock *c)
{
	const json_t *k;
	size_t i;

	for (int best = 1; best >= 0; best--)
		json_array_foreach (keys, i, k) {
			const char *why = json_string_value(json_object_get(k, "why"));
			const char *sequence = json_string_value(json_object_get(k, "sequence"));

			if (!sequence || e->key_count == SLUICE_PERIOD_KEYS ||
			    (why && !strcmp(why, "best view")) != best)
				continue;
			e->keys[e->key_count++] =
				(struct sluice_period_frame){ epoch, strtoull(sequence, NULL, 10),
							      at_of(c, number_of(k, "t_s")) };
		}
}

static uint32_t kinds_of(const json_t *concerns)
{
	uint32_t kinds = 0;
	const json_t *k;
	size_t i;

	json_array_foreach (concerns, i, k) {
		const char *kind = json_string_value(json_object_get(k, "kind"));

		for (uint32_t n = 0; kind && n < SLUICE_CONCERNS; n++)
			kinds |= (uint32_t)!strcmp(kind, sluice_concern_name(n)) << n;
	}
	return kinds;
}

int sluice_period_event(struct sluice_period *p, const json_t *o)
{
	const char *kind = json_string_value(json_object_get(o, "kind"));
	const char *epoch = json_string_value(json_object_get(o, "epoch"));
	struct clock c = { ns_of(o, "start_ns"), number_of(o, "start_s") };
	uint32_t w = (uint32_t)number_of(o, "width"), h = (uint32_t)number_of(o, "height");
	struct sluice_period_event *e;

	if (!kind || strcmp(kind, "event") != 0 || !epoch || c.start_ns < 0 ||
	    ns_of(o, "end_ns") < c.start_ns || !w || !h || w > 65535 || h > 65535)
		return -EINVAL;
	if (p->event_count == SLUICE_PERIOD_EVENTS_MAX) {
		p->events_untold++;
		return 0;
	}
	e = grow(p->events, p->event_count, &p->event_room, sizeof(*p->events));
	if (!e)
		return -ENOMEM;
	p->events = e;
	if (!p->event_count) {
		p->epoch = strtoull(epoch, NULL, 10);
		p->first_utc_ns = (uint64_t)at_of(&c, 0);
		p->width = w;
		p->height = h;
	}
	e += p->event_count++;
	*e = (struct sluice_period_event){ .start_ns = c.start_ns, .end_ns = ns_of(o, "end_ns") };
	text_of(o, "event", e->event, sizeof(e->event));
	text_of(o, "id", e->summary, sizeof(e->summary));
	text_of(o, "title", e->title, sizeof(e->title));
	e->confidence = (float)fmin(fmax(number_of(o, "confidence"), 0), 1);
	e->threat = (uint32_t)fmin(fmax(number_of(o, "threat_level"), 0), 2);
	e->concerns = kinds_of(json_object_get(o, "concerns"));
	e->peak = (uint32_t)fmax(number_of(o, "peak_objects"), 0);
	e->tracks = (uint32_t)json_array_size(json_object_get(o, "tracks"));
	e->nuisance = json_is_true(json_object_get(o, "nuisance"));
	e->continued = json_is_true(json_object_get(o, "continued"));
	if (e->nuisance)
		return 0;
	if (w != p->width || h != p->height) {
		p->tubes_untold += e->tracks;
		return 0;
	}
	add_keys(e, json_object_get(o, "keyframes"), strtoull(epoch, NULL, 10), &c);
	return add_tracks(p, json_object_get(o, "tracks"), &c);
}

/* ---- frames ---- */

bool sluice_period_wants(const struct sluice_period *p, int64_t at_ns)
{
	uint32_t low = 0, high = p->event_count;

	/* the last event that begins before; parts are minutes, so a few before it are enough */
	while (low < high) {
		uint32_t mid = (low + high) / 2;

		if (p->events[mid].start_ns - WANTED_NS <= at_ns)
			low = mid + 1;
		else
			high = mid;
	}
	for (uint32_t i = low; i-- > 0 && low - i <= 8;)
		if (!p->events[i].nuisance && p->events[i].end_ns + WANTED_NS >= at_ns)
			return true;
	return false;
}

int sluice_period_frame(struct sluice_period *p, const struct sluice_period_frame *f)
{
	struct sluice_period_frame *to;

	if (p->frame_count == SLUICE_PERIOD_FRAMES_MAX)
		return -ENOSPC;
	to = grow(p->frames, p->frame_count, &p->frame_room, sizeof(*p->frames));
	if (!to)
		return -ENOMEM;
	p->frames = to;
	to[p->frame_count++] = *f;
	return 0;
}

uint32_t sluice_period_near(const struct sluice_period *p, int64_t at_ns)
{
	uint32_t low = 0, high = p->frame_count - 1;

	while (low < high) {
		uint32_t mid = (low + high) / 2;

		if (p->frames[mid].at_ns < at_ns)
			low = mid + 1;
		else
			high = mid;
	}
	return low && at_ns - p->frames[low - 1].at_ns < p->frames[low].at_ns - at_ns ? low - 1
										      : low;
}
