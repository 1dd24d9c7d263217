// SPDX-License-Identifier: MIT
/* bus.c - the cases of the bus: nothing lost, changed, or out of order; one holder; one chunk. */
#include <errno.h>
#include <pthread.h>
#include <string.h>
#include <time.h>

#include "tests/conform/bus.h"
#include "tests/unit/check.h"

#define WAIT_MS 10000 /* for what must come; a loaded machine */
#define NONE_MS 200   /* for what must not */

static const struct sluice_camera *camera[2];

/* A frame whose every field follows from its sequence. */
static struct sluice_item *make_item(const struct sluice_camera *c, enum sluice_item_kind kind,
				     uint64_t sequence, uint32_t cells, uint32_t jpeg)
{
	struct sluice_item *item = calloc(1, sizeof(*item) + cells + jpeg);
	size_t i;

	if (!item)
		exit(1);
	item->kind = kind;
	item->camera = c;
	item->session = sequence * 3;
	item->slot = 7;
	item->range_first = sequence / 2;
	item->range_last = sequence * 2;
	item->charge = cells + jpeg;
	item->epoch = 1000 + sequence % 2;
	item->sequence = sequence;
	item->time_ns = sequence * 1000;
	item->utc_ns = 1700000000000000000ull + sequence;
	item->put_ns = sequence + 11;
	item->width = 640;
	item->height = 480;
	item->grid_w = 80;
	item->grid_h = 60;
	item->reason = (uint16_t)(sequence % 14);
	item->flags = (uint16_t)(sequence * 17);
	item->score = (uint32_t)sequence + 1;
	item->event = (uint32_t)sequence + 2;
	item->settings = (uint32_t)sequence + 3;
	item->state = (uint32_t)sequence + 4;
	item->delivered = sequence + 5;
	if (kind == SLUICE_ITEM_FRAME) {
		item->cells_size = cells;
		item->jpeg_size = jpeg;
	} else {
		item->ledger_size = cells + jpeg;
	}
	for (i = 0; i < cells + jpeg; i++)
		item->data[i] = (uint8_t)(sequence + i * 31);
	return item;
}

static struct sluice_chunk *make_chunk(const struct sluice_camera *c, uint32_t lane,
				       struct sluice_item *item)
{
	struct sluice_chunk *k = calloc(1, sizeof(*k));

	if (!k)
		exit(1);
	k->camera = c;
	k->lane = lane;
	item->lane = lane;
	k->items = k->last = item;
	k->bytes = sizeof(*item) + item->cells_size + item->jpeg_size + item->ledger_size;
	return k;
}

static void add_item(struct sluice_chunk *k, struct sluice_item *item)
{
	item->lane = k->lane;
	k->last->next = item;
	k->last = item;
	k->bytes += sizeof(*item) + item->cells_size + item->jpeg_size + item->ledger_size;
}

static struct sluice_chunk *frame(int c, uint64_t sequence, uint32_t jpeg)
{
	return make_chunk(camera[c], 0, make_item(camera[c], SLUICE_ITEM_FRAME, sequence, 0, jpeg));
}

static uint64_t now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

/* In order, however long the bus is full. */
static void publish(struct sluice_bus *b, struct sluice_chunk *c)
{
	uint64_t end = now_ms() + WAIT_MS;
	int err;

	while ((err = b->ops->publish(b, c)) == -EAGAIN && now_ms() < end)
		nanosleep(&(struct timespec){ .tv_nsec = 5000000 }, NULL);
	CHECK(!err);
	if (err)
		sluice_chunk_free(c);
}

static struct sluice_lease claim(struct sluice_bus *b, int c, uint32_t lane)
{
	unsigned int p = sluice_bus_partition(b, camera[c], lane);
	uint64_t end = now_ms() + WAIT_MS;
	struct sluice_lease l = { .partition = p };
	int err;

	while ((err = b->ops->claim(b, p, &l)) == -EAGAIN && now_ms() < end)
		nanosleep(&(struct timespec){ .tv_nsec = 50000000 }, NULL);
	CHECK(!err);
	CHECK(l.partition == p);
	return l;
}

/* The next chunk holds that sequence; it is acked. */
static void expect(struct sluice_bus *b, const struct sluice_lease *l, uint64_t sequence)
{
	struct sluice_chunk *c = b->ops->next(b, l, WAIT_MS);

	CHECK(c && c->items->sequence == sequence);
	if (c)
		CHECK(!b->ops->ack(b, l, c));
}

static void check_empty(struct sluice_bus *b, const struct sluice_lease *l)
{
	struct sluice_chunk *c = b->ops->next(b, l, NONE_MS);

	CHECK(!c);
	if (c)
		b->ops->ack(b, l, c);
}

static void case_partitions(struct sluice_bus *b)
{
	unsigned int live = sluice_bus_partition(b, camera[0], 0);

	CHECK(live < b->partitions);
	CHECK(live == sluice_bus_partition(b, camera[0], 0));
	CHECK(live != sluice_bus_partition(b, camera[1], 0));
	CHECK(sluice_bus_partition(b, camera[0], 1) == live + b->partitions);
}

static void case_order(struct sluice_bus *b)
{
	struct sluice_lease l = claim(b, 0, 0);
	uint64_t i;

	for (i = 0; i < 20; i++)
		publish(b, frame(0, i, 100));
	for (i = 0; i < 20; i++) {
		struct sluice_chunk *c = b->ops->next(b, &l, WAIT_MS);

		CHECK(c && c->items->sequence == i && c->deliveries == 1);
		if (i < 2)
			CHECK(!b->ops->next(b, &l, NONE_MS)); /* not before it is acked */
		if (c)
			CHECK(!b->ops->ack(b, &l, c));
	}
	check_empty(b, &l);
	CHECK(b->ops->fill(b) == 0);
	b->ops->release(b, &l);
}

static void check_item(const struct sluice_item *got, enum sluice_item_kind kind, uint64_t sequence,
		       uint32_t cells, uint32_t jpeg)
{
	struct sluice_item *want = make_item(camera[0], kind, sequence, cells, jpeg);
	size_t bytes = sizeof(*want) + cells + jpeg, head = offsetof(struct sluice_item, session);

	want->lane = 1;
	CHECK(got->kind == kind && got->camera == want->camera);
	/* behind next, kind: everything but the padding, which calloc made zero */
	CHECK(!memcmp((const char *)got + head, (const char *)want + head, bytes - head));
	free(want);
}

static void case_contents(struct sluice_bus *b)
{
	static const struct {
		enum sluice_item_kind kind;
		uint32_t cells, jpeg;
	} want[] = { { SLUICE_ITEM_OPEN, 0, 0 },	 { SLUICE_ITEM_FRAME, 600, 20001 },
		     { SLUICE_ITEM_STATS, 288, 0 },	 { SLUICE_ITEM_FRAME, 0, 1 },
		     { SLUICE_ITEM_FRAME, 600, 300000 }, { SLUICE_ITEM_CLOSE, 0, 288 } };
	size_t n = sizeof(want) / sizeof(want[0]), i;
	struct sluice_lease l = claim(b, 0, 1);
	const struct sluice_item *item;
	struct sluice_chunk *c = make_chunk(
		camera[0], 1, make_item(camera[0], want[0].kind, 0, want[0].cells, want[0].jpeg));
	size_t bytes;

	for (i = 1; i < n; i++)
		add_item(c, make_item(camera[0], want[i].kind, i, want[i].cells, want[i].jpeg));
	bytes = c->bytes;
	publish(b, c);
	c = b->ops->next(b, &l, WAIT_MS);
	CHECK(c && c->camera == camera[0] && c->lane == 1 && c->bytes == bytes);
	for (i = 0, item = c ? c->items : NULL; item; item = item->next, i++)
		if (i < n)
			check_item(item, want[i].kind, i, want[i].cells, want[i].jpeg);
	CHECK(i == n);
	if (c)
		CHECK(!b->ops->ack(b, &l, c));
	b->ops->release(b, &l);
}

/* Full is said, nothing that was taken is lost, and there is room again afterwards. */
static void case_full(struct sluice_bus *b)
{
	struct sluice_chunk *c = frame(0, 0, 100000);
	struct sluice_lease l;
	uint64_t sent = 0, i, full_ms = 0;

	while (sent < 1000 && full_ms < 1000) {
		if (!b->ops->publish(b, c)) {
			c = frame(0, ++sent, 100000);
			full_ms = 0;
			continue;
		}
		nanosleep(&(struct timespec){ .tv_nsec = 20000000 }, NULL);
		full_ms += 20;
	}
	CHECK(sent > 0 && sent < 1000);
	CHECK(b->ops->fill(b) > 0);
	l = claim(b, 0, 0);
	for (i = 0; i < sent; i++)
		expect(b, &l, i);
	publish(b, c);
	expect(b, &l, sent);
	check_empty(b, &l);
	b->ops->release(b, &l);
}

static void case_lease(struct sluice_bus *a, struct sluice_bus *b)
{
	struct sluice_lease first = claim(a, 0, 0), second = first, other = claim(b, 1, 0);
	struct sluice_chunk *c;

	CHECK(b->ops->claim(b, first.partition, &second) == -EBUSY);
	CHECK(!a->ops->held(a, &first));
	publish(a, frame(0, 1, 10));
	c = a->ops->next(a, &first, WAIT_MS);
	CHECK(c);
	if (c)
		a->ops->back(a, &first, c);
	a->ops->release(a, &first);
	CHECK(a->ops->held(a, &first) == -ESTALE);
	CHECK(!a->ops->next(a, &first, NONE_MS));
	second = claim(b, 0, 0);
	CHECK(second.token > first.token);
	CHECK(a->ops->held(a, &first) == -ESTALE); /* also while another holds it */
	a->ops->release(a, &first);		   /* does nothing */
	CHECK(!b->ops->held(b, &second));
	c = b->ops->next(b, &second, WAIT_MS);
	CHECK(c && c->deliveries == 2 && c->items->sequence == 1);
	if (c)
		CHECK(!b->ops->ack(b, &second, c));
	check_empty(b, &second);
	b->ops->release(b, &second);
	b->ops->release(b, &other);
}

/* One that is never done with does not hold up those behind it for ever. */
static void case_poison(struct conform_bus *rig, struct sluice_bus *b)
{
	struct sluice_lease l = claim(b, 0, 0);
	unsigned long long aside = b->aside;
	struct sluice_chunk *c;
	unsigned int i;

	publish(b, frame(0, 1, 50));
	publish(b, frame(0, 2, 50));
	for (i = 1; i <= SLUICE_DELIVERIES_MAX; i++) {
		c = b->ops->next(b, &l, (int)rig->again_ms + WAIT_MS);
		CHECK(c && c->items->sequence == 1 && c->deliveries == i);
		if (c)
			b->ops->back(b, &l, c);
	}
	expect(b, &l, 2);
	CHECK(b->aside == aside + 1);
	check_empty(b, &l);
	b->ops->release(b, &l);
}

/* ---- who is there, and what is told ---- */

static unsigned int wait_members(struct sluice_bus *b, unsigned int want)
{
	uint64_t end = now_ms() + WAIT_MS;
	unsigned int n;

	while ((n = b->ops->members(b)) != want && now_ms() < end)
		nanosleep(&(struct timespec){ .tv_nsec = 20000000 }, NULL);
	return n;
}

static void case_members(struct sluice_bus *a, struct sluice_bus *b)
{
	unsigned int want = a == b ? 1 : 2;

	CHECK(wait_members(a, want) == want);
	CHECK(wait_members(b, want) == want);
}

#define HEARD_MAX 64

struct heard {
	pthread_mutex_t lock;
	unsigned int count;
	struct sluice_news news[HEARD_MAX];
	char text[HEARD_MAX][64];
};

static void hear(void *ctx, const struct sluice_news *news)
{
	struct heard *h = ctx;

	pthread_mutex_lock(&h->lock);
	if (h->count < HEARD_MAX) {
		h->news[h->count] = *news;
		snprintf(h->text[h->count++], sizeof(h->text[0]), "%s", news->text);
	}
	pthread_mutex_unlock(&h->lock);
}

static unsigned int wait_heard(struct heard *h, unsigned int want)
{
	uint64_t end = now_ms() + WAIT_MS;
	unsigned int n;

	do {
		nanosleep(&(struct timespec){ .tv_nsec = 10000000 }, NULL);
		pthread_mutex_lock(&h->lock);
		n = h->count;
		pthread_mutex_unlock(&h->lock);
	} while (n < want && now_ms() < end);
	return n;
}

/* Number i of those that are said: every field follows from it. */
static struct sluice_news make_news(unsigned int i, char text[64])
{
	struct sluice_news news = { .kind = i % SLUICE_NEWS_KINDS,
				    .camera = camera[i / 8 % 2],
				    .text = text };

	snprintf(text, 64, "{\"n\":%u,\"t\":\"\xc3\xa4 \\\"\"}", i);
	if (news.kind == SLUICE_NEWS_SUMMARY)
		snprintf(text, 64, "%032x", i);
	if (news.kind == SLUICE_NEWS_DONE) {
		text[0] = 0;
		news.epoch = UINT64_MAX / 2 - i;
		news.lane = i / 4 % 2;
		news.range_first = i;
		news.range_last = UINT64_MAX - i;
	}
	return news;
}

static void check_heard(struct heard *h, unsigned int count)
{
	CHECK(wait_heard(h, count) == count);
	for (unsigned int i = 0; i < count; i++) {
		const struct sluice_news *got = &h->news[i];
		char text[64];
		struct sluice_news want = make_news(i, text);

		CHECK(got->kind == want.kind && got->camera == want.camera);
		CHECK(!strcmp(h->text[i], text));
		CHECK(got->epoch == want.epoch && got->lane == want.lane);
		CHECK(got->range_first == want.range_first && got->range_last == want.range_last);
	}
}

/* Everybody hears everything, in order, whoever says it. */
static void case_news(struct sluice_bus *a, struct sluice_bus *b)
{
	static struct heard here = { .lock = PTHREAD_MUTEX_INITIALIZER };
	static struct heard there = { .lock = PTHREAD_MUTEX_INITIALIZER };
	char text[64], *large = calloc(1, SLUICE_NEWS_MAX + 2);
	struct sluice_news news;

	CHECK(!a->ops->listen(a, hear, &here));
	if (a != b)
		CHECK(!b->ops->listen(b, hear, &there));
	for (unsigned int i = 0; i < 40; i++) {
		news = make_news(i, text);
		CHECK(!b->ops->say(b, &news));
	}
	check_heard(&here, 40);
	if (a != b)
		check_heard(&there, 40);
	if (!large)
		exit(1);
	memset(large, 'x', SLUICE_NEWS_MAX + 1);
	news = make_news(0, text);
	news.text = large;
	CHECK(a->ops->say(a, &news) == -EMSGSIZE);
	free(large);
}

static void *stop_later(void *arg)
{
	struct sluice_bus *b = arg;

	nanosleep(&(struct timespec){ .tv_nsec = 20000000 }, NULL);
	b->ops->stop(b);
	return NULL;
}

static void case_stop(struct sluice_bus *b)
{
	struct sluice_lease l = claim(b, 0, 0);
	pthread_t thread;
	uint64_t start = now_ms();

	pthread_create(&thread, NULL, stop_later, b);
	CHECK(!b->ops->next(b, &l, 60000));
	CHECK(now_ms() - start < 30000);
	pthread_join(thread, NULL);
	CHECK(!b->ops->next(b, &l, 60000));
	b->ops->release(b, &l);
}

void conform_bus(struct conform_bus *rig)
{
	struct sluice_bus *a, *b;

	/* two whose first bytes of the id differ in every small number of partitions */
	CHECK(!sluice_cameras_get(rig->cameras, "a.tenant", "box-1", "c0", &camera[0]));
	for (int i = 1; i < 100; i++) {
		char name[16];

		snprintf(name, sizeof(name), "c%d", i);
		CHECK(!sluice_cameras_get(rig->cameras, "a.tenant", "box-1", name, &camera[1]));
		if ((camera[0]->id[0] ^ camera[1]->id[0]) & 1)
			break;
	}
	a = rig->open(rig, 0);
	b = rig->open(rig, 1);
	CHECK(a->partitions == rig->partitions);
	case_partitions(a);
	case_members(a, b);
	case_news(a, b);
	case_order(a);
	case_contents(a);
	case_full(a);
	case_lease(a, b);
	case_poison(rig, a);
	case_stop(a);
	rig->close(rig, 1);
	CHECK(wait_members(a, 1) == 1);
	rig->close(rig, 0);
}
