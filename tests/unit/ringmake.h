/* SPDX-License-Identifier: MIT */
/* ringmake.h - a gate for tests: the real gate's side of the ring (kmod/ring.c) over a memfd. */
#ifndef SLUICE_TEST_RINGMAKE_H
#define SLUICE_TEST_RINGMAKE_H

#include "kmod/ring.h"

struct ringmake {
	int fd;
	uint64_t size;
	void *map, *priv;
	struct sluice_ring ring;
	uint64_t epoch, time_ns, delivered;
	uint16_t width, height;
	uint32_t format, state;
	uint32_t event;	 /* of the frames that come; 0: none */
	uint16_t reason; /* 0: MOTION */
};

/* Exits on failure. descs: power of two. */
void ringmake_open(struct ringmake *g, const char *name, uint32_t descs, uint64_t arena_bytes);
void ringmake_close(struct ringmake *g);
/* A new epoch; frames are MJPEG until format is changed. */
void ringmake_stream(struct ringmake *g, uint64_t epoch, uint16_t width, uint16_t height);
/* Deliver and publish a frame of these bytes. Returns 0, or -ENOSPC: the ring is full. */
int ringmake_frame(struct ringmake *g, uint64_t sequence, const void *bytes, uint32_t size);
/* Set the state's bits. */
void ringmake_state(struct ringmake *g, uint32_t state);

#endif
