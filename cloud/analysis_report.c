// SPDX-License-Identifier: MIT
/*
 * analysis_report.c - see analysis_report.h. The summary has the counts and the beginning of each
 * list, analysis.json all of them and every event as it was found. Pictures are the first key
 * frames of what only the second analysis has, as they were stored.
 */
#include "cloud/analysis_report.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cloud/camera.h"

struct counts {
	int events, matched, only_first, only_second;
};

static int count_of(const json_t *o, const char *key)
{
	return (int)json_integer_value(json_object_get(o, key));
}

/* Title and text in both languages, and those of the summary itself. */
static void set_texts(json_t *o, const struct counts *n)
{
	char title[2][160], text[2][320];

	snprintf(title[0], sizeof(title[0]), "Analysed again: %d events, %d new, %d gone",
		 n->events, n->only_second, n->only_first);
	snprintf(text[0], sizeof(text[0]),
		 "Of %d events found with other settings, %d are those of the analysis compared "
		 "with, %d are only here. %d of the other's are not found here.",
		 n->events, n->matched, n->only_second, n->only_first);
	snprintf(title[1], sizeof(title[1]), "重新分析：%d 个事件，新增 %d 个，消失 %d 个",
		 n->events, n->only_second, n->only_first);
	snprintf(text[1], sizeof(text[1]),
		 "以其他设置找到 %d 个事件，其中 %d 个与对照分析一致，%d "
		 "个仅在此处出现。对照分析中有 "
		 "%d 个在此未找到。",
		 n->events, n->matched, n->only_second, n->only_first);
	json_object_set_new(o, "title", json_string(title[0]));
	json_object_set_new(o, "text", json_string(text[0]));
	json_object_set_new(o, "texts",
			    json_pack("{s:{s:s,s:s},s:{s:s,s:s}}", "en", "title", title[0], "text",
				      text[0], "zh", "title", title[1], "text", text[1]));
}

static void set_number(json_t *o, const char *key, uint64_t value)
{
	char text[24];

	snprintf(text, sizeof(text), "%llu", (unsigned long long)value);
	json_object_set_new(o, key, json_string(text));
}

static void set_time(json_t *o, const char *key, uint64_t ns)
{
	char utc[32];

	sluice_rfc3339(ns, utc);
	json_object_set_new(o, key, json_string(utc));
}

/* ---- pictures ---- */

static uint64_t number_of(const json_t *o, const char *key)
{
	const char *text = json_string_value(json_object_get(o, key));

	return text ? strtoull(text, NULL, 10) : 0;
}

/* The i-th picture is that of the i-th listed event, and the entry names it. */
static void add_picture(const struct sluice_analysis_facts *f, struct sluice_analysis_report *r,
			const json_t *summary, json_t *entry)
{
	const json_t *key = json_array_get(json_object_get(summary, "keyframes"), 0);
	size_t at = r->summary.media_count, size = 0;
	uint8_t *jpeg;

	if (!key || at == SLUICE_ANALYSIS_PICTURES)
		return;
	jpeg = f->fetch(f->ctx, number_of(summary, "epoch"), number_of(key, "sequence"), &size);
	if (!jpeg)
		return; /* gone since; the entry has none */
	r->picture[at] = jpeg;
	snprintf(r->media[at].name, sizeof(r->media[at].name), "new-%zu.jpg", at + 1);
	r->media[at].data = jpeg;
	r->media[at].size = size;
	json_object_set_new(entry, "file", json_string(r->media[at].name));
	r->summary.media_count++;
}

static void add_pictures(const struct sluice_analysis_facts *f, struct sluice_analysis_report *r,
			 const json_t *comparison)
{
	json_t *entry;
	size_t i;

	json_array_foreach (json_object_get(comparison, "only_second"), i, entry) {
		const char *event = json_string_value(json_object_get(entry, "event"));

		for (uint32_t k = 0; event && k < f->second->count; k++)
			if (!strcmp(f->second->event[k].event, event))
				add_picture(f, r, f->second->event[k].summary, entry);
	}
}

/* ---- documents ---- */

static json_t *head(const struct sluice_analysis_facts *f)
{
	json_t *o = json_pack("{s:i,s:s,s:s,s:s,s:s,s:s?,s:O}", "version", 1, "id", f->id, "kind",
			      "analysis", "camera", f->camera, "job", f->job, "against", f->against,
			      "settings", f->settings);

	set_number(o, "epoch", f->epoch);
	set_time(o, "start", f->from_ns);
	set_time(o, "end", f->to_ns);
	set_number(o, "start_ns", f->from_ns);
	set_number(o, "end_ns", f->to_ns);
	json_object_set_new(o, "reason", json_string("analysis"));
	json_object_set_new(o, "frames", json_integer((json_int_t)f->frames));
	json_object_set_new(o, "frames_missing", json_integer((json_int_t)f->unread));
	return o;
}

static char *dump(json_t *o)
{
	char *text = o ? json_dumps(o, JSON_COMPACT | JSON_REAL_PRECISION(9)) : NULL;

	json_decref(o);
	return text;
}

static char *make_file(const struct sluice_analysis_facts *f, const uint32_t *other)
{
	json_t *o = head(f);

	json_object_set_new(o, "comparison",
			    sluice_compare_json(f->first, f->second, other, UINT32_MAX));
	json_object_set(o, "events", (json_t *)f->events);
	return dump(o);
}

static char *make_summary(const struct sluice_analysis_facts *f, const uint32_t *other,
			  struct sluice_analysis_report *r)
{
	json_t *o = head(f), *second;
	json_t *c = sluice_compare_json(f->first, f->second, other, SLUICE_ANALYSIS_LISTED);
	struct counts n = { count_of(json_object_get(c, "second"), "events"),
			    count_of(c, "matched_count"), count_of(c, "only_first_count"),
			    count_of(c, "only_second_count") };

	if (!o || !c) {
		json_decref(o);
		json_decref(c);
		return NULL;
	}
	second = json_object_get(c, "second");
	add_pictures(f, r, c);
	set_texts(o, &n);
	json_object_set(o, "peak_objects", json_object_get(second, "peak_objects"));
	json_object_set_new(o, "file", json_string(SLUICE_ANALYSIS_FILE));
	json_object_set_new(o, "comparison", c);
	r->result =
		json_pack("{s:s,s:i,s:i,s:i,s:i}", "summary", f->id, "events", n.events, "matched",
			  n.matched, "only_first", n.only_first, "only_second", n.only_second);
	return dump(o);
}

int sluice_analysis_report(const struct sluice_analysis_facts *f, struct sluice_analysis_report *r)
{
	uint32_t *other = calloc(f->first->count + 1, sizeof(*other));
	struct sluice_summary_media *last;
	int err = other ? sluice_compare(f->first, f->second, other) : -ENOMEM;

	memset(r, 0, sizeof(*r));
	if (!err) {
		r->json = make_summary(f, other, r);
		r->file = make_file(f, other);
		err = r->json && r->file && r->result ? 0 : -ENOMEM;
	}
	free(other);
	if (err)
		return err;
	last = &r->media[r->summary.media_count++];
	snprintf(last->name, sizeof(last->name), "%s", SLUICE_ANALYSIS_FILE);
	last->data = (const uint8_t *)r->file;
	last->size = strlen(r->file);
	snprintf(r->summary.id, sizeof(r->summary.id), "%s", f->id);
	r->summary.epoch = f->epoch;
	r->summary.start_utc_ns = f->from_ns;
	r->summary.end_utc_ns = f->to_ns;
	r->summary.json = r->json;
	r->summary.media = r->media;
	return 0;
}

void sluice_analysis_report_free(struct sluice_analysis_report *r)
{
	for (size_t i = 0; i < SLUICE_ANALYSIS_PICTURES; i++)
		free(r->picture[i]);
	free(r->json);
	free(r->file);
	json_decref(r->result);
	memset(r, 0, sizeof(*r));
}
