// SPDX-License-Identifier: MIT
/* restore.c - a backup read again: every file against its hash, or copied into a new directory. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cloud/backup_state.h"

struct reading {
	const struct sluice_backup_config *c;
	struct sluice_backed_up *out;
	uint64_t files_of;
	int copy;
};

static int count_line(void *ctx, const struct sluice_backup_line *l)
{
	(void)l;
	((struct reading *)ctx)->files_of++;
	return 0;
}

static int read_line(void *ctx, const struct sluice_backup_line *l)
{
	struct reading *r = ctx;
	struct sluice_backed_up *out = r->out;
	struct sluice_backup_line found = *l;
	int err = r->copy ? sluice_backup_copy(r->c, UINT64_MAX, "", &found)
			  : sluice_backup_hash(r->c, r->c->from, "", &found);

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
	if (r->c->progress)
		r->c->progress(r->c->ctx, out->files, r->files_of, out->bytes);
	return 0;
}

static int read_copy(const struct sluice_backup_config *c, int copy, struct sluice_backed_up *out)
{
	struct reading r = { .c = c, .out = out, .copy = copy };
	int err;

	memset(out, 0, sizeof(*out));
	err = sluice_backup_settle(c->from);
	if (!err)
		err = sluice_backup_each(c->from, "", count_line, &r);
	return err ? err : sluice_backup_each(c->from, "", read_line, &r);
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
