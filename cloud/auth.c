// SPDX-License-Identifier: MIT
/*
 * auth.c - devices: one-time tokens, certificates, the deny-list.
 *
 * Tokens are 160 random bits; only their SHA-256 is kept (a slow hash would add nothing to that
 * much randomness). A certificate is good if its serial is recorded here for that device and not
 * denied: one that the authority's key has signed elsewhere, or one of a lost auth.db, lets nobody
 * in.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <openssl/crypto.h>
#include <openssl/rand.h>

#include "cloud/auth_state.h"
#include "cloud/db_sqlite.h"
#include "cloud/people_db.h"
#include "lib/sha256.h"

#define SECRET_BYTES 20

int sluice_auth_sqlite_db(const char *path, const char *const *sql, int count,
			  struct sluice_db **out)
{
	return sluice_db_sqlite_open(path, sluice_auth_steps, SLUICE_AUTH_VERSION, sql, count, out);
}

int sluice_auth_open(const char *path, struct sluice_auth **out)
{
	struct sluice_auth *a = calloc(1, sizeof(*a));
	int err;

	*out = NULL;
	if (!a)
		return -ENOMEM;
	err = sluice_auth_sqlite_db(path, sluice_auth_sql, STATEMENTS, &a->db);
	if (err) {
		free(a);
		return err;
	}
	*out = a;
	return 0;
}

int sluice_auth_of(struct sluice_db *d, struct sluice_auth **out)
{
	struct sluice_auth *a = calloc(1, sizeof(*a));

	*out = a;
	if (!a)
		return -ENOMEM;
	a->db = d;
	return 0;
}

void sluice_auth_close(struct sluice_auth *a)
{
	if (!a)
		return;
	sluice_db_close(a->db);
	free(a);
}

int sluice_auth_begin(struct sluice_auth *a)
{
	return sluice_db_begin(a->db);
}

int sluice_auth_end(struct sluice_auth *a, int err)
{
	if (!err)
		err = sluice_db_commit(a->db);
	if (err)
		sluice_db_rollback(a->db);
	return err;
}

int sluice_auth_secret(char secret[SLUICE_SECRET_MAX])
{
	uint8_t random[SECRET_BYTES];

	if (RAND_bytes(random, sizeof(random)) != 1)
		return -EIO;
	sluice_base32(random, sizeof(random), secret);
	OPENSSL_cleanse(random, sizeof(random));
	return 0;
}

void sluice_auth_hash(const char *secret, uint8_t hash[SHA256_DIGEST_LENGTH])
{
	sluice_sha256(secret, strlen(secret), hash);
}

void sluice_auth_short_id(const char *secret, char id[SLUICE_SHORT_ID])
{
	uint8_t hash[SHA256_DIGEST_LENGTH];

	sluice_auth_hash(secret, hash);
	sluice_hex(hash, 8, id);
}

const char *sluice_auth_column(struct sluice_rows *r, int at)
{
	return sluice_db_is_null(r, at) ? NULL : sluice_db_text(r, at);
}

int sluice_auth_lock(struct sluice_auth *a)
{
	return sluice_db_run(sluice_db_bind(a->db, DENY_LOCK, ""));
}

int sluice_auth_token_add(struct sluice_auth *a, const struct sluice_actor *by, const char *tenant,
			  const char *device, unsigned int minutes, char secret[SLUICE_SECRET_MAX])
{
	uint8_t hash[SHA256_DIGEST_LENGTH];
	uint64_t now = sluice_utc_now();
	struct sluice_auth_tenant t;
	int err;

	if (!sluice_name_valid(tenant) || !sluice_name_valid(device) || !minutes || minutes > 1440)
		return -EINVAL;
	err = sluice_auth_secret(secret);
	if (err)
		return err;
	sluice_auth_hash(secret, hash);
	err = sluice_auth_begin(a);
	if (err)
		return err;
	err = sluice_auth_tenant_find(a, tenant, &t);
	if (!err)
		err = sluice_db_run(sluice_db_bind(a->db, TOKENS_OLD, "i", now));
	if (!err)
		err = sluice_db_run(sluice_db_bind(a->db, TOKEN_ADD, "bssi", hash, sizeof(hash),
						   tenant, device, now + minutes * 60000000000ull));
	if (!err)
		err = sluice_auth_audit(a, tenant, by, "token.add", device, SLUICE_OK);
	return sluice_auth_end(a, err);
}

int sluice_auth_tokens(struct sluice_auth *a, const char *tenant, uint64_t now_ns,
		       sluice_auth_token_fn fn, void *ctx)
{
	struct sluice_rows *r = sluice_db_bind(a->db, TOKENS_OPEN, "si", tenant, now_ns);
	int rc;

	while ((rc = sluice_db_step(r)) > 0) {
		rc = fn(ctx, sluice_db_text(r, 0), sluice_db_text(r, 1),
			(uint64_t)sluice_db_int(r, 2));
		if (rc) {
			sluice_db_end(r);
			break;
		}
	}
	return rc;
}

/* The last statement changed something, or there was nothing of that name. */
static int found_one(struct sluice_auth *a, int err)
{
	return !err && !sluice_db_changed(a->db) ? -ENOENT : err;
}

int sluice_auth_token_drop(struct sluice_auth *a, const struct sluice_actor *by, const char *tenant,
			   const char *id)
{
	int err = sluice_auth_begin(a);

	if (err)
		return err;
	err = found_one(a, sluice_db_run(sluice_db_bind(a->db, TOKEN_DROP, "ss", tenant, id)));
	if (!err)
		err = sluice_auth_audit(a, tenant, by, "token.drop", id, SLUICE_OK);
	return sluice_auth_end(a, err);
}

/* Is the token good now? Fills the names. */
static int find_token(struct sluice_auth *a, const uint8_t hash[SHA256_DIGEST_LENGTH],
		      uint64_t now_ns, char *tenant, char *device)
{
	struct sluice_rows *r =
		sluice_db_bind(a->db, TOKEN_FIND, "b", hash, (size_t)SHA256_DIGEST_LENGTH);
	int rc = sluice_db_step(r);

	if (rc <= 0)
		return rc ? rc : -EACCES;
	snprintf(tenant, SLUICE_NAME_MAX, "%s", sluice_db_text(r, 0));
	snprintf(device, SLUICE_NAME_MAX, "%s", sluice_db_text(r, 1));
	rc = 0;
	if (sluice_db_int(r, 3))
		rc = -EALREADY;
	else if ((uint64_t)sluice_db_int(r, 2) <= now_ns)
		rc = -EKEYEXPIRED;
	sluice_db_end(r);
	return rc;
}

static int use_token(struct sluice_auth *a, const uint8_t hash[SHA256_DIGEST_LENGTH],
		     uint64_t now_ns)
{
	int err = sluice_db_run(sluice_db_bind(a->db, TOKEN_USED, "bi", hash,
					       (size_t)SHA256_DIGEST_LENGTH, now_ns));

	return !err && sluice_db_changed(a->db) != 1 ? -EALREADY : err;
}

/* The certificate's row, and the line that the device itself has done this. */
static int record_certificate(struct sluice_auth *a, const char *address, const char *action,
			      uint64_t now_ns, const char *tenant, const char *device,
			      const struct sluice_certificate *c)
{
	struct sluice_actor by = { .address = address };
	int err;

	snprintf(by.who, sizeof(by.who), "device:%s", device);
	err = sluice_db_run(sluice_db_bind(a->db, CERTIFICATE_ADD, "sssii", c->serial, tenant,
					   device, now_ns, c->not_after));
	return err ? err : sluice_auth_audit(a, tenant, &by, action, c->serial, SLUICE_OK);
}

/* Ends the transaction; what was issued in vain is dropped. */
static int end_issue(struct sluice_auth *a, int err, struct sluice_certificate *out)
{
	err = sluice_auth_end(a, err);
	if (err) {
		free(out->pem);
		memset(out, 0, sizeof(*out));
	}
	return err;
}

int sluice_auth_enrol(struct sluice_auth *a, const char *address, const char *secret,
		      uint64_t now_ns, sluice_auth_issue_fn issue, void *ctx, char *tenant,
		      char *device, struct sluice_certificate *out)
{
	uint8_t hash[SHA256_DIGEST_LENGTH];
	int err;

	memset(out, 0, sizeof(*out));
	sluice_auth_hash(secret, hash);
	err = sluice_auth_begin(a);
	if (err)
		return err;
	err = sluice_auth_lock(a);
	if (!err)
		err = find_token(a, hash, now_ns, tenant, device);
	if (!err)
		err = issue(ctx, tenant, device, out);
	if (!err)
		err = use_token(a, hash, now_ns);
	if (!err)
		err = record_certificate(a, address, "enrol", now_ns, tenant, device, out);
	return end_issue(a, err, out);
}

int sluice_auth_allowed(struct sluice_auth *a, const char *tenant, const char *device,
			const char *serial)
{
	struct sluice_rows *r =
		sluice_db_bind(a->db, CERTIFICATE_FIND, "sss", serial, tenant, device);
	int rc = sluice_db_step(r);

	if (rc <= 0)
		return rc ? rc : -ENOENT;
	rc = (int)sluice_db_int(r, 0) ? -EKEYREVOKED : 0;
	sluice_db_end(r);
	return rc;
}

/* Was the device given too many of late? 0, -EBUSY. */
static int check_rate(struct sluice_auth *a, const char *tenant, const char *device,
		      uint64_t now_ns)
{
	struct sluice_rows *r = sluice_db_bind(a->db, CERTIFICATES_NEW, "ssi", tenant, device,
					       now_ns - 3600000000000ull);
	int rc = sluice_db_step(r);

	if (rc <= 0)
		return rc ? rc : -EUCLEAN;
	rc = (int)sluice_db_int(r, 0) >= SLUICE_RENEW_HOUR ? -EBUSY : 0;
	sluice_db_end(r);
	return rc;
}

int sluice_auth_renew(struct sluice_auth *a, const char *address, const char *tenant,
		      const char *device, const char *serial, uint64_t now_ns,
		      sluice_auth_issue_fn issue, void *ctx, struct sluice_certificate *out)
{
	int err;

	memset(out, 0, sizeof(*out));
	err = sluice_auth_begin(a);
	if (err)
		return err;
	err = sluice_auth_lock(a);
	if (!err)
		err = sluice_auth_allowed(a, tenant, device, serial);
	if (!err)
		err = check_rate(a, tenant, device, now_ns);
	if (!err)
		err = issue(ctx, tenant, device, out);
	if (!err)
		err = record_certificate(a, address, "renew", now_ns, tenant, device, out);
	return end_issue(a, err, out);
}

int sluice_auth_revoke(struct sluice_auth *a, const struct sluice_actor *by, const char *tenant,
		       const char *device)
{
	int err = sluice_auth_begin(a);

	if (err)
		return err;
	err = sluice_db_run(sluice_db_bind(a->db, DENY_BUMP, "")); /* which is the lock, too */
	if (!err)
		err = found_one(a, sluice_db_run(sluice_db_bind(a->db, REVOKE, "ssi", tenant,
								device, sluice_utc_now())));
	if (!err)
		err = sluice_db_run(sluice_db_bind(a->db, TOKENS_VOID, "ss", tenant, device));
	if (!err)
		err = sluice_auth_audit(a, tenant, by, "revoke", device, SLUICE_OK);
	return sluice_auth_end(a, err);
}

int sluice_auth_deny_version(struct sluice_auth *a, int64_t *version)
{
	struct sluice_rows *r = sluice_db_bind(a->db, DENY_VERSION, "");
	int rc = sluice_db_step(r);

	if (rc <= 0)
		return rc ? rc : -EUCLEAN;
	*version = sluice_db_int(r, 0);
	sluice_db_end(r);
	return 0;
}

int sluice_auth_denied(struct sluice_auth *a, int64_t now_s, sluice_auth_serial_fn fn, void *ctx)
{
	struct sluice_rows *r = sluice_db_bind(a->db, CERTIFICATES_DENIED, "i", now_s);
	int rc;

	while ((rc = sluice_db_step(r)) > 0) {
		rc = fn(ctx, sluice_db_text(r, 0), (uint64_t)sluice_db_int(r, 1));
		if (rc) {
			sluice_db_end(r);
			break;
		}
	}
	return rc;
}

static int add_denied(void *ctx, const char *serial, uint64_t denied_ns)
{
	return sluice_crl_add(ctx, serial, (int64_t)(denied_ns / 1000000000u));
}

int sluice_auth_crl(struct sluice_auth *a, const struct sluice_ca *ca, char **pem)
{
	struct sluice_crl *list;
	int64_t version;
	int err = sluice_auth_deny_version(a, &version);

	*pem = NULL;
	if (err)
		return err;
	list = sluice_crl_begin(ca, version);
	err = list ? sluice_auth_denied(a, (int64_t)(sluice_utc_now() / 1000000000u), add_denied,
					list)
		   : -ENOMEM;
	if (err) {
		sluice_crl_drop(list);
		return err;
	}
	*pem = sluice_crl_end(list);
	return *pem ? 0 : -ENOMEM;
}

int sluice_auth_devices(struct sluice_auth *a, const char *tenant, sluice_auth_device_fn fn,
			void *ctx)
{
	struct sluice_rows *r = sluice_db_bind(a->db, DEVICES, "s", tenant);
	struct sluice_auth_device d;
	int rc;

	while ((rc = sluice_db_step(r)) > 0) {
		memset(&d, 0, sizeof(d));
		snprintf(d.tenant, sizeof(d.tenant), "%s", sluice_db_text(r, 0));
		snprintf(d.device, sizeof(d.device), "%s", sluice_db_text(r, 1));
		d.enrolled_ns = (uint64_t)sluice_db_int(r, 2);
		d.not_after = sluice_db_int(r, 3);
		d.revoked = (int)sluice_db_int(r, 4);
		snprintf(d.label, sizeof(d.label), "%s", sluice_db_text(r, 5));
		rc = fn(ctx, &d);
		if (rc) {
			sluice_db_end(r);
			break;
		}
	}
	return rc;
}

static int check_label(const char *label)
{
	size_t n = strlen(label), i;

	if (n >= SLUICE_LABEL_MAX)
		return -EINVAL;
	for (i = 0; i < n; i++)
		if ((unsigned char)label[i] < 0x20 || label[i] == 0x7f)
			return -EINVAL;
	return 0;
}

/* 0, or -ENOENT: never enrolled. */
static int find_device(struct sluice_auth *a, const char *tenant, const char *device)
{
	struct sluice_rows *r = sluice_db_bind(a->db, DEVICE_FIND, "ss", tenant, device);
	int rc = sluice_db_step(r);

	if (rc > 0)
		sluice_db_end(r);
	return rc > 0 ? 0 : rc ? rc : -ENOENT;
}

int sluice_auth_label(struct sluice_auth *a, const struct sluice_actor *by, const char *tenant,
		      const char *device, const char *label)
{
	int err = check_label(label);

	if (!err)
		err = sluice_auth_begin(a);
	if (err)
		return err;
	err = find_device(a, tenant, device);
	if (!err)
		err = sluice_db_run(sluice_db_bind(a->db, LABEL_SET, "sss", tenant, device, label));
	if (!err)
		err = sluice_auth_audit(a, tenant, by, "device.label", device, SLUICE_OK);
	return sluice_auth_end(a, err);
}
