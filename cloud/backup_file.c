// SPDX-License-Identifier: MIT
/* backup_file.c - one file of a copy: whole under its name, or not there. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <openssl/evp.h>

#include "cloud/backup_state.h"

int sluice_backup_stopped(const struct sluice_backup_config *c)
{
	return c->stopping && c->stopping(c->ctx);
}

/* Makes the directories of dir/path. */
static int make_parents(const char *dir, const char *path)
{
	char full[4400], *at;

	snprintf(full, sizeof(full), "%s/%s", dir, path);
	for (at = full + strlen(dir) + 1; (at = strchr(at, '/')); at++) {
		*at = 0;
		if (mkdir(full, 0700) < 0 && errno != EEXIST)
			return -errno;
		*at = '/';
	}
	return 0;
}

/* Copies limit bytes at most (all of a shorter file), hashing what it copies; out < 0: only hash.
 */
static int copy_bytes(const struct sluice_backup_config *c, int in, int out, uint64_t limit,
		      struct sluice_backup_line *line)
{
	static uint8_t buf[1 << 18];
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	int err = ctx && EVP_DigestInit(ctx, EVP_sha256()) == 1 ? 0 : -ENOMEM;
	ssize_t n = 1;

	line->size = 0;
	while (!err && line->size < limit) {
		size_t want = limit - line->size < sizeof(buf) ? (size_t)(limit - line->size)
							       : sizeof(buf);

		n = read(in, buf, want);
		if (n <= 0) {
			err = n < 0 ? -errno : 0;
			break;
		}
		if (EVP_DigestUpdate(ctx, buf, (size_t)n) != 1)
			err = -ENOMEM;
		line->size += (uint64_t)n;
		errno = 0;
		if (!err && out >= 0 && write(out, buf, (size_t)n) != n)
			err = errno ? -errno : -ENOSPC;
		if (!err && sluice_backup_stopped(c))
			err = -ECANCELED;
	}
	if (!err && EVP_DigestFinal(ctx, line->sha256, NULL) != 1)
		err = -ENOMEM;
	EVP_MD_CTX_free(ctx);
	return err;
}

int sluice_backup_sync(const char *full)
{
	char dir[4400], *slash;
	int fd, err = 0;

	snprintf(dir, sizeof(dir), "%s", full);
	slash = strrchr(dir, '/');
	if (slash)
		*slash = 0;
	fd = open(slash ? dir : ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0 || fsync(fd) < 0)
		err = -errno;
	if (fd >= 0)
		close(fd);
	return err;
}

int sluice_backup_copy(const struct sluice_backup_config *c, uint64_t limit, const char *suffix,
		       struct sluice_backup_line *line)
{
	char src[4400], dst[4400], part[4420];
	int in, out, err;

	snprintf(src, sizeof(src), "%s/%s", c->from, line->path);
	snprintf(dst, sizeof(dst), "%s/%s%s", c->to, line->path, suffix);
	snprintf(part, sizeof(part), "%s/%s.part", c->to, line->path);
	err = make_parents(c->to, line->path);
	if (err)
		return err;
	in = open(src, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	if (in < 0)
		return -errno;
	out = open(part, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600);
	err = out < 0 ? -errno : copy_bytes(c, in, out, limit, line);
	if (!err && fsync(out) < 0)
		err = -errno;
	close(in);
	if (out >= 0)
		close(out);
	if (!err && rename(part, dst) < 0)
		err = -errno;
	return err ? err : sluice_backup_sync(dst);
}

int sluice_backup_hash(const struct sluice_backup_config *c, const char *dir, const char *suffix,
		       struct sluice_backup_line *line)
{
	char full[4400];
	int in, err;

	snprintf(full, sizeof(full), "%s/%s%s", dir, line->path, suffix);
	in = open(full, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	if (in < 0)
		return -errno;
	err = copy_bytes(c, in, -1, UINT64_MAX, line);
	close(in);
	return err;
}

int sluice_backup_link(const struct sluice_backup_config *c, struct sluice_backup_line *line)
{
	char src[4400], dst[4400];
	int err = make_parents(c->to, line->path);

	snprintf(src, sizeof(src), "%s/%s", c->from, line->path);
	snprintf(dst, sizeof(dst), "%s/%s", c->to, line->path);
	if (!err && link(src, dst) < 0)
		err = -errno;
	if (!err)
		err = sluice_backup_sync(dst);
	return err ? err : sluice_backup_hash(c, c->to, "", line);
}
