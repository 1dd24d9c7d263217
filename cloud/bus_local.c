// SPDX-License-Identifier: MIT
/*
 * bus_local.c - the bus within one process: a bounded queue per partition under one lock.
 *
 * Nothing here outlives the process: after a crash the worker is fed again from the segments
 * (worker.c), so a chunk that was published and not yet acked is not lost. A lease is lost only by
 * being given up. A chunk that is set aside is dropped: its frames are in their segments.
 */
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "cloud/bus.h"
#include "lib/cond.h"

struct queue {
	struct sluice_chunk *first, *last;
	size_t fill;
	int busy;	/* a chunk is out and not yet acked */
	uint64_t token; /* of the present lease, or of the last one */
	int held;
};

struct bus_local {
	struct sluice_bus base;
	pthread_mutex_t lock;
	pthread_cond_t ready;
	size_t fill, max;
	int stopped;
	sluice_news_fn hear; /* NULL: nobody does. Set before anything is said */
	void *hear_ctx;
	struct queue queue[];
};

void sluice_chunk_free(struct sluice_chunk *c)
{
	if (!c)
		return;
	while (c->items) {
		struct sluice_item *next = c->items->next;

		free(c->items);
		c->items = next;
	}
	free(c);
}

static struct bus_local *local(struct sluice_bus *b)
{
	return (struct bus_local *)b;
}

static void local_close(struct sluice_bus *b)
{
	struct bus_local *l = local(b);
	unsigned int i;

	for (i = 0; i < 2 * b->partitions; i++) {
		while (l->queue[i].first) {
			struct sluice_chunk *c = l->queue[i].first;

			l->queue[i].first = c->next;
			sluice_chunk_free(c);
		}
	}
	pthread_cond_destroy(&l->ready);
	pthread_mutex_destroy(&l->lock);
	free(l);
}

static int local_publish(struct sluice_bus *b, struct sluice_chunk *c)
{
	struct queue *q = &local(b)->queue[sluice_bus_partition(b, c->camera, c->lane)];
	struct bus_local *l = local(b);
	int err = 0;

	pthread_mutex_lock(&l->lock);
	if (q->fill && q->fill + c->bytes > l->max) {
		err = -EAGAIN;
	} else {
		l->fill += c->bytes;
		q->fill += c->bytes;
		c->next = NULL;
		if (q->first)
			q->last->next = c;
		else
			q->first = c;
		q->last = c;
		pthread_cond_broadcast(&l->ready);
	}
	pthread_mutex_unlock(&l->lock);
	return err;
}

/* ---- leases; all under the lock ---- */

static struct queue *leased(struct bus_local *l, const struct sluice_lease *lease)
{
	struct queue *q = &l->queue[lease->partition];

	return q->held && q->token == lease->token ? q : NULL;
}

static int local_claim(struct sluice_bus *b, unsigned int partition, struct sluice_lease *lease)
{
	struct bus_local *l = local(b);
	int err = -EBUSY;

	pthread_mutex_lock(&l->lock);
	if (!l->queue[partition].held) {
		l->queue[partition].held = 1;
		lease->partition = partition;
		lease->token = ++l->queue[partition].token;
		lease->doubt_ms = 0;
		err = 0;
	}
	pthread_mutex_unlock(&l->lock);
	return err;
}

static int local_held(struct sluice_bus *b, const struct sluice_lease *lease)
{
	struct bus_local *l = local(b);
	int err;

	pthread_mutex_lock(&l->lock);
	err = leased(l, lease) ? 0 : -ESTALE;
	pthread_mutex_unlock(&l->lock);
	return err;
}

static void local_release(struct sluice_bus *b, const struct sluice_lease *lease)
{
	struct bus_local *l = local(b);
	struct queue *q;

	pthread_mutex_lock(&l->lock);
	q = leased(l, lease);
	if (q)
		q->held = 0;
	pthread_mutex_unlock(&l->lock);
}

/* ---- chunks ---- */

static struct sluice_chunk *local_next(struct sluice_bus *b, const struct sluice_lease *lease,
				       int timeout_ms)
{
	struct bus_local *l = local(b);
	struct queue *q = &l->queue[lease->partition];
	struct sluice_chunk *c = NULL;
	struct timespec until = sluice_cond_until(timeout_ms);

	pthread_mutex_lock(&l->lock);
	while (!l->stopped && leased(l, lease) && (!q->first || q->busy))
		if (pthread_cond_timedwait(&l->ready, &l->lock, &until))
			break;
	if (!l->stopped && leased(l, lease) && q->first && !q->busy) {
		c = q->first;
		q->first = c->next;
		c->next = NULL;
		c->deliveries++;
		q->busy = 1;
	}
	pthread_mutex_unlock(&l->lock);
	return c;
}

/* Under the lock: the chunk that was out is none of the bus's any more. */
static void let_go(struct bus_local *l, struct queue *q, const struct sluice_chunk *c)
{
	l->fill -= c->bytes;
	q->fill -= c->bytes;
}

static int local_ack(struct sluice_bus *b, const struct sluice_lease *lease, struct sluice_chunk *c)
{
	struct bus_local *l = local(b);
	struct queue *q;

	pthread_mutex_lock(&l->lock);
	q = leased(l, lease);
	let_go(l, &l->queue[lease->partition], c);
	l->queue[lease->partition].busy = 0;
	b->acked++;
	pthread_cond_broadcast(&l->ready);
	pthread_mutex_unlock(&l->lock);
	sluice_chunk_free(c);
	return q ? 0 : -ESTALE;
}

static void local_back(struct sluice_bus *b, const struct sluice_lease *lease,
		       struct sluice_chunk *c)
{
	struct bus_local *l = local(b);
	struct queue *q = &l->queue[lease->partition];

	pthread_mutex_lock(&l->lock);
	q->busy = 0;
	if (c->deliveries < SLUICE_DELIVERIES_MAX) {
		c->next = q->first;
		if (!q->first)
			q->last = c;
		q->first = c;
		c = NULL;
	} else {
		let_go(l, q, c);
		b->aside++;
	}
	pthread_cond_broadcast(&l->ready);
	pthread_mutex_unlock(&l->lock);
	sluice_chunk_free(c);
}

static void local_stop(struct sluice_bus *b)
{
	struct bus_local *l = local(b);

	pthread_mutex_lock(&l->lock);
	l->stopped = 1;
	pthread_cond_broadcast(&l->ready);
	pthread_mutex_unlock(&l->lock);
}

static size_t local_fill(struct sluice_bus *b)
{
	struct bus_local *l = local(b);
	size_t fill;

	pthread_mutex_lock(&l->lock);
	fill = l->fill;
	pthread_mutex_unlock(&l->lock);
	return fill;
}

static unsigned int local_members(struct sluice_bus *b)
{
	(void)b;
	return 1;
}

static int local_say(struct sluice_bus *b, const struct sluice_news *news)
{
	struct bus_local *l = local(b);

	if (strlen(news->text) > SLUICE_NEWS_MAX)
		return -EMSGSIZE;
	if (l->hear)
		l->hear(l->hear_ctx, news);
	return 0;
}

static int local_listen(struct sluice_bus *b, sluice_news_fn fn, void *ctx)
{
	struct bus_local *l = local(b);

	l->hear = fn;
	l->hear_ctx = ctx;
	return 0;
}

/* There is nobody else. */
static int local_call_out(struct sluice_bus *b, const char *text)
{
	(void)b;
	(void)text;
	return 0;
}

static int local_overhear(struct sluice_bus *b, sluice_node_fn fn, void *ctx)
{
	(void)b;
	(void)fn;
	(void)ctx;
	return 0;
}

static const struct sluice_bus_ops ops = {
	.close = local_close,
	.publish = local_publish,
	.claim = local_claim,
	.held = local_held,
	.release = local_release,
	.next = local_next,
	.ack = local_ack,
	.back = local_back,
	.stop = local_stop,
	.fill = local_fill,
	.members = local_members,
	.say = local_say,
	.listen = local_listen,
	.call_out = local_call_out,
	.overhear = local_overhear,
};

int sluice_bus_local_open(unsigned int partitions, size_t max, struct sluice_bus **out)
{
	struct bus_local *l;

	*out = NULL;
	if (!partitions)
		return -EINVAL;
	l = calloc(1, sizeof(*l) + 2 * partitions * sizeof(l->queue[0]));
	if (!l)
		return -ENOMEM;
	l->base.ops = &ops;
	l->base.partitions = partitions;
	l->max = max;
	pthread_mutex_init(&l->lock, NULL);
	sluice_cond_init(&l->ready);
	*out = &l->base;
	return 0;
}
