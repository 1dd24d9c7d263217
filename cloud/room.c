// SPDX-License-Identifier: MIT
/*
 * room.c - see room.h. The bytes are those of build/tests/bench_memory (docs/operations.md): an
 * analysis has about 58 a pixel of the small grey picture that it works on, and half a MiB besides,
 * before its first picture too; with an event that goes on up to 0.4 MiB more.
 */
#include "cloud/room.h"

#include <errno.h>

#include "cloud/decode.h"

#define FIXED	  (1152u << 10)
#define PER_PIXEL 58u
#define UNSEEN	  (640u << 10) /* no picture yet */
#define TIGHT_MAX 20

/* What is left for cameras: the child decodes and packs in the rest. */
static uint64_t room_of(const struct sluice_room *r)
{
	uint64_t spare = r->memory / 4 < 64u << 20 ? r->memory / 4 : 64u << 20;
	uint64_t room = r->memory - spare;

	for (uint32_t i = 0; i < r->tight; i++)
		room -= room / 8;
	return room;
}

uint64_t sluice_room_need(uint32_t width, uint32_t height)
{
	return width ? FIXED + PER_PIXEL * sluice_decode_pixels(width, height) : UNSEEN;
}

int sluice_room_fits(const struct sluice_room *r, uint64_t was, uint64_t bytes)
{
	return bytes <= was || r->cameras == (was != 0) || r->taken - was + bytes <= room_of(r);
}

int sluice_room_take(struct sluice_room *r, uint64_t was, uint64_t bytes)
{
	if (!sluice_room_fits(r, was, bytes))
		return -ENOBUFS;
	r->cameras += !was;
	r->taken += bytes - was;
	return 0;
}

void sluice_room_leave(struct sluice_room *r, uint64_t bytes)
{
	r->taken -= bytes;
	r->cameras--;
}

void sluice_room_end(struct sluice_room *r, int starved, uint64_t now_ms)
{
	if (starved && r->cameras > 1 && r->tight < TIGHT_MAX) {
		r->tight++;
		r->tight_ms = now_ms;
	}
	r->taken = 0;
	r->cameras = 0;
}

void sluice_room_ease(struct sluice_room *r, uint64_t now_ms)
{
	if (!r->tight || now_ms - r->tight_ms < SLUICE_ROOM_EASE_MS)
		return;
	r->tight--;
	r->tight_ms = now_ms;
}
