// SPDX-License-Identifier: MIT
/*
 * api.c - the tables of routes joined, who asks, and may they?
 *
 * Open are the health check, the certificate of the authority and enrolment (which needs its
 * one-time token); a device's routes need its certificate; everything else needs a person's or an
 * API token's credential. Whom nobody knows is answered 401 also where there is no route: strangers
 * learn nothing.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "cloud/api.h"
#include "cloud/api_call.h"
#include "cloud/device.h"

static const struct sluice_route *const tables[] = {
	sluice_api_health,  sluice_api_enrol,	  sluice_api_certificates,
	sluice_api_cameras, sluice_api_summaries, sluice_api_store,
};

int sluice_api_routes(int (*fn)(void *ctx, const struct sluice_route *r), void *ctx)
{
	const struct sluice_route *r;
	size_t i;
	int rc;

	for (i = 0; i < sizeof(tables) / sizeof(tables[0]); i++) {
		for (r = tables[i]; r->path; r++) {
			rc = fn(ctx, r);
			if (rc)
				return rc;
		}
	}
	return 0;
}

struct part {
	size_t at, size; /* in the path */
};

/* Does the path fit the pattern? Where its parts lie; their number, or -1. */
static int match_path(const char *pattern, const char *path, struct part part[SLUICE_PARTS_MAX])
{
	const char *at = path;
	int n = 0;

	while (*pattern) {
		if (*pattern != '{') {
			if (*pattern++ != *at++)
				return -1;
			continue;
		}
		pattern += strcspn(pattern, "}") + 1;
		part[n] = (struct part){ (size_t)(at - path), strcspn(at, "/") };
		if (!part[n].size)
			return -1;
		at += part[n++].size;
	}
	return *at ? -1 : n;
}

struct search {
	struct sluice_call *call;
	enum sluice_http_method method;
	const struct sluice_route *found; /* NULL: none of that path and method */
	const struct sluice_route *other; /* of that path, with another method */
	struct part part[SLUICE_PARTS_MAX];
	int parts;
	char allow[32];
};

static void add_allowed(char *allow, size_t size, enum sluice_http_method method)
{
	static const char *const names[] = {
		[SLUICE_HTTP_GET] = "GET, HEAD",
		[SLUICE_HTTP_POST] = "POST",
		[SLUICE_HTTP_PUT] = "PUT",
		[SLUICE_HTTP_DELETE] = "DELETE",
	};
	size_t used = strlen(allow);

	snprintf(allow + used, size - used, "%s%s", used ? ", " : "", names[method]);
}

static int look_at(void *ctx, const struct sluice_route *r)
{
	struct search *s = ctx;
	struct part part[SLUICE_PARTS_MAX];
	int parts = match_path(r->path, s->call->path, part);

	if (parts < 0)
		return 0;
	add_allowed(s->allow, sizeof(s->allow), r->method);
	if (r->method != s->method) {
		s->other = r;
	} else if (!s->found) { /* the first one wins: fixed paths stand before {parts} */
		s->found = r;
		s->parts = parts;
		memcpy(s->part, part, sizeof(part));
	}
	return 0;
}

static void cut_parts(struct sluice_call *c, const struct search *s)
{
	int i;

	for (i = 0; i < s->parts; i++) {
		c->part[i] = c->path + s->part[i].at;
		c->path[s->part[i].at + s->part[i].size] = 0;
	}
}

/* 0, or -EACCES; fills who asks. */
static int identify(struct sluice_call *c)
{
	const char *field = sluice_http_field(c->request, "authorization");
	int err;

	if (!field || strncasecmp(field, "Bearer ", 7) != 0)
		return -EACCES;
	err = sluice_auth_admin_check(c->auth, field + 7, c->who.tenant);
	if (err)
		return err;
	c->who.role = SLUICE_ADMIN;
	c->who.scopes = SLUICE_SCOPE_ALL;
	snprintf(c->who.name, sizeof(c->who.name), "admin");
	c->whose.tenant = c->who.tenant;
	return 0;
}

/* Runs the route if the peer is a device that may; it has answered in any case. */
static void handle_device(struct sluice_call *c, const struct sluice_route *r)
{
	const char *why;
	int status = sluice_device_check(c->auth, c->peer, &c->device, &why);

	if (status)
		sluice_answer_problem(c, status, why);
	else
		r->handle(c);
}

static void handle_person(struct sluice_call *c, const struct sluice_route *r)
{
	if (c->who.role < r->least)
		sluice_answer_problem(c, 403,
				      r->least == SLUICE_ADMIN ? "an administrator may do that"
							       : "an operator may do that");
	else if ((c->who.scopes & r->scope) != r->scope)
		sluice_answer_problem(c, 403, "the API token lacks the scope for that");
	else
		r->handle(c);
}

static int is_for_persons(const struct sluice_route *r)
{
	return r->least >= SLUICE_VIEWER;
}

void sluice_api_handle(struct sluice_call *c)
{
	struct search s = { .call = c, .method = c->request->method };
	const struct sluice_route *any;
	int err = 0;

	if (s.method == SLUICE_HTTP_HEAD)
		s.method = SLUICE_HTTP_GET; /* the connection leaves the body out */
	if (sluice_http_path(c->request, c->path, sizeof(c->path))) {
		sluice_answer_problem(c, 400, "malformed path");
		return;
	}
	sluice_api_routes(look_at, &s);
	any = s.found ? s.found : s.other;
	if (!any || is_for_persons(any))
		err = identify(c);
	if (err == -EACCES) {
		sluice_answer_problem(c, 401,
				      "sign in, or send 'Authorization: Bearer TOKEN' with an API "
				      "token, as the one of sluice-cloud init");
		c->out->authenticate = 1;
	} else if (err) {
		sluice_answer_error(c, err);
	} else if (!any) {
		sluice_answer_problem(c, 404, NULL);
	} else if (!s.found) {
		sluice_answer_problem(c, 405, NULL);
		memcpy(c->out->allow, s.allow, sizeof(s.allow));
	} else {
		cut_parts(c, &s);
		if (any->least == SLUICE_ANYBODY)
			any->handle(c);
		else if (any->least == SLUICE_DEVICE)
			handle_device(c, any);
		else
			handle_person(c, any);
	}
}
