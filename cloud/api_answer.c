// SPDX-License-Identifier: MIT
/* api_answer.c - what handlers have in common: answers, and what they read of a request. */
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cloud/api.h"
#include "cloud/api_call.h"
#include "cloud/index_pg.h"
#include "lib/log.h"

/* Takes the reference. */
static void put_json(struct sluice_response *out, int status, const char *type, json_t *json)
{
	char *text = json ? json_dumps(json, JSON_COMPACT) : NULL;

	json_decref(json);
	out->status = text ? status : 500;
	out->type = text ? type : NULL;
	out->body = (uint8_t *)text;
	out->size = text ? strlen(text) : 0;
}

static void put_problem(struct sluice_response *out, int status, const char *type,
			const char *detail)
{
	put_json(out, status, "application/problem+json",
		 json_pack("{s:s,s:s,s:i,s:s*}", "type", type, "title", sluice_http_reason(status),
			   "status", status, "detail", detail));
}

void sluice_api_problem(struct sluice_response *out, int status, const char *detail)
{
	put_problem(out, status, "about:blank", detail);
}

void sluice_answer_typed(struct sluice_call *c, int status, const char *type, const char *detail)
{
	put_problem(c->out, status, type, detail);
}

struct sluice_actor sluice_call_actor(const struct sluice_call *c)
{
	struct sluice_actor by = { .who = "-", .address = c->address };

	if (c->who.role)
		snprintf(by.who, sizeof(by.who), "%s:%s", c->who.is_session ? "user" : "token",
			 c->who.name);
	return by;
}

int sluice_call_audit(struct sluice_call *c, const char *tenant, const char *action,
		      const char *what, enum sluice_result result)
{
	struct sluice_actor by = sluice_call_actor(c);
	int err = sluice_auditor_add(c->server->api->auditor, tenant, &by, action, what, result);

	if (err) {
		sluice_answer_problem(c, 503, "the audit log cannot be written at the moment");
		c->out->retry_s = 5;
	}
	return err;
}

void sluice_answer_json(struct sluice_call *c, int status, json_t *json)
{
	put_json(c->out, status, "application/json", json);
}

void sluice_answer_problem(struct sluice_call *c, int status, const char *detail)
{
	sluice_api_problem(c->out, status, detail);
}

void sluice_answer_error(struct sluice_call *c, int err)
{
	if (err == -ENOENT || err == -ENOTDIR) {
		sluice_answer_problem(c, 404, NULL);
		return;
	}
	sluice_error("request %s failed: %s", c->path, strerror(-err));
	if (err != -EBUSY && !sluice_index_pg_passes(err)) {
		sluice_answer_problem(c, 500, NULL);
		return;
	}
	sluice_answer_problem(c, 503,
			      err == -EBUSY ? NULL : "the data base does not answer at the moment");
	c->out->retry_s = err == -EBUSY ? 1 : 5;
}

void sluice_answer_nothing(struct sluice_call *c)
{
	c->out->status = 204;
}

json_t *sluice_call_object(struct sluice_call *c)
{
	json_t *json = json_loadb((const char *)c->body, c->size, JSON_REJECT_DUPLICATES, NULL);

	if (json_is_object(json))
		return json;
	json_decref(json);
	sluice_answer_problem(c, 400, "the body must be a JSON object");
	return NULL;
}

int64_t sluice_call_number(struct sluice_call *c, const char *name, int64_t fallback, int64_t min,
			   int64_t max)
{
	char text[24], *end;
	int err = sluice_http_query(c->request, name, text, sizeof(text));
	int64_t value;

	if (err == -ENOENT)
		return fallback;
	if (err || text[0] < '0' || text[0] > '9')
		return -1;
	errno = 0;
	value = strtoll(text, &end, 10);
	return errno || *end || value < min || value > max ? -1 : value;
}

int sluice_call_name(struct sluice_call *c, const char *name, char out[SLUICE_NAME_MAX])
{
	int err = sluice_http_query(c->request, name, out, SLUICE_NAME_MAX);

	if (!err && !sluice_name_valid(out))
		err = -EINVAL;
	if (err && err != -ENOENT)
		sluice_answer_problem(c, 400,
				      "a name in the query has 1 to 31 letters, digits, dots, "
				      "hyphens, underscores");
	return err;
}

/* One id, in upper case, behind what is there. */
static int add_grant(char text[SLUICE_GRANTS_TEXT], const char *id)
{
	size_t used = strlen(text);
	uint8_t raw[16];

	if (!id || sluice_unhex(id, raw, sizeof(raw)) || used + 34 > SLUICE_GRANTS_TEXT)
		return -EINVAL;
	if (used)
		text[used++] = ',';
	for (; *id; id++)
		text[used++] = (char)toupper((unsigned char)*id);
	text[used] = 0;
	return 0;
}

int sluice_call_grants(struct sluice_call *c, const json_t *json, char text[SLUICE_GRANTS_TEXT],
		       const char **list)
{
	size_t i;
	int err = 0;

	*list = NULL;
	if (!json || json_is_null(json))
		return 0;
	*text = 0;
	if (!json_is_array(json))
		err = -EINVAL;
	for (i = 0; i < json_array_size(json) && !err; i++)
		err = add_grant(text, json_string_value(json_array_get(json, i)));
	if (err)
		sluice_answer_problem(
			c, 400, "cameras must be null or an array of at most 64 cameras' ids");
	*list = text;
	return err;
}

json_t *sluice_grants_json(int restricted, const char *cameras)
{
	json_t *list = restricted ? json_array() : json_null();
	char id[33];
	int i;

	for (; restricted && strlen(cameras) >= 32; cameras += 32 + (cameras[32] == ',')) {
		for (i = 0; i < 32; i++)
			id[i] = (char)tolower((unsigned char)cameras[i]);
		id[32] = 0;
		json_array_append_new(list, json_string(id));
	}
	return list;
}

struct sluice_call sluice_call_again(struct sluice_loop *loop, const struct sluice_who *who,
				     const char *address, struct sluice_response *r)
{
	return (struct sluice_call){
		.server = loop->server,
		.loop = loop,
		.auth = loop->auth,
		.index = loop->index,
		.address = address,
		.who = *who,
		.out = r,
	};
}

json_t *sluice_time_json(uint64_t utc_ns)
{
	char text[32];

	if (!utc_ns)
		return json_null();
	sluice_rfc3339(utc_ns, text);
	return json_string(text);
}

json_t *sluice_scopes_json(unsigned int scopes)
{
	json_t *list = json_array();
	unsigned int bit;

	for (bit = 1; bit <= SLUICE_SCOPE_ALL; bit <<= 1)
		if (scopes & bit)
			json_array_append_new(list, json_string(sluice_scope_name(bit)));
	return list;
}
