// SPDX-License-Identifier: MIT
/*
 * synopsis_place.c - which unit goes where: cost, order, annealing. Costs are counted on boxes in
 * the camera's pixels. For each picture the boxes in it are kept, so that a placement costs its
 * boxes times those there, never all pairs.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "cloud/synopsis_board.h"

#define FPS	   SLUICE_SYNOPSIS_FPS
#define COARSE_SUM 1e-4	  /* of the picture's area: the unit of cost */
#define STEPS	   2000	  /* of annealing, a unit */
#define STEPS_MAX  300000 /* and in all */
#define EVEN	   0.005  /* cost of a second away from the even film */
#define CELLS	   96	  /* the picture's width in cells, for the area that is shared */

static uint32_t any(struct board *b, uint32_t below)
{
	b->seed ^= b->seed << 13;
	b->seed ^= b->seed >> 7;
	b->seed ^= b->seed << 17;
	return (uint32_t)((b->seed >> 33) % below);
}

/* ---- cost ---- */

static double shared(const struct place *a, const struct sluice_synopsis_shot *b)
{
	int w = (a->x + a->w < b->x + b->w ? a->x + a->w : b->x + b->w) -
		(a->x > b->x ? a->x : b->x);
	int h = (a->y + a->h < b->y + b->h ? a->y + a->h : b->y + b->h) -
		(a->y > b->y ? a->y : b->y);

	return w > 0 && h > 0 ? (double)w * h : 0;
}

/* What a unit would share with others at that place; no further than limit. */
static double collision(const struct board *b, const struct cut *c, int64_t at, double limit)
{
	double sum = 0;

	for (uint32_t i = 0; i < c->shots; i++) {
		const struct shot *s = &b->shots[c->first + i];
		const struct picture *p = &b->pictures[at + s->picture];

		if (p->count == BOARD_AT_ONCE)
			return INFINITY;
		for (uint32_t k = 0; k < p->count; k++)
			sum += shared(&p->at[k], &s->s);
		if (sum > limit)
			break;
	}
	return sum;
}

static double cost_at(const struct board *b, const struct cut *c, int64_t at, double best)
{
	double away = EVEN * fabs((double)at - c->even) / FPS;
	double unit = COARSE_SUM * b->area * FPS;

	if (away >= best)
		return INFINITY;
	return away + collision(b, c, at, (best - away) * unit) / unit;
}

static void put(struct board *b, uint32_t unit, int64_t at)
{
	struct cut *c = &b->cut[unit];

	c->at = at;
	for (uint32_t i = 0; i < c->shots; i++) {
		const struct shot *s = &b->shots[c->first + i];
		struct picture *p = &b->pictures[at + s->picture];

		if (p->count < BOARD_AT_ONCE)
			p->at[p->count++] = (struct place){ s->s.x, s->s.y, s->s.w, s->s.h, unit };
	}
}

static void take(struct board *b, uint32_t unit)
{
	struct cut *c = &b->cut[unit];

	for (uint32_t k = 0; k < c->count; k++) {
		struct picture *p = &b->pictures[c->at + k];

		for (uint32_t i = 0; i < p->count;)
			if (p->at[i].unit == unit)
				p->at[i] = p->at[--p->count];
			else
				i++;
	}
	c->at = -1;
}

/* ---- order ---- */

/* Where the unit may begin, so that no two tubes are out of order by more than asked. */
static void bounds(const struct board *b, uint32_t unit, int64_t *low, int64_t *high)
{
	const struct sluice_tubes *t = &b->s->tubes;
	const struct sluice_unit *u = &t->units[unit];

	*low = 0;
	*high = (int64_t)b->length - b->cut[unit].count;
	for (uint32_t i = 0; i < t->unit_count; i++) {
		const struct sluice_unit *v = &t->units[i];

		if (i == unit || b->cut[i].at < 0)
			continue;
		for (uint32_t m = 0; m < u->member_count; m++) {
			uint32_t mine = t->members[u->first_member + m];

			if (b->lag[mine] == UINT32_MAX)
				continue;
			for (uint32_t n = 0; n < v->member_count; n++) {
				uint32_t other = t->members[v->first_member + n];
				int64_t at;

				if (b->lag[other] == UINT32_MAX)
					continue;
				at = b->cut[i].at + b->lag[other] - b->lag[mine];
				if (t->tubes[other].start_ns < t->tubes[mine].start_ns) {
					if (at - b->order > *low)
						*low = at - b->order;
				} else if (t->tubes[other].start_ns > t->tubes[mine].start_ns) {
					if (at + b->order < *high)
						*high = at + b->order;
				}
			}
		}
	}
}

/* ---- placing ---- */

void board_place(struct board *b, uint32_t unit)
{
	struct cut *c = &b->cut[unit];
	double best = INFINITY;
	int64_t low, high, found = -1;

	bounds(b, unit, &low, &high);
	for (int64_t at = low; at <= high; at++) {
		double cost = cost_at(b, c, at, best);

		if (cost < best) {
			best = cost;
			found = at;
		}
	}
	if (found < 0)
		c->why = low > high ? SLUICE_LEFT_ORDER : SLUICE_LEFT_NO_ROOM;
	else
		put(b, unit, found);
}

void board_anneal(struct board *b)
{
	uint32_t units = b->s->tubes.unit_count, steps = STEPS * units;
	double heat = 1;

	if (units < 2)
		return;
	steps = steps < STEPS_MAX ? steps : STEPS_MAX;
	for (uint32_t i = 0; i < steps; i++, heat = 1 - (double)i / steps) {
		uint32_t unit = any(b, units);
		struct cut *c = &b->cut[unit];
		int64_t low, high, to, from = c->at;
		double is, would;

		if (from < 0)
			continue;
		bounds(b, unit, &low, &high);
		if (high <= low)
			continue;
		/* far at first, near at last */
		to = from + (int64_t)any(b, 1 + (uint32_t)(heat * b->length)) -
		     (int64_t)(heat * b->length / 2);
		to = to < low ? low : to > high ? high : to;
		take(b, unit);
		is = cost_at(b, c, from, INFINITY);
		would = cost_at(b, c, to, INFINITY);
		if (would < is ||
		    (isfinite(would) &&
		     any(b, 1u << 16) < exp((is - would) / (0.05 * heat + 1e-9)) * 65536))
			put(b, unit, to);
		else
			put(b, unit, from);
	}
}

/* ---- what it has become ---- */

static void mark(uint8_t *cells, uint8_t *owner, const struct board *b, const struct place *p,
		 uint8_t number)
{
	double scale = CELLS / sqrt(b->area * 4 / 3);
	int x0 = (int)fmax(0, p->x * scale), x1 = (int)fmin(2 * CELLS, ceil((p->x + p->w) * scale));
	int y0 = (int)fmax(0, p->y * scale), y1 = (int)fmin(2 * CELLS, ceil((p->y + p->h) * scale));

	for (int y = y0; y < y1; y++)
		for (int x = x0; x < x1; x++) {
			size_t at = (size_t)y * 2 * CELLS + x;

			if (owner[at] == number)
				continue; /* of the same unit: they were together in life, too */
			owner[at] = number;
			cells[at] += cells[at] < 2;
		}
}

double board_overlap(const struct board *b)
{
	static const size_t size = 4 * CELLS * CELLS;
	uint8_t *cells = malloc(2 * size), *owner;
	uint64_t all = 0, twice = 0;

	if (!cells)
		return 1;
	owner = cells + size;
	for (uint32_t k = 0; k < b->length; k++) {
		const struct picture *p = &b->pictures[k];

		if (!p->count)
			continue;
		memset(cells, 0, 2 * size);
		/* one unit after the other, however they came to lie here */
		for (uint32_t i = 0; i < p->count; i++)
			for (uint32_t q = i; q < p->count; q++) {
				bool before = false;

				for (uint32_t e = 0; e < i; e++)
					before |= p->at[e].unit == p->at[i].unit;
				if (before)
					break;
				if (p->at[q].unit == p->at[i].unit)
					mark(cells, owner, b, &p->at[q], (uint8_t)(i + 1));
			}
		for (size_t i = 0; i < size; i++) {
			all += cells[i] > 0;
			twice += cells[i] > 1;
		}
	}
	free(cells);
	return all ? (double)twice / (double)all : 0;
}

bool board_drop_worst(struct board *b)
{
	uint32_t units = b->s->tubes.unit_count, worst = UINT32_MAX;
	double most = 0;

	for (uint32_t i = 0; i < units; i++) {
		struct cut *c = &b->cut[i];
		double share;
		int64_t at = c->at;

		if (at < 0)
			continue;
		take(b, i);
		share = collision(b, c, at, INFINITY) / b->s->tubes.units[i].member_count;
		put(b, i, at);
		if (share > most) {
			most = share;
			worst = i;
		}
	}
	if (worst == UINT32_MAX)
		return false;
	take(b, worst);
	b->cut[worst].why = SLUICE_LEFT_NO_ROOM;
	return true;
}
