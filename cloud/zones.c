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
#define DWELL_MS   2000 /* shorter is no more than a box that touched the zone */
#define DWELL_MAX  86400

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

/* ---- what is of concern ---- */

static const char *const line_concerns[] = { "forward", "backward", "both" };

/* enum sluice_line_concern; 0: it is none of the words. */
static uint32_t read_line_concern(const json_t *v)
{
	const char *word = json_string_value(v);

	for (uint32_t i = 0; word && i < 3; i++)
		if (!strcmp(word, line_concerns[i]))
			return i + 1;
	return 0;
}

static const char *check_concern(const json_t *o, int line)
{
	const json_t *concern = json_object_get(o, "concern"),
		     *dwell = json_object_get(o, "dwell_s");
	double s = json_number_value(dwell);

	if (line && concern && !read_line_concern(concern))
		return "concern of a line is forward, backward or both";
	if (!line && concern && !json_is_boolean(concern))
		return "concern of a zone is true or false";
	if (dwell && (line || !json_is_number(dwell) || !(s >= 0 && s <= DWELL_MAX)))
		return "dwell_s is of a zone: 0 to 86400 seconds";
	return NULL;
}

/* "22:00" as minutes; -1: it is none. */
static int read_minutes(const json_t *v)
{
	const char *t = json_string_value(v);

	if (!t || strlen(t) != 5 || t[2] != ':' || strspn(t, "0123456789:") != 5 ||
	    strchr(t, ':') != t + 2 || (t[0] - '0') * 10 + t[1] - '0' > 23 || t[3] > '5')
		return -1;
	return ((t[0] - '0') * 10 + t[1] - '0') * 60 + (t[3] - '0') * 10 + t[4] - '0';
}

static const char *check_night(const json_t *night)
{
	if (!night || json_is_null(night))
		return NULL;
	if (json_object_size(night) != 2 || read_minutes(json_object_get(night, "from")) < 0 ||
	    read_minutes(json_object_get(night, "to")) < 0)
		return "night is {\"from\":\"22:00\",\"to\":\"06:00\"}, or null";
	return NULL;
}

/* ---- the document ---- */

static const char *check_keys(const json_t *o, int line)
{
	const char *key;
	json_t *v;

	if (!json_object_get(o, "name") || !json_object_get(o, "points"))
		return "a zone, or a line, has a name and points";
	json_object_foreach ((json_t *)o, key, v)
		if (strcmp(key, "name") != 0 && strcmp(key, "points") != 0 &&
		    strcmp(key, "concern") != 0 && (line || strcmp(key, "dwell_s") != 0))
			return "a zone, or a line, has a name and points, and concern if it is of "
			       "any";
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
		if (!wrong)
			wrong = check_keys(o, line);
		if (!wrong)
			wrong = check_concern(o, line);
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
		if (strcmp(key, "zones") != 0 && strcmp(key, "lines") != 0 &&
		    strcmp(key, "night") != 0)
			return "the body has zones and lines, and night if there is one";
	wrong = check_list(json_object_get(doc, "zones"), 0);
	if (!wrong)
		wrong = check_list(json_object_get(doc, "lines"), 1);
	return wrong ? wrong : check_night(json_object_get(doc, "night"));
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

	c->zone_count = c->line_count = c->night_from = c->night_to = 0;
	memset(c->zones, 0, sizeof(c->zones));
	memset(c->lines, 0, sizeof(c->lines));
	if (sluice_zones_check(doc))
		return; /* fleet.db was written here, and is read as if it were not */
	v = json_object_get(doc, "night");
	if (json_is_object(v)) {
		c->night_from = (uint32_t)read_minutes(json_object_get(v, "from"));
		c->night_to = (uint32_t)read_minutes(json_object_get(v, "to"));
	}
	json_array_foreach (json_object_get(doc, "zones"), i, v) {
		struct sluice_zone *z = &c->zones[c->zone_count++];
		const json_t *dwell = json_object_get(v, "dwell_s");

		copy_name(z->name, v);
		z->concern = json_is_true(json_object_get(v, "concern"));
		z->dwell_ms = dwell ? (uint32_t)lround(json_number_value(dwell) * 1000) : DWELL_MS;
		z->count = (uint32_t)read_points(json_object_get(v, "points"), z->point);
	}
	json_array_foreach (json_object_get(doc, "lines"), i, v) {
		struct sluice_line *l = &c->lines[c->line_count++];

		copy_name(l->name, v);
		l->concern = read_line_concern(json_object_get(v, "concern"));
		read_points(json_object_get(v, "points"), p);
		l->a = p[0];
		l->b = p[1];
	}
}
