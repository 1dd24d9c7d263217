// SPDX-License-Identifier: MIT
/*
 * summaries/CAMERA/DATE/.ID.part/ holds, until it is renamed to ID:
 *	.summary	the payload of SUMMARY, to know whether it is the same one when it comes
 *again .progress	file and offset up to which all is durable, with a CRC summary.json and the
 *files, those before .progress whole and of the right SHA-256 .progress is written after the bytes
 *that it tells of were synced, so it may say too little after a crash, never too much. Going on
 *reads the bytes that are there again: the SHA-256 at the end is over what lies on the disk. A file
 *that is not what was announced makes all of it begin anew.
 *
 * The names of the files in .ID.part that are ours begin with a dot, and the cloud's may not.
 */
#include "lib/whole.h"
#include "relay/landing.h"
#include "lib/crc32c.h"
#include "lib/log.h"
#include "relay/tree.h"

#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <time.h>
#include <unistd.h>

#define SAFE_BYTES     (256u << 10) /* .progress is written that often */
#define PROGRESS_MAGIC 0x4750534cu  /* "LSPG" */
#define PART_NAME      40
#define READ_BYTES     (64u << 10)

struct progress {
	uint32_t magic, index;
	uint64_t offset;
	uint32_t reserved, crc; /* of what stands before it */
};

struct relay_landing *relay_landing_new(void)
{
	struct relay_landing *l = calloc(1, sizeof(*l));

	if (l)
		l->day_fd = l->fd = l->file_fd = -1;
	return l;
}

static void close_fd(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

void relay_landing_free(struct relay_landing *l)
{
	if (!l)
		return;
	close_fd(&l->file_fd);
	close_fd(&l->fd);
	close_fd(&l->day_fd);
	EVP_MD_CTX_free(l->sha);
	free(l->payload);
	free(l);
}

static void part_name(const char *id, char out[PART_NAME])
{
	snprintf(out, PART_NAME, ".%.32s.part", id);
}

/* ---- progress ---- */

static int write_progress(struct relay_landing *l)
{
	struct progress p = { .magic = htole32(PROGRESS_MAGIC),
			      .index = htole32(l->index),
			      .offset = htole64(l->have) };
	int fd, err = 0;

	p.crc = htole32(sluice_crc32c(0, &p, offsetof(struct progress, crc)));
	fd = openat(l->fd, ".progress", O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0)
		return -errno;
	if (pwrite(fd, &p, sizeof(p), 0) != sizeof(p) || fdatasync(fd))
		err = errno ? -errno : -EIO;
	close(fd);
	if (!err) {
		l->safe.index = l->index;
		l->safe.offset = l->have;
		l->unsynced = 0;
	}
	return err;
}

/* 0, or -errno: then everything begins at zero. */
static int read_progress(int dir, struct sluice_wire_partial *out)
{
	struct progress p;
	int fd = openat(dir, ".progress", O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	ssize_t n = fd < 0 ? -1 : read(fd, &p, sizeof(p));

	if (fd >= 0)
		close(fd);
	if (n != sizeof(p) || le32toh(p.magic) != PROGRESS_MAGIC || p.reserved ||
	    le32toh(p.crc) != sluice_crc32c(0, &p, offsetof(struct progress, crc)))
		return -EBADMSG;
	out->index = le32toh(p.index);
	out->offset = le64toh(p.offset);
	return 0;
}

/* Sync the open file and say so. */
static int make_safe(struct relay_landing *l)
{
	if (l->file_fd >= 0 && fdatasync(l->file_fd))
		return -errno;
	return write_progress(l);
}

/* ---- begin ---- */

/* Is what lies in .ID.part of this very SUMMARY? */
static bool same_payload(const struct relay_landing *l)
{
	uint32_t size;
	uint8_t *there = relay_file_read(l->fd, ".summary", SLUICE_WIRE_CONTROL_MAX, &size);
	bool same = there && size == l->payload_size && !memcmp(there, l->payload, size);

	free(there);
	return same;
}

/* An empty .ID.part with the two descriptions in it. */
static int begin_anew(struct relay_landing *l)
{
	char part[PART_NAME];
	int err;

	part_name(l->id, part);
	close_fd(&l->file_fd);
	close_fd(&l->fd);
	relay_tree_remove(l->day_fd, part);
	memset(&l->safe, 0, sizeof(l->safe));
	l->index = 0;
	l->have = l->unsynced = 0;
	l->fd = relay_tree_open(l->day_fd, part);
	err = l->fd < 0 ? -errno : 0;
	if (!err)
		err = relay_file_write(l->fd, "summary.json", l->json, l->json_size);
	if (!err)
		err = relay_file_write(l->fd, ".summary", l->payload, l->payload_size);
	return err;
}

static bool too_full(const struct relay_store *s)
{
	struct statvfs v;

	return !fstatvfs(s->fd, &v) && (uint64_t)v.f_bavail * v.f_frsize < s->free_bytes;
}

static int open_day(struct relay_store *s, struct relay_landing *l)
{
	char camera[sizeof(l->day)];
	char *slash;
	struct stat st;
	int fd;

	snprintf(camera, sizeof(camera), "%s", l->day);
	slash = strchr(camera, '/');
	*slash = 0;
	fd = relay_tree_open(s->fd, camera);
	if (fd < 0)
		return -errno;
	l->day_fd = relay_tree_open(fd, slash + 1);
	if (l->day_fd < 0 || fsync(fd)) {
		close(fd);
		return -errno;
	}
	close(fd);
	return fstatat(l->day_fd, l->id, &st, AT_SYMLINK_NOFOLLOW) ? 0 : -EEXIST;
}

static int settle(struct relay_store *s, struct relay_landing *l);

static int fail(struct relay_landing *l, int err)
{
	char part[PART_NAME];

	l->err = err;
	if (err && err != -EEXIST && l->day_fd >= 0) {
		part_name(l->id, part);
		close_fd(&l->file_fd);
		close_fd(&l->fd);
		relay_tree_remove(l->day_fd, part);
		memset(&l->safe, 0, sizeof(l->safe));
	}
	return err;
}

int relay_landing_begin(struct relay_store *s, struct relay_landing *l)
{
	char part[PART_NAME];
	int err = open_day(s, l);

	memset(&l->safe, 0, sizeof(l->safe));
	if (err)
		return fail(l, err);
	if (s->free_bytes && too_full(s)) {
		if (s->make_room)
			s->make_room(s->arg);
		if (too_full(s))
			return fail(l, -ENOSPC);
	}
	part_name(l->id, part);
	l->fd = openat(l->day_fd, part, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	if (l->fd < 0 || !same_payload(l) || read_progress(l->fd, &l->safe) ||
	    l->safe.index >= l->count || l->safe.offset > l->media[l->safe.index].size)
		err = begin_anew(l);
	memcpy(l->safe.id, l->id, sizeof(l->safe.id));
	if (!err && !l->safe.index && !l->safe.offset) {
		l->started = true;
		err = settle(s, l);
	}
	return fail(l, err);
}

/* ---- going on ---- */

/* SHA-256 of the first `size` bytes of an open file into sha. */
static int hash_file(EVP_MD_CTX *sha, int fd, uint64_t size)
{
	uint8_t *buf = malloc(READ_BYTES);
	int err = buf && EVP_DigestInit_ex(sha, EVP_sha256(), NULL) == 1 ? 0 : -ENOMEM;
	uint64_t at = 0;

	while (!err && at < size) {
		size_t want = size - at < READ_BYTES ? (size_t)(size - at) : READ_BYTES;
		ssize_t n = pread(fd, buf, want, (off_t)at);

		if (n <= 0)
			err = n < 0 ? -errno : -EILSEQ;
		else if (EVP_DigestUpdate(sha, buf, (size_t)n) != 1)
			err = -ENOMEM;
		else
			at += (uint64_t)n;
	}
	free(buf);
	return err;
}

static int check_digest(struct relay_landing *l, uint32_t index)
{
	uint8_t digest[EVP_MAX_MD_SIZE];

	if (EVP_DigestFinal_ex(l->sha, digest, NULL) != 1)
		return -ENOMEM;
	return memcmp(digest, l->media[index].sha256, 32) ? -EILSEQ : 0;
}

/* A file that .progress says is whole. */
static int check_whole(struct relay_landing *l, uint32_t index)
{
	int fd = openat(l->fd, l->media[index].name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	struct stat st;
	int err;

	if (fd < 0)
		return -EILSEQ;
	if (fstat(fd, &st) || (uint64_t)st.st_size != l->media[index].size)
		err = -EILSEQ;
	else
		err = hash_file(l->sha, fd, l->media[index].size);
	close(fd);
	return err ? err : check_digest(l, index);
}

/* Open media[index] to go on at offset, with its hash so far. */
static int open_file(struct relay_landing *l, uint64_t offset)
{
	int flags = O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | (offset ? 0 : O_TRUNC);
	int err;

	l->file_fd = openat(l->fd, l->media[l->index].name, flags, 0644);
	if (l->file_fd < 0)
		return -errno;
	err = hash_file(l->sha, l->file_fd, offset);
	if (!err && offset && ftruncate(l->file_fd, (off_t)offset))
		err = -errno;
	if (!err && lseek(l->file_fd, (off_t)offset, SEEK_SET) < 0)
		err = -errno;
	l->have = offset;
	return err;
}

/* The first bytes of this link: from where do they go on? */
static int start_at(struct relay_landing *l, uint32_t index, uint64_t offset)
{
	const struct sluice_wire_partial *safe = &l->safe;
	bool first = !offset;
	int err = 0;

	for (uint32_t i = 0; i < index; i++)
		first = first && !l->media[i].size;
	if (first)
		return begin_anew(l);
	if (index > safe->index || (index == safe->index && offset > safe->offset))
		return -EILSEQ;
	for (uint32_t i = 0; i < index && !err; i++)
		err = check_whole(l, i);
	for (uint32_t i = index + 1; i < l->count; i++)
		unlinkat(l->fd, l->media[i].name, 0);
	l->index = index;
	return err ? err : open_file(l, offset);
}

/* ---- completing ---- */

/* The directories above, from the day's to summaries/. */
static int sync_above(struct relay_store *s, const struct relay_landing *l)
{
	int up = openat(l->day_fd, "..", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int err = fsync(l->day_fd) || up < 0 || fsync(up) || fsync(s->fd) ? -errno : 0;

	if (up >= 0)
		close(up);
	return err;
}

static int complete(struct relay_store *s, struct relay_landing *l)
{
	char part[PART_NAME];
	int err;

	part_name(l->id, part);
	if ((unlinkat(l->fd, ".summary", 0) && errno != ENOENT) ||
	    (unlinkat(l->fd, ".progress", 0) && errno != ENOENT) || fsync(l->fd))
		return -errno;
	err = s->stage ? s->stage(s->arg, l->id, l->day) : 0;
	if (err)
		return err;
	if (renameat(l->day_fd, part, l->day_fd, l->id))
		return -errno;
	l->complete = true;
	memset(&l->safe, 0, sizeof(l->safe));
	return sync_above(s, l);
}

/* Files of no bytes have no PART. When the last file is there, the summary is complete. */
static int settle(struct relay_store *s, struct relay_landing *l)
{
	for (; l->index < l->count && !l->media[l->index].size; l->index++) {
		int err = relay_file_write(l->fd, l->media[l->index].name, NULL, 0);

		if (err)
			return err;
	}
	return l->index == l->count ? complete(s, l) : 0;
}

static int end_file(struct relay_store *s, struct relay_landing *l)
{
	int err = check_digest(l, l->index);

	if (!err && fsync(l->file_fd))
		err = -errno;
	close_fd(&l->file_fd);
	if (err)
		return err;
	l->index++;
	l->have = 0;
	err = settle(s, l);
	return err || l->complete ? err : make_safe(l);
}

static int write_bytes(struct relay_landing *l, const uint8_t *data, size_t size)
{
	if (EVP_DigestUpdate(l->sha, data, size) != 1)
		return -ENOMEM;
	l->have += size;
	l->unsynced += size;
	return sluice_write_whole(l->file_fd, data, size);
}

int relay_landing_part(struct relay_store *s, struct relay_landing *l, uint32_t index,
		       uint64_t offset, const uint8_t *data, size_t size)
{
	int err = 0;

	if (l->err || l->complete)
		return l->err;
	if (index >= l->count || offset > l->media[index].size ||
	    size > l->media[index].size - offset)
		return fail(l, -EILSEQ);
	if (!l->sha)
		l->sha = EVP_MD_CTX_new();
	if (!l->sha)
		return fail(l, -ENOMEM);
	if (!l->started) {
		l->started = true;
		err = start_at(l, index, offset);
		if (!err && l->file_fd < 0)
			err = settle(s, l);
	}
	if (!err && (index != l->index || offset != l->have))
		err = -EILSEQ;
	if (!err && l->file_fd < 0)
		err = open_file(l, 0);
	if (!err)
		err = write_bytes(l, data, size);
	if (!err && l->have == l->media[index].size)
		err = end_file(s, l);
	else if (!err && l->unsynced >= SAFE_BYTES)
		err = make_safe(l);
	return fail(l, err);
}

void relay_landing_leave(struct relay_landing *l)
{
	if (!l->err && !l->complete && l->fd >= 0 && l->started && l->unsynced)
		make_safe(l);
	close_fd(&l->file_fd);
}

/* ---- what is left of earlier runs ---- */

struct scan {
	struct relay_store *store;
	struct sluice_wire_partial *out;
	unsigned int max, count;
};

static void scan_one(void *arg, int day_fd, const char *day, const char *name)
{
	struct scan *s = arg;
	struct sluice_wire_partial p = { .index = 0 };
	struct stat st;
	int64_t age;
	int fd;

	if (strlen(name) != 38 || name[0] != '.' || strcmp(name + 33, ".part"))
		return;
	memcpy(p.id, name + 1, 32);
	if (!sluice_wire_id_ok(p.id))
		return;
	fd = openat(day_fd, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0 || fstat(fd, &st)) {
		close_fd(&fd);
		return;
	}
	age = (int64_t)time(NULL) - st.st_mtim.tv_sec;
	if (fstatat(fd, ".summary", &st, AT_SYMLINK_NOFOLLOW) || read_progress(fd, &p) ||
	    (s->store->partial_s && age > (int64_t)s->store->partial_s)) {
		sluice_debug("summary %s: what was left of it is removed", p.id);
		relay_tree_remove(day_fd, name);
	} else if (s->count < s->max) {
		s->out[s->count++] = p;
	}
	close_fd(&fd);
}

unsigned int relay_landing_scan(struct relay_store *s, struct sluice_wire_partial *out,
				unsigned int max)
{
	struct scan scan = { .store = s, .out = out, .max = max };

	relay_tree_walk(s->fd, scan_one, &scan);
	return scan.count;
}
