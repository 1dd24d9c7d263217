/* SPDX-License-Identifier: MIT */
/*
 * auth.h - who may do what: tenants, users, their sessions, API tokens; one-time enrolment tokens,
 * devices and their certificates, the deny-list; and the log of who did what. Kept in a file of its
 * own (auth.db), so that the index can be thrown away and rebuilt without letting anyone in or out.
 * One handle per thread.
 *
 * Every call that serves a person has the tenant as a mandatory argument, and finds nothing of
 * another one. A call that takes an actor writes its line of the audit log in the same transaction:
 * what cannot be logged does not happen.
 */
#ifndef SLUICE_AUTH_H
#define SLUICE_AUTH_H

#include <stddef.h>
#include <stdint.h>
#include "cloud/ca.h"
#include "cloud/camera.h"
#include "cloud/credential.h"
#include "cloud/password.h"
#include "cloud/totp.h"

#define SLUICE_TENANT	   "default" /* the tenant of init */
#define SLUICE_SHORT_ID	   17	     /* of a token or a session: 16 hex digits and NUL */
#define SLUICE_GRANTS_MAX  64	     /* cameras that a user may be restricted to */
#define SLUICE_GRANTS_TEXT (SLUICE_GRANTS_MAX * 33 + 1) /* of their list, as in whose.h */
#define SLUICE_LABEL_MAX   64
#define SLUICE_RECOVERY	   10 /* recovery codes of a user */

struct sluice_auth;

int sluice_auth_open(const char *path, struct sluice_auth **out);
/* NULL-safe. */
void sluice_auth_close(struct sluice_auth *a);

/* Least first: who may do something may do everything before it, but for devices. */
enum sluice_role {
	SLUICE_ANYBODY, /* no credential is looked at */
	SLUICE_DEVICE,	/* a device's certificate, and nothing else */
	SLUICE_VIEWER,
	SLUICE_OPERATOR,
	SLUICE_ADMIN,
};

/* What an API token is good for, beside its role. A person's session has all of them. */
enum sluice_scope {
	SLUICE_SCOPE_READ = 1,	   /* lists, health, ledger */
	SLUICE_SCOPE_MEDIA = 2,	   /* pictures, videos, stills, exports */
	SLUICE_SCOPE_SETTINGS = 4, /* settings and commands of devices, pins */
	SLUICE_SCOPE_ENROL = 8,	   /* enrolment tokens, revocation */
	SLUICE_SCOPE_ADMIN = 16,   /* users, API tokens, audit */
	SLUICE_SCOPE_ALL = 31,
};

/* "viewer", "operator", "admin"; NULL and 0 for others. */
const char *sluice_role_name(enum sluice_role role);
enum sluice_role sluice_role_find(const char *name);
/* "read" of the lowest bit, and back; NULL and 0 for others. */
const char *sluice_scope_name(unsigned int scope);
unsigned int sluice_scope_find(const char *name);

/* Who does something, for the audit log. */
struct sluice_actor {
	char who[SLUICE_NAME_MAX + 8]; /* "user:anna", "token:ci", "device:box", "local" */
	const char *address;	       /* borrowed */
};

/* ---- audit.c's table ---- */

enum sluice_result { SLUICE_OK, SLUICE_FAILED, SLUICE_DENIED };

struct sluice_audit {
	int64_t id;
	uint64_t time_ns;
	const char *who, *address, *action, *what;
	enum sluice_result result;
};

/* One line. what: never a secret; what is longer than 200 bytes is cut. */
int sluice_auth_audit(struct sluice_auth *a, const char *tenant, const struct sluice_actor *by,
		      const char *action, const char *what, enum sluice_result result);

typedef int (*sluice_auth_audit_fn)(void *ctx, const struct sluice_audit *line);

/* Newest first, those before an id (INT64_MAX: all); action, who: NULL for any. */
int sluice_auth_audits(struct sluice_auth *a, const char *tenant, const char *action,
		       const char *who, int64_t before, unsigned int limit, sluice_auth_audit_fn fn,
		       void *ctx);

/* Lines from before a time go, and the oldest beyond rows; a part at a time. */
int sluice_auth_audit_trim(struct sluice_auth *a, uint64_t before_ns, int64_t rows);

/* ---- auth_tenants.c ---- */

struct sluice_auth_tenant {
	char name[SLUICE_NAME_MAX];
	uint64_t created_ns;
	int64_t users, devices;
};

typedef int (*sluice_auth_tenant_fn)(void *ctx, const struct sluice_auth_tenant *t);

/* -EEXIST; -EINVAL: a bad name. */
int sluice_auth_tenant_add(struct sluice_auth *a, const struct sluice_actor *by,
			   const char *tenant);
int sluice_auth_tenant_find(struct sluice_auth *a, const char *tenant,
			    struct sluice_auth_tenant *out);
/* All: for the node's own operator, never for a request. */
int sluice_auth_tenants(struct sluice_auth *a, sluice_auth_tenant_fn fn, void *ctx);

/* ---- auth_users.c ---- */

struct sluice_auth_user {
	char tenant[SLUICE_NAME_MAX], name[SLUICE_NAME_MAX];
	enum sluice_role role;
	int disabled, totp;
	int restricted; /* to cameras */
	char cameras[SLUICE_GRANTS_TEXT];
	uint64_t created_ns, login_ns; /* login_ns 0: never */
	/* filled by user_find alone */
	char hash[SLUICE_PASSWORD_HASH];
	int has_secret; /* of TOTP, confirmed or not */
	uint8_t secret[SLUICE_TOTP_SECRET];
	uint64_t totp_step;
};

typedef int (*sluice_auth_user_fn)(void *ctx, const struct sluice_auth_user *u);

/* cameras: list as in whose.h, NULL: all. -EEXIST; -ENOENT: no such tenant; -EINVAL: a bad name, an
 * administrator who is restricted. */
int sluice_auth_user_add(struct sluice_auth *a, const struct sluice_actor *by, const char *tenant,
			 const char *name, enum sluice_role role, const char *hash,
			 const char *cameras);
/* -ENOENT. */
int sluice_auth_user_find(struct sluice_auth *a, const char *tenant, const char *name,
			  struct sluice_auth_user *out);
int sluice_auth_users(struct sluice_auth *a, const char *tenant, sluice_auth_user_fn fn, void *ctx);

/* What changes; zero or NULL: stays. */
struct sluice_auth_change {
	enum sluice_role role;
	int disable; /* 1 locked, -1 not */
	const char *hash;
	int set_cameras;
	const char *cameras; /* with set_cameras */
	int totp_off;
	const char *but; /* the id of the session that stays although the others end; NULL: none */
};

/* Ends the user's sessions unless only the cameras change. -ENOENT, -EINVAL. */
int sluice_auth_user_change(struct sluice_auth *a, const struct sluice_actor *by,
			    const char *tenant, const char *name,
			    const struct sluice_auth_change *c);
int sluice_auth_user_drop(struct sluice_auth *a, const struct sluice_actor *by, const char *tenant,
			  const char *name);

/* A secret that is not asked for yet. -EALREADY: TOTP is on. */
int sluice_auth_totp_begin(struct sluice_auth *a, const char *tenant, const char *name,
			   const uint8_t secret[SLUICE_TOTP_SECRET]);
/* Turns it on; recovery: SLUICE_RECOVERY codes, kept as hashes. -EALREADY, -ENOENT: not begun,
 * -EACCES: not the code. */
int sluice_auth_totp_confirm(struct sluice_auth *a, const struct sluice_actor *by,
			     const char *tenant, const char *name, const char *code, uint64_t now_s,
			     char recovery[SLUICE_RECOVERY][SLUICE_SHORT_ID]);
/* Uses up a code of the authenticator or a recovery code of a user. -EACCES: it is none. */
int sluice_auth_totp_use(struct sluice_auth *a, const struct sluice_auth_user *u, const char *code,
			 uint64_t now_s);

/* ---- who asks: a session of a user, or an API token ---- */

struct sluice_who {
	enum sluice_role role;
	unsigned int scopes;
	char tenant[SLUICE_NAME_MAX];
	char name[SLUICE_NAME_MAX]; /* of the user or the API token */
	int is_session;
	char id[SLUICE_SHORT_ID];
	int restricted;
	char cameras[SLUICE_GRANTS_TEXT]; /* if restricted: a list as in whose.h */
	int totp;
	uint64_t created_ns, used_ns;
	uint64_t expires_ns, idle_ns; /* 0: never */
	char address[64];	      /* of the sign-in */
};

typedef int (*sluice_auth_who_fn)(void *ctx, const struct sluice_who *w);

/* Of a session, without and with use. */
struct sluice_auth_lives {
	uint64_t idle_ns, whole_ns;
};

#define SLUICE_SESSIONS_MAX 32 /* of a user; of more, those not used for longest end */

/* Somebody has signed in. secret: told to the browser, kept as a hash. */
int sluice_auth_session_add(struct sluice_auth *a, const struct sluice_actor *by,
			    const char *tenant, const char *user, uint64_t now_ns,
			    char secret[SLUICE_SECRET_MAX], char id[SLUICE_SHORT_ID]);
/* -EACCES: nobody's, too old, or the user is locked. */
int sluice_auth_session_check(struct sluice_auth *a, const char *secret, uint64_t now_ns,
			      const struct sluice_auth_lives *lives, struct sluice_who *out);
int sluice_auth_session_touch(struct sluice_auth *a, const char *id, uint64_t now_ns);
/* Those of a user that are good, newest first. */
int sluice_auth_sessions(struct sluice_auth *a, const char *tenant, const char *user,
			 uint64_t now_ns, const struct sluice_auth_lives *lives,
			 sluice_auth_who_fn fn, void *ctx);
/* user NULL: of anyone in the tenant. -ENOENT. */
int sluice_auth_session_drop(struct sluice_auth *a, const struct sluice_actor *by,
			     const char *tenant, const char *user, const char *id);
/* Those that nobody can use any more go. */
int sluice_auth_sessions_trim(struct sluice_auth *a, uint64_t now_ns,
			      const struct sluice_auth_lives *lives);

/* expires_ns 0: never. -EEXIST: the name is taken; -ENOENT: no such tenant; -EINVAL. */
int sluice_auth_apitoken_add(struct sluice_auth *a, const struct sluice_actor *by,
			     const char *tenant, const char *name, enum sluice_role role,
			     unsigned int scopes, const char *cameras, uint64_t expires_ns,
			     char secret[SLUICE_SECRET_MAX]);
/* -EACCES: nobody's, or expired. */
int sluice_auth_apitoken_check(struct sluice_auth *a, const char *secret, uint64_t now_ns,
			       struct sluice_who *out);
int sluice_auth_apitoken_touch(struct sluice_auth *a, const char *id, uint64_t now_ns);
int sluice_auth_apitokens(struct sluice_auth *a, const char *tenant, sluice_auth_who_fn fn,
			  void *ctx);
/* By id or name. -ENOENT. */
int sluice_auth_apitoken_drop(struct sluice_auth *a, const struct sluice_actor *by,
			      const char *tenant, const char *which);
/* The first 16 digits of a secret's hash. */
void sluice_auth_short_id(const char *secret, char id[SLUICE_SHORT_ID]);

/* ---- auth.c: devices ---- */

/* A one-time token for a device; minutes 1..1440. -EINVAL: bad name or time. -ENOENT: no such
 * tenant. */
int sluice_auth_token_add(struct sluice_auth *a, const struct sluice_actor *by, const char *tenant,
			  const char *device, unsigned int minutes, char secret[SLUICE_SECRET_MAX]);

typedef int (*sluice_auth_token_fn)(void *ctx, const char *id, const char *device,
				    uint64_t expires_ns);

/* Those that are still good. */
int sluice_auth_tokens(struct sluice_auth *a, const char *tenant, uint64_t now_ns,
		       sluice_auth_token_fn fn, void *ctx);
/* -ENOENT. */
int sluice_auth_token_drop(struct sluice_auth *a, const struct sluice_actor *by, const char *tenant,
			   const char *id);

/* What enrol() calls within its transaction to make the certificate. */
typedef int (*sluice_auth_issue_fn)(void *ctx, const char *tenant, const char *device,
				    struct sluice_certificate *out);

/*
 * Uses up a token: the certificate is issued, recorded, and the token marked in one transaction, so
 * that one token never gives two certificates. On success out and the two names (SLUICE_NAME_MAX
 * bytes) are filled. -EACCES: no such token; -EALREADY: it was used; -EKEYEXPIRED: too late; else
 * what issue returned (the token stays good then). address: where the device is, for the audit log.
 */
int sluice_auth_enrol(struct sluice_auth *a, const char *address, const char *secret,
		      uint64_t now_ns, sluice_auth_issue_fn issue, void *ctx, char *tenant,
		      char *device, struct sluice_certificate *out);

/*
 * Another certificate for a device that shows a good one; serial is that one's. Checked, issued and
 * recorded in one transaction, so that nothing is issued to a device that is denied meanwhile; the
 * old certificate stays good until it ends. -EKEYREVOKED, -ENOENT as allowed(); -EBUSY: more than
 * SLUICE_RENEW_HOUR of them within an hour; else what issue returned.
 */
#define SLUICE_RENEW_HOUR 20
int sluice_auth_renew(struct sluice_auth *a, const char *address, const char *tenant,
		      const char *device, const char *serial, uint64_t now_ns,
		      sluice_auth_issue_fn issue, void *ctx, struct sluice_certificate *out);

/* 0: this certificate of this device is ours and not denied. -EKEYREVOKED, -ENOENT. */
int sluice_auth_allowed(struct sluice_auth *a, const char *tenant, const char *device,
			const char *serial);

/* Denies every certificate the device has and voids its unused tokens. -ENOENT: no such device. */
int sluice_auth_revoke(struct sluice_auth *a, const struct sluice_actor *by, const char *tenant,
		       const char *device);

/* Grows with each revocation, of any process; cheap to ask. */
int sluice_auth_deny_version(struct sluice_auth *a, int64_t *version);

typedef int (*sluice_auth_serial_fn)(void *ctx, const char *serial, uint64_t denied_ns);

/* Every denied certificate that has not ended, of all tenants: for the CRL. */
int sluice_auth_denied(struct sluice_auth *a, int64_t now_s, sluice_auth_serial_fn fn, void *ctx);

/* The same as PEM, signed now; *pem is the caller's. */
int sluice_auth_crl(struct sluice_auth *a, const struct sluice_ca *ca, char **pem);

struct sluice_auth_device {
	char tenant[SLUICE_NAME_MAX], device[SLUICE_NAME_MAX];
	char label[SLUICE_LABEL_MAX]; /* "": none */
	uint64_t enrolled_ns;	      /* of the newest certificate, UTC */
	int64_t not_after;	      /* of the newest certificate, UTC seconds */
	int revoked;		      /* no certificate of it is good */
};

typedef int (*sluice_auth_device_fn)(void *ctx, const struct sluice_auth_device *d);

int sluice_auth_devices(struct sluice_auth *a, const char *tenant, sluice_auth_device_fn fn,
			void *ctx);
/* label "": none. -ENOENT: no such device; -EINVAL: too long, control characters. */
int sluice_auth_label(struct sluice_auth *a, const struct sluice_actor *by, const char *tenant,
		      const char *device, const char *label);

#endif
