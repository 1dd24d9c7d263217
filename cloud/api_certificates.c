// SPDX-License-Identifier: MIT
/* api_certificates.c - devices and how long their certificates are good. */
#include "cloud/api_call.h"

static int add_device(void *ctx, const struct sluice_auth_device *d)
{
	char enrolled[32], until[32];

	sluice_rfc3339(d->enrolled_ns, enrolled);
	sluice_rfc3339((uint64_t)d->not_after * 1000000000u, until);
	return json_array_append_new(ctx, json_pack("{s:s,s:s,s:s,s:b}", "name", d->device,
						    "enrolled", enrolled, "not_after", until,
						    "revoked", d->revoked));
}

static void get_devices(struct sluice_call *c)
{
	json_t *list = json_array();
	int err = sluice_auth_devices(c->auth, c->who.tenant, add_device, list);

	if (err) {
		json_decref(list);
		sluice_answer_error(c, err);
		return;
	}
	sluice_answer_json(c, 200, json_pack("{s:o}", "devices", list));
}

const struct sluice_route sluice_api_certificates[] = {
	{ SLUICE_HTTP_GET, "/v1/devices", SLUICE_VIEWER, SLUICE_SCOPE_READ, get_devices,
	  "listDevices" },
	{ 0 },
};
