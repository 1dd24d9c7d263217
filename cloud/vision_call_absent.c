// SPDX-License-Identifier: MIT
/* vision_call_absent.c - vision_call.h where libcurl was not there when this was built. */
#include "cloud/vision_call.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

int sluice_vision_url_check(const char *url, bool plain, char *why, size_t why_size)
{
	(void)url;
	(void)plain;
	snprintf(why, why_size,
		 "this sluice-cloud was built without libcurl and cannot ask a vision endpoint; "
		 "install libcurl4-openssl-dev and build again");
	return -ENOSYS;
}

void sluice_vision_call(const struct sluice_vision_endpoint *e, const char *question,
			uint32_t pictures, struct sluice_vision_answer *a,
			struct sluice_vision_reply *r)
{
	memset(a, 0, sizeof(*a));
	memset(r, 0, sizeof(*r));
	r->failure = SLUICE_VISION_CONNECT;
	sluice_vision_url_check("", false, r->why, sizeof(r->why));
	(void)e;
	(void)question;
	(void)pictures;
}
