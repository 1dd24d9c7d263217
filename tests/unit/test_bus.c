// SPDX-License-Identifier: MIT
/* test_bus.c - the bus: order per camera, one chunk of a partition at a time, bounded, and a stop
 * that wakes whoever waits. Any back end must pass it. */
#include <errno.h>
#include <pthread.h>
#include <time.h>

#include "cloud/bus.h"
#include "tests/unit/check.h"

static struct sluice_camera camera[2];

static struct sluice_chunk *make_chunk(int c, uint64_t sequence, size_t bytes)
{
	struct sluice_chunk *k = calloc(1, sizeof(*k));

	k->camera = &camera[c];
	k->items = k->last = calloc(1, sizeof(*k->items));
	k->items->camera = k->camera;
	k->items->sequence = sequence;
	k->bytes = bytes;
	return k;
}

static void test_order(struct sluice_bus *b)
{
	unsigned int p = sluice_bus_partition(b, &camera[0], 0);
	struct sluice_chunk *first, *second;
	uint64_t i;

	for (i = 0; i < 4; i++)
		CHECK(!b->ops->publish(b, make_chunk(0, i, 10)));
	CHECK(b->ops->fill(b) == 40);
	for (i = 0; i < 4; i++) {
		first = b->ops->next(b, p, 1000);
		CHECK(first && first->items->sequence == i);
		second = b->ops->next(b, p, 10);
		CHECK(!second); /* not before the first is acked */
		if (first)
			b->ops->ack(b, first);
	}
	CHECK(b->ops->fill(b) == 0);
	CHECK(!b->ops->next(b, p, 10));
}

static void test_bound(struct sluice_bus *b)
{
	unsigned int p = sluice_bus_partition(b, &camera[0], 0);
	struct sluice_chunk *c, *waiting = make_chunk(0, 2, 60);

	/* larger than the bound: taken, because it is empty */
	CHECK(!b->ops->publish(b, make_chunk(0, 1, 500)));
	CHECK(b->ops->publish(b, waiting) == -EAGAIN);
	c = b->ops->next(b, p, 1000);
	CHECK(c && c->items->sequence == 1);
	CHECK(b->ops->publish(b, waiting) == -EAGAIN); /* given out is not done */
	if (c)
		b->ops->ack(b, c);
	CHECK(!b->ops->publish(b, waiting));
	c = b->ops->next(b, p, 1000);
	CHECK(c && c->items->sequence == 2);
	if (c)
		b->ops->ack(b, c);
}

static void *stop_later(void *arg)
{
	struct sluice_bus *b = arg;

	nanosleep(&(struct timespec){ .tv_nsec = 20000000 }, NULL);
	b->ops->stop(b);
	return NULL;
}

int main(void)
{
	struct sluice_bus *b;
	struct timespec t0, t1;
	pthread_t thread;

	camera[1].id[0] = 1;
	CHECK(sluice_bus_local_open(0, 100, &b) == -EINVAL);
	CHECK(!sluice_bus_local_open(2, 100, &b));
	if (!b)
		return 1;
	CHECK(sluice_bus_partition(b, &camera[0], 0) != sluice_bus_partition(b, &camera[1], 0));
	test_order(b);
	test_bound(b);
	/* what nobody took is freed with the bus; stop ends a wait at once */
	CHECK(!b->ops->publish(b, make_chunk(1, 1, 10)));
	clock_gettime(CLOCK_MONOTONIC, &t0);
	pthread_create(&thread, NULL, stop_later, b);
	CHECK(!b->ops->next(b, sluice_bus_partition(b, &camera[0], 0), 30000));
	clock_gettime(CLOCK_MONOTONIC, &t1);
	CHECK(t1.tv_sec - t0.tv_sec < 10);
	pthread_join(thread, NULL);
	CHECK(!b->ops->next(b, sluice_bus_partition(b, &camera[1], 0), 10));
	sluice_bus_close(b);
	return check_result();
}
