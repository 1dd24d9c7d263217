/* SPDX-License-Identifier: MIT */
/* https.h - requests to a sluice-cloud, over TLS 1.3. */
#ifndef SLUICE_CTL_HTTPS_H
#define SLUICE_CTL_HTTPS_H

#include "tools/ctl/ctl.h"

#define CTL_ANSWER_MAX (4u << 20)

struct ctl_https {
	const char *base;  /* https://HOST:PORT */
	const char *ca;	   /* PEM of its authority; NULL: it is not verified */
	const char *token; /* of who asks; NULL: anybody */
};

/* What came, with a 0 behind it. Zeroed before the first request; of the newest one since. */
struct ctl_answer {
	char *text;
	size_t size;
};

/*
 * body: JSON, or NULL. if_match: what is in If-Match, or NULL. The HTTP status; -1: there is no
 * answer, and the error, with what to do, is printed.
 */
long ctl_https(const struct ctl *ctl, const struct ctl_https *h, const char *method,
	       const char *path, const char *body, const char *if_match, struct ctl_answer *a);
void ctl_answer_free(struct ctl_answer *a);

/* The reason in an answer that is a refusal (RFC 9457), a new reference in *o; never NULL. */
const char *ctl_answer_why(const struct ctl_answer *a, json_t **o);

/* Into url, without the slashes at its end. False: it is no https://, and that is printed. */
bool ctl_https_url(const struct ctl *ctl, const char *text, char *url, size_t size);
/* The first line of a file, for a secret that the list of processes must not show. False: it is not
 * there, and that is printed. */
bool ctl_token_read(const struct ctl *ctl, const char *path, char *token, size_t size);

#endif
