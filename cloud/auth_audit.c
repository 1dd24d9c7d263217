// SPDX-License-Identifier: MIT
/* auth_audit.c - the table of the audit log; and tenants, which it is kept by. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "cloud/auth_state.h"

#define WHAT_MAX 200

int sluice_auth_audit(struct sluice_auth *a, const char *tenant, const struct sluice_actor *by,
		      const char *action, const char *what, enum sluice_result result)
{
	char text[WHAT_MAX + 1];

	snprintf(text, sizeof(text), "%s", what);
	return sluice_sqlite_run(sluice_sqlite_bind(&a->s, AUDIT_ADD, "isssssd", sluice_utc_now(),
						    tenant, by->who, by->address ? by->address : "",
						    action, text, (int)result));
}

int sluice_auth_audits(struct sluice_auth *a, const char *tenant, const char *action,
		       const char *who, int64_t before, unsigned int limit, sluice_auth_audit_fn fn,
		       void *ctx)
{
	sqlite3_stmt *st =
		sluice_sqlite_bind(&a->s, AUDITS, "sissd", tenant, before, action, who, (int)limit);
	int rc;

	while ((rc = sluice_sqlite_step(st)) > 0) {
		const struct sluice_audit line = {
			.id = sqlite3_column_int64(st, 0),
			.time_ns = (uint64_t)sqlite3_column_int64(st, 1),
			.who = sluice_sqlite_text(st, 2),
			.address = sluice_sqlite_text(st, 3),
			.action = sluice_sqlite_text(st, 4),
			.what = sluice_sqlite_text(st, 5),
			.result = sqlite3_column_int(st, 6),
		};

		rc = fn(ctx, &line);
		if (rc) {
			sqlite3_reset(st);
			break;
		}
	}
	return rc;
}

int sluice_auth_audit_trim(struct sluice_auth *a, uint64_t before_ns, int64_t rows)
{
	int err = sluice_sqlite_run(sluice_sqlite_bind(&a->s, AUDIT_OLD, "i", before_ns));

	return err ? err : sluice_sqlite_run(sluice_sqlite_bind(&a->s, AUDIT_MANY, "i", rows));
}

/* ---- tenants ---- */

static void read_tenant(sqlite3_stmt *st, struct sluice_auth_tenant *t)
{
	snprintf(t->name, sizeof(t->name), "%s", sluice_sqlite_text(st, 0));
	t->created_ns = (uint64_t)sqlite3_column_int64(st, 1);
	t->users = sqlite3_column_int64(st, 2);
	t->devices = sqlite3_column_int64(st, 3);
}

int sluice_auth_tenant_add(struct sluice_auth *a, const struct sluice_actor *by, const char *tenant)
{
	int err = sluice_name_valid(tenant) ? sluice_auth_begin(a) : -EINVAL;

	if (err)
		return err;
	err = sluice_sqlite_run(
		sluice_sqlite_bind(&a->s, TENANT_ADD, "si", tenant, sluice_utc_now()));
	if (!err)
		err = sluice_auth_audit(a, tenant, by, "tenant.add", tenant, SLUICE_OK);
	return sluice_auth_end(a, err);
}

int sluice_auth_tenant_find(struct sluice_auth *a, const char *tenant,
			    struct sluice_auth_tenant *out)
{
	sqlite3_stmt *st = sluice_sqlite_bind(&a->s, TENANT_FIND, "s", tenant);
	int rc = sluice_sqlite_step(st);

	if (rc <= 0)
		return rc ? rc : -ENOENT;
	read_tenant(st, out);
	sqlite3_reset(st);
	return 0;
}

int sluice_auth_tenants(struct sluice_auth *a, sluice_auth_tenant_fn fn, void *ctx)
{
	sqlite3_stmt *st = sluice_sqlite_bind(&a->s, TENANTS, "");
	struct sluice_auth_tenant t;
	int rc;

	while ((rc = sluice_sqlite_step(st)) > 0) {
		read_tenant(st, &t);
		rc = fn(ctx, &t);
		if (rc) {
			sqlite3_reset(st);
			break;
		}
	}
	return rc;
}
