// SPDX-License-Identifier: MIT
/*
 * The filter as it is: each case in a child of its own that applies it and then tries one thing.
 * What must work works, what is not listed fails with EPERM, what is deadly kills.
 */
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include "check.h"
#include "lib/io.h"
#include "lib/resolve.h"
#include "relay/seccomp.h"

/* What a try returns: 0 it worked, else the errno. */
static int as_errno(long r)
{
	return r < 0 ? errno : 0;
}

static int try_chown(void)
{
	return as_errno(chown("/tmp", 0, 0));
}

static int try_exec(void)
{
	char *argv[] = { (char *)"/bin/true", NULL };

	execv(argv[0], argv);
	return errno;
}

static int try_fork_exec(void)
{
	pid_t pid = fork();
	int status = 1;

	if (!pid)
		_exit(try_exec() ? 1 : 0);
	waitpid(pid, &status, 0);
	return WIFEXITED(status) && !WEXITSTATUS(status) ? 0 : EPERM;
}

static int try_packet(void)
{
	return as_errno(socket(AF_PACKET, SOCK_RAW, 0));
}

static int try_raw(void)
{
	return as_errno(socket(AF_INET, SOCK_RAW, 1));
}

static int try_netlink(void)
{
	return as_errno(socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, 0));
}

static int try_unix(void)
{
	return as_errno(socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0));
}

static int try_tcp(void)
{
	return as_errno(socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
}

static int try_wx(void)
{
	return mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1,
		    0) == MAP_FAILED
		       ? errno
		       : 0;
}

static int try_mprotect_wx(void)
{
	void *p = mmap(NULL, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	return p == MAP_FAILED ? ENOMEM : as_errno(mprotect(p, 4096, PROT_WRITE | PROT_EXEC));
}

static int try_mknod(void)
{
	return as_errno(mknod("/tmp/sluice-test-node", S_IFCHR | 0600, 0));
}

static int try_setuid(void)
{
	return as_errno(setuid(65534));
}

static int try_files(void)
{
	char path[] = "/tmp/sluice-test-XXXXXX";
	int fd = mkstemp(path);

	if (fd < 0 || write(fd, "x", 1) != 1 || fsync(fd) || ftruncate(fd, 0))
		return errno;
	close(fd);
	return as_errno(unlink(path));
}

static void *in_thread(void *arg)
{
	*(int *)arg = try_packet();
	return NULL;
}

/* A thread that is begun under the filter has it too. */
static int try_thread(void)
{
	pthread_t t;
	int r = 0;

	if (pthread_create(&t, NULL, in_thread, &r))
		return EAGAIN;
	pthread_join(t, NULL);
	return r == EPERM ? 0 : EINVAL;
}

static int try_ptrace(void)
{
	return as_errno(ptrace(PTRACE_TRACEME, 0, NULL, NULL));
}

static int try_clock(void)
{
	struct timespec ts = { 1, 0 };

	return as_errno(syscall(SYS_clock_settime, 7777, &ts));
}

static int try_ring(void)
{
	return as_errno(syscall(SYS_io_uring_setup, 1, NULL));
}

static int try_mount(void)
{
	return as_errno(syscall(SYS_mount, "none", "/nowhere", "tmpfs", 0, NULL));
}

static const struct {
	const char *name;
	int (*fn)(void);
	bool exec;
	int expect; /* errno, 0: works, -1: killed */
} cases[] = {
	{ "tcp", try_tcp, false, 0 },
	{ "a feed's socket", try_unix, false, 0 },
	{ "netlink", try_netlink, false, 0 },
	{ "files", try_files, false, 0 },
	{ "thread", try_thread, false, 0 },
	{ "exec of a hook", try_fork_exec, true, 0 },
	{ "exec without a hook", try_exec, false, EPERM },
	{ "chown", try_chown, false, EPERM },
	{ "packet socket", try_packet, false, EPERM },
	{ "raw socket", try_raw, false, EPERM },
	{ "writable code", try_wx, false, EPERM },
	{ "code made writable", try_mprotect_wx, false, EPERM },
	{ "mknod", try_mknod, false, EPERM },
	{ "setuid", try_setuid, false, EPERM },
	{ "ptrace", try_ptrace, false, -1 },
	{ "clock_settime", try_clock, false, -1 },
	{ "mount", try_mount, true, -1 },
	{ "io_uring_setup", try_ring, false, -1 },
};

static int run_case(size_t i)
{
	pid_t pid = fork();
	int status = 0;

	if (!pid) {
		char why[160];
		int err = relay_seccomp_apply(cases[i].exec, why, sizeof(why));

		if (err) {
			fprintf(stderr, "%s\n", why);
			_exit(err == -ENOSYS ? 200 : 201);
		}
		_exit(cases[i].fn());
	}
	waitpid(pid, &status, 0);
	if (WIFSIGNALED(status))
		return WTERMSIG(status) == SIGSYS ? -1 : -2;
	return WEXITSTATUS(status);
}

/* The loop that was opened before goes on under the filter, a resolver's thread with it. */
static int answers;

static void on_resolved(void *arg, struct addrinfo *addrs, const char *why)
{
	answers++;
	if (addrs)
		freeaddrinfo(addrs);
}

static void test_loop(void)
{
	pid_t pid = fork();
	int status = 0;

	if (!pid) {
		char why[256];
		struct sluice_io *io;
		int err;

		io = sluice_io_open(NULL, &err, why, sizeof(why));
		if (!io)
			_exit(77);
		if (relay_seccomp_apply(false, why, sizeof(why)))
			_exit(77);
		sluice_resolve_start(io, "nosuchhost.invalid", "1", on_resolved, NULL);
		for (int i = 0; i < 1000 && !answers; i++)
			sluice_io_turn(io, 10);
		sluice_io_close(io);
		_exit(answers == 1 ? 0 : 1);
	}
	waitpid(pid, &status, 0);
	CHECK(WIFEXITED(status) && (WEXITSTATUS(status) == 0 || WEXITSTATUS(status) == 77));
}

/* The loop's ring takes nothing but its list: the kernel says so when asked for something else. */
static void test_ring(void)
{
	char why[256], path[64], name[64];
	struct sluice_io *io;
	int err, found = 0;

	io = sluice_io_open(NULL, &err, why, sizeof(why));
	if (!io)
		return;
	for (int fd = 0; fd < 64; fd++) {
		ssize_t n;

		snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
		n = readlink(path, name, sizeof(name) - 1);
		name[n > 0 ? n : 0] = 0;
		if (strcmp(name, "anon_inode:[io_uring]"))
			continue;
		found++;
		CHECK(syscall(SYS_io_uring_register, fd, 9 /* personality */, NULL, 0) < 0 &&
		      errno == EACCES);
	}
	CHECK(found == 1);
	sluice_io_close(io);
}

int main(void)
{
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		int got = run_case(i);

		if (got == 200) {
			printf("this kernel has no system call filters\n");
			return 77;
		}
		CHECK(got == cases[i].expect);
		if (got != cases[i].expect)
			fprintf(stderr, "%s: %d, not %d\n", cases[i].name, got, cases[i].expect);
	}
	test_loop();
	test_ring();
	return check_result();
}
