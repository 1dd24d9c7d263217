// SPDX-License-Identifier: MIT
/*
 * depot_store.c - groups of frames of several cameras on their way into a depot that takes whole
 * segments, as the writer of a node brings them: all of a group is stored, or nothing of it is
 * told; what comes again is stored once.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cloud/recover.h"
#include "cloud/retain.h"
#include "cloud/shelf.h"
#include "cloud/store.h"
#include "tests/conform/depot_case.h"
#include "tests/unit/check.h"
#include "tests/unit/keys.h"

#define EPOCH 9
#define EACH  3 /* frames of a camera in a group */
#define BYTES 3000
#define START 1700000000000000000ull

static struct sluice_keyring ring;

/* ---- a node's data ---- */

static void remove_index(const struct conform_depot *rig)
{
	static const char *const end[] = { "", "-wal", "-shm" };
	char path[256];

	for (size_t i = 0; i < 3; i++) {
		snprintf(path, sizeof(path), "%s/index.db%s", rig->data, end[i]);
		unlink(path);
	}
}

static struct sluice_store *open_store(struct conform_depot *rig, struct sluice_depot *d)
{
	struct sluice_store *s;

	if (sluice_store_open_in(rig->data, d, make_ring(&ring, 3, 0), &s))
		exit(1);
	return s;
}

static void fill(uint8_t *out, size_t camera, uint64_t sequence)
{
	for (size_t i = 0; i < BYTES; i++)
		out[i] = (uint8_t)(camera * 101 + sequence * 31 + i);
}

static struct sluice_item *make_item(size_t camera, uint64_t sequence)
{
	struct sluice_item *item = calloc(1, sizeof(*item) + BYTES);

	item->kind = SLUICE_ITEM_FRAME;
	item->camera = &depot_camera[camera];
	item->session = 1 + camera;
	item->epoch = EPOCH;
	item->sequence = sequence;
	item->range_last = INT64_MAX;
	item->time_ns = 1000 + sequence;
	item->utc_ns = START + sequence;
	item->reason = SLUICE_REASON_MOTION;
	item->width = item->height = 64;
	item->jpeg_size = BYTES;
	fill(item->data, camera, sequence);
	return item;
}

static struct sluice_item *make_group(uint64_t first)
{
	struct sluice_item *group = NULL, **end = &group;

	for (uint64_t i = first; i < first + EACH; i++)
		for (size_t c = 0; c < DEPOT_CAMERAS; c++) {
			*end = make_item(c, i);
			end = &(*end)->next;
		}
	return group;
}

static unsigned int free_group(struct sluice_item *group)
{
	unsigned int duplicates = 0;

	while (group) {
		struct sluice_item *next = group->next;

		duplicates += group->duplicate != 0;
		free(group);
		group = next;
	}
	return duplicates;
}

/* As ingest.c does it. die: the process ends before the commit. */
static int store_group(struct sluice_store *s, uint64_t first, int die, unsigned int *duplicates)
{
	struct sluice_item *group = make_group(first), *item;
	uint64_t resume;
	int err = sluice_store_stage(s, group);

	if (!err)
		err = sluice_store_begin(s);
	if (err)
		goto out;
	for (item = group; item && !err; item = item->next) {
		if (item->sequence == first)
			err = sluice_store_epoch(s, item, &resume);
		if (!err)
			err = sluice_store_frame(s, item);
	}
	if (!err)
		err = sluice_store_sync(s);
	if (!err && die)
		err = -ECANCELED;
	if (!err)
		err = sluice_store_commit(s);
	if (err)
		sluice_store_abort(s);
out:
	sluice_store_unstage(s);
	*duplicates = free_group(group);
	return err;
}

/* ---- looking at it ---- */

static uint64_t count_rows(const struct conform_depot *rig)
{
	struct sluice_index *ix;
	uint64_t n = 0;

	CHECK(!sluice_index_open(rig->data, &ix) && !ix->ops->frames_count(ix, &n));
	sluice_index_close(ix);
	return n;
}

static struct sluice_shelf open_shelf(const struct conform_depot *rig, struct sluice_depot *d)
{
	struct sluice_shelf s = { .data = rig->data };
	char path[256];

	snprintf(path, sizeof(path), "%s/media", rig->data);
	mkdir(path, 0700);
	if (sluice_index_open(rig->data, &s.index) ||
	    sluice_media_dir_open(path, make_ring(&ring, 3, 0), &s.media))
		exit(1);
	s.media->depot = d;
	return s;
}

static void close_shelf(struct sluice_shelf *s)
{
	s->media->depot = NULL; /* the rig's */
	sluice_media_close(s->media);
	sluice_index_close(s->index);
}

/* Frames 0..last-1 of every camera are there, once, and their bytes; so many segments besides, at
 * least: what was under way when a group was given up may come later. */
static void check_stored(const struct conform_depot *rig, struct sluice_depot *d, uint64_t last,
			 unsigned int least, unsigned int most)
{
	struct sluice_shelf s = open_shelf(rig, d);
	struct sluice_segment_frame f;
	struct sluice_check k;
	uint8_t bytes[BYTES], *buf;

	CHECK(!sluice_check(rig->data, s.index, s.media, NULL, NULL, &k));
	CHECK(k.indexed == last * DEPOT_CAMERAS && k.frames == k.indexed && !k.missing_frame &&
	      !k.missing_row && !k.bad_tail && !k.bad_header && !k.locked);
	CHECK(k.orphans >= least && k.orphans <= most);
	for (uint64_t i = 0; i < last; i++)
		for (size_t c = 0; c < DEPOT_CAMERAS; c++) {
			CHECK(!sluice_shelf_record(&s, &depot_camera[c], EPOCH, i, &f, &buf));
			fill(bytes, c, i);
			CHECK(buf && f.jpeg_size == BYTES && !memcmp(f.jpeg, bytes, BYTES));
			free(buf);
		}
	close_shelf(&s);
}

static void rebuild(const struct conform_depot *rig, struct sluice_depot *d, uint64_t last)
{
	struct sluice_shelf s;
	struct sluice_recovered r;
	uint64_t summaries;

	remove_index(rig);
	s = open_shelf(rig, d);
	CHECK(!sluice_rebuild(rig->data, s.index, s.media, &r, &summaries));
	CHECK(!r.damaged && r.added == last * DEPOT_CAMERAS);
	close_shelf(&s);
}

/* ---- cases ---- */

static uint64_t far(void)
{
	return START + 100 * 86400000000000ull;
}

/* All frames are too old: what the index names goes. Returns what could not be done. */
static uint64_t expire(const struct conform_depot *rig, struct sluice_depot *d)
{
	struct sluice_shelf s = open_shelf(rig, d);
	const struct sluice_retain_config c = {
		.data = rig->data, .media = s.media, .events_s = 1, .utc_now = far
	};
	struct sluice_retained gone;
	struct sluice_retain *r;

	CHECK(!sluice_retain_open(&c, &r));
	while (sluice_retain_step(r) > 0)
		;
	sluice_retain_stats(r, &gone);
	sluice_retain_close(r);
	close_shelf(&s);
	return gone.failed;
}

void conform_depot_store(struct conform_depot *rig)
{
	struct sluice_depot *d = rig->open(rig);
	struct sluice_store *s = open_store(rig, d);
	unsigned int duplicates;

	CHECK(!store_group(s, 0, 0, &duplicates) && !duplicates);
	CHECK(depot_count(d) == DEPOT_CAMERAS); /* one for a camera and group */
	CHECK(!store_group(s, EACH, 0, &duplicates) && !duplicates);
	check_stored(rig, d, 2 * EACH, 0, 0);
	/* the same again: nothing is put */
	CHECK(!store_group(s, EACH, 0, &duplicates) && duplicates == EACH * DEPOT_CAMERAS);
	CHECK(depot_count(d) == 2 * DEPOT_CAMERAS);
	/* an end between put and commit, and the frames come again */
	CHECK(store_group(s, 2 * EACH, 1, &duplicates) == -ECANCELED);
	CHECK(count_rows(rig) == 2 * EACH * DEPOT_CAMERAS);
	check_stored(rig, d, 2 * EACH, DEPOT_CAMERAS, DEPOT_CAMERAS);
	sluice_store_close(s);
	s = open_store(rig, d);
	CHECK(!store_group(s, 2 * EACH, 0, &duplicates) && !duplicates);
	check_stored(rig, d, 3 * EACH, DEPOT_CAMERAS, DEPOT_CAMERAS);
	sluice_store_close(s);
	/* a list of what is there makes the same index, and takes no frame twice */
	rebuild(rig, d, 3 * EACH);
	CHECK(count_rows(rig) == 3 * EACH * DEPOT_CAMERAS);
	CHECK(!expire(rig, d) && !count_rows(rig) && !depot_count(d));
	remove_index(rig);
	sluice_depot_close(d);
}

/* The at-th request of a group fails. Returns whether there was such a request. */
static int fail_group(struct conform_depot *rig, unsigned int way, unsigned int at, int stays)
{
	struct sluice_depot *d = rig->open(rig);
	struct sluice_store *s = open_store(rig, d);
	unsigned int duplicates, made, left;
	int err;

	CHECK(!store_group(s, 0, 0, &duplicates));
	rig->fail(rig, way, at, stays);
	err = store_group(s, EACH, 0, &duplicates);
	made = rig->fail(rig, 0, 0, 0);
	if (!stays && rig->heals && err)
		fprintf(stderr, "group, way %u, request %u: %s\n", way, at, strerror(-err));
	CHECK(stays || !rig->heals || !err);
	CHECK(!stays || made < at || err);
	/* all of it, or nothing */
	CHECK(count_rows(rig) == (err ? 1 : 2) * EACH * DEPOT_CAMERAS);
	left = depot_count(d) - (err ? 1 : 2) * DEPOT_CAMERAS;
	CHECK(err || !left);
	CHECK(!store_group(s, EACH, 0, &duplicates));
	CHECK(err ? !duplicates : duplicates == EACH * DEPOT_CAMERAS);
	sluice_store_close(s);
	check_stored(rig, d, 2 * EACH, left, err ? DEPOT_CAMERAS : 0);
	remove_index(rig);
	depot_empty(d);
	sluice_depot_close(d);
	return made >= at;
}

/* A bucket that does not answer is asked again later. */
static void fail_expire(struct conform_depot *rig)
{
	struct sluice_depot *d = rig->open(rig);
	struct sluice_store *s = open_store(rig, d);
	unsigned int duplicates;

	CHECK(!store_group(s, 0, 0, &duplicates));
	sluice_store_close(s);
	rig->fail(rig, 0, 1, 1);
	CHECK(expire(rig, d) > 0);
	rig->fail(rig, 0, 0, 0);
	CHECK(depot_count(d) == DEPOT_CAMERAS);
	CHECK(!expire(rig, d) && !depot_count(d));
	remove_index(rig);
	sluice_depot_close(d);
}

void conform_depot_store_faults(struct conform_depot *rig)
{
	unsigned int last, way;

	if (rig->heals)
		fail_expire(rig);

	for (last = 0; last < 100 && fail_group(rig, 0, last + 1, 0); last++)
		;
	CHECK(last >= DEPOT_CAMERAS && last < 100);
	if (rig->lost_way)
		fail_group(rig, rig->lost_way, 2, 0);
	for (way = 0; way < rig->wait_ways; way++)
		fail_group(rig, way, 2, 1);
	fail_group(rig, 0, last, 1);
}
