// SPDX-License-Identifier: MIT
/*
 * The device's disk: real files in a directory in memory, so that all of the relay's own code runs,
 * and a journal of what a power failure may take back.
 *
 * Model: the bytes of a file are safe up to what a sync of that file has covered; what lies beyond
 * is there, in part, as zeros or not at all. Making, renaming, removing and cutting files happens
 * in order; a beginning of that order survives, all of it up to the last sync of the directory. A
 * file that was renamed without a sync of its bytes may be empty. This is what journalling file
 * systems promise at the least.
 */
#include "sim.h"
#include "check.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define FILES	512
#define JOURNAL 512
#define FDS	1024

enum change { MADE, RENAMED, REMOVED, CUT };

/* One change of the directory, and what undoes it: the bytes that were there (of: the path). */
struct entry {
	enum change what;
	char path[256];
	bool was; /* there was a file before */
	uint8_t *bytes;
	size_t size;
	uint64_t at; /* CUT: the bytes were behind that */
	/* RENAMED: from where, and what */
	char from[256];
	uint8_t *moved;
	size_t moved_size;
};

struct file {
	char path[256];
	uint64_t synced;
};

static struct file files[FILES];
static struct entry journal[JOURNAL];
static unsigned int entries;
static char fd_path[FDS][256];

int __real_open(const char *path, int flags, ...);
int __real_rename(const char *from, const char *to);
int __real_unlink(const char *path);
int __real_truncate(const char *path, off_t size);
int __real_fdatasync(int fd);
int __wrap_fsync(int fd);
void *__real_malloc(size_t size);
int __wrap_open(const char *path, int flags, ...);
int __wrap_rename(const char *from, const char *to);
int __wrap_unlink(const char *path);
int __wrap_truncate(const char *path, off_t size);
int __wrap_fdatasync(int fd);

/* ---- files ---- */

static struct file *find_file(const char *path, bool make)
{
	struct file *free_one = NULL;

	for (int i = 0; i < FILES; i++) {
		if (!strcmp(files[i].path, path))
			return &files[i];
		if (!files[i].path[0] && !free_one)
			free_one = &files[i];
	}
	if (!make)
		return NULL;
	if (!free_one)
		abort();
	snprintf(free_one->path, sizeof(free_one->path), "%s", path);
	free_one->synced = 0;
	return free_one;
}

static uint64_t size_of(const char *path)
{
	struct stat st;

	return stat(path, &st) ? 0 : (uint64_t)st.st_size;
}

/* Bytes of a file from at on. */
static uint8_t *save(const char *path, uint64_t at, size_t *size)
{
	uint64_t all = size_of(path);
	uint8_t *bytes;
	int fd;

	*size = all > at ? (size_t)(all - at) : 0;
	bytes = __real_malloc(*size + 1);
	fd = __real_open(path, O_RDONLY);
	if (!bytes || fd < 0 || pread(fd, bytes, *size, (off_t)at) != (ssize_t)*size)
		abort();
	close(fd);
	return bytes;
}

static void put(const char *path, const uint8_t *bytes, size_t size, uint64_t at)
{
	int fd = __real_open(path, O_WRONLY | O_CREAT, 0600);

	if (fd < 0 || ftruncate(fd, (off_t)at) || pwrite(fd, bytes, size, (off_t)at) < 0)
		abort();
	close(fd);
}

/* ---- the journal ---- */

static void clear_journal(void)
{
	while (entries) {
		free(journal[--entries].bytes);
		free(journal[entries].moved);
	}
}

static struct entry *note(enum change what, const char *path)
{
	struct entry *e;

	if (entries == JOURNAL) { /* the oldest half is on the disk by now */
		for (int i = 0; i < JOURNAL / 2; i++) {
			free(journal[i].bytes);
			free(journal[i].moved);
		}
		entries -= JOURNAL / 2;
		memmove(journal, journal + JOURNAL / 2, entries * sizeof(journal[0]));
	}
	e = &journal[entries++];
	*e = (struct entry){ .what = what, .was = !access(path, F_OK) };
	snprintf(e->path, sizeof(e->path), "%s", path);
	return e;
}

static void undo(struct entry *e)
{
	if (e->was)
		put(e->path, e->bytes, e->size, e->at);
	else
		__real_unlink(e->path);
	if (e->what == RENAMED) {
		put(e->from, e->moved, e->moved_size, 0);
		find_file(e->from, true)->synced = e->moved_size;
	}
	find_file(e->path, true)->synced = e->at + e->size;
}

void sim_disk_power(void)
{
	unsigned int keep = random_below(entries + 1);

	while (entries > keep) {
		struct entry *e = &journal[--entries];

		undo(e);
		free(e->bytes);
		free(e->moved);
	}
	clear_journal();
	for (int i = 0; i < FILES; i++) {
		struct file *f = &files[i];
		uint64_t size = f->path[0] ? size_of(f->path) : 0, left;
		int fd;

		if (size <= f->synced)
			continue;
		left = f->synced + random_below((uint32_t)(size - f->synced) + 1);
		if (__real_truncate(f->path, (off_t)left))
			abort();
		fd = random_below(3) ? -1 : __real_open(f->path, O_WRONLY);
		if (fd >= 0) { /* its length was written, its bytes were not */
			if (ftruncate(fd, (off_t)size))
				abort();
			__real_fdatasync(fd);
			close(fd);
		}
	}
	clear_journal();
	for (int i = 0; i < FILES; i++)
		files[i].synced = files[i].path[0] ? size_of(files[i].path) : 0;
}

void sim_disk_reset(void)
{
	clear_journal();
	memset(files, 0, sizeof(files));
	memset(fd_path, 0, sizeof(fd_path));
}

static int trouble(void)
{
	if (sim.device.dead)
		return EIO;
	switch (sim.disk) {
	case SIM_DISK_FULL:
		return ENOSPC;
	case SIM_DISK_READ_ONLY:
		return EROFS;
	case SIM_DISK_BROKEN:
		return EIO;
	default:
		return 0;
	}
}

/* ---- requests ---- */

static int do_open(struct sluice_io_request *r)
{
	bool writes = r->flags & O_CREAT;
	bool was = !access(r->path, F_OK);
	int fd;

	if (writes && trouble())
		return -trouble();
	if (writes && !was)
		note(MADE, r->path);
	fd = __real_open(r->path, r->flags | O_CLOEXEC, r->mode);
	if (fd < 0)
		return -errno;
	if (fd >= FDS)
		abort();
	snprintf(fd_path[fd], sizeof(fd_path[fd]), "%s", r->path);
	if (writes)
		find_file(r->path, true)->synced = 0;
	return fd;
}

static int do_write(struct sluice_io_request *r, size_t most)
{
	ssize_t n;

	if (trouble() && !(sim.disk == SIM_DISK_FULL && r->size > 100 && random_below(2)))
		return -trouble();
	if (trouble())
		most = r->size / 2; /* the last room of the disk */
	n = pwrite(r->fd, r->bytes, r->size < most ? r->size : most, (off_t)r->offset);
	return n < 0 ? -errno : (int)n;
}

static int do_sync(struct sluice_io_request *r)
{
	struct file *f = r->fd < FDS && fd_path[r->fd][0] ? find_file(fd_path[r->fd], true) : NULL;

	if (sim.disk == SIM_DISK_BROKEN || sim.disk == SIM_DISK_READ_ONLY)
		return -trouble();
	if (f)
		f->synced = size_of(f->path);
	else
		clear_journal(); /* the directory */
	return 0;
}

int sim_disk_do(struct sluice_io_request *r, unsigned int most)
{
	size_t limit = most ? most : SIZE_MAX;
	ssize_t n;

	switch (r->op) {
	case SLUICE_IO_OPEN:
		return do_open(r);
	case SLUICE_IO_READ:
		n = pread(r->fd, r->bytes, r->size < limit ? r->size : limit, (off_t)r->offset);
		return n < 0 ? -errno : (int)n;
	case SLUICE_IO_WRITE:
		return do_write(r, limit);
	case SLUICE_IO_SYNC:
		return do_sync(r);
	default:
		return -EINVAL;
	}
}

void sim_disk_half(struct sluice_io_request *r)
{
	if (r->op == SLUICE_IO_WRITE)
		(void)!pwrite(r->fd, r->bytes, random_below(r->size + 1), (off_t)r->offset);
}

void sim_disk_closed(int fd)
{
	if (fd >= 0 && fd < FDS)
		fd_path[fd][0] = 0;
}

/* ---- what is asked of the system without the table ---- */

int __wrap_open(const char *path, int flags, ...)
{
	mode_t mode = 0;
	va_list ap;
	int fd;

	if (flags & O_CREAT) {
		va_start(ap, flags);
		mode = va_arg(ap, mode_t);
		va_end(ap);
		if (trouble()) {
			errno = trouble();
			return -1;
		}
	}
	fd = __real_open(path, flags, mode);
	if (fd >= 0 && fd < FDS && (flags & O_CREAT || find_file(path, false)))
		snprintf(fd_path[fd], sizeof(fd_path[fd]), "%s", path);
	if (fd >= 0 && fd < FDS && flags & O_TRUNC)
		find_file(path, true)->synced = 0;
	return fd;
}

/* Of a file that was written, or of the directory. */
int __wrap_fsync(int fd)
{
	if (sim.disk == SIM_DISK_BROKEN || sim.disk == SIM_DISK_READ_ONLY) {
		errno = trouble();
		return -1;
	}
	if (fd >= 0 && fd < FDS && fd_path[fd][0])
		find_file(fd_path[fd], true)->synced = size_of(fd_path[fd]);
	else
		clear_journal();
	return 0;
}

int __wrap_fdatasync(int fd)
{
	if (fd >= 0 && fd < FDS && fd_path[fd][0])
		find_file(fd_path[fd], true)->synced = size_of(fd_path[fd]);
	return 0;
}

int __wrap_rename(const char *from, const char *to)
{
	struct file *f = find_file(from, true), *t = find_file(to, true);
	struct entry *e;

	if (sim.device.dead || sim.disk == SIM_DISK_READ_ONLY || sim.disk == SIM_DISK_BROKEN) {
		errno = trouble();
		return -1;
	}
	e = note(RENAMED, to);
	if (e->was)
		e->bytes = save(to, 0, &e->size);
	snprintf(e->from, sizeof(e->from), "%s", from);
	e->moved = save(from, 0, &e->moved_size);
	t->synced = f->synced;
	f->path[0] = 0;
	return __real_rename(from, to);
}

int __wrap_unlink(const char *path)
{
	struct file *f = find_file(path, false);
	struct entry *e;

	if (sim.device.dead || sim.disk == SIM_DISK_READ_ONLY || sim.disk == SIM_DISK_BROKEN) {
		errno = trouble();
		return -1;
	}
	if (access(path, F_OK))
		return __real_unlink(path);
	e = note(REMOVED, path);
	e->bytes = save(path, 0, &e->size);
	if (f)
		f->path[0] = 0;
	return __real_unlink(path);
}

int __wrap_truncate(const char *path, off_t size)
{
	struct file *f = find_file(path, true);
	struct entry *e;

	if (sim.device.dead || sim.disk == SIM_DISK_READ_ONLY || sim.disk == SIM_DISK_BROKEN) {
		errno = trouble();
		return -1;
	}
	e = note(CUT, path);
	e->at = (uint64_t)size;
	e->bytes = save(path, e->at, &e->size);
	if (f->synced > (uint64_t)size)
		f->synced = (uint64_t)size;
	return __real_truncate(path, size);
}
