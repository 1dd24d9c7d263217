// SPDX-License-Identifier: MIT
/*
 * api_zones.c - the named zones and lines of a camera. The node's workers take new ones with the
 * next frame that comes; what was told before stays as it was told.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "cloud/api_fleet.h"
#include "cloud/zones.h"
#include "lib/log.h"

/* As people see it; takes the reference. NULL: none were ever drawn. */
static json_t *zones_json(json_t *doc)
{
	static const char *const lists[] = { "zones", "lines" };
	json_t *o = json_object();
	size_t i;

	json_object_set_new(o, "version",
			    json_integer(json_integer_value(json_object_get(doc, "version"))));
	json_object_set_new(o, "by", doc ? json_incref(json_object_get(doc, "by")) : json_null());
	json_object_set_new(o, "at", sluice_fleet_time(json_object_get(doc, "at_ns")));
	for (i = 0; i < 2; i++) {
		json_t *list = json_object_get(doc, lists[i]);

		json_object_set_new(o, lists[i], list ? json_incref(list) : json_array());
	}
	if (json_is_object(json_object_get(doc, "night")))
		json_object_set(o, "night", json_object_get(doc, "night"));
	json_decref(doc);
	return o;
}

static void get_zones(struct sluice_call *c)
{
	struct sluice_camera camera;
	json_t *doc;
	int err;

	if (sluice_fleet_find_camera(c, c->part[0], &camera))
		return;
	err = sluice_fleet_get(c->server->fleet, SLUICE_FLEET_ZONES, camera.tenant, camera.hex,
			       &doc);
	if (err && err != -ENOENT)
		sluice_answer_error(c, err);
	else
		sluice_answer_document(c, 200, zones_json(doc));
}

static void put_zones(struct sluice_call *c)
{
	struct sluice_camera camera;
	const int64_t *if_version;
	const char *wrong;
	int64_t version;
	json_t *doc;
	int err;

	if (sluice_fleet_find_camera(c, c->part[0], &camera) ||
	    sluice_call_match(c, &version, &if_version))
		return;
	doc = sluice_call_object(c);
	if (!doc)
		return;
	wrong = sluice_zones_check(doc);
	if (wrong)
		sluice_answer_problem(c, 400, wrong);
	if (wrong || sluice_call_audit(c, c->who.tenant, "zones.change", camera.hex, SLUICE_OK)) {
		json_decref(doc);
		return;
	}
	json_object_set_new(doc, "by", json_string(c->who.name));
	json_object_set_new(doc, "at_ns", json_integer((json_int_t)sluice_utc_now()));
	json_incref(doc);
	err = sluice_fleet_put(c->server->fleet, SLUICE_FLEET_ZONES, camera.tenant, camera.hex, doc,
			       if_version);
	if (err) {
		json_decref(doc);
		sluice_answer_put(c, err);
		return;
	}
	sluice_info("%s has drawn the zones of camera %s of device %s anew", c->who.name,
		    camera.name, camera.device);
	sluice_answer_document(c, 200, zones_json(doc));
}

const struct sluice_route sluice_api_zones[] = {
	{ SLUICE_HTTP_GET, "/v1/cameras/{camera}/zones", SLUICE_VIEWER, SLUICE_SCOPE_READ,
	  get_zones, "getZones" },
	{ SLUICE_HTTP_PUT, "/v1/cameras/{camera}/zones", SLUICE_OPERATOR, SLUICE_SCOPE_SETTINGS,
	  put_zones, "putZones" },
	{ 0 },
};
