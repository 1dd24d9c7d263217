// SPDX-License-Identifier: MIT
/*
 * mediaconf.c - see mediaconf.h. The access key and its secret come from files, the first line of
 * each; nobody else may read that of the secret.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "cloud/confline.h"
#include "cloud/mediaconf.h"

static int open_bucket(const struct sluice_cloud_conf *conf, const struct sluice_keyring *keys,
		       struct sluice_media **out, char *why)
{
	char id[SLUICE_CONF_LINE], secret[SLUICE_CONF_LINE] = "";
	const struct sluice_media_s3_config c = {
		.s3 = { .endpoint = conf->media.endpoint,
			.region = conf->media.region,
			.bucket = conf->media.bucket,
			.ca = conf->media.ca,
			.id = id,
			.secret = secret,
			.timeout_ms = (unsigned int)conf->media.timeout_ms },
		.prefix = conf->media.prefix,
		.keys = keys,
	};
	int err = sluice_conf_line("[media] key_id_file", conf->media.key_id_file, 0, id, why,
				   SLUICE_S3_WHY);

	if (!err)
		err = sluice_conf_line("[media] secret_file", conf->media.secret_file, 1, secret,
				       why, SLUICE_S3_WHY);
	if (!err)
		err = sluice_media_s3_open(&c, out, why);
	explicit_bzero(secret, sizeof(secret));
	return err;
}

int sluice_mediaconf_open(const struct sluice_cloud_conf *conf, const char *data,
			  const struct sluice_keyring *keys, struct sluice_media **out, char *why)
{
	char path[4096];
	int err;

	*out = NULL;
	why[0] = 0;
	if (conf && conf->media.backend == SLUICE_MEDIA_S3)
		return open_bucket(conf, keys, out, why);
	snprintf(path, sizeof(path), "%s/media", data);
	err = sluice_media_dir_open(path, keys, out);
	if (err)
		snprintf(why, SLUICE_S3_WHY, "cannot open %.300s: %s", path, strerror(-err));
	return err;
}

int sluice_mediaconf_check(struct sluice_media *m, char *why)
{
	struct sluice_s3 *s3 = sluice_media_s3_client(m);

	why[0] = 0;
	return s3 ? sluice_s3_check(s3, why) : 0;
}

int sluice_mediaconf_passes(int err)
{
	return err == -EBUSY || err == -ETIMEDOUT || err == -EHOSTUNREACH || err == -EIO;
}
