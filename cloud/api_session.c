// SPDX-License-Identifier: MIT
/*
 * api_session.c - people sign in and out, change their password, list and end their sessions.
 *
 * A sign-in is tried at most as often as throttle.h allows, and looks up the password's hash in the
 * slow thread whether there is such a user or not, so that neither answer nor time tells.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <openssl/crypto.h>

#include "cloud/api_password.h"

#define COOKIE_FORM SLUICE_COOKIE "=%s; Path=/; Secure; HttpOnly; SameSite=Strict; Max-Age=%u"

/* csrf NULL: of an API token. */
static json_t *session_json(const struct sluice_who *w, const char *csrf)
{
	return json_pack("{s:s,s:s,s:s,s:o,s:o,s:s,s:s?,s:b,s:o,s:o}", "user", w->name, "tenant",
			 w->tenant, "role", sluice_role_name(w->role), "scopes",
			 sluice_scopes_json(w->scopes), "cameras",
			 sluice_grants_json(w->restricted, w->cameras), "kind",
			 w->is_session ? "session" : "token", "csrf", csrf, "totp", w->totp,
			 "expires", sluice_time_json(w->expires_ns), "idle_expires",
			 sluice_time_json(w->idle_ns));
}

/* ---- signing in ---- */

static void refuse_sign_in(struct sluice_call *c, const struct sluice_password_job *p)
{
	/* a name that is nobody's may be a password, typed in the wrong place */
	if (sluice_call_audit(c, p->known ? p->tenant : SLUICE_TENANT, "session.add",
			      p->known ? p->user : "an unknown user", SLUICE_FAILED))
		return;
	sluice_answer_problem(c, 401, "user, password or code is wrong");
}

/* 0, or it has answered. */
static int check_code(struct sluice_call *c, const struct sluice_password_job *p,
		      const struct sluice_auth_user *u)
{
	int err;

	if (!u->totp)
		return 0;
	if (!*p->code) {
		sluice_call_throttle_back(c, p->tenant, p->user, 0);
		sluice_answer_typed(c, 401, "urn:sluice:code-needed",
				    "send the code of the authenticator, or a recovery code, too");
		return -EACCES;
	}
	err = sluice_auth_totp_use(c->auth, u, p->code, sluice_utc_now() / 1000000000u);
	if (err == -EACCES)
		refuse_sign_in(c, p);
	else if (err)
		sluice_answer_error(c, err);
	return err;
}

static void give_session(struct sluice_call *c, const struct sluice_password_job *p)
{
	struct sluice_actor by = { .address = c->address };
	char secret[SLUICE_SECRET_MAX], id[SLUICE_SHORT_ID], csrf[SLUICE_CSRF_MAX];
	uint64_t now = sluice_utc_now();
	struct sluice_who who;
	int err;

	snprintf(by.who, sizeof(by.who), "user:%s", p->user);
	err = sluice_auth_session_add(c->auth, &by, p->tenant, p->user, now, secret, id);
	if (!err)
		err = sluice_auth_session_check(c->auth, secret, now, &c->server->api->lives, &who);
	if (err) {
		sluice_answer_error(c, err);
		return;
	}
	sluice_call_throttle_back(c, p->tenant, p->user, 1);
	sluice_csrf_token(secret, csrf);
	sluice_answer_json(c, 200, session_json(&who, csrf));
	snprintf(c->out->cookie, sizeof(c->out->cookie), COOKIE_FORM, secret,
		 (unsigned int)(c->server->api->lives.whole_ns / 1000000000u));
	OPENSSL_cleanse(secret, sizeof(secret));
}

static void finish_sign_in(struct sluice_call *c, struct sluice_password_job *p)
{
	struct sluice_auth_user u; /* as it is now: it may have been locked meanwhile */
	int err = sluice_auth_user_find(c->auth, p->tenant, p->user, &u);

	if (err && err != -ENOENT)
		sluice_answer_error(c, err);
	else if (p->err || err || u.disabled || strcmp(u.hash, p->stored))
		refuse_sign_in(c, p);
	else if (!check_code(c, p, &u))
		give_session(c, p);
	OPENSSL_cleanse(&u, sizeof(u));
}

/* 0, or -EINVAL after a 400. */
static int read_sign_in(struct sluice_call *c, const json_t *json, struct sluice_password_job *p)
{
	const char *user = json_string_value(json_object_get(json, "user"));
	const json_t *tenant = json_object_get(json, "tenant"),
		     *code = json_object_get(json, "code");

	if (!user || !sluice_name_valid(user) || (tenant && !json_is_string(tenant)) ||
	    (code && !json_is_string(code)) || json_string_length(code) >= SLUICE_CODE_MAX ||
	    (tenant && !sluice_name_valid(json_string_value(tenant)))) {
		sluice_answer_problem(c, 400,
				      "user and tenant must be names, password and code strings");
		return -EINVAL;
	}
	snprintf(p->user, sizeof(p->user), "%s", user);
	snprintf(p->tenant, sizeof(p->tenant), "%s",
		 tenant ? json_string_value(tenant) : SLUICE_TENANT);
	snprintf(p->code, sizeof(p->code), "%s", code ? json_string_value(code) : "");
	return sluice_password_take(c, json_object_get(json, "password"), 0, p->password);
}

static void post_session(struct sluice_call *c)
{
	struct sluice_password_job *p;
	struct sluice_auth_user u;
	json_t *json;
	int err;

	if (sluice_csrf_check(c->request, NULL)) {
		sluice_answer_problem(c, 403, "sign in from a page of this server");
		return;
	}
	json = sluice_call_object(c);
	p = json ? calloc(1, sizeof(*p)) : NULL;
	if (json && !p)
		sluice_answer_error(c, -ENOMEM);
	if (!p || read_sign_in(c, json, p) || sluice_call_throttle(c, p->tenant, p->user)) {
		sluice_password_drop(p);
		json_decref(json);
		return;
	}
	json_decref(json);
	err = sluice_auth_user_find(c->auth, p->tenant, p->user, &u);
	if (err && err != -ENOENT) {
		sluice_answer_error(c, err);
		sluice_password_drop(p);
		return;
	}
	p->known = !err;
	p->verify = 1;
	if (!err && !u.disabled)
		memcpy(p->stored, u.hash, sizeof(p->stored));
	OPENSSL_cleanse(&u, sizeof(u));
	p->finish = finish_sign_in;
	sluice_password_start(c, p);
}

/* ---- signed in ---- */

static void get_session(struct sluice_call *c)
{
	char secret[SLUICE_SECRET_MAX], csrf[SLUICE_CSRF_MAX];

	if (c->who.is_session) {
		sluice_credential_read(c->request, secret);
		sluice_csrf_token(secret, csrf);
		OPENSSL_cleanse(secret, sizeof(secret));
	}
	sluice_answer_json(c, 200, session_json(&c->who, c->who.is_session ? csrf : NULL));
}

static void delete_session(struct sluice_call *c)
{
	struct sluice_actor by = sluice_call_actor(c);
	int err;

	if (sluice_call_is_token(c))
		return;
	err = sluice_auth_session_drop(c->auth, &by, c->who.tenant, c->who.name, c->who.id);
	if (err && err != -ENOENT) {
		sluice_answer_error(c, err);
		return;
	}
	sluice_answer_nothing(c);
	snprintf(c->out->cookie, sizeof(c->out->cookie), COOKIE_FORM, "", 0u);
}

static void finish_password(struct sluice_call *c, struct sluice_password_job *p)
{
	struct sluice_auth_change change = { .hash = p->hash, .but = c->who.id };
	struct sluice_actor by = sluice_call_actor(c);
	int err;

	if (p->err) {
		if (!sluice_call_audit(c, p->tenant, "user.change", p->user, SLUICE_FAILED))
			sluice_answer_problem(c, 403, "password is not your present one");
		return;
	}
	sluice_call_throttle_back(c, p->tenant, p->user, 1);
	err = sluice_auth_user_change(c->auth, &by, p->tenant, p->user, &change);
	if (err)
		sluice_answer_error(c, err);
	else
		sluice_answer_nothing(c);
}

static void put_password(struct sluice_call *c)
{
	struct sluice_password_job *p;
	struct sluice_auth_user u;
	json_t *json;
	int err;

	if (sluice_call_is_token(c))
		return;
	json = sluice_call_object(c);
	p = json ? calloc(1, sizeof(*p)) : NULL;
	if (json && !p)
		sluice_answer_error(c, -ENOMEM);
	if (p) {
		memcpy(p->tenant, c->who.tenant, sizeof(p->tenant));
		memcpy(p->user, c->who.name, sizeof(p->user));
	}
	if (!p || sluice_password_take(c, json_object_get(json, "password"), 0, p->password) ||
	    sluice_password_take(c, json_object_get(json, "new"), 1, p->fresh) ||
	    sluice_call_throttle(c, p->tenant, p->user)) {
		sluice_password_drop(p);
		json_decref(json);
		return;
	}
	json_decref(json);
	err = sluice_auth_user_find(c->auth, p->tenant, p->user, &u);
	if (err) {
		sluice_answer_error(c, err);
		sluice_password_drop(p);
		return;
	}
	p->verify = 1;
	memcpy(p->stored, u.hash, sizeof(p->stored));
	OPENSSL_cleanse(&u, sizeof(u));
	p->finish = finish_password;
	sluice_password_start(c, p);
}

/* ---- the list ---- */

struct add_session {
	json_t *list;
	const char *current;
};

static int add_session(void *ctx, const struct sluice_who *w)
{
	struct add_session *a = ctx;
	uint64_t ends = w->expires_ns < w->idle_ns ? w->expires_ns : w->idle_ns;

	return json_array_append_new(
		a->list, json_pack("{s:s,s:s,s:o,s:o,s:o,s:s,s:b}", "id", w->id, "user", w->name,
				   "created", sluice_time_json(w->created_ns), "last_used",
				   sluice_time_json(w->used_ns), "expires", sluice_time_json(ends),
				   "address", w->address, "current", !strcmp(w->id, a->current)));
}

static void get_sessions(struct sluice_call *c)
{
	struct add_session a = { .current = c->who.id };
	char user[SLUICE_NAME_MAX];
	int err = sluice_call_name(c, "user", user);

	if (err && err != -ENOENT)
		return;
	if (err)
		memcpy(user, c->who.is_session ? c->who.name : "",
		       c->who.is_session ? sizeof(user) : 1);
	else if (strcmp(user, c->who.name) && c->who.role != SLUICE_ADMIN) {
		sluice_answer_problem(c, 403, "an administrator may do that");
		return;
	}
	a.list = json_array();
	err = sluice_auth_sessions(c->auth, c->who.tenant, user, sluice_utc_now(),
				   &c->server->api->lives, add_session, &a);
	if (err) {
		json_decref(a.list);
		sluice_answer_error(c, err);
		return;
	}
	sluice_answer_json(c, 200, json_pack("{s:o}", "sessions", a.list));
}

static void drop_session(struct sluice_call *c)
{
	struct sluice_actor by = sluice_call_actor(c);
	/* an administrator's API token needs the scope to touch others' */
	int any = c->who.role == SLUICE_ADMIN && c->who.scopes & SLUICE_SCOPE_ADMIN;
	int err;

	if (!any && sluice_call_is_token(c))
		return;
	err = sluice_auth_session_drop(c->auth, &by, c->who.tenant, any ? NULL : c->who.name,
				       c->part[0]);
	if (err)
		sluice_answer_error(c, err);
	else
		sluice_answer_nothing(c);
}

const struct sluice_route sluice_api_session[] = {
	{ SLUICE_HTTP_POST, "/v1/session", SLUICE_ANYBODY, 0, post_session, "signIn" },
	{ SLUICE_HTTP_GET, "/v1/session", SLUICE_VIEWER, 0, get_session, "getSession" },
	{ SLUICE_HTTP_DELETE, "/v1/session", SLUICE_VIEWER, 0, delete_session, "signOut" },
	{ SLUICE_HTTP_PUT, "/v1/session/password", SLUICE_VIEWER, 0, put_password,
	  "changePassword" },
	{ SLUICE_HTTP_GET, "/v1/sessions", SLUICE_VIEWER, 0, get_sessions, "listSessions" },
	{ SLUICE_HTTP_DELETE, "/v1/sessions/{session}", SLUICE_VIEWER, 0, drop_session,
	  "dropSession" },
	{ 0 },
};
