// SPDX-License-Identifier: MIT
/*
 * mediaconf.c - see mediaconf.h. The access key and its secret come from files, the first line of
 * each; nobody else may read that of the secret.
 *
 * DATA/segments.elsewhere says that the segments lie in a bucket, so that no command believes an
 * empty directory, and no node begins a second store beside the first.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cloud/confline.h"
#include "cloud/depot_s3.h"
#include "cloud/mediaconf.h"
#include "cloud/walk.h"

#define MARK "%s/segments.elsewhere"

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
	if (!err && conf->media.segments == SLUICE_SEGMENTS_BUCKET)
		err = sluice_depot_s3_open(sluice_media_s3_client(*out), conf->media.prefix,
					   &(*out)->depot);
	if (err && *out) {
		snprintf(why, SLUICE_S3_WHY, "%s", strerror(-err));
		sluice_media_close(*out);
		*out = NULL;
	}
	return err;
}

/* ---- which of both ---- */

static int stop(void *ctx, const struct sluice_camera *c, const char *path)
{
	(void)ctx;
	(void)c;
	(void)path;
	return 1;
}

int sluice_mediaconf_elsewhere(const char *data)
{
	char path[4400];

	snprintf(path, sizeof(path), MARK, data);
	return access(path, F_OK) == 0;
}

int sluice_mediaconf_mark(const struct sluice_media *m, const char *data)
{
	char path[4400];
	int fd, err = 0;

	if (!m->depot)
		return 0;
	snprintf(path, sizeof(path), MARK, data);
	fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	if (fd < 0)
		return -errno;
	if (fsync(fd) < 0)
		err = -errno;
	close(fd);
	return err;
}

static int check_place(const struct sluice_cloud_conf *conf, const char *data, char *why)
{
	const int bucket = conf && conf->media.segments == SLUICE_SEGMENTS_BUCKET;
	const int elsewhere = sluice_mediaconf_elsewhere(data);

	if (bucket && conf->media.backend != SLUICE_MEDIA_S3) {
		snprintf(why, SLUICE_S3_WHY,
			 "[media] segments = bucket needs [media] backend = s3");
		return -EINVAL;
	}
	if (!bucket && elsewhere) {
		snprintf(why, SLUICE_S3_WHY,
			 "the segments of %.150s lie in a bucket: say --config FILE, of a file "
			 "whose [media] says segments = bucket and which one",
			 data);
		return -EREMOTE;
	}
	if (bucket && !elsewhere && sluice_walk_segments(data, stop, NULL) > 0) {
		snprintf(why, SLUICE_S3_WHY,
			 "[media] segments = bucket, but there are some in %.150s/segments; move "
			 "them first: sluice-cloud migrate-media --config FILE",
			 data);
		return -ENOTEMPTY;
	}
	return 0;
}

int sluice_mediaconf_open(const struct sluice_cloud_conf *conf, const char *data,
			  const struct sluice_keyring *keys, struct sluice_media **out, char *why)
{
	char path[4096];
	int err;

	*out = NULL;
	why[0] = 0;
	err = check_place(conf, data, why);
	if (err)
		return err;
	if (conf && conf->media.backend == SLUICE_MEDIA_S3)
		return open_bucket(conf, keys, out, why);
	snprintf(path, sizeof(path), "%s/media", data);
	err = sluice_media_dir_open(path, keys, out);
	if (err)
		snprintf(why, SLUICE_S3_WHY, "cannot open %.300s: %s", path, strerror(-err));
	return err;
}

int sluice_mediaconf_open_new(const struct sluice_cloud_conf *conf,
			      const struct sluice_keyring *keys, struct sluice_media **out,
			      char *why)
{
	*out = NULL;
	why[0] = 0;
	if (conf->media.backend == SLUICE_MEDIA_S3)
		return open_bucket(conf, keys, out, why);
	snprintf(why, SLUICE_S3_WHY, "[media] backend is not s3: fill in [media]");
	return -EINVAL;
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
