// SPDX-License-Identifier: MIT
/* See tree.h. Names that come here have been checked by the callers. */
#include "relay/tree.h"
#include "lib/whole.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

int relay_tree_open(int at, const char *name)
{
	if (mkdirat(at, name, 0755) && errno != EEXIST)
		return -1;
	return openat(at, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
}

/* Takes the fd. NULL: out of memory, or fd is -1. */
static DIR *read_fd(int fd)
{
	DIR *d = fd < 0 ? NULL : fdopendir(fd);

	if (!d && fd >= 0)
		close(fd);
	return d;
}

static DIR *read_dir(int at, const char *name)
{
	return read_fd(openat(at, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW));
}

static const char *next_name(DIR *d)
{
	struct dirent *e;

	do
		e = readdir(d);
	while (e && (!strcmp(e->d_name, ".") || !strcmp(e->d_name, "..")));
	return e ? e->d_name : NULL;
}

void relay_tree_remove(int at, const char *name)
{
	DIR *d = read_dir(at, name);
	const char *file;

	if (!d)
		return;
	while ((file = next_name(d)))
		unlinkat(dirfd(d), file, 0);
	closedir(d);
	unlinkat(at, name, AT_REMOVEDIR);
}

void relay_tree_walk(int fd, void (*fn)(void *arg, int day_fd, const char *day, const char *name),
		     void *arg)
{
	DIR *top = read_dir(fd, "."), *camera, *date;
	const char *c, *d, *name;
	char day[600];

	while (top && (c = next_name(top))) {
		camera = read_dir(dirfd(top), c);
		while (camera && (d = next_name(camera))) {
			date = read_dir(dirfd(camera), d);
			snprintf(day, sizeof(day), "%s/%s", c, d);
			while (date && (name = next_name(date)))
				fn(arg, dirfd(date), day, name);
			if (date)
				closedir(date);
		}
		if (camera)
			closedir(camera);
	}
	if (top)
		closedir(top);
}

int relay_file_write(int dir, const char *name, const uint8_t *data, size_t size)
{
	int fd = openat(dir, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
	int err;

	if (fd < 0)
		return -errno;
	err = sluice_write_whole(fd, data, size);
	if (!err && fsync(fd))
		err = -errno;
	close(fd);
	return err;
}

uint8_t *relay_file_read(int dir, const char *name, size_t max, uint32_t *size)
{
	int fd = openat(dir, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	uint8_t *data = NULL;
	struct stat st;
	size_t at = 0;

	if (fd < 0)
		return NULL;
	if (!fstat(fd, &st) && S_ISREG(st.st_mode) && (uint64_t)st.st_size <= max)
		data = malloc((size_t)st.st_size + 1);
	while (data && at < (size_t)st.st_size) {
		ssize_t n = read(fd, data + at, (size_t)st.st_size - at);

		if (n <= 0 && !(n < 0 && errno == EINTR)) {
			free(data);
			data = NULL;
		} else if (n > 0) {
			at += (size_t)n;
		}
	}
	close(fd);
	if (data) {
		data[at] = 0;
		*size = (uint32_t)at;
	}
	return data;
}
