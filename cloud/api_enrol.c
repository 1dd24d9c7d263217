// SPDX-License-Identifier: MIT
/* api_enrol.c - how a device gets its certificate: the authority, one-time tokens, renewal. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "cloud/api_call.h"
#include "cloud/qr.h"
#include "lib/log.h"

/* Takes the text; NULL: 500. */
static void answer_pem(struct sluice_call *c, char *pem)
{
	if (!pem) {
		sluice_answer_error(c, -ENOMEM);
		return;
	}
	c->out->status = 200;
	c->out->type = "application/x-pem-file";
	c->out->size = strlen(pem);
	c->out->body = (uint8_t *)pem;
}

static void get_ca(struct sluice_call *c)
{
	answer_pem(c, strdup(sluice_ca_pem(c->server->ca)));
}

static void get_crl(struct sluice_call *c)
{
	char *pem = NULL;
	int err = sluice_auth_crl(c->auth, c->server->ca, &pem);

	if (err)
		sluice_answer_error(c, err);
	else
		answer_pem(c, pem);
}

struct issue {
	struct sluice_ca *ca;
	const char *csr;
	size_t size;
};

static int issue_certificate(void *ctx, const char *tenant, const char *device,
			     struct sluice_certificate *out)
{
	struct issue *i = ctx;

	return sluice_ca_sign(i->ca, i->csr, i->size, tenant, device, out);
}

static void answer_enrol_error(struct sluice_call *c, int err)
{
	switch (err) {
	case -EACCES:
		sluice_answer_problem(c, 403, "no such enrolment token; make another one");
		break;
	case -EALREADY:
		sluice_answer_problem(c, 403,
				      "the enrolment token was used already; make another one");
		break;
	case -EKEYEXPIRED:
		sluice_answer_problem(c, 403, "the enrolment token has expired; make another one");
		break;
	case -EKEYREVOKED:
	case -ENOENT:
		sluice_answer_problem(c, 403,
				      "the device's certificate is revoked or unknown here");
		break;
	case -EINVAL:
		sluice_answer_problem(c, 400, "csr is no valid certificate request");
		break;
	case -EKEYREJECTED:
		sluice_answer_problem(c, 400, "the key must be P-256 (prime256v1)");
		break;
	default:
		sluice_answer_error(c, err);
	}
}

/* The random part of a token; 0, or -EACCES if it names another cloud. */
static int split_token(struct sluice_call *c, const char *token, char secret[SLUICE_SECRET_MAX])
{
	size_t n = strcspn(token, ".");

	if (n >= SLUICE_SECRET_MAX || !n)
		return -EACCES;
	memcpy(secret, token, n);
	secret[n] = 0;
	return !token[n] || !strcmp(token + n + 1, sluice_ca_pin(c->server->ca)) ? 0 : -EACCES;
}

static void post_enrol(struct sluice_call *c)
{
	char secret[SLUICE_SECRET_MAX], tenant[SLUICE_NAME_MAX], device[SLUICE_NAME_MAX];
	struct issue issue = { .ca = c->server->ca };
	struct sluice_certificate cert;
	const char *token, *csr;
	json_t *json = sluice_call_object(c);
	int err;

	if (!json)
		return;
	token = json_string_value(json_object_get(json, "token"));
	csr = json_string_value(json_object_get(json, "csr"));
	if (!token || !csr) {
		sluice_answer_problem(c, 400, "token and csr must be strings");
		goto out;
	}
	issue.csr = csr;
	issue.size = strlen(csr);
	err = split_token(c, token, secret);
	if (!err)
		err = sluice_auth_enrol(c->auth, c->address, secret, sluice_utc_now(),
					issue_certificate, &issue, tenant, device, &cert);
	if (err) {
		if (!sluice_call_audit(c, SLUICE_TENANT, "enrol", "refused", SLUICE_DENIED))
			answer_enrol_error(c, err);
		goto out;
	}
	sluice_info("device %s is enrolled; its certificate is good for %lld days", device,
		    ((long long)cert.not_after - (long long)time(NULL) + 43200) / 86400);
	sluice_answer_json(c, 200,
			   json_pack("{s:s,s:s,s:s,s:s,s:I}", "certificate", cert.pem, "ca",
				     sluice_ca_pem(c->server->ca), "device", device, "tenant",
				     tenant, "not_after", (json_int_t)cert.not_after));
	free(cert.pem);
out:
	json_decref(json);
}

static void post_renew(struct sluice_call *c)
{
	struct issue issue = { .ca = c->server->ca };
	struct sluice_certificate cert;
	json_t *json = sluice_call_object(c);
	int err;

	if (!json)
		return;
	issue.csr = json_string_value(json_object_get(json, "csr"));
	if (!issue.csr) {
		sluice_answer_problem(c, 400, "csr must be a string");
		goto out;
	}
	issue.size = strlen(issue.csr);
	err = sluice_auth_renew(c->auth, c->address, c->device.tenant, c->device.device,
				c->device.serial, sluice_utc_now(), issue_certificate, &issue,
				&cert);
	if (err == -EBUSY) {
		sluice_answer_problem(c, 429, "too many certificates within an hour");
		goto out;
	}
	if (err) {
		answer_enrol_error(c, err);
		goto out;
	}
	sluice_info("device %s has renewed its certificate", c->device.device);
	sluice_answer_json(c, 200,
			   json_pack("{s:s,s:I}", "certificate", cert.pem, "not_after",
				     (json_int_t)cert.not_after));
	free(cert.pem);
out:
	json_decref(json);
}

/* ---- one-time tokens ---- */

static void answer_token(struct sluice_call *c, const char *device, const char *secret,
			 uint64_t expires_ns)
{
	const char *host = sluice_http_field(c->request, "host");
	char token[SLUICE_SECRET_MAX + SLUICE_CA_PIN + 1], command[512], id[SLUICE_SHORT_ID], *qr;

	snprintf(token, sizeof(token), "%s.%s", secret, sluice_ca_pin(c->server->ca));
	snprintf(command, sizeof(command), "sluicectl enrol https://%s --token %s", host, token);
	sluice_auth_short_id(secret, id);
	qr = sluice_qr_svg(command);
	if (qr)
		sluice_answer_json(c, 201,
				   json_pack("{s:s,s:s,s:s,s:o,s:s,s:s}", "id", id, "token", token,
					     "device", device, "expires",
					     sluice_time_json(expires_ns), "command", command, "qr",
					     qr));
	else
		sluice_answer_error(c, -ENOMEM);
	free(qr);
}

static void post_tokens(struct sluice_call *c)
{
	struct sluice_actor by = sluice_call_actor(c);
	json_t *json = sluice_call_object(c), *minutes;
	char secret[SLUICE_SECRET_MAX];
	const char *device;
	json_int_t n;
	int err;

	if (!json)
		return;
	device = json_string_value(json_object_get(json, "device"));
	minutes = json_object_get(json, "minutes");
	n = minutes ? json_integer_value(minutes) : 15; /* 0 for what is no integer */
	err = device && n > 0 && n <= 1440 ? sluice_auth_token_add(c->auth, &by, c->who.tenant,
								   device, (unsigned int)n, secret)
					   : -EINVAL;
	if (err == -EINVAL)
		sluice_answer_problem(c, 400,
				      "device must be a name (1 to 31 letters, digits, dots, "
				      "hyphens, underscores), minutes 1..1440");
	else if (err)
		sluice_answer_error(c, err);
	else
		answer_token(c, device, secret, sluice_utc_now() + (uint64_t)n * 60000000000u);
	json_decref(json);
}

static int add_token(void *ctx, const char *id, const char *device, uint64_t expires_ns)
{
	return json_array_append_new(ctx, json_pack("{s:s,s:s,s:o}", "id", id, "device", device,
						    "expires", sluice_time_json(expires_ns)));
}

static void get_tokens(struct sluice_call *c)
{
	json_t *list = json_array();
	int err = sluice_auth_tokens(c->auth, c->who.tenant, sluice_utc_now(), add_token, list);

	if (err) {
		json_decref(list);
		sluice_answer_error(c, err);
		return;
	}
	sluice_answer_json(c, 200, json_pack("{s:o}", "tokens", list));
}

static void delete_token(struct sluice_call *c)
{
	struct sluice_actor by = sluice_call_actor(c);
	int err = sluice_auth_token_drop(c->auth, &by, c->who.tenant, c->part[0]);

	if (err)
		sluice_answer_error(c, err);
	else
		sluice_answer_nothing(c);
}

const struct sluice_route sluice_api_enrol[] = {
	{ SLUICE_HTTP_GET, "/v1/ca", SLUICE_ANYBODY, SLUICE_AT_LOOP, get_ca, "getCa" },
	{ SLUICE_HTTP_POST, "/v1/enrol", SLUICE_ANYBODY, 0, post_enrol, "enrol" },
	{ SLUICE_HTTP_POST, "/v1/renew", SLUICE_DEVICE, 0, post_renew, "renew" },
	{ SLUICE_HTTP_GET, "/v1/crl", SLUICE_ANYBODY, 0, get_crl, "getCrl" },
	{ SLUICE_HTTP_GET, "/v1/tokens", SLUICE_OPERATOR, SLUICE_SCOPE_ENROL, get_tokens,
	  "listTokens" },
	{ SLUICE_HTTP_DELETE, "/v1/tokens/{token}", SLUICE_OPERATOR, SLUICE_SCOPE_ENROL,
	  delete_token, "dropToken" },
	{ SLUICE_HTTP_POST, "/v1/tokens", SLUICE_OPERATOR, SLUICE_SCOPE_ENROL, post_tokens,
	  "addToken" },
	{ 0 },
};
