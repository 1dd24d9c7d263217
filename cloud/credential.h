/* SPDX-License-Identifier: MIT */
/* credential.h - what a request shows of who sends it: bearer token, cookie, CSRF token. */
#ifndef SLUICE_CREDENTIAL_H
#define SLUICE_CREDENTIAL_H

#include "lib/http1.h"

#define SLUICE_COOKIE	  "__Host-sluice"
#define SLUICE_SECRET_MAX 64 /* of a token's or a cookie's random part, with its NUL */
#define SLUICE_CSRF_MAX	  33

enum sluice_credential { SLUICE_NO_CREDENTIAL, SLUICE_BEARER, SLUICE_COOKIE_SENT };

/*
 * What is sent, in secret. An Authorization field goes before cookies (no other site can make a
 * browser send one); one that is no bearer token, or of an impossible length, is none. A cookie
 * that comes twice is none: someone else has set one of them.
 */
enum sluice_credential sluice_credential_read(const struct sluice_http *h,
					      char secret[SLUICE_SECRET_MAX]);

/* The CSRF token of a session: made from its secret, so that nothing more must be kept. */
void sluice_csrf_token(const char *secret, char out[SLUICE_CSRF_MAX]);

/*
 * May a request that changes something be believed to come from our own page? 0, or -EACCES:
 * Sec-Fetch-Site says another one, or Origin does, or (secret given) X-CSRF-Token is not the
 * session's. secret NULL: there is no session yet.
 */
int sluice_csrf_check(const struct sluice_http *h, const char *secret);

#endif
