// SPDX-License-Identifier: MIT
/*
 * auth_sessions.c - who asks: sessions of people and API tokens. Both are 160 random bits of which
 * the SHA-256 is kept (a slow hash would add nothing to that much randomness). Role and grants of a
 * session are its user's at the moment of each request.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "cloud/auth_state.h"

/* Never below 0: a clock before the lives are over makes nothing too old. */
static uint64_t before(uint64_t now_ns, uint64_t life_ns)
{
	return now_ns > life_ns ? now_ns - life_ns : 0;
}

static void copy_grants(struct sluice_who *w, const char *cameras)
{
	w->restricted = cameras != NULL;
	snprintf(w->cameras, sizeof(w->cameras), "%s", cameras ? cameras : "");
}

/* SESSION_COLUMNS from column at on. */
static void read_session(struct sluice_rows *r, int at, const struct sluice_auth_lives *lives,
			 struct sluice_who *w)
{
	w->is_session = 1;
	w->scopes = SLUICE_SCOPE_ALL;
	snprintf(w->id, sizeof(w->id), "%s", sluice_db_text(r, at));
	w->created_ns = (uint64_t)sluice_db_int(r, at + 1);
	w->used_ns = (uint64_t)sluice_db_int(r, at + 2);
	snprintf(w->address, sizeof(w->address), "%s", sluice_db_text(r, at + 3));
	w->expires_ns = w->created_ns + lives->whole_ns;
	w->idle_ns = w->used_ns + lives->idle_ns;
}

int sluice_auth_session_add(struct sluice_auth *a, const struct sluice_actor *by,
			    const char *tenant, const char *user, uint64_t now_ns,
			    char secret[SLUICE_SECRET_MAX], char id[SLUICE_SHORT_ID])
{
	uint8_t hash[SHA256_DIGEST_LENGTH];
	int err = sluice_auth_secret(secret);

	if (err)
		return err;
	sluice_auth_hash(secret, hash);
	sluice_hex(hash, 8, id);
	err = sluice_auth_begin(a);
	if (err)
		return err;
	err = sluice_db_run(sluice_db_bind(a->db, SESSION_ADD, "bsssis", hash, sizeof(hash), id,
					   tenant, user, now_ns, by->address ? by->address : ""));
	if (!err)
		err = sluice_db_run(sluice_db_bind(a->db, SESSIONS_COUNT, "ssd", tenant, user,
						   SLUICE_SESSIONS_MAX));
	if (!err)
		err = sluice_db_run(sluice_db_bind(a->db, USER_LOGIN, "ssi", tenant, user, now_ns));
	if (!err)
		err = sluice_auth_audit(a, tenant, by, "session.add", id, SLUICE_OK);
	return sluice_auth_end(a, err);
}

int sluice_auth_session_check(struct sluice_auth *a, const char *secret, uint64_t now_ns,
			      const struct sluice_auth_lives *lives, struct sluice_who *out)
{
	uint8_t hash[SHA256_DIGEST_LENGTH];
	struct sluice_rows *r;
	int rc;

	sluice_auth_hash(secret, hash);
	r = sluice_db_bind(a->db, SESSION_FIND, "bii", hash, sizeof(hash),
			   before(now_ns, lives->idle_ns), before(now_ns, lives->whole_ns));
	rc = sluice_db_step(r);
	if (rc <= 0)
		return rc ? rc : -EACCES;
	memset(out, 0, sizeof(*out));
	snprintf(out->tenant, sizeof(out->tenant), "%s", sluice_db_text(r, 0));
	snprintf(out->name, sizeof(out->name), "%s", sluice_db_text(r, 1));
	out->role = (int)sluice_db_int(r, 2);
	copy_grants(out, sluice_auth_column(r, 4));
	out->totp = (int)sluice_db_int(r, 7);
	read_session(r, 8, lives, out);
	sluice_db_end(r);
	return 0;
}

int sluice_auth_session_touch(struct sluice_auth *a, const char *id, uint64_t now_ns)
{
	return sluice_db_run(sluice_db_bind(a->db, SESSION_TOUCH, "si", id, now_ns));
}

int sluice_auth_sessions(struct sluice_auth *a, const char *tenant, const char *user,
			 uint64_t now_ns, const struct sluice_auth_lives *lives,
			 sluice_auth_who_fn fn, void *ctx)
{
	struct sluice_rows *r =
		sluice_db_bind(a->db, SESSIONS, "ssii", tenant, user,
			       before(now_ns, lives->idle_ns), before(now_ns, lives->whole_ns));
	struct sluice_who w;
	int rc;

	while ((rc = sluice_db_step(r)) > 0) {
		memset(&w, 0, sizeof(w));
		snprintf(w.tenant, sizeof(w.tenant), "%s", tenant);
		snprintf(w.name, sizeof(w.name), "%s", user);
		read_session(r, 0, lives, &w);
		rc = fn(ctx, &w);
		if (rc) {
			sluice_db_end(r);
			break;
		}
	}
	return rc;
}

/* A row goes, or there was none of that name; with its line. */
static int drop_row(struct sluice_auth *a, struct sluice_rows *r, const struct sluice_actor *by,
		    const char *tenant, const char *action, const char *what)
{
	int err = sluice_db_run(r);

	if (!err && !sluice_db_changed(a->db))
		err = -ENOENT;
	return err ? err : sluice_auth_audit(a, tenant, by, action, what, SLUICE_OK);
}

int sluice_auth_session_drop(struct sluice_auth *a, const struct sluice_actor *by,
			     const char *tenant, const char *user, const char *id)
{
	int err = sluice_auth_begin(a);

	if (err)
		return err;
	err = drop_row(a, sluice_db_bind(a->db, SESSION_DROP, "sss", tenant, user, id), by, tenant,
		       "session.drop", id);
	return sluice_auth_end(a, err);
}

int sluice_auth_sessions_trim(struct sluice_auth *a, uint64_t now_ns,
			      const struct sluice_auth_lives *lives)
{
	return sluice_db_run(sluice_db_bind(a->db, SESSIONS_OLD, "ii",
					    before(now_ns, lives->idle_ns),
					    before(now_ns, lives->whole_ns)));
}

/* ---- API tokens ---- */

int sluice_auth_apitoken_add(struct sluice_auth *a, const struct sluice_actor *by,
			     const char *tenant, const char *name, enum sluice_role role,
			     unsigned int scopes, const char *cameras, uint64_t expires_ns,
			     char secret[SLUICE_SECRET_MAX])
{
	uint8_t hash[SHA256_DIGEST_LENGTH];
	struct sluice_auth_tenant t;
	char id[SLUICE_SHORT_ID];
	int err;

	if (!sluice_name_valid(name) || !sluice_role_name(role) || !scopes ||
	    scopes & ~(unsigned int)SLUICE_SCOPE_ALL || (role == SLUICE_ADMIN && cameras))
		return -EINVAL;
	err = sluice_auth_secret(secret);
	if (err)
		return err;
	sluice_auth_hash(secret, hash);
	sluice_hex(hash, 8, id);
	err = sluice_auth_begin(a);
	if (err)
		return err;
	err = sluice_auth_tenant_find(a, tenant, &t);
	if (!err)
		err = sluice_db_run(sluice_db_bind(
			a->db, APITOKEN_ADD, "bsssddsii", hash, sizeof(hash), id, tenant, name,
			(int)role, (int)scopes, cameras, sluice_utc_now(), expires_ns));
	if (!err)
		err = sluice_auth_audit(a, tenant, by, "apitoken.add", name, SLUICE_OK);
	return sluice_auth_end(a, err);
}

static void read_apitoken(struct sluice_rows *r, struct sluice_who *w)
{
	memset(w, 0, sizeof(*w));
	snprintf(w->id, sizeof(w->id), "%s", sluice_db_text(r, 0));
	snprintf(w->tenant, sizeof(w->tenant), "%s", sluice_db_text(r, 1));
	snprintf(w->name, sizeof(w->name), "%s", sluice_db_text(r, 2));
	w->role = (int)sluice_db_int(r, 3);
	w->scopes = (unsigned int)(int)sluice_db_int(r, 4);
	copy_grants(w, sluice_auth_column(r, 5));
	w->created_ns = (uint64_t)sluice_db_int(r, 6);
	w->expires_ns = (uint64_t)sluice_db_int(r, 7);
	w->used_ns = (uint64_t)sluice_db_int(r, 8);
}

int sluice_auth_apitoken_check(struct sluice_auth *a, const char *secret, uint64_t now_ns,
			       struct sluice_who *out)
{
	uint8_t hash[SHA256_DIGEST_LENGTH];
	struct sluice_rows *r;
	int rc;

	sluice_auth_hash(secret, hash);
	r = sluice_db_bind(a->db, APITOKEN_FIND, "bi", hash, sizeof(hash), now_ns);
	rc = sluice_db_step(r);
	if (rc <= 0)
		return rc ? rc : -EACCES;
	read_apitoken(r, out);
	sluice_db_end(r);
	return 0;
}

int sluice_auth_apitoken_touch(struct sluice_auth *a, const char *id, uint64_t now_ns)
{
	return sluice_db_run(sluice_db_bind(a->db, APITOKEN_TOUCH, "si", id, now_ns));
}

int sluice_auth_apitokens(struct sluice_auth *a, const char *tenant, sluice_auth_who_fn fn,
			  void *ctx)
{
	struct sluice_rows *r = sluice_db_bind(a->db, APITOKENS, "s", tenant);
	struct sluice_who w;
	int rc;

	while ((rc = sluice_db_step(r)) > 0) {
		read_apitoken(r, &w);
		rc = fn(ctx, &w);
		if (rc) {
			sluice_db_end(r);
			break;
		}
	}
	return rc;
}

int sluice_auth_apitoken_drop(struct sluice_auth *a, const struct sluice_actor *by,
			      const char *tenant, const char *which)
{
	int err = sluice_auth_begin(a);

	if (err)
		return err;
	err = drop_row(a, sluice_db_bind(a->db, APITOKEN_DROP, "ss", tenant, which), by, tenant,
		       "apitoken.drop", which);
	return sluice_auth_end(a, err);
}
