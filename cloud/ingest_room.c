// SPDX-License-Identifier: MIT
/*
 * ingest_room.c - the disk is full: no credit is granted (sluice_ingest_fill()), so that the
 * devices keep their frames where they are, and once a second it is tried whether as much
 * can be had as a device may have under way. Then credit flows by itself; a small group that still
 * finds its place does not mean that. What had been acknowledged is not touched by any
 * of it.
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "cloud/ingest_state.h"
#include "lib/log.h"

#define PROBE_BYTES (8u << 20)

static void set_full(struct sluice_ingest *in, int full)
{
	int changed;

	pthread_mutex_lock(&in->lock);
	changed = in->stats.full != full;
	in->stats.full = full;
	in->stats.fulls += (uint64_t)(changed && full);
	pthread_mutex_unlock(&in->lock);
	if (changed && full)
		sluice_error("the disk of %s is full: nothing more is taken until there is room; "
			     "what was acknowledged is safe",
			     in->c.data);
	else if (changed)
		sluice_info("there is room again: frames are taken");
}

void ingest_room_note(struct sluice_ingest *in, int err)
{
	pthread_mutex_lock(&in->lock);
	in->stats.failed += err != 0;
	in->stats.groups += err == 0;
	pthread_mutex_unlock(&in->lock);
	if (err == -ENOSPC || err == -EFBIG)
		set_full(in, 1);
}

/* In a file without a name. */
static int write_probe(const char *data)
{
	static const uint8_t zeros[65536];
	int fd = open(data, O_TMPFILE | O_WRONLY | O_CLOEXEC, 0600), err = 0;
	size_t done;

	if (fd < 0)
		return -errno;
	if (fallocate(fd, 0, 0, PROBE_BYTES) < 0)
		err = -errno;
	if (err == -EOPNOTSUPP) {
		err = 0;
		for (done = 0; done < PROBE_BYTES && !err; done += sizeof(zeros))
			if (write(fd, zeros, sizeof(zeros)) != sizeof(zeros))
				err = -ENOSPC;
		if (!err && fdatasync(fd) < 0)
			err = -errno;
	}
	close(fd);
	return err;
}

void ingest_room_try(struct sluice_ingest *in)
{
	struct timespec now;
	int err;

	clock_gettime(CLOCK_MONOTONIC, &now);
	if (now.tv_sec == in->room_tried_s)
		return;
	in->room_tried_s = now.tv_sec;
	/* a file system without O_TMPFILE: then the next frame tries it */
	err = write_probe(in->c.data);
	if (!err || err == -EOPNOTSUPP)
		set_full(in, 0);
}

void sluice_ingest_stats(struct sluice_ingest *in, struct sluice_ingest_stats *out)
{
	pthread_mutex_lock(&in->lock);
	*out = in->stats;
	pthread_mutex_unlock(&in->lock);
}
