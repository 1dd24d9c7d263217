// SPDX-License-Identifier: MIT
/*
 * depot_dir.c - segments as files below the data directory.
 *
 * What is put whole is written as .NAME.part beside its place, synced, renamed, and the directory
 * synced: a file of that name is complete. A .part is what a crash left; nobody looks at it, and
 * the next put of that path overwrites it. (The writer of a node does not put: its segments grow,
 * segment.c.)
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cloud/depot.h"
#include "cloud/walk.h"
#include "lib/sha256.h"
#include "lib/whole.h"

#define FULL 4400

static void dir_close(struct sluice_depot *d)
{
	(void)d;
}

/* ---- read ---- */

static int dir_open(struct sluice_depot *d, const char *path, struct sluice_depot_file *f)
{
	char full[FULL];

	snprintf(full, sizeof(full), "%s/%s", d->data, path);
	f->path = path;
	f->fd = open(full, O_RDONLY | O_CLOEXEC);
	return f->fd < 0 ? -errno : 0;
}

static ssize_t dir_read(struct sluice_depot *d, struct sluice_depot_file *f, void *buf, size_t size,
			uint64_t offset)
{
	(void)d;
	return sluice_pread_whole(f->fd, buf, size, offset);
}

static void dir_shut(struct sluice_depot *d, struct sluice_depot_file *f)
{
	(void)d;
	close(f->fd);
	f->fd = -1;
}

static int dir_doubt(struct sluice_depot *d, const char *path)
{
	(void)d;
	(void)path;
	return 0;
}

static int dir_load(struct sluice_depot *d, const char *path, uint8_t **data, size_t *size)
{
	struct sluice_depot_file f;
	struct stat st;
	ssize_t n;
	int err = dir_open(d, path, &f);

	*data = NULL;
	*size = 0;
	if (err)
		return err;
	if (fstat(f.fd, &st) < 0)
		err = -errno;
	else
		*data = malloc((size_t)st.st_size + 1);
	if (!err && !*data)
		err = -ENOMEM;
	if (!err) {
		n = dir_read(d, &f, *data, (size_t)st.st_size, 0);
		err = n < 0 ? (int)n : 0;
		*size = n < 0 ? 0 : (size_t)n;
	}
	dir_shut(d, &f);
	if (err) {
		free(*data);
		*data = NULL;
	}
	return err;
}

static int dir_has(struct sluice_depot *d, const char *path, const char *sha256, uint64_t size)
{
	char hex[2 * SHA256_DIGEST_LENGTH + 1];
	uint8_t *data, digest[SHA256_DIGEST_LENGTH];
	size_t n;
	int err = dir_load(d, path, &data, &n);

	if (err)
		return err == -ENOENT ? 0 : err;
	sluice_sha256(data, n, digest);
	sluice_hex(digest, sizeof(digest), hex);
	free(data);
	return n == size && !strcmp(hex, sha256);
}

/* ---- write ---- */

static int sync_dir(const char *full)
{
	int fd = open(full, O_RDONLY | O_DIRECTORY | O_CLOEXEC), err = 0;

	if (fd < 0 || fsync(fd) < 0)
		err = -errno;
	if (fd >= 0)
		close(fd);
	return err;
}

/* Those above a file, which ends at its last '/'; each new one is synced into its parent. */
static int make_parents(char *full, size_t above)
{
	char *at = full + above;
	int err = 0;

	while (!err && (at = strchr(at + 1, '/'))) {
		char *before;

		*at = 0;
		if (!mkdir(full, 0700)) {
			before = strrchr(full, '/');
			*before = 0;
			err = sync_dir(full);
			*before = '/';
		} else if (errno != EEXIST) {
			err = -errno;
		}
		*at = '/';
	}
	return err;
}

static int write_file(const char *full, const uint8_t *data, size_t size)
{
	int fd = open(full, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600), err;

	if (fd < 0)
		return -errno;
	err = sluice_write_whole(fd, data, size);
	if (!err && fdatasync(fd) < 0)
		err = -errno;
	close(fd);
	return err;
}

static int put_one(struct sluice_depot *d, const struct sluice_depot_put *p)
{
	char full[FULL], part[FULL + 8], *slash;
	int err;

	snprintf(full, sizeof(full), "%s/%s", d->data, p->path);
	err = make_parents(full, strlen(d->data));
	if (err)
		return err;
	slash = strrchr(full, '/');
	snprintf(part, sizeof(part), "%.*s/.%s.part", (int)(slash - full), full, slash + 1);
	err = write_file(part, p->data, p->size);
	if (!err && rename(part, full) < 0)
		err = -errno;
	if (err)
		unlink(part);
	*slash = 0;
	return err ? err : sync_dir(full);
}

static int dir_put(struct sluice_depot *d, const struct sluice_depot_put *puts, size_t count)
{
	int err = 0;

	for (size_t i = 0; i < count && !err; i++)
		err = put_one(d, &puts[i]);
	return err;
}

static int dir_probe(struct sluice_depot *d, size_t bytes)
{
	static const uint8_t zeros[65536];
	char path[FULL];
	size_t n = 0;
	int fd, err = 0;

	snprintf(path, sizeof(path), "%s/segments/.probe", d->data);
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (fd < 0)
		return -errno;
	for (; n < bytes && !err; n += sizeof(zeros))
		if (write(fd, zeros, sizeof(zeros)) != (ssize_t)sizeof(zeros))
			err = errno ? -errno : -ENOSPC;
	if (!err && fdatasync(fd))
		err = -errno;
	close(fd);
	unlink(path);
	return err;
}

/* Its directory is synced, so that it stays away. */
static int dir_remove(struct sluice_depot *d, const char *path)
{
	char full[FULL], *slash;
	int err;

	snprintf(full, sizeof(full), "%s/%s", d->data, path);
	if (unlink(full) < 0 && errno != ENOENT)
		return -errno;
	slash = strrchr(full, '/');
	*slash = 0;
	err = sync_dir(full);
	return err == -ENOENT ? 0 : err;
}

static int dir_each(struct sluice_depot *d, sluice_depot_fn fn, void *ctx)
{
	return sluice_walk_segments(d->data, fn, ctx);
}

static const struct sluice_depot_ops ops = {
	.close = dir_close,
	.put = dir_put,
	.probe = dir_probe,
	.open = dir_open,
	.read = dir_read,
	.shut = dir_shut,
	.doubt = dir_doubt,
	.load = dir_load,
	.has = dir_has,
	.remove = dir_remove,
	.each = dir_each,
};

void sluice_depot_dir(struct sluice_depot *d, const char *data)
{
	*d = (struct sluice_depot){ .ops = &ops, .data = data };
}
