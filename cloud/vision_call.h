/* SPDX-License-Identifier: MIT */
/* vision_call.h - one question to an OpenAI-compatible endpoint, over libcurl. */
#ifndef SLUICE_VISION_CALL_H
#define SLUICE_VISION_CALL_H

#include <stdatomic.h>

#include "cloud/vision_answer.h"

#define SLUICE_VISION_WHY   512
#define SLUICE_VISION_AFTER 3600 /* seconds that an endpoint may ask to be left alone, at most */

struct sluice_vision_endpoint {
	const char *url; /* whole: "https://HOST/v1/chat/completions" */
	const char *key; /* NULL or "": none is sent */
	const char *ca;	 /* file of authorities; NULL or "": the system's */
	unsigned int timeout_ms;
	const atomic_int *stopping; /* other than 0 breaks a call off; may be NULL */
};

struct sluice_vision_reply {
	enum sluice_vision_failure failure;
	long status;	      /* 0: none came */
	unsigned int after_s; /* it asks to be left alone for so long; 0: it does not */
	bool sent;	      /* the question may have been read, so it may cost */
	double took_s;
	char why[SLUICE_VISION_WHY]; /* of a failure: a sentence for people, without the key */
};

/*
 * May this url be asked? https, or http to an address of this machine, or to any where plain is
 * set; no user, password or fragment in it. 0; -EINVAL with why; -ENOSYS: built without libcurl.
 */
int sluice_vision_url_check(const char *url, bool plain, char *why, size_t why_size);

/* Asks once, follows nothing and tries nothing again. question: JSON; pictures: as many are in it.
 */
void sluice_vision_call(const struct sluice_vision_endpoint *e, const char *question,
			uint32_t pictures, struct sluice_vision_answer *a,
			struct sluice_vision_reply *r);

#endif
