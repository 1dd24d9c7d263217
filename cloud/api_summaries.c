// SPDX-License-Identifier: MIT
/*
 * api_summaries.c - events and other summaries: pages of what a filter describes, one of them,
 * their files, what has begun and not ended, and how many there were when. A list's entry has what
 * is needed to choose; the whole is in summary.json.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cloud/api_media.h"
#include "cloud/vision_note.h"
#include "lib/wire.h"

#define LIMIT	     100
#define LIMIT_MAX    1000
#define ACTIVITY_MAX 60
#define WORD_MAX     128
#define FOREVER	     "private, max-age=31536000, immutable"

/* ---- one entry ---- */

static void add_once(json_t *list, const json_t *text)
{
	size_t i;

	if (!json_is_string(text))
		return;
	for (i = 0; i < json_array_size(list); i++)
		if (json_equal(json_array_get(list, i), text))
			return;
	json_array_append(list, (json_t *)text);
}

/* What its tracks are and where they went. */
static void add_tracks(json_t *json, const json_t *tracks)
{
	json_t *classes = json_array(), *zones = json_array(), *more;
	size_t i, j;

	for (i = 0; i < json_array_size(tracks); i++) {
		json_t *track = json_array_get(tracks, i);

		add_once(classes, json_object_get(track, "class"));
		more = json_object_get(track, "zones");
		for (j = 0; j < json_array_size(more); j++)
			add_once(zones, json_array_get(more, j));
	}
	json_object_set_new(json, "classes", classes);
	json_object_set_new(json, "zones", zones);
}

/* At most ACTIVITY_MAX values, each the most of its stretch. */
static void add_activity(json_t *json, const json_t *activity)
{
	size_t n = json_array_size(activity), m = n < ACTIVITY_MAX ? n : ACTIVITY_MAX, i, j;
	json_t *list = json_array();

	for (i = 0; i < m; i++) {
		double most = 0;

		for (j = i * n / m; j < (i + 1) * n / m; j++) {
			double value = json_number_value(json_array_get(activity, j));

			most = value > most ? value : most;
		}
		json_array_append_new(list, json_real(most));
	}
	json_object_set_new(json, "activity", list);
}

static void add_ns(json_t *json, const char *name, uint64_t ns)
{
	char text[24];

	snprintf(text, sizeof(text), "%llu", (unsigned long long)ns);
	json_object_set_new(json, name, json_string(text));
}

static json_t *summary_json(const struct sluice_camera *c, const struct sluice_index_summary *s,
			    const json_t *whole)
{
	static const char *const copied[] = {
		"kind",	 "event",  "of",	 "continued", "nuisance",     "reason",
		"title", "text",   "confidence", "start_s",   "end_s",	      "peak_objects",
		"width", "height", "active_s",	 "digest",    "threat_level", "concerns",
	};
	json_t *files = json_array(), *json;
	size_t i;

	json_array_append_new(files, json_string("summary.json"));
	for (i = 0; i < s->media_count; i++)
		json_array_append_new(files, json_string(s->media[i].name));
	json = json_pack("{s:s,s:s,s:s,s:s,s:o,s:o,s:b,s:b,s:o}", "id", s->id, "camera", c->name,
			 "camera_id", c->hex, "device", c->device, "start",
			 sluice_time_json(s->start_utc_ns), "end", sluice_time_json(s->end_utc_ns),
			 "delivered", s->acked, "pinned", s->pinned, "files", files);
	add_ns(json, "start_ns", s->start_utc_ns);
	add_ns(json, "end_ns", s->end_utc_ns);
	for (i = 0; json && i < sizeof(copied) / sizeof(copied[0]); i++) {
		json_t *value = json_object_get(whole, copied[i]);

		if (value)
			json_object_set(json, copied[i], value);
	}
	add_tracks(json, json_object_get(whole, "tracks"));
	add_activity(json, json_object_get(whole, "activity"));
	return json;
}

/* ---- pages ---- */

struct page {
	struct sluice_call *call;
	json_t *list;
};

static int add_summary(void *ctx, const struct sluice_camera *c,
		       const struct sluice_index_summary *s)
{
	struct page *p = ctx;
	json_t *whole = json_loads(s->json, 0, NULL);
	json_t *json = summary_json(c, s, whole);

	json_decref(whole);
	return json_array_append_new(p->list, json);
}

static int add_files(void *ctx, const struct sluice_camera *c, const struct sluice_index_summary *s)
{
	json_t *files = ctx;
	size_t i;

	for (i = 0; i < s->media_count; i++)
		json_array_append_new(files, json_string(s->media[i].name));
	return 0;
}

/* A row need not carry its media: then they are looked up once the page is there. */
static int complete_page(struct page *p)
{
	struct sluice_index *ix = p->call->index;
	int err = 0;
	size_t i;

	for (i = 0; i < json_array_size(p->list) && !err; i++) {
		json_t *json = json_array_get(p->list, i);

		if (json_array_size(json_object_get(json, "files")) > 1)
			continue;
		err = ix->ops->summary_find(ix, &p->call->whose,
					    json_string_value(json_object_get(json, "id")),
					    add_files, json_object_get(json, "files"));
		if (err == -ENOENT) /* gone in between */
			err = 0;
	}
	return err;
}

/* A word of the query; NULL: absent; *bad: it is malformed. */
static const char *read_word(struct sluice_call *c, const char *name, char out[WORD_MAX], int *bad)
{
	int err = sluice_http_query(c->request, name, out, WORD_MAX);

	if (err && err != -ENOENT)
		*bad = 1;
	return err ? NULL : out;
}

/* 1 yes, -1 no, 0 absent. */
static int read_choice(struct sluice_call *c, const char *name, int *bad)
{
	char text[WORD_MAX];
	const char *word = read_word(c, name, text, bad);

	if (!word)
		return 0;
	if (strcmp(word, "yes") && strcmp(word, "no"))
		*bad = 1;
	return *word == 'y' ? 1 : -1;
}

static uint64_t read_ns(struct sluice_call *c, const char *name, int *bad)
{
	int64_t ns = sluice_call_number(c, name, 0, 0, INT64_MAX);

	if (ns < 0)
		*bad = 1;
	return ns < 0 ? 0 : (uint64_t)ns;
}

/* "X,Y,W,H" in thousandths of the picture. */
static void read_region(struct sluice_call *c, struct sluice_region *r, int *bad)
{
	unsigned int v[4];
	char text[WORD_MAX], end;
	const char *word = read_word(c, "region", text, bad);

	if (!word)
		return;
	if (strspn(word, "0123456789,") != strlen(word) ||
	    sscanf(word, "%4u,%4u,%4u,%4u%c", &v[0], &v[1], &v[2], &v[3], &end) != 4 || !v[2] ||
	    !v[3] || v[0] + v[2] > 1000 || v[1] + v[3] > 1000)
		*bad = 1;
	else
		sluice_region_add(r, v[0], v[1], v[2], v[3], 1000, 1000);
}

struct words {
	char camera[WORD_MAX], device[WORD_MAX], kind[WORD_MAX], class[WORD_MAX], zone[WORD_MAX],
		threat[WORD_MAX], text[WORD_MAX], cursor[WORD_MAX];
};

/* 0, or -EINVAL after a 400. */
static int read_filter(struct sluice_call *c, struct words *w, struct sluice_index_filter *f)
{
	int64_t limit = sluice_call_number(c, "limit", LIMIT, 1, LIMIT_MAX), confidence;
	int bad = 0;

	*f = (struct sluice_index_filter){
		.camera = read_word(c, "camera", w->camera, &bad),
		.device = read_word(c, "device", w->device, &bad),
		.kind = read_word(c, "kind", w->kind, &bad),
		.class = read_word(c, "class", w->class, &bad),
		.zone = read_word(c, "zone", w->zone, &bad),
		.threat = read_word(c, "threat", w->threat, &bad),
		.text = read_word(c, "text", w->text, &bad),
		.after = read_word(c, "cursor", w->cursor, &bad),
		.from_ns = read_ns(c, "from", &bad),
		.to_ns = read_ns(c, "to", &bad),
		.pinned = read_choice(c, "pinned", &bad),
		.nuisance = read_choice(c, "nuisance", &bad),
	};
	confidence = sluice_call_number(c, "confidence", 0, 0, 1000);
	read_region(c, &f->region, &bad);
	if (f->kind && strcmp(f->kind, "event") && strcmp(f->kind, "digest") &&
	    strcmp(f->kind, "period") && strcmp(f->kind, "analysis") && strcmp(f->kind, "vision"))
		bad = 1;
	if (f->threat && strcmp(f->threat, "1") && strcmp(f->threat, "2"))
		bad = 1;
	if (f->camera && !sluice_name_valid(f->camera) && strlen(f->camera) != 32)
		bad = 1;
	if (bad || limit < 0 || confidence < 0) {
		sluice_answer_problem(c, 400,
				      limit < 0 ? "limit must be 1..1000"
						: "a parameter of the query is malformed; see "
						  "docs/openapi.yaml");
		return -EINVAL;
	}
	f->limit = (unsigned int)limit;
	f->confidence = (int)confidence;
	return 0;
}

static void answer_page(struct sluice_call *c, const struct sluice_index_filter *f,
			const char *name)
{
	struct page p = { c, json_array() };
	char next[SLUICE_CURSOR_MAX] = "";
	int err = c->index->ops->summaries_find(c->index, &c->whose, f, add_summary, &p, next);

	if (!err)
		err = complete_page(&p);
	if (!err) {
		sluice_answer_json(
			c, 200, json_pack("{s:o,s:s?}", name, p.list, "next", *next ? next : NULL));
		return;
	}
	json_decref(p.list);
	if (err == -EINVAL)
		sluice_answer_problem(c, 400, "cursor is not the next of a page before");
	else
		sluice_answer_error(c, err);
}

static void get_summaries(struct sluice_call *c)
{
	struct sluice_index_filter f;
	struct words w;

	if (!read_filter(c, &w, &f))
		answer_page(c, &f, "summaries");
}

static void get_events(struct sluice_call *c)
{
	struct sluice_index_filter f;
	struct words w;

	if (read_filter(c, &w, &f))
		return;
	f.kind = "event";
	answer_page(c, &f, "events");
}

static int add_open(void *ctx, const struct sluice_camera *c, const struct sluice_index_summary *s)
{
	json_t *json = json_loads(s->json, 0, NULL);

	if (!json)
		return 0;
	json_object_set_new(json, "camera_id", json_string(c->hex));
	json_object_set_new(json, "device", json_string(c->device));
	return json_array_append_new(ctx, json);
}

static void get_open_events(struct sluice_call *c)
{
	json_t *list = json_array();
	int err = c->index->ops->events_open(c->index, &c->whose, NULL, add_open, list);

	if (err) {
		json_decref(list);
		sluice_answer_error(c, err);
		return;
	}
	sluice_answer_json(c, 200, json_pack("{s:o}", "events", list));
}

/* ---- one ---- */

static int take_whole(void *ctx, const struct sluice_camera *c,
		      const struct sluice_index_summary *s)
{
	json_t *whole = json_loads(s->json, 0, NULL), **out = ctx;

	*out = json_pack("{s:o,s:O}", "event", summary_json(c, s, whole), "summary", whole);
	json_decref(whole);
	return *out ? 0 : -EUCLEAN;
}

static int take_vision(void *ctx, const struct sluice_camera *c,
		       const struct sluice_index_summary *s)
{
	json_t *whole = json_loads(s->json, 0, NULL);

	(void)c;
	json_object_set(ctx, "vision", json_object_get(whole, "vision"));
	json_decref(whole);
	return 0;
}

/* What a vision model said of it, if it was asked. A stranger's words: they stay apart. */
static int add_vision(struct sluice_call *c, json_t *json)
{
	char id[33];
	int err;

	json_object_set_new(json, "vision", json_null());
	sluice_vision_id(c->part[0], id);
	err = c->index->ops->summary_find(c->index, &c->whose, id, take_vision, json);
	return err == -ENOENT ? 0 : err;
}

static void get_event(struct sluice_call *c)
{
	json_t *json = NULL;
	int err = sluice_wire_id_ok(c->part[0])
			  ? c->index->ops->summary_find(c->index, &c->whose, c->part[0], take_whole,
							&json)
			  : -ENOENT;

	if (!err)
		err = add_vision(c, json);
	if (!err) {
		sluice_answer_json(c, 200, json);
		return;
	}
	json_decref(json);
	sluice_answer_error(c, err);
}

/* ---- files ---- */

static const char *type_of(const char *name)
{
	static const struct {
		const char *end, *type;
	} types[] = { { ".json", "application/json" },
		      { ".jpg", "image/jpeg" },
		      { ".png", "image/png" },
		      { ".mp4", "video/mp4" },
		      { ".webm", "video/webm" } };
	const char *dot = strrchr(name, '.');
	size_t i;

	for (i = 0; dot && i < sizeof(types) / sizeof(types[0]); i++)
		if (!strcmp(dot, types[i].end))
			return types[i].type;
	return "application/octet-stream";
}

struct find_file {
	struct sluice_media_job *m;
	struct sluice_camera camera;
	char place[SLUICE_MEDIA_PLACE];
	int found;
};

static int find_file(void *ctx, const struct sluice_camera *c, const struct sluice_index_summary *s)
{
	struct find_file *f = ctx;
	size_t i;

	f->camera = *c;
	sluice_media_place(f->place, s->id, s->token);
	f->found = !strcmp(f->m->file, "summary.json");
	for (i = 0; i < s->media_count; i++) {
		if (strcmp(f->m->file, s->media[i].name))
			continue;
		f->found = 1;
		memcpy(f->m->sha256, s->media[i].sha256, sizeof(f->m->sha256));
	}
	return 0;
}

static int read_file(struct sluice_media_job *m, struct sluice_api *api)
{
	const struct sluice_shelf *s = &api->shelf;
	struct find_file f = { .m = m };
	int err = s->index->ops->summary_find(s->index, &m->whose, m->id, find_file, &f);

	if (!err && !f.found)
		err = -ENOENT;
	return err ? err
		   : s->media->ops->get(s->media, &f.camera, f.place, m->file, SLUICE_MEDIA_MAX,
					&m->body, &m->size);
}

static void get_summary_file(struct sluice_call *c)
{
	struct sluice_media_job *m;

	if (!sluice_wire_id_ok(c->part[0]) || !sluice_media_name_valid(c->part[1])) {
		sluice_answer_error(c, -ENOENT);
		return;
	}
	m = calloc(1, sizeof(*m));
	if (!m) {
		sluice_answer_error(c, -ENOMEM);
		return;
	}
	snprintf(m->id, sizeof(m->id), "%s", c->part[0]);
	snprintf(m->file, sizeof(m->file), "%s", c->part[1]);
	snprintf(m->what, sizeof(m->what), "%s/%s", c->part[0], c->part[1]);
	m->action = "media.read";
	m->type = type_of(m->file);
	m->cache = FOREVER;
	m->read = read_file;
	sluice_media_start(c, m);
}

const struct sluice_route sluice_api_summaries[] = {
	{ SLUICE_HTTP_GET, "/v1/events", SLUICE_VIEWER, SLUICE_SCOPE_READ, get_events,
	  "listEvents" },
	{ SLUICE_HTTP_GET, "/v1/events/open", SLUICE_VIEWER, SLUICE_SCOPE_READ, get_open_events,
	  "listOpenEvents" },
	{ SLUICE_HTTP_GET, "/v1/events/{event}", SLUICE_VIEWER, SLUICE_SCOPE_READ, get_event,
	  "getEvent" },
	{ SLUICE_HTTP_GET, "/v1/summaries", SLUICE_VIEWER, SLUICE_SCOPE_READ, get_summaries,
	  "listSummaries" },
	{ SLUICE_HTTP_GET, "/v1/summaries/{summary}/{file}", SLUICE_VIEWER, SLUICE_SCOPE_MEDIA,
	  get_summary_file, "getSummaryFile" },
	{ 0 },
};
