// SPDX-License-Identifier: MIT
/* cmd_routes.c - sluice-cloud routes: METHOD PATH ROLE SCOPE OPERATION, a line each. A test holds
 * docs/openapi.yaml against it; it is no part of the help. */
#include <stdio.h>

#include "cloud/api.h"
#include "cloud/api_call.h"
#include "cloud/cmd.h"

static int print_route(void *ctx, const struct sluice_route *r)
{
	static const char *const roles[] = { "anybody", "device", "viewer", "operator", "admin" };
	static const char *const methods[] = { "", "GET", "HEAD", "POST", "PUT", "DELETE" };
	static const char *const scopes[] = { "read", "media", "settings", "enrol", "admin" };
	const char *scope = "-";
	unsigned int i;

	for (i = 0; i < sizeof(scopes) / sizeof(scopes[0]); i++)
		if ((r->scope & SLUICE_SCOPE_ALL) == 1u << i)
			scope = scopes[i];
	printf("%s %s %s %s %s\n", methods[r->method], r->path, roles[r->least], scope,
	       r->operation);
	return 0;
}

int sluice_cmd_routes(int argc, char **argv)
{
	if (argc != 1)
		return sluice_cmd_usage(argv[0], "unexpected word '%s'", argv[1]);
	return sluice_api_routes(print_route, NULL);
}
