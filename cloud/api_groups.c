// SPDX-License-Identifier: MIT
/*
 * api_groups.c - groups of devices and cameras with settings in common. A device, and a camera, is
 * in one group at most: what two of them would want together has no answer.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "cloud/api_fleet.h"
#include "cloud/desire.h"
#include "lib/log.h"

static const char *const keys[] = { "enforce", "devices", "cameras" };

/* As people see it. Takes the reference. */
static json_t *group_json(const char *name, json_t *doc)
{
	json_t *o = json_pack("{s:s}", "name", name), *empty = json_array();
	json_t *settings = json_object_get(doc, "settings");

	json_object_set(o, "version", json_object_get(doc, "version"));
	json_object_set(o, "by", json_object_get(doc, "by"));
	json_object_set_new(o, "at", sluice_fleet_time(json_object_get(doc, "at_ns")));
	json_object_set_new(o, "enforce",
			    json_boolean(json_is_true(json_object_get(doc, "enforce"))));
	json_object_set(o, "devices",
			json_object_get(doc, "devices") ? json_object_get(doc, "devices") : empty);
	json_object_set(o, "cameras",
			json_object_get(doc, "cameras") ? json_object_get(doc, "cameras") : empty);
	json_object_set_new(o, "settings", settings ? json_incref(settings) : json_object());
	if (json_object_get(doc, "map"))
		json_object_set(o, "map", json_object_get(doc, "map"));
	json_decref(empty);
	json_decref(doc);
	return o;
}

static int add_group(void *ctx, const char *tenant, const char *name, json_t *doc)
{
	(void)tenant;
	json_array_append_new(ctx, group_json(name, json_deep_copy(doc)));
	return 0;
}

static void get_groups(struct sluice_call *c)
{
	json_t *list = json_array();

	sluice_fleet_each(c->server->fleet, SLUICE_FLEET_GROUP, c->who.tenant, add_group, list);
	sluice_answer_json(c, 200, json_pack("{s:o}", "groups", list));
}

static void get_group(struct sluice_call *c)
{
	json_t *doc;
	int err = sluice_fleet_get(c->server->fleet, SLUICE_FLEET_GROUP, c->who.tenant, c->part[0],
				   &doc);

	if (!err)
		sluice_answer_document(c, 200, group_json(c->part[0], doc));
	else
		sluice_answer_error(c, err);
}

/* ---- members ---- */

/* Tell the devices of a group, those of its cameras too. */
static void tell_members(struct sluice_call *c, const json_t *doc)
{
	json_t *devices = json_object_get(doc, "devices"), *v;
	json_t *cameras = json_object_get(doc, "cameras");
	struct sluice_camera camera;
	uint8_t id[16];
	size_t i;

	json_array_foreach (devices, i, v)
		sluice_desire_changed(c->server, c->who.tenant, json_string_value(v));
	json_array_foreach (cameras, i, v)
		if (!sluice_unhex(json_string_value(v), id, 16) &&
		    !c->index->ops->camera_find(c->index, id, &camera))
			sluice_desire_changed(c->server, camera.tenant, camera.device);
}

/* 0; -EEXIST: another group has it; -ENOMEM. */
static int is_free(struct sluice_call *c, const char *key, const char *member, const char *group)
{
	char name[SLUICE_NAME_MAX];
	json_t *other;
	int err = sluice_fleet_group_of(c->server->fleet, c->who.tenant, key, member, name, &other);

	json_decref(other);
	if (err == -ENOENT || (!err && !strcmp(name, group)))
		return 0;
	return err ? err : -EEXIST;
}

/* 0, or -errno after an answer. */
static int check_members(struct sluice_call *c, const json_t *doc, const char *key,
			 const char *group)
{
	json_t *list = json_object_get(doc, key), *v;
	struct sluice_camera camera;
	char text[160];
	int err;
	size_t i;

	if (list && (!json_is_array(list) || json_array_size(list) > SLUICE_MEMBERS_MAX)) {
		sluice_answer_problem(c, 400, "devices and cameras are arrays of at most 4096");
		return -EINVAL;
	}
	json_array_foreach (list, i, v) {
		const char *member = json_string_value(v);
		int camera_key = !strcmp(key, "cameras");

		if (!member || (!camera_key && !sluice_name_valid(member))) {
			sluice_answer_problem(c, 400, "devices has names, cameras have ids");
			return -EINVAL;
		}
		if (camera_key && sluice_fleet_find_camera(c, member, &camera))
			return -ENOENT;
		err = is_free(c, key, member, group);
		if (!err)
			continue;
		if (err != -EEXIST) {
			sluice_answer_error(c, err);
			return err;
		}
		snprintf(text, sizeof(text), "%.64s is in another group already", member);
		sluice_answer_problem(c, 409, text);
		return -EEXIST;
	}
	return 0;
}

static void write_group(struct sluice_call *c, const char *name, json_t *body,
			const int64_t *if_version, int status)
{
	struct sluice_fleet *f = c->server->fleet;
	json_t *enforce = json_object_get(body, "enforce"), *old;
	json_t *doc = sluice_call_wish(c, body, keys, sizeof(keys) / sizeof(keys[0]));
	int err = doc ? 0 : -EINVAL;

	if (sluice_fleet_get(f, SLUICE_FLEET_GROUP, c->who.tenant, name, &old) == -ENOMEM &&
	    !err) { /* who leaves it would not be told */
		sluice_answer_error(c, -ENOMEM);
		err = -ENOMEM;
	}
	if (!err && enforce && !json_is_boolean(enforce)) {
		sluice_answer_problem(c, 400, "enforce is true or false");
		err = -EINVAL;
	}
	if (!err)
		err = check_members(c, doc, "devices", name);
	if (!err)
		err = check_members(c, doc, "cameras", name);
	if (!err)
		err = sluice_call_audit(c, c->who.tenant, "group.change", name, SLUICE_OK);
	if (err) {
		json_decref(doc);
		json_decref(old);
		return;
	}
	json_object_set_new(doc, "by", json_string(c->who.name));
	json_object_set_new(doc, "at_ns", json_integer((json_int_t)sluice_utc_now()));
	json_incref(doc);
	err = sluice_fleet_put(f, SLUICE_FLEET_GROUP, c->who.tenant, name, doc, if_version);
	if (err) {
		sluice_answer_put(c, err);
		json_decref(doc);
	} else {
		sluice_info("%s has changed the group %s", c->who.name, name);
		tell_members(c, old); /* those who left, too */
		tell_members(c, doc);
		sluice_answer_document(c, status, group_json(name, doc));
	}
	json_decref(old);
}

static void post_groups(struct sluice_call *c)
{
	json_t *body = sluice_call_object(c);
	const char *given = json_string_value(json_object_get(body, "name"));
	const int64_t none = 0;
	char name[SLUICE_NAME_MAX];

	if (!body)
		return;
	if (given && sluice_name_valid(given)) {
		snprintf(name, sizeof(name), "%s", given);
		json_object_del(body, "name");
		write_group(c, name, body, &none, 201);
	} else {
		sluice_answer_problem(
			c, 400, "name is 1 to 31 letters, digits, dots, hyphens, underscores");
	}
	json_decref(body);
}

static void put_group(struct sluice_call *c)
{
	const int64_t *if_version;
	int64_t version;
	json_t *body;

	if (!sluice_name_valid(c->part[0])) {
		sluice_answer_error(c, -ENOENT);
		return;
	}
	if (sluice_call_match(c, &version, &if_version))
		return;
	body = sluice_call_object(c);
	if (body)
		write_group(c, c->part[0], body, if_version, 200);
	json_decref(body);
}

static void delete_group(struct sluice_call *c)
{
	struct sluice_fleet *f = c->server->fleet;
	const int64_t *if_version;
	int64_t version;
	json_t *old;
	int err = sluice_fleet_get(f, SLUICE_FLEET_GROUP, c->who.tenant, c->part[0], &old);

	if (err == -ENOMEM)
		sluice_answer_error(c, err);
	else if (!sluice_call_match(c, &version, &if_version) &&
		 !sluice_call_audit(c, c->who.tenant, "group.drop", c->part[0], SLUICE_OK)) {
		err = sluice_fleet_remove(f, SLUICE_FLEET_GROUP, c->who.tenant, c->part[0],
					  version ? if_version : NULL);
		if (err) {
			sluice_answer_put(c, err);
		} else {
			sluice_info("%s has removed the group %s", c->who.name, c->part[0]);
			tell_members(c, old);
			sluice_answer_nothing(c);
		}
	}
	json_decref(old);
}

const struct sluice_route sluice_api_groups[] = {
	{ SLUICE_HTTP_GET, "/v1/groups", SLUICE_ADMIN, SLUICE_SCOPE_SETTINGS, get_groups,
	  "listGroups" },
	{ SLUICE_HTTP_POST, "/v1/groups", SLUICE_ADMIN, SLUICE_SCOPE_SETTINGS, post_groups,
	  "addGroup" },
	{ SLUICE_HTTP_GET, "/v1/groups/{group}", SLUICE_ADMIN, SLUICE_SCOPE_SETTINGS, get_group,
	  "getGroup" },
	{ SLUICE_HTTP_PUT, "/v1/groups/{group}", SLUICE_ADMIN, SLUICE_SCOPE_SETTINGS, put_group,
	  "putGroup" },
	{ SLUICE_HTTP_DELETE, "/v1/groups/{group}", SLUICE_ADMIN, SLUICE_SCOPE_SETTINGS,
	  delete_group, "deleteGroup" },
	{ 0 },
};
