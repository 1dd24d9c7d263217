/* SPDX-License-Identifier: MIT */
/* child.h - a child process of this very binary, and the memory that it shares with its master. */
#ifndef SLUICE_CHILD_H
#define SLUICE_CHILD_H

#include <stddef.h>
#include <sys/types.h>

#define SLUICE_CHILD_FDS 8

/* Shared memory of size bytes, mapped here at *at; it keeps its size for ever. seals: F_SEAL_* more
 * (F_SEAL_FUTURE_WRITE: nobody who maps it later can write to it). Its descriptor, which lies above
 * those that a child is given, or -errno. */
int sluice_child_memory(const char *name, size_t size, int seals, void **at);

/* Memory that a child fills as it likes; it begins empty. Its descriptor, or -errno. */
int sluice_child_answer(const char *name);

/* A pair of connected sockets: ours, and the child's, which lies above those that it is given. 0 or
 * -errno. */
int sluice_child_channel(int *ours, int *childs);

/*
 * Runs /proc/self/exe with argv, an empty environment, the signals as they were at first, a process
 * group of its own, and nothing open but /dev/null (0 to 2) and fds[0..count) from 3 on. 0 or
 * -errno.
 */
int sluice_child_spawn(pid_t *pid, char *const argv[], const int *fds, int count);

#endif
