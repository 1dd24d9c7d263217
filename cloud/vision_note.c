// SPDX-License-Identifier: MIT
/* vision_note.c - see vision_note.h. Title and text of the summary itself stay the template's: the
 * model's words are in its member "vision" alone. */
#include "cloud/vision_note.h"

#include <math.h>
#include <string.h>

#include "cloud/counters.h"
#include "lib/sha256.h"

struct sluice_vision_counts sluice_vision_counts;

void sluice_vision_id(const char *of, char id[33])
{
	uint8_t digest[SHA256_DIGEST_LENGTH];
	char text[64];
	int n = snprintf(text, sizeof(text), "sluice vision 1\n%.32s", of);

	sluice_sha256(text, (size_t)n, digest);
	for (int i = 0; i < 16; i++)
		snprintf(id + 2 * i, 3, "%02x", digest[i]);
}

static double rounded(double v)
{
	return round(v * 1000) / 1000;
}

static json_t *evidence_json(const struct sluice_vision_answer *a,
			     const struct sluice_vision_facts *f)
{
	json_t *list = json_array();
	char sequence[24];

	for (uint32_t i = 0; i < f->pictures; i++) {
		snprintf(sequence, sizeof(sequence), "%llu",
			 (unsigned long long)f->picture[i].sequence);
		json_array_append_new(list, json_pack("{s:s,s:s,s:f,s:b}", "file",
						      f->picture[i].file, "sequence", sequence,
						      "t_s", rounded(f->picture[i].t_s), "shows",
						      (int)(a->evidence >> i & 1)));
	}
	return list;
}

static json_t *vision_json(const struct sluice_vision_answer *a,
			   const struct sluice_vision_facts *f)
{
	json_t *concerns = json_array(), *o;

	for (uint32_t i = 0; i < a->concern_count; i++)
		json_array_append_new(concerns, json_string(a->concern[i]));
	o = json_pack("{s:b,s:s,s:s,s:s,s:s,s:s,s:f,s:i,s:o,s:o,s:f}", "generated", 1, "model",
		      f->model, "language", f->language ? "zh" : "en", "title", a->title, "text",
		      a->text, "scene", a->scene, "confidence", rounded(a->confidence),
		      "threat_level", (int)a->threat, "concerns", concerns, "evidence",
		      evidence_json(a, f), "took_s", rounded(f->took_s));
	json_object_set_new(o, "tokens",
			    a->metered ? json_pack("{s:I,s:I}", "in", (json_int_t)a->tokens_in,
						   "out", (json_int_t)a->tokens_out)
				       : json_null());
	json_object_set_new(o, "cost", f->priced ? json_real((double)f->cost * 1e-6) : json_null());
	return o;
}

char *sluice_vision_note(const json_t *event, const struct sluice_vision_answer *a,
			 const struct sluice_vision_facts *f)
{
	static const char *const kept[] = { "version", "camera",   "epoch",  "event",	"start",
					    "end",     "start_ns", "end_ns", "start_s", "end_s",
					    "title",   "text",	   "width",  "height",	NULL };
	const char *of = json_string_value(json_object_get(event, "id"));
	json_t *o = json_object();
	char id[33], *text;

	sluice_vision_id(of ? of : "", id);
	json_object_set_new(o, "kind", json_string("vision"));
	json_object_set_new(o, "id", json_string(id));
	json_object_set_new(o, "of", json_string(of ? of : ""));
	json_object_set_new(o, "reason", json_string("vision"));
	for (size_t i = 0; kept[i]; i++) {
		json_t *v = json_object_get(event, kept[i]);

		if (v)
			json_object_set(o, kept[i], v);
	}
	json_object_set_new(o, "vision", vision_json(a, f));
	text = o ? json_dumps(o, JSON_COMPACT | JSON_REAL_PRECISION(9)) : NULL;
	json_decref(o);
	return text;
}

void sluice_vision_print(FILE *out)
{
	static const char *const skips[SLUICE_VISION_SKIPS] = { "budget", "full", "old", "pictures",
								"given_up" };
	const struct sluice_vision_counts *c = &sluice_vision_counts;
	char labels[64];

	for (int i = 0; i < SLUICE_VISION_FAILURES; i++) {
		snprintf(labels, sizeof(labels), "{result=\"%s\"}", sluice_vision_failures[i]);
		sluice_counter_print(out, "vision_calls_total",
				     i ? NULL : "Calls of the vision endpoint, by how they ended.",
				     labels, atomic_load(&c->calls[i]));
	}
	for (int i = 0; i < SLUICE_VISION_SKIPS; i++) {
		snprintf(labels, sizeof(labels), "{reason=\"%s\"}", skips[i]);
		sluice_counter_print(out, "vision_skipped_total",
				     i ? NULL : "Events without its text, by why.", labels,
				     atomic_load(&c->skipped[i]));
	}
	sluice_counter_print(out, "vision_tokens_total", "Tokens, as the endpoint says.",
			     "{direction=\"in\"}", atomic_load(&c->tokens_in));
	sluice_counter_print(out, "vision_tokens_total", NULL, "{direction=\"out\"}",
			     atomic_load(&c->tokens_out));
	sluice_counter_print(out, "vision_cost_millionths_total",
			     "What they cost by [vision] price_in and price_out.", "",
			     atomic_load(&c->cost));
	sluice_gauge_print(out, "vision_waiting", "Events that wait to be asked about.", "",
			   atomic_load(&c->waiting));
}
