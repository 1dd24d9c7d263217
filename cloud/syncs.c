// SPDX-License-Identifier: MIT
/*
 * syncs.c - two ways to make many files durable at once, used by the writer's thread alone.
 *
 * syncfs: all that is dirty in the file system, by one call. Of many small files it is by far the
 * cheaper way (50 files of 20 kB: a quarter of the time, a tenth of the CPU), as the kernel writes
 * them in one go and commits its journal once; but it also waits for what others have written
 * there. It reports each failure to write back since the descriptor was opened, of whatever file;
 * that descriptor is opened first of all and kept, so no failure of ours can come before it.
 *
 * Side by side: on a ring of its own all requests are submitted, then all answers awaited; the
 * kernel's workers call fsync, and the journal and the disk make one flush of many. A few at a time
 * are bounded by RING.
 *
 * Whichever has taken less time lately is used; the other is forgiven little by little, and tried
 * again.
 */
#include <errno.h>
#include <fcntl.h>
#include <liburing.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "cloud/syncs.h"

#define WHOLE_MIN 8    /* entries; fewer are synced side by side in any case */
#define FORGIVE	  64   /* the way not taken gets cheaper by one part of so many, each time */
#define RING	  256  /* asked for at once */
#define WORKERS	  64   /* of the kernel, that sync side by side */
#define DIR_MAX	  4096 /* waiting; more are synced one by one */

struct entry {
	int fd, err;
	int *result; /* NULL: a directory */
	dev_t dev;   /* of a directory */
	ino_t ino;
};

struct sluice_syncs {
	struct io_uring ring;
	bool has_ring;
	struct entry *entry;
	size_t count, room, directories;
	int whole;	   /* something in the file system that all of it is in; -1: none */
	dev_t dev;	   /* of that */
	uint64_t whole_ns; /* what syncfs has taken lately */
	uint64_t each_ns;  /* what a file has taken, side by side */
};

struct sluice_syncs *sluice_syncs_open(const char *directory)
{
	struct sluice_syncs *s = calloc(1, sizeof(*s));
	struct stat st;

	if (!s)
		return NULL;
	s->whole = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (s->whole >= 0 && !fstat(s->whole, &st))
		s->dev = st.st_dev;
	s->has_ring = !io_uring_queue_init(RING, &s->ring, 0);
	if (s->has_ring) /* else four for each core */
		io_uring_register_iowq_max_workers(&s->ring, (unsigned int[]){ WORKERS, WORKERS });
	return s;
}

void sluice_syncs_close(struct sluice_syncs *s)
{
	size_t i;

	if (!s)
		return;
	for (i = 0; i < s->count; i++)
		if (!s->entry[i].result)
			close(s->entry[i].fd);
	if (s->has_ring)
		io_uring_queue_exit(&s->ring);
	if (s->whole >= 0)
		close(s->whole);
	free(s->entry);
	free(s);
}

static int add_entry(struct sluice_syncs *s, int fd, int *result)
{
	if (s->count == s->room) {
		size_t room = s->room ? 2 * s->room : 64;
		struct entry *more = realloc(s->entry, room * sizeof(*more));

		if (!more)
			return -ENOMEM;
		s->entry = more;
		s->room = room;
	}
	s->entry[s->count++] = (struct entry){ .fd = fd, .result = result };
	return 0;
}

int sluice_syncs_file(struct sluice_syncs *s, int fd, int *result)
{
	return add_entry(s, fd, result);
}

/* Many cameras that are new at once have their names in the same directory. */
static bool has_directory(const struct sluice_syncs *s, const struct stat *st)
{
	size_t i;

	for (i = 0; i < s->count; i++)
		if (!s->entry[i].result && s->entry[i].ino == st->st_ino &&
		    s->entry[i].dev == st->st_dev)
			return true;
	return false;
}

int sluice_syncs_directory(struct sluice_syncs *s, int fd)
{
	struct stat st = { 0 };
	int err = 0;

	if (!fstat(fd, &st) && has_directory(s, &st)) {
		close(fd);
		return 0;
	}
	if (s->directories < DIR_MAX && !add_entry(s, fd, NULL)) {
		s->entry[s->count - 1].dev = st.st_dev;
		s->entry[s->count - 1].ino = st.st_ino;
		s->directories++;
		return 0;
	}
	if (fsync(fd) < 0)
		err = -errno;
	close(fd);
	return err;
}

static int sync_one(const struct entry *e)
{
	return (e->result ? fdatasync(e->fd) : fsync(e->fd)) < 0 ? -errno : 0;
}

/* Entries from..to, at most RING of them, side by side. */
static void sync_batch(struct sluice_syncs *s, size_t from, size_t to)
{
	size_t i, asked = 0;

	for (i = from; i < to; i++) {
		struct io_uring_sqe *sqe = io_uring_get_sqe(&s->ring);

		s->entry[i].err = -EINPROGRESS;
		if (!sqe)
			break;
		io_uring_prep_fsync(sqe, s->entry[i].fd,
				    s->entry[i].result ? IORING_FSYNC_DATASYNC : 0);
		io_uring_sqe_set_data64(sqe, i);
	}
	for (asked = i - from; asked;) {
		struct io_uring_cqe *cqe;
		int err = io_uring_submit_and_wait(&s->ring, 1);

		if (err < 0 && err != -EINTR && err != -EAGAIN && err != -EBUSY)
			break;
		while (asked && !io_uring_peek_cqe(&s->ring, &cqe)) {
			s->entry[io_uring_cqe_get_data64(cqe)].err = cqe->res;
			io_uring_cqe_seen(&s->ring, cqe);
			asked--;
		}
	}
	if (asked) { /* the ring has failed; it is not used again */
		io_uring_queue_exit(&s->ring);
		s->has_ring = false;
	}
	for (i = from; i < to; i++)
		if (s->entry[i].err == -EINPROGRESS || s->entry[i].err == -EINTR)
			s->entry[i].err = sync_one(&s->entry[i]);
}

/* Files are told and forgotten, directories that are durable are closed. */
static void sweep(struct sluice_syncs *s)
{
	size_t i, kept = 0;

	for (i = 0; i < s->count; i++) {
		struct entry *e = &s->entry[i];

		if (e->result) {
			*e->result = e->err;
		} else if (e->err) {
			s->entry[kept++] = *e;
		} else {
			close(e->fd);
			s->directories--;
		}
	}
	s->count = kept;
}

static uint64_t clock_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

/* A tenant's directory may be another file system, mounted there. */
static bool in_whole(const struct sluice_syncs *s, const struct entry *e)
{
	struct stat st;

	return !fstat(e->fd, &st) && st.st_dev == s->dev;
}

static bool may_sync_whole(const struct sluice_syncs *s)
{
	size_t i;

	if (s->whole < 0 || s->count < WHOLE_MIN || s->whole_ns > s->each_ns * s->count)
		return false;
	for (i = 0; i < s->count; i++)
		if (!in_whole(s, &s->entry[i]))
			return false;
	return true;
}

static void sync_whole(struct sluice_syncs *s)
{
	uint64_t begin = clock_ns();
	int err = syncfs(s->whole) < 0 ? -errno : 0;
	size_t i;

	for (i = 0; i < s->count; i++)
		s->entry[i].err = err;
	s->whole_ns = (s->whole_ns + clock_ns() - begin) / 2;
	s->each_ns -= s->each_ns / FORGIVE;
}

static void sync_each(struct sluice_syncs *s)
{
	uint64_t begin = clock_ns();
	size_t i, n;

	for (i = 0; i < s->count; i += n) {
		n = s->count - i < RING ? s->count - i : RING;
		if (s->has_ring && n > 1) {
			sync_batch(s, i, i + n);
		} else {
			n = 1;
			s->entry[i].err = sync_one(&s->entry[i]);
		}
	}
	if (s->count >= WHOLE_MIN) {
		s->each_ns = (s->each_ns + (clock_ns() - begin) / s->count) / 2;
		s->whole_ns -= s->whole_ns / FORGIVE;
	}
}

int sluice_syncs_run(struct sluice_syncs *s)
{
	size_t i;
	int err = 0;

	if (may_sync_whole(s))
		sync_whole(s);
	else
		sync_each(s);
	for (i = 0; i < s->count && !err; i++)
		err = s->entry[i].err;
	sweep(s);
	return err;
}

void sluice_syncs_drop(struct sluice_syncs *s)
{
	size_t i, kept = 0;

	for (i = 0; i < s->count; i++)
		if (!s->entry[i].result)
			s->entry[kept++] = s->entry[i];
	s->count = kept;
}
