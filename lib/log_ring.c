// SPDX-License-Identifier: MIT
/*
 * Entries lie one behind the other in a buffer that is filled round and round; an entry that does
 * not fit before the end begins at the start. A new one pushes out those that it overwrites, the
 * oldest first. A byte of wisdom on secrets: what is not logged is not here; who logs a secret has
 * given it away already.
 */
#include "lib/log_ring.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#define ENTRIES 2048

struct entry {
	uint32_t at, size; /* of the text, with its NUL */
	uint8_t level;
	uint64_t utc_ns;
};

static struct {
	pthread_mutex_t lock;
	char *text; /* NULL: nothing is kept */
	struct entry entry[ENTRIES];
	uint64_t first, last; /* entries first..last - 1, by number % ENTRIES */
	uint32_t next;	      /* where the next text goes */
} ring = { .lock = PTHREAD_MUTEX_INITIALIZER };

int sluice_log_ring_start(void)
{
	if (!ring.text)
		ring.text = malloc(SLUICE_LOG_RING_BYTES);
	return ring.text ? 0 : -ENOMEM;
}

static struct entry *entry_of(uint64_t number)
{
	return &ring.entry[number % ENTRIES];
}

static bool overlaps(const struct entry *e, uint32_t at, uint32_t size)
{
	return e->at < at + size && at < e->at + e->size;
}

void sluice_log_ring_put(enum sluice_log_level level, uint64_t utc_ns, const char *text)
{
	uint32_t size = (uint32_t)strnlen(text, SLUICE_LOG_LINE - 1) + 1;

	pthread_mutex_lock(&ring.lock);
	if (ring.text) {
		if (ring.next + size > SLUICE_LOG_RING_BYTES)
			ring.next = 0;
		while (ring.first < ring.last && (ring.last - ring.first == ENTRIES ||
						  overlaps(entry_of(ring.first), ring.next, size)))
			ring.first++;
		memcpy(ring.text + ring.next, text, size - 1);
		ring.text[ring.next + size - 1] = 0;
		*entry_of(ring.last++) = (struct entry){ ring.next, size, (uint8_t)level, utc_ns };
		ring.next += size;
	}
	pthread_mutex_unlock(&ring.lock);
}

size_t sluice_log_ring_walk(enum sluice_log_level max, size_t count,
			    void (*each)(void *arg, enum sluice_log_level level, uint64_t utc_ns,
					 const char *text),
			    void *arg)
{
	uint64_t from;
	size_t n = 0;

	pthread_mutex_lock(&ring.lock);
	for (from = ring.last; from > ring.first && n < count; from--)
		n += entry_of(from - 1)->level <= max;
	for (; from < ring.last; from++) {
		const struct entry *e = entry_of(from);

		if (e->level <= max)
			each(arg, e->level, e->utc_ns, ring.text + e->at);
	}
	pthread_mutex_unlock(&ring.lock);
	return n;
}
