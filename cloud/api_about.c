// SPDX-License-Identifier: MIT
/*
 * api_about.c - what this node is and what it can do. The list of routes is the server's own table:
 * a page or a program that knows more than this node has looks there first.
 */
#include <errno.h>

#include "cloud/api.h"
#include "cloud/api_call.h"
#include "lib/wire.h"

#define SLUICE_CLOUD_VERSION "0.1"

static int add_route(void *ctx, const struct sluice_route *r)
{
	static const char *const methods[] = {
		[SLUICE_HTTP_GET] = "GET",
		[SLUICE_HTTP_POST] = "POST",
		[SLUICE_HTTP_PUT] = "PUT",
		[SLUICE_HTTP_DELETE] = "DELETE",
	};

	return json_array_append_new(ctx, json_sprintf("%s %s", methods[r->method], r->path));
}

static void get_about(struct sluice_call *c)
{
	json_t *routes = json_array();
	char now[32];

	sluice_rfc3339(sluice_utc_now(), now);
	if (!routes || sluice_api_routes(add_route, routes)) {
		json_decref(routes);
		sluice_answer_error(c, -ENOMEM);
		return;
	}
	sluice_answer_json(c, 200,
			   json_pack("{s:s,s:s,s:s,s:s,s:{s:b},s:o}", "name", "sluice-cloud",
				     "version", SLUICE_CLOUD_VERSION, "node", c->server->node,
				     "time", now, "features", "digests", c->server->c.digests,
				     "routes", routes));
}

const struct sluice_route sluice_api_about[] = {
	{ SLUICE_HTTP_GET, "/v1/about", SLUICE_VIEWER, SLUICE_SCOPE_READ, get_about, "getAbout" },
	{ 0 },
};
