// SPDX-License-Identifier: MIT
/*
 * test_ingest.c - the writer thread alone: what is told STORED and in which order, a group that
 * cannot be stored with more of the same session behind it, and a bus that is full.
 */
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>

#include "cloud/index.h"
#include "cloud/ingest.h"
#include "tests/unit/check.h"
#include "tests/unit/tmp_dir.h"

#define SIZE 50000

static char data[64];
static struct sluice_camera camera;
static struct sluice_bus *bus;
static struct sluice_ingest *ingest;

/* what was told, by session 1..4 */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static struct {
	int64_t stored;
	uint64_t resume;
	size_t released;
	uint32_t items;
	int opened, failed;
} told[5];

static void on_told(void *ctx, struct sluice_told *t, size_t count)
{
	size_t i;

	(void)ctx;
	pthread_mutex_lock(&lock);
	for (i = 0; i < count; i++) {
		switch (t[i].kind) {
		case SLUICE_TOLD_OPENED:
			told[t[i].session].opened++;
			told[t[i].session].resume = t[i].value;
			break;
		case SLUICE_TOLD_STORED:
			CHECK((int64_t)t[i].value > told[t[i].session].stored);
			told[t[i].session].stored = (int64_t)t[i].value;
			break;
		case SLUICE_TOLD_RELEASED:
			told[t[i].session].released += t[i].bytes;
			told[t[i].session].items += t[i].items;
			break;
		case SLUICE_TOLD_FAILED:
			told[t[i].session].failed = t[i].err;
			break;
		}
	}
	pthread_cond_broadcast(&changed);
	pthread_mutex_unlock(&lock);
	free(t);
}

#define WAIT_FOR(cond)                                                              \
	do {                                                                        \
		struct timespec until;                                              \
		clock_gettime(CLOCK_REALTIME, &until);                              \
		until.tv_sec += 10;                                                 \
		pthread_mutex_lock(&lock);                                          \
		while (!(cond) && !pthread_cond_timedwait(&changed, &lock, &until)) \
			;                                                           \
		CHECK(cond);                                                        \
		pthread_mutex_unlock(&lock);                                        \
	} while (0)

static void put(enum sluice_item_kind kind, uint64_t session, uint64_t sequence)
{
	size_t size = kind == SLUICE_ITEM_FRAME ? SIZE : 0;
	struct sluice_item *item = calloc(1, sizeof(*item) + size);

	item->kind = kind;
	item->session = session;
	item->slot = 1;
	item->camera = &camera;
	item->epoch = 1;
	item->sequence = sequence;
	item->range_last = INT64_MAX;
	item->width = 64;
	item->height = 48;
	item->reason = 8;
	item->jpeg_size = (uint32_t)size;
	item->charge = size;
	sluice_ingest_put(ingest, item);
}

static int is_indexed(uint64_t sequence)
{
	struct sluice_index *ix = NULL;
	struct sluice_index_frame f;
	char path[192];
	int found;

	snprintf(path, sizeof(path), "%s/index.db", data);
	CHECK(!sluice_index_sqlite_open(path, &ix));
	found = !ix->ops->frame_find(ix, camera.id, 1, sequence, &f, path);
	sluice_index_close(ix);
	return found;
}

static void limit_files(rlim_t bytes)
{
	struct rlimit r;

	getrlimit(RLIMIT_FSIZE, &r);
	r.rlim_cur = bytes;
	setrlimit(RLIMIT_FSIZE, &r);
}

/* While the group of frames 10.. is failing, frames 20.. of the same session come in. */
static void put_more(enum sluice_commit_point point)
{
	uint64_t i;

	if (point != SLUICE_POINT_APPENDED)
		return;
	sluice_ingest_point = NULL;
	for (i = 20; i < 30; i++)
		put(SLUICE_ITEM_FRAME, 1, i);
	limit_files(RLIM_INFINITY); /* there is room again when they are looked at */
}

static void test_hole(void)
{
	uint64_t i;

	put(SLUICE_ITEM_OPEN, 1, 0);
	WAIT_FOR(told[1].opened == 1);
	CHECK(told[1].resume == 0);
	for (i = 0; i < 10; i++)
		put(SLUICE_ITEM_FRAME, 1, i);
	WAIT_FOR(told[1].stored == 9);
	limit_files(600000);
	sluice_ingest_point = put_more;
	for (i = 10; i < 20; i++)
		put(SLUICE_ITEM_FRAME, 1, i);
	WAIT_FOR(told[1].failed);
	CHECK(told[1].failed == -EFBIG);
	/* another session of the same device is answered only after all of that */
	put(SLUICE_ITEM_OPEN, 2, 0);
	WAIT_FOR(told[2].opened == 1);
	CHECK(told[2].resume == 10);
	CHECK(told[1].stored == 9);
	CHECK(is_indexed(9) && !is_indexed(10) && !is_indexed(20) && !is_indexed(29));
	for (i = 10; i < 30; i++)
		put(SLUICE_ITEM_FRAME, 2, i);
	WAIT_FOR(told[2].stored == 29);
	for (i = 10; i < 30; i++)
		CHECK(is_indexed(i));
}

/* Nobody takes chunks: what was stored is told, credit is not given back; then it is. */
static void test_full_bus(void)
{
	struct sluice_lease lease;
	struct sluice_chunk *c;
	uint64_t i, next = 0;
	size_t released;

	CHECK(!bus->ops->claim(bus, 0, &lease));
	put(SLUICE_ITEM_OPEN, 3, 0);
	for (i = 30; i < 60; i++)
		put(SLUICE_ITEM_FRAME, 3, i);
	WAIT_FOR(told[3].stored == 59);
	pthread_mutex_lock(&lock);
	released = told[3].released;
	pthread_mutex_unlock(&lock);
	CHECK(released < 30 * SIZE);
	CHECK(sluice_ingest_fill(ingest) > 0);
	while (next < 60 && (c = bus->ops->next(bus, &lease, 3000))) {
		const struct sluice_item *item;

		for (item = c->items; item; item = item->next) {
			if (item->kind != SLUICE_ITEM_FRAME)
				continue;
			CHECK(item->sequence == next); /* each once, in order, no hole */
			next = item->sequence + 1;
		}
		bus->ops->ack(bus, &lease, c);
	}
	CHECK(next == 60);
	WAIT_FOR(told[3].released == 30 * SIZE && told[3].items == 31);
	CHECK(sluice_ingest_fill(ingest) == 0);
	bus->ops->release(bus, &lease);
}

/*
 * Where segments are put whole a group waits for more, but not for a camera that has enough, nor
 * when somebody waits; one that cannot be put is told as failed.
 */
static void test_whole(struct sluice_ingest_config *c)
{
	static struct sluice_depot d; /* c outlives this */
	uint64_t i;

	sluice_depot_dir(&d, data);
	d.whole = 1;
	c->depot = &d;
	c->whole_ms = 3600000;
	c->whole_bytes = (size_t)5 * SIZE;
	CHECK(!sluice_ingest_open(c, &ingest));
	put(SLUICE_ITEM_OPEN, 4, 0);
	WAIT_FOR(told[4].opened == 1);
	CHECK(told[4].resume == 60);
	for (i = 60; i < 65; i++)
		put(SLUICE_ITEM_FRAME, 4, i);
	WAIT_FOR(told[4].stored == 64);
	CHECK(is_indexed(60) && is_indexed(64));
	put(SLUICE_ITEM_FRAME, 4, 65);
	put(SLUICE_ITEM_CLOSE, 4, 0);
	WAIT_FOR(told[4].stored == 65);
	put(SLUICE_ITEM_OPEN, 4, 0);
	WAIT_FOR(told[4].opened == 2);
	limit_files(1000);
	for (i = 66; i < 71; i++)
		put(SLUICE_ITEM_FRAME, 4, i);
	WAIT_FOR(told[4].failed == -EFBIG);
	limit_files(RLIM_INFINITY);
	CHECK(told[4].stored == 65 && !is_indexed(66));
	sluice_ingest_close(ingest);
}

int main(void)
{
	static struct sluice_counters counters;
	struct sluice_ingest_config c = { .data = data, .counters = &counters, .tell = on_told };
	char path[128];
	int i;

	signal(SIGXFSZ, SIG_IGN);
	for (i = 0; i < 5; i++)
		told[i].stored = -1;
	snprintf(data, sizeof(data), "/tmp/test_ingest.XXXXXX");
	if (!mkdtemp(data))
		return 1;
	snprintf(path, sizeof(path), "%s/segments", data);
	mkdir(path, 0700);
	CHECK(!sluice_camera_init(&camera, "t", "d", "c0"));
	CHECK(!sluice_bus_local_open(1, 600000, &bus));
	c.bus = bus;
	CHECK(!sluice_ingest_open(&c, &ingest));
	test_hole();
	test_full_bus();
	sluice_ingest_close(ingest);
	test_whole(&c);
	sluice_bus_close(bus);
	tmp_dir_remove(data);
	return check_result();
}
