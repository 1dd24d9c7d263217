/* SPDX-License-Identifier: MIT */
/*
 * bus.h - carries what came from devices from the ingest to the workers: chunks of one camera, in
 * order. A table of functions; bus_local.c works within one process, bus_nats.c between many.
 *
 * A camera belongs to one partition for ever (its id decides), a partition to one worker at a time:
 * the one that holds its lease. A lease can be lost (the worker was frozen, or cut off), so each
 * bears a token that grows from holder to holder; whatever a worker writes bears it too, and what
 * bears an older one than was seen is refused there. A chunk comes until it is acked, so it may
 * come twice: what a worker does with it must come to the same.
 *
 * Back-fill has partitions of its own, behind those of the live lanes, so that neither waits for
 * the other. FRAMEs of back-fill travel without their bytes, and one stands for all before it: the
 * worker reads them from their segments.
 */
#ifndef SLUICE_BUS_H
#define SLUICE_BUS_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "cloud/camera.h"

enum sluice_item_kind {
	SLUICE_ITEM_OPEN,  /* an epoch begins or goes on */
	SLUICE_ITEM_FRAME, /* a stored frame */
	SLUICE_ITEM_STATS, /* ledger and clock */
	SLUICE_ITEM_CLOSE, /* the epoch has ended */
	SLUICE_ITEM_ACK,   /* the device has a summary; ends at the writer */
};

/*
 * One message of a device. It travels session -> writer (ingest.c) -> bus -> worker; whoever holds
 * the pointer owns it.
 */
struct sluice_item {
	struct sluice_item *next;
	enum sluice_item_kind kind;
	uint64_t session; /* to answer to; the session may be gone by then */
	uint32_t slot;
	uint32_t lane;			    /* enum sluice_wire_lane */
	uint64_t range_first, range_last;   /* of the lane */
	const struct sluice_camera *camera; /* lives as long as the process */
	size_t charge;			    /* bytes of credit that come free with it */
	uint64_t epoch, sequence;
	uint64_t time_ns, utc_ns; /* FRAME: its own; OPEN: of the first frame; STATS: now */
	uint64_t put_ns;	  /* when it came to the writer, monotonic */
	uint16_t width, height, grid_w, grid_h;
	uint16_t reason, flags; /* flags: SLUICE_FRAME_* and SLUICE_RECORD_BAD */
	uint32_t score, event, settings;
	uint32_t cells_size, jpeg_size;
	uint32_t state;	      /* STATS: SLUICE_STATE_* */
	uint64_t delivered;   /* STATS, CLOSE */
	uint64_t ledger_size; /* STATS, CLOSE: bytes of the LEDGER field in data */
	char id[33];	      /* ACK */
	int32_t duplicate; /* set by the writer: not for the worker (stored before, or broken off)
			    */
	uint8_t data[];	   /* bitmap, then JPEG; or the LEDGER field */
};

#define SLUICE_CHUNK_MAX (256u << 10) /* bytes; a chunk of one larger item is larger */

struct sluice_chunk {
	struct sluice_chunk *next;
	const struct sluice_camera *camera;
	uint32_t lane;
	struct sluice_item *items, *last; /* in order */
	size_t bytes;
	unsigned int deliveries; /* set by next(): how often it was given out, this time included */
};

#define SLUICE_DELIVERIES_MAX 5 /* then it is set aside, so that the next one's turn comes */

/* A worker's hold on a partition. */
struct sluice_lease {
	unsigned int partition;
	uint64_t token; /* larger than that of every holder before */
	/*
	 * For so long from the claim on the holder before, who counts as dead, may take chunks and
	 * ack them if it lives after all: what is stored is to be read once more after that. 0: it
	 * knows that it has not got the lease.
	 */
	unsigned int doubt_ms;
};

enum sluice_news_kind {
	SLUICE_NEWS_EVENT,   /* one has begun; text is its JSON */
	SLUICE_NEWS_SUMMARY, /* one is durable in index and media; text is its id */
	SLUICE_NEWS_DONE,    /* an epoch, or a run of back-fill, is analysed and told */
	SLUICE_NEWS_JOB,     /* a job has come further; text is its JSON */
	SLUICE_NEWS_KINDS
};

/* What workers tell all processes. The index has it too, so one that is lost only comes later. */
struct sluice_news {
	enum sluice_news_kind kind;
	const struct sluice_camera *camera; /* lives as long as the process */
	const char *text;		    /* "" of DONE */
	uint64_t epoch;			    /* of DONE, as what follows */
	uint32_t lane;
	uint64_t range_first, range_last;
};

#define SLUICE_NEWS_MAX (256u << 10) /* bytes of its text */

/* In a thread of the bus or of whoever says it; everything is borrowed. */
typedef void (*sluice_news_fn)(void *ctx, const struct sluice_news *news);

/* What another process says of itself; from: which, as long as it lives. In a thread of the bus;
 * all is borrowed. */
typedef void (*sluice_node_fn)(void *ctx, const char *from, const char *text, size_t size);

struct sluice_bus;

struct sluice_bus_ops {
	/* All other threads have left the functions below. */
	void (*close)(struct sluice_bus *b);
	/* Takes the chunk. -EAGAIN: full, the chunk is still the caller's; try again in order.
	 * -EMSGSIZE: more than the bus can carry, and still the caller's. */
	int (*publish)(struct sluice_bus *b, struct sluice_chunk *c);
	/* Fills l. -EBUSY: another worker has the partition; -EAGAIN: not to be had at present. */
	int (*claim)(struct sluice_bus *b, unsigned int partition, struct sluice_lease *l);
	/* 0: held until now. -ESTALE: lost; another may have it. */
	int (*held)(struct sluice_bus *b, const struct sluice_lease *l);
	/* Gives the partition up; its chunk has gone by ack() or back(). A lost one: nothing. */
	void (*release)(struct sluice_bus *b, const struct sluice_lease *l);
	/*
	 * The next chunk of the partition, or NULL after timeout_ms, after stop(), or if the lease
	 * is lost. It is given to nobody else while the lease is held, and the partition's next one
	 * not before it is acked.
	 */
	struct sluice_chunk *(*next)(struct sluice_bus *b, const struct sluice_lease *l,
				     int timeout_ms);
	/* The chunk is done with, and freed in any case. -ESTALE: the lease is lost; -EAGAIN: no
	 * answer. Then it may come again, here or to another worker. */
	int (*ack)(struct sluice_bus *b, const struct sluice_lease *l, struct sluice_chunk *c);
	/* Not done: it comes again, before any other, or is set aside. Takes the chunk. */
	void (*back)(struct sluice_bus *b, const struct sluice_lease *l, struct sluice_chunk *c);
	/* next() returns NULL from now on, at the latest half a second after this. What other
	 * processes say is not heard any more. */
	void (*stop)(struct sluice_bus *b);
	/* Bytes published and not yet acked; of an engine of several processes: that it has not yet
	 * taken from this one. */
	size_t (*fill)(struct sluice_bus *b);
	/* Processes that take chunks, this one included, as far as it has heard of them lately; at
	 * least 1. Each is to have its share of the partitions. */
	unsigned int (*members)(struct sluice_bus *b);
	/* To whoever listens, in any process, this one included, in order; nobody waits for it, and
	 * it may be lost. -EMSGSIZE, -ENOMEM, -EIO. */
	int (*say)(struct sluice_bus *b, const struct sluice_news *news);
	/* fn hears what is said from now on; once, before anything is said in this process. -EIO:
	 * the engine takes no listener. */
	int (*listen)(struct sluice_bus *b, sluice_news_fn fn, void *ctx);
	/* What this process says of itself (nodes.h) to the others that overhear(); nobody waits
	 * for it, and it may be lost. -EIO. */
	int (*call_out)(struct sluice_bus *b, const char *text);
	/* fn hears the others from now on, not this process; NULL: nobody does any more, and none
	 * is being heard when it returns. -EIO: the engine takes no listener. */
	int (*overhear)(struct sluice_bus *b, sluice_node_fn fn, void *ctx);
};

struct sluice_bus {
	const struct sluice_bus_ops *ops;
	unsigned int partitions; /* of live lanes */
	/* Workers of other processes may write under a later lease: whoever has one writes to the
	 * index by its token (fence.h). Tokens outlive the processes then. */
	bool shared;
	/* since the beginning: */
	atomic_ullong acked; /* chunks; taken by an engine counts too */
	atomic_ullong aside; /* chunks set aside */
	atomic_ullong lost;  /* leases that were not given up */
	atomic_ullong taken; /* leases had from a process that has died, before their end */
};

static inline unsigned int sluice_bus_partition(const struct sluice_bus *b,
						const struct sluice_camera *c, uint32_t lane)
{
	return (c->id[0] | (unsigned int)c->id[1] << 8) % b->partitions +
	       (lane ? b->partitions : 0);
}

/* partitions: of live lanes, and as many of back-fill. max: bytes that one may hold; a chunk is
 * always taken when it is empty. */
int sluice_bus_local_open(unsigned int partitions, size_t max, struct sluice_bus **out);

static inline void sluice_bus_close(struct sluice_bus *b)
{
	if (b)
		b->ops->close(b);
}

/* Frees a chunk and its items; NULL-safe. */
void sluice_chunk_free(struct sluice_chunk *c);

#endif
