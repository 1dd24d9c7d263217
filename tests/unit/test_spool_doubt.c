// SPDX-License-Identifier: MIT
/*
 * test_spool_doubt.c - a batch that failed and could not be cut off is taken for a settled one
 * after a crash. Its frames may have been sent from the ring, so none of them may lie in the range
 * of a run that has older ones: what the cloud has of a range it has from its beginning on.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "check.h"
#include "disk_fault.h"
#include "spool_rig.h"

/* Nothing in the directory can be changed. */
static bool stuck;

int truncate(const char *path, off_t size)
{
	errno = EROFS;
	return stuck ? -1 : (int)syscall(SYS_truncate, path, size);
}

int unlink(const char *path)
{
	errno = EROFS;
	return stuck ? -1 : (int)syscall(SYS_unlink, path);
}

int rename(const char *from, const char *to)
{
	errno = EROFS;
	return stuck ? -1 : (int)syscall(SYS_rename, from, to);
}

static void stick(bool on)
{
	stuck = on;
	disk_fault = (struct disk_fault){ .fail_at = on, .err = -EROFS, .stays = on };
}

/* It dies; what was known on the disk stays so. */
static void crash(void)
{
	bool was = stuck;

	stuck = false;
	spool_rig_close(true);
	stuck = was;
}

static void add(uint64_t sequence, uint16_t reason, bool joined)
{
	CHECK(!spool_rig_add("a", 3, sequence, reason, 1, 20, joined));
}

/* The batch that was added is on the disk, and its sync fails; so does all that follows. */
static void fail_at_sync(unsigned int requests)
{
	int before = rig.settled;

	disk_fault = (struct disk_fault){ .fail_at = requests, .err = -EROFS, .stays = true };
	stuck = true;
	relay_spool_flush(rig.spool);
	for (int i = 0; i < 2000 && rig.settled == before; i++)
		sluice_io_turn(rig.io, 5);
	CHECK(rig.settled > before && rig.settled_err == -EROFS);
	CHECK(relay_spool_state(rig.spool) == RELAY_SPOOL_READ_ONLY);
}

/* The next frame is that one, in a run of that range. */
static void check_next(uint64_t sequence, uint64_t first, uint64_t last)
{
	struct relay_spool_frame f = { 0 };

	CHECK(spool_rig_next(&f) == 1);
	if (!f.run)
		return;
	CHECK(f.sequence == sequence && spool_rig_good(&f, 20));
	CHECK(f.run->first == first && f.run->last == last);
	CHECK(!relay_spool_taken(rig.spool));
}

static void check_parted(void)
{
	check_next(0, 0, 2);
	check_next(2, 0, 2);
	check_next(5, 3, 9);
	check_next(7, 3, 9);
	check_next(9, 3, 9);
}

/* Frames 0 and 2 are the spool's; 5, 7 and 9 are not, and lie behind them. */
static void leave_batch(void)
{
	spool_rig_open();
	add(0, SLUICE_REASON_MOTION, false);
	add(2, SLUICE_REASON_AUDIT, true);
	spool_rig_settle();
	add(5, SLUICE_REASON_AUDIT, true);
	add(7, SLUICE_REASON_MOTION, true);
	add(9, SLUICE_REASON_AUDIT, true);
	fail_at_sync(4); /* write, sync of the one class, write, sync of the other */
	check_next(0, 0, 2);
	check_next(2, 0, 2);
	CHECK(relay_spool_left(rig.spool) == 2);
	crash();
}

static void test_parted(void)
{
	leave_batch();
	stick(false);
	spool_rig_open();
	check_parted();
	add(11, SLUICE_REASON_MOTION, false);
	spool_rig_settle();
	crash();
	/* a newer batch is there now, and the same is known of the older ones */
	spool_rig_open();
	check_parted();
	check_next(11, 11, 11);
	/* what is resolved is so for good, in both of them */
	relay_spool_stored(rig.spool, 0, 3, 7);
	CHECK(relay_spool_left(rig.spool) == 2);
	spool_rig_close(false);
	spool_rig_open();
	check_next(9, 3, 9);
	check_next(11, 11, 11);
	spool_rig_close(false);
	spool_rig_empty();
}

/* Nothing is taken before a durable mark says what was found, however often it dies. */
static void test_still_stuck(void)
{
	leave_batch();
	for (int i = 0; i < 3; i++) {
		stick(true);
		spool_rig_open();
		check_parted();
		CHECK(spool_rig_add("a", 3, 11, SLUICE_REASON_MOTION, 1, 20, false) == -EROFS);
		for (int turn = 0; turn < 20; turn++)
			sluice_io_turn(rig.io, 1); /* it tries again by itself */
		CHECK(relay_spool_state(rig.spool) == RELAY_SPOOL_READ_ONLY);
		if (i < 2)
			crash();
	}
	stick(false);
	for (int i = 0; i < 2000 && relay_spool_state(rig.spool) != RELAY_SPOOL_OK; i++)
		sluice_io_turn(rig.io, 1);
	add(11, SLUICE_REASON_MOTION, false);
	spool_rig_settle();
	crash();
	spool_rig_open();
	check_parted();
	check_next(11, 11, 11);
	spool_rig_close(false);
	spool_rig_empty();
}

/* The batch that failed is the first of its segment, which cannot be removed. */
static void test_first_of_segment(void)
{
	rig.segment_bytes = 1;
	spool_rig_open();
	add(0, SLUICE_REASON_MOTION, false);
	spool_rig_settle();
	add(2, SLUICE_REASON_MOTION, true);
	fail_at_sync(4); /* open, sync of the directory, write, sync */
	disk_fault.fail_at = 0;
	for (int i = 0; i < 20; i++)
		sluice_io_turn(rig.io, 1);
	CHECK(relay_spool_state(rig.spool) == RELAY_SPOOL_READ_ONLY); /* it still lies there */
	crash();
	stick(false);
	spool_rig_open();
	check_next(0, 0, 0);
	check_next(2, 1, 2);
	CHECK(relay_spool_left(rig.spool) == 2);
	spool_rig_close(false);
	rig.segment_bytes = 0;
	spool_rig_empty();
}

/* What was cut off, or settled in a process that ended well, is in no doubt. */
static void test_no_doubt(void)
{
	struct relay_spool_frame f;

	spool_rig_open();
	add(0, SLUICE_REASON_MOTION, false);
	spool_rig_settle();
	add(2, SLUICE_REASON_MOTION, true);
	fail_at_sync(2);
	stick(false);
	for (int i = 0; i < 2000 && relay_spool_state(rig.spool) != RELAY_SPOOL_OK; i++)
		sluice_io_turn(rig.io, 1);
	add(2, SLUICE_REASON_MOTION, false);
	spool_rig_settle();
	add(4, SLUICE_REASON_MOTION, true);
	spool_rig_settle();
	spool_rig_close(false);
	spool_rig_open();
	check_next(0, 0, 0);
	check_next(2, 2, 4);
	check_next(4, 2, 4);
	CHECK(spool_rig_next(&f) == 0);
	spool_rig_close(false);
	spool_rig_empty();
}

int main(int argc, char **argv)
{
	int rc = spool_rig_begin(argc, argv);

	if (rc)
		return rc;
	test_parted();
	test_still_stuck();
	test_first_of_segment();
	test_no_doubt();
	spool_rig_end();
	return check_result();
}
