// SPDX-License-Identifier: MIT
/*
 * zones.c - see zones.h. A polygon without an area and a line without a length could never be
 * entered or crossed: they are refused here, where somebody can still be told.
 */
#include "cloud/zones.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define UNIT	   10000		     /* of struct sluice_zone_point */
#define AREA_LEAST (2 * UNIT * UNIT / 10000) /* twice the area: 1/10000 of the picture */
#define LINE_LEAST (UNIT / 100)

static int read_point(const json_t *v, struct sluice_zone_point *p)
{
	double x = json_number_value(json_array_get(v, 0));
	double y = json_number_value(json_array_get(v, 1));

	if (json_array_size(v) != 2 || !json_is_number(json_array_get(v, 0)) ||
	    !json_is_number(json_array_get(v, 1)) || !(x >= 0 && x <= 1 && y >= 0 && y <= 1))
		return 0;
	p->x = (uint16_t)lround(x * UNIT);
	p->y = (uint16_t)lround(y * UNIT);
	return 1;
}

/* Their number; -1: one is no point, or there are too many. */
static int read_points(const json_t *list, struct sluice_zone_point p[SLUICE_ZONE_POINTS_MAX])
{
	size_t i, n = json_array_size(list);

	if (n > SLUICE_ZONE_POINTS_MAX)
		return -1;
	for (i = 0; i < n; i++)
		if (!read_point(json_array_get(list, i), &p[i]))
			return -1;
	return (int)n;
}

static int64_t twice_area(const struct sluice_zone_point *p, int n)
{
	int64_t sum = 0;
	int i;

	for (i = 0; i < n; i++) {
		const struct sluice_zone_point *a = &p[i], *b = &p[(i + 1) % n];

		sum += (int64_t)a->x * b->y - (int64_t)b->x * a->y;
	}
	return sum < 0 ? -sum : sum;
}

static const char *check_shape(const json_t *points, int line)
{
	struct sluice_zone_point p[SLUICE_ZONE_POINTS_MAX];
	int n = read_points(points, p);

	if (n < 0)
		return "a point is [x, y], each 0..1, and a zone has 16 points at most";
	if (line && n != 2)
		return "a line has two points";
	if (!line && n < 3)
		return "a zone has three points or more";
	if (line && abs(p[0].x - p[1].x) + abs(p[0].y - p[1].y) < LINE_LEAST)
		return "a line is too short to be crossed";
	if (!line && twice_area(p, n) < AREA_LEAST)
		return "a zone is too small for anything to be in it";
	return NULL;
}

/* Names are shown, searched for and part of tags: of one line, and each only once. */
static const char *check_name(const json_t *list, size_t at)
{
	const char *name = json_string_value(json_object_get(json_array_get(list, at), "name"));
	size_t i;

	if (!name || !*name || strlen(name) > sizeof(((struct sluice_zone *)0)->name) - 1)
		return "a name is 1 to 31 bytes";
	for (i = 0; name[i]; i++)
		if ((unsigned char)name[i] < 32 || name[i] == 127)
			return "a name has no control characters";
	for (i = 0; i < at; i++)
		if (!strcmp(name,
			    json_string_value(json_object_get(json_array_get(list, i), "name"))))
			return "two zones, or two lines, have the same name";
	return NULL;
}

static const char *check_list(const json_t *list, int line)
{
	const char *wrong = NULL;
	size_t i, n = json_array_size(list);

	if (list && !json_is_array(list))
		return "zones and lines are arrays";
	if (n > SLUICE_ZONES_MAX)
		return "there are at most 16 zones and 16 lines";
	for (i = 0; i < n && !wrong; i++) {
		const json_t *o = json_array_get(list, i);

		wrong = check_name(list, i);
		if (!wrong && json_object_size(o) != 2)
			wrong = "a zone, or a line, has a name and points";
		if (!wrong)
			wrong = check_shape(json_object_get(o, "points"), line);
	}
	return wrong;
}

const char *sluice_zones_check(const json_t *doc)
{
	const char *key, *wrong;
	json_t *v;

	json_object_foreach ((json_t *)doc, key, v)
		if (strcmp(key, "zones") != 0 && strcmp(key, "lines") != 0)
			return "the body has zones and lines";
	wrong = check_list(json_object_get(doc, "zones"), 0);
	return wrong ? wrong : check_list(json_object_get(doc, "lines"), 1);
}

static void copy_name(char name[32], const json_t *o)
{
	strncpy(name, json_string_value(json_object_get(o, "name")), 31);
}

void sluice_zones_config(const json_t *doc, struct sluice_analysis_config *c)
{
	struct sluice_zone_point p[SLUICE_ZONE_POINTS_MAX];
	json_t *v;
	size_t i;

	c->zone_count = c->line_count = 0;
	memset(c->zones, 0, sizeof(c->zones));
	memset(c->lines, 0, sizeof(c->lines));
	if (sluice_zones_check(doc))
		return; /* fleet.db was written here, and is read as if it were not */
	json_array_foreach (json_object_get(doc, "zones"), i, v) {
		struct sluice_zone *z = &c->zones[c->zone_count++];

		copy_name(z->name, v);
		z->count = (uint32_t)read_points(json_object_get(v, "points"), z->point);
	}
	json_array_foreach (json_object_get(doc, "lines"), i, v) {
		struct sluice_line *l = &c->lines[c->line_count++];

		copy_name(l->name, v);
		read_points(json_object_get(v, "points"), p);
		l->a = p[0];
		l->b = p[1];
	}
}
