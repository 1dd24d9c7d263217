/* SPDX-License-Identifier: MIT */
/*
 * media_s3.h - the files of summaries in a bucket: what lies where, how it is opened. Where libcurl
 * was not there at build time, both are -ENOTSUP.
 *
 *   PREFIX/set/TENANT/CAMERA-HEX/ID              which files ID has: {"version":1,"files":[...]}
 *   PREFIX/file/TENANT/CAMERA-HEX/ID/HASH-NAME   their bytes; HASH: 32 digits of their SHA-256
 *   PREFIX/pin/TENANT/CAMERA-HEX/ID              pin.json
 */
#ifndef SLUICE_MEDIA_S3_H
#define SLUICE_MEDIA_S3_H

#include "cloud/media.h"
#include "cloud/s3.h"

struct sluice_media_s3_config {
	struct sluice_s3_config s3;
	const char *prefix;		   /* of all keys: [A-Za-z0-9._/-]{1,63} */
	const struct sluice_keyring *keys; /* NULL, or borrowed */
};

/* Copies the config; the store is not asked. -EINVAL, -ENOMEM, with why. */
int sluice_media_s3_open(const struct sluice_media_s3_config *c, struct sluice_media **out,
			 char *why);
/* The client below, for what is not of the table. */
struct sluice_s3 *sluice_media_s3_client(struct sluice_media *m);

/* "libcurl 7.88.1", or NULL: built without. */
const char *sluice_media_s3_library(void);

#endif
