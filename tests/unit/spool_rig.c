// SPDX-License-Identifier: MIT
/* spool_rig.c - see spool_rig.h. */
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/log.h"
#include "tests/unit/check.h"
#include "tests/unit/disk_fault.h"
#include "tests/unit/spool_rig.h"

struct spool_rig rig = { .boot = SPOOL_RIG_BOOT, .wall = { 1000, 1700000000000000000ull, 7 } };

static void on_settled(void *arg, int err)
{
	rig.settled++;
	rig.settled_err = err;
}

static void clock_now(struct sluice_wire_clock *c)
{
	*c = rig.wall;
}

void spool_rig_open(void)
{
	struct relay_spool_config c = { .io = rig.io,
					.dir = rig.dir,
					.bytes_max = rig.bytes_max,
					.segment_bytes = rig.segment_bytes,
					.commit_ms = 1,
					.mark_ms = rig.mark_ms,
					.retry_ms = 1,
					.boot = rig.boot,
					.clock = clock_now,
					.settled = on_settled };
	int err;

	rig.spool = relay_spool_open(&c, &err);
	if (!rig.spool) {
		printf("cannot open the spool: %s\n", strerror(-err));
		exit(1);
	}
}

void spool_rig_close(bool kill)
{
	char mark[80], kept[80];

	snprintf(mark, sizeof(mark), "%s/mark.json", rig.dir);
	snprintf(kept, sizeof(kept), "%s/kept.json", rig.dir);
	if (kill && !access(mark, F_OK))
		rename(mark, kept);
	relay_spool_stop(rig.spool);
	if (kill) {
		unlink(mark);
		if (!access(kept, F_OK))
			rename(kept, mark);
	}
	for (int i = 0; i < 5; i++)
		sluice_io_turn(rig.io, 0);
	relay_spool_close(rig.spool);
	rig.spool = NULL;
}

void spool_rig_empty(void)
{
	DIR *d = opendir(rig.dir);
	struct dirent *e;
	char path[400];

	while (d && (e = readdir(d))) {
		snprintf(path, sizeof(path), "%s/%s", rig.dir, e->d_name);
		unlink(path);
	}
	if (d)
		closedir(d);
}

const char *spool_rig_segment(char class)
{
	static char path[400];
	DIR *d = opendir(rig.dir);
	struct dirent *e;

	path[0] = 0;
	while (d && (e = readdir(d)))
		if (strlen(e->d_name) == 22 && e->d_name[17] == class)
			snprintf(path, sizeof(path), "%s/%s", rig.dir, e->d_name);
	if (d)
		closedir(d);
	return path;
}

/* The bytes of a frame follow from its names. */
static uint32_t make_bytes(const char *camera, uint64_t sequence, uint8_t *out, uint32_t base)
{
	uint32_t size = base + (uint32_t)(sequence * 7 % 13);

	for (uint32_t i = 0; i < size; i++)
		out[i] = (uint8_t)(camera[0] + sequence * 5 + i * 3);
	return size;
}

int spool_rig_add(const char *camera, uint64_t epoch, uint64_t sequence, uint16_t reason,
		  uint32_t event, uint32_t base, bool joined)
{
	static uint8_t bytes[70000];
	struct sluice_ring_desc d = { .epoch = epoch,
				      .sequence = sequence,
				      .time_ns = 1000 + sequence,
				      .reason = reason,
				      .event = event,
				      .width = 64,
				      .height = 48,
				      .format = 1 };
	struct relay_payload p = { .count = 2 };
	uint32_t size = make_bytes(camera, sequence, bytes, base);

	p.iov[0] = (struct iovec){ bytes, 3 };
	p.iov[1] = (struct iovec){ bytes + 3, size - 3 };
	p.size = size;
	return relay_spool_add(rig.spool, camera, &d, 1000, &p, joined);
}

void spool_rig_settle(void)
{
	int before = rig.settled;

	relay_spool_flush(rig.spool);
	for (int i = 0; i < 2000 && rig.settled == before; i++)
		sluice_io_turn(rig.io, 5);
	CHECK(rig.settled == before + 1);
}

int spool_rig_next(struct relay_spool_frame *f)
{
	int got = 0;

	for (int i = 0; i < 2000; i++) {
		got = relay_spool_peek(rig.spool, f);
		if (got != -EAGAIN)
			break;
		sluice_io_turn(rig.io, 5);
	}
	return got;
}

bool spool_rig_good(const struct relay_spool_frame *f, uint32_t base)
{
	static uint8_t bytes[70000];
	uint32_t size =
		make_bytes(relay_spool_camera(rig.spool, f->run->camera), f->sequence, bytes, base);

	return size == f->size && !memcmp(bytes, f->payload, size) &&
	       f->time_ns == 1000 + f->sequence && f->run->first <= f->sequence &&
	       f->sequence <= f->run->last;
}

uint64_t spool_rig_evicted(const char *camera)
{
	const struct relay_spool_counts *c = relay_spool_counts(rig.spool, camera);
	uint64_t sum = 0;

	for (int i = 0; c && i < SLUICE_REASON_COUNT; i++)
		sum += c->evicted[i];
	return sum;
}

int spool_rig_begin(int argc, char **argv)
{
	struct sluice_io_config config = { .backend = &disk_fault_backend };
	char why[256];
	int err;

	random_seed(seed_of(argc, argv));
	sluice_log_setup("test_spool", SLUICE_LOG_ERROR + 1, false);
	rig.io = sluice_io_open(&config, &err, why, sizeof(why));
	if (!rig.io) {
		printf("%s\n", why);
		return err == -ENOSYS || err == -EPERM ? 77 : 1;
	}
	/* thousands of syncs: in memory where that is possible */
	snprintf(rig.dir, sizeof(rig.dir), "%s/test_spool.%d",
		 access("/dev/shm", W_OK) ? "/tmp" : "/dev/shm", (int)getpid());
	return 0;
}

void spool_rig_end(void)
{
	spool_rig_empty();
	rmdir(rig.dir);
	sluice_io_close(rig.io);
}
