/* SPDX-License-Identifier: MIT */
/* spool_rig.h - a spool for tests, on a disk that fails when it is told to (disk_fault.h). */
#ifndef SLUICE_TEST_SPOOL_RIG_H
#define SLUICE_TEST_SPOOL_RIG_H

#include "relay/spool.h"

#define SPOOL_RIG_BOOT "00000000-0000-4000-8000-000000000001"

extern struct spool_rig {
	struct sluice_io *io;
	struct relay_spool *spool;
	char dir[64];
	int settled, settled_err; /* how often, and how the last time */
	/* of the next open() */
	uint64_t bytes_max;
	uint32_t segment_bytes, mark_ms;
	const char *boot;
	struct sluice_wire_clock wall; /* what its clock says now */
} rig;

/* 0, or the exit code of a test that cannot run. */
int spool_rig_begin(int argc, char **argv);
void spool_rig_end(void);
void spool_rig_open(void);
/* kill: as if the process had died: nothing is marked. */
void spool_rig_close(bool kill);
/* No file is in the directory any more. */
void spool_rig_empty(void);
/* Path of the only segment of that class, 'm' or 'f'; static. */
const char *spool_rig_segment(char class);

/* A frame whose bytes, `base` of them and a few, follow from its names. As relay_spool_add(). */
int spool_rig_add(const char *camera, uint64_t epoch, uint64_t sequence, uint16_t reason,
		  uint32_t event, uint32_t base, bool joined);
/* Until what was added is settled. */
void spool_rig_settle(void);
/* The next frame; 0: there is none. */
int spool_rig_next(struct relay_spool_frame *f);
/* Is it as it was added, with that base? */
bool spool_rig_good(const struct relay_spool_frame *f, uint32_t base);
/* Frames given up of a camera, whatever they were. */
uint64_t spool_rig_evicted(const char *camera);

#endif
