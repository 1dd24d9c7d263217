// SPDX-License-Identifier: MIT
/* api_summaries.c - summaries and their files. */
#include <errno.h>
#include <string.h>

#include "cloud/api_call.h"
#include "lib/wire.h"

#define MEDIA_MAX	(64u << 20)
#define SUMMARIES_LIMIT 100
#define SUMMARIES_MAX	1000

/* One entry of the list: what is needed to choose; the whole is in summary.json. */
static int add_summary(void *ctx, const struct sluice_camera *c,
		       const struct sluice_index_summary *s)
{
	static const char *const copied[] = { "kind",	    "reason",  "title", "text",
					      "confidence", "start_s", "end_s", "peak_objects" };
	json_t *whole = json_loads(s->json, 0, NULL), *files = json_array(), *json;
	char start[32], end[32];
	size_t i;

	sluice_rfc3339(s->start_utc_ns, start);
	sluice_rfc3339(s->end_utc_ns, end);
	json_array_append_new(files, json_string("summary.json"));
	for (i = 0; i < s->media_count; i++)
		json_array_append_new(files, json_string(s->media[i].name));
	json = json_pack("{s:s,s:s,s:s,s:s,s:s,s:b,s:o}", "id", s->id, "camera", c->name, "device",
			 c->device, "start", start, "end", end, "delivered", s->acked, "files",
			 files);
	for (i = 0; json && i < sizeof(copied) / sizeof(copied[0]); i++) {
		json_t *value = json_object_get(whole, copied[i]);

		if (value)
			json_object_set(json, copied[i], value);
	}
	json_decref(whole);
	return json_array_append_new(ctx, json);
}

static void get_summaries(struct sluice_call *c)
{
	struct sluice_index *ix = c->index;
	int64_t limit = sluice_call_number(c, "limit", SUMMARIES_LIMIT, 1, SUMMARIES_MAX);
	char camera[SLUICE_NAME_MAX];
	int err = sluice_call_name(c, "camera", camera);
	json_t *list;

	if (err && err != -ENOENT)
		return;
	if (limit < 0) {
		sluice_answer_problem(c, 400, "limit must be 1..1000");
		return;
	}
	list = json_array();
	err = ix->ops->summaries(ix, &c->whose, err ? NULL : camera, (unsigned int)limit,
				 add_summary, list);
	if (err) {
		json_decref(list);
		sluice_answer_error(c, err);
		return;
	}
	sluice_answer_json(c, 200, json_pack("{s:o}", "summaries", list));
}

struct find_file {
	const char *name;
	struct sluice_camera camera;
	int found;
};

static int find_file(void *ctx, const struct sluice_camera *c, const struct sluice_index_summary *s)
{
	struct find_file *f = ctx;
	size_t i;

	f->camera = *c;
	f->found = !strcmp(f->name, "summary.json");
	for (i = 0; i < s->media_count; i++)
		f->found |= !strcmp(f->name, s->media[i].name);
	return 0;
}

static const char *type_of(const char *name)
{
	static const struct {
		const char *end, *type;
	} types[] = { { ".json", "application/json" },
		      { ".jpg", "image/jpeg" },
		      { ".mp4", "video/mp4" },
		      { ".webm", "video/webm" } };
	const char *dot = strrchr(name, '.');
	size_t i;

	for (i = 0; dot && i < sizeof(types) / sizeof(types[0]); i++)
		if (!strcmp(dot, types[i].end))
			return types[i].type;
	return "application/octet-stream";
}

static void get_summary_file(struct sluice_call *c)
{
	struct sluice_index *ix = c->index;
	struct sluice_media *media = c->server->media;
	const char *id = c->part[0], *name = c->part[1];
	struct find_file f = { 0 };
	int err;

	f.name = name;
	err = sluice_wire_id_ok(id) ? ix->ops->summary_find(ix, &c->whose, id, find_file, &f)
				    : -ENOENT;
	if (!err)
		err = f.found ? media->ops->get(media, &f.camera, id, name, MEDIA_MAX,
						&c->out->body, &c->out->size)
			      : -ENOENT;
	if (err) {
		sluice_answer_error(c, err);
		return;
	}
	c->out->status = 200;
	c->out->type = type_of(name);
}

const struct sluice_route sluice_api_summaries[] = {
	{ SLUICE_HTTP_GET, "/v1/summaries", SLUICE_VIEWER, SLUICE_SCOPE_READ, get_summaries,
	  "listSummaries" },
	{ SLUICE_HTTP_GET, "/v1/summaries/{summary}/{file}", SLUICE_VIEWER, SLUICE_SCOPE_MEDIA,
	  get_summary_file, "getSummaryFile" },
	{ 0 },
};
