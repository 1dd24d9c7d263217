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
#include <stdlib.h>
#include <string.h>
#include <openssl/crypto.h>

#include "cloud/api.h"
#include "cloud/api_call.h"
#include "cloud/conf.h"
#include "cloud/device.h"
#include "cloud/indexconf.h"
#include "cloud/people.h"
#include "lib/log.h"

static const struct sluice_route *const tables[] = {
	sluice_api_health,    sluice_api_enrol,	  sluice_api_certificates, sluice_api_session,
	sluice_api_totp,      sluice_api_users,	  sluice_api_apitokens,	   sluice_api_audit,
	sluice_api_cameras,   sluice_api_ledger,  sluice_api_timeline,	   sluice_api_stream,
	sluice_api_summaries, sluice_api_devices, sluice_api_groups,	   sluice_api_desired,
	sluice_api_about,     sluice_api_web,	  sluice_api_store,	   sluice_api_zones,
	sluice_api_retune,    sluice_api_exports, sluice_api_jobs,
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
	const struct sluice_api *api = c->server->api;
	uint64_t now = sluice_utc_now();
	char secret[SLUICE_SECRET_MAX];
	int err = -EACCES;

	switch (sluice_credential_read(c->request, secret)) {
	case SLUICE_BEARER:
		err = sluice_auth_apitoken_check(c->auth, secret, now, &c->who);
		break;
	case SLUICE_COOKIE_SENT:
		err = sluice_auth_session_check(c->auth, secret, now, &api->lives, &c->who);
		break;
	case SLUICE_NO_CREDENTIAL:
		break;
	}
	OPENSSL_cleanse(secret, sizeof(secret));
	if (err)
		return err;
	c->whose.tenant = c->who.tenant;
	c->whose.cameras = c->who.restricted ? c->who.cameras : NULL;
	sluice_auditor_used(api->auditor, &c->who, now);
	return 0;
}

static void serve(struct sluice_call *c, const struct sluice_route *r)
{
	if (r->scope & SLUICE_AT_LOOP && !c->client)
		c->at_loop = r;
	else
		r->handle(c);
}

/* Runs the route if the peer is a device that may; it has answered in any case. */
static void handle_device(struct sluice_call *c, const struct sluice_route *r)
{
	const char *why;
	int status = sluice_device_check(c->auth, c->peer, &c->device, &why);

	if (status) {
		sluice_answer_problem(c, status, why);
		c->out->retry_s = status == 503 ? 5 : 0;
		return;
	}
	serve(c, r);
}

/* A browser adds the cookie to whatever any page asks for: what changes something must show more.
 */
static int is_forged(const struct sluice_call *c)
{
	char secret[SLUICE_SECRET_MAX];
	int err;

	if (!c->who.is_session || c->request->method == SLUICE_HTTP_GET ||
	    c->request->method == SLUICE_HTTP_HEAD)
		return 0;
	sluice_credential_read(c->request, secret);
	err = sluice_csrf_check(c->request, secret);
	OPENSSL_cleanse(secret, sizeof(secret));
	return err != 0;
}

/* One's own session, password and second factor: what may be used before there is one. */
static int is_own(const struct sluice_route *r)
{
	return !strncmp(r->path, "/v1/session", strlen("/v1/session")) && !r->scope;
}

/* Must the person have a second factor first? Not asked of tokens: programs have none. */
static int lacks_factor(const struct sluice_call *c)
{
	static const enum sluice_role least[] = { [SLUICE_TOTP_ADMIN] = SLUICE_ADMIN,
						  [SLUICE_TOTP_OPERATOR] = SLUICE_OPERATOR,
						  [SLUICE_TOTP_ALL] = SLUICE_VIEWER };
	unsigned int wanted = c->server->c.conf->auth.totp;

	return wanted && c->who.is_session && !c->who.totp && c->who.role >= least[wanted];
}

static void handle_person(struct sluice_call *c, const struct sluice_route *r)
{
	if (c->who.role < r->least)
		sluice_answer_problem(c, 403,
				      r->least == SLUICE_ADMIN ? "an administrator may do that"
							       : "an operator may do that");
	else if (r->scope & SLUICE_SCOPE_ALL & ~c->who.scopes)
		sluice_answer_problem(c, 403, "the API token lacks the scope for that");
	else if (c->who.restricted && r->scope & (SLUICE_SCOPE_ENROL | SLUICE_SCOPE_ADMIN))
		sluice_answer_problem(c, 403, "who is restricted to some cameras may not do that");
	else if (lacks_factor(c) && !is_own(r))
		sluice_answer_typed(c, 403, "urn:sluice:factor-needed",
				    "turn on the second factor of your account first");
	else if (is_forged(c))
		sluice_answer_problem(
			c, 403,
			"send X-CSRF-Token as GET /v1/session gives it, from a page of "
			"this server");
	else
		serve(c, r);
}

static int is_for_persons(const struct sluice_route *r)
{
	return r->least >= SLUICE_VIEWER;
}

static int is_in(const struct sluice_route *table, const struct sluice_route *r)
{
	while (table->path && table != r)
		table++;
	return table == r;
}

/* A node for devices has what devices ask for, one that only works its health. */
static int is_here(const struct sluice_server *s, const struct sluice_route *r)
{
	return sluice_server_serves(s) || is_in(sluice_api_health, r) ||
	       (sluice_server_ingests(s) && !is_for_persons(r) &&
		(is_in(sluice_api_enrol, r) || is_in(sluice_api_certificates, r)));
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
	} else if (!is_here(c->server, any)) {
		sluice_answer_problem(c, 404, "not on this node: ask one of role api");
	} else if (!s.found) {
		sluice_answer_problem(c, 405, NULL);
		memcpy(c->out->allow, s.allow, sizeof(s.allow));
	} else {
		cut_parts(c, &s);
		if (any->least == SLUICE_ANYBODY)
			serve(c, any);
		else if (any->least == SLUICE_DEVICE)
			handle_device(c, any);
		else
			handle_person(c, any);
	}
}

int sluice_api_waits(struct sluice_call *c)
{
	struct search s = { .call = c, .method = c->request->method };

	if (s.method == SLUICE_HTTP_HEAD)
		s.method = SLUICE_HTTP_GET;
	if (sluice_http_path(c->request, c->path, sizeof(c->path)))
		return 0;
	sluice_api_routes(look_at, &s);
	return !(s.found && s.found->least == SLUICE_ANYBODY && s.found->scope & SLUICE_AT_LOOP);
}

/* What the reader's thread reads with. */
static int open_shelf(const char *data, struct sluice_media *media, struct sluice_shelf *s)
{
	int err;

	s->data = data;
	s->media = media;
	err = sluice_index_open(data, &s->index);
	if (err)
		return err;
	s->rebuild = sluice_rebuild_open();
	return s->rebuild ? 0 : -ENOMEM;
}

int sluice_api_open(const char *data, const struct sluice_cloud_conf *conf,
		    struct sluice_media *media, struct sluice_api **out)
{
	struct sluice_api *a = calloc(1, sizeof(*a));
	struct sluice_auth *auth;
	int err = a ? 0 : -ENOMEM;

	*out = a;
	if (!err) {
		a->lives = (struct sluice_auth_lives){ conf->auth.session_idle_ms * 1000000,
						       conf->auth.session_life_ms * 1000000 };
		sluice_password_cost(conf->auth.scrypt_cost);
		a->slow = sluice_slow_open(SLUICE_PASSWORDS_MAX);
		a->reader = sluice_slow_open(SLUICE_READS_MAX);
		a->throttle = sluice_throttle_open(conf->auth.tries,
						   (uint32_t)(conf->auth.lockout_ms / 1000));
		a->stream = sluice_stream_open();
		if (!a->slow || !a->reader || !a->throttle || !a->stream)
			err = -ENOMEM;
	}
	if (!err && sluice_indexconf_pg())
		err = sluice_desk_open(data, SLUICE_DESK_THREADS, &a->desk);
	if (!err)
		err = open_shelf(data, media, &a->shelf);
	if (!err)
		err = sluice_people_auth(data, &auth);
	if (!err)
		a->auditor = sluice_auditor_open(auth, &a->lives, &err);
	if (err)
		sluice_error("cannot start what people need: %s", strerror(-err));
	return err;
}

void sluice_api_stop(struct sluice_api *a)
{
	if (!a)
		return;
	sluice_slow_stop(a->slow);
	sluice_slow_stop(a->reader);
	sluice_desk_stop(a->desk);
	sluice_auditor_stop(a->auditor);
}

void sluice_api_close(struct sluice_api *a)
{
	if (!a)
		return;
	sluice_slow_close(a->slow);
	sluice_slow_close(a->reader);
	sluice_desk_close(a->desk);
	sluice_auditor_close(a->auditor);
	sluice_throttle_close(a->throttle);
	sluice_stream_close(a->stream);
	sluice_rebuild_close(a->shelf.rebuild);
	sluice_index_close(a->shelf.index);
	free(a);
}
