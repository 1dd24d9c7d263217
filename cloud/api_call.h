/* SPDX-License-Identifier: MIT */
/*
 * api_call.h - one request in the hands of its handler, and how it answers.
 *
 * A noun has its file api_NOUN.c, which exports its table of routes; api.c joins the tables, finds
 * out who asks, holds role and scope against the route, and calls the handler. A handler answers in
 * any case: now, by one of the functions below; or later (sluice_http_later()).
 *
 * Handlers run in the thread of the event loop that has the connection: they use c->auth and
 * c->index, which are that loop's own, and never block longer than one look into an index takes.
 */
#ifndef SLUICE_API_CALL_H
#define SLUICE_API_CALL_H

#include <jansson.h>

#include "cloud/response.h"
#include "cloud/server.h"
#include "cloud/whose.h"
#include "lib/http1.h"

#define SLUICE_PARTS_MAX 4 /* {parts} of one route */

/* Least first: who may do something may do everything before it, but for devices. */
enum sluice_role {
	SLUICE_ANYBODY, /* no credential is looked at */
	SLUICE_DEVICE,	/* a device's certificate, and nothing else */
	SLUICE_VIEWER,
	SLUICE_OPERATOR,
	SLUICE_ADMIN,
};

/* What an API token is good for, beside its role. A person's session has all of them. */
enum sluice_scope {
	SLUICE_SCOPE_READ = 1,	   /* lists, health, ledger */
	SLUICE_SCOPE_MEDIA = 2,	   /* pictures, videos, stills, exports */
	SLUICE_SCOPE_SETTINGS = 4, /* settings and commands of devices, pins */
	SLUICE_SCOPE_ENROL = 8,	   /* enrolment tokens, revocation */
	SLUICE_SCOPE_ADMIN = 16,   /* users, API tokens, audit */
	SLUICE_SCOPE_ALL = 31,
};

struct sluice_who {
	enum sluice_role role;
	unsigned int scopes;
	char tenant[SLUICE_NAME_MAX];
	char name[SLUICE_NAME_MAX]; /* of the user or the API token, for the audit log */
};

struct sluice_call {
	/* from the connection */
	struct sluice_server *server;
	struct sluice_loop *loop;
	struct sluice_auth *auth;   /* the loop's */
	struct sluice_index *index; /* the loop's */
	struct client *client;
	const struct sluice_http *request;
	const struct sluice_tls_peer *peer; /* its certificate, if one came */
	const char *address;		    /* of the peer, for people */
	const uint8_t *body;
	size_t size;
	/* from api.c */
	char path[512];			      /* decoded, cut where parts end */
	const char *part[SLUICE_PARTS_MAX];   /* values of the route's {parts}, in order */
	struct sluice_who who;		      /* of a person's or an API token's request */
	struct sluice_whose whose;	      /* for every query: who.tenant, granted cameras */
	struct sluice_session_request device; /* on a device's routes */
	struct sluice_response *out;
};

struct sluice_route {
	enum sluice_http_method method; /* HEAD is answered wherever GET is */
	const char *path;		/* "/v1/cameras/{camera}/settings"; {part}: no slash */
	enum sluice_role least;
	unsigned int scope; /* one of enum sluice_scope; 0 for ANYBODY and DEVICE */
	void (*handle)(struct sluice_call *c);
	const char *operation; /* operationId in docs/openapi.yaml */
};

/* Each ends with a row of zeros. */
extern const struct sluice_route sluice_api_health[], sluice_api_enrol[], sluice_api_certificates[],
	sluice_api_cameras[], sluice_api_summaries[], sluice_api_store[];

/* ---- answers ---- */

/* Takes the reference; NULL: 500. */
void sluice_answer_json(struct sluice_call *c, int status, json_t *json);

/* problem+json of RFC 9457. detail: a sentence for people, what to do next; NULL: none. */
void sluice_answer_problem(struct sluice_call *c, int status, const char *detail);

/* What a failed call below means: 404 for -ENOENT, 503 for -EBUSY, else 500 and a line in the log.
 */
void sluice_answer_error(struct sluice_call *c, int err);

/* 204. */
void sluice_answer_nothing(struct sluice_call *c);

/* ---- reading the request ---- */

/* Its JSON object, a new reference, or NULL after a 400. */
json_t *sluice_call_object(struct sluice_call *c);

/* A whole number within bounds from the query; the fallback if it is absent; -1: wrong. */
int64_t sluice_call_number(struct sluice_call *c, const char *name, int64_t fallback, int64_t min,
			   int64_t max);

/* A name (of a camera, a device) from the query: 0; -ENOENT: absent; else -errno after a 400. */
int sluice_call_name(struct sluice_call *c, const char *name, char out[SLUICE_NAME_MAX]);

#endif
