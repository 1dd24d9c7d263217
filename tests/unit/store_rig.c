// SPDX-License-Identifier: MIT
#include "store_rig.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/unit/keys.h"
#include "tests/unit/tmp_dir.h"

#define START_NS 1700000000000000000ull

/* Not counted, and never failing, where nth_fault.c is linked. */
void *__libc_calloc(size_t n, size_t size);
void __libc_free(void *p);

const char store_rig_id[] = "00112233445566778899aabbccddeeff";

void store_rig_begin(struct store_rig *rig, int key)
{
	char path[128];

	snprintf(rig->data, sizeof(rig->data), "%s/store_rig.XXXXXX",
		 access("/dev/shm", W_OK) ? "/tmp" : "/dev/shm");
	if (!mkdtemp(rig->data) || sluice_camera_init(&rig->camera, "t", "d", "c")) {
		perror("store_rig_begin");
		exit(1);
	}
	snprintf(path, sizeof(path), "%s/segments", rig->data);
	mkdir(path, 0700);
	snprintf(path, sizeof(path), "%s/media", rig->data);
	mkdir(path, 0700);
	make_ring(&rig->ring, key, 0);
}

void store_rig_remove(const char *path)
{
	tmp_dir_remove(path);
}

void store_rig_fill(uint8_t *out, uint64_t sequence)
{
	size_t i;

	for (i = 0; i < STORE_RIG_BYTES; i++)
		out[i] = (uint8_t)(sequence * 31 + i);
}

static struct sluice_item *make_item(struct store_rig *rig, uint64_t sequence)
{
	struct sluice_item *item = __libc_calloc(1, sizeof(*item) + STORE_RIG_BYTES);

	item->kind = SLUICE_ITEM_FRAME;
	item->session = 1;
	item->camera = &rig->camera;
	item->epoch = STORE_RIG_EPOCH;
	item->sequence = sequence;
	item->range_last = INT64_MAX;
	item->time_ns = 1000 + sequence;
	item->utc_ns = START_NS + sequence;
	item->reason = SLUICE_REASON_MOTION;
	item->width = item->height = 64;
	item->jpeg_size = STORE_RIG_BYTES;
	store_rig_fill(item->data, sequence);
	return item;
}

/* In the index's transaction. */
static int store_items(struct sluice_store *s, struct sluice_item *group)
{
	struct sluice_item *item;
	uint64_t resume;
	int err = sluice_store_begin(s);

	if (err)
		return err;
	for (item = group; item && !err; item = item->next) {
		if (item == group)
			err = sluice_store_epoch(s, item, &resume);
		if (!err)
			err = sluice_store_frame(s, item);
	}
	if (!err)
		err = sluice_store_sync(s);
	if (!err)
		err = sluice_store_commit(s);
	if (err)
		sluice_store_abort(s);
	return err;
}

int store_rig_group(struct store_rig *rig, struct sluice_store *s, uint64_t first)
{
	struct sluice_item *group = NULL, **end = &group;
	uint64_t i;
	int err;

	for (i = first; i < first + STORE_RIG_GROUP; i++) {
		*end = make_item(rig, i);
		end = &(*end)->next;
	}
	err = sluice_store_stage(s, group);
	if (!err)
		err = store_items(s, group);
	sluice_store_unstage(s);
	while (group) {
		struct sluice_item *next = group->next;

		__libc_free(group);
		group = next;
	}
	return !err;
}

int store_rig_summary(struct store_rig *rig, const struct sluice_shelf *shelf)
{
	static const uint8_t key[] = "key frame";
	const struct sluice_summary_media media = { "key-1.jpg", key, sizeof(key) };
	struct sluice_summary sum = { .epoch = STORE_RIG_EPOCH,
				      .start_utc_ns = START_NS,
				      .end_utc_ns = START_NS + 5,
				      .json = "{\"kind\":\"event\",\"epoch\":\"5\","
					      "\"start_ns\":\"1700000000000000000\","
					      "\"end_ns\":\"1700000000000000005\"}",
				      .media = &media,
				      .media_count = 1 };

	memcpy(sum.id, store_rig_id, sizeof(sum.id));
	return sluice_shelf_put(shelf, &rig->camera, &sum) >= 0;
}

int store_rig_shelf(struct store_rig *rig, const char *data, struct sluice_shelf *shelf)
{
	char path[128];
	int err;

	memset(shelf, 0, sizeof(*shelf));
	shelf->data = data;
	snprintf(path, sizeof(path), "%s/index.db", data);
	err = sluice_index_sqlite_open(path, &shelf->index);
	snprintf(path, sizeof(path), "%s/media", data);
	if (!err)
		err = sluice_media_dir_open(path, &rig->ring, &shelf->media);
	if (err)
		store_rig_close(shelf);
	return err;
}

void store_rig_close(struct sluice_shelf *shelf)
{
	sluice_media_close(shelf->media);
	sluice_index_close(shelf->index);
	shelf->media = NULL;
	shelf->index = NULL;
}

int store_rig_frame(struct store_rig *rig, const struct sluice_shelf *shelf, uint64_t sequence)
{
	struct sluice_segment_frame f;
	uint8_t expect[STORE_RIG_BYTES], *buf;
	int err = sluice_shelf_record(shelf, &rig->camera, STORE_RIG_EPOCH, sequence, &f, &buf);

	if (err)
		return err;
	store_rig_fill(expect, sequence);
	if (f.jpeg_size != sizeof(expect) || memcmp(f.jpeg, expect, sizeof(expect)) != 0)
		err = -EUCLEAN;
	free(buf);
	return err;
}
