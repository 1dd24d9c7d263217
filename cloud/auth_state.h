/* SPDX-License-Identifier: MIT */
/* auth_state.h - what the files of auth.h share: the handle and its statements. */
#ifndef SLUICE_AUTH_STATE_H
#define SLUICE_AUTH_STATE_H

#include <openssl/sha.h>

#include "cloud/auth.h"
#include "cloud/db.h"
#include "cloud/sqlite.h"

enum {
	TOKEN_ADD,
	TOKEN_FIND,
	TOKEN_USED,
	TOKENS_OLD,
	TOKENS_VOID,
	TOKENS_OPEN,
	TOKEN_DROP,
	CERTIFICATE_ADD,
	CERTIFICATE_FIND,
	CERTIFICATES_NEW,
	CERTIFICATES_DENIED,
	REVOKE,
	DENY_LOCK,
	DENY_BUMP,
	DENY_VERSION,
	DEVICES,
	DEVICE_FIND,
	LABEL_SET,
	TENANT_ADD,
	TENANT_FIND,
	TENANTS,
	USER_ADD,
	USER_FIND,
	USERS,
	USER_LOCK,
	USER_ROLE,
	USER_DISABLED,
	USER_HASH,
	USER_CAMERAS,
	USER_LOGIN,
	USER_TOTP,
	USER_TOTP_STEP,
	USER_DROP,
	RECOVERY_ADD,
	RECOVERY_USE,
	RECOVERY_CLEAR,
	SESSION_ADD,
	SESSION_FIND,
	SESSION_TOUCH,
	SESSIONS,
	SESSIONS_COUNT,
	SESSION_DROP,
	SESSIONS_END,
	SESSIONS_OLD,
	APITOKEN_ADD,
	APITOKEN_FIND,
	APITOKEN_TOUCH,
	APITOKENS,
	APITOKEN_DROP,
	AUDIT_ADD,
	AUDIT_OLD,
	AUDIT_MANY,
	AUDITS,
	STATEMENTS
};

#define SLUICE_AUTH_VERSION 2

extern const struct sluice_sqlite_step sluice_auth_steps[SLUICE_AUTH_VERSION];
extern const char *const sluice_auth_sql[STATEMENTS];

struct sluice_auth {
	struct sluice_db *db;
};

/* A change and its line in the audit log are one transaction. */
int sluice_auth_begin(struct sluice_auth *a);
/* Commits if err is 0, else takes all back; err, or what the commit returned. */
int sluice_auth_end(struct sluice_auth *a, int err);

/*
 * First in a transaction that issues or denies certificates: one such at a time, of all nodes, so
 * that nothing is issued to a device that is being denied. (A file lets one write at a time
 * anyway.)
 */
int sluice_auth_lock(struct sluice_auth *a);

/* A handle that takes d, over tables of auth_sql.c. -ENOMEM: d stays the caller's. */
int sluice_auth_of(struct sluice_db *d, struct sluice_auth **out);

/* 160 random bits in base32, and their SHA-256. */
int sluice_auth_secret(char secret[SLUICE_SECRET_MAX]);
void sluice_auth_hash(const char *secret, uint8_t hash[SHA256_DIGEST_LENGTH]);

/* Text of column at, NULL if it is NULL there. */
const char *sluice_auth_column(struct sluice_rows *r, int at);

#endif
