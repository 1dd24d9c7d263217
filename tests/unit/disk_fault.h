/* SPDX-License-Identifier: MIT */
/*
 * disk_fault.h - io_uring with a disk that fails when it is told to: a back end of lib/io.h that
 * answers chosen requests on files itself.
 */
#ifndef SLUICE_TEST_DISK_FAULT_H
#define SLUICE_TEST_DISK_FAULT_H

#include "lib/io.h"

struct disk_fault {
	/* script */
	unsigned long fail_at; /* the so many-th request on a file from now, 1..; 0: none */
	int err;	       /* -errno that it gets */
	bool stays;	       /* and all writing ones behind it */
	/* what happened */
	unsigned long count, failed;
};

extern struct disk_fault disk_fault;
extern const struct sluice_io_backend disk_fault_backend;

#endif
