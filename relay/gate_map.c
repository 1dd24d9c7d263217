// SPDX-License-Identifier: MIT
/*
 * gate_map.c - polygons or bytes to a threshold map, inside the bounds of the local file. Privacy
 * masks are no part of it: there is no word for them here. How much may be ignored is counted in
 * cells of the finished map, so that many small zones are not more than one large one.
 */
#include "relay/gate_map.h"
#include "tools/ctl/polygon.h"

#include <errno.h>
#include <math.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ONE 16 /* of a threshold byte */

struct painter {
	const struct relay_gate_state *state;
	const struct relay_map_bounds *bounds;
	uint32_t width, height; /* in which the points were drawn */
	uint8_t *map, *touched;
	size_t cells;
	char *why;
	size_t size;
};

static int __attribute__((format(printf, 3, 4)))
refuse(const struct painter *p, int err, const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	vsnprintf(p->why, p->size, format, ap);
	va_end(ap);
	return err;
}

static int paint(struct painter *p, const char *text, uint8_t factor)
{
	const struct relay_gate_state *s = p->state;
	uint32_t block = polygon_block(s->width, s->grid_w);
	struct polygon polygon;

	if (!block)
		return refuse(p, -EAGAIN, "the camera has no picture yet");
	if (polygon_parse(text, p->width, p->height, &polygon))
		return refuse(p, -EINVAL, "a zone is three to %d points X,Y within %ux%u",
			      POLYGON_POINTS, p->width, p->height);
	for (uint32_t i = 0; i < polygon.count; i++) {
		polygon.x[i] *= (double)s->width / p->width;
		polygon.y[i] *= (double)s->height / p->height;
	}
	memset(p->touched, 0, p->cells);
	polygon_cells(&polygon, block, s->grid_w, s->grid_h, p->touched);
	for (size_t i = 0; i < p->cells; i++)
		if (p->touched[i])
			p->map[i] = factor;
	return 0;
}

static int paint_zone(struct painter *p, json_t *zone)
{
	const char *ignore = json_string_value(json_object_get(zone, "ignore"));
	const char *text = json_string_value(json_object_get(zone, "zone"));
	double factor;
	char *end;

	if (json_object_size(zone) != 1 || (!ignore && !text))
		return refuse(
			p, -EINVAL,
			"a zone is {\"ignore\":\"X,Y ...\"} or {\"zone\":\"FACTOR:X,Y ...\"}");
	if (ignore)
		return paint(p, ignore, 0);
	factor = strtod(text, &end);
	if (end == text || *end != ':' || !(factor >= 1.0 / ONE) || factor > 255.0 / ONE)
		return refuse(p, -EINVAL, "the factor of a zone is 0.0625 to 15.9");
	return paint(p, end + 1, (uint8_t)lround(factor * ONE));
}

static int paint_zones(struct painter *p, json_t *map)
{
	json_t *zones = json_object_get(map, "zones"), *zone;
	json_t *width = json_object_get(map, "width"), *height = json_object_get(map, "height");
	size_t i, keys = 1 + (width != NULL) + (height != NULL);
	int err = 0;

	if (!json_is_array(zones) || json_object_size(map) != keys || !width != !height)
		return refuse(p, -EINVAL,
			      "a map is zones (with width and height), or grid and cells");
	if (json_array_size(zones) > RELAY_MAP_ZONES)
		return refuse(p, -EINVAL, "more than %d zones", RELAY_MAP_ZONES);
	p->width = width ? (uint32_t)json_integer_value(width) : p->state->width;
	p->height = height ? (uint32_t)json_integer_value(height) : p->state->height;
	if (!p->width || !p->height || p->width > 16384 || p->height > 16384)
		return refuse(p, -EINVAL, "width and height are those of a picture");
	memset(p->map, ONE, p->cells);
	json_array_foreach (zones, i, zone)
		if (!err)
			err = paint_zone(p, zone);
	return err;
}

static int copy_cells(struct painter *p, json_t *map)
{
	json_t *grid = json_object_get(map, "grid"), *cells = json_object_get(map, "cells");
	size_t length = json_string_length(cells);
	uint8_t *raw;
	int n;

	if (json_object_size(map) != 2 || !json_is_string(cells) || json_array_size(grid) != 2)
		return refuse(p, -EINVAL,
			      "a map is zones (with width and height), or grid and cells");
	if (json_integer_value(json_array_get(grid, 0)) != p->state->grid_w ||
	    json_integer_value(json_array_get(grid, 1)) != p->state->grid_h)
		return refuse(p, -EINVAL, "the map is for another grid than %ux%u",
			      p->state->grid_w, p->state->grid_h);
	if (length != (p->cells + 2) / 3 * 4)
		return refuse(p, -EINVAL, "cells must be base64 of %zu bytes", p->cells);
	raw = malloc(length);
	if (!raw)
		return -ENOMEM;
	n = EVP_DecodeBlock(raw, (const unsigned char *)json_string_value(cells), (int)length);
	if (n >= (int)p->cells)
		memcpy(p->map, raw, p->cells);
	free(raw);
	return n >= (int)p->cells ? 0 : refuse(p, -EINVAL, "cells are not base64");
}

static int check_bounds(const struct painter *p)
{
	const struct relay_map_bounds *b = p->bounds;
	size_t ignored = 0;

	for (size_t i = 0; i < p->cells; i++) {
		ignored += !p->map[i];
		if (p->map[i] && p->map[i] != ONE && (p->map[i] < b->least || p->map[i] > b->most))
			return refuse(p, -ERANGE,
				      "a zone's factor is outside of what this device allows");
	}
	if (ignored * 100 > (size_t)b->ignore_pct * p->cells)
		return refuse(p, -ERANGE,
			      "%zu of %zu cells would be ignored; this device allows %u %%",
			      ignored, p->cells, b->ignore_pct);
	return 0;
}

int relay_map_make(const json_t *map, const struct relay_gate_state *s,
		   const struct relay_map_bounds *b, uint8_t **cells, size_t *count, char *why,
		   size_t size)
{
	struct painter p = { .state = s, .bounds = b, .why = why, .size = size };
	int err;

	*cells = NULL;
	*count = 0;
	if (!b->allowed)
		return refuse(&p, -EPERM, "this device does not let the cloud set zones");
	if (json_is_null(map))
		return 0;
	p.cells = (size_t)s->grid_w * s->grid_h;
	if (!p.cells)
		return refuse(&p, -EAGAIN, "the camera has no picture yet");
	p.map = calloc(2, p.cells);
	if (!p.map)
		return -ENOMEM;
	p.touched = p.map + p.cells;
	err = json_object_get(map, "cells") ? copy_cells(&p, (json_t *)map)
					    : paint_zones(&p, (json_t *)map);
	if (!err)
		err = check_bounds(&p);
	if (err) {
		free(p.map);
		return err;
	}
	*cells = p.map;
	*count = p.cells;
	return 0;
}
