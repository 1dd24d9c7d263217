/* SPDX-License-Identifier: MIT */
/* gate_map.h - a threshold map as the cloud asks for it, made for the grid of a camera. */
#ifndef RELAY_GATE_MAP_H
#define RELAY_GATE_MAP_H

#include "relay/gate.h"

#include <jansson.h>

#define RELAY_MAP_ZONES 16

/* What the device's owner allows. */
struct relay_map_bounds {
	bool allowed;
	uint32_t least, most; /* factors of zones, 1/16: below 16 sees more */
	uint32_t ignore_pct;  /* of the cells, at most */
};

/*
 * map: {"width":W,"height":H,"zones":[{"ignore":"X,Y X,Y X,Y"},{"zone":"FACTOR:X,Y ..."}]}, words
 * and units of `sluicectl mask`, painted in this order; width and height say in which picture the
 * points were drawn (absent: the camera's own). Or {"grid":[W,H],"cells":"BASE64"}, a byte a cell
 * of exactly this grid, 1/16, 0 ignores. Or null: no map.
 *
 * 0, *cells malloc'd and their number (NULL and 0 for null); or -errno and why: -EINVAL its form,
 * -EPERM, -ERANGE the bounds, -EAGAIN the camera has no picture yet.
 */
int relay_map_make(const json_t *map, const struct relay_gate_state *s,
		   const struct relay_map_bounds *b, uint8_t **cells, size_t *count, char *why,
		   size_t size);

#endif
