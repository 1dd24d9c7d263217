/* SPDX-License-Identifier: MIT */
/* mediaconf.h - where the files of summaries lie: [media] of cloud.conf. */
#ifndef SLUICE_MEDIACONF_H
#define SLUICE_MEDIACONF_H

#include "cloud/conf.h"
#include "cloud/media_s3.h"

/*
 * Opens the media of a store: the directory below data, or the bucket; conf NULL: the directory.
 * The bucket is not asked for anything. keys may be NULL. 0, or -errno with a sentence in why
 * (SLUICE_S3_WHY bytes).
 */
int sluice_mediaconf_open(const struct sluice_cloud_conf *conf, const char *data,
			  const struct sluice_keyring *keys, struct sluice_media **out, char *why);

/* Is what was opened there, and may we use it? Errors of s3.h; a directory: 0. */
int sluice_mediaconf_check(struct sluice_media *m, char *why);

/* 1: an error that passes by itself, so that a node may start with it. */
int sluice_mediaconf_passes(int err);

#endif
