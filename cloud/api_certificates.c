// SPDX-License-Identifier: MIT
/* api_certificates.c - devices and how long their certificates are good. */
#include <errno.h>
#include <string.h>

#include "cloud/api_fleet.h"
#include "cloud/roster.h"

struct add_devices {
	struct sluice_call *call;
	json_t *cameras, *list;
};

struct see_device {
	const char *name;
	int seen;
};

static int is_device(void *ctx, const struct sluice_camera *c, uint64_t seen_utc_ns, uint32_t width,
		     uint32_t height, const void *ledger, size_t ledger_size)
{
	struct see_device *s = ctx;

	s->seen |= !strcmp(s->name, c->device);
	return 0;
}

/* Who is restricted to cameras sees their devices only. */
static int may_see(struct sluice_call *c, const char *device)
{
	struct see_device s = { .name = device, .seen = !c->whose.cameras };
	int err = s.seen ? 0 : c->index->ops->cameras(c->index, &c->whose, is_device, &s);

	return err ? 0 : s.seen;
}

static int add_device(void *ctx, const struct sluice_auth_device *d)
{
	struct add_devices *a = ctx;
	struct sluice_call *c = a->call;
	json_t *row;

	if (!may_see(c, d->device))
		return 0;
	row = json_pack("{s:s,s:s,s:o,s:o,s:b}", "name", d->device, "label", d->label, "enrolled",
			sluice_time_json(d->enrolled_ns), "not_after",
			sluice_time_json((uint64_t)d->not_after * 1000000000u), "revoked",
			d->revoked);
	if (!row || sluice_fleet_device_json(c, d->device, a->cameras, row)) {
		json_decref(row);
		return -ENOMEM;
	}
	return json_array_append_new(a->list, row);
}

static void get_devices(struct sluice_call *c)
{
	struct add_devices a = { c, sluice_fleet_cameras_json(c), json_array() };
	int err = sluice_auth_devices(c->auth, c->who.tenant, add_device, &a);

	json_decref(a.cameras);
	if (err) {
		json_decref(a.list);
		sluice_answer_error(c, err);
		return;
	}
	sluice_answer_json(c, 200, json_pack("{s:o}", "devices", a.list));
}

static void put_device(struct sluice_call *c)
{
	struct sluice_actor by = sluice_call_actor(c);
	json_t *json = sluice_call_object(c);
	const char *label = json_string_value(json_object_get(json, "label"));
	int err;

	if (!json)
		return;
	err = label ? sluice_auth_label(c->auth, &by, c->who.tenant, c->part[0], label) : -EINVAL;
	if (err == -EINVAL)
		sluice_answer_problem(c, 400,
				      "label must be a string of at most 63 bytes without control "
				      "characters");
	else if (err)
		sluice_answer_error(c, err);
	else
		sluice_answer_nothing(c);
	json_decref(json);
}

static void delete_device(struct sluice_call *c)
{
	struct sluice_actor by = sluice_call_actor(c);
	int err = sluice_auth_revoke(c->auth, &by, c->who.tenant, c->part[0]);

	if (err)
		sluice_answer_error(c, err);
	else
		sluice_answer_nothing(c);
}

const struct sluice_route sluice_api_certificates[] = {
	{ SLUICE_HTTP_GET, "/v1/devices", SLUICE_VIEWER, SLUICE_SCOPE_READ, get_devices,
	  "listDevices" },
	{ SLUICE_HTTP_PUT, "/v1/devices/{device}", SLUICE_OPERATOR, SLUICE_SCOPE_ENROL, put_device,
	  "labelDevice" },
	{ SLUICE_HTTP_DELETE, "/v1/devices/{device}", SLUICE_ADMIN, SLUICE_SCOPE_ENROL,
	  delete_device, "revokeDevice" },
	{ 0 },
};
