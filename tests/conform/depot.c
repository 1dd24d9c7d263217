// SPDX-License-Identifier: MIT
/* depot.c - the cases of a depot: whole or not there, read from any place, listed, removed. */
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cloud/segment.h"
#include "tests/conform/depot_case.h"
#include "tests/unit/check.h"
#include "tests/unit/keys.h"

#define BIG	(3u << 20)
#define STEP	30000 /* bytes of a read, as of a frame */
#define THREADS 4
#define FRAMES	40
#define BYTES	20000 /* of one */

struct sluice_camera depot_camera[DEPOT_CAMERAS];

static uint8_t *big;

static const char *path_of(const struct sluice_camera *c, unsigned int n, char out[192])
{
	snprintf(out, 192, "segments/%s/%s/%s/%u-5-0.seg", c->tenant, c->device, c->name, 1000 + n);
	return out;
}

static void begin(void)
{
	big = malloc(BIG);
	if (!big || sluice_camera_init(&depot_camera[0], "t", "d", "c0") ||
	    sluice_camera_init(&depot_camera[1], "t", "d", "c1") ||
	    sluice_camera_init(&depot_camera[2], "t", "e", "c0"))
		exit(1);
	for (size_t i = 0; i < BIG; i++)
		big[i] = (uint8_t)(i * 7 + (i >> 11));
}

static int put_one(struct sluice_depot *d, const char *path, const void *data, size_t size)
{
	const struct sluice_depot_put p = { path, data, size };

	return d->ops->put(d, &p, 1);
}

/* Bytes from there on are these; at the end fewer come. */
static int read_is(struct sluice_depot *d, const char *path, uint64_t offset, size_t size,
		   const uint8_t *bytes, size_t count)
{
	struct sluice_depot_file f;
	uint8_t *buf = malloc(size + 1);
	ssize_t n;
	int err = d->ops->open(d, path, &f);

	if (err) {
		free(buf);
		return err;
	}
	n = d->ops->read(d, &f, buf, size, offset);
	d->ops->shut(d, &f);
	err = n < 0 ? (int)n : (size_t)n == count && !memcmp(buf, bytes, count) ? 0 : -EUCLEAN;
	free(buf);
	return err;
}

static int load_is(struct sluice_depot *d, const char *path, const uint8_t *bytes, size_t count)
{
	uint8_t *data = (uint8_t *)1;
	size_t size;
	int err = d->ops->load(d, path, &data, &size);

	CHECK(!err || !data);
	if (!err)
		err = size == count && !memcmp(data, bytes, count) ? 0 : -EUCLEAN;
	free(err ? NULL : data);
	return err;
}

static int has(struct sluice_depot *d, const char *path, const uint8_t *bytes, size_t count)
{
	uint8_t digest[SHA256_DIGEST_LENGTH];
	char hex[2 * SHA256_DIGEST_LENGTH + 1];

	sluice_sha256(bytes, count, digest);
	sluice_hex(digest, sizeof(digest), hex);
	return d->ops->has(d, path, hex, count);
}

/* ---- lists ---- */

struct list {
	unsigned int count;
	char last[192];
	int disorder;
	struct sluice_depot *depot; /* to be emptied */
};

static int add_path(void *ctx, const struct sluice_camera *c, const char *path)
{
	struct list *l = ctx;
	char begins[128];

	snprintf(begins, sizeof(begins), "segments/%s/%s/%s/", c->tenant, c->device, c->name);
	CHECK(!strncmp(path, begins, strlen(begins)));
	l->disorder |= strcmp(path, l->last) <= 0;
	snprintf(l->last, sizeof(l->last), "%s", path);
	l->count++;
	return l->depot ? l->depot->ops->remove(l->depot, path) : 0;
}

static int stop_at_once(void *ctx, const struct sluice_camera *c, const char *path)
{
	(void)c;
	(void)path;
	++*(int *)ctx;
	return 7;
}

unsigned int depot_count(struct sluice_depot *d)
{
	struct list l = { 0 };

	CHECK(!d->ops->each(d, add_path, &l) && !l.disorder);
	return l.count;
}

void depot_empty(struct sluice_depot *d)
{
	struct list l = { .depot = d };

	CHECK(!d->ops->each(d, add_path, &l));
	CHECK(!depot_count(d));
}

/* ---- cases ---- */

static void put_and_read(struct sluice_depot *d)
{
	char path[3][192];
	const struct sluice_depot_put puts[] = {
		{ path_of(&depot_camera[0], 0, path[0]), big, BIG },
		{ path_of(&depot_camera[1], 0, path[1]), big + 1, 1000 },
		{ path_of(&depot_camera[2], 0, path[2]), big + 2, 1 }
	};

	CHECK(load_is(d, path[0], big, BIG) == -ENOENT);
	CHECK(read_is(d, path[0], 0, 10, big, 10) == -ENOENT);
	CHECK(!d->ops->put(d, puts, 3));
	CHECK(!d->ops->put(d, NULL, 0));
	CHECK(!load_is(d, path[0], big, BIG) && !load_is(d, path[1], big + 1, 1000) &&
	      !load_is(d, path[2], big + 2, 1));
	/* from any place, across what is asked for at once, and over the end */
	CHECK(!read_is(d, path[0], 0, 100, big, 100));
	CHECK(!read_is(d, path[0], BIG - 5, 100, big + BIG - 5, 5));
	CHECK(!read_is(d, path[0], BIG, 100, big, 0));
	CHECK(!read_is(d, path[0], BIG + 100, 100, big, 0));
	CHECK(!read_is(d, path[0], 500000, 100000, big + 500000, 100000));
	CHECK(!read_is(d, path[0], 0, BIG + 7, big, BIG));
	CHECK(!read_is(d, path[1], 999, 100, big + 1000, 1));
	CHECK(!read_is(d, path[1], 0, 1000, big + 1, 1000));
	CHECK(!read_is(d, path[2], 0, 1, big + 2, 1));
	/* again, with other bytes */
	CHECK(has(d, path[1], big + 1, 1000) == 1 && has(d, path[1], big + 9, 1000) == 0);
	CHECK(!put_one(d, path[1], big + 9, 2000));
	CHECK(has(d, path[1], big + 9, 2000) == 1 && has(d, path[1], big + 1, 1000) == 0);
	CHECK(has(d, "segments/t/d/c0/1-1-1.seg", big, 1000) == 0);
	CHECK(!load_is(d, path[1], big + 9, 2000) && !read_is(d, path[1], 0, 9999, big + 9, 2000));
	CHECK(!d->ops->probe(d, 1u << 20));
}

static void list_and_remove(struct sluice_depot *d)
{
	char path[192];
	int n = 0;

	CHECK(depot_count(d) == 3);
	for (unsigned int i = 1; i < 4; i++) /* more than a page */
		CHECK(!put_one(d, path_of(&depot_camera[i % 2], i, path), "x", 1));
	CHECK(depot_count(d) == 6);
	CHECK(d->ops->each(d, stop_at_once, &n) == 7 && n == 1);
	CHECK(!d->ops->remove(d, path_of(&depot_camera[0], 0, path)));
	CHECK(!d->ops->remove(d, path));
	CHECK(load_is(d, path, big, BIG) == -ENOENT);
	CHECK(read_is(d, path, 0, 10, big, 10) == -ENOENT);
	CHECK(depot_count(d) == 5);
	depot_empty(d);
}

/* Read on: one request brings what many reads want. */
static void read_on(struct conform_depot *rig, struct sluice_depot *d)
{
	struct sluice_depot *other = rig->open(rig);
	unsigned long long began;
	char path[192];
	size_t at;

	CHECK(!put_one(d, path_of(&depot_camera[0], 0, path), big, BIG));
	began = rig->requests ? rig->requests(rig) : 0;
	for (at = 0; at < BIG; at += STEP)
		CHECK(!read_is(other, path, at, STEP, big + at, BIG - at < STEP ? BIG - at : STEP));
	if (rig->requests)
		CHECK(rig->requests(rig) > began && rig->requests(rig) <= began + 4);
	sluice_depot_close(other);
	depot_empty(d);
}

/* ---- segments in it ---- */

static void fill(uint8_t *out, uint64_t sequence)
{
	for (size_t i = 0; i < BYTES; i++)
		out[i] = (uint8_t)(sequence * 31 + i);
}

struct seen {
	unsigned int frames;
	uint64_t offset[FRAMES];
	uint32_t length[FRAMES];
};

static int on_frame(void *ctx, const struct sluice_segment_frame *f, uint64_t offset,
		    uint32_t length)
{
	struct seen *s = ctx;

	CHECK(f->sequence == s->frames && s->frames < FRAMES);
	s->offset[s->frames] = offset;
	s->length[s->frames++] = length;
	return 0;
}

static void put_segment(struct sluice_depot *d, const char *path, const struct sluice_keyring *keys)
{
	struct sluice_segment_info info = { .created_ns = 5, .epoch = 5 };
	struct sluice_segment *s;
	uint8_t bytes[BYTES];
	uint64_t offset;
	uint32_t length;

	memcpy(info.camera, depot_camera[0].id, 16);
	CHECK(!sluice_segment_begin(&info, keys, &s));
	for (uint64_t i = 0; i < FRAMES; i++) {
		struct sluice_segment_frame f = { .epoch = 5,
						  .sequence = i,
						  .width = 64,
						  .height = 64,
						  .jpeg = bytes,
						  .jpeg_size = BYTES };

		fill(bytes, i);
		CHECK(!sluice_segment_append(s, &f, &offset, &length));
	}
	CHECK(!put_one(d, path, sluice_segment_bytes(s), (size_t)sluice_segment_size(s)));
	sluice_segment_close(s);
}

static int frame_is(struct sluice_depot *d, const char *path, const struct sluice_keyring *keys,
		    const struct seen *s, unsigned int i)
{
	uint8_t bytes[BYTES], *buf;
	struct sluice_segment_frame f;
	int err = sluice_segment_read_in(d, path, keys, s->offset[i], s->length[i], &f, &buf);

	fill(bytes, i);
	if (!err && (f.sequence != i || f.jpeg_size != BYTES || memcmp(f.jpeg, bytes, BYTES) != 0))
		err = -EUCLEAN;
	free(buf);
	return err;
}

static void scan_and_read(struct conform_depot *rig, struct sluice_depot *d,
			  const struct sluice_keyring *keys)
{
	struct sluice_segment_info info;
	unsigned long long began;
	struct seen s = { 0 };
	uint64_t end, size;
	char path[192];

	path_of(&depot_camera[0], 0, path);
	put_segment(d, path, keys);
	CHECK(!sluice_segment_scan_in(d, path, keys, &info, on_frame, &s, &end, &size));
	CHECK(s.frames == FRAMES && end == size && !memcmp(info.camera, depot_camera[0].id, 16));
	began = rig->requests ? rig->requests(rig) : 0;
	for (unsigned int i = 0; i < FRAMES; i++)
		CHECK(!frame_is(d, path, keys, &s, i));
	if (rig->requests)
		CHECK(rig->requests(rig) <= began + 3); /* not one a frame */
	CHECK(frame_is(d, path, keys, &(struct seen){ .offset = { 8 }, .length = { 300 } }, 0) ==
	      -EBADMSG);
	if (keys)
		CHECK(sluice_segment_read_in(d, path, NULL, s.offset[0], s.length[0],
					     &(struct sluice_segment_frame){ 0 },
					     &(uint8_t *){ NULL }) == -ENOKEY);
	depot_empty(d);
}

/* ---- many at a time ---- */

struct thread {
	pthread_t thread;
	struct sluice_depot *d;
	unsigned int number, wrong;
};

static void *thread_main(void *ctx)
{
	struct thread *t = ctx;
	char path[192];

	for (unsigned int i = 0; i < 4; i++) {
		const uint8_t *bytes = big + t->number * 100 + i;

		path_of(&depot_camera[i % 3], t->number * 100 + i, path);
		t->wrong += put_one(t->d, path, bytes, 5000) != 0;
		t->wrong += read_is(t->d, path, 10, 9000, bytes + 10, 4990) != 0;
		t->wrong += load_is(t->d, path, bytes, 5000) != 0;
		t->wrong += t->d->ops->remove(t->d, path) != 0;
	}
	return NULL;
}

static void many(struct sluice_depot *d)
{
	struct thread t[THREADS];

	for (unsigned int i = 0; i < THREADS; i++) {
		t[i] = (struct thread){ .d = d, .number = i };
		CHECK(!pthread_create(&t[i].thread, NULL, thread_main, &t[i]));
	}
	for (unsigned int i = 0; i < THREADS; i++) {
		pthread_join(t[i].thread, NULL);
		CHECK(!t[i].wrong);
	}
	CHECK(!depot_count(d));
}

void conform_depot(struct conform_depot *rig)
{
	struct sluice_depot *d;

	begin();
	d = rig->open(rig);
	CHECK(!depot_count(d));
	put_and_read(d);
	list_and_remove(d);
	read_on(rig, d);
	scan_and_read(rig, d, NULL);
	scan_and_read(rig, d, make_keys(1));
	many(d);
	conform_depot_store(rig);
	CHECK(!depot_count(d));
	sluice_depot_close(d);
	free(big);
}

/* ---- faults ---- */

/* Never other bytes, and what heals is not seen. */
static void fail_read(struct conform_depot *rig, unsigned int way, int stays)
{
	struct sluice_depot *d = rig->open(rig);
	struct sluice_segment_info info;
	struct seen s = { 0 };
	uint64_t end, size;
	char path[192];
	int err;

	path_of(&depot_camera[0], 0, path);
	put_segment(d, path, NULL);
	rig->fail(rig, way, 1, stays);
	err = sluice_segment_scan_in(d, path, NULL, &info, on_frame, &s, &end, &size);
	rig->fail(rig, 0, 0, 0);
	CHECK(stays ? err || way == rig->etag_way : !err);
	if (!err)
		CHECK(s.frames == FRAMES && end == size);
	s.frames = 0;
	CHECK(!sluice_segment_scan_in(d, path, NULL, &info, on_frame, &s, &end, &size));
	rig->fail(rig, way, 1, stays);
	err = frame_is(d, path, NULL, &s, 7);
	rig->fail(rig, 0, 0, 0);
	if (err && !stays)
		fprintf(stderr, "read, way %u: %s\n", way, strerror(-err));
	CHECK(err != -EUCLEAN && err != -ENOENT);
	CHECK(stays || !err);
	CHECK(!frame_is(d, path, NULL, &s, 7));
	depot_empty(d);
	sluice_depot_close(d);
}

void conform_depot_faults(struct conform_depot *rig)
{
	begin();
	for (unsigned int way = 0; rig->heals && way < rig->ways; way++) {
		fail_read(rig, way, 0);
		if (way < rig->wait_ways)
			fail_read(rig, way, 1);
	}
	conform_depot_store_faults(rig);
	free(big);
}
