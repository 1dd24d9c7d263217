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
#include "lib/sha256.h"

#define SECRET_BYTES 20

int sluice_auth_open(const char *path, struct sluice_auth **out)
{
	struct sluice_auth *a = calloc(1, sizeof(*a));
	int err;

	*out = NULL;
	if (!a)
		return -ENOMEM;
	err = sluice_sqlite_open(&a->s, path, sluice_auth_steps, SLUICE_AUTH_VERSION,
				 sluice_auth_sql, STATEMENTS);
	if (err) {
		free(a);
		return err;
	}
	*out = a;
	return 0;
}

void sluice_auth_close(struct sluice_auth *a)
{
	if (!a)
		return;
	sluice_sqlite_close(&a->s);
	free(a);
}

int sluice_auth_begin(struct sluice_auth *a)
{
	return sluice_sqlite_begin(&a->s);
}

int sluice_auth_end(struct sluice_auth *a, int err)
{
	if (!err)
		err = sluice_sqlite_commit(&a->s);
	if (err)
		sluice_sqlite_rollback(&a->s);
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

const char *sluice_auth_column(sqlite3_stmt *st, int at)
{
	return (const char *)sqlite3_column_text(st, at);
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
		err = sluice_sqlite_run(sluice_sqlite_bind(&a->s, TOKENS_OLD, "i", now));
	if (!err)
		err = sluice_sqlite_run(sluice_sqlite_bind(&a->s, TOKEN_ADD, "bssi", hash,
							   sizeof(hash), tenant, device,
							   now + minutes * 60000000000ull));
	if (!err)
		err = sluice_auth_audit(a, tenant, by, "token.add", device, SLUICE_OK);
	return sluice_auth_end(a, err);
}

int sluice_auth_tokens(struct sluice_auth *a, const char *tenant, uint64_t now_ns,
		       sluice_auth_token_fn fn, void *ctx)
{
	sqlite3_stmt *st = sluice_sqlite_bind(&a->s, TOKENS_OPEN, "si", tenant, now_ns);
	int rc;

	while ((rc = sluice_sqlite_step(st)) > 0) {
		rc = fn(ctx, sluice_sqlite_text(st, 0), sluice_sqlite_text(st, 1),
			(uint64_t)sqlite3_column_int64(st, 2));
		if (rc) {
			sqlite3_reset(st);
			break;
		}
	}
	return rc;
}

/* The last statement changed something, or there was nothing of that name. */
static int found_one(struct sluice_auth *a, int err)
{
	return !err && !sqlite3_changes(a->s.db) ? -ENOENT : err;
}

int sluice_auth_token_drop(struct sluice_auth *a, const struct sluice_actor *by, const char *tenant,
			   const char *id)
{
	int err = sluice_auth_begin(a);

	if (err)
		return err;
	err = found_one(a,
			sluice_sqlite_run(sluice_sqlite_bind(&a->s, TOKEN_DROP, "ss", tenant, id)));
	if (!err)
		err = sluice_auth_audit(a, tenant, by, "token.drop", id, SLUICE_OK);
	return sluice_auth_end(a, err);
}

/* Is the token good now? Fills the names. */
static int find_token(struct sluice_auth *a, const uint8_t hash[SHA256_DIGEST_LENGTH],
		      uint64_t now_ns, char *tenant, char *device)
{
	sqlite3_stmt *st =
		sluice_sqlite_bind(&a->s, TOKEN_FIND, "b", hash, (size_t)SHA256_DIGEST_LENGTH);
	int rc = sluice_sqlite_step(st);

	if (rc <= 0)
		return rc ? rc : -EACCES;
	snprintf(tenant, SLUICE_NAME_MAX, "%s", sluice_sqlite_text(st, 0));
	snprintf(device, SLUICE_NAME_MAX, "%s", sluice_sqlite_text(st, 1));
	rc = 0;
	if (sqlite3_column_int64(st, 3))
		rc = -EALREADY;
	else if ((uint64_t)sqlite3_column_int64(st, 2) <= now_ns)
		rc = -EKEYEXPIRED;
	sqlite3_reset(st);
	return rc;
}

static int use_token(struct sluice_auth *a, const uint8_t hash[SHA256_DIGEST_LENGTH],
		     uint64_t now_ns)
{
	int err = sluice_sqlite_run(sluice_sqlite_bind(&a->s, TOKEN_USED, "bi", hash,
						       (size_t)SHA256_DIGEST_LENGTH, now_ns));

	return !err && sqlite3_changes(a->s.db) != 1 ? -EALREADY : err;
}

/* The certificate's row, and the line that the device itself has done this. */
static int record_certificate(struct sluice_auth *a, const char *address, const char *action,
			      uint64_t now_ns, const char *tenant, const char *device,
			      const struct sluice_certificate *c)
{
	struct sluice_actor by = { .address = address };
	int err;

	snprintf(by.who, sizeof(by.who), "device:%s", device);
	err = sluice_sqlite_run(sluice_sqlite_bind(&a->s, CERTIFICATE_ADD, "sssii", c->serial,
						   tenant, device, now_ns, c->not_after));
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
	sqlite3_stmt *st =
		sluice_sqlite_bind(&a->s, CERTIFICATE_FIND, "sss", serial, tenant, device);
	int rc = sluice_sqlite_step(st);

	if (rc <= 0)
		return rc ? rc : -ENOENT;
	rc = sqlite3_column_int(st, 0) ? -EKEYREVOKED : 0;
	sqlite3_reset(st);
	return rc;
}

/* Was the device given too many of late? 0, -EBUSY. */
static int check_rate(struct sluice_auth *a, const char *tenant, const char *device,
		      uint64_t now_ns)
{
	sqlite3_stmt *st = sluice_sqlite_bind(&a->s, CERTIFICATES_NEW, "ssi", tenant, device,
					      now_ns - 3600000000000ull);
	int rc = sluice_sqlite_step(st);

	if (rc <= 0)
		return rc ? rc : -EUCLEAN;
	rc = sqlite3_column_int(st, 0) >= SLUICE_RENEW_HOUR ? -EBUSY : 0;
	sqlite3_reset(st);
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
	err = found_one(a, sluice_sqlite_run(sluice_sqlite_bind(&a->s, REVOKE, "ssi", tenant,
								device, sluice_utc_now())));
	if (!err)
		err = sluice_sqlite_run(
			sluice_sqlite_bind(&a->s, TOKENS_VOID, "ss", tenant, device));
	if (!err)
		err = sluice_sqlite_run(sluice_sqlite_bind(&a->s, DENY_BUMP, ""));
	if (!err)
		err = sluice_auth_audit(a, tenant, by, "revoke", device, SLUICE_OK);
	return sluice_auth_end(a, err);
}

int sluice_auth_deny_version(struct sluice_auth *a, int64_t *version)
{
	sqlite3_stmt *st = sluice_sqlite_bind(&a->s, DENY_VERSION, "");
	int rc = sluice_sqlite_step(st);

	if (rc <= 0)
		return rc ? rc : -EUCLEAN;
	*version = sqlite3_column_int64(st, 0);
	sqlite3_reset(st);
	return 0;
}

int sluice_auth_denied(struct sluice_auth *a, int64_t now_s, sluice_auth_serial_fn fn, void *ctx)
{
	sqlite3_stmt *st = sluice_sqlite_bind(&a->s, CERTIFICATES_DENIED, "i", now_s);
	int rc;

	while ((rc = sluice_sqlite_step(st)) > 0) {
		rc = fn(ctx, sluice_sqlite_text(st, 0), (uint64_t)sqlite3_column_int64(st, 1));
		if (rc) {
			sqlite3_reset(st);
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
	sqlite3_stmt *st = sluice_sqlite_bind(&a->s, DEVICES, "s", tenant);
	struct sluice_auth_device d;
	int rc;

	while ((rc = sluice_sqlite_step(st)) > 0) {
		memset(&d, 0, sizeof(d));
		snprintf(d.tenant, sizeof(d.tenant), "%s", sluice_sqlite_text(st, 0));
		snprintf(d.device, sizeof(d.device), "%s", sluice_sqlite_text(st, 1));
		d.enrolled_ns = (uint64_t)sqlite3_column_int64(st, 2);
		d.not_after = sqlite3_column_int64(st, 3);
		d.revoked = sqlite3_column_int(st, 4);
		snprintf(d.label, sizeof(d.label), "%s", sluice_sqlite_text(st, 5));
		rc = fn(ctx, &d);
		if (rc) {
			sqlite3_reset(st);
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
	sqlite3_stmt *st = sluice_sqlite_bind(&a->s, DEVICE_FIND, "ss", tenant, device);
	int rc = sluice_sqlite_step(st);

	if (rc > 0)
		sqlite3_reset(st);
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
		err = sluice_sqlite_run(
			sluice_sqlite_bind(&a->s, LABEL_SET, "sss", tenant, device, label));
	if (!err)
		err = sluice_auth_audit(a, tenant, by, "device.label", device, SLUICE_OK);
	return sluice_auth_end(a, err);
}
