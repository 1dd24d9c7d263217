// SPDX-License-Identifier: MIT
/* api_apitokens.c - API tokens of the tenant, for programs. */
#include <errno.h>
#include <string.h>
#include <openssl/crypto.h>

#include "cloud/api_call.h"

#define DAY_NS	 86400000000000ull
#define DAYS_MAX 3650

/* secret NULL: it is not told again. */
static json_t *apitoken_json(const struct sluice_who *w, const char *secret)
{
	return json_pack("{s:s,s:s,s:s,s:o,s:o,s:o,s:o,s:o,s:s*}", "id", w->id, "name", w->name,
			 "role", sluice_role_name(w->role), "scopes", sluice_scopes_json(w->scopes),
			 "created", sluice_time_json(w->created_ns), "expires",
			 sluice_time_json(w->expires_ns), "last_used", sluice_time_json(w->used_ns),
			 "cameras", sluice_grants_json(w->restricted, w->cameras), "token", secret);
}

static int add_apitoken(void *ctx, const struct sluice_who *w)
{
	return json_array_append_new(ctx, apitoken_json(w, NULL));
}

static void get_apitokens(struct sluice_call *c)
{
	json_t *list = json_array();
	int err = sluice_auth_apitokens(c->auth, c->who.tenant, add_apitoken, list);

	if (err) {
		json_decref(list);
		sluice_answer_error(c, err);
		return;
	}
	sluice_answer_json(c, 200, json_pack("{s:o}", "apitokens", list));
}

/* 0: there is something that is none. */
static unsigned int read_scopes(const json_t *list)
{
	unsigned int scopes = 0, scope;
	size_t i;

	for (i = 0; i < json_array_size(list); i++) {
		scope = sluice_scope_find(json_string_value(json_array_get(list, i)));
		if (!scope)
			return 0;
		scopes |= scope;
	}
	return scopes;
}

static void add_and_answer(struct sluice_call *c, const char *name, enum sluice_role role,
			   unsigned int scopes, const char *cameras, json_int_t days)
{
	struct sluice_actor by = sluice_call_actor(c);
	uint64_t now = sluice_utc_now();
	char secret[SLUICE_SECRET_MAX];
	struct sluice_who who;
	int err;

	err = sluice_auth_apitoken_add(c->auth, &by, c->who.tenant, name, role, scopes, cameras,
				       days ? now + (uint64_t)days * DAY_NS : 0, secret);
	if (!err)
		err = sluice_auth_apitoken_check(c->auth, secret, now, &who);
	if (err == -EEXIST)
		sluice_answer_problem(c, 409, "there is an API token of that name already");
	else if (err == -EINVAL)
		sluice_answer_problem(
			c, 400,
			"name must be a name, role one of viewer, operator, admin; an "
			"administrator's cannot be restricted to some cameras");
	else if (err)
		sluice_answer_error(c, err);
	else
		sluice_answer_json(c, 201, apitoken_json(&who, secret));
	OPENSSL_cleanse(secret, sizeof(secret));
}

static void post_apitoken(struct sluice_call *c)
{
	json_t *json = sluice_call_object(c), *days;
	unsigned int scopes;
	char text[SLUICE_GRANTS_TEXT];
	const char *name, *cameras;
	json_int_t n;

	if (!json)
		return;
	name = json_string_value(json_object_get(json, "name"));
	scopes = read_scopes(json_object_get(json, "scopes"));
	days = json_object_get(json, "days");
	n = days ? json_integer_value(days) : 0;
	if (!name || !scopes || (days && (n < 1 || n > DAYS_MAX)))
		sluice_answer_problem(c, 400,
				      "name, role and scopes (of read, media, settings, enrol, "
				      "admin) are needed; days is 1..3650");
	else if (!sluice_call_grants(c, json_object_get(json, "cameras"), text, &cameras))
		add_and_answer(c, name,
			       sluice_role_find(json_string_value(json_object_get(json, "role"))),
			       scopes, cameras, n);
	json_decref(json);
}

static void delete_apitoken(struct sluice_call *c)
{
	struct sluice_actor by = sluice_call_actor(c);
	int err = sluice_auth_apitoken_drop(c->auth, &by, c->who.tenant, c->part[0]);

	if (err)
		sluice_answer_error(c, err);
	else
		sluice_answer_nothing(c);
}

const struct sluice_route sluice_api_apitokens[] = {
	{ SLUICE_HTTP_GET, "/v1/apitokens", SLUICE_ADMIN, SLUICE_SCOPE_ADMIN, get_apitokens,
	  "listApiTokens" },
	{ SLUICE_HTTP_POST, "/v1/apitokens", SLUICE_ADMIN, SLUICE_SCOPE_ADMIN, post_apitoken,
	  "addApiToken" },
	{ SLUICE_HTTP_DELETE, "/v1/apitokens/{apitoken}", SLUICE_ADMIN, SLUICE_SCOPE_ADMIN,
	  delete_apitoken, "dropApiToken" },
	{ 0 },
};
