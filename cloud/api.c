// SPDX-License-Identifier: MIT
/*
 * api.c - REST. Open are the health check, the certificate of the authority and enrolment (which
 * needs its one-time token); renewal needs the certificate that it replaces; everything else needs
 * an administrator's bearer token, whose tenant goes into every query.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <jansson.h>

#include "cloud/api.h"
#include "cloud/device.h"
#include "cloud/settings.h"
#include "lib/log.h"
#include "lib/wire.h"

#define MEDIA_MAX	(64u << 20)
#define SUMMARIES_LIMIT 100
#define SUMMARIES_MAX	1000

struct call {
	struct sluice_server *server;
	struct sluice_loop *loop;
	const struct sluice_http *request;
	const uint8_t *body;
	size_t size;
	char path[512];
	char tenant[SLUICE_NAME_MAX];	      /* of the bearer token; "" on open routes */
	struct sluice_session_request device; /* on a device's routes */
	struct sluice_response *out;
};

/* ---- answers ---- */

/* Takes the reference. */
static void answer_json(struct sluice_response *out, int status, json_t *json)
{
	char *text = json ? json_dumps(json, JSON_COMPACT) : NULL;

	json_decref(json);
	if (!text) {
		memset(out, 0, sizeof(*out));
		out->status = 500;
		return;
	}
	out->status = status;
	out->type = "application/json";
	out->body = (uint8_t *)text;
	out->size = strlen(text);
}

void sluice_api_problem(struct sluice_response *out, int status, const char *detail)
{
	json_t *json = json_pack("{s:s,s:s,s:i,s:s*}", "type", "about:blank", "title",
				 sluice_http_reason(status), "status", status, "detail", detail);

	answer_json(out, status, json);
	out->type = "application/problem+json";
}

static void answer_error(struct call *c, int err)
{
	if (err == -ENOENT || err == -ENOTDIR) {
		sluice_api_problem(c->out, 404, NULL);
		return;
	}
	sluice_error("request %s failed: %s", c->path, strerror(-err));
	sluice_api_problem(c->out, err == -EBUSY ? 503 : 500, NULL);
}

/* The request's JSON object, or NULL after a 400. */
static json_t *request_object(struct call *c)
{
	json_t *json = json_loadb((const char *)c->body, c->size, JSON_REJECT_DUPLICATES, NULL);

	if (json_is_object(json))
		return json;
	json_decref(json);
	sluice_api_problem(c->out, 400, "the body must be a JSON object");
	return NULL;
}

/* ---- open routes ---- */

static void get_health(struct call *c)
{
	answer_json(c->out, 200, json_pack("{s:s}", "status", "ok"));
}

static void get_ca(struct call *c)
{
	const char *pem = sluice_ca_pem(c->server->ca);

	c->out->status = 200;
	c->out->type = "application/x-pem-file";
	c->out->size = strlen(pem);
	c->out->body = (uint8_t *)strdup(pem);
	if (!c->out->body)
		sluice_api_problem(c->out, 500, NULL);
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

static void answer_enrol_error(struct call *c, int err)
{
	switch (err) {
	case -EACCES:
		sluice_api_problem(c->out, 403, "no such enrolment token; make another one");
		break;
	case -EALREADY:
		sluice_api_problem(c->out, 403,
				   "the enrolment token was used already; make another one");
		break;
	case -EKEYEXPIRED:
		sluice_api_problem(c->out, 403,
				   "the enrolment token has expired; make another one");
		break;
	case -EKEYREVOKED:
	case -ENOENT:
		sluice_api_problem(c->out, 403,
				   "the device's certificate is revoked or unknown here");
		break;
	case -EINVAL:
		sluice_api_problem(c->out, 400, "csr is no valid certificate request");
		break;
	case -EKEYREJECTED:
		sluice_api_problem(c->out, 400, "the key must be P-256 (prime256v1)");
		break;
	default:
		answer_error(c, err);
	}
}

/* The random part of a token; 0, or -EACCES if it names another cloud. */
static int split_token(struct call *c, const char *token, char secret[SLUICE_SECRET_MAX])
{
	size_t n = strcspn(token, ".");

	if (n >= SLUICE_SECRET_MAX || !n)
		return -EACCES;
	memcpy(secret, token, n);
	secret[n] = 0;
	return !token[n] || !strcmp(token + n + 1, sluice_ca_pin(c->server->ca)) ? 0 : -EACCES;
}

static void post_enrol(struct call *c)
{
	char secret[SLUICE_SECRET_MAX], tenant[SLUICE_NAME_MAX], device[SLUICE_NAME_MAX];
	struct issue issue = { .ca = c->server->ca };
	struct sluice_certificate cert;
	const char *token, *csr;
	json_t *json = request_object(c);
	int err;

	if (!json)
		return;
	token = json_string_value(json_object_get(json, "token"));
	csr = json_string_value(json_object_get(json, "csr"));
	if (!token || !csr) {
		sluice_api_problem(c->out, 400, "token and csr must be strings");
		goto out;
	}
	issue.csr = csr;
	issue.size = strlen(csr);
	err = split_token(c, token, secret);
	if (!err)
		err = sluice_auth_enrol(c->loop->auth, secret, sluice_utc_now(), issue_certificate,
					&issue, tenant, device, &cert);
	if (err) {
		answer_enrol_error(c, err);
		goto out;
	}
	sluice_info("device %s is enrolled; its certificate is good for %lld days", device,
		    ((long long)cert.not_after - (long long)time(NULL) + 43200) / 86400);
	answer_json(c->out, 200,
		    json_pack("{s:s,s:s,s:s,s:s,s:I}", "certificate", cert.pem, "ca",
			      sluice_ca_pem(c->server->ca), "device", device, "tenant", tenant,
			      "not_after", (json_int_t)cert.not_after));
	free(cert.pem);
out:
	json_decref(json);
}

/* ---- a device's routes ---- */

static void post_renew(struct call *c)
{
	struct issue issue = { .ca = c->server->ca };
	struct sluice_certificate cert;
	json_t *json = request_object(c);
	int err;

	if (!json)
		return;
	issue.csr = json_string_value(json_object_get(json, "csr"));
	if (!issue.csr) {
		sluice_api_problem(c->out, 400, "csr must be a string");
		goto out;
	}
	issue.size = strlen(issue.csr);
	err = sluice_auth_renew(c->loop->auth, c->device.tenant, c->device.device, c->device.serial,
				sluice_utc_now(), issue_certificate, &issue, &cert);
	if (err == -EBUSY) {
		sluice_api_problem(c->out, 429, "too many certificates within an hour");
		goto out;
	}
	if (err) {
		answer_enrol_error(c, err);
		goto out;
	}
	sluice_info("device %s has renewed its certificate", c->device.device);
	answer_json(c->out, 200,
		    json_pack("{s:s,s:I}", "certificate", cert.pem, "not_after",
			      (json_int_t)cert.not_after));
	free(cert.pem);
out:
	json_decref(json);
}

/* ---- administrators' routes ---- */

static int add_device(void *ctx, const struct sluice_auth_device *d)
{
	char enrolled[32], until[32];

	sluice_rfc3339(d->enrolled_ns, enrolled);
	sluice_rfc3339((uint64_t)d->not_after * 1000000000u, until);
	return json_array_append_new(ctx, json_pack("{s:s,s:s,s:s,s:b}", "name", d->device,
						    "enrolled", enrolled, "not_after", until,
						    "revoked", d->revoked));
}

static void get_devices(struct call *c)
{
	json_t *list = json_array();
	int err = sluice_auth_devices(c->loop->auth, c->tenant, add_device, list);

	if (err) {
		json_decref(list);
		answer_error(c, err);
		return;
	}
	answer_json(c->out, 200, json_pack("{s:o}", "devices", list));
}

struct add_cameras {
	const struct sluice_server *server;
	json_t *list;
};

static int add_camera(void *ctx, const struct sluice_camera *c, uint64_t seen_utc_ns,
		      uint32_t width, uint32_t height, const void *ledger, size_t ledger_size)
{
	char seen[32];
	struct add_cameras *a = ctx;
	json_t *json, *asked;

	(void)ledger;
	(void)ledger_size;
	sluice_rfc3339(seen_utc_ns, seen);
	json = json_pack("{s:s,s:s,s:s,s:i,s:i}", "id", c->hex, "device", c->device, "name",
			 c->name, "width", (int)width, "height", (int)height);
	if (json && seen_utc_ns)
		json_object_set_new(json, "last_frame", json_string(seen));
	asked = sluice_settings_last(a->server, c->hex);
	if (json && asked)
		json_object_set(json, "settings", asked);
	json_decref(asked);
	return json_array_append_new(a->list, json);
}

static void get_cameras(struct call *c)
{
	struct sluice_index *ix = c->loop->index;
	json_t *list = json_array();
	struct add_cameras a = { c->server, list };
	int err = ix->ops->cameras(ix, c->tenant, add_camera, &a);

	if (err) {
		json_decref(list);
		answer_error(c, err);
		return;
	}
	answer_json(c->out, 200, json_pack("{s:o}", "cameras", list));
}

/* One entry of the list: what is needed to choose; the whole is in summary.json. */
static int add_summary(void *ctx, const struct sluice_camera *c,
		       const struct sluice_index_summary *s)
{
	static const char *const copied[] = { "kind",	    "reason",  "title", "text",
					      "confidence", "start_s", "end_s", "peak_objects" };
	json_t *whole = json_loads(s->json, 0, NULL), *files = json_array(), *json;
	char start[32], end[32];
	size_t i;

	sluice_rfc3339(s->start_utc_ns, start);
	sluice_rfc3339(s->end_utc_ns, end);
	json_array_append_new(files, json_string("summary.json"));
	for (i = 0; i < s->media_count; i++)
		json_array_append_new(files, json_string(s->media[i].name));
	json = json_pack("{s:s,s:s,s:s,s:s,s:s,s:b,s:o}", "id", s->id, "camera", c->name, "device",
			 c->device, "start", start, "end", end, "delivered", s->acked, "files",
			 files);
	for (i = 0; json && i < sizeof(copied) / sizeof(copied[0]); i++) {
		json_t *value = json_object_get(whole, copied[i]);

		if (value)
			json_object_set(json, copied[i], value);
	}
	json_decref(whole);
	return json_array_append_new(ctx, json);
}

/* A whole number within bounds from the query; the fallback if it is absent; -1: wrong. */
static long query_number(struct call *c, const char *name, long fallback, long min, long max)
{
	char text[24], *end;
	int err = sluice_http_query(c->request, name, text, sizeof(text));
	long value;

	if (err == -ENOENT)
		return fallback;
	if (err || text[0] < '0' || text[0] > '9')
		return -1;
	errno = 0;
	value = strtol(text, &end, 10);
	return errno || *end || value < min || value > max ? -1 : value;
}

static void get_summaries(struct call *c)
{
	struct sluice_index *ix = c->loop->index;
	long limit = query_number(c, "limit", SUMMARIES_LIMIT, 1, SUMMARIES_MAX);
	char camera[SLUICE_NAME_MAX];
	int err = sluice_http_query(c->request, "camera", camera, sizeof(camera));
	json_t *list;

	if (limit < 0 || (err && err != -ENOENT)) {
		sluice_api_problem(c->out, 400,
				   limit < 0 ? "limit must be 1..1000"
					     : "camera is not a camera's name");
		return;
	}
	list = json_array();
	err = ix->ops->summaries(ix, c->tenant, err ? NULL : camera, (unsigned int)limit,
				 add_summary, list);
	if (err) {
		json_decref(list);
		answer_error(c, err);
		return;
	}
	answer_json(c->out, 200, json_pack("{s:o}", "summaries", list));
}

struct find_file {
	const char *name;
	struct sluice_camera camera;
	int found;
};

static int find_file(void *ctx, const struct sluice_camera *c, const struct sluice_index_summary *s)
{
	struct find_file *f = ctx;
	size_t i;

	f->camera = *c;
	f->found = !strcmp(f->name, "summary.json");
	for (i = 0; i < s->media_count; i++)
		f->found |= !strcmp(f->name, s->media[i].name);
	return 0;
}

static const char *type_of(const char *name)
{
	static const struct {
		const char *end, *type;
	} types[] = { { ".json", "application/json" },
		      { ".jpg", "image/jpeg" },
		      { ".mp4", "video/mp4" },
		      { ".webm", "video/webm" } };
	const char *dot = strrchr(name, '.');
	size_t i;

	for (i = 0; dot && i < sizeof(types) / sizeof(types[0]); i++)
		if (!strcmp(dot, types[i].end))
			return types[i].type;
	return "application/octet-stream";
}

static void get_summary_file(struct call *c)
{
	struct sluice_index *ix = c->loop->index;
	struct sluice_media *media = c->server->media;
	char *id = c->path + strlen("/v1/summaries/"), *name = strchr(id, '/');
	struct find_file f = { 0 };
	int err;

	if (!name || strchr(name + 1, '/')) {
		sluice_api_problem(c->out, 404, NULL);
		return;
	}
	*name++ = 0;
	f.name = name;
	err = sluice_wire_id_ok(id) ? ix->ops->summary_find(ix, c->tenant, id, find_file, &f)
				    : -ENOENT;
	if (!err)
		err = f.found ? media->ops->get(media, &f.camera, id, name, MEDIA_MAX,
						&c->out->body, &c->out->size)
			      : -ENOENT;
	if (err) {
		answer_error(c, err);
		return;
	}
	c->out->status = 200;
	c->out->type = type_of(name);
}

static void post_tokens(struct call *c)
{
	char secret[SLUICE_SECRET_MAX], token[SLUICE_SECRET_MAX + SLUICE_CA_PIN + 1], until[32];
	json_t *json = request_object(c), *minutes;
	json_int_t n;
	const char *device;
	int err;

	if (!json)
		return;
	device = json_string_value(json_object_get(json, "device"));
	minutes = json_object_get(json, "minutes");
	n = minutes ? json_integer_value(minutes) : 15; /* 0 for what is no integer */
	err = device && n > 0 && n <= 1440 ? sluice_auth_token_add(c->loop->auth, c->tenant, device,
								   (unsigned int)n, secret)
					   : -EINVAL;
	if (err == -EINVAL) {
		sluice_api_problem(c->out, 400,
				   "device must be a name (1 to 31 letters, digits, dots, hyphens, "
				   "underscores), minutes 1..1440");
	} else if (err) {
		answer_error(c, err);
	} else {
		snprintf(token, sizeof(token), "%s.%s", secret, sluice_ca_pin(c->server->ca));
		sluice_rfc3339(sluice_utc_now() + (uint64_t)n * 60000000000u, until);
		answer_json(c->out, 201,
			    json_pack("{s:s,s:s,s:s}", "token", token, "device", device, "expires",
				      until));
	}
	json_decref(json);
}

static int is_camera(void *ctx, const struct sluice_camera *c, uint64_t seen_utc_ns, uint32_t width,
		     uint32_t height, const void *ledger, size_t ledger_size)
{
	return !strcmp(ctx, c->hex); /* found: go no further */
}

static void post_camera_settings(struct call *c)
{
	struct sluice_index *ix = c->loop->index;
	char *id = c->path + strlen("/v1/cameras/"), *rest = strchr(id, '/'), request[33];
	json_t *json;
	int err;

	if (!rest || strcmp(rest, "/settings")) {
		sluice_api_problem(c->out, 404, NULL);
		return;
	}
	*rest = 0;
	json = request_object(c);
	if (!json)
		return;
	err = sluice_settings_ask(c->server, c->tenant, id, json, request);
	if (err == -EINVAL)
		sluice_api_problem(c->out, 400,
				   "settings must be an object, if_version an integer; no more");
	else if (err == -EMSGSIZE)
		sluice_api_problem(c->out, 400, "that is too much for one request");
	else if (err == -ENOTCONN && ix->ops->cameras(ix, c->tenant, is_camera, id) == 1)
		sluice_api_problem(c->out, 409, "its device is not connected; try again later");
	else if (err)
		answer_error(c, err == -ENOTCONN ? -ENOENT : err);
	else
		answer_json(c->out, 202, json_pack("{s:s}", "request", request));
	json_decref(json);
}

/* ---- routing ---- */

enum who { ADMINISTRATOR, ANYBODY, DEVICE };

struct route {
	enum sluice_http_method method;
	const char *path; /* one that ends with a slash: what begins with it */
	enum who who;
	void (*handle)(struct call *c);
};

static const struct route routes[] = {
	{ SLUICE_HTTP_GET, "/healthz", ANYBODY, get_health },
	{ SLUICE_HTTP_GET, "/v1/ca", ANYBODY, get_ca },
	{ SLUICE_HTTP_POST, "/v1/enrol", ANYBODY, post_enrol },
	{ SLUICE_HTTP_POST, "/v1/renew", DEVICE, post_renew },
	{ SLUICE_HTTP_GET, "/v1/devices", ADMINISTRATOR, get_devices },
	{ SLUICE_HTTP_GET, "/v1/cameras", ADMINISTRATOR, get_cameras },
	{ SLUICE_HTTP_POST, "/v1/cameras/", ADMINISTRATOR, post_camera_settings },
	{ SLUICE_HTTP_GET, "/v1/summaries", ADMINISTRATOR, get_summaries },
	{ SLUICE_HTTP_GET, "/v1/summaries/", ADMINISTRATOR, get_summary_file },
	{ SLUICE_HTTP_POST, "/v1/tokens", ADMINISTRATOR, post_tokens },
};

static const struct route *find_route(const char *path)
{
	size_t i;

	for (i = 0; i < sizeof(routes) / sizeof(routes[0]); i++) {
		size_t n = strlen(routes[i].path);

		if (routes[i].path[n - 1] == '/' ? !strncmp(path, routes[i].path, n)
						 : !strcmp(path, routes[i].path))
			return &routes[i];
	}
	return NULL;
}

/* 0, or -EACCES; fills the tenant. */
static int check_bearer(struct call *c)
{
	const char *field = sluice_http_field(c->request, "authorization");

	if (!field || strncasecmp(field, "Bearer ", 7) != 0)
		return -EACCES;
	return sluice_auth_admin_check(c->loop->auth, field + 7, c->tenant);
}

/* Runs the route if the peer is a device that may; it has answered in any case. */
static void handle_device(struct call *c, const struct route *r, const struct sluice_tls_peer *peer)
{
	const char *why;
	int status = sluice_device_check(c->loop->auth, peer, &c->device, &why);

	if (status)
		sluice_api_problem(c->out, status, why);
	else
		r->handle(c);
}

void sluice_api_handle(struct sluice_loop *l, const struct sluice_http *request,
		       const struct sluice_tls_peer *peer, const uint8_t *body, size_t size,
		       struct sluice_response *out)
{
	struct call c = { .server = l->server,
			  .loop = l,
			  .request = request,
			  .body = body,
			  .size = size,
			  .out = out };
	enum sluice_http_method method = request->method;
	const struct route *r;
	int err;

	memset(out, 0, sizeof(*out));
	if (method == SLUICE_HTTP_HEAD)
		method = SLUICE_HTTP_GET; /* the connection leaves the body out */
	if (sluice_http_path(request, c.path, sizeof(c.path))) {
		sluice_api_problem(out, 400, "malformed path");
		return;
	}
	r = find_route(c.path);
	err = r && r->who != ADMINISTRATOR ? 0 : check_bearer(&c);
	if (err == -EACCES) { /* also where there is no route: strangers learn nothing */
		sluice_api_problem(out, 401,
				   "send 'Authorization: Bearer TOKEN' with the token of "
				   "sluice-cloud init");
		out->authenticate = 1;
	} else if (err) {
		answer_error(&c, err);
	} else if (!r) {
		sluice_api_problem(out, 404, NULL);
	} else if (r->method != method) {
		sluice_api_problem(out, 405, NULL);
		out->allow = r->method == SLUICE_HTTP_GET ? "GET, HEAD" : "POST";
	} else if (r->who == DEVICE) {
		handle_device(&c, r, peer);
	} else {
		r->handle(&c);
	}
}
