// SPDX-License-Identifier: MIT
/* child.c - see child.h. */
#include "cloud/child.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#define FIRST_FD 3
#define LOW_FD	 16 /* ours lie above: those of the child are dup2'ed onto 0 to 10 */

_Static_assert(FIRST_FD + SLUICE_CHILD_FDS <= LOW_FD, "a child's descriptors would meet ours");

int sluice_child_memory(const char *name, size_t size, int seals, void **at)
{
	int low = memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING), fd, err = 0;

	fd = low < 0 ? -1 : fcntl(low, F_DUPFD_CLOEXEC, LOW_FD);
	if (fd < 0 || ftruncate(fd, (off_t)size))
		err = -errno;
	if (low >= 0)
		close(low);
	*at = err ? MAP_FAILED : mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (!err && *at == MAP_FAILED)
		err = -errno;
	if (!err && fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL | seals))
		err = -errno;
	if (err && *at != MAP_FAILED)
		munmap(*at, size);
	if (err)
		*at = NULL;
	if (err && fd >= 0)
		close(fd);
	return err ? err : fd;
}

int sluice_child_answer(const char *name)
{
	int low = memfd_create(name, MFD_CLOEXEC), fd, err = 0;

	if (low < 0)
		return -errno;
	fd = fcntl(low, F_DUPFD_CLOEXEC, LOW_FD);
	if (fd < 0)
		err = -errno;
	close(low);
	return err ? err : fd;
}

int sluice_child_channel(int *ours, int *childs)
{
	int pair[2], err = 0;

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair))
		return -errno;
	*childs = fcntl(pair[1], F_DUPFD_CLOEXEC, LOW_FD);
	if (*childs < 0)
		err = -errno;
	close(pair[1]);
	*ours = err ? -1 : pair[0];
	if (err)
		close(pair[0]);
	return err;
}

int sluice_child_spawn(pid_t *pid, char *const argv[], const int *fds, int count)
{
	static char *const environment[] = { "TZ=UTC0", "LC_ALL=C", NULL };
	posix_spawn_file_actions_t files;
	posix_spawnattr_t attr;
	sigset_t none, all;
	int err;

	sigemptyset(&none);
	sigfillset(&all);
	posix_spawn_file_actions_init(&files);
	posix_spawnattr_init(&attr);
	for (int i = 0; i < FIRST_FD; i++)
		posix_spawn_file_actions_addopen(&files, i, "/dev/null", O_RDWR, 0);
	for (int i = 0; i < count; i++)
		posix_spawn_file_actions_adddup2(&files, fds[i], FIRST_FD + i);
	posix_spawn_file_actions_addclosefrom_np(&files, FIRST_FD + count);
	posix_spawnattr_setflags(&attr, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK |
						POSIX_SPAWN_SETSIGDEF);
	posix_spawnattr_setpgroup(&attr, 0);
	posix_spawnattr_setsigmask(&attr, &none);
	posix_spawnattr_setsigdefault(&attr, &all);
	err = -posix_spawn(pid, "/proc/self/exe", &files, &attr, argv, environment);
	if (err)
		*pid = 0;
	posix_spawnattr_destroy(&attr);
	posix_spawn_file_actions_destroy(&files);
	return err;
}
