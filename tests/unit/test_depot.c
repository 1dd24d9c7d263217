// SPDX-License-Identifier: MIT
/*
 * test_depot.c - segments put whole into a directory do what all depots must (tests/conform), also
 * when a call of the file system fails, whichever it is.
 */
#include <dlfcn.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <unistd.h>

#include "lib/log.h"
#include "tests/conform/depot.h"
#include "tests/unit/check.h"
#include "tests/unit/tmp_dir.h"

static char root[64];
static unsigned int calls, fail_at;
static int fail_stays, armed;

static int must_fail(void)
{
	if (!armed)
		return 0;
	calls++;
	if (!fail_at || (fail_stays ? calls < fail_at : calls != fail_at))
		return 0;
	errno = ENOSPC;
	return 1;
}

/* What a directory is written by; SQLite has other ways. */
#define FAULTY(type, name, parameters, arguments)                  \
	type name parameters;                                      \
	type name parameters                                       \
	{                                                          \
		static type(*real) parameters;                     \
                                                                   \
		if (must_fail())                                   \
			return -1;                                 \
		if (!real)                                         \
			*(void **)&real = dlsym(RTLD_NEXT, #name); \
		return real arguments;                             \
	}

FAULTY(ssize_t, write, (int fd, const void *buf, size_t size), (fd, buf, size))
FAULTY(int, rename, (const char *from, const char *to), (from, to))
FAULTY(int, mkdir, (const char *path, mode_t mode), (path, mode))

/* The writer puts whole segments where the depot says so. */
static struct sluice_depot *rig_open(struct conform_depot *rig)
{
	static struct sluice_depot d[8];
	static unsigned int next;
	struct sluice_depot *of = &d[next++ % 8];

	sluice_depot_dir(of, rig->data);
	of->whole = 1;
	return of;
}

static unsigned int rig_fail(struct conform_depot *rig, unsigned int way, unsigned int at,
			     int stays)
{
	unsigned int n = calls;

	(void)rig;
	(void)way;
	calls = 0;
	fail_at = at;
	fail_stays = stays;
	armed = at > 0;
	return n;
}

int main(void)
{
	struct conform_depot rig = {
		.name = "directory", .data = root, .open = rig_open, .wait_ways = 1
	};
	char path[96];

	snprintf(root, sizeof(root), "%s/test_depot.%d",
		 access("/dev/shm", W_OK) ? "/tmp" : "/dev/shm", (int)getpid());
	snprintf(path, sizeof(path), "%s/segments", root);
	CHECK(!mkdir(root, 0700) && !mkdir(path, 0700));
	sluice_log_setup("test_depot", SLUICE_LOG_ERROR, false);
	conform_depot(&rig);
	rig.fail = rig_fail;
	rig.ways = 1;
	conform_depot_faults(&rig);
	tmp_dir_remove(root);
	return check_result();
}
