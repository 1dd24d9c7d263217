// SPDX-License-Identifier: MIT
#include "lib/outq.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define CHUNK_BYTES 32768u
#define SPARES_MAX  48

struct sluice_outq_chunk {
	struct sluice_outq_chunk *next;
	uint32_t start, end; /* bytes in use */
	uint8_t bytes[CHUNK_BYTES];
};

static struct sluice_outq_chunk *new_chunk(struct sluice_outq *q)
{
	struct sluice_outq_chunk *c = q->spare;

	if (c) {
		q->spare = c->next;
		q->spares--;
	} else {
		c = malloc(sizeof(*c));
	}
	if (!c)
		return NULL;
	c->next = NULL;
	c->start = 0;
	c->end = 0;
	q->used++;
	if (q->used > q->peak)
		q->peak = q->used;
	return c;
}

/* Chunks for the bytes that do not fit the last one; *chain is NULL if there are none. */
static int reserve_chain(struct sluice_outq *q, size_t size, struct sluice_outq_chunk **chain)
{
	size_t room = q->last ? CHUNK_BYTES - q->last->end : 0;

	*chain = NULL;
	while (room < size) {
		struct sluice_outq_chunk *c = new_chunk(q);

		if (!c) {
			while (*chain) {
				c = *chain;
				*chain = c->next;
				free(c);
				q->used--;
			}
			return -ENOMEM;
		}
		c->next = *chain;
		*chain = c;
		room += CHUNK_BYTES;
	}
	return 0;
}

int sluice_outq_add(struct sluice_outq *q, const void *data, size_t size)
{
	struct sluice_outq_chunk *chain;
	const uint8_t *p = data;

	if (reserve_chain(q, size, &chain))
		return -ENOMEM;
	q->bytes += size;
	while (size) {
		size_t n = q->last ? CHUNK_BYTES - q->last->end : 0;

		if (!n) {
			struct sluice_outq_chunk *c = chain;

			chain = c->next;
			c->next = NULL;
			if (q->last)
				q->last->next = c;
			else
				q->first = c;
			q->last = c;
			continue;
		}
		if (n > size)
			n = size;
		memcpy(q->last->bytes + q->last->end, p, n);
		q->last->end += (uint32_t)n;
		p += n;
		size -= n;
	}
	return 0;
}

unsigned int sluice_outq_peek(const struct sluice_outq *q, struct iovec *iov, unsigned int max)
{
	unsigned int n = 0;

	for (struct sluice_outq_chunk *c = q->first; c && n < max; c = c->next) {
		if (c->start == c->end)
			continue;
		iov[n].iov_base = c->bytes + c->start;
		iov[n++].iov_len = c->end - c->start;
	}
	return n;
}

/* Under load the same memory goes round and round: as much is kept as was used since the queue was
 * empty before, so the first quiet round gives it back. */
static void give_back(struct sluice_outq *q, struct sluice_outq_chunk *c)
{
	c->next = q->spare;
	q->spare = c;
	q->spares++;
	q->used--;
	if (q->first)
		return;
	while (q->spares > q->peak || q->spares > SPARES_MAX) {
		c = q->spare;
		q->spare = c->next;
		q->spares--;
		free(c);
	}
	q->peak = 0;
}

void sluice_outq_consume(struct sluice_outq *q, size_t bytes)
{
	q->bytes -= bytes;
	while (q->first) {
		struct sluice_outq_chunk *c = q->first;
		size_t n = c->end - c->start;

		if (n > bytes) {
			c->start += (uint32_t)bytes;
			return;
		}
		bytes -= n;
		q->first = c->next;
		if (!q->first)
			q->last = NULL;
		give_back(q, c);
		if (!bytes)
			return;
	}
}

void sluice_outq_clear(struct sluice_outq *q)
{
	while (q->first) {
		struct sluice_outq_chunk *c = q->first;

		q->first = c->next;
		free(c);
	}
	while (q->spare) {
		struct sluice_outq_chunk *c = q->spare;

		q->spare = c->next;
		free(c);
	}
	*q = (struct sluice_outq){ 0 };
}
