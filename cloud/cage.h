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

/* The version of Landlock that this kernel has, 0: none. */
int sluice_cage_landlock(void);

#endif
