// SPDX-License-Identifier: MIT
/*
 * backup.c - see backup.h.
 *
 * First the data bases, by SQLite's online backup: the index says from then on which files belong
 * to the copy, and how much of a segment that is still written to. Those files are complete before
 * the index names them, and the retention waits while we hold backup.lock, so all of them are
 * there. Then segments, summaries' files, keys and certificates, each under a name of its own until
 * it is whole and synced. The manifest comes last (backup_manifest.c): a copy with a manifest is a
 * whole copy, the last one if this run is broken off, and a broken run is gone on with.
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
#include <search.h>
#include <sqlite3.h>

#include "cloud/backup_state.h"
#include "cloud/index.h"
#include "cloud/media.h"
#include "cloud/mediaconf.h"
#include "cloud/sqlite.h"
#include "cloud/walk.h"

#define PAGES 256

struct backup {
	const struct sluice_backup_config *c;
	struct sluice_backed_up *out;
	struct sluice_index *ix; /* of the copy */
	int elsewhere;		 /* segments and summaries' files are in a bucket, and not copied */
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

/* ---- files ---- */

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

	if (sluice_backup_stopped(b->c))
		return -ECANCELED;
	snprintf(line.path, sizeof(line.path), "%s", path);
	snprintf(full, sizeof(full), "%s/%s", b->c->to, path);
	known = tfind(&line, &b->old, by_path);
	if (!changes && known && !stat(full, &st) && (uint64_t)st.st_size == (*known)->size &&
	    (*known)->size == limit) {
		snprintf(full, sizeof(full), "%s/%s" BACKUP_NEXT, b->c->to, path);
		unlink(full); /* of a run that was broken off */
		return note(b, *known);
	}
	/* of a run that was broken off: whole, as it has its name */
	if (!changes && !known && !stat(full, &st) && (uint64_t)st.st_size == limit) {
		err = sluice_backup_hash(b->c, b->c->to, "", &line);
		return err ? err : note(b, &line);
	}
	if (b->c->link && !changes)
		err = sluice_backup_link(b->c, &line);
	b->out->linked += !err;
	if (err) {
		/* the last copy stays whole until this one is */
		err = sluice_backup_copy(b->c, limit, known ? BACKUP_NEXT : "", &line);
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
		if (sluice_backup_stopped(b->c)) {
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

/* SQLite's own files beside one, of a run that was broken off. */
static void forget_logs(const char *data_base)
{
	static const char *const end[] = { "-journal", "-wal", "-shm" };
	char path[4450];
	size_t i;

	for (i = 0; i < 3; i++) {
		snprintf(path, sizeof(path), "%s%s", data_base, end[i]);
		unlink(path);
	}
}

/* Into to/NAME.next, whole or not at all. */
static int copy_data_base(struct backup *b, const char *name)
{
	char src[4400], dst[4400], part[4420];
	sqlite3 *from = NULL, *to = NULL;
	int fd, err;

	snprintf(src, sizeof(src), "%s/%s", b->c->from, name);
	snprintf(dst, sizeof(dst), "%s/%s" BACKUP_NEXT, b->c->to, name);
	snprintf(part, sizeof(part), "%s/%s.part", b->c->to, name);
	unlink(part);
	forget_logs(part);
	forget_logs(dst);
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
	return err ? err : sluice_backup_sync(dst);
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

	b->files_of += !b->elsewhere && (s->closed != 1 || s->size > 0);
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
	if (b->elsewhere)
		return 0;
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
	char path[256], place[SLUICE_MEDIA_PLACE];
	size_t i;
	int err;

	sluice_media_place(place, s->id, s->token);
	snprintf(path, sizeof(path), "media/%s/%s/%s/summary.json", c->tenant, c->hex, place);
	err = add_file(b, path, 0);
	snprintf(path, sizeof(path), "media/%s/%s/%s/" SLUICE_MEDIA_PIN, c->tenant, c->hex, place);
	if (!err)
		err = add_file(b, path, 1);
	if (err == -ENOENT)
		err = 0;
	for (i = 0; i < s->media_count && !err; i++) {
		snprintf(path, sizeof(path), "media/%s/%s/%s/%s", c->tenant, c->hex, place,
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
		err = sluice_backup_hash(b->c, b->c->to, BACKUP_NEXT, &line);
		if (!err)
			err = note(b, &line);
	}
	return err;
}

/* ---- the manifest ---- */

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
	if (fflush(b->manifest) || fsync(fileno(b->manifest)) < 0)
		return -errno;
	return sluice_backup_commit(b->c->to);
}

/* ---- */

/* Ours, or empty, or not there. */
static int ready_target(const char *to)
{
	static const char *const end[] = { "", ".part", BACKUP_NEXT };
	char path[4400];
	size_t i;

	if (mkdir(to, 0700) == 0)
		return 0;
	if (errno != EEXIST)
		return -errno;
	for (i = 0; i < 3; i++) {
		snprintf(path, sizeof(path), "%s/%s%s", to, SLUICE_BACKUP_MANIFEST, end[i]);
		if (!access(path, F_OK))
			return sluice_backup_settle(to);
	}
	return rmdir(to) < 0 || mkdir(to, 0700) < 0 ? -errno : 0;
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
	err = sluice_backup_each(b->c->to, "", take_old, b);
	if (err == -ENOENT)
		err = 0;
	if (!err)
		err = sluice_each_name(b->c->from, ".", is_data_base, take_data_base, b);
	snprintf(path, sizeof(path), "%s/index.db" BACKUP_NEXT, b->c->to);
	if (!err)
		err = sluice_index_sqlite_open(path, &b->ix);
	if (!err)
		err = add_all(b);
	if (!err)
		err = finish_manifest(b);
	fclose(b->manifest);
	if (!err)
		err = sluice_backup_settle(b->c->to);
	if (!err) {
		pruning = b;
		twalk(b->old, prune);
	}
	return err;
}

int sluice_backup(const struct sluice_backup_config *c, struct sluice_backed_up *out)
{
	struct backup b = { .c = c, .out = out };
	int lock = take_lock(c->from), err;

	memset(out, 0, sizeof(*out));
	b.elsewhere = out->elsewhere = sluice_mediaconf_elsewhere(c->from);
	if (lock < 0)
		return lock;
	err = ready_target(c->to);
	if (!err)
		err = make_copy(&b);
	sluice_index_close(b.ix);
	tdestroy(b.old, free);
	tdestroy(b.now, free);
	close(lock);
	return err == -EEXIST ? -ENOTEMPTY : err;
}
