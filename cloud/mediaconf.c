// SPDX-License-Identifier: MIT
/*
 * mediaconf.c - see mediaconf.h. The access key and its secret come from files, the first line of
 * each; nobody else may read that of the secret.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cloud/mediaconf.h"

#define LINE_SIZE 256

static int read_line(const char *key, const char *path, int secret, char line[LINE_SIZE], char *why)
{
	struct stat st;
	ssize_t n = -1;
	int fd, err;

	if (!path[0]) {
		snprintf(why, SLUICE_S3_WHY, "[media] %s is missing: the file that holds it", key);
		return -EINVAL;
	}
	fd = open(path, O_RDONLY | O_CLOEXEC);
	err = fd < 0 || fstat(fd, &st) < 0 ? -errno : 0;
	if (!err && secret && (st.st_mode & 077)) {
		close(fd);
		snprintf(why, SLUICE_S3_WHY, "others may read %s; say: chmod 600 %s", path, path);
		return -EACCES;
	}
	if (!err && (n = read(fd, line, LINE_SIZE - 1)) < 0)
		err = -errno;
	if (fd >= 0)
		close(fd);
	if (err) {
		snprintf(why, SLUICE_S3_WHY, "cannot read %s, which [media] %s names: %s", path,
			 key, strerror(-err));
		return err;
	}
	line[n] = 0;
	line[strcspn(line, "\r\n")] = 0;
	if (line[0] && strcspn(line, " \t") == strlen(line))
		return 0;
	snprintf(why, SLUICE_S3_WHY,
		 "the first line of %s must be what [media] %s is for, and "
		 "nothing else",
		 path, key);
	return -EINVAL;
}

static int open_bucket(const struct sluice_cloud_conf *conf, const struct sluice_keyring *keys,
		       struct sluice_media **out, char *why)
{
	char id[LINE_SIZE], secret[LINE_SIZE] = "";
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
	int err = read_line("key_id_file", conf->media.key_id_file, 0, id, why);

	if (!err)
		err = read_line("secret_file", conf->media.secret_file, 1, secret, why);
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
