/* SPDX-License-Identifier: MIT */
/* api.h - the REST routes: a request in, a response out; no connection in sight. */
#ifndef SLUICE_API_H
#define SLUICE_API_H

#include "cloud/response.h"

struct sluice_call;
struct sluice_route;

/* The part "from the connection" of *c is filled, c->out is zeroed; fills it, always. */
void sluice_api_handle(struct sluice_call *c);

/* May that wait for a data base? */
int sluice_api_waits(struct sluice_call *c);

/* problem+json of RFC 9457. detail: a sentence for people; NULL: none. */
void sluice_api_problem(struct sluice_response *out, int status, const char *detail);

/* Every route, in order; non-zero ends the walk and is returned. */
int sluice_api_routes(int (*fn)(void *ctx, const struct sluice_route *r), void *ctx);

#endif
