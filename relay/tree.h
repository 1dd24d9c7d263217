/* SPDX-License-Identifier: MIT */
/* tree.h - directories and small files below the relay's state. All may wait for the disk. */
#ifndef RELAY_TREE_H
#define RELAY_TREE_H

#include <stddef.h>
#include <stdint.h>

/* Open a directory, making it if it is missing; symbolic links are not followed. -1 and errno. */
int relay_tree_open(int at, const char *name);

/* Remove a directory of plain files; of what cannot be removed nothing is said. */
void relay_tree_remove(int at, const char *name);

/* fn for every entry (but "." and "..") of every CAMERA/DATE below fd; day is "CAMERA/DATE". fn may
 * remove the entry. */
void relay_tree_walk(int fd, void (*fn)(void *arg, int day_fd, const char *day, const char *name),
		     void *arg);

/* A new file, synced; 0 or -errno. */
int relay_file_write(int dir, const char *name, const uint8_t *data, size_t size);

/* All of a file, and a NUL behind it; the caller frees it. NULL: not there, above max, no memory.
 */
uint8_t *relay_file_read(int dir, const char *name, size_t max, uint32_t *size);

#endif
