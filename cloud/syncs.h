/* SPDX-License-Identifier: MIT */
/*
 * syncs.h - many files made durable at once. With a file for each camera a group of the writer
 * touches hundreds; one after the other they would wait for the disk hundreds of times, together
 * they share its flushes.
 */
#ifndef SLUICE_CLOUD_SYNCS_H
#define SLUICE_CLOUD_SYNCS_H

struct sluice_syncs;

/* For files below that directory, which is looked at before any of them is written. NULL: out of
 * memory. Without io_uring they are synced one after the other. */
struct sluice_syncs *sluice_syncs_open(const char *directory);
/* What was added and not run is closed, unsynced. NULL-safe. */
void sluice_syncs_close(struct sluice_syncs *s);

/* A file: fdatasync at the next run; *result gets 0 or -errno, and must stay until then. -ENOMEM.
 */
int sluice_syncs_file(struct sluice_syncs *s, int fd, int *result);
/* A directory in which a name is new: fsync at the next run, and again at each further one until it
 * has succeeded. The fd becomes the callee's, in any case. 0 or -errno (it was synced here and now,
 * and failed). */
int sluice_syncs_directory(struct sluice_syncs *s, int fd);

/* All that was added; the first error, 0. Files are forgotten, directories that failed are not. */
int sluice_syncs_run(struct sluice_syncs *s);
/* Files that were added are forgotten. */
void sluice_syncs_drop(struct sluice_syncs *s);

#endif
