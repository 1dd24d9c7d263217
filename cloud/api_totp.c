// SPDX-License-Identifier: MIT
/* api_totp.c - one's own second factor: begun, confirmed with a code, ended with one. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <openssl/crypto.h>
#include <openssl/rand.h>

#include "cloud/api_password.h"
#include "cloud/qr.h"

static void post_totp(struct sluice_call *c)
{
	uint8_t secret[SLUICE_TOTP_SECRET];
	char text[SLUICE_TOTP_TEXT], uri[256], *qr;
	int err;

	if (sluice_call_is_token(c))
		return;
	err = RAND_bytes(secret, sizeof(secret)) == 1 ? 0 : -EIO;
	if (!err)
		err = sluice_auth_totp_begin(c->auth, c->who.tenant, c->who.name, secret);
	sluice_base32(secret, sizeof(secret), text);
	OPENSSL_cleanse(secret, sizeof(secret));
	if (!err)
		err = sluice_totp_uri(text, "Sluice", c->who.tenant, c->who.name, uri, sizeof(uri));
	qr = err ? NULL : sluice_qr_svg(uri);
	if (err == -EALREADY)
		sluice_answer_problem(c, 409, "it is on; turn it off first");
	else if (err || !qr)
		sluice_answer_error(c, err ? err : -ENOMEM);
	else
		sluice_answer_json(
			c, 200, json_pack("{s:s,s:s,s:s}", "secret", text, "uri", uri, "qr", qr));
	free(qr);
	OPENSSL_cleanse(text, sizeof(text));
	OPENSSL_cleanse(uri, sizeof(uri));
}

/* The body's code, or NULL after an answer; json is the caller's. */
static const char *read_code(struct sluice_call *c, json_t **json)
{
	const char *code;

	*json = sluice_call_object(c);
	if (!*json)
		return NULL;
	code = json_string_value(json_object_get(*json, "code"));
	if (!code || strlen(code) >= SLUICE_CODE_MAX) {
		sluice_answer_problem(c, 400, "code must be a string");
		return NULL;
	}
	return code;
}

static void put_totp(struct sluice_call *c)
{
	char recovery[SLUICE_RECOVERY][SLUICE_SHORT_ID];
	struct sluice_actor by = sluice_call_actor(c);
	json_t *json = NULL, *list;
	const char *code;
	int i, err;

	code = sluice_call_is_token(c) ? NULL : read_code(c, &json);
	if (!code) {
		json_decref(json);
		return;
	}
	err = sluice_auth_totp_confirm(c->auth, &by, c->who.tenant, c->who.name, code,
				       sluice_utc_now() / 1000000000u, recovery);
	json_decref(json);
	if (err == -EALREADY || err == -ENOENT) {
		sluice_answer_problem(c, 409,
				      err == -ENOENT ? "begin with POST" : "it is on already");
	} else if (err == -EACCES) {
		sluice_answer_problem(c, 403, "that is not the code of now; is the clock right?");
	} else if (err) {
		sluice_answer_error(c, err);
	} else {
		list = json_array();
		for (i = 0; i < SLUICE_RECOVERY; i++)
			json_array_append_new(list, json_string(recovery[i]));
		sluice_answer_json(c, 200, json_pack("{s:o}", "recovery", list));
	}
	OPENSSL_cleanse(recovery, sizeof(recovery));
}

static void end_totp(struct sluice_call *c, const struct sluice_auth_user *u, const char *code)
{
	struct sluice_auth_change change = { .totp_off = 1, .but = c->who.id };
	struct sluice_actor by = sluice_call_actor(c);
	int err = sluice_auth_totp_use(c->auth, u, code, sluice_utc_now() / 1000000000u);

	if (err == -EACCES) {
		if (!sluice_call_audit(c, u->tenant, "user.change", u->name, SLUICE_FAILED))
			sluice_answer_problem(c, 403, "that is not a code of yours");
		return;
	}
	if (!err)
		err = sluice_auth_user_change(c->auth, &by, u->tenant, u->name, &change);
	if (err)
		sluice_answer_error(c, err);
	else
		sluice_answer_nothing(c);
}

static void delete_totp(struct sluice_call *c)
{
	struct sluice_auth_user u;
	json_t *json = NULL;
	const char *code = sluice_call_is_token(c) ? NULL : read_code(c, &json);
	int err = code ? sluice_auth_user_find(c->auth, c->who.tenant, c->who.name, &u) : 0;
	if (!code) {
		json_decref(json);
		return;
	}
	if (err) {
		sluice_answer_error(c, err);
	} else if (!u.totp) {
		sluice_answer_problem(c, 409, "it is off already");
	} else if (!sluice_call_throttle(c, u.tenant, u.name)) {
		end_totp(c, &u, code);
		if (c->out->status == 204)
			sluice_call_throttle_back(c, u.tenant, u.name, 1);
	}
	OPENSSL_cleanse(&u, sizeof(u));
	json_decref(json);
}

const struct sluice_route sluice_api_totp[] = {
	{ SLUICE_HTTP_POST, "/v1/session/totp", SLUICE_VIEWER, 0, post_totp, "beginTotp" },
	{ SLUICE_HTTP_PUT, "/v1/session/totp", SLUICE_VIEWER, 0, put_totp, "confirmTotp" },
	{ SLUICE_HTTP_DELETE, "/v1/session/totp", SLUICE_VIEWER, 0, delete_totp, "endTotp" },
	{ 0 },
};
