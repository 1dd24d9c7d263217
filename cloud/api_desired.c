// SPDX-License-Identifier: MIT
/*
 * api_desired.c - what is wanted of a camera: its own desired settings, what they come to with its
 * groups, and how the device stands to it.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cloud/api_fleet.h"
#include "cloud/desire.h"
#include "cloud/wish.h"
#include "lib/log.h"

#define HEX "0123456789abcdef"

/* Is it one of those that were granted? whose.h tells how they are written. */
static int is_granted(const char *cameras, const char *hex)
{
	char upper[33];
	size_t i;

	for (i = 0; i < 32; i++)
		upper[i] = (char)(hex[i] >= 'a' ? hex[i] - 'a' + 'A' : hex[i]);
	upper[32] = 0;
	return !cameras || strstr(cameras, upper) != NULL;
}

int sluice_fleet_find_camera(struct sluice_call *c, const char *id, struct sluice_camera *camera)
{
	uint8_t raw[16];
	int err = strlen(id) == 32 && strspn(id, HEX) == 32 ? sluice_unhex(id, raw, 16) : -ENOENT;

	if (!err)
		err = c->index->ops->camera_find(c->index, raw, camera);
	if (!err &&
	    (strcmp(camera->tenant, c->whose.tenant) || !is_granted(c->whose.cameras, camera->hex)))
		err = -ENOENT;
	if (err)
		sluice_answer_error(c, err == -EINVAL ? -ENOENT : err);
	return err;
}

int sluice_call_match(struct sluice_call *c, int64_t *version, const int64_t **if_version)
{
	const char *match = sluice_http_field(c->request, "if-match");
	const char *none = sluice_http_field(c->request, "if-none-match");
	char *end;

	*if_version = version;
	*version = 0; /* without a condition: only where there is none yet */
	if (none && !strcmp(none, "*") && !match)
		return 0;
	if (!match && !none)
		return 0;
	errno = 0;
	if (match && !none && match[0] == '"' && match[1] >= '1' && match[1] <= '9') {
		*version = strtoll(match + 1, &end, 10);
		if (!errno && !strcmp(end, "\""))
			return 0;
	}
	sluice_answer_problem(c, 400,
			      "If-Match is the ETag of GET, as \"3\"; If-None-Match may be *");
	return -EINVAL;
}

void sluice_answer_put(struct sluice_call *c, int err)
{
	if (err == -EEXIST)
		sluice_answer_problem(c, 409,
				      "it is there already; send If-Match with the ETag of GET");
	else if (err == -ESTALE)
		sluice_answer_problem(c, 412, "somebody has changed it meanwhile; GET it again");
	else if (err == -ENOSPC)
		sluice_answer_problem(c, 409, "there are too many of them");
	else
		sluice_answer_error(c, err);
}

void sluice_answer_document(struct sluice_call *c, int status, json_t *json)
{
	int64_t version = json_integer_value(json_object_get(json, "version"));

	if (version)
		snprintf(c->out->etag, sizeof(c->out->etag), "\"%lld\"", (long long)version);
	sluice_answer_json(c, status, json);
}

json_t *sluice_fleet_time(const json_t *ns)
{
	char text[32];

	if (!json_integer_value(ns))
		return json_null();
	sluice_rfc3339((uint64_t)json_integer_value(ns), text);
	return json_string(text);
}

json_t *sluice_call_wish(struct sluice_call *c, const json_t *body, const char *const *also,
			 size_t also_count)
{
	const char *wrong = sluice_wish_check(body), *key;
	json_t *doc = json_object(), *v;
	size_t i;

	json_object_foreach ((json_t *)body, key, v) {
		int known = !strcmp(key, "settings") || !strcmp(key, "map");

		for (i = 0; i < also_count; i++)
			known |= !strcmp(key, also[i]);
		if (!known && !wrong)
			wrong = "the body has a key that there is not";
		json_object_set(doc, key, v);
	}
	if (!wrong && doc)
		return doc;
	json_decref(doc);
	sluice_answer_problem(c, doc ? 400 : 500, wrong);
	return NULL;
}

/* ---- how it stands ---- */

static json_t *actual_json(const json_t *report)
{
	if (!report)
		return json_null();
	return json_pack("{s:O,s:o,s:O,s:O,s:o}", "version", json_object_get(report, "version"),
			 "at", sluice_fleet_time(json_object_get(report, "at_ns")), "settings",
			 json_object_get(report, "settings"), "map", json_object_get(report, "map"),
			 "paused", json_boolean(json_is_true(json_object_get(report, "paused"))));
}

static json_t *or_null(json_t *v)
{
	return v ? json_incref(v) : json_null();
}

json_t *sluice_fleet_camera_json(struct sluice_call *c, const struct sluice_camera *camera)
{
	struct sluice_fleet *f = c->server->fleet;
	const char *tenant = camera->tenant, *state;
	json_t *report, *now, *own;
	int errs[] = { sluice_fleet_get(f, SLUICE_FLEET_REPORT, tenant, camera->hex, &report),
		       sluice_fleet_get(f, SLUICE_FLEET_STATE, tenant, camera->hex, &now),
		       sluice_fleet_get(f, SLUICE_FLEET_DESIRED, tenant, camera->hex, &own) };
	const struct sluice_camera *met = sluice_cameras_find(c->server->cameras, camera->hex);
	json_t *from = NULL, *wish, *o, *drift;
	int enforce;

	wish = sluice_fleet_wish(f, camera, &from, &enforce);
	if (!wish || errs[0] == -ENOMEM || errs[1] == -ENOMEM || errs[2] == -ENOMEM) {
		json_decref(wish);
		json_decref(from);
		json_decref(report);
		json_decref(now);
		json_decref(own);
		return NULL;
	}
	json_object_del(wish, "versions");
	drift = report ? sluice_wish_drift(wish, report) : json_object();
	state = json_string_value(json_object_get(now, "state"));
	if (sluice_wish_empty(wish))
		state = "none";
	o = json_pack("{s:I,s:o,s:o,s:o,s:o,s:o,s:o,s:o,s:s,s:o,s:o,s:b,s:b}", "version",
		      json_integer_value(json_object_get(own, "version")), "by",
		      or_null(json_object_get(own, "by")), "at",
		      sluice_fleet_time(json_object_get(own, "at_ns")), "settings",
		      json_object_get(own, "settings")
			      ? json_incref(json_object_get(own, "settings"))
			      : json_object(),
		      "effective", wish, "from", from, "actual", actual_json(report), "drift",
		      drift, "state", state ? state : "waiting", "reason",
		      or_null(json_object_get(now, "reason")), "state_at",
		      sluice_fleet_time(json_object_get(now, "at_ns")), "enforce", enforce,
		      "connected", met && sluice_server_has_camera(c->server, met));
	if (json_object_get(own, "map"))
		json_object_set(o, "map", json_object_get(own, "map"));
	json_decref(report);
	json_decref(now);
	json_decref(own);
	return o;
}

/* ---- routes ---- */

static void get_desired(struct sluice_call *c)
{
	struct sluice_camera camera;

	if (!sluice_fleet_find_camera(c, c->part[0], &camera))
		sluice_answer_document(c, 200, sluice_fleet_camera_json(c, &camera));
}

static void put_desired(struct sluice_call *c)
{
	struct sluice_camera camera;
	const int64_t *if_version;
	json_t *body, *doc;
	int64_t version;
	int err;

	if (sluice_fleet_find_camera(c, c->part[0], &camera) ||
	    sluice_call_match(c, &version, &if_version))
		return;
	body = sluice_call_object(c);
	doc = body ? sluice_call_wish(c, body, NULL, 0) : NULL;
	json_decref(body);
	if (!doc)
		return;
	if (sluice_call_audit(c, c->who.tenant, "settings.want", camera.hex, SLUICE_OK)) {
		json_decref(doc);
		return;
	}
	json_object_set_new(doc, "by", json_string(c->who.name));
	json_object_set_new(doc, "at_ns", json_integer((json_int_t)sluice_utc_now()));
	err = sluice_fleet_put(c->server->fleet, SLUICE_FLEET_DESIRED, camera.tenant, camera.hex,
			       doc, if_version);
	if (err) {
		sluice_answer_put(c, err);
		return;
	}
	sluice_info("%s wants other settings of camera %s of device %s", c->who.name, camera.name,
		    camera.device);
	sluice_desire_changed(c->server, camera.tenant, camera.device);
	sluice_answer_document(c, 200, sluice_fleet_camera_json(c, &camera));
}

static void delete_desired(struct sluice_call *c)
{
	struct sluice_camera camera;
	const int64_t *if_version;
	int64_t version;
	int err;

	if (sluice_fleet_find_camera(c, c->part[0], &camera) ||
	    sluice_call_match(c, &version, &if_version) ||
	    sluice_call_audit(c, c->who.tenant, "settings.drop", camera.hex, SLUICE_OK))
		return;
	err = sluice_fleet_remove(c->server->fleet, SLUICE_FLEET_DESIRED, camera.tenant, camera.hex,
				  version ? if_version : NULL);
	if (err) {
		sluice_answer_put(c, err);
		return;
	}
	sluice_info("%s wants nothing more of camera %s of device %s itself", c->who.name,
		    camera.name, camera.device);
	sluice_desire_changed(c->server, camera.tenant, camera.device);
	sluice_answer_nothing(c);
}

const struct sluice_route sluice_api_desired[] = {
	{ SLUICE_HTTP_GET, "/v1/cameras/{camera}/desired", SLUICE_VIEWER, SLUICE_SCOPE_READ,
	  get_desired, "getDesired" },
	{ SLUICE_HTTP_PUT, "/v1/cameras/{camera}/desired", SLUICE_OPERATOR, SLUICE_SCOPE_SETTINGS,
	  put_desired, "putDesired" },
	{ SLUICE_HTTP_DELETE, "/v1/cameras/{camera}/desired", SLUICE_OPERATOR,
	  SLUICE_SCOPE_SETTINGS, delete_desired, "deleteDesired" },
	{ 0 },
};
