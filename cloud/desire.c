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

#include "cloud/desire.h"
#include "cloud/plan.h"
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

static void look_at_camera(struct sluice_session *ss, uint32_t slot)
{
	const struct sluice_camera *c = ss->slot[slot].camera;
	struct sluice_fleet *f = fleet_of(ss);
	int enforce;
	json_t *wish = sluice_fleet_wish(f, c, NULL, &enforce);
	json_t *state = sluice_fleet_get(f, SLUICE_FLEET_STATE, c->tenant, c->hex);
	json_t *report = sluice_fleet_get(f, SLUICE_FLEET_REPORT, c->tenant, c->hex), *config;
	struct sluice_plan plan = { .wish = wish,
				    .report = report,
				    .reported = (uint64_t)json_integer_value(json_object_get(
							report, "session")) == ss->id,
				    .enforce = enforce,
				    .session = ss->id,
				    .now_ns = sluice_utc_now() };

	if (!state)
		state = json_object();
	config = wish && state ? sluice_plan_next(state, &plan) : NULL;
	if (config) {
		name_request(config, state);
		sluice_info("camera %s of device %s: settings are asked for", c->name, c->device);
		if (send_config(ss, slot, config))
			sluice_warning(
				"camera %s of device %s: what is wanted is too large to send",
				c->name, c->device);
	}
	sluice_fleet_put(f, SLUICE_FLEET_STATE, c->tenant, c->hex, state, NULL);
	json_decref(config);
	json_decref(report);
	json_decref(wish);
}

void sluice_desire_watch(struct sluice_session *ss)
{
	uint64_t now = sluice_utc_now();
	uint32_t i;

	if (!ss->conn || !ss->greeted || now - ss->desire_ns < WATCH_NS)
		return;
	ss->desire_ns = now;
	for (i = 1; i <= SLUICE_WIRE_SLOTS && ss->conn; i++) {
		const struct sluice_camera *c = ss->slot[i].camera;
		json_t *state =
			c ? sluice_fleet_get(fleet_of(ss), SLUICE_FLEET_STATE, c->tenant, c->hex)
			  : NULL;
		uint64_t due = sluice_plan_due(state);

		json_decref(state);
		if (due && now >= due)
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
	json_t *d =
		sluice_fleet_get(fleet_of(ss), SLUICE_FLEET_DEVICE, ss->who.tenant, ss->who.device);

	if (!d)
		return;
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
	json_t *state =
		o ? sluice_fleet_get(fleet_of(ss), SLUICE_FLEET_STATE, c->tenant, c->hex) : NULL;

	if (state && sluice_plan_result(state, o, sluice_utc_now())) {
		sluice_info("camera %s of device %s: settings are %s%s%s", c->name, c->device,
			    json_string_value(json_object_get(state, "state")),
			    json_object_get(state, "reason") ? ": " : "",
			    json_object_get(state, "reason")
				    ? json_string_value(json_object_get(state, "reason"))
				    : "");
		sluice_fleet_put(fleet_of(ss), SLUICE_FLEET_STATE, c->tenant, c->hex, state, NULL);
		look_at_camera(ss, slot);
	} else {
		json_decref(state);
	}
	json_decref(o);
}
