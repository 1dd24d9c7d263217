// SPDX-License-Identifier: MIT
/* api_health.c - is the node alive? */
#include "cloud/api_call.h"

static void get_health(struct sluice_call *c)
{
	sluice_answer_json(c, 200, json_pack("{s:s}", "status", "ok"));
}

const struct sluice_route sluice_api_health[] = {
	{ SLUICE_HTTP_GET, "/healthz", SLUICE_ANYBODY, 0, get_health, "getHealth" },
	{ 0 },
};
