// SPDX-License-Identifier: MIT
/*
 * backup.c - see backup.h.
 *
 * First the data bases, by SQLite's online backup: the index says from then on which files belong
 * to the copy, and how much of a segment that is still written to. Those files are complete before
 * the index names them, and the retention waits while we hold backup.lock, so all of them are
 * there. Then segments, summaries' files, keys and certificates, each under a name of its own until
 * it is whole and synced. The manifest comes last, renamed over the old one: a copy with a manifest
 * is a whole copy, and one that was broken off is gone on with.
 *
 * A closed segment and a summary's file never change, so a file of the same size that is in the
 * last manifest is taken as it is; `backup --verify` reads all.
 */
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>
#include <openssl/evp.h>
#include <search.h>
#include <sqlite3.h>

#include "cloud/backup.h"
#include "cloud/index.h"
#include "cloud/media.h"
#include "cloud/sqlite.h"
#include "cloud/walk.h"

#define PAGES 256

struct backup {
	const struct sluice_backup_config *c;
	struct sluice_backed_up *out;
	struct sluice_index *ix; /* of the copy */
	FILE *manifest;
	void *old,
		*now; /* trees of struct sluice_backup_line by path: the last manifest, this one */
	uint64_t files_of;
	char data_base[16][64];
	size_t data_bases;
};

static int by_path(const void *a, const void *b)
{
	return strcmp(((const struct sluice_backup_line *)a)->path,
		      ((const struct sluice_backup_line *)b)->path);
}

static int is_stopped(const struct backup *b)
{
	return b->c->stopping && b->c->stopping(b->c->ctx);
}

/* ---- files ---- */

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
static int copy_bytes(const struct backup *b, int in, int out, uint64_t limit,
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
		EVP_DigestUpdate(ctx, buf, (size_t)n);
		line->size += (uint64_t)n;
		if (out >= 0 && write(out, buf, (size_t)n) != n)
			err = errno ? -errno : -ENOSPC;
		if (is_stopped(b))
			err = -ECANCELED;
	}
	if (!err)
		EVP_DigestFinal(ctx, line->sha256, NULL);
	EVP_MD_CTX_free(ctx);
	return err;
}

static int sync_dir_of(const char *full)
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

/* from/path to to/path, whole or not at all. line->path is the path; the rest is filled. */
static int copy_file(const struct backup *b, uint64_t limit, struct sluice_backup_line *line)
{
	char src[4400], dst[4400], part[4420];
	int in, out, err;

	snprintf(src, sizeof(src), "%s/%s", b->c->from, line->path);
	snprintf(dst, sizeof(dst), "%s/%s", b->c->to, line->path);
	snprintf(part, sizeof(part), "%s.part", dst);
	err = make_parents(b->c->to, line->path);
	if (err)
		return err;
	in = open(src, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	if (in < 0)
		return -errno;
	out = open(part, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600);
	err = out < 0 ? -errno : copy_bytes(b, in, out, limit, line);
	if (!err && fsync(out) < 0)
		err = -errno;
	close(in);
	if (out >= 0)
		close(out);
	if (!err && rename(part, dst) < 0)
		err = -errno;
	return err ? err : sync_dir_of(dst);
}

static int hash_file(const struct backup *b, const char *dir, struct sluice_backup_line *line)
{
	char full[4400];
	int in, err;

	snprintf(full, sizeof(full), "%s/%s", dir, line->path);
	in = open(full, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	if (in < 0)
		return -errno;
	err = copy_bytes(b, in, -1, UINT64_MAX, line);
	close(in);
	return err;
}

static int link_file(const struct backup *b, struct sluice_backup_line *line)
{
	char src[4400], dst[4400];
	int err = make_parents(b->c->to, line->path);

	snprintf(src, sizeof(src), "%s/%s", b->c->from, line->path);
	snprintf(dst, sizeof(dst), "%s/%s", b->c->to, line->path);
	if (!err && link(src, dst) < 0)
		err = -errno;
	return err ? err : hash_file(b, b->c->to, line);
}

static int note(struct backup *b, const struct sluice_backup_line *line)
{
	struct sluice_backup_line *copy = malloc(sizeof(*copy));
	char hex[65];

	if (!copy)
		return -ENOMEM;
	*copy = *line;
	if (!tsearch(copy, &b->now, by_path)) {
		free(copy);
		return -ENOMEM;
	}
	sluice_hex(line->sha256, 32, hex);
	b->out->files++;
	b->out->bytes += line->size;
	if (b->c->progress)
		b->c->progress(b->c->ctx, b->out->files, b->files_of, b->out->bytes);
	return fprintf(b->manifest, "%s %llu %s\n", hex, (unsigned long long)line->size,
		       line->path) < 0
		       ? -EIO
		       : 0;
}

/* A file that will never change: what was copied before is there. */
static int add_constant(struct backup *b, const char *path, uint64_t limit, int changes)
{
	struct sluice_backup_line line = { 0 }, **known;
	char full[4400];
	struct stat st;
	int err = -EXDEV;

	if (is_stopped(b))
		return -ECANCELED;
	snprintf(line.path, sizeof(line.path), "%s", path);
	snprintf(full, sizeof(full), "%s/%s", b->c->to, path);
	known = tfind(&line, &b->old, by_path);
	if (!changes && known && !stat(full, &st) && (uint64_t)st.st_size == (*known)->size &&
	    (*known)->size == limit)
		return note(b, *known);
	/* of a run that was broken off: whole, as it has its name */
	if (!changes && !known && !stat(full, &st) && (uint64_t)st.st_size == limit) {
		err = hash_file(b, b->c->to, &line);
		return err ? err : note(b, &line);
	}
	if (b->c->link && !changes)
		err = link_file(b, &line);
	b->out->linked += !err;
	if (err) {
		err = copy_file(b, limit, &line);
		b->out->copied += !err;
	}
	if (err && !b->out->bad[0])
		snprintf(b->out->bad, sizeof(b->out->bad), "%s", path);
	return err ? err : note(b, &line);
}

/* ---- data bases ---- */

static int copy_pages(const struct backup *b, sqlite3 *src, sqlite3 *dst)
{
	sqlite3_backup *k = sqlite3_backup_init(dst, "main", src, "main");
	int rc = SQLITE_OK;

	if (!k)
		return -EIO;
	do {
		if (is_stopped(b)) {
			sqlite3_backup_finish(k);
			return -ECANCELED;
		}
		rc = sqlite3_backup_step(k, PAGES);
		if (rc == SQLITE_BUSY || rc == SQLITE_LOCKED)
			sqlite3_sleep(50);
	} while (rc == SQLITE_OK || rc == SQLITE_BUSY || rc == SQLITE_LOCKED);
	sqlite3_backup_finish(k);
	return rc == SQLITE_DONE ? 0 : sluice_sqlite_errno(rc);
}

/* Into to/NAME, over the last copy: renamed when it is whole. */
static int copy_data_base(struct backup *b, const char *name)
{
	char src[4400], dst[4400], part[4420];
	sqlite3 *from = NULL, *to = NULL;
	int fd, err;

	snprintf(src, sizeof(src), "%s/%s", b->c->from, name);
	snprintf(dst, sizeof(dst), "%s/%s", b->c->to, name);
	snprintf(part, sizeof(part), "%s.part", dst);
	unlink(part);
	fd = open(part, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd < 0)
		return -errno;
	close(fd);
	err = sqlite3_open_v2(src, &from, SQLITE_OPEN_READWRITE, NULL) ||
			      sqlite3_open_v2(part, &to, SQLITE_OPEN_READWRITE, NULL)
		      ? -EACCES
		      : 0;
	if (!err) {
		sqlite3_busy_timeout(from, 5000);
		err = copy_pages(b, from, to);
	}
	/* one file, without a log beside it */
	if (!err && sqlite3_exec(to, "PRAGMA journal_mode = DELETE", NULL, NULL, NULL))
		err = -EIO;
	sqlite3_close(from);
	sqlite3_close(to);
	if (!err && rename(part, dst) < 0)
		err = -errno;
	if (err)
		snprintf(b->out->bad, sizeof(b->out->bad), "%s", name);
	return err ? err : sync_dir_of(dst);
}

static int is_data_base(const struct dirent *d)
{
	size_t n = strlen(d->d_name);

	return n > 3 && d->d_name[0] != '.' && !strcmp(d->d_name + n - 3, ".db");
}

static int take_data_base(void *ctx, const char *path, const char *name)
{
	struct backup *b = ctx;
	int err = copy_data_base(b, name);

	(void)path;
	if (!err && b->data_bases < 16 && strlen(name) < sizeof(b->data_base[0]))
		snprintf(b->data_base[b->data_bases++], sizeof(b->data_base[0]), "%s", name);
	return err;
}

/* ---- what the index names ---- */

static int count_segment(void *ctx, const struct sluice_index_segment *s)
{
	struct backup *b = ctx;

	b->files_of += s->closed != 1 || s->size > 0;
	return 0;
}

static int count_summary(void *ctx, const struct sluice_camera *c,
			 const struct sluice_index_summary *s)
{
	struct backup *b = ctx;

	(void)c;
	b->files_of += s->media_count + 1;
	return 0;
}

static int add_segment(void *ctx, const struct sluice_index_segment *s)
{
	struct backup *b = ctx;
	struct stat st;
	char full[4400];

	snprintf(full, sizeof(full), "%s/%s", b->c->from, s->path);
	if (stat(full, &st) < 0) {
		if (errno != ENOENT || (s->closed == 1 && s->size))
			return -errno;
		return 0; /* begun, and nothing was ever in it */
	}
	if (s->closed == 1)
		return add_constant(b, s->path, s->size ? s->size : (uint64_t)st.st_size, 0);
	/* what is behind the last record that the index names is cut off at the next start */
	return add_constant(b, s->path, (uint64_t)st.st_size, 1);
}

static int add_file(struct backup *b, const char *path, int changes)
{
	char full[4400];
	struct stat st;

	snprintf(full, sizeof(full), "%s/%s", b->c->from, path);
	if (stat(full, &st) < 0)
		return -errno;
	return S_ISREG(st.st_mode) ? add_constant(b, path, (uint64_t)st.st_size, changes) : 0;
}

static int add_summary(void *ctx, const struct sluice_camera *c,
		       const struct sluice_index_summary *s)
{
	struct backup *b = ctx;
	char path[256];
	size_t i;
	int err;

	snprintf(path, sizeof(path), "media/%s/%s/%s/summary.json", c->tenant, c->hex, s->id);
	err = add_file(b, path, 0);
	snprintf(path, sizeof(path), "media/%s/%s/%s/" SLUICE_MEDIA_PIN, c->tenant, c->hex, s->id);
	if (!err)
		err = add_file(b, path, 1);
	if (err == -ENOENT)
		err = 0;
	for (i = 0; i < s->media_count && !err; i++) {
		snprintf(path, sizeof(path), "media/%s/%s/%s/%s", c->tenant, c->hex, s->id,
			 s->media[i].name);
		err = add_file(b, path, 0);
	}
	return err == -ENOENT ? 0 : err; /* lost before: fsck of either tells */
}

/* Keys, certificates and what else lies beside them. */
static int add_small(void *ctx, const char *path, const char *name)
{
	(void)path;
	if (strstr(name, ".db") || !strcmp(name, "lock") || !strcmp(name, SLUICE_BACKUP_LOCK))
		return 0;
	return add_file(ctx, name, 1);
}

static int is_whole(const struct dirent *d)
{
	const char *end = strrchr(d->d_name, '.');

	return sluice_is_entry(d) && end && strcmp(end, ".part") != 0;
}

/* What killed children: written whole, and never again. */
static int add_quarantined(void *ctx, const char *path, const char *name)
{
	char below[256];
	int err;

	snprintf(below, sizeof(below), "%s/%s", path, name);
	err = add_file(ctx, below, 0);
	return err == -ENOENT ? 0 : err; /* let out meanwhile */
}

static int add_all(struct backup *b)
{
	struct sluice_backup_line line = { 0 };
	const struct sluice_index_ops *ops = b->ix->ops;
	int err = ops->segments(b->ix, count_segment, b);
	size_t i;

	if (!err)
		err = ops->summaries_all(b->ix, count_summary, b);
	if (!err)
		err = ops->segments(b->ix, add_segment, b);
	if (!err)
		err = ops->summaries_all(b->ix, add_summary, b);
	if (!err)
		err = sluice_each_name(b->c->from, ".", sluice_is_entry, add_small, b);
	if (!err)
		err = sluice_each_name(b->c->from, "quarantine", is_whole, add_quarantined, b);
	sluice_index_close(b->ix);
	b->ix = NULL;
	for (i = 0; i < b->data_bases && !err; i++) {
		snprintf(line.path, sizeof(line.path), "%s", b->data_base[i]);
		err = hash_file(b, b->c->to, &line);
		if (!err)
			err = note(b, &line);
	}
	return err;
}

/* ---- the manifest ---- */

/* fn for each line. -EUCLEAN: a line that is none. */
static int each_line(const char *dir, int (*fn)(void *ctx, const struct sluice_backup_line *l),
		     void *ctx)
{
	struct sluice_backup_line line;
	char path[4400], text[512];
	int err = 0;
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s", dir, SLUICE_BACKUP_MANIFEST);
	f = fopen(path, "re");
	if (!f)
		return -errno;
	while (!err && fgets(text, sizeof(text), f)) {
		text[strcspn(text, "\n")] = 0;
		err = sluice_backup_line(text, &line) ? -EUCLEAN : fn(ctx, &line);
	}
	if (!err && ferror(f))
		err = -EIO;
	fclose(f);
	return err;
}

static int take_old(void *ctx, const struct sluice_backup_line *l)
{
	struct backup *b = ctx;
	struct sluice_backup_line *copy = malloc(sizeof(*copy));

	if (!copy)
		return -ENOMEM;
	*copy = *l;
	if (!tsearch(copy, &b->old, by_path)) {
		free(copy);
		return -ENOMEM;
	}
	return 0;
}

/* What is no more in the copy goes. */
static struct backup *pruning;

static void prune(const void *node, VISIT which, int depth)
{
	const struct sluice_backup_line *l = *(struct sluice_backup_line *const *)node;
	char full[4400];

	(void)depth;
	if (which != postorder && which != leaf)
		return;
	if (tfind(l, &pruning->now, by_path))
		return;
	snprintf(full, sizeof(full), "%s/%s", pruning->c->to, l->path);
	pruning->out->removed += !unlink(full);
}

static int finish_manifest(struct backup *b)
{
	char part[4400], path[4400];
	int err = 0;

	if (fflush(b->manifest) || fsync(fileno(b->manifest)) < 0)
		err = -errno;
	snprintf(part, sizeof(part), "%s/%s.part", b->c->to, SLUICE_BACKUP_MANIFEST);
	snprintf(path, sizeof(path), "%s/%s", b->c->to, SLUICE_BACKUP_MANIFEST);
	if (!err && rename(part, path) < 0)
		err = -errno;
	return err ? err : sync_dir_of(path);
}

/* ---- */

/* Ours, or empty, or not there. */
static int ready_target(const char *to)
{
	char path[4400];
	int err = 0;

	if (mkdir(to, 0700) == 0)
		return 0;
	if (errno != EEXIST)
		return -errno;
	snprintf(path, sizeof(path), "%s/%s", to, SLUICE_BACKUP_MANIFEST);
	if (!access(path, F_OK))
		return 0;
	snprintf(path, sizeof(path), "%s/%s.part", to, SLUICE_BACKUP_MANIFEST);
	if (!access(path, F_OK))
		return 0;
	return rmdir(to) < 0 ? -errno : mkdir(to, 0700) < 0 ? -errno : err;
}

static int take_lock(const char *data)
{
	char path[4400];
	int fd;

	snprintf(path, sizeof(path), "%s/%s", data, SLUICE_BACKUP_LOCK);
	fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (fd < 0)
		return -errno;
	if (flock(fd, LOCK_EX | LOCK_NB) < 0) {
		close(fd);
		return -EBUSY;
	}
	return fd;
}

static int make_copy(struct backup *b)
{
	char path[4400];
	int err;

	snprintf(path, sizeof(path), "%s/%s.part", b->c->to, SLUICE_BACKUP_MANIFEST);
	b->manifest = fopen(path, "we");
	if (!b->manifest)
		return -errno;
	err = each_line(b->c->to, take_old, b);
	if (err == -ENOENT)
		err = 0;
	if (!err)
		err = sluice_each_name(b->c->from, ".", is_data_base, take_data_base, b);
	snprintf(path, sizeof(path), "%s/index.db", b->c->to);
	if (!err)
		err = sluice_index_sqlite_open(path, &b->ix);
	if (!err)
		err = add_all(b);
	if (!err)
		err = finish_manifest(b);
	fclose(b->manifest);
	if (!err) {
		pruning = b;
		twalk(b->old, prune);
	}
	return err;
}

int sluice_backup(const struct sluice_backup_config *c, struct sluice_backed_up *out)
{
	struct backup b = { .c = c, .out = out };
	int lock, err = ready_target(c->to);

	memset(out, 0, sizeof(*out));
	if (err)
		return err == -EEXIST ? -ENOTEMPTY : err;
	lock = take_lock(c->from);
	if (lock < 0)
		return lock;
	err = make_copy(&b);
	sluice_index_close(b.ix);
	tdestroy(b.old, free);
	tdestroy(b.now, free);
	close(lock);
	return err;
}

struct reading {
	struct backup b;
	int copy;
};

static int count_line(void *ctx, const struct sluice_backup_line *l)
{
	(void)l;
	((struct reading *)ctx)->b.files_of++;
	return 0;
}

static int read_line(void *ctx, const struct sluice_backup_line *l)
{
	struct reading *r = ctx;
	struct sluice_backed_up *out = r->b.out;
	struct sluice_backup_line found = *l;
	int err = r->copy ? copy_file(&r->b, UINT64_MAX, &found)
			  : hash_file(&r->b, r->b.c->from, &found);

	if (!err && (found.size != l->size || memcmp(found.sha256, l->sha256, 32) != 0))
		err = -EUCLEAN;
	if (err == -ENOENT)
		err = -EUCLEAN;
	if (err) {
		snprintf(out->bad, sizeof(out->bad), "%s", l->path);
		return err;
	}
	out->files++;
	out->copied += (uint64_t)r->copy;
	out->bytes += found.size;
	if (r->b.c->progress)
		r->b.c->progress(r->b.c->ctx, out->files, r->b.files_of, out->bytes);
	return 0;
}

static int read_copy(const struct sluice_backup_config *c, int copy, struct sluice_backed_up *out)
{
	struct reading r = { .b = { .c = c, .out = out }, .copy = copy };
	int err;

	memset(out, 0, sizeof(*out));
	err = each_line(c->from, count_line, &r);
	return err ? err : each_line(c->from, read_line, &r);
}

int sluice_backup_verify(const struct sluice_backup_config *c, struct sluice_backed_up *out)
{
	return read_copy(c, 0, out);
}

int sluice_restore(const struct sluice_backup_config *c, struct sluice_backed_up *out)
{
	static const char *const below[] = { "segments", "media" };
	char path[4400];
	size_t i;
	int err;

	memset(out, 0, sizeof(*out));
	if (mkdir(c->to, 0700) < 0 &&
	    (errno != EEXIST || rmdir(c->to) < 0 || mkdir(c->to, 0700) < 0))
		return errno == EEXIST ? -ENOTEMPTY : -errno;
	err = read_copy(c, 1, out);
	for (i = 0; i < 2 && !err; i++) {
		snprintf(path, sizeof(path), "%s/%s", c->to, below[i]);
		if (mkdir(path, 0700) < 0 && errno != EEXIST)
			err = -errno;
	}
	return err;
}
