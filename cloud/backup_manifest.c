// SPDX-License-Identifier: MIT
/*
 * backup_manifest.c - the list of a copy's files, which may come from anywhere.
 *
 * A manifest is written as .part, and becomes .next when it and everything it names is durable:
 * that one rename decides. Before it the files of the last copy are untouched; what differs lies
 * beside them under BACKUP_NEXT. After it those take their places, and the manifest last.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cloud/backup_state.h"
#include "cloud/camera.h"

/* Below the directory: no empty part, none that begins with a dot. */
static int path_ok(const char *path)
{
	const char *p = path;

	if (!*path || strlen(path) >= sizeof(((struct sluice_backup_line *)0)->path))
		return 0;
	for (;;) {
		if (*p == '.' || *p == '/' || !*p)
			return 0;
		p = strchr(p, '/');
		if (!p)
			return 1;
		p++;
	}
}

int sluice_backup_line(const char *text, struct sluice_backup_line *out)
{
	char hex[65], *end;
	const char *digits;

	if (strlen(text) < 67 || text[64] != ' ')
		return -EINVAL;
	memcpy(hex, text, 64);
	hex[64] = 0;
	digits = text + 65;
	if (sluice_unhex(hex, out->sha256, sizeof(out->sha256)) || *digits < '0' || *digits > '9')
		return -EINVAL;
	errno = 0;
	out->size = strtoull(digits, &end, 10);
	if (errno || *end != ' ' || out->size > INT64_MAX || !path_ok(end + 1))
		return -EINVAL;
	snprintf(out->path, sizeof(out->path), "%s", end + 1);
	return 0;
}

int sluice_backup_each(const char *dir, const char *suffix,
		       int (*fn)(void *ctx, const struct sluice_backup_line *l), void *ctx)
{
	struct sluice_backup_line line;
	char path[4400], text[512];
	int err = 0;
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s%s", dir, SLUICE_BACKUP_MANIFEST, suffix);
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

/* dir/path + from becomes dir/path + to. */
static int move(const char *dir, const char *path, const char *from, const char *to)
{
	char old[4400], new[4400];

	snprintf(old, sizeof(old), "%s/%s%s", dir, path, from);
	snprintf(new, sizeof(new), "%s/%s%s", dir, path, to);
	return rename(old, new) < 0 ? -errno : sluice_backup_sync(new);
}

static int settle_file(void *ctx, const struct sluice_backup_line *l)
{
	int err = move(ctx, l->path, BACKUP_NEXT, "");

	return err == -ENOENT ? 0 : err;
}

int sluice_backup_commit(const char *dir)
{
	return move(dir, SLUICE_BACKUP_MANIFEST, ".part", BACKUP_NEXT);
}

int sluice_backup_settle(const char *dir)
{
	char root[4096];
	int err;

	snprintf(root, sizeof(root), "%s", dir);
	err = sluice_backup_each(dir, BACKUP_NEXT, settle_file, root);
	if (err == -ENOENT)
		return 0;
	return err ? err : move(dir, SLUICE_BACKUP_MANIFEST, BACKUP_NEXT, "");
}
