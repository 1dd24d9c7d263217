// SPDX-License-Identifier: MIT
/*
 * tube.c - see tube.h. Boxes are told at most ten times a second and frames are stored when they
 * are stored: between two boxes a tube is where the straight line between them is.
 */
#include "cloud/tube.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define NEAR_NS	     60000000ll	  /* a frame this near to the first or last box shows it */
#define BRIDGE_NS    2000000000ll /* a longer gap between boxes is not bridged */
#define GAP_S	     0.5f	  /* a longer gap between frames counts for this */
#define STAND_WINDOW 700000000ll  /* stands: in that time ... */
#define STAND_WAY    0.08	  /* ... it comes no farther than this, in its own sizes */
#define STAND_SPEED  8		  /* and is shown so much faster then */
#define EDGE_NS	     1000000000ll /* but not while it comes or goes */
#define TOUCH_AREA   0.25	  /* of the smaller one: then two touch */
#define TOUCH_SHARE  0.3	  /* of the shorter one's frames: then they belong together */

/* ---- stills ---- */

static int16_t between(int a, int b, double share)
{
	return (int16_t)lround(a + (b - a) * share);
}

/* The tube at that time; *k is the box before it, and only grows. */
static bool box_at(const struct sluice_period_box *b, uint32_t count, int64_t at_ns, uint32_t *k,
		   struct sluice_still *out)
{
	const struct sluice_period_box *q;
	double share;

	while (*k + 1 < count && b[*k + 1].at_ns <= at_ns)
		++*k;
	q = *k + 1 < count && at_ns > b[*k].at_ns ? &b[*k + 1] : &b[*k];
	b += *k;
	if (q == b ? llabs(at_ns - b->at_ns) > NEAR_NS : q->at_ns - b->at_ns > BRIDGE_NS)
		return false;
	share = q == b ? 0 : (double)(at_ns - b->at_ns) / (double)(q->at_ns - b->at_ns);
	out->x = between(b->x, q->x, share);
	out->y = between(b->y, q->y, share);
	out->w = between(b->w, q->w, share);
	out->h = between(b->h, q->h, share);
	return true;
}

static void add_stills(const struct sluice_period *p, uint32_t i, struct sluice_tubes *t)
{
	const struct sluice_period_tube *from = &p->tubes[i];
	const struct sluice_period_box *b = &p->boxes[from->first];
	struct sluice_tube *tube = &t->tubes[i];
	int64_t last_ns = b[from->count - 1].at_ns + NEAR_NS;
	uint32_t k = 0;

	tube->first = t->still_count;
	tube->start_ns = b->at_ns;
	tube->end_ns = b[from->count - 1].at_ns;
	for (uint32_t f = sluice_period_near(p, b->at_ns - NEAR_NS);
	     f < p->frame_count && p->frames[f].at_ns <= last_ns; f++) {
		struct sluice_still *s = &t->stills[t->still_count];

		if (t->still_count == SLUICE_TUBE_STILLS_MAX)
			break;
		if (!box_at(b, from->count, p->frames[f].at_ns, &k, s))
			continue;
		s->frame = f;
		t->still_count++;
		tube->count++;
	}
}

const struct sluice_still *sluice_tube_still(const struct sluice_tubes *t, uint32_t tube,
					     uint32_t frame)
{
	const struct sluice_still *s = &t->stills[t->tubes[tube].first];
	uint32_t low = 0, high = t->tubes[tube].count;

	while (low < high) {
		uint32_t mid = (low + high) / 2;

		if (s[mid].frame == frame)
			return &s[mid];
		if (s[mid].frame < frame)
			low = mid + 1;
		else
			high = mid;
	}
	return NULL;
}

/* ---- who touches whom ---- */

static int64_t overlap(const struct sluice_still *a, const struct sluice_still *b)
{
	int w = (a->x + a->w < b->x + b->w ? a->x + a->w : b->x + b->w) -
		(a->x > b->x ? a->x : b->x);
	int h = (a->y + a->h < b->y + b->h ? a->y + a->h : b->y + b->h) -
		(a->y > b->y ? a->y : b->y);

	return w > 0 && h > 0 ? (int64_t)w * h : 0;
}

static bool belong(const struct sluice_tubes *t, const struct sluice_tube *a,
		   const struct sluice_tube *b)
{
	const struct sluice_still *s = &t->stills[a->first], *q = &t->stills[b->first];
	uint32_t i = 0, k = 0, touching = 0, shorter = a->count < b->count ? a->count : b->count;

	while (i < a->count && k < b->count) {
		if (s[i].frame < q[k].frame) {
			i++;
		} else if (s[i].frame > q[k].frame) {
			k++;
		} else {
			double least = fmin((double)s[i].w * s[i].h, (double)q[k].w * q[k].h);

			touching += (double)overlap(&s[i++], &q[k++]) > TOUCH_AREA * least;
		}
	}
	return touching > TOUCH_SHARE * shorter;
}

static uint32_t root_of(uint32_t *parent, uint32_t i)
{
	while (parent[i] != i)
		i = parent[i] = parent[parent[i]];
	return i;
}

struct span {
	int64_t start_ns, end_ns;
};

static int by_start(const void *a, const void *b, void *tubes)
{
	const struct sluice_tube *p = (struct sluice_tube *)tubes + *(const uint32_t *)a;
	const struct sluice_tube *q = (struct sluice_tube *)tubes + *(const uint32_t *)b;

	if (p->start_ns != q->start_ns)
		return p->start_ns < q->start_ns ? -1 : 1;
	return p < q ? -1 : p > q;
}

/* parent[] joins tubes that belong together, unless that becomes too long. */
static void join(const struct sluice_tubes *t, const uint32_t *order, int64_t span_ns,
		 uint32_t *parent, struct span *span)
{
	for (uint32_t i = 0; i < t->tube_count; i++) {
		const struct sluice_tube *a = &t->tubes[order[i]];

		for (uint32_t k = i + 1; k < t->tube_count; k++) {
			const struct sluice_tube *b = &t->tubes[order[k]];
			uint32_t x = root_of(parent, order[i]), y = root_of(parent, order[k]);
			struct span both;

			if (b->start_ns > a->end_ns)
				break;
			if (x == y || !a->count || !b->count)
				continue;
			both.start_ns = span[x].start_ns < span[y].start_ns ? span[x].start_ns
									    : span[y].start_ns;
			both.end_ns =
				span[x].end_ns > span[y].end_ns ? span[x].end_ns : span[y].end_ns;
			if (both.end_ns - both.start_ns > span_ns || !belong(t, a, b))
				continue;
			parent[y] = x;
			span[x] = both;
		}
	}
}

/* ---- units ---- */

/* Has the tube moved lately, or does it come or go? */
static bool moves(const struct sluice_period *p, const struct sluice_tubes *t, uint32_t tube,
		  const struct sluice_still *s)
{
	const struct sluice_tube *u = &t->tubes[tube];
	const struct sluice_still *first = &t->stills[u->first], *q = s;
	int64_t at = p->frames[s->frame].at_ns;
	double way, size = (s->w + s->h) / 2.0;

	if (at < u->start_ns + EDGE_NS || at > u->end_ns - EDGE_NS)
		return true;
	while (q > first && at - p->frames[q->frame].at_ns < STAND_WINDOW)
		q--;
	way = hypot(s->x + s->w / 2.0 - q->x - q->w / 2.0, s->y + s->h - q->y - q->h);
	return way > STAND_WAY * size ||
	       fabs((s->w + s->h) / 2.0 - (q->w + q->h) / 2.0) > 0.15 * size;
}

static int by_frame(const void *a, const void *b)
{
	uint32_t x = ((const struct sluice_unit_step *)a)->frame;
	uint32_t y = ((const struct sluice_unit_step *)b)->frame;

	return x < y ? -1 : x > y;
}

/* at_s is 1 where a member moves, until it becomes the time. */
static void add_steps(const struct sluice_period *p, struct sluice_tubes *t, struct sluice_unit *u)
{
	struct sluice_unit_step *s = &t->steps[t->step_count];
	uint32_t n = 0, kept = 0;

	for (uint32_t m = 0; m < u->member_count; m++) {
		uint32_t tube = t->members[u->first_member + m];

		for (uint32_t k = 0; k < t->tubes[tube].count; k++) {
			const struct sluice_still *still = &t->stills[t->tubes[tube].first + k];

			s[n++] =
				(struct sluice_unit_step){ still->frame, moves(p, t, tube, still) };
		}
	}
	qsort(s, n, sizeof(*s), by_frame);
	for (uint32_t i = 0; i < n; i++) {
		if (kept && s[kept - 1].frame == s[i].frame)
			s[kept - 1].at_s = fmaxf(s[kept - 1].at_s, s[i].at_s);
		else
			s[kept++] = s[i];
	}
	for (uint32_t i = 0; i < kept; i++) {
		float dt = 0;

		if (i)
			dt = fminf((float)(p->frames[s[i].frame].at_ns -
					   p->frames[s[i - 1].frame].at_ns) *
					   1e-9f,
				   GAP_S);
		if (s[i].at_s == 0)
			dt /= STAND_SPEED;
		s[i].at_s = i ? s[i - 1].at_s + dt : 0;
	}
	u->first_step = t->step_count;
	u->step_count = kept;
	u->active_s = kept ? s[kept - 1].at_s : 0;
	t->step_count += kept;
}

/* Tubes in order of their starts become members of units in that order, too. */
static void make_units(const struct sluice_period *p, struct sluice_tubes *t, const uint32_t *order,
		       uint32_t *parent)
{
	uint32_t members = 0;

	for (uint32_t i = 0; i < t->tube_count; i++)
		t->tubes[order[i]].unit = UINT32_MAX;
	for (uint32_t i = 0; i < t->tube_count; i++) {
		struct sluice_unit *u = &t->units[t->unit_count];
		uint32_t root = root_of(parent, order[i]);

		if (t->tubes[order[i]].unit != UINT32_MAX || !t->tubes[order[i]].count)
			continue;
		*u = (struct sluice_unit){ .first_member = members,
					   .start_ns = t->tubes[order[i]].start_ns };
		for (uint32_t k = i; k < t->tube_count; k++) {
			struct sluice_tube *tube = &t->tubes[order[k]];

			if (!tube->count || root_of(parent, order[k]) != root)
				continue;
			tube->unit = t->unit_count;
			t->members[members++] = order[k];
			u->member_count++;
			if (tube->end_ns > u->end_ns)
				u->end_ns = tube->end_ns;
		}
		add_steps(p, t, u);
		t->unit_count++;
	}
}

int sluice_tubes_make(const struct sluice_period *p, double span_s, struct sluice_tubes *out)
{
	uint32_t n = p->tube_count;
	uint32_t *order = calloc(n + 1, sizeof(*order)), *parent = calloc(n + 1, sizeof(*parent));
	struct span *span = calloc(n + 1, sizeof(*span));
	struct sluice_tubes t = { .tube_count = n };

	t.tubes = calloc(n + 1, sizeof(*t.tubes));
	t.units = calloc(n + 1, sizeof(*t.units));
	t.members = calloc(n + 1, sizeof(*t.members));
	t.stills = malloc((SLUICE_TUBE_STILLS_MAX + 1) * sizeof(*t.stills));
	if (order && parent && span && t.tubes && t.units && t.members && t.stills) {
		for (uint32_t i = 0; i < n && p->frame_count; i++)
			add_stills(p, i, &t);
		t.steps = calloc(t.still_count + 1, sizeof(*t.steps));
	}
	if (t.steps) {
		for (uint32_t i = 0; i < n; i++) {
			order[i] = parent[i] = i;
			span[i] = (struct span){ t.tubes[i].start_ns, t.tubes[i].end_ns };
		}
		qsort_r(order, n, sizeof(*order), by_start, t.tubes);
		join(&t, order, (int64_t)(span_s * 1e9), parent, span);
		make_units(p, &t, order, parent);
	}
	free(order);
	free(parent);
	free(span);
	*out = t;
	if (t.steps)
		return 0;
	sluice_tubes_free(out);
	return -ENOMEM;
}

void sluice_tubes_free(struct sluice_tubes *t)
{
	free(t->tubes);
	free(t->units);
	free(t->members);
	free(t->stills);
	free(t->steps);
	memset(t, 0, sizeof(*t));
}
