/* SPDX-License-Identifier: MIT */
/* backup_state.h - what the makers and the readers of a backup share: files and the manifest. */
#ifndef SLUICE_BACKUP_STATE_H
#define SLUICE_BACKUP_STATE_H

#include "cloud/backup.h"

/* A file that is to take another one's place once the whole copy is there. */
#define BACKUP_NEXT ".next"

int sluice_backup_stopped(const struct sluice_backup_config *c);

/* ---- backup_file.c ---- */

/*
 * from/path to to/path + suffix, limit bytes at most, durable, whole or not at all. line->path is
 * the path; size and hash are filled in.
 */
int sluice_backup_copy(const struct sluice_backup_config *c, uint64_t limit, const char *suffix,
		       struct sluice_backup_line *line);
/* The same by a hard link. -EXDEV, -EEXIST, ...: copy it instead. */
int sluice_backup_link(const struct sluice_backup_config *c, struct sluice_backup_line *line);
/* Size and hash of dir/path + suffix. */
int sluice_backup_hash(const struct sluice_backup_config *c, const char *dir, const char *suffix,
		       struct sluice_backup_line *line);
/* The directory that the file lies in. */
int sluice_backup_sync(const char *full);

/* ---- backup_manifest.c ---- */

/* fn for each line of dir/SLUICE_BACKUP_MANIFEST + suffix. -ENOENT: there is none; -EUCLEAN: a line
 * that is none. */
int sluice_backup_each(const char *dir, const char *suffix,
		       int (*fn)(void *ctx, const struct sluice_backup_line *l), void *ctx);
/*
 * Makes the written manifest the one that counts. From then on the new copy is the copy: what is to
 * take another file's place may still bear its other name, and sluice_backup_settle() gives it its
 * own.
 */
int sluice_backup_commit(const char *dir);
/* After a commit, also one of an earlier life; nothing if there was none. */
int sluice_backup_settle(const char *dir);

#endif
