// SPDX-License-Identifier: MIT
/* uplink_feed.c - the ring of sluice-feed, filled by the gate's own ring code with one JPEG. */
#include "uplink_bench.h"
#include "tools/feed/feed.h"

#include <string.h>
#include <time.h>

#define ARENA	    (32u << 20)
#define INTERVAL_NS 40000000u
#define CELLS	    600u /* bytes: 640x480 has 80x60 cells */

static void mirror(struct feed_shm *s, uint64_t count, uint64_t time_ns, uint32_t state)
{
	struct sluice_ring_ctrl *c = s->ring.ctrl;

	__atomic_store_n(&c->changed, c->changed + 1, __ATOMIC_SEQ_CST);
	c->state = state;
	c->epoch = 1;
	c->epoch_first_ns = INTERVAL_NS;
	c->now_ns = time_ns;
	c->delivered = count;
	c->count[SLUICE_REASON_MOTION] = count;
	c->width = 640;
	c->height = 480;
	c->format = 0x47504a4d; /* MJPG */
	__atomic_store_n(&c->changed, c->changed + 1, __ATOMIC_SEQ_CST);
}

static void put_frame(struct feed_shm *s, const struct uplink_bench *b, uint32_t i)
{
	uint32_t cells = (b->size + 7) & ~7u;
	struct sluice_ring_desc d = { .sequence = i,
				      .epoch = 1,
				      .time_ns = (i + 1ull) * INTERVAL_NS,
				      .size = b->size,
				      .format = 0x47504a4d,
				      .width = 640,
				      .height = 480,
				      .reason = SLUICE_REASON_MOTION,
				      .flags = SLUICE_FRAME_KEY,
				      .event = 1,
				      .grid_w = 80,
				      .grid_h = 60,
				      .cells = cells,
				      .cells_size = CELLS };
	struct sluice_ring_span span;
	uint8_t *at;

	if (sluice_ring_reserve(&s->ring, cells + CELLS, &span))
		return; /* there was room */
	at = sluice_ring_bytes(&s->ring, &span);
	memcpy(at, b->frame, b->size);
	memset(at + cells, 0, CELLS);
	mirror(s, i + 1, d.time_ns, SLUICE_STATE_STREAMING);
	if (sluice_ring_publish(&s->ring, &span, &d))
		feed_shm_wake(s);
}

int uplink_feed_run(const struct uplink_bench *b, const char *path)
{
	struct feed_shm s;
	struct feed_door door;

	if (feed_shm_open(&s, "bench", ARENA, 1))
		return 1;
	mirror(&s, 0, 0, SLUICE_STATE_STREAMING);
	if (feed_door_open(&door, path))
		return 1;
	for (uint32_t i = 0; i < b->frames; i++) {
		while (!feed_shm_has_room(&s, b->size + CELLS + 8))
			feed_door_poll(&door, &s, 1);
		put_frame(&s, b, i);
	}
	mirror(&s, b->frames, (b->frames + 0ull) * INTERVAL_NS, SLUICE_STATE_ENDED);
	feed_shm_wake(&s);
	while (!feed_shm_released(&s))
		feed_door_poll(&door, &s, 10);
	while (door.reader >= 0)
		feed_door_poll(&door, &s, 10);
	feed_door_close(&door);
	feed_shm_close(&s);
	return 0;
}
