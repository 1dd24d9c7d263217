// SPDX-License-Identifier: MIT
/* tuner_show.c - how a camera's gate stands, for people. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cloud/tuner_state.h"
#include "cloud/tuning.h"

/* A copy of an object of the document with times as text, and the map in place of the tuning. */
static json_t *shown(const json_t *o)
{
	json_t *out = json_deep_copy(o), *map;
	struct sluice_tuning t;
	char at[32];

	if (!out)
		return json_null();
	sluice_rfc3339(tuner_ns(out, "at_ns"), at);
	json_object_del(out, "at_ns");
	json_object_set_new(out, "at", json_string(at));
	if (!sluice_tuning_read(json_object_get(out, "tuning"), &t)) {
		map = sluice_tuning_map_json(&t);
		json_object_set_new(out, "map", map ? map : json_null());
		if (!json_is_false(json_object_get(out, "preset")))
			json_object_set_new(out, "preset",
					    json_string(sluice_retune_preset_name(t.preset)));
	}
	if (!json_is_string(json_object_get(out, "preset")))
		json_object_set_new(out, "preset", json_null());
	if (json_object_get(out, "by")) /* applied */
		json_object_set_new(out, "can_go_back",
				    json_boolean(json_object_get(out, "from") != NULL));
	json_object_del(out, "from");
	json_object_del(out, "tuning");
	json_object_del(out, "settings");
	json_object_del(out, "misses");
	return out;
}

static json_t *history_json(const json_t *list)
{
	json_t *out = json_array(), *e;
	size_t i;

	json_array_foreach (list, i, e) {
		json_t *o = json_deep_copy(e);
		char at[32];

		sluice_rfc3339(tuner_ns(e, "at_ns"), at);
		json_object_del(o, "at_ns");
		json_object_del(o, "tuning");
		json_object_set_new(o, "at", json_string(at));
		json_array_append_new(out, o);
	}
	return out;
}

static json_t *standing_json(const struct sluice_tuner *t, const struct tuner_standing *s)
{
	const json_t *p = json_object_get(s->doc, "proposal"),
		     *a = json_object_get(s->doc, "applied");
	const char *left = tuner_left_alone(t, s);
	struct tuner_sum *sum = malloc(sizeof(*sum));
	json_t *counts = NULL, *mode = json_object_get(s->doc, "mode");

	if (sum && !tuner_count_present(t, s, sluice_utc_now(), sum))
		counts = tuner_counts_json(sum);
	free(sum);
	if (!counts)
		return NULL;
	return json_pack("{s:I,s:O?,s:s,s:o,s:o,s:o,s:o,s:o}", "version", s->version, "mode", mode,
			 "effective_mode", sluice_retune_mode_name(tuner_mode_of(t, s)),
			 "left_alone", left ? json_string(left) : json_null(), "counts", counts,
			 "proposal", p ? shown(p) : json_null(), "applied",
			 a ? shown(a) : json_null(), "history",
			 history_json(json_object_get(s->doc, "history")));
}

json_t *sluice_tuner_json(const struct sluice_tuner *t, const struct sluice_camera *camera)
{
	struct tuner_standing s;
	json_t *o;

	if (tuner_read(t, camera, &s))
		return NULL;
	o = standing_json(t, &s);
	tuner_let_go(&s);
	return o;
}
