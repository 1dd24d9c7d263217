// SPDX-License-Identifier: MIT
/*
 * auth_users.c - users, and their second factor. Passwords come here as hashes only. Whatever makes
 * a user less trusted ends the user's sessions in the same transaction.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <openssl/crypto.h>
#include <openssl/rand.h>

#include "cloud/auth_state.h"

#define NAMES 5

static const char *const roles[NAMES] = {
	[SLUICE_VIEWER] = "viewer", [SLUICE_OPERATOR] = "operator", [SLUICE_ADMIN] = "admin"
};
static const char *const scopes[NAMES] = { "read", "media", "settings", "enrol", "admin" };

const char *sluice_role_name(enum sluice_role role)
{
	return (unsigned int)role < NAMES ? roles[role] : NULL;
}

enum sluice_role sluice_role_find(const char *name)
{
	int i;

	for (i = 0; name && i < NAMES; i++)
		if (roles[i] && !strcmp(roles[i], name))
			return i;
	return SLUICE_ANYBODY;
}

const char *sluice_scope_name(unsigned int scope)
{
	return scope & SLUICE_SCOPE_ALL ? scopes[__builtin_ctz(scope)] : NULL;
}

unsigned int sluice_scope_find(const char *name)
{
	int i;

	for (i = 0; name && i < NAMES; i++)
		if (!strcmp(scopes[i], name))
			return 1u << i;
	return 0;
}

static void read_user(struct sluice_rows *r, struct sluice_auth_user *u)
{
	const char *cameras = sluice_auth_column(r, 4);

	memset(u, 0, sizeof(*u));
	snprintf(u->tenant, sizeof(u->tenant), "%s", sluice_db_text(r, 0));
	snprintf(u->name, sizeof(u->name), "%s", sluice_db_text(r, 1));
	u->role = (int)sluice_db_int(r, 2);
	u->disabled = (int)sluice_db_int(r, 3);
	u->restricted = cameras != NULL;
	snprintf(u->cameras, sizeof(u->cameras), "%s", cameras ? cameras : "");
	u->created_ns = (uint64_t)sluice_db_int(r, 5);
	u->login_ns = (uint64_t)sluice_db_int(r, 6);
	u->totp = (int)sluice_db_int(r, 7);
}

/* Would it be a user? */
static int check_user(enum sluice_role role, int restricted)
{
	return !sluice_role_name(role) || (role == SLUICE_ADMIN && restricted) ? -EINVAL : 0;
}

int sluice_auth_user_add(struct sluice_auth *a, const struct sluice_actor *by, const char *tenant,
			 const char *name, enum sluice_role role, const char *hash,
			 const char *cameras)
{
	struct sluice_auth_tenant t;
	char what[64];
	int err = sluice_name_valid(name) ? check_user(role, cameras != NULL) : -EINVAL;

	if (!err)
		err = sluice_auth_begin(a);
	if (err)
		return err;
	err = sluice_auth_tenant_find(a, tenant, &t);
	if (!err)
		err = sluice_db_run(sluice_db_bind(a->db, USER_ADD, "ssdssi", tenant, name,
						   (int)role, hash, cameras, sluice_utc_now()));
	snprintf(what, sizeof(what), "%s as %s", name, sluice_role_name(role));
	if (!err)
		err = sluice_auth_audit(a, tenant, by, "user.add", what, SLUICE_OK);
	return sluice_auth_end(a, err);
}

int sluice_auth_user_find(struct sluice_auth *a, const char *tenant, const char *name,
			  struct sluice_auth_user *out)
{
	struct sluice_rows *r = sluice_db_bind(a->db, USER_FIND, "ss", tenant, name);
	int rc = sluice_db_step(r);
	const void *secret;
	size_t size;

	if (rc <= 0)
		return rc ? rc : -ENOENT;
	read_user(r, out);
	snprintf(out->hash, sizeof(out->hash), "%s", sluice_db_text(r, 8));
	secret = sluice_db_blob(r, 9, &size);
	out->has_secret = secret && size == SLUICE_TOTP_SECRET;
	if (out->has_secret)
		memcpy(out->secret, secret, SLUICE_TOTP_SECRET);
	out->totp_step = (uint64_t)sluice_db_int(r, 10);
	sluice_db_end(r);
	return 0;
}

int sluice_auth_users(struct sluice_auth *a, const char *tenant, sluice_auth_user_fn fn, void *ctx)
{
	struct sluice_rows *r = sluice_db_bind(a->db, USERS, "s", tenant);
	struct sluice_auth_user u;
	int rc;

	while ((rc = sluice_db_step(r)) > 0) {
		read_user(r, &u);
		rc = fn(ctx, &u);
		if (rc) {
			sluice_db_end(r);
			break;
		}
	}
	return rc;
}

/* As it is, and stays until the end of the transaction but for what is done in it. */
static int lock_user(struct sluice_auth *a, const char *tenant, const char *name,
		     struct sluice_auth_user *u)
{
	int err = sluice_db_run(sluice_db_bind(a->db, USER_LOCK, "ss", tenant, name));

	memset(u, 0, sizeof(*u));
	return err ? err : sluice_auth_user_find(a, tenant, name, u);
}

static int end_sessions(struct sluice_auth *a, const char *tenant, const char *name,
			const char *but)
{
	return sluice_db_run(sluice_db_bind(a->db, SESSIONS_END, "sss", tenant, name, but));
}

static int clear_totp(struct sluice_auth *a, const char *tenant, const char *name)
{
	int err = sluice_db_run(
		sluice_db_bind(a->db, USER_TOTP, "ssbd", tenant, name, (void *)NULL, (size_t)0, 0));

	return err ? err : sluice_db_run(sluice_db_bind(a->db, RECOVERY_CLEAR, "ss", tenant, name));
}

static int run_change(struct sluice_auth *a, const char *tenant, const char *name,
		      const struct sluice_auth_change *c)
{
	int err = 0;

	if (c->role)
		err = sluice_db_run(
			sluice_db_bind(a->db, USER_ROLE, "ssd", tenant, name, (int)c->role));
	if (!err && c->disable)
		err = sluice_db_run(
			sluice_db_bind(a->db, USER_DISABLED, "ssd", tenant, name, c->disable > 0));
	if (!err && c->hash)
		err = sluice_db_run(sluice_db_bind(a->db, USER_HASH, "sss", tenant, name, c->hash));
	if (!err && c->set_cameras)
		err = sluice_db_run(
			sluice_db_bind(a->db, USER_CAMERAS, "sss", tenant, name, c->cameras));
	if (!err && c->totp_off)
		err = clear_totp(a, tenant, name);
	if (!err && (c->role || c->disable || c->hash || c->totp_off))
		err = end_sessions(a, tenant, name, c->but);
	return err;
}

int sluice_auth_user_change(struct sluice_auth *a, const struct sluice_actor *by,
			    const char *tenant, const char *name,
			    const struct sluice_auth_change *c)
{
	struct sluice_auth_user u;
	char what[128];
	int err = sluice_auth_begin(a);

	if (err)
		return err;
	err = lock_user(a, tenant, name, &u);
	if (!err)
		err = check_user(c->role ? c->role : u.role,
				 c->set_cameras ? c->cameras != NULL : u.restricted);
	if (!err)
		err = run_change(a, tenant, name, c);
	snprintf(what, sizeof(what), "%s%s%s%s%s%s%s", name, c->role ? " role=" : "",
		 c->role ? sluice_role_name(c->role) : "",
		 c->disable > 0	  ? " locked"
		 : c->disable < 0 ? " unlocked"
				  : "",
		 c->hash ? " password" : "", c->set_cameras ? " cameras" : "",
		 c->totp_off ? " totp-off" : "");
	if (!err)
		err = sluice_auth_audit(a, tenant, by, "user.change", what, SLUICE_OK);
	OPENSSL_cleanse(&u, sizeof(u));
	return sluice_auth_end(a, err);
}

int sluice_auth_user_drop(struct sluice_auth *a, const struct sluice_actor *by, const char *tenant,
			  const char *name)
{
	int err = sluice_auth_begin(a);

	if (err)
		return err;
	err = sluice_db_run(sluice_db_bind(a->db, USER_DROP, "ss", tenant, name));
	if (!err && !sluice_db_changed(a->db))
		err = -ENOENT;
	if (!err)
		err = end_sessions(a, tenant, name, NULL);
	if (!err)
		err = sluice_db_run(sluice_db_bind(a->db, RECOVERY_CLEAR, "ss", tenant, name));
	if (!err)
		err = sluice_auth_audit(a, tenant, by, "user.drop", name, SLUICE_OK);
	return sluice_auth_end(a, err);
}

/* ---- the second factor ---- */

int sluice_auth_totp_begin(struct sluice_auth *a, const char *tenant, const char *name,
			   const uint8_t secret[SLUICE_TOTP_SECRET])
{
	struct sluice_auth_user u;
	int err = sluice_auth_begin(a);

	if (err)
		return err;
	err = lock_user(a, tenant, name, &u);
	if (!err && u.totp)
		err = -EALREADY;
	if (!err)
		err = sluice_db_run(sluice_db_bind(a->db, USER_TOTP, "ssbd", tenant, name, secret,
						   (size_t)SLUICE_TOTP_SECRET, 0));
	OPENSSL_cleanse(&u, sizeof(u));
	return sluice_auth_end(a, err);
}

/* Ten codes of 80 random bits; a hash of them is enough. */
static int make_recovery(struct sluice_auth *a, const char *tenant, const char *name,
			 char recovery[SLUICE_RECOVERY][SLUICE_SHORT_ID])
{
	uint8_t random[10], hash[SHA256_DIGEST_LENGTH];
	int i, err;

	err = sluice_db_run(sluice_db_bind(a->db, RECOVERY_CLEAR, "ss", tenant, name));
	for (i = 0; i < SLUICE_RECOVERY && !err; i++) {
		if (RAND_bytes(random, sizeof(random)) != 1)
			return -EIO;
		sluice_base32(random, sizeof(random), recovery[i]);
		sluice_auth_hash(recovery[i], hash);
		err = sluice_db_run(sluice_db_bind(a->db, RECOVERY_ADD, "ssb", tenant, name, hash,
						   sizeof(hash)));
	}
	return err;
}

int sluice_auth_totp_confirm(struct sluice_auth *a, const struct sluice_actor *by,
			     const char *tenant, const char *name, const char *code, uint64_t now_s,
			     char recovery[SLUICE_RECOVERY][SLUICE_SHORT_ID])
{
	struct sluice_auth_user u;
	uint64_t step = 0;
	int err = sluice_auth_begin(a);

	if (err)
		return err;
	err = lock_user(a, tenant, name, &u);
	if (!err)
		err = u.totp ? -EALREADY : u.has_secret ? 0 : -ENOENT;
	if (!err)
		err = sluice_totp_check(u.secret, code, now_s, &step);
	if (!err)
		err = sluice_db_run(sluice_db_bind(a->db, USER_TOTP, "ssbd", tenant, name, u.secret,
						   sizeof(u.secret), 1));
	if (!err)
		err = sluice_db_run(
			sluice_db_bind(a->db, USER_TOTP_STEP, "ssi", tenant, name, step));
	if (!err)
		err = make_recovery(a, tenant, name, recovery);
	if (!err)
		err = sluice_auth_audit(a, tenant, by, "totp.on", name, SLUICE_OK);
	OPENSSL_cleanse(&u, sizeof(u));
	return sluice_auth_end(a, err);
}

int sluice_auth_totp_use(struct sluice_auth *a, const struct sluice_auth_user *u, const char *code,
			 uint64_t now_s)
{
	uint8_t hash[SHA256_DIGEST_LENGTH];
	uint64_t step = u->totp_step;
	int err;

	if (strlen(code) == 6) {
		err = sluice_totp_check(u->secret, code, now_s, &step);
		if (!err)
			err = sluice_db_run(sluice_db_bind(a->db, USER_TOTP_STEP, "ssi", u->tenant,
							   u->name, step));
	} else {
		sluice_auth_hash(code, hash);
		err = sluice_db_run(sluice_db_bind(a->db, RECOVERY_USE, "ssb", u->tenant, u->name,
						   hash, sizeof(hash)));
	}
	return !err && !sluice_db_changed(a->db) ? -EACCES : err;
}
