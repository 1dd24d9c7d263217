// SPDX-License-Identifier: MIT
/*
 * compare.c - see compare.h. Parts of an event (those longer than five minutes are told in several)
 * are put together first: how an event is cut up is a matter of settings, not of what happened.
 *
 * Pairs are taken greedily, the one with the largest share of common time first; equal ones in the
 * order of time. Events of one analysis hardly overlap, so there are few candidates: they are found
 * by walking both lists once.
 */
#include "cloud/compare.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- events ---- */

static int64_t ns_of(const json_t *o, const char *key)
{
	const char *text = json_string_value(json_object_get(o, key));

	return text && *text && strspn(text, "0123456789") == strlen(text) && strlen(text) < 20
		       ? (int64_t)strtoull(text, NULL, 10)
		       : -1;
}

static struct sluice_told *find_told(struct sluice_told_list *l, const char *event)
{
	for (uint32_t i = l->count; i-- > 0;) /* parts come one after the other */
		if (!strcmp(l->event[i].event, event))
			return &l->event[i];
	if (l->count == l->room) {
		uint32_t room = l->room ? 2 * l->room : 64;
		void *more = realloc(l->event, room * sizeof(*l->event));

		if (!more)
			return NULL;
		l->event = more;
		l->room = room;
	}
	l->event[l->count] = (struct sluice_told){ .nuisance = true };
	snprintf(l->event[l->count].event, sizeof(l->event[0].event), "%s", event);
	return &l->event[l->count++];
}

/* n more of a class; a detector has names of its own. 0 or -ENOMEM. */
static int count_class(json_t *classes, const char *name, json_int_t n)
{
	n += json_integer_value(json_object_get(classes, name));
	return json_object_set_new(classes, name, json_integer(n)) ? -ENOMEM : 0;
}

static int add_classes(struct sluice_told *e, const json_t *tracks)
{
	json_int_t most = 0;
	const char *name;
	json_t *t;
	size_t i;

	if (!e->classes)
		e->classes = json_object();
	json_array_foreach (tracks, i, t) {
		name = json_string_value(json_object_get(t, "class"));
		if (count_class(e->classes, name ? name : "unknown", 1))
			return -ENOMEM;
	}
	snprintf(e->class, sizeof(e->class), "none");
	json_object_foreach (e->classes, name, t) {
		if (json_integer_value(t) <= most)
			continue;
		most = json_integer_value(t);
		snprintf(e->class, sizeof(e->class), "%s", name);
	}
	return 0;
}

int sluice_told_add(struct sluice_told_list *l, json_t *summary)
{
	const char *kind = json_string_value(json_object_get(summary, "kind"));
	const char *event = json_string_value(json_object_get(summary, "event"));
	int64_t start = ns_of(summary, "start_ns"), end = ns_of(summary, "end_ns");
	uint32_t peak = (uint32_t)json_integer_value(json_object_get(summary, "peak_objects"));
	const json_t *tracks = json_object_get(summary, "tracks");
	struct sluice_told *e;

	if (!kind || strcmp(kind, "event") != 0 || !event || strlen(event) != 32 || start < 0 ||
	    end < start)
		return -EBADMSG;
	e = find_told(l, event);
	if (!e)
		return -ENOMEM;
	if (!e->summary || start < e->start_ns) {
		json_decref(e->summary);
		e->summary = json_incref(summary);
		e->start_ns = start;
	}
	e->begun |= !json_is_true(json_object_get(summary, "continued"));
	e->end_ns = end > e->end_ns ? end : e->end_ns;
	e->tracks += (uint32_t)json_array_size(tracks);
	e->peak = peak > e->peak ? peak : e->peak;
	e->nuisance &= json_is_true(json_object_get(summary, "nuisance"));
	return add_classes(e, tracks);
}

static void clear_told(struct sluice_told *e)
{
	json_decref(e->summary);
	json_decref(e->classes);
}

static int by_start(const void *a, const void *b)
{
	const struct sluice_told *x = a, *y = b;

	if (x->start_ns != y->start_ns)
		return x->start_ns < y->start_ns ? -1 : 1;
	return strcmp(x->event, y->event);
}

void sluice_told_within(struct sluice_told_list *l, int64_t from_ns, int64_t to_ns)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < l->count; i++) {
		struct sluice_told *e = &l->event[i];

		if (e->begun && e->start_ns >= from_ns && e->start_ns < to_ns)
			l->event[n++] = *e;
		else
			clear_told(e);
	}
	l->count = n;
	if (n)
		qsort(l->event, n, sizeof(*l->event), by_start);
}

void sluice_told_clear(struct sluice_told_list *l)
{
	for (uint32_t i = 0; i < l->count; i++)
		clear_told(&l->event[i]);
	free(l->event);
	*l = (struct sluice_told_list){ 0 };
}

/* ---- pairs ---- */

double sluice_told_tiou(const struct sluice_told *a, const struct sluice_told *b)
{
	int64_t from = a->start_ns > b->start_ns ? a->start_ns : b->start_ns;
	int64_t to = a->end_ns < b->end_ns ? a->end_ns : b->end_ns;
	int64_t all = (a->end_ns > b->end_ns ? a->end_ns : b->end_ns) -
		      (a->start_ns < b->start_ns ? a->start_ns : b->start_ns);

	if (!all)
		return 1; /* both at the same moment */
	return to > from ? (double)(to - from) / (double)all : 0;
}

struct pair {
	uint32_t first, second;
	double tiou;
};

struct pairs {
	struct pair *pair;
	size_t count, room;
};

static int add_pair(struct pairs *p, uint32_t first, uint32_t second, double tiou)
{
	if (p->count == p->room) {
		size_t room = p->room ? 2 * p->room : 256;
		void *more = realloc(p->pair, room * sizeof(*p->pair));

		if (!more)
			return -ENOMEM;
		p->pair = more;
		p->room = room;
	}
	p->pair[p->count++] = (struct pair){ first, second, tiou };
	return 0;
}

static int find_pairs(const struct sluice_told_list *a, const struct sluice_told_list *b,
		      struct pairs *p)
{
	uint32_t begin = 0;
	int err = 0;

	for (uint32_t i = 0; i < a->count; i++) {
		while (begin < b->count && b->event[begin].end_ns < a->event[i].start_ns)
			begin++;
		for (uint32_t k = begin; k < b->count && !err; k++) {
			double tiou = sluice_told_tiou(&a->event[i], &b->event[k]);

			if (b->event[k].start_ns > a->event[i].end_ns)
				break;
			if (tiou >= SLUICE_COMPARE_TIOU)
				err = add_pair(p, i, k, tiou);
		}
	}
	return err;
}

static int likest_first(const void *a, const void *b)
{
	const struct pair *x = a, *y = b;

	if (x->tiou != y->tiou)
		return x->tiou > y->tiou ? -1 : 1;
	if (x->first != y->first)
		return x->first < y->first ? -1 : 1;
	return (x->second > y->second) - (x->second < y->second);
}

int sluice_compare(const struct sluice_told_list *first, const struct sluice_told_list *second,
		   uint32_t *other)
{
	uint8_t *taken = calloc(second->count + 1, 1);
	struct pairs p = { 0 };
	int err = taken ? find_pairs(first, second, &p) : -ENOMEM;

	for (uint32_t i = 0; i < first->count; i++)
		other[i] = SLUICE_COMPARE_NONE;
	if (!err && p.count)
		qsort(p.pair, p.count, sizeof(*p.pair), likest_first);
	for (size_t i = 0; i < p.count && !err; i++) {
		if (other[p.pair[i].first] != SLUICE_COMPARE_NONE || taken[p.pair[i].second])
			continue;
		other[p.pair[i].first] = p.pair[i].second;
		taken[p.pair[i].second] = 1;
	}
	free(p.pair);
	free(taken);
	return err;
}

/* ---- as JSON ---- */

static double seconds(int64_t ns)
{
	return round((double)ns / 1e6) / 1e3;
}

static json_t *text_ns(int64_t ns)
{
	char text[24];

	snprintf(text, sizeof(text), "%lld", (long long)ns);
	return json_string(text);
}

static json_t *told_json(const struct sluice_told *e)
{
	const char *title = json_string_value(json_object_get(e->summary, "title"));
	const char *id = json_string_value(json_object_get(e->summary, "id"));

	return json_pack("{s:s,s:s,s:o,s:o,s:s,s:i,s:i,s:s,s:b}", "event", e->event, "summary",
			 id ? id : "", "start_ns", text_ns(e->start_ns), "end_ns",
			 text_ns(e->end_ns), "title", title ? title : "", "tracks", (int)e->tracks,
			 "peak_objects", (int)e->peak, "class", e->class, "nuisance", e->nuisance);
}

static json_t *pair_json(const struct sluice_told *a, const struct sluice_told *b)
{
	return json_pack("{s:o,s:o,s:f,s:f,s:f,s:i,s:i,s:b,s:b}", "first", told_json(a), "second",
			 told_json(b), "tiou", round(sluice_told_tiou(a, b) * 1e3) / 1e3, "start_s",
			 seconds(b->start_ns - a->start_ns), "end_s",
			 seconds(b->end_ns - a->end_ns), "tracks", (int)b->tracks - (int)a->tracks,
			 "peak_objects", (int)b->peak - (int)a->peak, "same_class",
			 !strcmp(a->class, b->class), "same_nuisance", a->nuisance == b->nuisance);
}

static json_t *side_json(const struct sluice_told_list *l)
{
	json_t *by = json_object(), *n;
	uint32_t nuisance = 0, tracks = 0, peak = 0;
	const char *name;

	for (uint32_t i = 0; i < l->count; i++) {
		const struct sluice_told *e = &l->event[i];

		nuisance += e->nuisance;
		tracks += e->tracks;
		peak = e->peak > peak ? e->peak : peak;
		json_object_foreach (e->classes, name, n)
			if (count_class(by, name, json_integer_value(n))) {
				json_decref(by);
				return NULL;
			}
	}
	return json_pack("{s:i,s:i,s:i,s:i,s:o}", "events", (int)l->count, "nuisance",
			 (int)nuisance, "tracks", (int)tracks, "peak_objects", (int)peak, "classes",
			 by);
}

static int by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

/* How matched ones differ, as numbers. */
struct sums {
	uint32_t pairs, tracks, peak, class, nuisance;
	double tiou, *start; /* start: how far apart they begin, of each */
};

static void add_sums(struct sums *s, const struct sluice_told *a, const struct sluice_told *b)
{
	s->tiou += sluice_told_tiou(a, b);
	s->start[s->pairs++] = fabs(seconds(b->start_ns - a->start_ns));
	s->tracks += a->tracks == b->tracks;
	s->peak += a->peak == b->peak;
	s->class += !strcmp(a->class, b->class);
	s->nuisance += a->nuisance == b->nuisance;
}

static json_t *sums_json(struct sums *s)
{
	if (!s->pairs)
		return json_null();
	qsort(s->start, s->pairs, sizeof(*s->start), by_value);
	return json_pack("{s:f,s:f,s:f,s:i,s:i,s:i,s:i}", "tiou_mean",
			 round(s->tiou / s->pairs * 1e3) / 1e3, "start_s_median",
			 s->start[s->pairs / 2], "start_s_most", s->start[s->pairs - 1],
			 "same_tracks", (int)s->tracks, "same_peak", (int)s->peak, "same_class",
			 (int)s->class, "same_nuisance", (int)s->nuisance);
}

struct lists {
	json_t *matched, *first, *second;
	uint32_t only_first, only_second, most;
};

static void add_firsts(struct lists *l, const struct sluice_told_list *a,
		       const struct sluice_told_list *b, const uint32_t *other, struct sums *s)
{
	for (uint32_t i = 0; i < a->count; i++) {
		if (other[i] == SLUICE_COMPARE_NONE) {
			if (l->only_first++ < l->most)
				json_array_append_new(l->first, told_json(&a->event[i]));
			continue;
		}
		if (s->pairs < l->most)
			json_array_append_new(l->matched,
					      pair_json(&a->event[i], &b->event[other[i]]));
		add_sums(s, &a->event[i], &b->event[other[i]]);
	}
}

static void add_seconds(struct lists *l, const struct sluice_told_list *a,
			const struct sluice_told_list *b, const uint32_t *other, uint8_t *taken)
{
	for (uint32_t i = 0; i < a->count; i++)
		if (other[i] != SLUICE_COMPARE_NONE)
			taken[other[i]] = 1;
	for (uint32_t i = 0; i < b->count; i++)
		if (!taken[i] && l->only_second++ < l->most)
			json_array_append_new(l->second, told_json(&b->event[i]));
}

json_t *sluice_compare_json(const struct sluice_told_list *first,
			    const struct sluice_told_list *second, const uint32_t *other,
			    uint32_t most)
{
	struct lists l = { json_array(), json_array(), json_array(), .most = most };
	struct sums s = { .start = calloc(first->count + 1, sizeof(*s.start)) };
	uint8_t *taken = calloc(second->count + 1, 1);
	json_t *o = NULL;

	if (s.start && taken) {
		add_firsts(&l, first, second, other, &s);
		add_seconds(&l, first, second, other, taken);
		o = json_pack("{s:f,s:o,s:o,s:i,s:i,s:i,s:o,s:O,s:O,s:O}", "tiou",
			      SLUICE_COMPARE_TIOU, "first", side_json(first), "second",
			      side_json(second), "matched_count", (int)s.pairs, "only_first_count",
			      (int)l.only_first, "only_second_count", (int)l.only_second,
			      "differences", sums_json(&s), "matched", l.matched, "only_first",
			      l.first, "only_second", l.second);
	}
	json_decref(l.matched);
	json_decref(l.first);
	json_decref(l.second);
	free(s.start);
	free(taken);
	return o;
}
