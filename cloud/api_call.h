/* SPDX-License-Identifier: MIT */
/*
 * api_call.h - one request in the hands of its handler, and how it answers.
 *
 * A noun has its file api_NOUN.c, which exports its table of routes; api.c joins the tables, finds
 * out who asks, holds role and scope against the route, and calls the handler. A handler answers in
 * any case: now, by one of the functions below; or later (sluice_http_later()).
 *
 * Handlers use c->auth and c->index, which are their thread's own. Where the data bases are files
 * they run in the thread of the event loop that has the connection, and never block longer than one
 * look into an index takes; else at the desk (desk.h), whose threads may wait, and where the loop's
 * io and the connection must be left alone. What needs the loop has a route that says so
 * (SLUICE_AT_LOOP): who asks is found out at the desk, if that is to be known, and the handler runs
 * in the loop.
 */
#ifndef SLUICE_API_CALL_H
#define SLUICE_API_CALL_H

#include <jansson.h>

#include "cloud/api_state.h"
#include "cloud/response.h"
#include "cloud/server.h"
#include "cloud/whose.h"
#include "lib/http1.h"

#define SLUICE_PARTS_MAX 4 /* {parts} of one route */

struct sluice_call {
	/* from the connection */
	struct sluice_server *server;
	struct sluice_loop *loop;
	struct sluice_auth *auth;   /* the thread's */
	struct sluice_index *index; /* the thread's */
	struct client *client;	    /* NULL: at the desk */
	struct sluice_later
		*later; /* at the desk: what it is answered by, until somebody takes it */
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
	const struct sluice_route *at_loop; /* whoever may ask has been let in: call its handler */
	struct sluice_response *out;
};

/* It needs the event loop, and neither c->auth nor c->index. */
#define SLUICE_AT_LOOP 0x100u

struct sluice_route {
	enum sluice_http_method method; /* HEAD is answered wherever GET is */
	const char *path;		/* "/v1/cameras/{camera}/settings"; {part}: no slash */
	enum sluice_role least;
	unsigned int scope; /* one of enum sluice_scope; 0 for ANYBODY and DEVICE; SLUICE_AT_LOOP */
	void (*handle)(struct sluice_call *c);
	const char *operation; /* operationId in docs/openapi.yaml */
};

/* Each ends with a row of zeros. */
extern const struct sluice_route sluice_api_health[], sluice_api_enrol[], sluice_api_certificates[],
	sluice_api_session[], sluice_api_totp[], sluice_api_users[], sluice_api_apitokens[],
	sluice_api_audit[], sluice_api_cameras[], sluice_api_ledger[], sluice_api_timeline[],
	sluice_api_stream[], sluice_api_summaries[], sluice_api_devices[], sluice_api_groups[],
	sluice_api_desired[], sluice_api_about[], sluice_api_web[], sluice_api_store[],
	sluice_api_zones[], sluice_api_retune[], sluice_api_exports[], sluice_api_jobs[];

/* For what was handed to another thread, to be answered into *r: a call with what was kept of the
 * first one, so without its request and whose. address is borrowed. */
struct sluice_call sluice_call_again(struct sluice_loop *loop, const struct sluice_who *who,
				     const char *address, struct sluice_response *r);

/* ---- who did it ---- */

/* For the audit log; the address is borrowed from the call. */
struct sluice_actor sluice_call_actor(const struct sluice_call *c);

/* A line that belongs to no change (auth.h): what was read or refused. 0, or -errno after a 503:
 * what cannot be logged must not be done. action: static. */
int sluice_call_audit(struct sluice_call *c, const char *tenant, const char *action,
		      const char *what, enum sluice_result result);

/* ---- answers ---- */

/* Takes the reference; NULL: 500. */
void sluice_answer_json(struct sluice_call *c, int status, json_t *json);

/* problem+json of RFC 9457. detail: a sentence for people, what to do next; NULL: none. */
void sluice_answer_problem(struct sluice_call *c, int status, const char *detail);

/* The same with a type of its own, "urn:sluice:...", for programs to tell it from others. */
void sluice_answer_typed(struct sluice_call *c, int status, const char *type, const char *detail);

/* What a failed call below means: 404 for -ENOENT, 503 with Retry-After for what passes by itself
 * (a data base that is away), else 500; a line in the log. */
void sluice_answer_error(struct sluice_call *c, int err);

/* 204. */
void sluice_answer_nothing(struct sluice_call *c);

/* ---- reading the request ---- */

/* Its JSON object, a new reference, or NULL after a 400. */
json_t *sluice_call_object(struct sluice_call *c);

/* A whole number within bounds from the query; the fallback if it is absent; -1: wrong. */
int64_t sluice_call_number(struct sluice_call *c, const char *name, int64_t fallback, int64_t min,
			   int64_t max);

/* List of camera ids from JSON (an array of them; null or absent: NULL in *list, all) as whose.h
 * has it; text: its memory. 0, or -EINVAL after a 400. */
int sluice_call_grants(struct sluice_call *c, const json_t *json, char text[SLUICE_GRANTS_TEXT],
		       const char **list);

/* What json_pack() puts for a list as in whose.h; a new reference. */
json_t *sluice_grants_json(int restricted, const char *cameras);

/* An array of names; a new reference. */
json_t *sluice_scopes_json(unsigned int scopes);

/* RFC 3339, or null for 0; a new reference. */
json_t *sluice_time_json(uint64_t utc_ns);

/* A camera's id from the path, if the caller may see it: 0, else it has answered. */
int sluice_call_camera(struct sluice_call *c, const char *hex, uint8_t id[16]);

/* A name (of a camera, a device) from the query: 0; -ENOENT: absent; else -errno after a 400. */
int sluice_call_name(struct sluice_call *c, const char *name, char out[SLUICE_NAME_MAX]);

#endif
