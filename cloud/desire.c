// SPDX-License-Identifier: MIT
/*
 * A device's session carries the questions of plan.c to it. Its word on its settings is kept as it
 * came, once its form has been looked at; it is about the device's own cameras and can only make
 * itself look different.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "cloud/api_state.h"
#include "cloud/desire.h"
#include "cloud/plan.h"
#include "cloud/stream.h"
#include "lib/log.h"

#define REPORT_MAX 4096
#define WATCH_NS   500000000ull

static struct sluice_fleet *fleet_of(const struct sluice_session *ss)
{
	return ss->loop->server->fleet;
}

/* ---- down ---- */

static int send_config(struct sluice_session *ss, uint32_t slot, const json_t *config)
{
	char *text = json_dumps(config, JSON_COMPACT);
	size_t size = text ? strlen(text) : 0;
	struct sluice_wire_writer w = { .size = size + 32 };
	int err = -EMSGSIZE;

	if (text && w.size <= SLUICE_WIRE_CONTROL_MAX)
		w.buf = malloc(w.size);
	if (w.buf) {
		sluice_wire_put_bytes(&w, SLUICE_TAG_JSON, text, size);
		sluice_session_fields(ss, SLUICE_MSG_CONFIG, slot, &w);
		err = w.err;
	}
	free(w.buf);
	free(text);
	return err;
}

static void name_request(json_t *config, json_t *state)
{
	uint8_t raw[16] = { 0 };
	char request[33];

	if (getrandom(raw, sizeof(raw), 0) != sizeof(raw))
		return;
	sluice_hex(raw, sizeof(raw), request);
	json_object_set_new(config, "request", json_string(request));
	json_object_set_new(state, "request", json_string(request));
}

/* Told to those who watch. */
static void tell_state(struct sluice_server *s, const struct sluice_camera *c, const json_t *state)
{
	json_t *o = json_pack("{s:s,s:s,s:s,s:O,s:O*}", "camera", c->hex, "device", c->device,
			      "name", c->name, "desired", json_object_get(state, "state"), "reason",
			      json_object_get(state, "reason"));
	char *text = o ? json_dumps(o, JSON_COMPACT) : NULL;

	if (text && s->api)
		sluice_stream_tell(s->api->stream, c->tenant, c, "settings", text);
	free(text);
	json_decref(o);
}

static void look_at_camera(struct sluice_session *ss, uint32_t slot)
{
	const struct sluice_camera *c = ss->slot[slot].camera;
	struct sluice_fleet *f = fleet_of(ss);
	json_t *state, *report, *config, *was;
	int enforce;
	json_t *wish = sluice_fleet_wish(f, c, NULL, &enforce);
	int none = sluice_fleet_get(f, SLUICE_FLEET_STATE, c->tenant, c->hex, &state);
	int silent = sluice_fleet_get(f, SLUICE_FLEET_REPORT, c->tenant, c->hex, &report);
	struct sluice_plan plan = { .wish = wish,
				    .report = report,
				    .reported = (uint64_t)json_integer_value(json_object_get(
							report, "session")) == ss->id,
				    .enforce = enforce,
				    .session = ss->id,
				    .now_ns = sluice_utc_now() };

	if (none == -ENOENT)
		state = json_object();
	if (!wish || !state || silent == -ENOMEM) { /* what is not known is not asked for */
		ss->desire_again = 1;
		json_decref(state);
		json_decref(report);
		json_decref(wish);
		return;
	}
	was = json_incref(json_object_get(state, "state"));
	config = sluice_plan_next(state, &plan);
	if (config) {
		name_request(config, state);
		sluice_info("camera %s of device %s: settings are asked for", c->name, c->device);
		if (send_config(ss, slot, config))
			sluice_warning(
				"camera %s of device %s: what is wanted is too large to send",
				c->name, c->device);
	}
	if (!json_equal(was, json_object_get(state, "state")) &&
	    !(!was && !strcmp(json_string_value(json_object_get(state, "state")), "none")))
		tell_state(ss->loop->server, c, state);
	sluice_fleet_put(f, SLUICE_FLEET_STATE, c->tenant, c->hex, state, NULL);
	json_decref(was);
	json_decref(config);
	json_decref(report);
	json_decref(wish);
}

void sluice_desire_watch(struct sluice_session *ss)
{
	uint64_t now = sluice_utc_now();
	int again = ss->desire_again;
	uint32_t i;

	if (!ss->conn || !ss->greeted || now - ss->desire_ns < WATCH_NS)
		return;
	ss->desire_ns = now;
	ss->desire_again = 0;
	for (i = 1; i <= SLUICE_WIRE_SLOTS && ss->conn; i++) {
		const struct sluice_camera *c = ss->slot[i].camera;
		json_t *state = NULL;
		uint64_t due;

		if (c && sluice_fleet_get(fleet_of(ss), SLUICE_FLEET_STATE, c->tenant, c->hex,
					  &state) == -ENOMEM)
			ss->desire_again = 1;
		due = sluice_plan_due(state);
		json_decref(state);
		if (c && (again || (due && now >= due)))
			look_at_camera(ss, i);
	}
}

static void on_changed(struct sluice_session *ss, void *arg)
{
	uint32_t i;

	(void)arg;
	for (i = 1; ss && ss->conn && i <= SLUICE_WIRE_SLOTS; i++)
		if (ss->slot[i].camera)
			look_at_camera(ss, i);
}

void sluice_desire_changed(struct sluice_server *s, const char *tenant, const char *device)
{
	sluice_roster_call(s, tenant, device, on_changed, NULL);
}

/* ---- up ---- */

static json_t *words_json(const char *words)
{
	json_t *list = json_array();

	while (*words) {
		size_t n = strcspn(words, " ");

		if (n)
			json_array_append_new(list, json_stringn(words, n));
		words += n + (words[n] == ' ');
	}
	return list;
}

void sluice_desire_hello(struct sluice_session *ss, const char *build, const char *features,
			 const char *allows)
{
	json_t *known = words_json(features);
	size_t i;
	json_t *v;

	ss->features = 0;
	json_array_foreach (known, i, v)
		if (!strcmp(json_string_value(v) ? json_string_value(v) : "", "report"))
			ss->features = 1;
	sluice_fleet_put(fleet_of(ss), SLUICE_FLEET_DEVICE, ss->who.tenant, ss->who.device,
			 json_pack("{s:s,s:o,s:o,s:I}", "build", build, "features", known, "allows",
				   words_json(allows), "seen_ns", (json_int_t)sluice_utc_now()),
			 NULL);
}

void sluice_desire_gone(struct sluice_session *ss)
{
	json_t *d;

	if (sluice_fleet_get(fleet_of(ss), SLUICE_FLEET_DEVICE, ss->who.tenant, ss->who.device, &d))
		return; /* at worst it was seen earlier than it was */
	json_object_set_new(d, "seen_ns", json_integer((json_int_t)sluice_utc_now()));
	sluice_fleet_put(fleet_of(ss), SLUICE_FLEET_DEVICE, ss->who.tenant, ss->who.device, d,
			 NULL);
}

int sluice_desire_report(struct sluice_session *ss, uint32_t slot, const uint8_t *json,
			 uint32_t size)
{
	const struct sluice_camera *c = ss->slot[slot].camera;
	json_t *o = size > REPORT_MAX
			    ? NULL
			    : json_loadb((const char *)json, size, JSON_REJECT_DUPLICATES, NULL);
	const char *gate = json_string_value(json_object_get(o, "gate"));
	json_int_t version = json_integer_value(json_object_get(o, "version"));

	if (!gate || strlen(gate) > 64 || version < 1 || version > UINT32_MAX ||
	    !json_is_object(json_object_get(o, "settings")) ||
	    !json_is_string(json_object_get(o, "map"))) {
		json_decref(o);
		return -EINVAL;
	}
	json_object_set_new(o, "device", json_string(c->device));
	json_object_set_new(o, "camera", json_string(c->name));
	json_object_set_new(o, "session", json_integer((json_int_t)ss->id));
	json_object_set_new(o, "at_ns", json_integer((json_int_t)sluice_utc_now()));
	sluice_fleet_put(fleet_of(ss), SLUICE_FLEET_REPORT, c->tenant, c->hex, o, NULL);
	look_at_camera(ss, slot);
	return 0;
}

void sluice_desire_result(struct sluice_session *ss, uint32_t slot, const uint8_t *json,
			  uint32_t size)
{
	const struct sluice_camera *c = ss->slot[slot].camera;
	json_t *o = size > REPORT_MAX ? NULL : json_loadb((const char *)json, size, 0, NULL);
	json_t *state = NULL;

	if (o && sluice_fleet_get(fleet_of(ss), SLUICE_FLEET_STATE, c->tenant, c->hex, &state) ==
			 -ENOMEM)
		ss->desire_again = 1; /* it is asked again when its answer is due */
	if (state && sluice_plan_result(state, o, sluice_utc_now())) {
		sluice_info("camera %s of device %s: settings are %s%s%s", c->name, c->device,
			    json_string_value(json_object_get(state, "state")),
			    json_object_get(state, "reason") ? ": " : "",
			    json_object_get(state, "reason")
				    ? json_string_value(json_object_get(state, "reason"))
				    : "");
		tell_state(ss->loop->server, c, state);
		sluice_fleet_put(fleet_of(ss), SLUICE_FLEET_STATE, c->tenant, c->hex, state, NULL);
		look_at_camera(ss, slot);
	} else {
		json_decref(state);
	}
	json_decref(o);
}
