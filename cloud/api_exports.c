// SPDX-License-Identifier: MIT
/*
 * api_exports.c - exports that one comes back for. GET /v1/events/{event}/export (api_store.c) is
 * the same in one request, for programs.
 */
#include <errno.h>
#include <string.h>

#include "cloud/api_call.h"
#include "cloud/exports.h"
#include "lib/wire.h"

static const char *const formats[] = { "zip", "mp4", "manifest", "signature" };
static const char *const states[] = { "running", "ready", "failed", "cancelled" };

/* Borrowed from *a and the call. */
static struct sluice_exports_owner owner_of(struct sluice_call *c, struct sluice_actor *a)
{
	*a = sluice_call_actor(c);
	return (struct sluice_exports_owner){ c->who.tenant, a->who };
}

static const char *why_failed(int err)
{
	switch (-err) {
	case ENOENT:
		return "there is no such event, or none of its frames is there any more";
	case EFBIG:
		return "the event is too long to be exported at once";
	case ENOSPC:
		return "the disk of the server is full";
	default:
		return "it could not be made; the server's log says why";
	}
}

static json_t *one_json(const struct sluice_exports_one *e)
{
	uint64_t until = e->ended_ns ? e->ended_ns + SLUICE_EXPORTS_WHILE * 1000000000ull : 0;
	int ready = e->state == SLUICE_EXPORTS_READY;
	double progress = ready ? 1 : e->made.per_mille / 1000.0;

	return json_pack("{s:s,s:s,s:s,s:s,s:f,s:i,s:i,s:b,s:o,s:o,s:o,s:o,s:s?}", "id", e->id,
			 "event", e->event, "format", formats[e->format], "state", states[e->state],
			 "progress", progress, "frames", (int)e->made.frames, "missing",
			 (int)e->made.missing, "complete", e->made.complete, "size",
			 ready ? json_integer((json_int_t)e->size) : json_null(), "began",
			 sluice_time_json(e->began_ns), "ended", sluice_time_json(e->ended_ns),
			 "kept_until", sluice_time_json(until), "reason",
			 e->state == SLUICE_EXPORTS_FAILED ? why_failed(e->err) : NULL);
}

static int is_event(void *ctx, const struct sluice_camera *c, const struct sluice_index_summary *s)
{
	(void)c;
	(void)s;
	*(int *)ctx = 1;
	return 0;
}

/* May the caller see it, finished or not? 0, else it has answered. Asked again for the file:
 * grants may have changed. */
static int check_event(struct sluice_call *c, const char *event)
{
	struct sluice_index *ix = c->index;
	int found = 0, err = -ENOENT;

	if (sluice_wire_id_ok(event))
		err = ix->ops->summary_find(ix, &c->whose, event, is_event, &found);
	if (err == -ENOENT && sluice_wire_id_ok(event)) {
		err = ix->ops->events_open(ix, &c->whose, event, is_event, &found);
		if (!err && !found)
			err = -ENOENT;
	}
	if (err)
		sluice_answer_error(c, err);
	return err;
}

static void add_export(struct sluice_call *c)
{
	json_t *body = sluice_call_object(c);
	const char *format = json_string_value(json_object_get(body, "format"));
	struct sluice_exports_one one;
	struct sluice_exports_owner o;
	struct sluice_actor actor;
	unsigned int i = 0;
	int err;

	if (!body)
		return;
	while (i < 4 && (!format || strcmp(format, formats[i]) != 0))
		i++;
	if (json_object_size(body) != 1)
		i = 4;
	json_decref(body);
	if (i == 4) {
		sluice_answer_problem(c, 400,
				      "the body has a format: zip, mp4, manifest or signature");
		return;
	}
	if (check_event(c, c->part[0]) ||
	    sluice_call_audit(c, c->who.tenant, "export", c->part[0], SLUICE_OK))
		return;
	o = owner_of(c, &actor);
	err = sluice_exports_add(c->server->exports, &o, &c->whose, c->part[0],
				 (enum sluice_export_format)i, &one);
	if (err == -EBUSY) {
		sluice_answer_problem(c, 503, "other exports are being made; try again in a while");
		c->out->retry_s = 10;
	} else if (err) {
		sluice_answer_error(c, err);
	} else {
		sluice_answer_json(c, 202, one_json(&one));
	}
}

static void list_exports(struct sluice_call *c)
{
	struct sluice_exports_one list[SLUICE_EXPORTS_EACH];
	struct sluice_actor actor;
	struct sluice_exports_owner o = owner_of(c, &actor);
	unsigned int i, n = sluice_exports_list(c->server->exports, &o, list);
	json_t *a = json_array();

	for (i = 0; i < n; i++)
		json_array_append_new(a, one_json(&list[i]));
	sluice_answer_json(c, 200, json_pack("{s:o}", "exports", a));
}

static void get_export(struct sluice_call *c)
{
	struct sluice_exports_one one;
	struct sluice_actor actor;
	struct sluice_exports_owner o = owner_of(c, &actor);
	int err = sluice_exports_find(c->server->exports, &o, c->part[0], &one);

	if (err)
		sluice_answer_error(c, err);
	else
		sluice_answer_json(c, 200, one_json(&one));
}

static void drop_export(struct sluice_call *c)
{
	struct sluice_actor actor;
	struct sluice_exports_owner o = owner_of(c, &actor);
	int err = sluice_exports_drop(c->server->exports, &o, c->part[0]);

	if (err)
		sluice_answer_error(c, err);
	else
		sluice_answer_nothing(c);
}

static void get_file(struct sluice_call *c)
{
	struct sluice_exports_one one;
	struct sluice_actor actor;
	struct sluice_exports_owner o = owner_of(c, &actor);
	int err = sluice_exports_find(c->server->exports, &o, c->part[0], &one);

	if (err) {
		sluice_answer_error(c, err);
		return;
	}
	if ((c->who.restricted && check_event(c, one.event)) ||
	    sluice_call_audit(c, c->who.tenant, "export.read", one.event, SLUICE_OK))
		return;
	err = sluice_exports_body(c->server->exports, &o, c->part[0], c->out);
	if (err == -EAGAIN)
		sluice_answer_problem(c, 409, "it is not ready; GET it without /file tells more");
	else if (err)
		sluice_answer_error(c, err);
}

const struct sluice_route sluice_api_exports[] = {
	{ SLUICE_HTTP_POST, "/v1/events/{event}/exports", SLUICE_VIEWER, SLUICE_SCOPE_MEDIA,
	  add_export, "addExport" },
	{ SLUICE_HTTP_GET, "/v1/exports", SLUICE_VIEWER, SLUICE_SCOPE_MEDIA, list_exports,
	  "listExports" },
	{ SLUICE_HTTP_GET, "/v1/exports/{export}", SLUICE_VIEWER, SLUICE_SCOPE_MEDIA, get_export,
	  "getExport" },
	{ SLUICE_HTTP_DELETE, "/v1/exports/{export}", SLUICE_VIEWER, SLUICE_SCOPE_MEDIA,
	  drop_export, "dropExport" },
	{ SLUICE_HTTP_GET, "/v1/exports/{export}/file", SLUICE_VIEWER, SLUICE_SCOPE_MEDIA, get_file,
	  "getExportFile" },
	{ 0 },
};
