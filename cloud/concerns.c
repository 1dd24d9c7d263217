// SPDX-License-Identifier: MIT
/*
 * concerns.c - see concerns.h.
 *
 * A track gives at most one concern of a kind and place. What is small or flickers is in no zone
 * and crosses no line of concern: the class is a guess, but "small" is a measure.
 */
#include "cloud/concerns.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define LOITER_S  60
#define RUN	  1.8f /* own heights a second: a grown man's three metres */
#define RUN_WAY	  2.0f /* own heights: so far at least */
#define RUN_HITS  8
#define SURE	  0.5f /* of a person-like one */
#define MANY	  6
#define FOUND_MAX 512

struct finder {
	const struct sluice_event_log *e;
	const struct sluice_analysis_config *c;
	uint64_t first_utc_ns;
	struct sluice_concern *found;
	uint32_t count;
};

bool sluice_concern_night(uint64_t utc_ns, uint32_t from, uint32_t to)
{
	time_t s = (time_t)(utc_ns / 1000000000);
	struct tm tm;
	uint32_t now;

	if (from == to)
		return false;
	localtime_r(&s, &tm);
	now = (uint32_t)(tm.tm_hour * 60 + tm.tm_min);
	return from < to ? now >= from && now < to : now >= from || now < to;
}

static bool is_night(const struct finder *f, double t_s)
{
	return f->c && sluice_concern_night(f->first_utc_ns + (uint64_t)(fmax(t_s, 0) * 1e9),
					    f->c->night_from, f->c->night_to);
}

/* The picture nearest to a time; the moments are by time. */
static uint64_t picture_at(const struct sluice_event_log *e, double t_s)
{
	uint64_t best = 0;
	double least = INFINITY;

	for (uint32_t i = 0; i < e->moment_count; i++)
		if (fabs(e->moments[i].t_s - t_s) < least) {
			least = fabs(e->moments[i].t_s - t_s);
			best = e->moments[i].sequence;
		}
	return best;
}

/* NULL: there are too many. */
static struct sluice_concern *add(struct finder *f, enum sluice_concern_kind kind, uint32_t level,
				  double t_s)
{
	struct sluice_concern *k;

	if (f->count == FOUND_MAX)
		return NULL;
	k = &f->found[f->count++];
	memset(k, 0, sizeof(*k));
	k->kind = kind;
	k->level = level;
	k->t_s = t_s;
	k->class = "unknown";
	return k;
}

static void add_of(struct finder *f, const struct sluice_track *t,
		   const struct sluice_track_facts *facts, enum sluice_concern_kind kind,
		   uint32_t level, double t_s, const char *place, double value, bool forward)
{
	struct sluice_concern *k = add(f, kind, level, t_s);

	if (!k)
		return;
	k->track = t->id;
	k->class = facts->class;
	k->place = place;
	k->value = value;
	k->forward = forward;
}

/* ---- rules ---- */

static void look_at_zones(struct finder *f, const struct sluice_track *t,
			  const struct sluice_track_facts *facts)
{
	for (uint32_t i = 0; f->c && i < f->c->zone_count && i < SLUICE_ZONES_MAX; i++) {
		const struct sluice_zone *z = &f->c->zones[i];

		if (!z->concern || !(facts->zones >> i & 1) ||
		    facts->zone_s[i] * 1000 < z->dwell_ms)
			continue;
		add_of(f, t, facts, SLUICE_CONCERN_ZONE, 1, facts->zone_at[i], z->name,
		       facts->zone_s[i], false);
	}
}

static void look_at_lines(struct finder *f, const struct sluice_track *t,
			  const struct sluice_track_facts *facts)
{
	uint32_t told[SLUICE_ZONES_MAX] = { 0 };

	for (uint32_t i = 0; f->c && i < facts->crossing_count; i++) {
		const struct sluice_crossing *x = &facts->crossing[i];
		const struct sluice_line *l = &f->c->lines[x->line];
		uint32_t way = x->forward ? SLUICE_LINE_FORWARD : SLUICE_LINE_BACKWARD;

		if (!(l->concern & way) || told[x->line] & way)
			continue;
		told[x->line] |= way;
		add_of(f, t, facts, SLUICE_CONCERN_LINE, 1, x->t_s, l->name, 0, x->forward);
	}
}

static void look_at_person(struct finder *f, const struct sluice_track *t,
			   const struct sluice_track_facts *facts)
{
	if (strcmp(facts->kind, "person-like") != 0 || facts->confidence < SURE)
		return;
	if (facts->dwell_s >= LOITER_S)
		add_of(f, t, facts, SLUICE_CONCERN_LOITER, 1, facts->dwell_at, NULL, facts->dwell_s,
		       false);
	if (t->hits >= RUN_HITS && facts->h > 0 && facts->speed > RUN * facts->h &&
	    facts->length > RUN_WAY * facts->h)
		add_of(f, t, facts, SLUICE_CONCERN_RUN, 0, t->best.t_s, NULL,
		       facts->speed / facts->h, false);
}

static void look_at_track(struct finder *f, const struct sluice_track *t,
			  const struct sluice_track_facts *facts)
{
	if (!strcmp(facts->kind, "small"))
		return;
	look_at_zones(f, t, facts);
	look_at_lines(f, t, facts);
	look_at_person(f, t, facts);
	if ((!strcmp(facts->kind, "person-like") || !strcmp(facts->kind, "vehicle-like")) &&
	    is_night(f, t->start_s))
		add_of(f, t, facts, SLUICE_CONCERN_NIGHT, 1, t->start_s, NULL, 0, false);
}

static void look_at_event(struct finder *f)
{
	const struct sluice_event_log *e = f->e;
	struct sluice_concern *k;

	for (uint32_t i = 0; i < e->object_count; i++)
		add(f,
		    e->objects[i].kind == SLUICE_OBJECT_LEFT ? SLUICE_CONCERN_LEFT
							     : SLUICE_CONCERN_REMOVED,
		    1, e->objects[i].box.t_s);
	if (e->camera_moved)
		add(f, SLUICE_CONCERN_CAMERA, 1, e->part_start_s);
	if (e->peak >= MANY) {
		double at = e->part_start_s;
		uint32_t most = 0;

		for (uint32_t i = 0; i < e->moment_count; i++)
			if (e->moments[i].objects > most) {
				most = e->moments[i].objects;
				at = e->moments[i].t_s;
			}
		k = add(f, SLUICE_CONCERN_MANY, 0, at);
		if (k)
			k->value = e->peak;
	}
}

/* What was named, at a time that was named: no longer to be looked at some time. */
static void weigh(struct finder *f)
{
	for (uint32_t i = 0; i < f->count; i++) {
		struct sluice_concern *k = &f->found[i];

		k->night = is_night(f, k->t_s);
		if (k->night) {
			k->night_from = f->c->night_from;
			k->night_to = f->c->night_to;
		}
		if (k->night && (k->kind == SLUICE_CONCERN_ZONE || k->kind == SLUICE_CONCERN_LINE))
			k->level = 2;
	}
}

static int by_level(const void *p, const void *q)
{
	const struct sluice_concern *a = p, *b = q;

	if (a->level != b->level)
		return a->level > b->level ? -1 : 1;
	if (a->t_s != b->t_s)
		return a->t_s < b->t_s ? -1 : 1;
	if (a->kind != b->kind)
		return a->kind < b->kind ? -1 : 1;
	return a->track < b->track ? -1 : a->track > b->track;
}

void sluice_concerns_find(const struct sluice_event_log *e, uint32_t w, uint32_t h,
			  const struct sluice_analysis_config *c, const struct sluice_scale *scale,
			  uint64_t first_utc_ns, struct sluice_concerns *out)
{
	struct sluice_concern found[FOUND_MAX];
	struct finder f = { .e = e, .c = c, .first_utc_ns = first_utc_ns, .found = found };
	struct sluice_track_facts facts;

	memset(out, 0, sizeof(*out));
	if (e->nuisance)
		return;
	for (uint32_t i = 0; i < e->track_count; i++) {
		sluice_track_facts(&e->tracks[i], w, h, c, scale, &facts);
		look_at_track(&f, &e->tracks[i], &facts);
	}
	look_at_event(&f);
	weigh(&f);
	qsort(found, f.count, sizeof(*found), by_level);
	out->count = f.count < SLUICE_CONCERNS_MAX ? f.count : SLUICE_CONCERNS_MAX;
	out->untold = f.count - out->count;
	out->level = f.count ? found[0].level : 0;
	memcpy(out->list, found, out->count * sizeof(*found));
	for (uint32_t i = 0; i < out->count; i++)
		out->list[i].sequence = picture_at(e, out->list[i].t_s);
}
