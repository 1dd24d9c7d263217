// SPDX-License-Identifier: MIT
/*
 * Values are compared as the gate has them, in its integer units: what it rounds is no drift. The
 * settings before rate in the gate's table are those that a preset stands for.
 */
#include "cloud/wish.h"
#include "cloud/camera.h"
#include "lib/setting.h"
#include "lib/sha256.h"

#include <math.h>
#include <sluice/control.h>
#include <stdlib.h>
#include <string.h>

#define ZONES_MAX 16

static const struct sluice_setting_name *find_setting(const char *name)
{
	return sluice_setting_find(name, strlen(name));
}

/* The gate's value; 0 if it is none. */
static int read_value(const struct sluice_setting_name *n, const json_t *v, uint32_t *value)
{
	double x = json_number_value(v);

	if (n->setting == SLUICE_SETTING_PRESET)
		return json_is_string(v) && sluice_setting_parse(n, json_string_value(v), value);
	if (!json_is_number(v) || !(x >= 0) || x * n->unit > 4e9)
		return 0;
	*value = (uint32_t)llround(x * n->unit);
	return 1;
}

static int is_of_preset(const char *name)
{
	const struct sluice_setting_name *n = find_setting(name);

	return n && n->setting > SLUICE_SETTING_PRESET && n->setting <= SLUICE_SETTING_ROW_BANDS;
}

static const char *check_settings(const json_t *settings)
{
	const char *key, *alone = NULL;
	uint32_t value;
	json_t *v;

	json_object_foreach ((json_t *)settings, key, v) {
		const struct sluice_setting_name *n = find_setting(key);

		if (!n)
			return "settings has a name that there is not; sluicectl help set names "
			       "them";
		if (!read_value(n, v, &value))
			return "settings has a value that is none; presets are low, medium, high, "
			       "others are numbers";
		if (is_of_preset(key))
			alone = key;
	}
	if (alone && json_object_get(settings, "preset"))
		return "a preset and single values of the gate exclude each other";
	return NULL;
}

static const char *check_map(const json_t *map)
{
	const json_t *zones = json_object_get(map, "zones"), *grid = json_object_get(map, "grid");

	if (json_is_null(map))
		return NULL;
	if (json_is_array(zones) && json_array_size(zones) <= ZONES_MAX &&
	    (json_object_size(map) == 1 ||
	     (json_object_size(map) == 3 && json_is_integer(json_object_get(map, "width")) &&
	      json_is_integer(json_object_get(map, "height")))))
		return NULL;
	if (json_array_size(grid) == 2 && json_is_string(json_object_get(map, "cells")) &&
	    json_object_size(map) == 2)
		return NULL;
	return "map is null, {\"width\",\"height\",\"zones\":[...]} with at most 16 zones, or "
	       "{\"grid\":[W,H],\"cells\":BASE64}";
}

const char *sluice_wish_check(const json_t *wish)
{
	const json_t *settings = json_object_get(wish, "settings");
	const json_t *map = json_object_get(wish, "map");
	const char *wrong = NULL;

	if (settings && !json_is_object(settings))
		return "settings must be an object";
	if (settings)
		wrong = check_settings(settings);
	if (!wrong && map)
		wrong = check_map(map);
	return wrong;
}

/* ---- layers ---- */

static void drop_below(json_t *to, const json_t *settings)
{
	const char *key;
	json_t *v;
	void *tmp;

	if (json_object_get(settings, "preset"))
		json_object_foreach_safe(to, tmp, key, v) if (is_of_preset(key))
			json_object_del(to, key);
	json_object_foreach ((json_t *)settings, key, v)
		if (is_of_preset(key))
			json_object_del(to, "preset");
}

json_t *sluice_wish_merge(const json_t *const *layer, size_t count)
{
	json_t *settings = json_object(), *wish = json_pack("{s:o}", "settings", settings), *v;
	int bad = 0;
	size_t i;

	for (i = 0; wish && i < count; i++) {
		v = json_object_get(layer[i], "settings");
		if (v) {
			drop_below(settings, v);
			bad |= json_object_update(settings, v);
		}
		v = json_object_get(layer[i], "map");
		if (v)
			bad |= json_object_set(wish, "map", v);
	}
	if (!bad)
		return wish;
	json_decref(wish);
	return NULL;
}

int sluice_wish_empty(const json_t *wish)
{
	return !json_object_size(json_object_get(wish, "settings")) &&
	       !json_object_get(wish, "map");
}

/* ---- drift ---- */

void sluice_wish_id(const json_t *json, char id[SLUICE_WISH_ID])
{
	char *text = json_dumps(json, JSON_COMPACT | JSON_SORT_KEYS | JSON_ENCODE_ANY);
	uint8_t sum[SHA256_DIGEST_LENGTH];

	sluice_sha256((text ? text : ""), text ? strlen(text) : 0, sum);
	sluice_hex(sum, (SLUICE_WISH_ID - 1) / 2, id);
	free(text);
}

void sluice_wish_map_id(const json_t *map, char id[SLUICE_WISH_ID])
{
	if (json_is_null(map))
		memcpy(id, "none", 5);
	else
		sluice_wish_id(map, id);
}

static void add_drift(json_t *drift, const char *key, json_t *desired, json_t *actual)
{
	json_object_set_new(drift, key,
			    json_pack("{s:o,s:o}", "desired", desired, "actual",
				      actual ? json_deep_copy(actual) : json_null()));
}

json_t *sluice_wish_drift(const json_t *wish, const json_t *actual)
{
	json_t *settings = json_object_get(wish, "settings"), *drift = json_object(), *v;
	json_t *in_force = json_object_get(actual, "settings"), *map = json_object_get(wish, "map");
	char id[SLUICE_WISH_ID];
	const char *key;

	json_object_foreach (settings, key, v) {
		const struct sluice_setting_name *n = find_setting(key);
		json_t *now = json_object_get(in_force, key);
		uint32_t want, have;

		if (!n || !read_value(n, v, &want) ||
		    (now && read_value(n, now, &have) && want == have))
			continue;
		add_drift(drift, key, json_deep_copy(v), now);
	}
	if (map) {
		const char *now = json_string_value(json_object_get(actual, "map"));

		sluice_wish_map_id(map, id);
		if (!now || strcmp(now, id))
			add_drift(drift, "map", json_string(id), json_object_get(actual, "map"));
	}
	return drift;
}
