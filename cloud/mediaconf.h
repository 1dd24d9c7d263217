/* SPDX-License-Identifier: MIT */
/* mediaconf.h - where the files of summaries and the segments lie: [media] of cloud.conf. */
#ifndef SLUICE_MEDIACONF_H
#define SLUICE_MEDIACONF_H

#include "cloud/conf.h"
#include "cloud/media_s3.h"

/*
 * Opens the media of a store: the directory below data, or the bucket; conf NULL: the directory.
 * The bucket is not asked for anything. keys may be NULL. 0, or -errno with a sentence in why
 * (SLUICE_S3_WHY bytes): also -EREMOTE, the data directory says that its segments lie in a bucket
 * and conf does not; and -ENOTEMPTY, the other way round.
 */
int sluice_mediaconf_open(const struct sluice_cloud_conf *conf, const char *data,
			  const struct sluice_keyring *keys, struct sluice_media **out, char *why);

/* Is what was opened there, and may we use it? Errors of s3.h; a directory: 0. */
int sluice_mediaconf_check(struct sluice_media *m, char *why);

/* The same before anything was moved: nothing is asked of the data directory. */
int sluice_mediaconf_open_new(const struct sluice_cloud_conf *conf,
			      const struct sluice_keyring *keys, struct sluice_media **out,
			      char *why);

/* If the segments of m lie elsewhere, the data directory says so from now on. */
int sluice_mediaconf_mark(const struct sluice_media *m, const char *data);
/* Does it? */
int sluice_mediaconf_elsewhere(const char *data);

/* 1: an error that passes by itself, so that a node may start with it. */
int sluice_mediaconf_passes(int err);

#endif
