// SPDX-License-Identifier: MIT
/*
 * media_dir.c - the files of summaries in a directory.
 *
 * A summary is written to .ID.part beside its place, every file and the directory synced, then
 * renamed to ID and the parent synced: a directory of that name is complete. What a crash left as
 * .ID.part is overwritten when the same summary comes again (its id is made from what it tells of),
 * and one that became ID but never came into the index is replaced.
 *
 * A sealed file's place is TENANT/CAMERA-HEX/ID/NAME (sealed.h).
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cloud/media.h"
#include "cloud/sealed.h"
#include "lib/whole.h"

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

/* Thirteen digits of base 32, so that it is a name. */
const char *sluice_media_place(char out[SLUICE_MEDIA_PLACE], const char *id, uint64_t token)
{
	static const char digits[] = "0123456789abcdefghijklmnopqrstuv";
	char text[15] = ".";

	for (int i = 13; i > 0; i--, token >>= 5)
		text[i] = digits[token & 31];
	snprintf(out, SLUICE_MEDIA_PLACE, "%.32s%s", id,
		 strcmp(text + 1, "0000000000000") ? text : "");
	return out;
}

int sluice_media_place_read(const char *place, char id[33], uint64_t *token)
{
	char again[SLUICE_MEDIA_PLACE];
	size_t n = strlen(place);

	*token = 0;
	if (n != 32 && n != 46)
		return -EINVAL;
	snprintf(id, 33, "%.32s", place);
	for (const char *p = place + 33; n == 46 && *p; p++)
		*token = *token << 5 | (uint64_t)(*p <= '9' ? *p - '0' : *p - 'a' + 10);
	return strcmp(sluice_media_place(again, id, *token), place) ? -EINVAL : 0;
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

/* What a file's key belongs to. */
static const char *write_place(char out[256], const struct sluice_camera *c, const char *id,
			       const char *name)
{
	snprintf(out, 256, "%s/%s/%s/%s", c->tenant, c->hex, id, name);
	return out;
}

static int write_file(int dir, const char *name, const uint8_t *data, size_t size)
{
	int fd, err;

	fd = openat(dir, name, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0)
		return -errno;
	err = sluice_write_whole(fd, data, size);
	if (!err && fsync(fd) < 0)
		err = -errno;
	close(fd);
	return err;
}

static int put_file(struct sluice_media *m, int dir, const struct sluice_camera *c, const char *id,
		    const struct sluice_media_file *f, const char *name)
{
	uint8_t *sealed = NULL;
	char place[256];
	size_t size;
	int err;

	if (!m->keys || !m->keys->count)
		return write_file(dir, f->name, f->data, f->size);
	err = sluice_sealed_make(m->keys, write_place(place, c, id, name), f->data, f->size,
				 &sealed, &size);
	if (!err)
		err = write_file(dir, f->name, sealed, size);
	free(sealed);
	return err;
}

static int remove_files(int camera, const char *name)
{
	int dir = open_dir(camera, name, 0), err = 0;
	struct dirent *d;
	DIR *list;

	if (dir < 0)
		return dir == -ENOENT ? 0 : dir;
	list = fdopendir(dir);
	if (!list) {
		close(dir);
		return -ENOMEM;
	}
	while ((d = readdir(list)))
		if (strcmp(d->d_name, ".") != 0 && strcmp(d->d_name, "..") != 0)
			unlinkat(dir, d->d_name, 0);
	closedir(list);
	if (unlinkat(camera, name, AT_REMOVEDIR) < 0 && errno != ENOENT)
		err = -errno;
	return err;
}

/* The finished part becomes id; what was id goes. */
static int take_place(int camera, const char *part, const char *id)
{
	int err;

	if (!renameat(camera, part, camera, id))
		return 0;
	if (errno != EEXIST && errno != ENOTEMPTY)
		return -errno;
	if (!renameat2(camera, part, camera, id, RENAME_EXCHANGE))
		return remove_files(camera, part);
	if (errno != EINVAL && errno != ENOSYS)
		return -errno;
	/* a file system that cannot exchange: nobody was told of the old one */
	err = remove_files(camera, id);
	if (!err && renameat(camera, part, camera, id) < 0)
		err = -errno;
	return err;
}

static int dir_put(struct sluice_media *m, const struct sluice_camera *c, const char *id,
		   const struct sluice_media_file *files, size_t count)
{
	char part[SLUICE_MEDIA_PLACE + 8];
	int camera, dir, err = 0;
	size_t i;

	if (!sluice_media_name_valid(id))
		return -EINVAL;
	for (i = 0; i < count; i++)
		if (!sluice_media_name_valid(files[i].name))
			return -EINVAL;
	camera = open_camera(m, c, 1);
	if (camera < 0)
		return camera;
	snprintf(part, sizeof(part), ".%s.part", id);
	err = remove_files(camera, part); /* of a life that ended in the midst of it */
	if (err)
		goto out;
	dir = open_dir(camera, part, 1);
	if (dir < 0) {
		err = dir;
		goto out;
	}
	for (i = 0; !err && i < count; i++)
		err = put_file(m, dir, c, id, &files[i], files[i].name);
	if (!err && fsync(dir) < 0)
		err = -errno;
	close(dir);
	if (!err)
		err = take_place(camera, part, id);
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
	if ((uint64_t)st.st_size > max + SLUICE_SEALED_MORE)
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
	char place[256];
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
	if (!err)
		err = sluice_sealed_open(m->keys, write_place(place, c, id, name), *data, size);
	if (!err && *size > max)
		err = -EFBIG;
	if (err) {
		free(*data);
		*data = NULL;
	}
	return err;
}

static int dir_pin(struct sluice_media *m, const struct sluice_camera *c, const char *id,
		   const uint8_t *data, size_t size)
{
	const struct sluice_media_file part = { SLUICE_MEDIA_PIN ".part", data, size };
	int camera, dir, err;

	if (!sluice_media_name_valid(id))
		return -ENOENT;
	camera = open_camera(m, c, 0);
	if (camera < 0)
		return camera;
	dir = open_dir(camera, id, 0);
	close(camera);
	if (dir < 0)
		return dir;
	if (data) {
		/* sealed for the name that it is going to have */
		err = put_file(m, dir, c, id, &part, SLUICE_MEDIA_PIN);
		if (!err && renameat(dir, part.name, dir, SLUICE_MEDIA_PIN) < 0)
			err = -errno;
	} else {
		err = unlinkat(dir, SLUICE_MEDIA_PIN, 0) < 0 && errno != ENOENT ? -errno : 0;
	}
	if (!err && fsync(dir) < 0)
		err = -errno;
	close(dir);
	return err;
}

static int is_shown(const struct dirent *d)
{
	return d->d_name[0] != '.';
}

/* fn for each name of the directory that is none of ours to hide, in order; dir is closed. */
static int each_entry(int dir, int (*fn)(void *ctx, int dir, const char *name), void *ctx)
{
	struct dirent **list = NULL;
	int n = dir < 0 ? dir : scandirat(dir, ".", &list, is_shown, alphasort), rc = 0;

	if (n < 0 && dir >= 0)
		n = -errno;
	for (int i = 0; i < n; i++) {
		if (!rc)
			rc = fn(ctx, dir, list[i]->d_name);
		free(list[i]);
	}
	free(list);
	if (dir >= 0)
		close(dir);
	return n < 0 ? n : rc;
}

/* Out of its place first: a directory of that name stays complete until it is none. */
static int remove_place(int camera, const char *id)
{
	char part[SLUICE_MEDIA_PLACE + 8];
	int err;

	snprintf(part, sizeof(part), ".%s.part", id);
	err = remove_files(camera, part);
	if (!err && renameat(camera, id, camera, part) < 0 && errno != ENOENT)
		err = -errno;
	return err ? err : remove_files(camera, part);
}

static int remove_like(void *ctx, int dir, const char *name)
{
	return strncmp(name, ctx, 33) ? 0 : remove_place(dir, name);
}

static int dir_remove(struct sluice_media *m, const struct sluice_camera *c, const char *id)
{
	int camera, err;
	char like[34];

	if (!sluice_media_name_valid(id))
		return -EINVAL;
	camera = open_camera(m, c, 0);
	if (camera < 0)
		return camera == -ENOENT ? 0 : camera;
	err = remove_place(camera, id);
	snprintf(like, sizeof(like), "%.33s", id);
	if (!err && strlen(id) > 33 && id[32] == '.')
		err = each_entry(open_dir(camera, ".", 0), remove_like, like);
	if (!err && fsync(camera) < 0)
		err = -errno;
	close(camera);
	return err;
}

struct dir_walk {
	sluice_media_id_fn id_fn;
	sluice_media_name_fn name_fn;
	void *ctx;
	char tenant[SLUICE_NAME_MAX];
	uint8_t camera[16];
};

/* What came or went meanwhile, and files that are in nobody's way. */
static int pass_over(int err)
{
	return err == -ENOENT || err == -ENOTDIR ? 0 : err;
}

static int walk_id(void *ctx, int dir, const char *name)
{
	struct dir_walk *w = ctx;
	struct stat st;

	if (fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return pass_over(-errno);
	return S_ISDIR(st.st_mode) ? w->id_fn(w->ctx, w->tenant, w->camera, name) : 0;
}

static int walk_camera(void *ctx, int dir, const char *name)
{
	struct dir_walk *w = ctx;

	if (sluice_unhex(name, w->camera, sizeof(w->camera)))
		return 0;
	dir = open_dir(dir, name, 0);
	return dir < 0 ? pass_over(dir) : each_entry(dir, walk_id, w);
}

static int walk_tenant(void *ctx, int dir, const char *name)
{
	struct dir_walk *w = ctx;

	if (!sluice_name_valid(name))
		return 0;
	memcpy(w->tenant, name, strlen(name) + 1);
	dir = open_dir(dir, name, 0);
	return dir < 0 ? pass_over(dir) : each_entry(dir, walk_camera, w);
}

static int dir_each(struct sluice_media *m, sluice_media_id_fn fn, void *ctx)
{
	struct dir_walk w = { .id_fn = fn, .ctx = ctx };

	/* a descriptor of its own: another one walks at the same time */
	return each_entry(open_dir(((struct media_dir *)m)->root, ".", 0), walk_tenant, &w);
}

static int walk_name(void *ctx, int dir, const char *name)
{
	struct dir_walk *w = ctx;

	(void)dir;
	return strncmp(name, SLUICE_MEDIA_PIN, strlen(SLUICE_MEDIA_PIN)) ? w->name_fn(w->ctx, name)
									 : 0;
}

static int dir_names(struct sluice_media *m, const struct sluice_camera *c, const char *id,
		     sluice_media_name_fn fn, void *ctx)
{
	struct dir_walk w = { .name_fn = fn, .ctx = ctx };
	int camera, dir;

	if (!sluice_media_name_valid(id))
		return -ENOENT;
	camera = open_camera(m, c, 0);
	if (camera < 0)
		return camera;
	dir = open_dir(camera, id, 0);
	close(camera);
	return each_entry(dir, walk_name, &w);
}

static const struct sluice_media_ops ops = {
	.close = dir_close,
	.put = dir_put,
	.get = dir_get,
	.pin = dir_pin,
	.remove = dir_remove,
	.each = dir_each,
	.names = dir_names,
};

int sluice_media_dir_open(const char *root, const struct sluice_keyring *keys,
			  struct sluice_media **out)
{
	struct media_dir *m = calloc(1, sizeof(*m));

	*out = NULL;
	if (!m)
		return -ENOMEM;
	m->base.ops = &ops;
	m->base.keys = keys;
	m->root = open_dir(AT_FDCWD, root, 0);
	if (m->root < 0) {
		int err = m->root;

		free(m);
		return err;
	}
	*out = &m->base;
	return 0;
}
