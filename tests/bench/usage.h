/* SPDX-License-Identifier: MIT */
/* usage.h - seconds of CPU, exact to the scheduler's nanoseconds, of other processes. 0: it is
 * gone. */
#ifndef TESTS_BENCH_USAGE_H
#define TESTS_BENCH_USAGE_H

#include <sys/types.h>

/* Of all threads, those that have ended too. */
double usage_process(pid_t pid);

/* Of one thread; task: /proc/PID/task/TID. */
double usage_task(const char *task);

/* Of a process and its children, and theirs, that run now. */
double usage_tree(pid_t pid);

#endif
