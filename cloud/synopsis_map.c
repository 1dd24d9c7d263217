// SPDX-License-Identifier: MIT
/* synopsis_map.c - the JSON beside a synopsis (docs/api.md), from which a page knows what is under
 * the pointer. */
#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "cloud/synopsis.h"

static double rounded(double v)
{
	return round(v * 1000) / 1000;
}

static json_t *ns_json(int64_t ns)
{
	char text[24];

	snprintf(text, sizeof(text), "%lld", (long long)ns);
	return json_string(text);
}

static json_t *head_of(const struct sluice_synopsis *s, uint32_t i)
{
	const struct sluice_period_tube *t = &s->period->tubes[i];
	const struct sluice_period_event *e = &s->period->events[t->event];
	const struct sluice_tube *u = &s->tubes.tubes[i];
	json_t *o = json_object();

	json_object_set_new(o, "tube", json_integer(i + 1));
	json_object_set_new(o, "event", json_string(e->event));
	json_object_set_new(o, "summary", json_string(e->summary));
	json_object_set_new(o, "track", json_integer(t->track));
	json_object_set_new(o, "class", json_string(t->class));
	json_object_set_new(o, "start_ns", ns_json(s->period->boxes[t->first].at_ns));
	json_object_set_new(o, "end_ns", ns_json(s->period->boxes[t->first + t->count - 1].at_ns));
	json_object_set_new(o, "seconds", json_real(rounded((u->end_ns - u->start_ns) * 1e-9)));
	return o;
}

/* Every tube once: shown[] has its boxes, a list for each of its pictures. */
static void add_boxes(const struct sluice_synopsis *s, uint32_t w, uint32_t h, json_t **boxes)
{
	const struct sluice_period *p = s->period;

	for (uint32_t k = 0; k < s->pictures; k++)
		for (uint32_t i = s->first[k]; i < s->first[k + 1]; i++) {
			const struct sluice_synopsis_shot *c = &s->shots[i];

			if (!boxes[c->tube])
				continue;
			json_array_append_new(boxes[c->tube],
					      json_pack("[iiiii]", (int)k,
							c->x * (int)w / (int)p->width,
							c->y * (int)h / (int)p->height,
							c->w * (int)w / (int)p->width,
							c->h * (int)h / (int)p->height));
		}
}

char *sluice_synopsis_map(const struct sluice_synopsis *s, uint32_t w, uint32_t h)
{
	uint32_t n = s->period->tube_count;
	json_t *o = json_object(), *tubes = json_array(), *left = json_array(), **boxes;
	char *out;

	boxes = calloc(n + 1, sizeof(*boxes));
	for (uint32_t i = 0; boxes && i < n; i++) {
		json_t *t = head_of(s, i);

		if (s->tube[i].why) {
			json_object_set_new(t, "reason",
					    json_string(sluice_left_out_name(s->tube[i].why)));
			json_array_append_new(left, t);
			continue;
		}
		json_object_set_new(
			t, "at_s", json_real(rounded((double)s->tube[i].at / SLUICE_SYNOPSIS_FPS)));
		json_object_set_new(
			t, "for_s",
			json_real(rounded((double)s->tube[i].count / SLUICE_SYNOPSIS_FPS)));
		boxes[i] = json_array();
		json_object_set_new(t, "boxes", boxes[i]);
		json_array_append_new(tubes, t);
	}
	if (boxes)
		add_boxes(s, w, h, boxes);
	json_object_set_new(o, "version", json_integer(1));
	json_object_set_new(o, "camera", json_string(s->period->camera));
	json_object_set_new(o, "from_ns", ns_json(s->period->from_ns));
	json_object_set_new(o, "to_ns", ns_json(s->period->to_ns));
	json_object_set_new(o, "width", json_integer(w));
	json_object_set_new(o, "height", json_integer(h));
	json_object_set_new(o, "fps", json_integer(SLUICE_SYNOPSIS_FPS));
	json_object_set_new(o, "pictures", json_integer(s->pictures));
	json_object_set_new(o, "factor", json_real(rounded(s->factor)));
	json_object_set_new(o, "overlap", json_real(rounded(s->overlap)));
	json_object_set_new(o, "order_s", json_real(rounded(s->period->order_s)));
	json_object_set_new(o, "disorder_s", json_real(rounded(s->disorder_s)));
	json_object_set_new(o, "tubes", tubes);
	json_object_set_new(o, "left_out", left);
	out = boxes ? json_dumps(o, JSON_COMPACT) : NULL;
	json_decref(o);
	free(boxes);
	return out;
}
