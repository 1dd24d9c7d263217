/* SPDX-License-Identifier: MIT */
/*
 * auth.h - who may do what: administrators' tokens, one-time enrolment tokens, devices and their
 * certificates, the deny-list. Kept in a file of its own (auth.db), so that the index can be thrown
 * away and rebuilt without letting anyone in or out. One handle per thread.
 */
#ifndef SLUICE_AUTH_H
#define SLUICE_AUTH_H

#include <stddef.h>
#include <stdint.h>
#include "cloud/ca.h"
#include "cloud/camera.h"

#define SLUICE_TENANT	  "default" /* the tenant of init */
#define SLUICE_SECRET_MAX 64	    /* of a token's random part, with its NUL */

struct sluice_auth;

int sluice_auth_open(const char *path, struct sluice_auth **out);
/* NULL-safe. */
void sluice_auth_close(struct sluice_auth *a);

/* A new administrator's token, stored as a hash. secret: SLUICE_SECRET_MAX bytes, told once. */
int sluice_auth_admin_add(struct sluice_auth *a, const char *tenant, char *secret);

/* -EACCES: nobody's. tenant: SLUICE_NAME_MAX bytes. */
int sluice_auth_admin_check(struct sluice_auth *a, const char *secret, char *tenant);

/* A one-time token for a device; minutes 1..1440. -EINVAL: bad name or time. */
int sluice_auth_token_add(struct sluice_auth *a, const char *tenant, const char *device,
			  unsigned int minutes, char *secret);

/* What enrol() calls within its transaction to make the certificate. */
typedef int (*sluice_auth_issue_fn)(void *ctx, const char *tenant, const char *device,
				    struct sluice_certificate *out);

/*
 * Uses up a token: the certificate is issued, recorded, and the token marked in one transaction, so
 * that one token never gives two certificates. On success out and the two names (SLUICE_NAME_MAX
 * bytes) are filled. -EACCES: no such token; -EALREADY: it was used; -EKEYEXPIRED: too late; else
 * what issue returned (the token stays good then).
 */
int sluice_auth_enrol(struct sluice_auth *a, const char *secret, uint64_t now_ns,
		      sluice_auth_issue_fn issue, void *ctx, char *tenant, char *device,
		      struct sluice_certificate *out);

/*
 * Another certificate for a device that shows a good one; serial is that one's. Checked, issued and
 * recorded in one transaction, so that nothing is issued to a device that is denied meanwhile; the
 * old certificate stays good until it ends. -EKEYREVOKED, -ENOENT as allowed(); -EBUSY: more than
 * SLUICE_RENEW_HOUR of them within an hour; else what issue returned.
 */
#define SLUICE_RENEW_HOUR 20
int sluice_auth_renew(struct sluice_auth *a, const char *tenant, const char *device,
		      const char *serial, uint64_t now_ns, sluice_auth_issue_fn issue, void *ctx,
		      struct sluice_certificate *out);

/* 0: this certificate of this device is ours and not denied. -EKEYREVOKED, -ENOENT. */
int sluice_auth_allowed(struct sluice_auth *a, const char *tenant, const char *device,
			const char *serial);

/* Denies every certificate the device has and voids its unused tokens. -ENOENT: no such device. */
int sluice_auth_revoke(struct sluice_auth *a, const char *tenant, const char *device);

/* Grows with each revocation, of any process; cheap to ask. */
int sluice_auth_deny_version(struct sluice_auth *a, int64_t *version);

struct sluice_auth_device {
	char tenant[SLUICE_NAME_MAX], device[SLUICE_NAME_MAX];
	uint64_t enrolled_ns; /* of the newest certificate, UTC */
	int64_t not_after;    /* of the newest certificate, UTC seconds */
	int revoked;	      /* no certificate of it is good */
};

typedef int (*sluice_auth_device_fn)(void *ctx, const struct sluice_auth_device *d);

int sluice_auth_devices(struct sluice_auth *a, const char *tenant, sluice_auth_device_fn fn,
			void *ctx);

#endif
