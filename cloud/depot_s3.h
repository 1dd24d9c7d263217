/* SPDX-License-Identifier: MIT */
/* depot_s3.h - segments in a bucket: the key of one is PREFIX/ and its path. Where libcurl was not
 * there at build time: -ENOTSUP. */
#ifndef SLUICE_DEPOT_S3_H
#define SLUICE_DEPOT_S3_H

#include "cloud/depot.h"
#include "cloud/s3.h"

/* s3 is borrowed and outlives it; prefix is copied, and is one of media_s3.h. -ENOMEM. */
int sluice_depot_s3_open(struct sluice_s3 *s3, const char *prefix, struct sluice_depot **out);

#endif
