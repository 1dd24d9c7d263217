/* SPDX-License-Identifier: MIT */
/*
 * worker_rig.h - a worker alone, for tests: a data directory in which the frames of two cameras are
 * stored (a thing walks through the picture), the bus, and what the worker tells. No device, no
 * server: what a session would have put on the bus is put there by the rig.
 */
#ifndef SLUICE_TEST_WORKER_RIG_H
#define SLUICE_TEST_WORKER_RIG_H

#include "cloud/quarantine.h"
#include "cloud/sandbox.h"
#include "cloud/shelf.h"
#include "cloud/worker.h"

#define WORKER_RIG_CAMERAS 2
#define WORKER_RIG_FRAMES  16 /* of each camera */
#define WORKER_RIG_EPOCH   5

struct worker_rig {
	char data[64];
	struct sluice_keyring ring;
	struct sluice_cameras *cameras;
	const struct sluice_camera *camera[WORKER_RIG_CAMERAS];
	struct {
		uint8_t *jpeg;
		size_t size;
	} frame[WORKER_RIG_FRAMES];
	struct sluice_sandbox_config limits;
	int sandboxed;
	int digests; /* are made too */
	int live;    /* frames are stored when the worker lives already, not before */
	int crew;    /* live, in a crew, on a bus that other processes might be on too */
	int stolen;  /* live, in a crew: the holder before counted as dead, and has taken all chunks
		      */
	int filled;  /* they are stored */
};

/* What a life of the worker has told and left. */
struct worker_life {
	int err; /* of sluice_worker_open(); then it was none */
	struct {
		int summaries, done, events;
		int early; /* DONE came before the summary */
	} told[WORKER_RIG_CAMERAS];
	unsigned long aside;  /* chunks that were given up */
	unsigned long deaths; /* of children; its own end is none */
	unsigned long later;  /* frames that were left for later: there was no room */
	size_t quarantined;
	long left;	/* blocks of memory, less those there were before */
	char log[8192]; /* what it said, cut */
};

/* What there is of a camera afterwards. */
struct worker_left {
	int summaries, digests;
	char *digest; /* JSON of the last digest, the caller's; NULL: there is none */
	char *json;   /* of the last of them, the caller's; NULL: there is none */
	int open;     /* its epoch is not done */
};

/* Pictures and names. Exits on failure, as those below do. */
void worker_rig_begin(struct worker_rig *rig);
void worker_rig_end(struct worker_rig *rig);

/* A fresh data directory. */
void worker_rig_make(struct worker_rig *rig);
void worker_rig_remove(struct worker_rig *rig);

/*
 * A life: the worker is started, is given all that the devices sent (if `sent`), and ended when it
 * has done all of it. In the first one of a directory the frames are stored, too. before() is
 * called just before the worker starts, or (live) just before it is given anything; after() just
 * after its end; both may be NULL.
 */
void worker_rig_live(struct worker_rig *rig, struct worker_life *life, int sent,
		     void (*before)(void *ctx), void (*after)(void *ctx), void *ctx);

/* Looks; key frames are compared with what was stored. */
void worker_rig_look(struct worker_rig *rig, unsigned int camera, struct worker_left *left);

#endif
