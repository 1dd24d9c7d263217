// SPDX-License-Identifier: MIT
/*
 * test_media.c - media in a directory does what all media must (tests/conform), also when a call
 * of the file system fails, whichever it is.
 */
#include <dlfcn.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <unistd.h>

#include "lib/log.h"
#include "tests/conform/media.h"
#include "tests/unit/check.h"
#include "tests/unit/tmp_dir.h"

static char root[64];
static unsigned int calls, fail_at;
static int fail_stays;

static int must_fail(void)
{
	calls++;
	if (!fail_at || (fail_stays ? calls < fail_at : calls != fail_at))
		return 0;
	errno = ENOSPC;
	return 1;
}

#define FAULTY(type, name, parameters, arguments)                  \
	type name parameters;                                      \
	type name parameters                                       \
	{                                                          \
		static type(*real) parameters;                     \
		if (must_fail())                                   \
			return -1;                                 \
		if (!real)                                         \
			*(void **)&real = dlsym(RTLD_NEXT, #name); \
		return real arguments;                             \
	}

FAULTY(ssize_t, write, (int fd, const void *buf, size_t size), (fd, buf, size))
FAULTY(int, fsync, (int fd), (fd))
FAULTY(int, mkdirat, (int fd, const char *path, mode_t mode), (fd, path, mode))
FAULTY(int, renameat, (int a, const char *p, int b, const char *q), (a, p, b, q))
FAULTY(int, renameat2, (int a, const char *p, int b, const char *q, unsigned int f),
       (a, p, b, q, f))

static struct sluice_media *rig_open(struct conform_media *rig, const struct sluice_keyring *keys)
{
	struct sluice_media *m;

	if (sluice_media_dir_open(root, keys, &m))
		exit(1);
	return m;
}

static unsigned int rig_fail(struct conform_media *rig, unsigned int way, unsigned int at,
			     int stays)
{
	unsigned int n = calls;

	calls = 0;
	fail_at = at;
	fail_stays = stays;
	return n;
}

int main(void)
{
	struct conform_media rig = {
		.name = "directory", .open = rig_open, .fail = rig_fail, .ways = 1
	};

	snprintf(root, sizeof(root), "/tmp/test_media.%d", (int)getpid());
	CHECK(!mkdir(root, 0700));
	sluice_log_setup("test_media", SLUICE_LOG_WARNING, false);
	conform_media(&rig);
	conform_media_faults(&rig);
	tmp_dir_remove(root);
	return check_result();
}
