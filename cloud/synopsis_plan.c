// SPDX-License-Identifier: MIT
/*
 * synopsis_plan.c - which tubes are shown when, and how fast.
 *
 * Units (tube.h) are placed in the order of their starts where they cost least: the area that they
 * share with what is placed already, and how far they are from where an even film would have them.
 * Then a bounded number of steps of annealing, from a fixed seed, moves one at a time. No move may
 * put two tubes out of their true order by more than asked. If too much area is shared, all is
 * shown faster and placed again; at the highest speed the ones that are most in the way are left
 * out instead. The same period gives the same plan.
 */
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "cloud/synopsis_board.h"

#define FPS	   SLUICE_SYNOPSIS_FPS
#define LEAST	   5	/* pictures of a unit at least */
#define UNIT_SHARE 0.33 /* of the video: units of several tubes are shorter */
#define FASTER	   1.25 /* from one speed to the next that is tried */
#define HOPELESS   5	/* times what may be shared: annealing will not mend that */
#define SEED	   0x5108c3

/* ---- units as pictures ---- */

static uint32_t length_of(const struct sluice_unit *u, double factor, uint32_t most)
{
	uint32_t n = (uint32_t)(u->active_s / factor * FPS) + 1;

	n = n < LEAST ? LEAST : n;
	return n < most ? n : most;
}

/* The unit's frame in picture k of n. */
static uint32_t frame_of(const struct sluice_tubes *t, const struct sluice_unit *u, uint32_t k,
			 uint32_t n, uint32_t *step)
{
	double at = n > 1 ? u->active_s * k / (n - 1) : 0;
	const struct sluice_unit_step *s = &t->steps[u->first_step];

	while (*step + 1 < u->step_count && s[*step + 1].at_s <= at + 1e-4)
		++*step;
	return s[*step].frame;
}

static int add_shot(struct board *b, uint32_t picture, uint32_t tube, const struct sluice_still *s)
{
	if (b->shot_count == b->shot_room) {
		uint32_t room = b->shot_room ? 2 * b->shot_room : 4096;
		struct shot *more = realloc(b->shots, room * sizeof(*more));

		if (!more)
			return -ENOMEM;
		b->shots = more;
		b->shot_room = room;
	}
	b->shots[b->shot_count++] =
		(struct shot){ picture, { s->frame, tube, s->x, s->y, s->w, s->h } };
	return 0;
}

static int cut_unit(struct board *b, uint32_t i)
{
	const struct sluice_tubes *t = &b->s->tubes;
	const struct sluice_unit *u = &t->units[i];
	struct cut *c = &b->cut[i];
	uint32_t step = 0;

	*c = (struct cut){ .count = length_of(u, b->factor, b->length),
			   .first = b->shot_count,
			   .at = -1 };
	for (uint32_t m = 0; m < u->member_count; m++)
		b->lag[t->members[u->first_member + m]] = UINT32_MAX;
	for (uint32_t k = 0; k < c->count; k++) {
		uint32_t frame = frame_of(t, u, k, c->count, &step);

		for (uint32_t m = 0; m < u->member_count; m++) {
			uint32_t tube = t->members[u->first_member + m];
			const struct sluice_still *s = sluice_tube_still(t, tube, frame);

			if (!s)
				continue;
			if (b->lag[tube] == UINT32_MAX)
				b->lag[tube] = k;
			if (add_shot(b, k, tube, s))
				return -ENOMEM;
		}
	}
	c->shots = b->shot_count - c->first;
	return 0;
}

/* Pictures times things, all units together. */
static uint64_t work_at(const struct board *b, double factor)
{
	const struct sluice_tubes *t = &b->s->tubes;
	uint64_t sum = 0;

	for (uint32_t i = 0; i < t->unit_count; i++)
		sum += length_of(&t->units[i], factor, b->length);
	return sum;
}

/* Shorter than asked, if there is not that much to show. */
static void set_length(struct board *b, double seconds)
{
	uint64_t most = (uint64_t)(seconds * FPS), all;

	b->length = (uint32_t)most;
	all = work_at(b, 1);
	b->length = (uint32_t)(all < most ? all > LEAST ? all : LEAST : most);
}

/* Place all at one speed. 1: there is no room for so much. */
static int try_factor(struct board *b, double factor, double *overlap)
{
	uint32_t units = b->s->tubes.unit_count;
	uint64_t sum, before = 0;
	int err = 0;

	b->factor = factor;
	b->shot_count = 0;
	b->seed = SEED;
	memset(b->pictures, 0, b->length * sizeof(*b->pictures));
	sum = work_at(b, factor);
	if (sum > (uint64_t)BOARD_AT_ONCE * b->length && factor < SLUICE_SYNOPSIS_FACTOR)
		return 1;
	for (uint32_t i = 0; i < units && !err; i++)
		err = cut_unit(b, i);
	for (uint32_t i = 0; i < units && !err; i++) {
		struct cut *c = &b->cut[i];

		c->even = ((double)before + c->count / 2.0) / sum * ((double)b->length - c->count);
		before += c->count;
		board_place(b, i);
	}
	if (err)
		return err;
	*overlap = board_overlap(b);
	if (*overlap > HOPELESS * SLUICE_SYNOPSIS_OVERLAP && factor < SLUICE_SYNOPSIS_FACTOR)
		return 0;
	board_anneal(b);
	*overlap = board_overlap(b);
	return 0;
}

static bool all_placed(const struct board *b)
{
	for (uint32_t i = 0; i < b->s->tubes.unit_count; i++)
		if (b->cut[i].at < 0)
			return false;
	return true;
}

static int place_all(struct board *b, double *overlap)
{
	double factor = 1;
	int err = 1;

	*overlap = 1;
	for (;; factor = fmin(FASTER * factor, SLUICE_SYNOPSIS_FACTOR)) {
		err = try_factor(b, factor, overlap);
		if (err < 0 || factor >= SLUICE_SYNOPSIS_FACTOR)
			break;
		if (!err && *overlap <= SLUICE_SYNOPSIS_OVERLAP && all_placed(b))
			break;
	}
	while (!err && *overlap > SLUICE_SYNOPSIS_OVERLAP && board_drop_worst(b))
		*overlap = board_overlap(b);
	return err < 0 ? err : 0;
}

/* ---- the result ---- */

static void count_order(struct sluice_synopsis *s)
{
	for (uint32_t i = 0; i < s->tubes.tube_count; i++)
		for (uint32_t k = 0; k < s->tubes.tube_count; k++) {
			const struct sluice_tube *a = &s->tubes.tubes[i], *b = &s->tubes.tubes[k];

			if (s->tube[i].why || s->tube[k].why || a->start_ns >= b->start_ns)
				continue;
			s->pairs++;
			if (s->tube[i].at <= s->tube[k].at)
				continue;
			s->reversals++;
			s->disorder_s =
				fmax(s->disorder_s, (double)(s->tube[i].at - s->tube[k].at) / FPS);
		}
}

static void mark_tubes(struct board *b)
{
	struct sluice_synopsis *s = b->s;

	for (uint32_t i = 0; i < s->tubes.tube_count; i++) {
		const struct sluice_tube *t = &s->tubes.tubes[i];

		s->tube[i] = (struct sluice_synopsis_tube){ .why = SLUICE_LEFT_NO_FRAMES };
		if (!t->count)
			continue;
		if (b->cut[t->unit].at < 0)
			s->tube[i].why = b->cut[t->unit].why;
		else if (b->lag[i] == UINT32_MAX)
			s->tube[i].why = SLUICE_LEFT_NO_ROOM; /* shown too fast to be seen */
		else
			s->tube[i] =
				(struct sluice_synopsis_tube){ .at = (uint32_t)b->cut[t->unit].at +
								     b->lag[i] };
		s->shown += !s->tube[i].why;
	}
}

/* Nearest last: who stands lower in the picture is nearer. */
static int by_depth(const void *a, const void *b)
{
	const struct sluice_synopsis_shot *p = a, *q = b;
	int x = p->y + p->h, y = q->y + q->h;

	return x != y ? (x < y ? -1 : 1) : p->tube < q->tube ? -1 : p->tube > q->tube;
}

static int collect(struct board *b)
{
	struct sluice_synopsis *s = b->s;
	uint32_t units = s->tubes.unit_count, *fill;

	s->first = calloc(b->length + 1, sizeof(*s->first));
	s->shots = calloc(b->shot_count + 1, sizeof(*s->shots));
	fill = calloc(b->length + 1, sizeof(*fill));
	if (!s->first || !s->shots || !fill) {
		free(fill);
		return -ENOMEM;
	}
	for (uint32_t u = 0; u < units; u++)
		for (uint32_t i = 0; b->cut[u].at >= 0 && i < b->cut[u].shots; i++)
			s->first[b->cut[u].at + b->shots[b->cut[u].first + i].picture + 1]++;
	for (uint32_t k = 0; k < b->length; k++) {
		s->first[k + 1] += s->first[k];
		fill[k] = s->first[k];
	}
	for (uint32_t u = 0; u < units; u++)
		for (uint32_t i = 0; b->cut[u].at >= 0 && i < b->cut[u].shots; i++) {
			const struct shot *from = &b->shots[b->cut[u].first + i];
			uint32_t k = (uint32_t)b->cut[u].at + from->picture;
			struct sluice_synopsis_tube *t = &s->tube[from->s.tube];

			s->shots[fill[k]++] = from->s;
			if (k + 1 - t->at > t->count)
				t->count = k + 1 - t->at;
		}
	for (uint32_t k = 0; k < b->length; k++)
		qsort(s->shots + s->first[k], s->first[k + 1] - s->first[k], sizeof(*s->shots),
		      by_depth);
	free(fill);
	s->pictures = s->shown ? b->length : 0;
	return 0;
}

static int plan(struct sluice_synopsis *s)
{
	const struct sluice_period *p = s->period;
	struct board b = { .s = s,
			   .order = (int64_t)(p->order_s * FPS + 0.5),
			   .area = (double)p->width * p->height };
	int err = sluice_tubes_make(p, p->seconds * UNIT_SHARE, &s->tubes);

	if (err)
		return err;
	set_length(&b, p->seconds);
	b.cut = calloc(s->tubes.unit_count + 1, sizeof(*b.cut));
	b.lag = malloc((p->tube_count + 1) * sizeof(*b.lag));
	b.pictures = calloc(b.length + 1, sizeof(*b.pictures));
	s->tube = calloc(p->tube_count + 1, sizeof(*s->tube));
	err = b.cut && b.lag && b.pictures && s->tube ? 0 : -ENOMEM;
	if (!err)
		memset(b.lag, 0xff, (p->tube_count + 1) * sizeof(*b.lag));
	if (!err && s->tubes.unit_count)
		err = place_all(&b, &s->overlap);
	if (!err) {
		s->factor = b.factor > 1 ? b.factor : 1;
		mark_tubes(&b);
		err = collect(&b);
	}
	if (!err)
		count_order(s);
	free(b.cut);
	free(b.lag);
	free(b.pictures);
	free(b.shots);
	return err;
}

int sluice_synopsis_plan(const struct sluice_period *p, struct sluice_synopsis *out)
{
	*out = (struct sluice_synopsis){ .period = p };
	return plan(out);
}

void sluice_synopsis_free(struct sluice_synopsis *s)
{
	sluice_tubes_free(&s->tubes);
	free(s->tube);
	free(s->first);
	free(s->shots);
	memset(s, 0, sizeof(*s));
}

const char *sluice_left_out_name(enum sluice_left_out why)
{
	static const char *const names[] = { NULL, "no_frames", "no_room", "order", "pictures" };

	return names[why];
}
