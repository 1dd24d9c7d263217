// SPDX-License-Identifier: MIT
/*
 * shm.c - the ring in a memfd, laid out as /dev/sluiceN is mapped (holes between the regions take
 * no memory). The size is sealed, so that neither side can make the other one fault. The reader is
 * a process of the same user; that it could map the arena writable only harms what it reads itself:
 * the gate keeps its own head, tail and page map, and never reads the arena.
 */
#include "tools/feed/feed.h"
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <unistd.h>

#define DESC_COUNT 4096u

int feed_shm_open(struct feed_shm *s, const char *name, uint64_t arena_bytes, uint64_t now_ns)
{
	int err;

	memset(s, 0, sizeof(*s));
	s->name = name;
	s->size = SLUICE_RING_MAP_ARENA + arena_bytes;
	s->wakefd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	s->memfd = memfd_create("sluice-feed", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	s->priv = calloc(1, sluice_ring_private_size(DESC_COUNT, arena_bytes));
	if (s->wakefd < 0 || s->memfd < 0 || !s->priv || ftruncate(s->memfd, (off_t)s->size) ||
	    fcntl(s->memfd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL)) {
		err = -errno;
		feed_shm_close(s);
		return err;
	}
	s->base = mmap(NULL, s->size, PROT_READ | PROT_WRITE, MAP_SHARED, s->memfd, 0);
	if (s->base == MAP_FAILED) {
		err = -errno;
		s->base = NULL;
		feed_shm_close(s);
		return err;
	}
	sluice_ring_init(&s->ring, s->priv, (void *)((uint8_t *)s->base + SLUICE_RING_MAP_CTRL),
			 (void *)((uint8_t *)s->base + SLUICE_RING_MAP_DESC), DESC_COUNT,
			 (uint8_t *)s->base + SLUICE_RING_MAP_ARENA, arena_bytes, name, now_ns);
	return 0;
}

void feed_shm_wake(const struct feed_shm *s)
{
	uint64_t one = 1;

	/* EAGAIN: the counter is full, so the reader is awake already */
	if (write(s->wakefd, &one, sizeof(one)) < 0)
		return;
}

bool feed_shm_has_room(struct feed_shm *s, size_t bytes)
{
	struct sluice_ring_span span;
	uint32_t next = s->ring.next;

	if (!sluice_ring_reserve(&s->ring, bytes, &span)) {
		sluice_ring_discard(&s->ring, &span);
		s->ring.next = next;
		return true;
	}
	return s->ring.head == s->ring.tail;
}

bool feed_shm_released(struct feed_shm *s)
{
	sluice_ring_reclaim(&s->ring);
	return s->ring.head == s->ring.tail;
}

void feed_shm_close(struct feed_shm *s)
{
	if (s->base)
		munmap(s->base, s->size);
	if (s->memfd >= 0)
		close(s->memfd);
	if (s->wakefd >= 0)
		close(s->wakefd);
	free(s->priv);
	memset(s, 0, sizeof(*s));
	s->memfd = s->wakefd = -1;
}
