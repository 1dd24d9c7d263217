/* SPDX-License-Identifier: MIT */
/* worker.h - a thread that analyses the cameras of one partition and stores their summaries. */
#ifndef SLUICE_WORKER_H
#define SLUICE_WORKER_H

#include <stdatomic.h>

#include "cloud/bus.h"
#include "cloud/media.h"

struct sluice_worker;
struct sluice_fleet;
struct sluice_detector;
struct sluice_quarantine;
struct sluice_sandbox_config;
struct sluice_retune_config;

/* An epoch, or a run of back-fill, of which everything is analysed. */
struct sluice_done {
	uint64_t epoch;
	uint32_t lane;			  /* enum sluice_wire_lane */
	uint64_t range_first, range_last; /* of back-fill */
};

/* Called in the worker's threads. Pointers are borrowed. */
struct sluice_worker_ops {
	/* an event has begun; json is to be pushed if the device is there */
	void (*event)(void *ctx, const struct sluice_camera *c, const char *json);
	/* a summary is durable in index and media, and is to be delivered */
	void (*summary)(void *ctx, const struct sluice_camera *c, const char *id);
	/* everything of it is analysed; its summaries were told before */
	void (*done)(void *ctx, const struct sluice_camera *c, const struct sluice_done *d);
	/* something else is wanted of its gate (tuner.h); may be NULL */
	void (*retuned)(void *ctx, const struct sluice_camera *c);
};

struct sluice_worker_config {
	const char *data; /* the data directory, borrowed */
	struct sluice_bus *bus;
	unsigned int partition; /* from bus->partitions on: of back-fill */
	struct sluice_cameras *cameras;
	struct sluice_media *media;
	struct sluice_fleet *fleet;		     /* where zones are; NULL: there are none */
	const struct sluice_retune_config *retune;   /* borrowed; NULL: gates are not looked at */
	int digests;				     /* make digests too */
	const char *h264;			     /* path of ffmpeg, borrowed; NULL: none */
	const struct sluice_sandbox_config *sandbox; /* borrowed; NULL: no children */
	struct sluice_detector *detector;	     /* borrowed; NULL: there is none */
	struct sluice_quarantine *quarantine;	     /* borrowed; with a sandbox */
	const struct sluice_worker_ops *ops;
	void *ctx;
};

/* Workers of this process that still read again what an earlier life has stored and not told: until
 * it is 0 there may be files of summaries that no index knows yet. */
extern atomic_uint sluice_workers_behind;

/* Claims the partition, opens an index and starts the thread. c is copied. -EBUSY, -EAGAIN: the
 * partition is not to be had now (bus.h). On a bus of several processes the thread opens the index,
 * so that one worker does not wait for another's. */
int sluice_worker_open(const struct sluice_worker_config *c, struct sluice_worker **out);

/* The thread ends after its present chunk, which is acked. Any thread. */
void sluice_worker_leave(struct sluice_worker *w);
/* Of its lease. */
uint64_t sluice_worker_token(const struct sluice_worker *w);
/* Other than 0: it has ended and is to be closed; 1: as asked, or because the lease is lost;
 * -errno: it could not begin. Any thread. */
int sluice_worker_ended(const struct sluice_worker *w);

/* Ends the thread after its present item and gives the partition up; open events are told after the
 * next start. Where it is not to wait half a second, call the bus's stop() before. NULL-safe. */
void sluice_worker_close(struct sluice_worker *w);

#endif
