// SPDX-License-Identifier: MIT
/*
 * test_spool_damage.c - what was settled in the spool is there after any end, in order and once,
 * whatever byte is missing or changed, whichever request of the disk fails; what goes is counted.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "check.h"
#include "disk_fault.h"
#include "spool_rig.h"

#define FRAMES_MAX 4096

/* Files whose bytes are durable. */
static ino_t safe[64];
static unsigned int safe_count;

int fdatasync(int fd)
{
	struct stat st;

	if (safe_count < 64 && !fstat(fd, &st))
		safe[safe_count++] = st.st_ino;
	return (int)syscall(SYS_fdatasync, fd);
}

/* What a power failure makes of the mark. */
static void tear_mark(void)
{
	struct stat st;
	char mark[80];
	unsigned int i = 0;

	snprintf(mark, sizeof(mark), "%s/mark.json", rig.dir);
	CHECK(!stat(mark, &st));
	while (i < safe_count && safe[i] != st.st_ino)
		i++;
	if (i == safe_count)
		CHECK(!truncate(mark, st.st_size / 2));
}

static uint8_t image[1 << 16];
static size_t image_size;

/* Eight frames in four batches, in one segment. */
static void make_image(void)
{
	struct stat st;
	int fd;

	spool_rig_open();
	for (uint64_t i = 0; i < 8; i++) {
		CHECK(!spool_rig_add("a", 3, i, SLUICE_REASON_MOTION, 1, 20, i > 0));
		if (i % 2)
			spool_rig_settle();
	}
	spool_rig_close(true);
	fd = open(spool_rig_segment('m'), O_RDONLY);
	CHECK(fd >= 0 && !fstat(fd, &st) && st.st_size < (off_t)sizeof(image));
	image_size = (size_t)read(fd, image, sizeof(image));
	CHECK(image_size == (size_t)st.st_size);
	close(fd);
}

static void put_image(const char *path, size_t size)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);

	CHECK(fd >= 0 && write(fd, image, size) == (ssize_t)size);
	close(fd);
}

/* Takes all there is; bit i: frame i came. In order, unchanged, none twice. */
static unsigned int take_all(void)
{
	struct relay_spool_frame f;
	unsigned int got = 0;
	int64_t last = -1;

	while (spool_rig_next(&f) == 1) {
		CHECK((int64_t)f.sequence > last && f.sequence < 8 && spool_rig_good(&f, 20));
		last = (int64_t)f.sequence;
		got |= 1u << f.sequence;
		CHECK(!relay_spool_taken(rig.spool));
	}
	return got;
}

static bool settles(uint64_t sequence, uint16_t reason)
{
	const struct sluice_ring_desc d = { .epoch = 5, .sequence = sequence, .reason = reason };

	return relay_spool_settle(rig.spool, "a", &d);
}

/* A crash between the syncs of the two classes: what the ring gives up for it is in the ledger,
 * even if the machine dies then. */
static void test_between_syncs(void)
{
	spool_rig_open();
	for (uint64_t i = 0; i < 3; i++)
		CHECK(!spool_rig_add("a", 5, i,
				     i == 1 ? SLUICE_REASON_KEEPALIVE : SLUICE_REASON_MOTION, 1, 20,
				     i > 0));
	spool_rig_settle();
	spool_rig_close(true);
	CHECK(!unlink(spool_rig_segment('f')));
	safe_count = 0;
	spool_rig_open();
	CHECK(settles(0, SLUICE_REASON_MOTION) && settles(1, SLUICE_REASON_KEEPALIVE));
	CHECK(settles(2, SLUICE_REASON_MOTION) && !settles(3, SLUICE_REASON_MOTION));
	CHECK(relay_spool_counts(rig.spool, "a")->evicted[SLUICE_REASON_KEEPALIVE] == 1);
	spool_rig_close(true);
	tear_mark();
	spool_rig_open();
	CHECK(relay_spool_counts(rig.spool, "a")->evicted[SLUICE_REASON_KEEPALIVE] == 1);
	CHECK(relay_spool_left(rig.spool) == 2);
	spool_rig_close(false);
	spool_rig_empty();
}

static size_t end_of(unsigned int frame)
{
	size_t at = 0;

	for (unsigned int i = 0; i <= frame; i++)
		at += relay_spool_record_size(20 + i * 7 % 13);
	return at;
}

static void test_truncated(void)
{
	char path[400];

	make_image();
	CHECK(end_of(7) == image_size);
	snprintf(path, sizeof(path), "%s", spool_rig_segment('m'));
	for (size_t size = 0; size <= image_size; size++) {
		unsigned int whole = 0;

		while (whole < 8 && end_of(whole) <= size)
			whole++;
		spool_rig_empty();
		put_image(path, size);
		spool_rig_open();
		CHECK(relay_spool_left(rig.spool) == whole && take_all() == (1u << whole) - 1);
		/* and it goes on */
		if (size % 50 == 0) {
			CHECK(!spool_rig_add("a", 3, 100, SLUICE_REASON_MOTION, 1, 20, false));
			spool_rig_settle();
			CHECK(relay_spool_left(rig.spool) == whole + 1);
		}
		spool_rig_close(false);
	}
	spool_rig_empty();
}

/* What changes costs the frame that it is in; behind the last sync, also those after it. */
static void test_flipped(void)
{
	unsigned int lost_others = 0;
	char path[400];

	make_image();
	snprintf(path, sizeof(path), "%s", spool_rig_segment('m'));
	for (size_t at = 0; at < image_size; at++) {
		unsigned int hit = 0, got, must;

		while (end_of(hit) <= at)
			hit++;
		spool_rig_empty();
		image[at] ^= 1u << at % 8;
		put_image(path, image_size);
		image[at] ^= 1u << at % 8;
		spool_rig_open();
		got = take_all();
		relay_spool_stored(rig.spool, 0, 3, 7);
		CHECK(!relay_spool_left(rig.spool));
		must = hit < 6 ? 0xffu & ~(1u << hit) : (1u << hit) - 1;
		CHECK((got & must) == must);
		lost_others += hit < 6 && (got | 1u << hit) != 0xff;
		/* nothing vanishes uncounted: it is damaged, or was cut off as never finished */
		if (hit < 6 && !(got & 1u << hit))
			CHECK(relay_spool_damaged(rig.spool) +
				      relay_spool_counts(rig.spool, "a")->damaged ==
			      1);
		spool_rig_close(false);
	}
	CHECK(!lost_others);
	spool_rig_empty();
}

/* ---- every request of the disk fails once, and for some time ---- */

static uint64_t run_with_faults(void)
{
	uint64_t frames = 0;
	int err;

	rig.segment_bytes = 6000;
	rig.bytes_max = 1 << 20;
	rig.mark_ms = 1; /* and what is empty goes as soon as it can */
	spool_rig_open();
	while (frames < 30) {
		uint16_t reason = frames % 4 ? SLUICE_REASON_MOTION : SLUICE_REASON_AUDIT;
		uint64_t batch = frames;

		while (frames < batch + 3) {
			err = spool_rig_add("a", 1, frames, reason, 1, 1000, frames > 0);
			if (err)
				break;
			frames++;
		}
		if (frames == batch) { /* refused: it tries again by itself */
			CHECK(relay_spool_state(rig.spool) > RELAY_SPOOL_EVICTING);
			if (disk_fault.stays && disk_fault.failed > 5)
				disk_fault.fail_at = 0; /* repaired */
			sluice_io_turn(rig.io, 5);
			continue;
		}
		spool_rig_settle();
		if (rig.settled_err)
			frames = batch; /* they are ours again */
	}
	CHECK(relay_spool_state(rig.spool) <= RELAY_SPOOL_EVICTING);
	CHECK(relay_spool_left(rig.spool) == frames);
	disk_fault.fail_at = 0;
	spool_rig_close(true);
	return frames;
}

static void check_all(uint64_t frames)
{
	struct relay_spool_frame f;

	spool_rig_open();
	CHECK(relay_spool_left(rig.spool) == frames && !relay_spool_damaged(rig.spool));
	for (uint64_t i = 0; i < frames; i++) {
		CHECK(spool_rig_next(&f) == 1 && f.sequence == i && spool_rig_good(&f, 1000));
		CHECK(!relay_spool_skip(rig.spool));
	}
	CHECK(spool_rig_next(&f) == 0);
	spool_rig_close(false);
	rig.segment_bytes = rig.bytes_max = 0;
	spool_rig_empty();
}

static void test_faults(void)
{
	static const int errs[] = { -ENOSPC, -EROFS, -EIO };
	unsigned long requests;

	disk_fault.fail_at = 0;
	disk_fault.count = 0;
	check_all(run_with_faults());
	requests = disk_fault.count;
	CHECK(requests > 30);
	for (unsigned long n = 1; n <= requests; n++)
		for (int stays = 0; stays < 2; stays++) {
			disk_fault = (struct disk_fault){ .fail_at = n,
							  .err = errs[(n + stays) % 3],
							  .stays = stays };
			check_all(run_with_faults());
		}
}

/* A reader's request fails once: it is made again. */
static void test_read_fault(void)
{
	struct relay_spool_frame f;
	uint64_t got = 0;

	rig.segment_bytes = 6000;
	rig.bytes_max = 1 << 20;
	spool_rig_open();
	for (uint64_t i = 0; i < 30; i++) {
		CHECK(!spool_rig_add("a", 1, i, SLUICE_REASON_MOTION, 1, 1000, i > 0));
		if (i % 3 == 2)
			spool_rig_settle();
	}
	disk_fault = (struct disk_fault){ .fail_at = 2, .err = -EIO };
	while (spool_rig_next(&f) == 1) {
		CHECK(!relay_spool_skip(rig.spool));
		got++;
	}
	relay_spool_stored(rig.spool, 0, 1, 0); /* sweeps */
	CHECK(got == 30 && !relay_spool_counts(rig.spool, "a")->damaged &&
	      !relay_spool_left(rig.spool));
	spool_rig_close(false);
	rig.segment_bytes = rig.bytes_max = 0;
	spool_rig_empty();
}

int main(int argc, char **argv)
{
	int rc = spool_rig_begin(argc, argv);

	if (rc)
		return rc;
	test_between_syncs();
	test_truncated();
	test_flipped();
	test_faults();
	test_read_fault();
	spool_rig_end();
	return check_result();
}
