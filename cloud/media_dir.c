// SPDX-License-Identifier: MIT
/*
 * media_dir.c - the files of summaries in a directory.
 *
 * A summary is written to .ID.part beside its place, every file and the directory synced, then
 * renamed to ID and the parent synced: a directory of that name is complete. What a crash left as
 * .ID.part is overwritten when the same summary comes again (its id is made from what it tells of).
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cloud/media.h"

struct media_dir {
	struct sluice_media base;
	int root;
};

int sluice_media_name_valid(const char *name)
{
	static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
				      "0123456789._-";
	size_t n = strlen(name);

	return n > 0 && n < 48 && name[0] != '.' && strspn(name, letters) == n;
}

static void dir_close(struct sluice_media *m)
{
	close(((struct media_dir *)m)->root);
	free(m);
}

/* A directory below dir, made if asked for; a descriptor or -errno. */
static int open_dir(int dir, const char *name, int make)
{
	int fd;

	if (make && mkdirat(dir, name, 0700) < 0 && errno != EEXIST)
		return -errno;
	fd = openat(dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	if (make && fsync(dir) < 0) {
		int err = -errno;

		close(fd);
		return err;
	}
	return fd;
}

static int open_camera(struct sluice_media *m, const struct sluice_camera *c, int make)
{
	int tenant, camera;

	tenant = open_dir(((struct media_dir *)m)->root, c->tenant, make);
	if (tenant < 0)
		return tenant;
	camera = open_dir(tenant, c->hex, make);
	close(tenant);
	return camera;
}

static int write_file(int dir, const struct sluice_media_file *f)
{
	size_t done = 0;
	int fd, err = 0;

	fd = openat(dir, f->name, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0)
		return -errno;
	while (!err && done < f->size) {
		ssize_t n = write(fd, f->data + done, f->size - done);

		if (n < 0 && errno != EINTR)
			err = -errno;
		else if (n > 0)
			done += (size_t)n;
	}
	if (!err && fsync(fd) < 0)
		err = -errno;
	close(fd);
	return err;
}

static int dir_put(struct sluice_media *m, const struct sluice_camera *c, const char *id,
		   const struct sluice_media_file *files, size_t count)
{
	char part[48];
	int camera, dir, err = 0;
	size_t i;

	if (!sluice_media_name_valid(id) || strlen(id) > 40)
		return -EINVAL;
	for (i = 0; i < count; i++)
		if (!sluice_media_name_valid(files[i].name))
			return -EINVAL;
	camera = open_camera(m, c, 1);
	if (camera < 0)
		return camera;
	if (!faccessat(camera, id, F_OK, AT_SYMLINK_NOFOLLOW))
		goto out;
	snprintf(part, sizeof(part), ".%s.part", id);
	dir = open_dir(camera, part, 1);
	if (dir < 0) {
		err = dir;
		goto out;
	}
	for (i = 0; !err && i < count; i++)
		err = write_file(dir, &files[i]);
	if (!err && fsync(dir) < 0)
		err = -errno;
	close(dir);
	if (!err && renameat(camera, part, camera, id) < 0 && errno != EEXIST && errno != ENOTEMPTY)
		err = -errno;
	if (!err && fsync(camera) < 0)
		err = -errno;
out:
	close(camera);
	return err;
}

static int read_file(int fd, size_t max, uint8_t **data, size_t *size)
{
	struct stat st;
	size_t got = 0;

	if (fstat(fd, &st) < 0)
		return -errno;
	if (!S_ISREG(st.st_mode))
		return -ENOENT;
	if ((uint64_t)st.st_size > max)
		return -EFBIG;
	*size = (size_t)st.st_size;
	*data = malloc(*size + 1); /* an empty file is a file */
	if (!*data)
		return -ENOMEM;
	while (got < *size) {
		ssize_t n = read(fd, *data + got, *size - got);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0) {
			int err = n ? -errno : -EIO;

			free(*data);
			*data = NULL;
			return err;
		}
		got += (size_t)n;
	}
	return 0;
}

static int dir_get(struct sluice_media *m, const struct sluice_camera *c, const char *id,
		   const char *name, size_t max, uint8_t **data, size_t *size)
{
	int camera, dir, fd, err;

	*data = NULL;
	*size = 0;
	if (!sluice_media_name_valid(id) || !sluice_media_name_valid(name))
		return -ENOENT;
	camera = open_camera(m, c, 0);
	if (camera < 0)
		return camera;
	dir = open_dir(camera, id, 0);
	close(camera);
	if (dir < 0)
		return dir;
	fd = openat(dir, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	err = fd < 0 ? -errno : read_file(fd, max, data, size);
	if (fd >= 0)
		close(fd);
	close(dir);
	return err;
}

static const struct sluice_media_ops ops = {
	.close = dir_close,
	.put = dir_put,
	.get = dir_get,
};

int sluice_media_dir_open(const char *root, struct sluice_media **out)
{
	struct media_dir *m = calloc(1, sizeof(*m));

	*out = NULL;
	if (!m)
		return -ENOMEM;
	m->base.ops = &ops;
	m->root = open_dir(AT_FDCWD, root, 0);
	if (m->root < 0) {
		int err = m->root;

		free(m);
		return err;
	}
	*out = &m->base;
	return 0;
}
