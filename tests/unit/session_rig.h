/* SPDX-License-Identifier: MIT */
/*
 * session_rig.h - for the tests of sessions: the device box1 with its camera "door" against a
 * cloud, what comes back, and what is in the store. Each checks by CHECK() that it goes as it
 * should.
 */
#ifndef SLUICE_TEST_SESSION_RIG_H
#define SLUICE_TEST_SESSION_RIG_H

#include "cloud/index.h"
#include "tests/unit/uplink.h"

#define MOTION	  8
#define KEEPALIVE 11
#define CORRUPT	  16

extern struct cloud session_cloud;

/* A field of the last message; UINT64_MAX: it has none. */
uint64_t session_u64(struct uplink *u, uint16_t tag);
/* OPEN, and the resume point of its OPENED. */
uint64_t session_camera(struct uplink *u, uint64_t epoch);
/* Until it is STORED up to that frame. */
void session_stored(struct uplink *u, uint64_t sequence);
/* SUMMARY and all its media, compared with their hashes. 1, and its id. */
int session_summary(struct uplink *u, char id[33]);
/* CLOSE with an event open: its summary comes before DONE. */
void session_close_tells(uint64_t epoch);

/* The caller closes it. */
struct sluice_index *session_index(void);
/* Is the frame in the store, byte for byte? size: as it was sent. */
int session_has(uint64_t epoch, uint64_t sequence, size_t size);

#endif
