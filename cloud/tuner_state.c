// SPDX-License-Identifier: MIT
/*
 * tuner_state.c - how a camera's gate stands, and what was counted of it.
 *
 * What was counted under another version of the device's settings says nothing of those in force.
 * While the device has not reported, or has a map that was not set from here, or people want a map,
 * the camera is left alone.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cloud/tuner_state.h"
#include "cloud/tuning.h"
#include "cloud/wish.h"

static const char *const modes[] = { "off", "propose", "apply" };

int sluice_retune_mode_of(const char *word)
{
	int i;

	for (i = 0; word && i < 3; i++)
		if (!strcmp(word, modes[i]))
			return i;
	return -1;
}

const char *sluice_retune_mode_name(enum sluice_retune_mode mode)
{
	return modes[mode];
}

/* ---- a camera, as it stands ---- */

void tuner_let_go(struct tuner_standing *s)
{
	json_decref(s->doc);
	json_decref(s->report);
	json_decref(s->people);
}

int tuner_read(const struct sluice_tuner *t, const struct sluice_camera *c,
	       struct tuner_standing *s)
{
	int err;

	*s = (struct tuner_standing){ .camera = c };
	err = sluice_fleet_get(t->fleet, SLUICE_FLEET_RETUNE, c->tenant, c->hex, &s->doc);
	if (err == -ENOENT)
		s->doc = json_object();
	if (err && err != -ENOENT)
		return err;
	s->version = json_integer_value(json_object_get(s->doc, "version"));
	err = sluice_fleet_get(t->fleet, SLUICE_FLEET_REPORT, c->tenant, c->hex, &s->report);
	s->settings = (uint32_t)tuner_ns(s->report, "version");
	s->people = sluice_fleet_people_wish(t->fleet, c);
	if (s->doc && s->people && (!err || err == -ENOENT))
		return 0;
	tuner_let_go(s);
	return -ENOMEM;
}

/* doc NULL: there is none. */
static enum sluice_retune_mode mode_of(const struct sluice_tuner *t, const json_t *doc)
{
	int own = sluice_retune_mode_of(json_string_value(json_object_get(doc, "mode")));

	return own >= 0 ? (enum sluice_retune_mode)own : t->c->mode;
}

enum sluice_retune_mode tuner_mode_of(const struct sluice_tuner *t, const struct tuner_standing *s)
{
	return mode_of(t, s->doc);
}

bool sluice_tuner_counts(const struct sluice_tuner *t, const struct sluice_camera *camera)
{
	json_t *doc = NULL;
	int err = t->fleet ? sluice_fleet_get(t->fleet, SLUICE_FLEET_RETUNE, camera->tenant,
					      camera->hex, &doc)
			   : 0;
	bool counts = err == -ENOMEM || mode_of(t, doc) != SLUICE_RETUNE_OFF;

	json_decref(doc);
	return counts;
}

/* Is the device's map the one that is wanted from here? What is wrong if not. */
static const char *look_at_map(const struct tuner_standing *s)
{
	const char *now = tuner_text(s->report, "map");
	char id[SLUICE_WISH_ID] = "none";
	json_t *layer;

	if (sluice_tuning_wish(s->doc, &layer))
		return "it is not known what was applied: out of memory";
	if (layer)
		sluice_wish_map_id(json_object_get(layer, "map"), id);
	json_decref(layer);
	if (!strcmp(now, id))
		return NULL;
	return strcmp(now, "none") ? "a map was set at the device"
				   : "the device has not taken on the map that was applied last";
}

const char *tuner_left_alone(const struct sluice_tuner *t, const struct tuner_standing *s)
{
	if (tuner_mode_of(t, s) == SLUICE_RETUNE_OFF)
		return "retuning is off";
	if (!s->report)
		return "the device has not told its settings";
	if (json_object_get(s->people, "map"))
		return "a map is wanted by people, of the camera or of a group";
	return look_at_map(s);
}

/* What the gate is set to, as far as it is of concern here. */
int tuner_present(const struct tuner_standing *s, const struct sluice_tiles *g,
		  struct sluice_tuning *now)
{
	const char *preset = tuner_text(json_object_get(s->report, "settings"), "preset");
	const json_t *applied = json_object_get(s->doc, "applied");
	struct sluice_tuning was;

	if (json_object_get(json_object_get(s->people, "settings"), "preset"))
		preset = ""; /* theirs */
	if (sluice_tuning_begin(now, g->grid_w, g->grid_h, sluice_retune_preset_of(preset)))
		return -EINVAL;
	if (!sluice_tuning_read(json_object_get(applied, "tuning"), &was) &&
	    sluice_tiles_same(&was.tiles, g))
		memcpy(now->factor, was.factor, sizeof(now->factor));
	return 0;
}

/* ---- what was counted ---- */

static int add_row(void *ctx, const struct sluice_index_tally *row)
{
	struct sluice_tally t;
	struct tuner_sum *s = ctx;

	if (row->settings != s->settings || sluice_tally_unpack(row->counts, row->size, &t))
		return 0;
	if (!s->first_day)
		s->first_day = row->day;
	s->last_day = row->day;
	sluice_tally_add(&s->total, &t);
	return 0;
}

/* Under the settings in force. */
int tuner_count(const struct sluice_tuner *t, const struct tuner_standing *s, uint32_t from_day,
		struct tuner_sum *sum)
{
	memset(sum, 0, sizeof(*sum));
	sum->settings = s->settings;
	return t->index->ops->tallies(t->index, s->camera->id, from_day, add_row, sum);
}

int tuner_count_present(const struct sluice_tuner *t, const struct tuner_standing *s,
			uint64_t now_ns, struct tuner_sum *sum)
{
	uint32_t today = (uint32_t)(now_ns / TUNER_DAY_NS);

	return tuner_count(t, s, today > t->c->days ? today - t->c->days : 0, sum);
}

json_t *tuner_counts_json(const struct tuner_sum *s)
{
	return json_pack("{s:I,s:I,s:I,s:I,s:I}", "days",
			 (json_int_t)(s->first_day ? s->last_day - s->first_day + 1 : 0),
			 "openings", (json_int_t)s->total.openings, "nothing",
			 (json_int_t)s->total.nothing, "samples", (json_int_t)s->total.samples,
			 "missed", (json_int_t)s->total.missed);
}
