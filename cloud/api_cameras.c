// SPDX-License-Identifier: MIT
/*
 * api_cameras.c - cameras with honest health, their last picture or that of a time, and settings
 * asked of them. "live" needs three things to be so: the device is connected, it has the camera
 * open, and a frame was stored of late; whichever fails gives the state its name.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cloud/api_media.h"
#include "cloud/ledger.h"
#include "cloud/parked.h"
#include "cloud/roster.h"
#include "cloud/settings.h"

#define SILENT_NS 150000000000ull /* a keep-alive comes every 60 s */
#define NEWEST	  (UINT64_MAX >> 1)

static const char *state_of(const struct sluice_server *s, const struct sluice_camera *c,
			    uint64_t seen_utc_ns, uint64_t now_ns)
{
	if (!seen_utc_ns)
		return "never";
	if (!sluice_server_has_device(s, c->tenant, c->device))
		return "offline";
	if (!sluice_server_has_camera(s, c))
		return "closed";
	return now_ns > seen_utc_ns + SILENT_NS ? "silent" : "live";
}

struct add_cameras {
	const struct sluice_server *server;
	const char *only; /* NULL: all */
	json_t *list;
};

static int add_camera(void *ctx, const struct sluice_camera *c, uint64_t seen_utc_ns,
		      uint32_t width, uint32_t height, const void *ledger, size_t ledger_size)
{
	uint64_t now = sluice_utc_now();
	struct add_cameras *a = ctx;
	struct sluice_wire_ledger l;
	json_t *json, *asked;

	if (a->only && strcmp(a->only, c->hex))
		return 0;
	json = json_pack(
		"{s:s,s:s,s:s,s:i,s:i,s:s,s:b,s:o,s:o,s:o}", "id", c->hex, "device", c->device,
		"name", c->name, "width", (int)width, "height", (int)height, "state",
		state_of(a->server, c, seen_utc_ns, now), "analysed", !sluice_parked_has(c->hex),
		"last_frame", sluice_time_json(seen_utc_ns), "age_s",
		!seen_utc_ns	    ? json_null()
		: now < seen_utc_ns ? json_real(0)
				    : json_real((double)(now - seen_utc_ns) / 1e9),
		"ledger",
		sluice_ledger_read(ledger, ledger_size, &l) ? json_null() : sluice_ledger_json(&l));
	asked = sluice_settings_last(a->server, c);
	if (json && asked)
		json_object_set(json, "settings", asked);
	json_decref(asked);
	return json_array_append_new(a->list, json);
}

static void get_cameras(struct sluice_call *c)
{
	struct add_cameras a = { c->server, NULL, json_array() };
	int err = c->index->ops->cameras(c->index, &c->whose, add_camera, &a);

	if (err) {
		json_decref(a.list);
		sluice_answer_error(c, err);
		return;
	}
	sluice_answer_json(c, 200, json_pack("{s:o}", "cameras", a.list));
}

static void get_camera(struct sluice_call *c)
{
	struct add_cameras a = { c->server, c->part[0], json_array() };
	int err = c->index->ops->cameras(c->index, &c->whose, add_camera, &a);

	if (!err && !json_array_size(a.list))
		err = -ENOENT;
	if (err)
		sluice_answer_error(c, err);
	else
		sluice_answer_json(c, 200, json_incref(json_array_get(a.list, 0)));
	json_decref(a.list);
}

static int is_camera(void *ctx, const struct sluice_camera *c, uint64_t seen_utc_ns, uint32_t width,
		     uint32_t height, const void *ledger, size_t ledger_size)
{
	return !strcmp(ctx, c->hex); /* found: go no further */
}

int sluice_call_camera(struct sluice_call *c, const char *hex, uint8_t id[16])
{
	int err = sluice_unhex(hex, id, 16)
			  ? 0
			  : c->index->ops->cameras(c->index, &c->whose, is_camera, (void *)hex);

	if (err == 1)
		return 0;
	sluice_answer_error(c, err ? err : -ENOENT);
	return err ? err : -ENOENT;
}

/* ---- stills ---- */

/* In the reader's thread. The frame's JPEG, the whole picture also where a region was sent. */
static int read_frame(struct sluice_media_job *m, struct sluice_api *api)
{
	const struct sluice_shelf *s = &api->shelf;
	struct sluice_camera camera;
	int err = s->index->ops->camera_find(s->index, m->camera, &camera);

	if (err)
		return err;
	err = sluice_shelf_picture(s, &camera, m->epoch, m->sequence, &m->body, &m->size);
	snprintf(m->what, sizeof(m->what), "%s/%llu/%llu", camera.hex, (unsigned long long)m->epoch,
		 (unsigned long long)m->sequence);
	if (sluice_shelf_away(s, err))
		return -EBUSY; /* it may answer soon */
	return err ? -ENOENT : 0;
}

static int read_still(struct sluice_media_job *m, struct sluice_api *api)
{
	const struct sluice_shelf *s = &api->shelf;
	struct sluice_index_frame f;
	char path[192];
	int err = s->index->ops->frame_near(s->index, &m->whose, m->camera, m->time_ns, &f, path);

	if (err)
		return err;
	m->epoch = f.epoch;
	m->sequence = f.sequence;
	m->frame_ns = f.utc_ns;
	return read_frame(m, api);
}

/* A job for a picture of the camera in the path; NULL: it has answered. */
static struct sluice_media_job *make_job(struct sluice_call *c)
{
	struct sluice_media_job *m;
	uint8_t id[16];

	if (sluice_call_camera(c, c->part[0], id))
		return NULL;
	m = calloc(1, sizeof(*m));
	if (!m) {
		sluice_answer_error(c, -ENOMEM);
		return NULL;
	}
	memcpy(m->camera, id, sizeof(m->camera));
	m->action = "still.read";
	m->type = "image/jpeg";
	return m;
}

static void get_still(struct sluice_call *c)
{
	int64_t t = sluice_call_number(c, "t", (int64_t)NEWEST, 0, INT64_MAX);
	struct sluice_media_job *m;

	if (t < 0) {
		sluice_answer_problem(c, 400, "t is a time in UTC nanoseconds");
		return;
	}
	m = make_job(c);
	if (!m)
		return;
	m->time_ns = (uint64_t)t;
	m->cache = "private, no-cache"; /* a frame never changes, which one is nearest does */
	m->read = read_still;
	sluice_media_start(c, m);
}

/* A number of the path; -1: it is none. */
static int64_t number_of(const char *text)
{
	char *end;
	long long n;

	errno = 0;
	n = strtoll(text, &end, 10);
	return errno || *end || text[0] < '0' || text[0] > '9' ? -1 : n;
}

static void get_frame(struct sluice_call *c)
{
	int64_t epoch = number_of(c->part[1]), sequence = number_of(c->part[2]);
	struct sluice_media_job *m = make_job(c);

	if (!m)
		return;
	if (epoch < 0 || sequence < 0) {
		sluice_answer_error(c, -ENOENT);
		sluice_media_drop(m);
		return;
	}
	m->epoch = (uint64_t)epoch;
	m->sequence = (uint64_t)sequence;
	m->cache = "private, max-age=86400, immutable";
	m->read = read_frame;
	sluice_media_start(c, m);
}

/* ---- settings ---- */

static void post_camera_settings(struct sluice_call *c)
{
	const char *id = c->part[0];
	char request[33];
	uint8_t raw[16];
	json_t *json;
	int err;

	if (sluice_call_camera(c, id, raw))
		return;
	json = sluice_call_object(c);
	if (!json)
		return;
	if (sluice_call_audit(c, c->who.tenant, "settings.ask", id, SLUICE_OK)) {
		json_decref(json);
		return;
	}
	err = sluice_settings_ask(c->server, c->who.tenant, id, json, request);
	json_decref(json);
	if (err && sluice_call_audit(c, c->who.tenant, "settings.ask", id, SLUICE_FAILED))
		return;
	if (err == -EINVAL)
		sluice_answer_problem(c, 400,
				      "settings must be an object, if_version an integer; no more");
	else if (err == -EMSGSIZE)
		sluice_answer_problem(c, 400, "that is too much for one request");
	else if (err == -ENOTCONN)
		sluice_answer_problem(c, 409,
				      "its device is not connected, or does not have it open; try "
				      "again later");
	else if (err)
		sluice_answer_error(c, err);
	else
		sluice_answer_json(c, 202, json_pack("{s:s}", "request", request));
}

const struct sluice_route sluice_api_cameras[] = {
	{ SLUICE_HTTP_GET, "/v1/cameras", SLUICE_VIEWER, SLUICE_SCOPE_READ, get_cameras,
	  "listCameras" },
	{ SLUICE_HTTP_GET, "/v1/cameras/{camera}", SLUICE_VIEWER, SLUICE_SCOPE_READ, get_camera,
	  "getCamera" },
	{ SLUICE_HTTP_GET, "/v1/cameras/{camera}/still", SLUICE_VIEWER, SLUICE_SCOPE_MEDIA,
	  get_still, "getStill" },
	{ SLUICE_HTTP_GET, "/v1/cameras/{camera}/frames/{epoch}/{sequence}", SLUICE_VIEWER,
	  SLUICE_SCOPE_MEDIA, get_frame, "getFrame" },
	{ SLUICE_HTTP_POST, "/v1/cameras/{camera}/settings", SLUICE_OPERATOR, SLUICE_SCOPE_SETTINGS,
	  post_camera_settings, "askSettings" },
	{ 0 },
};
