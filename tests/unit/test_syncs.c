// SPDX-License-Identifier: MIT
/* test_syncs.c - by which call files are made durable, and who hears of a failure. This program's
 * syncfs and fdatasync stand before libc's. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "cloud/syncs.h"
#include "tests/unit/check.h"

#define FILES 40

static unsigned int whole_calls;
static int whole_errno;

int syncfs(int fd);
int syncfs(int fd)
{
	whole_calls++;
	if (!whole_errno)
		return (int)syscall(SYS_syncfs, fd);
	errno = whole_errno;
	return -1;
}

static char dir[] = "/tmp/test_syncs.XXXXXX";

static int make_file(const char *in)
{
	char path[64];
	int fd;

	snprintf(path, sizeof(path), "%s/syncs.XXXXXX", in);
	fd = mkstemp(path);
	unlink(path);
	return fd;
}

/* The result of each, and of the run. */
static int sync_files(struct sluice_syncs *s, const int *fd, int count, int *result)
{
	int i;

	for (i = 0; i < count; i++) {
		result[i] = -EIO;
		CHECK(!sluice_syncs_file(s, fd[i], &result[i]));
	}
	return sluice_syncs_run(s);
}

static int count_of(const int *result, int count, int value)
{
	int i, n = 0;

	for (i = 0; i < count; i++)
		n += result[i] == value;
	return n;
}

int main(void)
{
	struct sluice_syncs *s;
	int fd[FILES], result[FILES], i, other;

	CHECK(mkdtemp(dir));
	s = sluice_syncs_open(dir);
	CHECK(s);
	for (i = 0; i < FILES; i++) {
		fd[i] = make_file(dir);
		CHECK(fd[i] >= 0 && write(fd[i], "x", 1) == 1);
	}

	/* few: each by itself */
	CHECK(!sync_files(s, fd, 2, result) && count_of(result, 2, 0) == 2);
	CHECK(!whole_calls);

	/* many: at once; nobody of them is durable if that fails, and a directory is kept */
	whole_errno = EIO;
	CHECK(!sluice_syncs_directory(s, open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC)));
	CHECK(sync_files(s, fd, FILES, result) == -EIO && whole_calls == 1);
	CHECK(count_of(result, FILES, -EIO) == FILES);
	whole_errno = 0;

	/* whichever way: all are told, and the other way is tried again in the end */
	for (i = 0; i < 2000 && whole_calls < 3; i++)
		CHECK(!sync_files(s, fd, FILES, result) && count_of(result, FILES, 0) == FILES);
	CHECK(whole_calls == 3);

	/* one that lies elsewhere: never at once */
	other = make_file("/dev/shm");
	if (other >= 0) {
		close(fd[0]);
		fd[0] = other;
		whole_calls = 0;
		for (i = 0; i < 100; i++)
			CHECK(!sync_files(s, fd, FILES, result));
		CHECK(!whole_calls);
	}
	sluice_syncs_close(s);
	for (i = 0; i < FILES; i++)
		close(fd[i]);
	CHECK(!rmdir(dir));
	return check_result();
}
