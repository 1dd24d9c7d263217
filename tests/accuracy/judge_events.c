// SPDX-License-Identifier: MIT
/* judge_events.c - intervals against intervals. */
#include "judge.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define EVENT_MIN_S 1.0

static int by_start(const void *a, const void *b)
{
	double d = ((const struct span *)a)->start - ((const struct span *)b)->start;

	return d < 0 ? -1 : d > 0;
}

/* Sorted, and what is closer than join_s made one. */
static void join_spans(struct spans *s, double join_s)
{
	size_t n = 0;

	qsort(s->at, s->count, sizeof(s->at[0]), by_start);
	for (size_t i = 0; i < s->count; i++) {
		if (n && s->at[i].start - s->at[n - 1].end < join_s)
			s->at[n - 1].end = fmax(s->at[n - 1].end, s->at[i].end);
		else
			s->at[n++] = s->at[i];
	}
	s->count = n;
}

static double shared(const struct span *a, const struct span *b)
{
	return fmax(0, fmin(a->end, b->end) - fmax(a->start, b->start));
}

static double tiou(const struct span *a, const struct span *b)
{
	double both = shared(a, b), all = a->end - a->start + b->end - b->start - both;

	return all > 0 ? both / all : a->start == b->start;
}

/* Seconds of a that lie in one of the spans, which do not overlap. */
static double covered(const struct span *a, const struct spans *s)
{
	double sum = 0;

	for (size_t i = 0; i < s->count; i++)
		sum += shared(a, &s->at[i]);
	return sum;
}

static void match(struct event_score *s, const struct spans *told, const struct spans *truth)
{
	bool used[SPANS_MAX] = { false };

	for (size_t i = 0; i < truth->count; i++) {
		size_t best = 0;
		double most = 0;

		if (truth->at[i].end - truth->at[i].start < EVENT_MIN_S)
			continue;
		s->truth++;
		for (size_t k = 0; k < told->count; k++)
			if (!used[k] && tiou(&truth->at[i], &told->at[k]) > most) {
				most = tiou(&truth->at[i], &told->at[k]);
				best = k;
			}
		if (most < JUDGE_TIOU)
			continue;
		used[best] = true;
		s->found++;
		s->right++;
		if (s->edges < JUDGE_EVENTS) {
			s->start_error[s->edges] = fabs(told->at[best].start - truth->at[i].start);
			s->end_error[s->edges++] = fabs(told->at[best].end - truth->at[i].end);
		}
	}
}

void judge_spans(struct event_score *s, const struct spans *spans, const struct truth *t,
		 double join_s)
{
	struct spans truth = t->events, told = *spans, all = t->events;

	memset(s, 0, sizeof(*s));
	join_spans(&truth, join_s);
	join_spans(&told, 0);
	match(s, &told, &truth);
	s->told = (u32)told.count;
	for (size_t i = 0; i < t->optional.count; i++)
		spans_add(&all, t->optional.at[i].start, t->optional.at[i].end);
	join_spans(&all, join_s);
	for (size_t i = 0; i < t->events.count; i++) {
		const struct span *a = &t->events.at[i];

		if (a->end - a->start < EVENT_MIN_S)
			continue;
		s->activities++;
		s->missed += covered(a, &told) < 0.5 * (a->end - a->start);
	}
	for (size_t i = 0; i < truth.count; i++) {
		s->truth_s += truth.at[i].end - truth.at[i].start;
		s->untold_s += truth.at[i].end - truth.at[i].start - covered(&truth.at[i], &told);
	}
	for (size_t i = 0; i < told.count; i++) {
		s->told_s += told.at[i].end - told.at[i].start;
		s->false_s += told.at[i].end - told.at[i].start - covered(&told.at[i], &all);
		for (size_t k = 0; k < t->optional.count; k++)
			if (told.at[i].start >= t->optional.at[k].start - 1 &&
			    told.at[i].start <= t->optional.at[k].end) {
				s->right++;
				break;
			}
	}
	s->right = s->right < s->told ? s->right : s->told;
}

static bool goes_on(const struct play *p, u32 i)
{
	const char *a = json_string_value(json_object_get(p->summary[i - 1], "event"));
	const char *b = json_string_value(json_object_get(p->summary[i], "event"));

	return a && b && !strcmp(a, b);
}

void judge_events(struct event_score *s, const struct play *p, const struct truth *t, double join_s)
{
	struct spans told = { 0 };
	u32 nuisance = 0;

	for (u32 i = 0; i < p->summaries; i++) {
		const json_t *o = p->summary[i];
		double start = json_number_value(json_object_get(o, "start_s"));
		double end = json_number_value(json_object_get(o, "end_s"));

		if (json_is_true(json_object_get(o, "nuisance")))
			nuisance++;
		else if (i && told.count && goes_on(p, i))
			told.at[told.count - 1].end = end;
		else
			spans_add(&told, start, end);
	}
	judge_spans(s, &told, t, join_s);
	s->nuisance = nuisance;
}

void event_score_add(struct event_score *to, const struct event_score *from)
{
	to->truth += from->truth;
	to->found += from->found;
	to->told += from->told;
	to->right += from->right;
	to->nuisance += from->nuisance;
	to->activities += from->activities;
	to->missed += from->missed;
	to->truth_s += from->truth_s;
	to->untold_s += from->untold_s;
	to->told_s += from->told_s;
	to->false_s += from->false_s;
	for (u32 i = 0; i < from->edges && to->edges < JUDGE_EVENTS; i++) {
		to->start_error[to->edges] = from->start_error[i];
		to->end_error[to->edges++] = from->end_error[i];
	}
}
