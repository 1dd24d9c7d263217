/* SPDX-License-Identifier: MIT */
/* api.h - the REST routes: a request in, a response out; no connection in sight. */
#ifndef SLUICE_API_H
#define SLUICE_API_H

#include "cloud/server.h"
#include "lib/http1.h"

struct sluice_response {
	int status;
	const char *type;  /* Content-Type, static */
	const char *allow; /* Allow, static; NULL: none */
	int authenticate;  /* with WWW-Authenticate */
	uint8_t *body;	   /* malloc'd, the caller's; NULL if size is 0 */
	size_t size;
};

/* In any loop's thread. Always fills *out. peer: the certificate that came with the connection, if
 * one did. */
void sluice_api_handle(struct sluice_loop *l, const struct sluice_http *request,
		       const struct sluice_tls_peer *peer, const uint8_t *body, size_t size,
		       struct sluice_response *out);

/* problem+json of RFC 9457. detail: a sentence for people; NULL: none. */
void sluice_api_problem(struct sluice_response *out, int status, const char *detail);

#endif
