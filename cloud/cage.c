// SPDX-License-Identifier: MIT
/*
 * cage.c - see cage.h. In order: what needs system calls that are forbidden afterwards comes first,
 * the filter last.
 *
 * The filter kills instead of refusing: nothing in a child has a use for what is not listed, so a
 * call of it is an intruder or a library that must be looked at. Landlock stands behind the filter:
 * should a call that takes a path slip through, there is no path. rlimits bound what is allowed.
 */
#include "cloud/cage.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/landlock.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "lib/filter.h"

#define FILES 16 /* what is open stays open */

static const char *const allowed[] = {
	/* the channel */
	"read",
	"write",
	"close",
	/* memory; mmap and mprotect by their arguments */
	"brk",
	"munmap",
	"mremap",
	"madvise",
	"futex",
	/* time, and what the C library asks of itself */
	"clock_gettime",
	"gettimeofday",
	"time",
	"getrandom",
	"getpid",
	"gettid",
	"sched_getaffinity",
	"sched_yield",
	"rt_sigprocmask",
	"rt_sigreturn",
	"restart_syscall",
	"exit",
	"exit_group",
};

/* What a pool of threads asks for while it works and rests. */
static const char *const threaded[] = {
	"nanosleep", "clock_nanosleep", "set_robust_list", "rseq", "membarrier", "getcpu",
};

static int set_limit(int what, rlim_t value)
{
	const struct rlimit r = { value, value };

	return setrlimit(what, &r) ? -errno : 0;
}

/* Pages of this process, as the kernel counts them for RLIMIT_AS. */
static uint64_t mapped_bytes(void)
{
	unsigned long long pages = 0;
	FILE *f = fopen("/proc/self/statm", "re");

	if (f) {
		if (fscanf(f, "%llu", &pages) != 1)
			pages = 0;
		fclose(f);
	}
	return pages * (uint64_t)sysconf(_SC_PAGESIZE);
}

int sluice_cage_limits(uint64_t memory, unsigned int files, uint64_t bytes)
{
	const struct {
		int what;
		rlim_t value;
	} limits[] = { { RLIMIT_CORE, 0 },    { RLIMIT_FSIZE, bytes }, { RLIMIT_NOFILE, files },
		       { RLIMIT_MEMLOCK, 0 }, { RLIMIT_MSGQUEUE, 0 },  { RLIMIT_SIGPENDING, 0 } };
	int err = set_limit(RLIMIT_AS, mapped_bytes() + memory);

	for (size_t i = 0; i < sizeof(limits) / sizeof(limits[0]) && !err; i++)
		err = set_limit(limits[i].what, limits[i].value);
	return err;
}

int sluice_cage_landlock(void)
{
	long abi = syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);

	return abi > 0 ? (int)abi : 0;
}

/* Below path files and folders may be read; one that is not there needs no rule. */
static int add_readable(int ruleset, const char *path, bool run)
{
	struct landlock_path_beneath_attr rule = { .allowed_access =
							   LANDLOCK_ACCESS_FS_READ_FILE |
							   LANDLOCK_ACCESS_FS_READ_DIR |
							   (run ? LANDLOCK_ACCESS_FS_EXECUTE : 0) };
	struct stat st;
	int err = 0;

	rule.parent_fd = open(path, O_PATH | O_CLOEXEC);
	if (rule.parent_fd < 0)
		return errno == ENOENT ? 0 : -errno;
	if (!fstat(rule.parent_fd, &st) && !S_ISDIR(st.st_mode))
		rule.allowed_access &= ~(uint64_t)LANDLOCK_ACCESS_FS_READ_DIR;
	if (syscall(SYS_landlock_add_rule, ruleset, LANDLOCK_RULE_PATH_BENEATH, &rule, 0))
		err = -errno;
	close(rule.parent_fd);
	return err;
}

/* Without a rule no path can be opened, made or run. */
static int set_paths(const char *const *readable, bool run)
{
	/* each version knew more of them; bits that a kernel does not know are refused */
	static const unsigned int known[] = { 13, 14, 15, 15, 16 };
	int abi = sluice_cage_landlock(), fd, err = 0;
	struct {
		uint64_t files, net, scoped; /* scoped: no signals, no sockets of others */
	} handled = { 0 };

	if (!abi)
		return 0;
	handled.files = (1ull << known[abi > 5 ? 4 : abi - 1]) - 1;
	handled.net = abi >= 4 ? 3 : 0;
	handled.scoped = abi >= 6 ? 3 : 0;
	fd = (int)syscall(SYS_landlock_create_ruleset, &handled,
			  abi >= 6   ? sizeof(handled)
			  : abi >= 4 ? 2 * sizeof(uint64_t)
				     : sizeof(uint64_t),
			  0);
	if (fd < 0)
		return -errno;
	for (; readable && *readable && !err; readable++)
		err = add_readable(fd, *readable, run);
	if (!err && syscall(SYS_landlock_restrict_self, fd, 0))
		err = -errno;
	close(fd);
	return err;
}

int sluice_cage_files(const char *const *readable)
{
	return set_paths(readable, false);
}

int sluice_cage_programs(const char *const *runnable)
{
	return set_paths(runnable, true);
}

/* threads: there are others already, which are to work on under it. */
static int set_filter(bool threads)
{
	scmp_filter_ctx f = seccomp_init(SCMP_ACT_KILL_PROCESS);
	int err = f ? 0 : -ENOMEM;

	if (!err)
		err = sluice_filter_names(f, SCMP_ACT_ALLOW, allowed,
					  sizeof(allowed) / sizeof(allowed[0]));
	if (!err && threads)
		err = sluice_filter_names(f, SCMP_ACT_ALLOW, threaded,
					  sizeof(threaded) / sizeof(threaded[0]));
	if (!err && threads)
		err = seccomp_attr_set(f, SCMP_FLTATR_CTL_TSYNC, 1);
	/* no program is loaded any more: never executable */
	if (!err)
		err = seccomp_rule_add(f, SCMP_ACT_ALLOW, SCMP_SYS(mmap), 1,
				       SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0));
	if (!err)
		err = seccomp_rule_add(f, SCMP_ACT_ALLOW, SCMP_SYS(mprotect), 1,
				       SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0));
	/* abort() and raise(): itself, no other process */
	if (!err)
		err = seccomp_rule_add(f, SCMP_ACT_ALLOW, SCMP_SYS(tgkill), 1,
				       SCMP_A0(SCMP_CMP_EQ, (scmp_datum_t)getpid()));
	if (!err)
		err = seccomp_load(f);
	seccomp_release(f);
	return err;
}

int sluice_cage_enter(const struct sluice_cage *c, char *why, size_t why_size)
{
	const char *what = "limits";
	int err;

	setpriority(PRIO_PROCESS, 0, c->nice); /* where it may not, it works on as it is */
	err = sluice_cage_limits(c->memory, FILES, 0);
	if (!err)
		err = set_limit(RLIMIT_NPROC, 0);
	if (!err && (prctl(PR_SET_DUMPABLE, 0) || prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)))
		err = -errno;
	if (!err) {
		what = "Landlock";
		err = sluice_cage_files(NULL);
	}
	if (!err) {
		what = "the system call filter";
		err = set_filter(false);
	}
	if (err)
		snprintf(why, why_size, "cannot set %s: %s", what, strerror(-err));
	return err;
}

int sluice_cage_shut(char *why, size_t why_size)
{
	int err = sluice_cage_files(NULL); /* of this thread; the filter is for all */

	if (!err)
		err = set_filter(true);
	if (err)
		snprintf(why, why_size, "cannot give up what it has loaded with: %s",
			 strerror(-err));
	return err;
}
