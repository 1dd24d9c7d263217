// SPDX-License-Identifier: MIT
/*
 * What is allowed is listed by what it is for. What is not listed fails with EPERM and is told to
 * the audit log: a library that tries something harmless in a corner nobody has tested goes on
 * without it, instead of taking the relay down. What only an intruder has a use for (debugging
 * others, kernel modules, BPF, mounts, namespaces, the clock, raw I/O ports, a second io_uring)
 * kills the process.
 *
 * Sockets: Unix, IPv4, IPv6, netlink (the kernel's gate, and the resolver), no packets, no raw
 * ones. Memory that is writable and executable is refused.
 *
 * io_uring: requests on a ring are not system calls, so a filter does not see them. Therefore the
 * ring itself is restricted, when it is made, to the few operations that lib/io needs (io_uring.c,
 * IORING_REGISTER_RESTRICTIONS), and here io_uring_setup is forbidden, so that there is no second
 * one.
 *
 * Hooks: a hook is started with fork and execve from the relay and inherits the filter; so programs
 * may be started only if a hook is set. A launcher forked before the filter would give hooks more
 * than the relay has, and an intruder in the relay could ask it for just that; what a shell, curl
 * or ffmpeg needs is in the list. A hook that needs more (sudo, mount) should hand its task to
 * another service.
 *
 * libseccomp makes the filter: it knows the numbers of each architecture and the second entry for
 * 32-bit programs, which is where filters made by hand go wrong.
 */
#include "relay/seccomp.h"
#include "lib/filter.h"

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

static const char *const allowed[] = {
	/* the loop, time, signals */
	"io_uring_enter",
	"io_uring_register",
	"read",
	"write",
	"readv",
	"writev",
	"poll",
	"ppoll",
	"select",
	"pselect6",
	"epoll_create1",
	"epoll_ctl",
	"epoll_wait",
	"epoll_pwait",
	"eventfd2",
	"pipe",
	"pipe2",
	"clock_gettime",
	"clock_getres",
	"clock_nanosleep",
	"nanosleep",
	"gettimeofday",
	"time",
	"times",
	"timerfd_create",
	"timerfd_settime",
	"alarm",
	"setitimer",
	"rt_sigaction",
	"rt_sigprocmask",
	"rt_sigreturn",
	"rt_sigtimedwait",
	"rt_sigpending",
	"sigaltstack",
	"signalfd4",
	"restart_syscall",
	"pause",
	/* memory and threads */
	"brk",
	"munmap",
	"mremap",
	"madvise",
	"mlock",
	"munlock",
	"msync",
	"mincore",
	"futex",
	"futex_waitv",
	"clone",
	"clone3",
	"fork",
	"vfork",
	"set_robust_list",
	"get_robust_list",
	"rseq",
	"set_tid_address",
	"membarrier",
	"sched_yield",
	"sched_getaffinity",
	"sched_setaffinity",
	"sched_getparam",
	"sched_getscheduler",
	"getpriority",
	"gettid",
	"exit",
	"exit_group",
	"wait4",
	"waitid",
	"kill",
	"tgkill",
	"pidfd_open",
	"pidfd_send_signal",
	"prctl",
	"arch_prctl",
	"getrandom",
	"setsid",
	"setpgid",
	"getpgid",
	"getpgrp",
	"getsid",
	"getppid",
	"prlimit64",
	"getrlimit",
	"setrlimit",
	"getrusage",
	"sysinfo",
	"umask",
	"setpriority",
	/* files */
	"open",
	"openat",
	"openat2",
	"close",
	"close_range",
	"creat",
	"lseek",
	"pread64",
	"pwrite64",
	"preadv",
	"pwritev",
	"preadv2",
	"pwritev2",
	"stat",
	"fstat",
	"lstat",
	"newfstatat",
	"statx",
	"statfs",
	"fstatfs",
	"access",
	"faccessat",
	"faccessat2",
	"fcntl",
	"flock",
	"ioctl",
	"dup",
	"dup2",
	"dup3",
	"fsync",
	"fdatasync",
	"sync_file_range",
	"ftruncate",
	"truncate",
	"fallocate",
	"fadvise64",
	"rename",
	"renameat",
	"renameat2",
	"unlink",
	"unlinkat",
	"mkdir",
	"mkdirat",
	"rmdir",
	"link",
	"linkat",
	"symlink",
	"symlinkat",
	"readlink",
	"readlinkat",
	"getdents64",
	"getdents",
	"getcwd",
	"chdir",
	"fchdir",
	"chmod",
	"fchmod",
	"fchmodat",
	"utimensat",
	"futimesat",
	"utime",
	"utimes",
	"sendfile",
	"splice",
	"copy_file_range",
	"inotify_init1",
	"inotify_add_watch",
	"inotify_rm_watch",
	"memfd_create",
	/* the net; socket() itself by family, below */
	"connect",
	"bind",
	"listen",
	"accept",
	"accept4",
	"socketpair",
	"setsockopt",
	"getsockopt",
	"getsockname",
	"getpeername",
	"sendto",
	"recvfrom",
	"sendmsg",
	"recvmsg",
	"sendmmsg",
	"recvmmsg",
	"shutdown",
	/* who we are */
	"getpid",
	"getuid",
	"geteuid",
	"getgid",
	"getegid",
	"getresuid",
	"getresgid",
	"getgroups",
	"capget",
	"uname",
};

static const char *const deadly[] = {
	"ptrace",
	"process_vm_readv",
	"process_vm_writev",
	"kcmp",
	"init_module",
	"finit_module",
	"delete_module",
	"kexec_load",
	"kexec_file_load",
	"reboot",
	"bpf",
	"perf_event_open",
	"mount",
	"umount2",
	"pivot_root",
	"chroot",
	"move_mount",
	"fsopen",
	"fsmount",
	"open_tree",
	"setns",
	"unshare",
	"iopl",
	"ioperm",
	"swapon",
	"swapoff",
	"settimeofday",
	"clock_settime",
	"adjtimex",
	"clock_adjtime",
	"add_key",
	"request_key",
	"keyctl",
	"userfaultfd",
	"io_uring_setup",
	"open_by_handle_at",
	"quotactl",
	"acct",
	"sethostname",
	"setdomainname",
	"personality",
	"modify_ldt",
	"vhangup",
	"syslog",
	"lookup_dcookie",
	"fanotify_init",
};

static int add_arguments(scmp_filter_ctx f)
{
	static const int families[] = { AF_INET, AF_INET6, AF_NETLINK };
	int err;

	err = seccomp_rule_add(f, SCMP_ACT_ALLOW, SCMP_SYS(socket), 1,
			       SCMP_A0(SCMP_CMP_EQ, AF_UNIX));

	for (size_t i = 0; i < sizeof(families) / sizeof(families[0]) && !err; i++)
		for (int type = SOCK_STREAM; type <= SOCK_DGRAM && !err; type++)
			err = seccomp_rule_add(f, SCMP_ACT_ALLOW, SCMP_SYS(socket), 2,
					       SCMP_A0(SCMP_CMP_EQ, (scmp_datum_t)families[i]),
					       SCMP_A1(SCMP_CMP_MASKED_EQ, 0xf,
						       (scmp_datum_t)type));
	/* netlink sockets are opened as raw ones; they are no less limited for that */
	if (!err)
		err = seccomp_rule_add(f, SCMP_ACT_ALLOW, SCMP_SYS(socket), 2,
				       SCMP_A0(SCMP_CMP_EQ, AF_NETLINK),
				       SCMP_A1(SCMP_CMP_MASKED_EQ, 0xf, SOCK_RAW));
	return err ? err : sluice_filter_memory(f);
}

int relay_seccomp_apply(bool exec, char *why, size_t why_size)
{
	static const char *const starts[] = { "execve", "execveat" };
	scmp_filter_ctx f = seccomp_init(SCMP_ACT_ERRNO(EPERM));
	int err = f ? 0 : -ENOMEM;

	if (!err)
		err = seccomp_attr_set(f, SCMP_FLTATR_CTL_TSYNC, 1);
	if (!err)
		err = seccomp_attr_set(f, SCMP_FLTATR_CTL_LOG, 1);
	if (!err)
		err = sluice_filter_names(f, SCMP_ACT_ALLOW, allowed,
					  sizeof(allowed) / sizeof(allowed[0]));
	if (!err && exec)
		err = sluice_filter_names(f, SCMP_ACT_ALLOW, starts, 2);
	if (!err)
		err = add_arguments(f);
	if (!err)
		err = sluice_filter_names(f, SCMP_ACT_KILL_PROCESS, deadly,
					  sizeof(deadly) / sizeof(deadly[0]));
	if (!err)
		err = seccomp_load(f);
	seccomp_release(f);
	if (err == -EINVAL)
		err = -ENOSYS;
	if (err)
		snprintf(why, why_size, "cannot limit the system calls: %s", strerror(-err));
	return err;
}
