/* SPDX-License-Identifier: MIT */
/* filter.h - what system call filters of several programs have in common; libseccomp below. */
#ifndef SLUICE_LIB_FILTER_H
#define SLUICE_LIB_FILTER_H

#include <seccomp.h>
#include <stddef.h>
#include <stdint.h>

/* One rule for each name; a name that this libseccomp or this machine does not know is passed over.
 * 0 or -errno. */
int sluice_filter_names(scmp_filter_ctx f, uint32_t action, const char *const *names, size_t count);

/* mmap and mprotect are allowed, but not for what is writable and executable at once. */
int sluice_filter_memory(scmp_filter_ctx f);

#endif
