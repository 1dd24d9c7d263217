// SPDX-License-Identifier: MIT
#include "nth_fault.h"

#include <dlfcn.h>
#include <errno.h>
#include <spawn.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#define KILLED 137

struct nth_fault nth_fault = { .err = EIO };
static _Thread_local int inside; /* the dynamic linker asks on our behalf */

static int must_fail(enum nth_kind k)
{
	unsigned long calls;

	if (inside || k != (nth_fault.kind == NTH_KILL ? NTH_DISK : nth_fault.kind))
		return 0;
	calls = __atomic_add_fetch(&nth_fault.calls, 1, __ATOMIC_RELAXED);
	if (nth_fault.shown)
		*nth_fault.shown = calls;
	if (calls != nth_fault.fail_at &&
	    !(nth_fault.onward && nth_fault.fail_at && calls > nth_fault.fail_at))
		return 0;
	if (nth_fault.kind == NTH_KILL)
		_exit(KILLED);
	errno = k == NTH_MEMORY ? ENOMEM : nth_fault.err;
	return 1;
}

void nth_begin(enum nth_kind kind, unsigned long at)
{
	nth_fault.fail_at = at;
	nth_fault.calls = 0;
	nth_fault.kind = kind;
}

unsigned long nth_end(void)
{
	nth_fault.kind = NTH_NOTHING;
	return nth_fault.calls;
}

int nth_killed(unsigned long at, void (*fn)(void *arg), void *arg)
{
	int status = 0;
	pid_t child = fork();

	if (!child) {
		nth_begin(NTH_KILL, at);
		fn(arg);
		_exit(0);
	}
	if (child < 0 || waitpid(child, &status, 0) != child || !WIFEXITED(status) ||
	    (WEXITSTATUS(status) && WEXITSTATUS(status) != KILLED)) {
		fprintf(stderr, "nth_killed: the child ended otherwise, status %x\n", status);
		abort();
	}
	return WEXITSTATUS(status) == KILLED;
}

void *__libc_malloc(size_t size);
void *__libc_calloc(size_t n, size_t size);
void *__libc_realloc(void *p, size_t size);
void *__libc_memalign(size_t align, size_t size);
void __libc_free(void *p);
int posix_memalign(void **out, size_t align, size_t size);

void *malloc(size_t size)
{
	void *p = must_fail(NTH_MEMORY) ? NULL : __libc_malloc(size);

	__atomic_add_fetch(&nth_fault.live, p != NULL, __ATOMIC_RELAXED);
	return p;
}

void *calloc(size_t n, size_t size)
{
	void *p = must_fail(NTH_MEMORY) ? NULL : __libc_calloc(n, size);

	__atomic_add_fetch(&nth_fault.live, p != NULL, __ATOMIC_RELAXED);
	return p;
}

void *realloc(void *old, size_t size)
{
	void *p = must_fail(NTH_MEMORY) ? NULL : __libc_realloc(old, size);

	__atomic_add_fetch(&nth_fault.live, p && !old, __ATOMIC_RELAXED);
	__atomic_sub_fetch(&nth_fault.live, old && !p && !size, __ATOMIC_RELAXED);
	return p;
}

int posix_memalign(void **out, size_t align, size_t size)
{
	void *p = must_fail(NTH_MEMORY) ? NULL : __libc_memalign(align, size);

	if (!p)
		return ENOMEM;
	__atomic_add_fetch(&nth_fault.live, 1, __ATOMIC_RELAXED);
	*out = p;
	return 0;
}

void free(void *p)
{
	__atomic_sub_fetch(&nth_fault.live, p != NULL, __ATOMIC_RELAXED);
	__libc_free(p);
}

#define FAULTY(type, name, parameters, arguments) \
	FAULTY_OF(NTH_DISK, type, name, parameters, arguments)
#define FAULTY_OF(counted, type, name, parameters, arguments)      \
	type name parameters;                                      \
	type name parameters                                       \
	{                                                          \
		static type(*real) parameters;                     \
		if (must_fail(counted))                            \
			return -1;                                 \
		inside++;                                          \
		if (!real)                                         \
			*(void **)&real = dlsym(RTLD_NEXT, #name); \
		inside--;                                          \
		return real arguments;                             \
	}

FAULTY(ssize_t, read, (int fd, void *buf, size_t size), (fd, buf, size))
FAULTY(ssize_t, pread64, (int fd, void *buf, size_t size, off64_t at), (fd, buf, size, at))
FAULTY(ssize_t, pread, (int fd, void *buf, size_t size, off_t at), (fd, buf, size, at))
FAULTY(ssize_t, write, (int fd, const void *buf, size_t size), (fd, buf, size))
FAULTY(ssize_t, pwrite64, (int fd, const void *buf, size_t size, off64_t at), (fd, buf, size, at))
FAULTY(ssize_t, pwrite, (int fd, const void *buf, size_t size, off_t at), (fd, buf, size, at))
FAULTY(ssize_t, pwritev, (int fd, const struct iovec *v, int n, off_t at), (fd, v, n, at))
FAULTY(int, fsync, (int fd), (fd))
FAULTY(int, fdatasync, (int fd), (fd))
FAULTY(int, syncfs, (int fd), (fd))
FAULTY(int, ftruncate64, (int fd, off64_t size), (fd, size))
FAULTY(int, ftruncate, (int fd, off_t size), (fd, size))
FAULTY(int, rename, (const char *from, const char *to), (from, to))
FAULTY(int, renameat, (int a, const char *p, int b, const char *q), (a, p, b, q))
FAULTY(int, link, (const char *from, const char *to), (from, to))
FAULTY(int, mkdir, (const char *path, mode_t mode), (path, mode))
FAULTY(int, mkdirat, (int fd, const char *path, mode_t mode), (fd, path, mode))
FAULTY_OF(NTH_CHILD, int, memfd_create, (const char *name, unsigned int flags), (name, flags))
FAULTY_OF(NTH_CHILD, int, socketpair, (int a, int b, int c, int pair[2]), (a, b, c, pair))
FAULTY_OF(NTH_CHILD, ssize_t, send, (int fd, const void *p, size_t n, int flags), (fd, p, n, flags))
FAULTY_OF(NTH_CHILD, ssize_t, recv, (int fd, void *p, size_t n, int flags), (fd, p, n, flags))

/* It returns what went wrong. */
int posix_spawn(pid_t *pid, const char *path, const posix_spawn_file_actions_t *files,
		const posix_spawnattr_t *attr, char *const argv[], char *const env[])
{
	static int (*real)(pid_t *, const char *, const posix_spawn_file_actions_t *,
			   const posix_spawnattr_t *, char *const[], char *const[]);

	if (must_fail(NTH_CHILD))
		return EAGAIN;
	inside++;
	if (!real)
		*(void **)&real = dlsym(RTLD_NEXT, "posix_spawn");
	inside--;
	return real(pid, path, files, attr, argv, env);
}
