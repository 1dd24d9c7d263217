// SPDX-License-Identifier: MIT
/*
 * CONFIG to a device that is connected, and its CONFIG_RESULT. What was asked last for each camera
 * is remembered while this node runs, ASKS_MAX cameras at most (the one asked longest ago goes); it
 * is a convenience for who asked, the kernel of the device holds the truth.
 *
 * Who asks is in one loop, the device in another: the request is remembered first, then the
 * device's loop is asked to send it. A device that has left meanwhile counts as having refused.
 */
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "cloud/api_state.h"
#include "cloud/session.h"
#include "cloud/settings.h"
#include "lib/log.h"

#define ASKS_MAX   1024
#define JSON_BYTES 4096

struct asked {
	struct asked *next; /* newest first */
	char camera[33], request[33];
	json_t *result; /* NULL: no answer yet */
};

struct sluice_settings {
	pthread_mutex_t lock;
	struct asked *asked;
};

struct sluice_settings *sluice_settings_open(void)
{
	struct sluice_settings *t = calloc(1, sizeof(*t));

	if (t)
		pthread_mutex_init(&t->lock, NULL);
	return t;
}

void sluice_settings_close(struct sluice_settings *t)
{
	struct asked *a;

	if (!t)
		return;
	while ((a = t->asked)) {
		t->asked = a->next;
		json_decref(a->result);
		free(a);
	}
	pthread_mutex_destroy(&t->lock);
	free(t);
}

static struct asked *find_asked(const struct sluice_settings *t, const char *camera)
{
	struct asked *a = t->asked;

	while (a && strcmp(a->camera, camera))
		a = a->next;
	return a;
}

/* Forget what was asked for the camera, and what is beyond ASKS_MAX. */
static void forget(struct sluice_settings *t, const char *camera)
{
	struct asked **at = &t->asked, *a;
	unsigned int n = 0;

	while ((a = *at)) {
		if (!strcmp(a->camera, camera) || ++n >= ASKS_MAX) {
			*at = a->next;
			json_decref(a->result);
			free(a);
		} else {
			at = &a->next;
		}
	}
}

static int remember(struct sluice_settings *t, const char *camera, const char *request)
{
	struct asked *a = calloc(1, sizeof(*a));

	if (!a)
		return -ENOMEM;
	snprintf(a->camera, sizeof(a->camera), "%s", camera);
	snprintf(a->request, sizeof(a->request), "%s", request);
	pthread_mutex_lock(&t->lock);
	forget(t, camera);
	a->next = t->asked;
	t->asked = a;
	pthread_mutex_unlock(&t->lock);
	return 0;
}

/* The answer to a request; one that was not asked for is passed over. Takes the reference. */
static int keep_result(struct sluice_settings *t, const char *camera, const char *request,
		       json_t *result)
{
	struct asked *a;
	int kept = 0;

	pthread_mutex_lock(&t->lock);
	a = find_asked(t, camera);
	if (a && !a->result && !strcmp(a->request, request)) {
		a->result = result;
		kept = 1;
	}
	pthread_mutex_unlock(&t->lock);
	if (!kept)
		json_decref(result);
	return kept;
}

static int check_body(const json_t *body)
{
	const json_t *version = json_object_get(body, "if_version");
	size_t keys = 1 + (version != NULL);

	return json_is_object(json_object_get(body, "settings")) &&
			       json_object_size(body) == keys &&
			       (!version || json_is_integer(version))
		       ? 0
		       : -EINVAL;
}

/* On its way to the device's loop. */
struct config {
	struct sluice_server *server;
	const struct sluice_camera *camera;
	char request[33];
	char text[];
};

static void send_config(struct sluice_session *ss, void *arg)
{
	struct config *c = arg;
	uint32_t slot = ss ? sluice_session_lane(ss, c->camera, SLUICE_LANE_LIVE) : 0;
	_Alignas(8) uint8_t buf[JSON_BYTES + 64];
	struct sluice_wire_writer w = { .buf = buf, .size = sizeof(buf) };

	if (slot) {
		sluice_wire_put_bytes(&w, SLUICE_TAG_JSON, c->text, strlen(c->text));
		sluice_session_fields(ss, SLUICE_MSG_CONFIG, slot, &w);
	} else {
		keep_result(c->server->settings, c->camera->hex, c->request,
			    json_pack("{s:s,s:b,s:s}", "request", c->request, "applied", 0,
				      "reason", "the device is no longer connected"));
	}
	free(c);
}

static struct config *make_config(struct sluice_server *s, const struct sluice_camera *camera,
				  const char *request, const json_t *body, int *err)
{
	char *text = json_dumps(body, JSON_COMPACT);
	size_t size = text ? strlen(text) : 0;
	struct config *c = size && size <= JSON_BYTES ? calloc(1, sizeof(*c) + size + 1) : NULL;

	*err = size > JSON_BYTES ? -EMSGSIZE : c ? 0 : -ENOMEM;
	if (c) {
		c->server = s;
		c->camera = camera;
		memcpy(c->request, request, sizeof(c->request));
		memcpy(c->text, text, size);
	}
	free(text);
	return c;
}

int sluice_settings_ask(struct sluice_server *s, const char *tenant, const char *camera,
			json_t *body, char out[33])
{
	const struct sluice_camera *to = sluice_cameras_find(s->cameras, camera);
	struct config *c;
	uint8_t raw[16];
	int err = check_body(body);

	if (err)
		return err;
	if (!to || strcmp(to->tenant, tenant) || !sluice_roster_has_camera(s->roster, to))
		return -ENOTCONN;
	if (getrandom(raw, sizeof(raw), 0) != sizeof(raw))
		return -ENOMEM;
	sluice_hex(raw, sizeof(raw), out);
	json_object_set_new(body, "request", json_string(out));
	c = make_config(s, to, out, body, &err);
	if (!err)
		err = remember(s->settings, camera, out);
	if (!err)
		err = sluice_roster_call(s, to->tenant, to->device, send_config, c);
	if (err)
		free(c);
	return err;
}

json_t *sluice_settings_last(const struct sluice_server *s, const char *camera)
{
	struct sluice_settings *t = s->settings;
	const struct asked *a;
	const json_t *r;
	json_t *last = NULL;

	pthread_mutex_lock(&t->lock);
	a = find_asked(t, camera);
	r = a ? a->result : NULL;
	if (a)
		last = json_pack("{s:s,s:s,s:o*,s:o*}", "request", a->request, "state",
				 !r					       ? "asked"
				 : json_is_true(json_object_get(r, "applied")) ? "applied"
									       : "refused",
				 "version", json_deep_copy(json_object_get(r, "version")), "reason",
				 json_deep_copy(json_object_get(r, "reason")));
	pthread_mutex_unlock(&t->lock);
	return last;
}

static void tell_result(struct sluice_server *s, const struct sluice_camera *c, const char *request,
			const json_t *o)
{
	json_t *told =
		json_pack("{s:s,s:s,s:s,s:O*}", "camera", c->hex, "request", request, "state",
			  json_is_true(json_object_get(o, "applied")) ? "applied" : "refused",
			  "reason", json_object_get(o, "reason"));
	char *text = told ? json_dumps(told, JSON_COMPACT) : NULL;

	if (text)
		sluice_stream_tell(s->api->stream, c->tenant, c, "settings", text);
	free(text);
	json_decref(told);
}

int sluice_settings_result(struct sluice_server *s, const struct sluice_camera *c,
			   const uint8_t *json, uint32_t size)
{
	json_t *o = size > JSON_BYTES
			    ? NULL
			    : json_loadb((const char *)json, size, JSON_REJECT_DUPLICATES, NULL);
	const char *text = json_string_value(json_object_get(o, "request"));
	const json_t *applied = json_object_get(o, "applied");
	char request[33];
	int yes = json_is_true(applied);

	if (!text || !json_is_boolean(applied)) {
		json_decref(o);
		return -EINVAL;
	}
	snprintf(request, sizeof(request), "%.32s", text);
	tell_result(s, c, request, o);
	if (keep_result(s->settings, c->hex, request, o))
		sluice_info("camera %s: settings are %s", c->name,
			    yes ? "applied" : "refused by the device");
	return 0;
}
