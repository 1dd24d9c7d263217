// SPDX-License-Identifier: MIT
/*
 * api_devices.c - what the fleet knows of devices, what can be asked of one now, and the frame that
 * a snapshot named.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cloud/api_fleet.h"
#include "cloud/command.h"
#include "cloud/segment.h"
#include "lib/log.h"

/* ---- devices ---- */

struct cameras {
	struct sluice_call *call;
	json_t *by_device;
};

static int add_camera(void *ctx, const struct sluice_camera *c, uint64_t seen_utc_ns,
		      uint32_t width, uint32_t height, const void *ledger, size_t ledger_size)
{
	struct cameras *a = ctx;
	json_t *list = json_object_get(a->by_device, c->device), *o, *whole;

	(void)width;
	(void)height;
	(void)ledger;
	(void)ledger_size;
	if (!list) {
		list = json_array();
		json_object_set_new(a->by_device, c->device, list);
	}
	whole = sluice_fleet_camera_json(a->call, c);
	o = json_pack("{s:s,s:s,s:o,s:O,s:O,s:O,s:b}", "id", c->hex, "name", c->name, "last_frame",
		      sluice_fleet_time(json_integer((json_int_t)seen_utc_ns)), "state",
		      json_object_get(whole, "state"), "drift", json_object_get(whole, "drift"),
		      "open", json_object_get(whole, "connected"), "paused",
		      json_is_true(json_object_get(json_object_get(whole, "actual"), "paused")));
	json_decref(whole);
	return json_array_append_new(list, o);
}

json_t *sluice_fleet_cameras_json(struct sluice_call *c)
{
	struct cameras a = { c, json_object() };

	if (!c->index->ops->cameras(c->index, &c->whose, add_camera, &a))
		return a.by_device;
	json_decref(a.by_device);
	return NULL;
}

int sluice_fleet_device_json(struct sluice_call *c, const char *device, const json_t *cameras,
			     json_t *row)
{
	json_t *empty = json_array(), *group = NULL, *d;
	struct sluice_fleet *f = c->server->fleet;
	char name[SLUICE_NAME_MAX];
	int err = sluice_fleet_get(f, SLUICE_FLEET_DEVICE, c->who.tenant, device, &d);

	if (err != -ENOMEM)
		err = sluice_fleet_group_of(f, c->who.tenant, "devices", device, name, &group);
	if (err == -ENOMEM || !empty || !cameras) {
		json_decref(empty);
		json_decref(d);
		return -ENOMEM;
	}
	json_object_set_new(
		row, "connected",
		json_boolean(sluice_server_has_device(c->server, c->who.tenant, device)));
	json_object_set_new(row, "last_seen", sluice_fleet_time(json_object_get(d, "seen_ns")));
	json_object_set_new(row, "build",
			    d ? json_incref(json_object_get(d, "build")) : json_null());
	json_object_set(row, "features", d ? json_object_get(d, "features") : empty);
	json_object_set(row, "allows", d ? json_object_get(d, "allows") : empty);
	json_object_set_new(row, "group", group ? json_string(name) : json_null());
	json_object_set(row, "cameras",
			json_object_get(cameras, device) ? json_object_get(cameras, device)
							 : empty);
	json_decref(group);
	json_decref(empty);
	json_decref(d);
	return 0;
}

struct find_device {
	const char *name;
	int found;
};

static int is_device(void *ctx, const struct sluice_auth_device *d)
{
	struct find_device *f = ctx;

	f->found |= !strcmp(d->device, f->name);
	return 0;
}

/* 0, or -errno after an answer. */
static int find_device(struct sluice_call *c, const char *name)
{
	struct find_device f = { name, 0 };
	int err = sluice_auth_devices(c->auth, c->who.tenant, is_device, &f);
	json_t *cameras = NULL;

	if (!err && c->whose.cameras) { /* who is restricted to cameras sees their devices only */
		cameras = sluice_fleet_cameras_json(c);
		err = cameras ? 0 : -ENOMEM;
		f.found &= json_object_get(cameras, name) != NULL;
		json_decref(cameras);
	}
	if (!err && !f.found)
		err = -ENOENT;
	if (err)
		sluice_answer_error(c, err);
	return err;
}

static void get_device(struct sluice_call *c)
{
	json_t *o, *cameras;

	if (find_device(c, c->part[0]))
		return;
	o = json_pack("{s:s}", "name", c->part[0]);
	cameras = sluice_fleet_cameras_json(c);
	if (sluice_fleet_device_json(c, c->part[0], cameras, o)) {
		json_decref(o);
		o = NULL;
	}
	json_decref(cameras);
	sluice_answer_json(c, 200, o);
}

/* ---- commands ---- */

/* As people see it. Takes the reference. */
static json_t *command_json(const char *request, json_t *doc, int with_result)
{
	static const char *const copied[] = { "device", "command", "camera", "by",
					      "state",	"reason",  "late" };
	json_t *o = json_pack("{s:s}", "request", request), *v;
	size_t i;

	for (i = 0; i < sizeof(copied) / sizeof(copied[0]); i++) {
		v = json_object_get(doc, copied[i]);
		if (v)
			json_object_set(o, copied[i], v);
	}
	json_object_set_new(o, "asked", sluice_fleet_time(json_object_get(doc, "asked_ns")));
	json_object_set_new(o, "answered", sluice_fleet_time(json_object_get(doc, "answered_ns")));
	v = json_object_get(doc, "result");
	if (with_result)
		json_object_set_new(o, "result", v ? json_incref(v) : json_null());
	json_decref(doc);
	return o;
}

/* What, and of which device. 0, or -errno after an answer. */
static int audit_command(struct sluice_call *c, const json_t *body)
{
	const char *command = json_string_value(json_object_get(body, "command"));
	const char *camera = json_string_value(json_object_get(body, "camera"));
	char what[160];

	snprintf(what, sizeof(what), "%s %.32s%s%.32s", c->part[0], command ? command : "?",
		 camera ? " " : "", camera ? camera : "");
	return sluice_call_audit(c, c->who.tenant, "device.ask", what, SLUICE_OK);
}

static void post_command(struct sluice_call *c)
{
	char request[33];
	const char *why;
	json_t *body;
	int err;

	if (find_device(c, c->part[0]))
		return;
	body = sluice_call_object(c);
	if (!body || audit_command(c, body)) {
		json_decref(body);
		return;
	}
	err = sluice_command_ask(c->server, c->who.tenant, c->part[0], c->who.name, body, request,
				 &why);
	if (err == -EINVAL) {
		sluice_answer_problem(c, 400, why);
	} else if (err == -ENOTCONN) {
		sluice_answer_problem(c, 409, "the device is not connected; try again later");
	} else if (err == -EOPNOTSUPP) {
		sluice_answer_problem(c, 409,
				      "the device's relay does not know this command; update it");
	} else if (err) {
		sluice_answer_error(c, err);
	} else {
		sluice_info("%s asks device %s: %s", c->who.name, c->part[0],
			    json_string_value(json_object_get(body, "command")));
		sluice_answer_json(c, 202, json_pack("{s:s}", "request", request));
	}
	json_decref(body);
}

static void get_command(struct sluice_call *c)
{
	json_t *doc;
	int err = sluice_fleet_get(c->server->fleet, SLUICE_FLEET_COMMAND, c->who.tenant,
				   c->part[0], &doc);

	if (!err)
		sluice_answer_json(c, 200, command_json(c->part[0], doc, 1));
	else
		sluice_answer_error(c, err);
}

struct commands {
	const char *device;
	json_t *list;
};

static int add_command(void *ctx, const char *tenant, const char *name, json_t *doc)
{
	struct commands *a = ctx;
	const char *device = json_string_value(json_object_get(doc, "device")), *asked;
	json_t *o;
	size_t at = json_array_size(a->list);

	(void)tenant;
	if (!device || strcmp(device, a->device))
		return 0;
	o = command_json(name, json_deep_copy(doc), 0);
	asked = json_string_value(json_object_get(o, "asked"));
	while (at &&
	       strcmp(json_string_value(json_object_get(json_array_get(a->list, at - 1), "asked")),
		      asked ? asked : "") < 0)
		at--;
	json_array_insert_new(a->list, at, o);
	return 0;
}

static void get_commands(struct sluice_call *c)
{
	struct commands a = { c->part[0], NULL };

	if (find_device(c, c->part[0]))
		return;
	a.list = json_array();
	sluice_fleet_each(c->server->fleet, SLUICE_FLEET_COMMAND, c->who.tenant, add_command, &a);
	sluice_answer_json(c, 200, json_pack("{s:o}", "commands", a.list));
}

const struct sluice_route sluice_api_devices[] = {
	{ SLUICE_HTTP_GET, "/v1/devices/{device}", SLUICE_VIEWER, SLUICE_SCOPE_READ, get_device,
	  "getDevice" },
	{ SLUICE_HTTP_POST, "/v1/devices/{device}/commands", SLUICE_OPERATOR, SLUICE_SCOPE_SETTINGS,
	  post_command, "askCommand" },
	{ SLUICE_HTTP_GET, "/v1/devices/{device}/commands", SLUICE_OPERATOR, SLUICE_SCOPE_SETTINGS,
	  get_commands, "listCommands" },
	{ SLUICE_HTTP_GET, "/v1/commands/{request}", SLUICE_OPERATOR, SLUICE_SCOPE_SETTINGS,
	  get_command, "getCommand" },
	{ 0 },
};
