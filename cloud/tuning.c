// SPDX-License-Identifier: MIT
/* tuning.c - see tuning.h. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <openssl/evp.h>

#include "cloud/tuning.h"

#define BASE64(n) (((n) + 2) / 3 * 4 + 1)

static const char *const presets[] = { "custom", "low", "medium", "high" };

enum sluice_retune_preset sluice_retune_preset_of(const char *name)
{
	int i;

	for (i = SLUICE_RETUNE_LOW; name && i <= SLUICE_RETUNE_HIGH; i++)
		if (!strcmp(name, presets[i]))
			return (enum sluice_retune_preset)i;
	return SLUICE_RETUNE_CUSTOM;
}

const char *sluice_retune_preset_name(enum sluice_retune_preset preset)
{
	return presets[preset];
}

static size_t count_of(const struct sluice_tuning *t)
{
	return (size_t)t->tiles.w * t->tiles.h;
}

json_t *sluice_tuning_json(const struct sluice_tuning *t)
{
	char text[BASE64(SLUICE_TILES)];

	EVP_EncodeBlock((unsigned char *)text, t->factor, (int)count_of(t));
	return json_pack("{s:[i,i],s:s,s:s}", "grid", t->tiles.grid_w, t->tiles.grid_h, "preset",
			 presets[t->preset], "factors", text);
}

int sluice_tuning_read(const json_t *o, struct sluice_tuning *t)
{
	unsigned char bytes[BASE64(SLUICE_TILES)];
	const char *preset = json_string_value(json_object_get(o, "preset"));
	const char *text = json_string_value(json_object_get(o, "factors"));
	const json_t *grid = json_object_get(o, "grid");
	json_int_t w = json_integer_value(json_array_get(grid, 0));
	json_int_t h = json_integer_value(json_array_get(grid, 1));

	if (!text || w < 0 || h < 0 || w > UINT32_MAX || h > UINT32_MAX ||
	    sluice_tuning_begin(t, (uint32_t)w, (uint32_t)h, sluice_retune_preset_of(preset)) ||
	    strlen(text) != BASE64(count_of(t)) - 1 ||
	    EVP_DecodeBlock(bytes, (const unsigned char *)text, (int)strlen(text)) < 0)
		return -EINVAL;
	memcpy(t->factor, bytes, count_of(t));
	return 0;
}

json_t *sluice_tuning_map_json(const struct sluice_tuning *t)
{
	size_t n = (size_t)t->tiles.grid_w * t->tiles.grid_h;
	unsigned char *cells, *text;
	json_t *o = NULL;

	if (sluice_tuning_plain(t))
		return json_null();
	cells = malloc(n);
	text = malloc(BASE64(n));
	if (cells && text) {
		sluice_tuning_map(t, cells);
		EVP_EncodeBlock(text, cells, (int)n);
		o = json_pack("{s:[i,i],s:s}", "grid", t->tiles.grid_w, t->tiles.grid_h, "cells",
			      (const char *)text);
	}
	free(cells);
	free(text);
	return o;
}

int sluice_tuning_wish(const json_t *doc, json_t **out)
{
	const json_t *applied = json_object_get(doc, "applied");
	struct sluice_tuning t;
	json_t *map;

	*out = NULL;
	if (!applied || sluice_tuning_read(json_object_get(applied, "tuning"), &t))
		return 0;
	map = sluice_tuning_map_json(&t);
	*out = map ? json_pack("{s:o,s:{}}", "map", map, "settings") : NULL;
	if (*out && json_is_true(json_object_get(applied, "preset")) &&
	    json_object_set_new(json_object_get(*out, "settings"), "preset",
				json_string(presets[t.preset]))) {
		json_decref(*out);
		*out = NULL;
	}
	return *out ? 0 : -ENOMEM;
}
