// SPDX-License-Identifier: MIT
/* api_audit.c - the audit log, a page at a time; and the tenant itself. The cursor is the id of the
 * last line, which tells nothing that the page did not. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cloud/api_call.h"

#define ACTION_MAX 32
#define WHO_MAX	   (SLUICE_NAME_MAX + 8)

struct page {
	json_t *list;
	int64_t last;
};

static int add_line(void *ctx, const struct sluice_audit *l)
{
	static const char *const results[] = { "ok", "failed", "denied" };
	struct page *p = ctx;

	p->last = l->id;
	return json_array_append_new(
		p->list,
		json_pack("{s:I,s:o,s:s,s:s,s:s,s:s,s:s}", "id", (json_int_t)l->id, "time",
			  sluice_time_json(l->time_ns), "who", l->who, "address", l->address,
			  "action", l->action, "what", l->what, "result",
			  results[l->result <= SLUICE_DENIED ? l->result : SLUICE_FAILED]));
}

/* NULL: absent; *err: it is malformed. */
static const char *read_word(struct sluice_call *c, const char *name, char *out, size_t size,
			     int *err)
{
	int rc = sluice_http_query(c->request, name, out, size);

	if (rc && rc != -ENOENT)
		*err = rc;
	return rc ? NULL : out;
}

static void get_audit(struct sluice_call *c)
{
	int64_t limit = sluice_call_number(c, "limit", 100, 1, 1000);
	int64_t before = sluice_call_number(c, "cursor", INT64_MAX, 1, INT64_MAX);
	struct page p = { 0 };
	char action_text[ACTION_MAX], who_text[WHO_MAX], next[24];
	const char *action, *who;
	int err = 0;

	action = read_word(c, "action", action_text, sizeof(action_text), &err);
	who = read_word(c, "who", who_text, sizeof(who_text), &err);
	if (limit < 0 || before < 0 || err) {
		sluice_answer_problem(c, 400,
				      "limit is 1..1000, cursor the next of the page before");
		return;
	}
	p.list = json_array();
	err = sluice_auth_audits(c->auth, c->who.tenant, action, who, before, (unsigned int)limit,
				 add_line, &p);
	if (err) {
		json_decref(p.list);
		sluice_answer_error(c, err);
		return;
	}
	snprintf(next, sizeof(next), "%lld", (long long)p.last);
	sluice_answer_json(c, 200,
			   json_pack("{s:o,s:s?}", "audit", p.list, "next",
				     json_array_size(p.list) < (size_t)limit ? NULL : next));
}

static void get_tenants(struct sluice_call *c)
{
	struct sluice_auth_tenant t;
	int err = sluice_auth_tenant_find(c->auth, c->who.tenant, &t);

	if (err)
		sluice_answer_error(c, err);
	else
		sluice_answer_json(c, 200,
				   json_pack("{s:[{s:s,s:o,s:I,s:I}]}", "tenants", "name", t.name,
					     "created", sluice_time_json(t.created_ns), "users",
					     (json_int_t)t.users, "devices",
					     (json_int_t)t.devices));
}

const struct sluice_route sluice_api_audit[] = {
	{ SLUICE_HTTP_GET, "/v1/audit", SLUICE_ADMIN, SLUICE_SCOPE_ADMIN, get_audit, "listAudit" },
	{ SLUICE_HTTP_GET, "/v1/tenants", SLUICE_ADMIN, SLUICE_SCOPE_ADMIN, get_tenants,
	  "listTenants" },
	{ 0 },
};
