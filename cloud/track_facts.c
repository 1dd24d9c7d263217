// SPDX-License-Identifier: MIT
/*
 * track_facts.c - see track_facts.h. All of it comes from the path, at most ten boxes a second. A
 * thing is where its foot is: the middle of the box's lower side.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "cloud/track_facts.h"

#define EDGE	   0.04f /* of the picture: closer to the border counts as touching it */
#define STANDS	   0.25f /* of its height: who moves less in STANDS_S stands */
#define STANDS_S   1.0
#define SMALL	   0.0012f /* of the picture: nothing more can be said */
#define UPRIGHT	   1.35f   /* height over width of a person, and ... */
#define FLAT	   0.95f   /* ... of a car or an animal */
#define LARGE	   0.018f  /* of the picture: a car, where no scale is known */
#define CAR_WIDE   1.15f   /* of a person's height */
#define FAR_WAY	   3.0f	   /* own sizes: so far does nothing shimmer */
#define LEAST_WAY  0.35f
#define SURE_WAY   0.25f /* the same of what goes straight, and the gate has seen too */
#define INSIDE_WAY 1.0f	 /* the same of what neither came in nor went out, and ... */
#define INSIDE_TO  2.0f	 /* ... its way over its distance */
#define UNSEEN_OF  0.4f	 /* of its life it is not seen: a flame here, now and then */
#define HOPS	   0.5f	 /* own sizes from one sighting to the next: what does that ... */
#define HOPS_WAY   1.5f	 /* ... goes straight, or is a flame here and a flame there */
#define STRAIGHT   2.5f	 /* way over distance; what flickers is not */
#define CROOKED	   5.0f	 /* ... and what shimmers is this */
#define BACKED	   2	 /* sightings that the gate saw too; fewer: a flicker of the model */
#define AFTER_S	   0.3	 /* so long after the last of them it is still what the gate saw */
#define BACKED_OF  0.3f	 /* the same, a share */
#define WALK_LEAST 8	 /* boxes of a stretch of its way, and sightings that the gate saw, ... */
#define WALK_MOST  100
#define WALK_WAY   2.0f	 /* ... own sizes that it goes there, ... */
#define WALK_LINE  1.4f	 /* ... way over distance: enough to be a thing */
#define LIVELY_OF  0.8f	 /* what stays in its place is real if the gate sees it so often, ... */
#define LIVELY_S   1.5	 /* ... for so long, ... */
#define LIVELY	   0.01f /* ... so large, in shares of the picture */
#define SPANS	   0.9f	 /* of the picture: from side to side */
#define LIGHT_MOST 0.75f /* of its sightings under changing light: it is light, ... */
#define LIGHT_LONG 10	 /* ... unless it was followed so often, far and in small steps */

const char *sluice_side_name(enum sluice_side side)
{
	static const char *const name[] = { "inside", "left", "right", "top", "bottom" };

	return name[side];
}

static enum sluice_side side_of(const struct sluice_box *b, uint32_t w, uint32_t h)
{
	float gap[5] = { 0, b->x, w - b->x - b->w, b->y, h - b->y - b->h };
	enum sluice_side best = SLUICE_SIDE_INSIDE;
	float least = 1;

	for (int s = SLUICE_SIDE_LEFT; s <= SLUICE_SIDE_BOTTOM; s++) {
		float share = gap[s] / (s <= SLUICE_SIDE_RIGHT ? w : h);

		if (share < EDGE && share < least) {
			least = share;
			best = s;
		}
	}
	return best;
}

struct foot {
	float x, y;
};

static struct foot foot_of(const struct sluice_box *b)
{
	return (struct foot){ b->x + b->w / 2, b->y + b->h };
}

static struct foot point_of(const struct sluice_zone_point *p, uint32_t w, uint32_t h)
{
	return (struct foot){ p->x * w / 10000.0f, p->y * h / 10000.0f };
}

/* Even-odd rule. */
static bool in_zone(const struct sluice_zone *z, struct foot f, uint32_t w, uint32_t h)
{
	uint32_t n = z->count < SLUICE_ZONE_POINTS_MAX ? z->count : SLUICE_ZONE_POINTS_MAX;
	bool inside = false;

	if (n < 3)
		return false;
	for (uint32_t i = 0, j = n - 1; i < n; j = i++) {
		struct foot a = point_of(&z->point[i], w, h), b = point_of(&z->point[j], w, h);

		if ((a.y > f.y) != (b.y > f.y) &&
		    f.x < (b.x - a.x) * (f.y - a.y) / (b.y - a.y) + a.x)
			inside = !inside;
	}
	return inside;
}

/* > 0: p is on the right of the line from a to b, in a picture whose y grows downwards. */
static float right_of(struct foot a, struct foot b, struct foot p)
{
	return (b.x - a.x) * (p.y - a.y) - (b.y - a.y) * (p.x - a.x);
}

static void cross_lines(struct sluice_track_facts *f, const struct sluice_analysis_config *c,
			struct foot from, struct foot to, double t_s, uint32_t w, uint32_t h)
{
	for (uint32_t i = 0; i < c->line_count && i < SLUICE_ZONES_MAX; i++) {
		struct foot a = point_of(&c->lines[i].a, w, h), b = point_of(&c->lines[i].b, w, h);
		float p = right_of(a, b, from), q = right_of(a, b, to);

		if ((p > 0) == (q > 0) ||
		    (right_of(from, to, a) > 0) == (right_of(from, to, b) > 0) ||
		    f->crossing_count == SLUICE_CROSSINGS_MAX)
			continue;
		f->crossing[f->crossing_count++] = (struct sluice_crossing){ i, t_s, q > 0 };
	}
}

static void visit_zones(struct sluice_track_facts *f, const struct sluice_analysis_config *c,
			struct foot at, double t_s, double dt, uint32_t w, uint32_t h)
{
	for (uint32_t i = 0; i < c->zone_count && i < SLUICE_ZONES_MAX; i++)
		if (in_zone(&c->zones[i], at, w, h)) {
			if (!(f->zones >> i & 1))
				f->zone_at[i] = t_s;
			f->zones |= 1u << i;
			f->zone_s[i] += dt;
		}
}

static int by_size(const void *a, const void *b)
{
	return *(const float *)a < *(const float *)b ? -1 : *(const float *)a > *(const float *)b;
}

#define SAMPLES 64

/* Median width and height of the first boxes of its path, of at most SAMPLES of them. */
static void measure(const struct sluice_track *t, uint32_t count, float *width, float *height)
{
	float w[SAMPLES], h[SAMPLES];
	uint32_t n = count < SAMPLES ? count : SAMPLES;

	for (uint32_t i = 0; i < n; i++) {
		const struct sluice_box *b = &t->path[(uint64_t)i * count / n];

		w[i] = b->w;
		h[i] = b->h;
	}
	if (!n)
		return;
	qsort(w, n, sizeof(*w), by_size);
	qsort(h, n, sizeof(*h), by_size);
	*width = w[n / 2];
	*height = h[n / 2];
}

static void walk(const struct sluice_track *t, uint32_t w, uint32_t h,
		 const struct sluice_analysis_config *c, struct sluice_track_facts *f)
{
	double moved_s = 0, stands_since = t->path_count ? t->path[0].t_s : 0;
	struct foot stand = t->path_count ? foot_of(&t->path[0]) : (struct foot){ 0, 0 };

	for (uint32_t i = 1; i < t->path_count; i++) {
		struct foot a = foot_of(&t->path[i - 1]), b = foot_of(&t->path[i]);
		double dt = t->path[i].t_s - t->path[i - 1].t_s, stood;
		float far = hypotf(b.x - a.x, b.y - a.y);

		if (c) {
			visit_zones(f, c, b, t->path[i].t_s, dt, w, h);
			cross_lines(f, c, a, b, t->path[i].t_s, w, h);
		}
		if (hypotf(b.x - stand.x, b.y - stand.y) > STANDS * f->h) {
			stand = b;
			stands_since = t->path[i].t_s;
		}
		stood = t->path[i].t_s - stands_since;
		if (stood >= STANDS_S && stood > f->dwell_s) {
			f->dwell_s = stood;
			f->dwell_at = stands_since;
		}
		if (stood >= STANDS_S)
			continue;
		f->length += far;
		moved_s += dt;
	}
	f->speed = moved_s > 0 ? (float)(f->length / moved_s) : 0;
}

static uint32_t band_of(const struct sluice_track *t, uint32_t h)
{
	int band = (int)((t->last.y + t->last.h) * SLUICE_SCALE_BANDS / h);

	return band < 0 ? 0 : band < SLUICE_SCALE_BANDS ? (uint32_t)band : SLUICE_SCALE_BANDS - 1;
}

/* How tall a person would be there, in pixels; 0: not known. */
static float person_at(const struct sluice_scale *s, const struct sluice_track *t, uint32_t h)
{
	uint32_t at = band_of(t, h);

	for (uint32_t d = 0; s && d < 3; d++) {
		if (at + d < SLUICE_SCALE_BANDS && s->weight[at + d] >= 2)
			return s->tall[at + d] * h;
		if (at >= d && s->weight[at - d] >= 2)
			return s->tall[at - d] * h;
	}
	return 0;
}

static void guess(const struct sluice_track *t, uint32_t w, uint32_t h,
		  const struct sluice_scale *s, struct sluice_track_facts *f)
{
	float ratio = f->h / fmaxf(f->w, 1), area = f->w * f->h / ((float)w * h);
	float person = person_at(s, t, h);
	bool car = person > 0 ? f->w > CAR_WIDE * person : area > LARGE;

	f->class = "unknown";
	f->confidence = 0.3f;
	if (area < SMALL) {
		f->class = "small";
		f->confidence = 0.6f;
	} else if (ratio > UPRIGHT) {
		f->class = "person-like";
		f->confidence = fminf(0.75f, 0.45f + 0.2f * (ratio - UPRIGHT));
		if (person > 0 && f->h > 0.6f * person && f->h < 1.6f * person)
			f->confidence += 0.1f;
	} else if (ratio < FLAT && t->moved) {
		f->class = car ? "vehicle-like" : "animal-like";
		f->confidence = person > 0 ? 0.6f : 0.45f;
	}
}

/* The words that most detectors have. */
static const char *kind_of(const char *word, const char *guessed)
{
	static const char *const words[][2] = {
		{ "person", "person-like" },	 { "pedestrian", "person-like" },
		{ "car", "vehicle-like" },	 { "truck", "vehicle-like" },
		{ "bus", "vehicle-like" },	 { "van", "vehicle-like" },
		{ "train", "vehicle-like" },	 { "motorcycle", "vehicle-like" },
		{ "motorbike", "vehicle-like" }, { "bicycle", "vehicle-like" },
		{ "cat", "animal-like" },	 { "dog", "animal-like" },
		{ "bird", "animal-like" },	 { "horse", "animal-like" },
		{ "sheep", "animal-like" },	 { "cow", "animal-like" },
		{ "bear", "animal-like" },	 { "deer", "animal-like" },
		{ "fox", "animal-like" },
	};

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (!strcmp(word, words[i][0]))
			return words[i][1];
	return guessed;
}

void sluice_track_facts(const struct sluice_track *t, uint32_t w, uint32_t h,
			const struct sluice_analysis_config *c, const struct sluice_scale *scale,
			struct sluice_track_facts *f)
{
	memset(f, 0, sizeof(*f));
	measure(t, t->path_count, &f->w, &f->h);
	walk(t, w, h, c, f);
	guess(t, w, h, scale, f);
	f->kind = f->class;
	if (t->seen_as.class[0]) {
		f->kind = kind_of(t->seen_as.class, f->class);
		f->class = t->seen_as.class;
		f->by = t->seen_as.by;
		f->confidence = t->seen_as.score;
	}
	f->enter = t->path_count ? side_of(&t->path[0], w, h) : SLUICE_SIDE_INSIDE;
	f->leave = t->path_count ? side_of(&t->last, w, h) : SLUICE_SIDE_INSIDE;
}

/* Boxes of its path up to when the gate last saw motion there: what goes on after that without the
 * gate seeing it is the model that takes in the edge of a shadow. */
static uint32_t backed_path(const struct sluice_track *t)
{
	uint32_t n = t->path_count;

	while (n && t->path[n - 1].t_s > t->backed_s + AFTER_S)
		n--;
	return n;
}

/* Between the middles of two boxes. */
static float step_of(const struct sluice_box *a, const struct sluice_box *b)
{
	return hypotf(b->x + b->w / 2 - a->x - a->w / 2, b->y + b->h / 2 - a->y - a->h / 2);
}

/* How far it came from where it began, and how long its way was, over its first boxes. */
static float way_of(const struct sluice_track *t, uint32_t count, float *length)
{
	const struct sluice_box *o = &t->path[0];
	float far = 0;

	*length = 0;
	for (uint32_t i = 1; i < count; i++) {
		*length += step_of(&t->path[i - 1], &t->path[i]);
		far = fmaxf(far, step_of(o, &t->path[i]));
	}
	return far;
}

/* Over its first boxes it was mostly as wide or as high as the picture. */
static bool spans(const struct sluice_track *t, uint32_t count, uint32_t w, uint32_t h)
{
	float wide = 0, tall = 0;

	measure(t, count, &wide, &tall);
	return wide > SPANS * (float)w || tall > SPANS * (float)h;
}

/* Somewhere on its way it went straight and far in small steps, whatever it was before and after: a
 * track may begin at a flame, go on with who walks past, and end at the next flame. */
static bool walks(const struct sluice_track *t)
{
	for (uint32_t i = 0; i < t->path_count; i++) {
		const struct sluice_box *o = &t->path[i];
		float length = 0, size = hypotf(o->w, o->h);
		uint32_t most = t->path_count - i < WALK_MOST ? t->path_count - i : WALK_MOST;

		for (uint32_t j = 1; j < most; j++) {
			const struct sluice_box *a = &o[j - 1], *b = &o[j];
			float step = step_of(a, b), far = step_of(o, b);

			size += (hypotf(b->w, b->h) - size) / (float)(j + 1);
			length += step;
			if (step > HOPS * size || length > WALK_LINE * far + HOPS * size)
				break;
			if (j + 1 >= WALK_LEAST && far > WALK_WAY * size &&
			    length < WALK_LINE * far)
				return true;
		}
	}
	return false;
}

bool sluice_track_real(const struct sluice_track *t, uint32_t w, uint32_t h)
{
	bool inside, straight, sure = (float)t->backed >= BACKED_OF * t->hits;
	float length, wide = 0, tall = 0, size, all, far;
	uint32_t n = backed_path(t);

	if (!t->confirmed || t->backed < BACKED || !n)
		return false;
	if (t->backed >= WALK_LEAST && t->light_hits <= LIGHT_MOST * t->hits && walks(t))
		return true;
	all = way_of(t, t->path_count, &length);
	straight = length < STRAIGHT * all;
	measure(t, t->path_count, &wide, &tall);
	size = hypotf(wide, tall);
	if (!straight && !sure)
		return false;
	if (length > HOPS * size * (float)t->path_count && length > HOPS_WAY * all)
		return false;
	far = way_of(t, n, &length);
	measure(t, n, &wide, &tall);
	size = hypotf(wide, tall);
	/* a camera that shakes sees other light everywhere, and things as well */
	if (t->light_hits > LIGHT_MOST * t->hits)
		return straight && sure && far > FAR_WAY * size && n >= LIGHT_LONG &&
		       length < HOPS * size * (float)n;
	if (far > FAR_WAY * size)
		return true;
	/* the edge of a cloud reaches from side to side, and the gate hardly sees it */
	if (!sure && far < INSIDE_WAY * size &&
	    (spans(t, n, w, h) || spans(t, t->path_count, w, h)))
		return false;
	inside = side_of(&t->path[0], w, h) == SLUICE_SIDE_INSIDE &&
		 side_of(&t->last, w, h) == SLUICE_SIDE_INSIDE;
	if (inside)
		return far > INSIDE_WAY * size && length < INSIDE_TO * far &&
		       t->unseen_s < UNSEEN_OF * (float)(t->seen_s - t->start_s);
	return far > (straight && sure ? SURE_WAY : LEAST_WAY) * size && length < CROOKED * far;
}

bool sluice_track_lively(const struct sluice_track *t, uint32_t w, uint32_t h)
{
	float wide = 0, tall = 0;

	measure(t, t->path_count, &wide, &tall);
	return t->confirmed && 2 * t->light_hits < t->hits && t->backed_s - t->start_s > LIVELY_S &&
	       (float)t->backed >= LIVELY_OF * t->backed_hits &&
	       wide * tall > LIVELY * (float)w * (float)h;
}

void sluice_scale_learn(struct sluice_scale *s, const struct sluice_track_facts *f,
			const struct sluice_track *t, uint32_t h)
{
	uint32_t at = band_of(t, h);

	if (strcmp(f->class, "person-like") || f->confidence < 0.5f || !t->moved ||
	    f->leave == SLUICE_SIDE_BOTTOM)
		return;
	s->weight[at] = fminf(s->weight[at] + 1, 20);
	s->tall[at] += (f->h / h - s->tall[at]) / s->weight[at];
}
