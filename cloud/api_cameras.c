// SPDX-License-Identifier: MIT
/* api_cameras.c - cameras: what is known of them, and settings asked of them. */
#include <errno.h>
#include <string.h>

#include "cloud/api_call.h"
#include "cloud/settings.h"

struct add_cameras {
	const struct sluice_server *server;
	json_t *list;
};

static int add_camera(void *ctx, const struct sluice_camera *c, uint64_t seen_utc_ns,
		      uint32_t width, uint32_t height, const void *ledger, size_t ledger_size)
{
	char seen[32];
	struct add_cameras *a = ctx;
	json_t *json, *asked;

	(void)ledger;
	(void)ledger_size;
	sluice_rfc3339(seen_utc_ns, seen);
	json = json_pack("{s:s,s:s,s:s,s:i,s:i}", "id", c->hex, "device", c->device, "name",
			 c->name, "width", (int)width, "height", (int)height);
	if (json && seen_utc_ns)
		json_object_set_new(json, "last_frame", json_string(seen));
	asked = sluice_settings_last(a->server, c->hex);
	if (json && asked)
		json_object_set(json, "settings", asked);
	json_decref(asked);
	return json_array_append_new(a->list, json);
}

static void get_cameras(struct sluice_call *c)
{
	struct sluice_index *ix = c->index;
	json_t *list = json_array();
	struct add_cameras a = { c->server, list };
	int err = ix->ops->cameras(ix, &c->whose, add_camera, &a);

	if (err) {
		json_decref(list);
		sluice_answer_error(c, err);
		return;
	}
	sluice_answer_json(c, 200, json_pack("{s:o}", "cameras", list));
}

static int is_camera(void *ctx, const struct sluice_camera *c, uint64_t seen_utc_ns, uint32_t width,
		     uint32_t height, const void *ledger, size_t ledger_size)
{
	return !strcmp(ctx, c->hex); /* found: go no further */
}

static void post_camera_settings(struct sluice_call *c)
{
	struct sluice_index *ix = c->index;
	json_t *json = sluice_call_object(c);
	const char *id = c->part[0];
	char request[33];
	int err;

	if (!json)
		return;
	err = sluice_settings_ask(c->server, c->who.tenant, id, json, request);
	if (err == -EINVAL)
		sluice_answer_problem(c, 400,
				      "settings must be an object, if_version an integer; no more");
	else if (err == -EMSGSIZE)
		sluice_answer_problem(c, 400, "that is too much for one request");
	else if (err == -ENOTCONN && ix->ops->cameras(ix, &c->whose, is_camera, (void *)id) == 1)
		sluice_answer_problem(c, 409, "its device is not connected; try again later");
	else if (err)
		sluice_answer_error(c, err == -ENOTCONN ? -ENOENT : err);
	else
		sluice_answer_json(c, 202, json_pack("{s:s}", "request", request));
	json_decref(json);
}

const struct sluice_route sluice_api_cameras[] = {
	{ SLUICE_HTTP_GET, "/v1/cameras", SLUICE_VIEWER, SLUICE_SCOPE_READ, get_cameras,
	  "listCameras" },
	{ SLUICE_HTTP_POST, "/v1/cameras/{camera}/settings", SLUICE_OPERATOR, SLUICE_SCOPE_SETTINGS,
	  post_camera_settings, "askSettings" },
	{ 0 },
};
