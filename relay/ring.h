/* SPDX-License-Identifier: MIT */
/*
 * ring.h - the reader's side of <sluice/ring.h>. What lies in the ring was written by the kernel or
 * by a feed; it is believed only after its bounds have been checked here.
 */
#ifndef RELAY_RING_H
#define RELAY_RING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sluice/ring.h>

struct relay_ring {
	struct sluice_ring_ctrl *ctrl; /* NULL: not mapped */
	const struct sluice_ring_desc *desc;
	const uint8_t *arena;
	uint32_t desc_count; /* power of two */
	uint64_t arena_bytes;
	char name[SLUICE_CAMERA_NAME_SIZE];
};

/* The gate's words of one moment, in one piece. */
struct relay_snapshot {
	uint32_t state;
	uint64_t epoch, epoch_first_ns, now_ns;
	uint32_t format, settings;
	uint16_t width, height;
	uint64_t delivered, pending, bytes_seen, bytes_passed;
	uint64_t count[SLUICE_REASON_COUNT];
};

/*
 * Map the ring behind fd (a device opened O_RDWR, or a feed's memfd of memfd_bytes; 0: a device).
 * The fd may be closed afterwards, except that a device's ring is held by it. 0, or -errno with
 * text: -EPROTO not a ring or sizes out of bounds, -EPROTONOSUPPORT another version.
 */
int relay_ring_map(struct relay_ring *r, int fd, uint64_t memfd_bytes, char *why, size_t why_size);
/* Safe on a zeroed ring, and twice. */
void relay_ring_unmap(struct relay_ring *r);

/* Records published so far. The records before it may be read. */
uint64_t relay_ring_head(const struct relay_ring *r);
/* The oldest record that was not released when the ring was mapped. */
uint64_t relay_ring_tail(const struct relay_ring *r);
/* Give back all records before tail. */
void relay_ring_release(struct relay_ring *r, uint64_t tail);

/* Ask to be woken by the next record. Returns the head at which that holds. */
uint64_t relay_ring_arm(struct relay_ring *r);

/*
 * Copy a record out. 0, or -EBADMSG if it points outside of the arena or says what cannot be; its
 * epoch and sequence are filled in then too.
 */
int relay_ring_record(const struct relay_ring *r, uint64_t index, struct sluice_ring_desc *d);

static inline const uint8_t *relay_ring_bytes(const struct relay_ring *r, uint64_t offset)
{
	return r->arena + offset;
}

/* 0, or -EAGAIN if the gate was writing all the time (or died while it wrote). */
int relay_ring_snapshot(const struct relay_ring *r, struct relay_snapshot *s);

#endif
