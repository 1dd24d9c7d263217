// SPDX-License-Identifier: MIT
/* usage.c - see usage.h. The clock of a process, and what /proc says of threads and children. */
#include "tests/bench/usage.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define DEPTH 8 /* of children of children */

double usage_process(pid_t pid)
{
	struct timespec t;
	clockid_t clock;

	if (clock_getcpuclockid(pid, &clock) || clock_gettime(clock, &t))
		return 0;
	return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

double usage_task(const char *task)
{
	char path[320];
	unsigned long long ns = 0;
	FILE *f;

	snprintf(path, sizeof(path), "%.300s/schedstat", task);
	f = fopen(path, "r");
	if (f) {
		if (fscanf(f, "%llu", &ns) != 1)
			ns = 0;
		fclose(f);
	}
	return (double)ns * 1e-9;
}

static double add_children(const char *task, int depth);

static double usage_below(pid_t pid, int depth)
{
	double sum = usage_process(pid);
	char path[300];
	struct dirent *d;
	DIR *dir;

	snprintf(path, sizeof(path), "/proc/%d/task", (int)pid);
	dir = depth ? opendir(path) : NULL;
	while (dir && (d = readdir(dir))) {
		if (d->d_name[0] == '.')
			continue;
		snprintf(path, sizeof(path), "/proc/%d/task/%.20s/children", (int)pid, d->d_name);
		sum += add_children(path, depth - 1);
	}
	if (dir)
		closedir(dir);
	return sum;
}

static double add_children(const char *task, int depth)
{
	FILE *f = fopen(task, "r");
	double sum = 0;
	int pid;

	while (f && fscanf(f, "%d", &pid) == 1)
		sum += usage_below(pid, depth);
	if (f)
		fclose(f);
	return sum;
}

double usage_tree(pid_t pid)
{
	return pid > 0 ? usage_below(pid, DEPTH) : 0;
}
