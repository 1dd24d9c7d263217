/* SPDX-License-Identifier: MIT */
/*
 * room.h - how a child's memory is promised to the cameras that it analyses. A child that runs out
 * of memory takes all its cameras with it, so no more are given to it than fit: each is promised
 * what an analysis of pictures of its size may come to hold. No input or output.
 */
#ifndef SLUICE_ROOM_H
#define SLUICE_ROOM_H

#include <stdint.h>

struct sluice_room {
	uint64_t memory; /* bytes that the child may use */
	uint64_t taken;	 /* of them promised */
	uint32_t cameras;
	uint32_t tight;	   /* times that the promises were too small: each takes an eighth off */
	uint64_t tight_ms; /* the last time */
};

/* Bytes for a camera with such pictures; 0, 0: none was seen yet. */
uint64_t sluice_room_need(uint32_t width, uint32_t height);

/* Are there bytes for another camera (was 0), or for one that has was already? The only camera of a
 * child always fits. */
int sluice_room_fits(const struct sluice_room *r, uint64_t was, uint64_t bytes);
/* 0, -ENOBUFS: there are not. */
int sluice_room_take(struct sluice_room *r, uint64_t was, uint64_t bytes);
void sluice_room_leave(struct sluice_room *r, uint64_t bytes);

/* The child is no more. starved: it had no memory, though all had been promised theirs. now_ms: of
 * a clock that only rises. */
void sluice_room_end(struct sluice_room *r, int starved, uint64_t now_ms);
/* After SLUICE_ROOM_EASE_MS without that, one of the eighths is given back. */
void sluice_room_ease(struct sluice_room *r, uint64_t now_ms);

#define SLUICE_ROOM_EASE_MS 600000

#endif
