// SPDX-License-Identifier: MIT
/*
 * auth.c - who may do what, in auth.db.
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
#include <openssl/sha.h>

#include "cloud/auth.h"
#include "cloud/sqlite.h"

#define SCHEMA_VERSION 1
#define SECRET_BYTES   20

static const struct sluice_sqlite_step steps[SCHEMA_VERSION] = { {
	"CREATE TABLE admins (hash BLOB PRIMARY KEY, tenant TEXT NOT NULL,"
	" created_ns INTEGER NOT NULL) WITHOUT ROWID;"
	"CREATE TABLE tokens (hash BLOB PRIMARY KEY, tenant TEXT NOT NULL, device TEXT NOT NULL,"
	" expires_ns INTEGER NOT NULL, used_ns INTEGER NOT NULL DEFAULT 0) WITHOUT ROWID;"
	"CREATE TABLE certificates (serial TEXT PRIMARY KEY, tenant TEXT NOT NULL,"
	" device TEXT NOT NULL, issued_ns INTEGER NOT NULL, not_after INTEGER NOT NULL,"
	" denied INTEGER NOT NULL DEFAULT 0) WITHOUT ROWID;"
	"CREATE INDEX certificates_by_device ON certificates (tenant, device);"
	"CREATE TABLE deny (version INTEGER NOT NULL);"
	"INSERT INTO deny VALUES (0);",
	NULL,
} };

enum {
	ADMIN_ADD,
	ADMIN_FIND,
	TOKEN_ADD,
	TOKEN_FIND,
	TOKEN_USED,
	TOKENS_OLD,
	TOKENS_VOID,
	CERTIFICATE_ADD,
	CERTIFICATE_FIND,
	CERTIFICATES_NEW,
	REVOKE,
	DENY_BUMP,
	DENY_VERSION,
	DEVICES,
	STATEMENTS
};

static const char *const sql[STATEMENTS] = {
	[ADMIN_ADD] = "INSERT INTO admins (hash, tenant, created_ns) VALUES (?, ?, ?)",
	[ADMIN_FIND] = "SELECT tenant FROM admins WHERE hash = ?",
	[TOKEN_ADD] = "INSERT INTO tokens (hash, tenant, device, expires_ns) VALUES (?, ?, ?, ?)",
	[TOKEN_FIND] = "SELECT tenant, device, expires_ns, used_ns FROM tokens WHERE hash = ?",
	[TOKEN_USED] = "UPDATE tokens SET used_ns = ?2 WHERE hash = ?1 AND used_ns = 0",
	/* told for a month that they were used or too late, then forgotten */
	[TOKENS_OLD] = "DELETE FROM tokens WHERE expires_ns < ? - 2592000000000000",
	[TOKENS_VOID] = "DELETE FROM tokens WHERE tenant = ? AND device = ? AND used_ns = 0",
	[CERTIFICATE_ADD] = "INSERT INTO certificates (serial, tenant, device, issued_ns,"
			    " not_after) VALUES (?, ?, ?, ?, ?)",
	[CERTIFICATE_FIND] = "SELECT denied FROM certificates"
			     " WHERE serial = ? AND tenant = ? AND device = ?",
	[CERTIFICATES_NEW] = "SELECT count(*) FROM certificates"
			     " WHERE tenant = ? AND device = ? AND issued_ns > ?",
	[REVOKE] = "UPDATE certificates SET denied = 1 WHERE tenant = ? AND device = ?",
	[DENY_BUMP] = "UPDATE deny SET version = version + 1",
	[DENY_VERSION] = "SELECT version FROM deny",
	[DEVICES] = "SELECT tenant, device, max(issued_ns), max(not_after), min(denied)"
		    " FROM certificates WHERE tenant = ? GROUP BY tenant, device ORDER BY device",
};

struct sluice_auth {
	struct sluice_sqlite s;
};

int sluice_auth_open(const char *path, struct sluice_auth **out)
{
	struct sluice_auth *a = calloc(1, sizeof(*a));
	int err;

	*out = NULL;
	if (!a)
		return -ENOMEM;
	err = sluice_sqlite_open(&a->s, path, steps, SCHEMA_VERSION, sql, STATEMENTS);
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

/* Base32 of RFC 4648: 20 bytes are 32 letters, nothing is padded. */
static int make_secret(char *secret)
{
	static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
	uint8_t random[SECRET_BYTES];
	uint32_t bits = 0;
	int have = 0;
	size_t i, n = 0;

	if (RAND_bytes(random, sizeof(random)) != 1)
		return -EIO;
	for (i = 0; i < sizeof(random); i++) {
		bits = bits << 8 | random[i];
		for (have += 8; have >= 5; have -= 5)
			secret[n++] = letters[bits >> (have - 5) & 31];
	}
	secret[n] = 0;
	OPENSSL_cleanse(random, sizeof(random));
	return 0;
}

static void hash_secret(const char *secret, uint8_t hash[SHA256_DIGEST_LENGTH])
{
	SHA256((const uint8_t *)secret, strlen(secret), hash);
}

int sluice_auth_admin_add(struct sluice_auth *a, const char *tenant, char *secret)
{
	uint8_t hash[SHA256_DIGEST_LENGTH];
	int err = sluice_name_valid(tenant) ? make_secret(secret) : -EINVAL;

	if (err)
		return err;
	hash_secret(secret, hash);
	return sluice_sqlite_run(sluice_sqlite_bind(&a->s, ADMIN_ADD, "bsi", hash, sizeof(hash),
						    tenant, sluice_utc_now()));
}

int sluice_auth_admin_check(struct sluice_auth *a, const char *secret, char *tenant)
{
	uint8_t hash[SHA256_DIGEST_LENGTH];
	sqlite3_stmt *st;
	int rc;

	hash_secret(secret, hash);
	st = sluice_sqlite_bind(&a->s, ADMIN_FIND, "b", hash, sizeof(hash));
	rc = sluice_sqlite_step(st);
	if (rc <= 0)
		return rc ? rc : -EACCES;
	snprintf(tenant, SLUICE_NAME_MAX, "%s", sluice_sqlite_text(st, 0));
	sqlite3_reset(st);
	return 0;
}

int sluice_auth_token_add(struct sluice_auth *a, const char *tenant, const char *device,
			  unsigned int minutes, char *secret)
{
	uint8_t hash[SHA256_DIGEST_LENGTH];
	uint64_t now = sluice_utc_now();
	int err;

	if (!sluice_name_valid(tenant) || !sluice_name_valid(device) || !minutes || minutes > 1440)
		return -EINVAL;
	err = make_secret(secret);
	if (err)
		return err;
	hash_secret(secret, hash);
	err = sluice_sqlite_run(sluice_sqlite_bind(&a->s, TOKENS_OLD, "i", now));
	if (err)
		return err;
	return sluice_sqlite_run(sluice_sqlite_bind(&a->s, TOKEN_ADD, "bssi", hash, sizeof(hash),
						    tenant, device,
						    now + minutes * 60000000000ull));
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

static int record_certificate(struct sluice_auth *a, const uint8_t hash[SHA256_DIGEST_LENGTH],
			      uint64_t now_ns, const char *tenant, const char *device,
			      const struct sluice_certificate *c)
{
	int err = sluice_sqlite_run(sluice_sqlite_bind(&a->s, TOKEN_USED, "bi", hash,
						       (size_t)SHA256_DIGEST_LENGTH, now_ns));

	if (!err && sqlite3_changes(a->s.db) != 1)
		err = -EALREADY;
	if (!err)
		err = sluice_sqlite_run(sluice_sqlite_bind(&a->s, CERTIFICATE_ADD, "sssii",
							   c->serial, tenant, device, now_ns,
							   c->not_after));
	return err;
}

int sluice_auth_enrol(struct sluice_auth *a, const char *secret, uint64_t now_ns,
		      sluice_auth_issue_fn issue, void *ctx, char *tenant, char *device,
		      struct sluice_certificate *out)
{
	uint8_t hash[SHA256_DIGEST_LENGTH];
	int err;

	memset(out, 0, sizeof(*out));
	hash_secret(secret, hash);
	err = sluice_sqlite_exec(&a->s, "BEGIN IMMEDIATE");
	if (err)
		return err;
	err = find_token(a, hash, now_ns, tenant, device);
	if (!err)
		err = issue(ctx, tenant, device, out);
	if (!err)
		err = record_certificate(a, hash, now_ns, tenant, device, out);
	if (!err)
		err = sluice_sqlite_exec(&a->s, "COMMIT");
	if (err) {
		sluice_sqlite_exec(&a->s, "ROLLBACK");
		free(out->pem);
		memset(out, 0, sizeof(*out));
	}
	return err;
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

int sluice_auth_renew(struct sluice_auth *a, const char *tenant, const char *device,
		      const char *serial, uint64_t now_ns, sluice_auth_issue_fn issue, void *ctx,
		      struct sluice_certificate *out)
{
	int err;

	memset(out, 0, sizeof(*out));
	err = sluice_sqlite_exec(&a->s, "BEGIN IMMEDIATE");
	if (err)
		return err;
	err = sluice_auth_allowed(a, tenant, device, serial);
	if (!err)
		err = check_rate(a, tenant, device, now_ns);
	if (!err)
		err = issue(ctx, tenant, device, out);
	if (!err)
		err = sluice_sqlite_run(sluice_sqlite_bind(&a->s, CERTIFICATE_ADD, "sssii",
							   out->serial, tenant, device, now_ns,
							   out->not_after));
	if (!err)
		err = sluice_sqlite_exec(&a->s, "COMMIT");
	if (err) {
		sluice_sqlite_exec(&a->s, "ROLLBACK");
		free(out->pem);
		memset(out, 0, sizeof(*out));
	}
	return err;
}

int sluice_auth_revoke(struct sluice_auth *a, const char *tenant, const char *device)
{
	int err = sluice_sqlite_exec(&a->s, "BEGIN IMMEDIATE");

	if (err)
		return err;
	err = sluice_sqlite_run(sluice_sqlite_bind(&a->s, REVOKE, "ss", tenant, device));
	if (!err && !sqlite3_changes(a->s.db))
		err = -ENOENT;
	if (!err)
		err = sluice_sqlite_run(
			sluice_sqlite_bind(&a->s, TOKENS_VOID, "ss", tenant, device));
	if (!err)
		err = sluice_sqlite_run(sluice_sqlite_bind(&a->s, DENY_BUMP, ""));
	if (!err)
		err = sluice_sqlite_exec(&a->s, "COMMIT");
	if (err)
		sluice_sqlite_exec(&a->s, "ROLLBACK");
	return err;
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
		rc = fn(ctx, &d);
		if (rc) {
			sqlite3_reset(st);
			break;
		}
	}
	return rc;
}
