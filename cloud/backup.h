/* SPDX-License-Identifier: MIT */
/*
 * backup.h - a copy of a data directory that can be started from, taken while the server runs, and
 * the way back. Master keys of sealed stores lie elsewhere and are not in it.
 */
#ifndef SLUICE_BACKUP_H
#define SLUICE_BACKUP_H

#include <stddef.h>
#include <stdint.h>

#define SLUICE_BACKUP_MANIFEST "backup.manifest"

struct sluice_backup_config {
	const char *from, *to;
	int link; /* hard links instead of copies of what does not change any more, where it can be
		   */
	void (*progress)(void *ctx, uint64_t files, uint64_t of, uint64_t bytes); /* may be NULL */
	int (*stopping)(void *ctx);						  /* may be NULL */
	void *ctx;
};

struct sluice_backed_up {
	uint64_t files, bytes;	 /* in the copy */
	uint64_t copied, linked; /* files that were new this time */
	uint64_t removed;	 /* files of an earlier copy that are no more */
	int elsewhere;		 /* frames and summaries lie in a bucket: they are not in it */
	char bad[256];		 /* what was wrong first: a file's path below the directory */
};

/*
 * Makes `to` (made if it is not there) a copy of the data directory as it is now; what an earlier
 * run has copied is not copied again, and a broken run is gone on with. -ECANCELED; -ENOTEMPTY:
 * `to` holds something else; -EBUSY: another backup runs; or what failed.
 */
int sluice_backup(const struct sluice_backup_config *c, struct sluice_backed_up *out);

/* Every file of a copy against its hash, reading all of it. -EUCLEAN: bad says which. */
int sluice_backup_verify(const struct sluice_backup_config *c, struct sluice_backed_up *out);

/* `to` must be empty or absent; each file is checked as it is copied. -EUCLEAN: bad says which. */
int sluice_restore(const struct sluice_backup_config *c, struct sluice_backed_up *out);

/* A line of the manifest: 64 hex digits, size, path, with one space between; no line end. */
struct sluice_backup_line {
	uint8_t sha256[32];
	uint64_t size;
	char path[256];
};

/* -EINVAL: none of ours, or a path that leads out of the directory. */
int sluice_backup_line(const char *text, struct sluice_backup_line *out);

/* Held (flock) while files that the index names must stay: the retention waits. */
#define SLUICE_BACKUP_LOCK "backup.lock"

#endif
