/* SPDX-License-Identifier: MIT */
/*
 * ingest.h - the writer thread: takes what devices send, makes it durable in groups, tells the
 * sessions, hands it on to the bus.
 */
#ifndef SLUICE_INGEST_H
#define SLUICE_INGEST_H

#include <stddef.h>
#include <stdint.h>
#include "cloud/bus.h"
#include "cloud/counters.h"
#include "cloud/depot.h"
#include "cloud/seal.h"

#define SLUICE_COMMIT_MS    200
#define SLUICE_COMMIT_BYTES (1u << 20)
#define SLUICE_WHOLE_BYTES  (64u << 20) /* of a group whose segments are put whole */

enum sluice_told_kind {
	SLUICE_TOLD_OPENED,   /* value: resume point */
	SLUICE_TOLD_STORED,   /* value: every frame of the slot's epoch up to it is durable */
	SLUICE_TOLD_RELEASED, /* bytes of credit and count of items that have left the queue */
	SLUICE_TOLD_FAILED,   /* err: what was in the group is not stored; close the session */
};

/* What the writer says to a session. */
struct sluice_told {
	enum sluice_told_kind kind;
	uint64_t session;
	uint32_t slot;
	uint64_t epoch, value;
	size_t bytes;
	uint32_t items;
	int err; /* FAILED: -ENOSPC, -EDQUOT (too many cameras), ... */
};

struct sluice_ingest;

struct sluice_ingest_config {
	const char *data;	    /* the data directory, borrowed */
	struct sluice_depot *depot; /* of the segments; NULL: the data directory. Borrowed */
	/* of a depot that takes whole segments: how long a group may wait for more, and how many
	 * bytes of one camera end it; 0: SLUICE_COMMIT_MS and SLUICE_COMMIT_BYTES */
	unsigned int whole_ms;
	size_t whole_bytes;
	const struct sluice_keyring *keys; /* seal what is stored; NULL: do not. Borrowed */
	struct sluice_bus *bus;
	struct sluice_counters *counters;
	/* In the writer's thread. told is a malloc'd array, the callee's. */
	void (*tell)(void *ctx, struct sluice_told *told, size_t count);
	void *ctx;
};

/* Opens the index and starts the thread. c is copied. */
int sluice_ingest_open(const struct sluice_ingest_config *c, struct sluice_ingest **out);

/* Any thread. Takes the item. Never blocks: the sessions' credit bounds what waits here. */
void sluice_ingest_put(struct sluice_ingest *in, struct sluice_item *item);

/* Bytes that wait here, unpublished chunks included. Any thread. NULL-safe. */
size_t sluice_ingest_fill(struct sluice_ingest *in);

/* 0, or the -errno for which nothing can be stored at present; it is tried again every
 * SLUICE_PROBE_MS. Any thread. NULL-safe. */
#define SLUICE_PROBE_MS 1000
int sluice_ingest_error(struct sluice_ingest *in);

/* Stores and tells what is queued, ends the thread, closes the segments. NULL-safe. Chunks that the
 * bus does not take now are dropped: the worker reads them from the segments at the next start. */
void sluice_ingest_close(struct sluice_ingest *in);

/* Called at each step of a commit, if set: tests end the process there. */
enum sluice_commit_point {
	SLUICE_POINT_APPENDED,
	SLUICE_POINT_SYNCED,
	SLUICE_POINT_COMMITTED,
	SLUICE_POINT_TOLD,
};
extern void (*sluice_ingest_point)(enum sluice_commit_point point);

#endif
