// SPDX-License-Identifier: MIT
/* api_users.c - users of the tenant. Nobody locks, lowers or drops themself. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <openssl/crypto.h>

#include "cloud/api_password.h"

static json_t *user_json(const struct sluice_auth_user *u)
{
	return json_pack("{s:s,s:s,s:b,s:b,s:o,s:o,s:o}", "name", u->name, "role",
			 sluice_role_name(u->role), "disabled", u->disabled, "totp", u->totp,
			 "created", sluice_time_json(u->created_ns), "last_login",
			 sluice_time_json(u->login_ns), "cameras",
			 sluice_grants_json(u->restricted, u->cameras));
}

static int add_user(void *ctx, const struct sluice_auth_user *u)
{
	return json_array_append_new(ctx, user_json(u));
}

static void get_users(struct sluice_call *c)
{
	json_t *list = json_array();
	int err = sluice_auth_users(c->auth, c->who.tenant, add_user, list);

	if (err) {
		json_decref(list);
		sluice_answer_error(c, err);
		return;
	}
	sluice_answer_json(c, 200, json_pack("{s:o}", "users", list));
}

static void answer_user(struct sluice_call *c, int status, const char *name)
{
	struct sluice_auth_user u;
	int err = sluice_auth_user_find(c->auth, c->who.tenant, name, &u);

	if (err)
		sluice_answer_error(c, err);
	else
		sluice_answer_json(c, status, user_json(&u));
	OPENSSL_cleanse(&u, sizeof(u));
}

static void refuse_change(struct sluice_call *c, int err)
{
	if (err == -EEXIST)
		sluice_answer_problem(c, 409, "there is a user of that name already");
	else if (err == -EINVAL)
		sluice_answer_problem(c, 400,
				      "an administrator cannot be restricted to some cameras");
	else
		sluice_answer_error(c, err);
}

static void finish_add(struct sluice_call *c, struct sluice_password_job *p)
{
	struct sluice_actor by = sluice_call_actor(c);
	int err = sluice_auth_user_add(c->auth, &by, p->tenant, p->user, p->role, p->hash,
				       p->restricted ? p->cameras : NULL);

	if (err)
		refuse_change(c, err);
	else
		answer_user(c, 201, p->user);
}

/* Grants of the body, if they are there. 0, or it has answered. */
static int take_grants(struct sluice_call *c, const json_t *json, struct sluice_password_job *p)
{
	const json_t *cameras = json_object_get(json, "cameras");
	const char *list;
	int err = sluice_call_grants(c, cameras, p->cameras, &list);

	p->set_cameras = cameras != NULL;
	p->restricted = list != NULL;
	return err;
}

/* 0, or it has answered. */
static int read_role(struct sluice_call *c, const json_t *json, int needed, enum sluice_role *role)
{
	const json_t *text = json_object_get(json, "role");

	*role = sluice_role_find(json_string_value(text));
	if (*role || (!text && !needed))
		return 0;
	sluice_answer_problem(c, 400, "role must be viewer, operator or admin");
	return -EINVAL;
}

static void post_user(struct sluice_call *c)
{
	json_t *json = sluice_call_object(c);
	struct sluice_password_job *p = json ? calloc(1, sizeof(*p)) : NULL;
	const char *name = json_string_value(json_object_get(json, "name"));
	int err = -EINVAL;

	if (json && !p)
		sluice_answer_error(c, -ENOMEM);
	else if (json && (!name || !sluice_name_valid(name)))
		sluice_answer_problem(c, 400,
				      "name must have 1 to 31 letters, digits, dots, hyphens, "
				      "underscores");
	else if (json)
		err = read_role(c, json, 1, &p->role);
	if (!err)
		err = sluice_password_take(c, json_object_get(json, "password"), 1, p->fresh);
	if (!err)
		err = take_grants(c, json, p);
	if (err) {
		sluice_password_drop(p);
	} else {
		snprintf(p->user, sizeof(p->user), "%s", name);
		memcpy(p->tenant, c->who.tenant, sizeof(p->tenant));
		p->finish = finish_add;
		sluice_password_start(c, p);
	}
	json_decref(json);
}

static void finish_change(struct sluice_call *c, struct sluice_password_job *p)
{
	struct sluice_actor by = sluice_call_actor(c);
	const struct sluice_auth_change change = {
		.role = p->role,
		.disable = p->disable,
		.hash = *p->hash ? p->hash : NULL,
		.set_cameras = p->set_cameras,
		.cameras = p->restricted ? p->cameras : NULL,
		.totp_off = p->totp_off,
	};
	int err = sluice_auth_user_change(c->auth, &by, p->tenant, p->user, &change);

	if (err)
		refuse_change(c, err);
	else
		answer_user(c, 200, p->user);
}

/* 0, or it has answered. */
static int read_change(struct sluice_call *c, const json_t *json, struct sluice_password_job *p)
{
	const json_t *disabled = json_object_get(json, "disabled");
	const json_t *totp = json_object_get(json, "totp");
	int err = read_role(c, json, 0, &p->role);

	if (err)
		return err;
	if ((disabled && !json_is_boolean(disabled)) || (totp && !json_is_false(totp))) {
		sluice_answer_problem(c, 400, "disabled must be true or false, totp false");
		return -EINVAL;
	}
	p->disable = !disabled ? 0 : json_is_true(disabled) ? 1 : -1;
	p->totp_off = totp != NULL;
	if (json_object_get(json, "password"))
		err = sluice_password_take(c, json_object_get(json, "password"), 1, p->fresh);
	return err ? err : take_grants(c, json, p);
}

static int is_oneself(const struct sluice_call *c)
{
	return c->who.is_session && !strcmp(c->part[0], c->who.name);
}

static void put_user(struct sluice_call *c)
{
	json_t *json = sluice_call_object(c);
	struct sluice_password_job *p = json ? calloc(1, sizeof(*p)) : NULL;

	if (json && !p)
		sluice_answer_error(c, -ENOMEM);
	if (!p || read_change(c, json, p)) {
		sluice_password_drop(p);
	} else if (is_oneself(c) && (p->disable || p->role || p->set_cameras)) {
		sluice_answer_problem(c, 409, "not yourself: another administrator may do that");
		sluice_password_drop(p);
	} else {
		snprintf(p->user, sizeof(p->user), "%.31s", c->part[0]);
		memcpy(p->tenant, c->who.tenant, sizeof(p->tenant));
		p->finish = finish_change;
		if (*p->fresh) {
			sluice_password_start(c, p);
		} else {
			finish_change(c, p);
			sluice_password_drop(p);
		}
	}
	json_decref(json);
}

static void delete_user(struct sluice_call *c)
{
	struct sluice_actor by = sluice_call_actor(c);
	int err;

	if (is_oneself(c)) {
		sluice_answer_problem(c, 409, "not yourself: another administrator may do that");
		return;
	}
	err = sluice_auth_user_drop(c->auth, &by, c->who.tenant, c->part[0]);
	if (err)
		sluice_answer_error(c, err);
	else
		sluice_answer_nothing(c);
}

const struct sluice_route sluice_api_users[] = {
	{ SLUICE_HTTP_GET, "/v1/users", SLUICE_ADMIN, SLUICE_SCOPE_ADMIN, get_users, "listUsers" },
	{ SLUICE_HTTP_POST, "/v1/users", SLUICE_ADMIN, SLUICE_SCOPE_ADMIN, post_user, "addUser" },
	{ SLUICE_HTTP_PUT, "/v1/users/{user}", SLUICE_ADMIN, SLUICE_SCOPE_ADMIN, put_user,
	  "changeUser" },
	{ SLUICE_HTTP_DELETE, "/v1/users/{user}", SLUICE_ADMIN, SLUICE_SCOPE_ADMIN, delete_user,
	  "dropUser" },
	{ 0 },
};
