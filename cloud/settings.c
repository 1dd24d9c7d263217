// SPDX-License-Identifier: MIT
/*
 * CONFIG to a device that is connected, and its CONFIG_RESULT. What was asked last for each camera
 * is a convenience for who asked; the kernel of the device holds the truth.
 *
 * Who asks is in one loop, the device in another: the request is put into the fleet first, then the
 * device's loop is asked to send it. A device that has left meanwhile counts as having refused.
 *
 * Asked for at a process that the device is not connected to, it waits in the fleet that the
 * processes share, for half a second on average, until the one that has the camera open sees it
 * there. That one marks it as taken in its memory before it sends it, and in the data base soon
 * after; so it goes down once. Of two that are asked for one camera at two processes within that
 * time one takes the place of the other, which is then not sent.
 */
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "cloud/api_state.h"
#include "cloud/nodes.h"
#include "cloud/session.h"
#include "cloud/settings.h"
#include "lib/log.h"

#define JSON_BYTES 4096
#define ANSWER_NS  12000000000ull /* until a device counts as silent */
#define LATE_MAX   64		  /* that are found at a time */

struct sluice_settings {
	pthread_mutex_t lock; /* who puts one into the fleet over what he has read there has it */
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
	if (!t)
		return;
	pthread_mutex_destroy(&t->lock);
	free(t);
}

static const char *text_of(const json_t *doc, const char *key)
{
	const char *text = json_string_value(json_object_get(doc, key));

	return text ? text : "";
}

/* ---- in the fleet ---- */

/* The request, if it is the last one of the camera and has that state still (or "unanswered");
 * NULL: it is not. The lock is held. */
static json_t *find_asked(struct sluice_server *s, const struct sluice_camera *c,
			  const char *request)
{
	json_t *doc;
	int err = sluice_fleet_get(s->fleet, SLUICE_FLEET_ASKED, c->tenant, c->hex, &doc);

	if (err == -ENOMEM)
		sluice_warning("what became of settings asked of camera %s cannot be kept: %s",
			       c->name, strerror(-err));
	if (doc && !strcmp(text_of(doc, "request"), request) &&
	    (!strcmp(text_of(doc, "state"), "asked") || json_object_get(doc, "unanswered")))
		return doc;
	json_decref(doc);
	return NULL;
}

/* Takes doc. */
static int put_asked(struct sluice_server *s, const struct sluice_camera *c, json_t *doc)
{
	return sluice_fleet_put(s->fleet, SLUICE_FLEET_ASKED, c->tenant, c->hex, doc, NULL);
}

/* The request has come to its end; result: {"applied","version","reason"} as a device says it. 1;
 * 0: it was not the last one, or it has been answered. */
static int end_asked(struct sluice_server *s, const struct sluice_camera *c, const char *request,
		     const json_t *result, bool unanswered)
{
	json_t *doc;
	int kept;

	pthread_mutex_lock(&s->settings->lock);
	doc = find_asked(s, c, request);
	kept = doc && !(unanswered && json_object_get(doc, "unanswered"));
	if (kept) {
		json_object_set_new(doc, "state",
				    json_string(json_is_true(json_object_get(result, "applied"))
							? "applied"
							: "refused"));
		json_object_del(doc, "ask");
		json_object_del(doc, "unanswered");
		json_object_del(doc, "reason");
		if (json_object_get(result, "version"))
			json_object_set(doc, "version", json_object_get(result, "version"));
		if (json_object_get(result, "reason"))
			json_object_set(doc, "reason", json_object_get(result, "reason"));
		if (unanswered)
			json_object_set_new(doc, "unanswered", json_true());
		kept = !put_asked(s, c, json_incref(doc));
	}
	pthread_mutex_unlock(&s->settings->lock);
	json_decref(doc);
	return kept;
}

/* Told to those who watch. */
static void tell_end(struct sluice_server *s, const struct sluice_camera *c, const char *request,
		     const char *state, json_t *reason)
{
	json_t *told = json_pack("{s:s,s:s,s:s,s:O*}", "camera", c->hex, "request", request,
				 "state", state, "reason", reason);
	char *text = told ? json_dumps(told, JSON_COMPACT) : NULL;

	if (text && s->api)
		sluice_stream_tell(s->api->stream, c->tenant, c, "settings", text);
	free(text);
	json_decref(told);
}

static void refuse(struct sluice_server *s, const struct sluice_camera *c, const char *request,
		   const char *reason, bool unanswered)
{
	json_t *result = json_pack("{s:b,s:s}", "applied", 0, "reason", reason);

	if (end_asked(s, c, request, result, unanswered))
		tell_end(s, c, request, "refused", json_object_get(result, "reason"));
	json_decref(result);
}

/* ---- to the device ---- */

/* On its way to the device's loop. */
struct config {
	struct sluice_server *server;
	const struct sluice_camera *camera;
	char request[33];
	bool elsewhere; /* asked for at another process: it may have been taken meanwhile */
	char text[];
};

/* It is this process that sends it. */
static bool take_over(const struct config *c)
{
	json_t *doc;
	bool mine;

	pthread_mutex_lock(&c->server->settings->lock);
	doc = find_asked(c->server, c->camera, c->request);
	mine = json_object_get(doc, "ask") != NULL;
	if (mine) {
		json_object_del(doc, "ask");
		mine = !put_asked(c->server, c->camera, json_incref(doc));
	}
	pthread_mutex_unlock(&c->server->settings->lock);
	json_decref(doc);
	return mine;
}

/* What was asked for elsewhere and finds no session any more is left to its deadline: the device
 * may be on its way to a third process. */
static void send_config(struct sluice_session *ss, void *arg)
{
	struct config *c = arg;
	uint32_t slot = ss ? sluice_session_lane(ss, c->camera, SLUICE_LANE_LIVE) : 0;
	_Alignas(8) uint8_t buf[JSON_BYTES + 64];
	struct sluice_wire_writer w = { .buf = buf, .size = sizeof(buf) };

	if (slot && (!c->elsewhere || take_over(c))) {
		sluice_wire_put_bytes(&w, SLUICE_TAG_JSON, c->text, strlen(c->text));
		sluice_session_fields(ss, SLUICE_MSG_CONFIG, slot, &w);
	} else if (!slot && !c->elsewhere) {
		refuse(c->server, c->camera, c->request, "the device is no longer connected",
		       false);
	}
	free(c);
}

/* NULL: no memory. */
static struct config *make_config(struct sluice_server *s, const struct sluice_camera *camera,
				  const char *request, const char *text)
{
	size_t size = strlen(text);
	struct config *c = calloc(1, sizeof(*c) + size + 1);

	if (!c)
		return NULL;
	c->server = s;
	c->camera = camera;
	snprintf(c->request, sizeof(c->request), "%s", request);
	memcpy(c->text, text, size);
	return c;
}

void sluice_settings_changed(struct sluice_server *s, const char *tenant, const char *camera,
			     const json_t *doc)
{
	const struct sluice_camera *to = sluice_cameras_find(s->cameras, camera);
	const char *state = text_of(doc, "state"), *ask = text_of(doc, "ask");
	struct config *c;

	if (!to || strcmp(to->tenant, tenant))
		return;
	if (strcmp(state, "asked")) {
		tell_end(s, to, text_of(doc, "request"), state, json_object_get(doc, "reason"));
		return;
	}
	if (!*ask || strlen(ask) > JSON_BYTES || !sluice_roster_has_camera(s->roster, to))
		return;
	c = make_config(s, to, text_of(doc, "request"), ask);
	if (!c)
		return;
	c->elsewhere = true;
	if (sluice_roster_call(s, to->tenant, to->device, send_config, c))
		free(c);
}

/* ---- asking ---- */

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

int sluice_settings_ask(struct sluice_server *s, const char *tenant, const char *camera,
			json_t *body, char out[33])
{
	const struct sluice_camera *to = sluice_cameras_find(s->cameras, camera);
	struct config *c = NULL;
	int err = check_body(body), here;
	uint8_t raw[16];
	char *text;

	if (err)
		return err;
	if (!to || strcmp(to->tenant, tenant))
		return -ENOTCONN;
	here = sluice_roster_has_camera(s->roster, to);
	if (!here && !sluice_nodes_camera(s->nodes, to))
		return -ENOTCONN;
	if (getrandom(raw, sizeof(raw), 0) != sizeof(raw))
		return -ENOMEM;
	sluice_hex(raw, sizeof(raw), out);
	json_object_set_new(body, "request", json_string(out));
	text = json_dumps(body, JSON_COMPACT);
	if (text && strlen(text) > JSON_BYTES)
		err = -EMSGSIZE;
	else if (text)
		c = make_config(s, to, out, text);
	if (!err && !c)
		err = -ENOMEM;
	if (!err) {
		pthread_mutex_lock(&s->settings->lock);
		err = put_asked(s, to,
				json_pack("{s:s,s:s,s:I,s:s*}", "request", out, "state", "asked",
					  "asked_ns", (json_int_t)sluice_utc_now(), "ask",
					  here ? NULL : text));
		pthread_mutex_unlock(&s->settings->lock);
	}
	if (!err && here) {
		err = sluice_roster_call(s, to->tenant, to->device, send_config, c);
		c = err ? c : NULL;
	}
	free(c);
	free(text);
	return err;
}

json_t *sluice_settings_last(const struct sluice_server *s, const struct sluice_camera *c)
{
	static const char *const keys[] = { "request", "state", "version", "reason" };
	json_t *doc, *last;

	if (sluice_fleet_get(s->fleet, SLUICE_FLEET_ASKED, c->tenant, c->hex, &doc))
		return NULL;
	last = json_object();
	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
		if (json_object_get(doc, keys[i]))
			json_object_set(last, keys[i], json_object_get(doc, keys[i]));
	json_decref(doc);
	return last;
}

/* ---- answers ---- */

int sluice_settings_result(struct sluice_server *s, const struct sluice_camera *c,
			   const uint8_t *json, uint32_t size)
{
	json_t *o = size > JSON_BYTES
			    ? NULL
			    : json_loadb((const char *)json, size, JSON_REJECT_DUPLICATES, NULL);
	const char *text = json_string_value(json_object_get(o, "request"));
	const json_t *applied = json_object_get(o, "applied");
	char request[33];
	const char *state = json_is_true(applied) ? "applied" : "refused";

	if (!text || !json_is_boolean(applied)) {
		json_decref(o);
		return -EINVAL;
	}
	snprintf(request, sizeof(request), "%.32s", text);
	tell_end(s, c, request, state, json_object_get(o, "reason"));
	if (end_asked(s, c, request, o, false))
		sluice_info("camera %s: settings are %s%s", c->name, state,
			    json_is_true(applied) ? "" : " by the device");
	json_decref(o);
	return 0;
}

/* ---- those that nobody has answered ---- */

struct late {
	struct sluice_server *server;
	uint64_t now_ns;
	unsigned int count;
	struct {
		const struct sluice_camera *camera;
		char request[33];
		bool taken;
	} of[LATE_MAX];
};

static int find_late(void *ctx, const char *tenant, const char *name, json_t *doc)
{
	struct late *l = ctx;
	uint64_t asked_ns = (uint64_t)json_integer_value(json_object_get(doc, "asked_ns"));
	const struct sluice_camera *c;

	if (strcmp(text_of(doc, "state"), "asked") || l->now_ns < asked_ns + ANSWER_NS)
		return 0;
	c = sluice_cameras_find(l->server->cameras, name);
	if (!c || strcmp(c->tenant, tenant))
		return 0;
	l->of[l->count].camera = c;
	snprintf(l->of[l->count].request, sizeof(l->of[0].request), "%s", text_of(doc, "request"));
	l->of[l->count].taken = !json_object_get(doc, "ask");
	return ++l->count == LATE_MAX;
}

void sluice_settings_watch(struct sluice_server *s)
{
	struct late l = { .server = s, .now_ns = sluice_utc_now() };

	sluice_fleet_each(s->fleet, SLUICE_FLEET_ASKED, NULL, find_late, &l);
	for (unsigned int i = 0; i < l.count; i++)
		refuse(s, l.of[i].camera, l.of[i].request,
		       l.of[i].taken ? "the device did not answer in time"
				     : "the device left before it could be asked",
		       true);
}
