/* SPDX-License-Identifier: MIT */
/*
 * outq.h - bytes on their way out: a chain of chunks that never move, so that some may be with the
 * kernel while more are added behind. One thread.
 */
#ifndef SLUICE_LIB_OUTQ_H
#define SLUICE_LIB_OUTQ_H

#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>

struct sluice_outq_chunk;

struct sluice_outq {
	struct sluice_outq_chunk *first, *last;
	struct sluice_outq_chunk *spare; /* some are kept */
	unsigned int spares, used, peak; /* chunks: kept, in the chain, most since it was empty */
	size_t bytes;
};

/* Copy bytes to the end. 0, or -ENOMEM: then nothing was added. */
int sluice_outq_add(struct sluice_outq *q, const void *data, size_t size);
/* Up to max parts from the front; they stay in place until they are consumed. */
unsigned int sluice_outq_peek(const struct sluice_outq *q, struct iovec *iov, unsigned int max);
void sluice_outq_consume(struct sluice_outq *q, size_t bytes);
void sluice_outq_clear(struct sluice_outq *q);

#endif
