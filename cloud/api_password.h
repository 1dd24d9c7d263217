/* SPDX-License-Identifier: MIT */
/* api_password.h - requests that need a password looked at or made: they are answered later. */
#ifndef SLUICE_API_PASSWORD_H
#define SLUICE_API_PASSWORD_H

#include "cloud/api_call.h"

#define SLUICE_CODE_MAX 24 /* of TOTP, or a recovery code */

/* calloc'd by the handler, freed by finish's caller. What is not needed stays zero. */
struct sluice_password_job {
	/* the handler's */
	int verify; /* is password the one of stored? */
	char password[SLUICE_PASSWORD_MAX + 1];
	char stored[SLUICE_PASSWORD_HASH];   /* "": nobody's */
	char fresh[SLUICE_PASSWORD_MAX + 1]; /* to be hashed if that is so; "": none */
	void (*finish)(struct sluice_call *c, struct sluice_password_job *p); /* answers */
	char tenant[SLUICE_NAME_MAX], user[SLUICE_NAME_MAX];
	char code[SLUICE_CODE_MAX];
	int known; /* there is such a user */
	enum sluice_role role;
	int disable, totp_off, set_cameras, restricted;
	char cameras[SLUICE_GRANTS_TEXT];
	/* for finish */
	int err; /* 0; -EACCES: not the password; -errno */
	char hash[SLUICE_PASSWORD_HASH];
	/* private */
	struct sluice_job job;
	struct sluice_desk_job desk; /* of finish, which looks into auth.db */
	struct sluice_response response;
	struct sluice_later *later;
	struct sluice_loop *loop;
	struct sluice_who who;
	char address[64];
};

/* A password of the body into its place: 0, or -EINVAL after a 400. rules: it must be a good one.
 */
int sluice_password_take(struct sluice_call *c, const json_t *json, int rules,
			 char out[SLUICE_PASSWORD_MAX + 1]);

/* Takes p. The call is answered later, or now with 503. finish() sees a call with the same peer and
 * the same who, of the same loop, and in its thread or at the desk. */
void sluice_password_start(struct sluice_call *c, struct sluice_password_job *p);
/* NULL-safe; wipes. */
void sluice_password_drop(struct sluice_password_job *p);

/* 1 after a 400: an API token has no session, password or second factor. */
int sluice_call_is_token(struct sluice_call *c);

/* May the user's password or code be tried from there? 0, or -EBUSY after a 429. It counts as
 * failed until it is taken back; good: it was the right one. */
int sluice_call_throttle(struct sluice_call *c, const char *tenant, const char *user);
void sluice_call_throttle_back(struct sluice_call *c, const char *tenant, const char *user,
			       int good);

#endif
