// SPDX-License-Identifier: MIT
/*
 * cage_load.c - the first of the two steps of cage.h: what a plug-in and its libraries need to be
 * loaded, and to look at the machine, is left to them. The filter refuses with EPERM instead of
 * killing: libraries try much, and go on without. What would be of use outside is not in the list:
 * sockets, other processes, writing.
 */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include "cloud/cage.h"
#include "lib/filter.h"

#define FILES 256

static const char *const allowed[] = {
	/* the channel, and files that are open */
	"read",
	"write",
	"readv",
	"writev",
	"pread64",
	"close",
	"lseek",
	"fstat",
	"fadvise64",
	"fcntl",
	"getdents64",
	/* paths: what Landlock and the mode bits leave */
	"stat",
	"lstat",
	"newfstatat",
	"statx",
	"statfs",
	"fstatfs",
	"access",
	"faccessat",
	"faccessat2",
	"readlink",
	"readlinkat",
	"getcwd",
	/* memory; libraries are mapped executable, mprotect may not be writable and executable */
	"brk",
	"munmap",
	"mremap",
	"madvise",
	"mincore",
	"mlock",
	"munlock",
	"get_mempolicy",
	"mbind",
	/* threads */
	"futex",
	"set_tid_address",
	"set_robust_list",
	"rseq",
	"membarrier",
	"sched_getaffinity",
	"sched_setaffinity",
	"sched_getparam",
	"sched_getscheduler",
	"sched_yield",
	"getcpu",
	"gettid",
	"nanosleep",
	"clock_nanosleep",
	/* what it is and where */
	"arch_prctl",
	"clock_getres",
	"clock_gettime",
	"gettimeofday",
	"time",
	"getpid",
	"getppid",
	"getuid",
	"geteuid",
	"getgid",
	"getegid",
	"getpriority",
	"getrusage",
	"getrandom",
	"sysinfo",
	"uname",
	"sched_get_priority_max",
	"sched_get_priority_min",
	"rt_sigaction",
	"rt_sigprocmask",
	"rt_sigreturn",
	"sigaltstack",
	"restart_syscall",
	"exit",
	"exit_group",
	/* the second step */
	"seccomp",
	"prctl",
	"landlock_create_ruleset",
	"landlock_restrict_self",
};

/* Only threads of this process; clone3 hides its flags, and without it clone is taken. */
static int allow_threads(scmp_filter_ctx f)
{
	int err = seccomp_rule_add(f, SCMP_ACT_ALLOW, SCMP_SYS(clone), 1,
				   SCMP_A0(SCMP_CMP_MASKED_EQ, CLONE_THREAD | CLONE_VM,
					   CLONE_THREAD | CLONE_VM));

	if (!err)
		err = seccomp_rule_add(f, SCMP_ACT_ERRNO(ENOSYS), SCMP_SYS(clone3), 0);
	if (!err)
		err = seccomp_rule_add(f, SCMP_ACT_ALLOW, SCMP_SYS(tgkill), 1,
				       SCMP_A0(SCMP_CMP_EQ, (scmp_datum_t)getpid()));
	return err;
}

/* Files are opened for reading, limits are asked for. */
static int allow_reading(scmp_filter_ctx f)
{
	const scmp_datum_t writes = O_ACCMODE | O_CREAT | O_TRUNC | O_TMPFILE;
	int err = seccomp_rule_add(f, SCMP_ACT_ALLOW, SCMP_SYS(openat), 1,
				   SCMP_A2(SCMP_CMP_MASKED_EQ, writes & ~(scmp_datum_t)O_DIRECTORY,
					   O_RDONLY));

	if (!err)
		err = seccomp_rule_add(f, SCMP_ACT_ALLOW, SCMP_SYS(open), 1,
				       SCMP_A1(SCMP_CMP_MASKED_EQ,
					       writes & ~(scmp_datum_t)O_DIRECTORY, O_RDONLY));
	if (!err)
		err = seccomp_rule_add(f, SCMP_ACT_ALLOW, SCMP_SYS(prlimit64), 1,
				       SCMP_A2(SCMP_CMP_EQ, 0));
	return err;
}

/* What a program of its own needs beside: to be begun, and to wait for its threads and pipes. */
static const char *const programs[] = {
	"execve",      "dup",	    "dup2",  "dup3",  "poll",  "ppoll",	    "select",
	"pselect6",    "pipe2",	    "ioctl", "umask", "times", "getrlimit", "sched_setscheduler",
	"setpriority", "ftruncate",
};

static int set_filter(bool program)
{
	scmp_filter_ctx f = seccomp_init(SCMP_ACT_ERRNO(EPERM));
	int err = f ? 0 : -ENOMEM;

	if (!err)
		err = sluice_filter_names(f, SCMP_ACT_ALLOW, allowed,
					  sizeof(allowed) / sizeof(allowed[0]));
	if (!err && program)
		err = sluice_filter_names(f, SCMP_ACT_ALLOW, programs,
					  sizeof(programs) / sizeof(programs[0]));
	if (!err)
		err = sluice_filter_memory(f);
	if (!err)
		err = allow_threads(f);
	if (!err)
		err = allow_reading(f);
	if (!err)
		err = seccomp_load(f);
	seccomp_release(f);
	return err;
}

static int enter(const struct sluice_cage *c, const char *const *paths, bool program,
		 uint64_t bytes, char *why, size_t why_size)
{
	const char *what = "limits";
	int err;

	setpriority(PRIO_PROCESS, 0, c->nice);
	err = sluice_cage_limits(c->memory, FILES, bytes);
	if (!err && (prctl(PR_SET_DUMPABLE, 0) || prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)))
		err = -errno;
	if (!err) {
		what = "Landlock";
		err = (program ? sluice_cage_programs : sluice_cage_files)(paths);
	}
	if (!err) {
		what = "the system call filter";
		err = set_filter(program);
	}
	if (err)
		snprintf(why, why_size, "cannot set %s: %s", what, strerror(-err));
	return err;
}

int sluice_cage_load(const struct sluice_cage *c, const char *const *readable, char *why,
		     size_t why_size)
{
	return enter(c, readable, false, 0, why, why_size);
}

int sluice_cage_run(const struct sluice_cage *c, const char *const *runnable, unsigned int cpu_s,
		    uint64_t bytes, char *why, size_t why_size)
{
	if (setrlimit(RLIMIT_CPU, &(struct rlimit){ cpu_s, cpu_s })) {
		snprintf(why, why_size, "cannot set limits: %s", strerror(errno));
		return -errno;
	}
	return enter(c, runnable, true, bytes, why, why_size);
}
