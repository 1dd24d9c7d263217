// SPDX-License-Identifier: MIT
#include "ringmake.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

void ringmake_open(struct ringmake *g, const char *name, uint32_t descs, uint64_t arena_bytes)
{
	memset(g, 0, sizeof(*g));
	g->size = SLUICE_RING_MAP_ARENA + arena_bytes;
	g->fd = memfd_create("ring", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	g->priv = calloc(1, sluice_ring_private_size(descs, arena_bytes));
	if (g->fd < 0 || !g->priv || ftruncate(g->fd, (off_t)g->size) ||
	    fcntl(g->fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW))
		exit(1);
	g->map = mmap(NULL, g->size, PROT_READ | PROT_WRITE, MAP_SHARED, g->fd, 0);
	if (g->map == MAP_FAILED)
		exit(1);
	sluice_ring_init(&g->ring, g->priv, g->map,
			 (void *)((uint8_t *)g->map + SLUICE_RING_MAP_DESC), descs,
			 (uint8_t *)g->map + SLUICE_RING_MAP_ARENA, arena_bytes, name, 1);
	g->time_ns = 1000000000;
}

void ringmake_close(struct ringmake *g)
{
	munmap(g->map, g->size);
	close(g->fd);
	free(g->priv);
}

static void mirror(struct ringmake *g)
{
	struct sluice_ring_ctrl *c = g->ring.ctrl;

	__atomic_store_n(&c->changed, c->changed + 1, __ATOMIC_SEQ_CST);
	c->state = g->state;
	c->epoch = g->epoch;
	c->now_ns = g->time_ns;
	c->delivered = g->delivered;
	c->count[SLUICE_REASON_MOTION] = g->delivered;
	c->width = g->width;
	c->height = g->height;
	c->format = g->format;
	__atomic_store_n(&c->changed, c->changed + 1, __ATOMIC_SEQ_CST);
}

void ringmake_stream(struct ringmake *g, uint64_t epoch, uint16_t width, uint16_t height)
{
	g->epoch = epoch;
	g->width = width;
	g->height = height;
	g->format = 0x47504a4d; /* MJPG */
	g->state = SLUICE_STATE_STREAMING;
	g->ring.ctrl->epoch_first_ns = g->time_ns;
	mirror(g);
}

int ringmake_frame(struct ringmake *g, uint64_t sequence, const void *bytes, uint32_t size)
{
	struct sluice_ring_desc d = { .sequence = sequence,
				      .epoch = g->epoch,
				      .size = size,
				      .format = g->format,
				      .width = g->width,
				      .height = g->height,
				      .reason = g->reason ? g->reason : SLUICE_REASON_MOTION,
				      .event = g->event,
				      .flags = SLUICE_FRAME_KEY,
				      .grid_w = 4,
				      .grid_h = 5,
				      .cells_size = 3 };
	struct sluice_ring_span span;
	uint8_t *at;
	int err;

	d.cells = (size + 7) & ~7u;
	err = sluice_ring_reserve(&g->ring, d.cells + d.cells_size, &span);
	if (err)
		return err;
	at = sluice_ring_bytes(&g->ring, &span);
	memcpy(at, bytes, size);
	memset(at + d.cells, 0x5a, d.cells_size);
	g->time_ns += 40000000;
	g->delivered++;
	d.time_ns = g->time_ns;
	sluice_ring_publish(&g->ring, &span, &d);
	mirror(g);
	return 0;
}

void ringmake_state(struct ringmake *g, uint32_t state)
{
	g->state = state;
	mirror(g);
}
