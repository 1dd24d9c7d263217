// SPDX-License-Identifier: MIT
/* api_stream.c - GET /v1/stream: see stream.h. */
#include "cloud/api_call.h"
#include "cloud/stream.h"

static void get_stream(struct sluice_call *c)
{
	sluice_stream_answer(c->server->api->stream, c);
}

const struct sluice_route sluice_api_stream[] = {
	{ SLUICE_HTTP_GET, "/v1/stream", SLUICE_VIEWER, SLUICE_SCOPE_READ | SLUICE_AT_LOOP,
	  get_stream, "getStream" },
	{ 0 },
};
