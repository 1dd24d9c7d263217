/* SPDX-License-Identifier: MIT */
/* cage.h - a process gives up everything but computing: for the children that decode. */
#ifndef SLUICE_CAGE_H
#define SLUICE_CAGE_H

#include <stddef.h>
#include <stdint.h>

struct sluice_cage {
	uint64_t memory; /* bytes of address space from now on, over what is mapped already */
	int nice;
};

/*
 * For ever: no core, no new files or processes, no new rights, no file system (Landlock, where the
 * kernel has it), and of the system calls only those for memory, for the descriptors that are open,
 * and to end; any other kills the process with SIGSYS. 0, or -errno with a sentence in why.
 */
int sluice_cage_enter(const struct sluice_cage *c, char *why, size_t why_size);

/*
 * The same in two steps, for a process that loads a plug-in in between; both for ever.
 *
 * load: limits, no new rights, no other program, no network, nothing can be written, and of files
 * only what lies in readable (NULL-terminated; one that is not there is passed over) can be read
 * (Landlock, where the kernel has it). Threads are possible. What is not allowed fails with EPERM.
 *
 * shut: then what sluice_cage_enter() leaves, and what threads need that are there already; for
 * all of them. 0, or -errno with a sentence in why.
 */
int sluice_cage_load(const struct sluice_cage *c, const char *const *readable, char *why,
		     size_t why_size);
int sluice_cage_shut(char *why, size_t why_size);

/* As load, for a process that becomes another program, which may also have so many seconds of CPU
 * and write so many bytes to a file that is open; of files, what lies in runnable can be read and
 * run. */
int sluice_cage_run(const struct sluice_cage *c, const char *const *runnable, unsigned int cpu_s,
		    uint64_t bytes, char *why, size_t why_size);

/* The version of Landlock that this kernel has, 0: none. */
int sluice_cage_landlock(void);

/* cage.c, cage_load.c: no path can be opened, but for reading below those of readable (NULL: none).
 */
int sluice_cage_files(const char *const *readable);
/* The same, and what lies there can be run. */
int sluice_cage_programs(const char *const *runnable);
/* RLIMIT_AS: what is mapped now and memory more; files: as many descriptors; bytes: of a file that
 * is written. Processes are the filter's: RLIMIT_NPROC counts threads, of all that the user runs.
 */
int sluice_cage_limits(uint64_t memory, unsigned int files, uint64_t bytes);

#endif
