// SPDX-License-Identifier: MIT
/* api_answer.c - what handlers have in common: answers, and what they read of a request. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cloud/api.h"
#include "cloud/api_call.h"
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

void sluice_api_problem(struct sluice_response *out, int status, const char *detail)
{
	put_json(out, status, "application/problem+json",
		 json_pack("{s:s,s:s,s:i,s:s*}", "type", "about:blank", "title",
			   sluice_http_reason(status), "status", status, "detail", detail));
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
	sluice_answer_problem(c, err == -EBUSY ? 503 : 500, NULL);
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
