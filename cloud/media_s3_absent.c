// SPDX-License-Identifier: MIT
/* media_s3_absent.c - in the place of media_s3.c and its client where libcurl is not there. */
#include <errno.h>
#include <stdio.h>

#include "cloud/depot_s3.h"
#include "cloud/media_s3.h"

static const char absent[] = "built without libcurl; install libcurl4-openssl-dev and build again";

int sluice_media_s3_open(const struct sluice_media_s3_config *c, struct sluice_media **out,
			 char *why)
{
	*out = NULL;
	snprintf(why, SLUICE_S3_WHY, "%s", absent);
	return -ENOTSUP;
}

struct sluice_s3 *sluice_media_s3_client(struct sluice_media *m)
{
	return NULL;
}

const struct sluice_s3_stats *sluice_s3_stats(const struct sluice_s3 *s)
{
	return NULL;
}

int sluice_s3_check(struct sluice_s3 *s, char *why)
{
	snprintf(why, SLUICE_S3_WHY, "%s", absent);
	return -ENOTSUP;
}

int sluice_s3_make_bucket(struct sluice_s3 *s, char *why)
{
	return sluice_s3_check(s, why);
}

const char *sluice_media_s3_library(void)
{
	return NULL;
}

int sluice_depot_s3_open(struct sluice_s3 *s3, const char *prefix, struct sluice_depot **out)
{
	*out = NULL;
	return -ENOTSUP;
}
