/* SPDX-License-Identifier: MIT */
/* seccomp.h - after the start the relay gives up the system calls that it does not need. */
#ifndef RELAY_SECCOMP_H
#define RELAY_SECCOMP_H

#include <stdbool.h>
#include <stddef.h>

/*
 * For all threads, and for ever; children inherit it. exec: programs may be started (a hook is
 * set). 0, or -errno with a sentence in why; -ENOSYS: this kernel has no filters.
 */
int relay_seccomp_apply(bool exec, char *why, size_t why_size);

#endif
