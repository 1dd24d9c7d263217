// SPDX-License-Identifier: MIT
/* auth_audit.c - the table of the audit log; and tenants, which it is kept by. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "cloud/auth_state.h"

#define WHAT_MAX 200

/* Bytes of a character, or 0: it is none. */
static size_t character(const unsigned char *p)
{
	size_t n = *p < 0x80   ? 1
		   : *p < 0xc2 ? 0
		   : *p < 0xe0 ? 2
		   : *p < 0xf0 ? 3
		   : *p < 0xf5 ? 4
			       : 0;
	size_t i;

	for (i = 1; i < n; i++)
		if ((p[i] & 0xc0) != 0x80)
			return 0;
	if ((*p == 0xe0 && p[1] < 0xa0) || (*p == 0xed && p[1] > 0x9f) ||
	    (*p == 0xf0 && p[1] < 0x90) || (*p == 0xf4 && p[1] > 0x8f))
		return 0;
	return n;
}

/* A line must be written whatever it says: a data base may take UTF-8 alone. */
static void clean_text(char *text)
{
	unsigned char *p = (unsigned char *)text;

	while (*p) {
		size_t n = character(p);

		if (!n)
			*p = '?';
		p += n ? n : 1;
	}
}

int sluice_auth_audit(struct sluice_auth *a, const char *tenant, const struct sluice_actor *by,
		      const char *action, const char *what, enum sluice_result result)
{
	char text[WHAT_MAX + 1];

	snprintf(text, sizeof(text), "%s", what);
	clean_text(text);
	return sluice_db_run(sluice_db_bind(a->db, AUDIT_ADD, "isssssd", sluice_utc_now(), tenant,
					    by->who, by->address ? by->address : "", action, text,
					    (int)result));
}

int sluice_auth_audits(struct sluice_auth *a, const char *tenant, const char *action,
		       const char *who, int64_t before, unsigned int limit, sluice_auth_audit_fn fn,
		       void *ctx)
{
	struct sluice_rows *r =
		sluice_db_bind(a->db, AUDITS, "sissd", tenant, before, action, who, (int)limit);
	int rc;

	while ((rc = sluice_db_step(r)) > 0) {
		const struct sluice_audit line = {
			.id = sluice_db_int(r, 0),
			.time_ns = (uint64_t)sluice_db_int(r, 1),
			.who = sluice_db_text(r, 2),
			.address = sluice_db_text(r, 3),
			.action = sluice_db_text(r, 4),
			.what = sluice_db_text(r, 5),
			.result = (int)sluice_db_int(r, 6),
		};

		rc = fn(ctx, &line);
		if (rc) {
			sluice_db_end(r);
			break;
		}
	}
	return rc;
}

int sluice_auth_audit_trim(struct sluice_auth *a, uint64_t before_ns, int64_t rows)
{
	int err = sluice_db_run(sluice_db_bind(a->db, AUDIT_OLD, "i", before_ns));

	return err ? err : sluice_db_run(sluice_db_bind(a->db, AUDIT_MANY, "i", rows));
}

/* ---- tenants ---- */

static void read_tenant(struct sluice_rows *r, struct sluice_auth_tenant *t)
{
	snprintf(t->name, sizeof(t->name), "%s", sluice_db_text(r, 0));
	t->created_ns = (uint64_t)sluice_db_int(r, 1);
	t->users = sluice_db_int(r, 2);
	t->devices = sluice_db_int(r, 3);
}

int sluice_auth_tenant_add(struct sluice_auth *a, const struct sluice_actor *by, const char *tenant)
{
	int err = sluice_name_valid(tenant) ? sluice_auth_begin(a) : -EINVAL;

	if (err)
		return err;
	err = sluice_db_run(sluice_db_bind(a->db, TENANT_ADD, "si", tenant, sluice_utc_now()));
	if (!err)
		err = sluice_auth_audit(a, tenant, by, "tenant.add", tenant, SLUICE_OK);
	return sluice_auth_end(a, err);
}

int sluice_auth_tenant_find(struct sluice_auth *a, const char *tenant,
			    struct sluice_auth_tenant *out)
{
	struct sluice_rows *r = sluice_db_bind(a->db, TENANT_FIND, "s", tenant);
	int rc = sluice_db_step(r);

	if (rc <= 0)
		return rc ? rc : -ENOENT;
	read_tenant(r, out);
	sluice_db_end(r);
	return 0;
}

int sluice_auth_tenants(struct sluice_auth *a, sluice_auth_tenant_fn fn, void *ctx)
{
	struct sluice_rows *r = sluice_db_bind(a->db, TENANTS, "");
	struct sluice_auth_tenant t;
	int rc;

	while ((rc = sluice_db_step(r)) > 0) {
		read_tenant(r, &t);
		rc = fn(ctx, &t);
		if (rc) {
			sluice_db_end(r);
			break;
		}
	}
	return rc;
}
