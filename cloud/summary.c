// SPDX-License-Identifier: MIT
/* summary.c - see summary.h and docs/api.md. JSON is built with jansson; times are never rounded.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "cloud/summary.h"
#include "cloud/text.h"
#include "lib/sha256.h"

#define BOXES_MAX 3000 /* of a summary: the JSON must fit SLUICE_WIRE_CONTROL_MAX */

void sluice_summary_id(const char *camera, uint64_t epoch, double start_s, uint32_t part,
		       char id[33])
{
	unsigned char digest[SHA256_DIGEST_LENGTH];
	char text[160];
	int n = snprintf(text, sizeof(text), "sluice summary %d\n%s\n%llu\n%.3f\n%u",
			 SLUICE_SUMMARY_VERSION, camera, (unsigned long long)epoch, start_s, part);

	sluice_sha256(text, n, digest);
	for (int i = 0; i < 16; i++)
		snprintf(id + 2 * i, 3, "%02x", digest[i]);
}

/* A number with at most three decimals, so that 0.1 is written as 0.1. */
static json_t *rounded(double v)
{
	return json_real(round(v * 1000) / 1000);
}

static uint64_t utc_at(const struct sluice_summary_facts *f, double t_s)
{
	return sluice_summary_utc(f->first_utc_ns, t_s);
}

/* Where it was, how it moved, in the camera's pixels. */
static void set_way(json_t *o, const struct sluice_track *t, const struct sluice_summary_facts *f,
		    const struct sluice_track_facts *k)
{
	json_t *zones = json_array(), *zone_s = json_array(), *crossings = json_array();
	char sequence[24];

	for (uint32_t i = 0; f->config && i < SLUICE_ZONES_MAX; i++)
		if (k->zones >> i & 1) {
			json_array_append_new(zones, json_string(f->config->zones[i].name));
			json_array_append_new(zone_s, rounded(k->zone_s[i]));
		}
	for (uint32_t i = 0; i < k->crossing_count; i++)
		json_array_append_new(crossings,
				      json_pack("{s:s,s:o,s:s}", "line",
						f->config->lines[k->crossing[i].line].name, "t_s",
						rounded(k->crossing[i].t_s), "direction",
						k->crossing[i].forward ? "forward" : "backward"));
	snprintf(sequence, sizeof(sequence), "%llu", (unsigned long long)t->best.sequence);
	json_object_set_new(o, "zones", zones);
	json_object_set_new(o, "zone_s", zone_s);
	json_object_set_new(o, "crossings", crossings);
	json_object_set_new(o, "length", rounded(k->length * f->scale));
	json_object_set_new(o, "speed", rounded(k->speed * f->scale));
	json_object_set_new(o, "size",
			    json_pack("[ii]", (int)lroundf(k->w * f->scale),
				      (int)lroundf(k->h * f->scale)));
	json_object_set_new(o, "dwell_s", rounded(k->dwell_s));
	json_object_set_new(o, "best",
			    json_pack("{s:o,s:s}", "t_s", rounded(t->best.t_s), "sequence",
				      sequence));
}

/* Who says what it is. */
static void set_source(json_t *o, const char *by)
{
	char text[64];

	snprintf(text, sizeof(text), by ? "detector:%s" : "heuristic", by);
	json_object_set_new(o, "class_source", json_string(text));
	json_object_set_new(o, "heuristic", json_boolean(!by));
}

/* Every step-th box, and the last one. */
static json_t *track_json(const struct sluice_track *t, const struct sluice_summary_facts *f,
			  uint32_t step)
{
	struct sluice_track_facts facts;
	json_t *o = json_object(), *boxes = json_array();

	sluice_track_facts(t, f->w, f->h, f->config, f->people, &facts);
	json_object_set_new(o, "id", json_integer(t->id));
	json_object_set_new(o, "class", json_string(facts.class));
	json_object_set_new(o, "class_confidence", rounded(facts.confidence));
	set_source(o, facts.by);
	json_object_set_new(o, "start_s", rounded(t->start_s));
	json_object_set_new(o, "end_s", rounded(t->seen_s));
	json_object_set_new(o, "enter", json_string(sluice_side_name(facts.enter)));
	json_object_set_new(o, "leave", json_string(sluice_side_name(facts.leave)));
	set_way(o, t, f, &facts);
	for (uint32_t i = 0; i < t->path_count; i++) {
		const struct sluice_box *b = &t->path[i];

		if (i % step && i + 1 < t->path_count)
			continue;
		json_array_append_new(boxes, json_pack("[ooooo]", rounded(b->t_s),
						       json_integer(lroundf(b->x * f->scale)),
						       json_integer(lroundf(b->y * f->scale)),
						       json_integer(lroundf(b->w * f->scale)),
						       json_integer(lroundf(b->h * f->scale))));
	}
	json_object_set_new(o, "boxes", boxes);
	return o;
}

static json_t *objects_json(const struct sluice_event_log *e, const struct sluice_summary_facts *f)
{
	json_t *list = json_array();

	for (uint32_t i = 0; i < e->object_count; i++) {
		const struct sluice_object *o = &e->objects[i];

		json_array_append_new(list,
				      json_pack("{s:s,s:o,s:[i,i,i,i]}", "what",
						o->kind == SLUICE_OBJECT_LEFT ? "left" : "removed",
						"t_s", rounded(o->box.t_s), "box",
						(int)lroundf(o->box.x * f->scale),
						(int)lroundf(o->box.y * f->scale),
						(int)lroundf(o->box.w * f->scale),
						(int)lroundf(o->box.h * f->scale)));
	}
	return list;
}

static json_t *keyframes_json(const struct sluice_keyframe *keys, const char (*files)[48],
			      uint32_t count)
{
	json_t *list = json_array();

	for (uint32_t i = 0; i < count; i++) {
		json_t *tracks = json_array();
		char sequence[24];

		for (uint32_t k = 0; k < keys[i].track_count; k++)
			json_array_append_new(tracks, json_integer(keys[i].tracks[k]));
		snprintf(sequence, sizeof(sequence), "%llu", (unsigned long long)keys[i].sequence);
		json_array_append_new(list, json_pack("{s:o,s:s,s:s,s:o,s:s}", "t_s",
						      rounded(keys[i].t_s), "file", files[i], "why",
						      keys[i].why, "tracks", tracks, "sequence",
						      sequence));
	}
	return list;
}

static json_t *ledger_json(const struct sluice_summary_facts *f)
{
	json_t *lost = json_object();

	for (int i = 0; f->lost_names && f->lost_names[i]; i++)
		if (f->lost[i])
			json_object_set_new(lost, f->lost_names[i], json_integer(f->lost[i]));
	return json_pack("{s:I,s:I,s:o}", "seen", (json_int_t)f->seen, "passed",
			 (json_int_t)f->passed, "lost", lost);
}

/* ---- words ---- */

static uint64_t lost_of(const struct sluice_summary_facts *f)
{
	uint64_t lost = 0;

	for (int i = 0; f->lost_names && f->lost_names[i]; i++)
		lost += f->lost[i];
	return lost;
}

static json_t *concern_json(const struct sluice_concern *k)
{
	char text[SLUICE_TEXT_LANGUAGES][SLUICE_TEXT_BODY], sequence[24];
	json_t *texts = json_object(), *o;

	for (int i = 0; i < SLUICE_TEXT_LANGUAGES; i++) {
		sluice_concern_text(k, (enum sluice_text_language)i, text[i], sizeof(text[i]));
		json_object_set_new(texts, sluice_text_language[i], json_string(text[i]));
	}
	snprintf(sequence, sizeof(sequence), "%llu", (unsigned long long)k->sequence);
	o = json_pack("{s:s,s:i,s:s,s:o,s:b,s:o,s:s}", "kind", sluice_concern_name(k->kind),
		      "level", (int)k->level, "text", text[SLUICE_TEXT_EN], "texts", texts,
		      "heuristic", 1, "t_s", rounded(k->t_s), "sequence", sequence);
	json_object_set_new(o, "track", k->track ? json_integer(k->track) : json_null());
	if (k->place)
		json_object_set_new(o, "place", json_string(k->place));
	return o;
}

static void set_words(json_t *o, const struct sluice_event_log *e,
		      const struct sluice_summary_facts *f)
{
	const struct sluice_text_facts facts = { e, f->camera, f->w, f->h, f->people, lost_of(f) };
	json_t *texts = json_object(), *list = json_array();
	struct sluice_concerns concerns;
	struct sluice_text text;

	for (int i = SLUICE_TEXT_LANGUAGES - 1; i >= 0; i--) {
		sluice_text_event(&facts, (enum sluice_text_language)i, &text);
		json_object_set_new(texts, sluice_text_language[i],
				    json_pack("{s:s,s:s,s:s}", "title", text.title, "text",
					      text.body, "scene", text.scene));
	}
	json_object_set_new(o, "title", json_string(text.title));
	json_object_set_new(o, "text", json_string(text.body));
	json_object_set_new(o, "scene", json_string(text.scene));
	json_object_set_new(o, "texts", texts);
	json_object_set_new(o, "confidence", rounded(text.confidence));
	sluice_concerns_find(e, f->w, f->h, f->config, f->people, f->first_utc_ns, &concerns);
	for (uint32_t i = 0; i < concerns.count; i++)
		json_array_append_new(list, concern_json(&concerns.list[i]));
	json_object_set_new(o, "threat_level", json_integer(concerns.level));
	json_object_set_new(o, "concerns", list);
	json_object_set_new(o, "concerns_untold", json_integer(concerns.untold));
}

/* How many boxes of a track to pass over, so that all tracks together stay below BOXES_MAX. */
static uint32_t box_step(const struct sluice_event_log *e)
{
	uint64_t boxes = 0;

	for (uint32_t i = 0; i < e->track_count; i++)
		boxes += e->tracks[i].path_count;
	return boxes / BOXES_MAX + 1;
}

static void set_head(json_t *o, const char *id, const struct sluice_summary_facts *f)
{
	char text[24];

	json_object_set_new(o, "version", json_integer(SLUICE_SUMMARY_VERSION));
	json_object_set_new(o, "id", json_string(id));
	json_object_set_new(o, "camera", json_string(f->camera));
	snprintf(text, sizeof(text), "%llu", (unsigned long long)f->epoch);
	json_object_set_new(o, "epoch", json_string(text));
}

char *sluice_summary_json(const struct sluice_event_log *e, const char *id,
			  const struct sluice_summary_facts *f, const struct sluice_keyframe *keys,
			  const char (*files)[48], uint32_t key_count)
{
	json_t *o = json_object(), *tracks = json_array(), *activity = json_array();
	uint32_t step = box_step(e);
	char *out;

	if (!o || !tracks || !activity) {
		json_decref(o);
		json_decref(tracks);
		json_decref(activity);
		return NULL;
	}
	set_head(o, id, f);
	json_object_set_new(o, "kind", json_string("event"));
	json_object_set_new(o, "event", json_string(e->event_id));
	json_object_set_new(o, "continued", json_boolean(f->continued));
	sluice_summary_time(o, "start", "start_ns", utc_at(f, e->part_start_s));
	sluice_summary_time(o, "end", "end_ns", utc_at(f, e->end_s));
	json_object_set_new(o, "start_s", rounded(e->part_start_s));
	json_object_set_new(o, "end_s", rounded(e->end_s));
	json_object_set_new(o, "reason",
			    json_string(e->camera_moved	  ? "camera_moved"
					: e->scene_change ? "scene_change"
							  : "motion"));
	json_object_set_new(o, "nuisance", json_boolean(e->nuisance));
	if (e->nuisance)
		json_object_set_new(o, "nuisance_reason",
				    json_string(e->nuisance == SLUICE_NUISANCE_LIGHT ? "light"
										     : "no_track"));
	set_words(o, e, f);
	json_object_set_new(o, "peak_objects", json_integer(e->peak));
	for (uint32_t i = 0; i < e->track_count; i++)
		json_array_append_new(tracks, track_json(&e->tracks[i], f, step));
	json_object_set_new(o, "tracks", tracks);
	json_object_set_new(o, "objects", objects_json(e, f));
	for (uint32_t i = 0; i < e->activity_count; i++)
		json_array_append_new(activity, rounded(e->activity[i]));
	json_object_set_new(o, "activity", activity);
	json_object_set_new(o, "keyframes", keyframes_json(keys, files, key_count));
	json_object_set_new(o, "digest", json_null());
	json_object_set_new(o, "ledger", ledger_json(f));
	json_object_set_new(o, "settings", json_integer(e->settings));
	json_object_set_new(o, "width", json_integer(f->width));
	json_object_set_new(o, "height", json_integer(f->height));
	out = json_dumps(o, JSON_COMPACT);
	json_decref(o);
	return out;
}

char *sluice_summary_event_json(const struct sluice_event_log *e,
				const struct sluice_summary_facts *f, const struct sluice_box *box)
{
	json_t *o = json_object();
	char *out;

	if (!o)
		return NULL;
	set_head(o, e->event_id, f);
	sluice_summary_time(o, "start", "start_ns", utc_at(f, e->part_start_s));
	json_object_set_new(o, "start_s", rounded(e->part_start_s));
	json_object_set_new(o, "reason", json_string(e->scene_change ? "scene_change" : "motion"));
	json_object_set_new(o, "box",
			    box ? json_pack("[iiii]", (int)(box->x * f->scale),
					    (int)(box->y * f->scale), (int)(box->w * f->scale),
					    (int)(box->h * f->scale))
				: json_null());
	out = json_dumps(o, JSON_COMPACT);
	json_decref(o);
	return out;
}
