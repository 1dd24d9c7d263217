// SPDX-License-Identifier: MIT
/*
 * store.c - open segments and the index, one group at a time.
 *
 * Order of a group: append to segments, fdatasync them (and directories with new names) side by
 * side, commit the index, (the caller tells). A crash before the commit leaves records that no
 * index row knows: recovery adds them, nobody was told, so the device sends them again and they are
 * duplicates. Failure of any step: everything since begin is taken back, the caller tells nobody. A
 * segment whose sync failed is never written again.
 *
 * Each lane of a camera is a stream of its own, with segments of its own. Within a lane frames come
 * in order, so what is at or below the highest stored of its range was stored before; but the index
 * is asked, and what it does not know is stored, wherever it lies.
 *
 * Segments lie at DATA/segments/TENANT/DEVICE/CAMERA/CREATED-EPOCH-SEQUENCE.seg, so that the camera
 * of a segment is known without the index.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "cloud/segment.h"
#include "cloud/store.h"
#include "cloud/syncs.h"

#define BUCKETS 256

/* One lane of a camera that has sent something. */
struct stream {
	struct stream *next, *next_dirty;
	const struct sluice_camera *camera;
	uint32_t lane;
	struct sluice_segment *segment;
	struct sluice_index_segment row;
	uint64_t size_before; /* of the segment, when the group began to use it */
	uint64_t opened_s;    /* monotonic */
	int dirty, sync_err;
	int known; /* epoch and last are those of the index */
	uint64_t epoch;
	uint64_t range_first, range_last;
	int64_t last; /* highest sequence of the range, this group included; -1: none */
	uint64_t seen_utc_ns;
	uint16_t width, height;
	uint64_t broken_session; /* 0: none */
};

struct sluice_store {
	const char *data;
	const struct sluice_keyring *keys;
	struct sluice_index *index;
	struct stream *bucket[BUCKETS];
	struct stream *dirty;
	struct sluice_syncs *syncs;
};

static uint64_t monotonic_s(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec;
}

int sluice_store_open(const char *data, const struct sluice_keyring *keys,
		      struct sluice_store **out)
{
	struct sluice_store *s = calloc(1, sizeof(*s));
	int err;

	*out = NULL;
	if (!s)
		return -ENOMEM;
	s->data = data;
	s->keys = keys;
	s->syncs = sluice_syncs_open(data);
	err = s->syncs ? sluice_index_open(data, &s->index) : -ENOMEM;
	if (err) {
		sluice_syncs_close(s->syncs);
		free(s);
		return err;
	}
	*out = s;
	return 0;
}

int sluice_store_probe(const char *data, size_t bytes)
{
	static const uint8_t zeros[65536];
	char path[4400];
	size_t n = 0;
	int fd, err = 0;

	snprintf(path, sizeof(path), "%s/segments/.probe", data);
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (fd < 0)
		return -errno;
	for (; n < bytes && !err; n += sizeof(zeros))
		if (write(fd, zeros, sizeof(zeros)) != (ssize_t)sizeof(zeros))
			err = errno ? -errno : -ENOSPC;
	if (!err && fdatasync(fd))
		err = -errno;
	close(fd);
	unlink(path);
	return err;
}

/* The segment gets no more records. In a transaction, or on its own. */
static int finish_segment(struct sluice_store *s, struct stream *st)
{
	int err;

	if (!st->segment)
		return 0;
	st->row.size = sluice_segment_size(st->segment);
	err = s->index->ops->segment_closed(s->index, &st->row);
	sluice_segment_close(st->segment);
	st->segment = NULL;
	return err;
}

void sluice_store_close(struct sluice_store *s)
{
	int i;

	if (!s)
		return;
	for (i = 0; i < BUCKETS; i++) {
		while (s->bucket[i]) {
			struct stream *st = s->bucket[i];

			s->bucket[i] = st->next;
			finish_segment(s, st); /* if not marked, it is scanned at the next start */
			free(st);
		}
	}
	sluice_syncs_close(s->syncs);
	sluice_index_close(s->index);
	free(s);
}

struct sluice_index *sluice_store_index(struct sluice_store *s)
{
	return s->index;
}

static struct stream *find_stream(const struct sluice_store *s, const struct sluice_item *item)
{
	struct stream *st = s->bucket[item->camera->id[0]];

	while (st && (st->camera != item->camera || st->lane != item->lane))
		st = st->next;
	return st;
}

static struct stream *get_stream(struct sluice_store *s, const struct sluice_item *item)
{
	struct stream **at = &s->bucket[item->camera->id[0]], *st = find_stream(s, item);

	if (st)
		return st;
	st = calloc(1, sizeof(*st));
	if (st) {
		st->camera = item->camera;
		st->lane = item->lane;
		st->next = *at;
		*at = st;
	}
	return st;
}

int sluice_store_begin(struct sluice_store *s)
{
	return s->index->ops->begin(s->index);
}

/* What is stored of the range; reads the group's own rows too. */
static int load_last(struct sluice_store *s, struct stream *st, const struct sluice_item *item)
{
	uint64_t last = 0;
	int err;

	if (st->known && st->epoch == item->epoch && st->range_first == item->range_first &&
	    st->range_last == item->range_last)
		return 0;
	err = s->index->ops->frame_last(s->index, st->camera->id, item->epoch, item->range_first,
					item->range_last, &last);
	if (err && err != -ENOENT)
		return err;
	st->epoch = item->epoch;
	st->range_first = item->range_first;
	st->range_last = item->range_last;
	st->last = err ? -1 : (int64_t)last;
	st->known = 1;
	return 0;
}

/* UTC of an epoch's beginning is that of its first OPEN, whatever lane it came in. */
static int add_run(struct sluice_store *s, const struct sluice_item *item,
		   const struct sluice_index_epoch *e)
{
	struct sluice_index_run r = { .epoch = item->epoch,
				      .first = item->range_first,
				      .last = item->range_last,
				      .first_ns = e->first_ns,
				      .first_utc_ns = e->first_utc_ns };
	struct sluice_index_epoch known;
	int err = s->index->ops->epoch_find(s->index, item->camera->id, item->epoch, &known);

	if (!err) {
		r.first_ns = known.first_ns;
		r.first_utc_ns = known.first_utc_ns;
	} else if (err != -ENOENT) {
		return err;
	}
	memcpy(r.camera, item->camera->id, sizeof(r.camera));
	return s->index->ops->run_add(s->index, &r);
}

int sluice_store_epoch(struct sluice_store *s, const struct sluice_item *item, uint64_t *resume)
{
	struct sluice_index_epoch e = {
		.epoch = item->epoch,
		.first_ns = item->time_ns,
		.first_utc_ns = item->utc_ns,
	};
	struct stream *st;
	int err;

	err = s->index->ops->camera_add(s->index, item->camera);
	if (err)
		return err;
	st = get_stream(s, item);
	if (!st)
		return -ENOMEM;
	memcpy(e.camera, item->camera->id, sizeof(e.camera));
	err = item->lane ? add_run(s, item, &e) : s->index->ops->epoch_add(s->index, &e);
	st->known = 0;
	if (!err)
		err = load_last(s, st, item);
	if (!err)
		*resume = (uint64_t)(st->last + 1);
	return err;
}

int sluice_store_break(struct sluice_store *s, const struct sluice_item *item)
{
	struct stream *st = get_stream(s, item);

	if (!st)
		return -ENOMEM;
	st->broken_session = item->session;
	return 0;
}

int sluice_store_broken(struct sluice_store *s, const struct sluice_item *item)
{
	const struct stream *st = find_stream(s, item);

	return st && st->broken_session && st->broken_session == item->session;
}

/* What has a new name in it is made durable with the group, or a power failure takes the name. */
static int sync_names(struct sluice_store *s, int dir)
{
	int copy = fcntl(dir, F_DUPFD_CLOEXEC, 0);

	return copy < 0 ? -errno : sluice_syncs_directory(s->syncs, copy);
}

static int make_dir(struct sluice_store *s, int parent, const char *name)
{
	int fd, err;

	if (!mkdirat(parent, name, 0700)) {
		err = sync_names(s, parent);
		if (err)
			return err;
	} else if (errno != EEXIST) {
		return -errno;
	}
	fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

/* The camera's directory is there, and will have one more name. */
static int make_parents(struct sluice_store *s, const struct sluice_camera *c)
{
	const char *const names[] = { "segments", c->tenant, c->device, c->name };
	int fd = open(s->data, O_RDONLY | O_DIRECTORY | O_CLOEXEC), next, err;
	size_t i;

	if (fd < 0)
		return -errno;
	for (i = 0; i < 4; i++) {
		next = make_dir(s, fd, names[i]);
		close(fd);
		if (next < 0)
			return next;
		fd = next;
	}
	err = sync_names(s, fd);
	close(fd);
	return err;
}

static int begin_segment(struct sluice_store *s, struct stream *st, const struct sluice_item *item)
{
	struct sluice_segment_info info = {
		.created_ns = sluice_utc_now(),
		.epoch = item->epoch,
		.sequence = item->sequence,
	};
	const struct sluice_camera *c = st->camera;
	char path[4400];
	int err;

	memcpy(info.camera, c->id, sizeof(info.camera));
	memset(&st->row, 0, sizeof(st->row));
	memcpy(st->row.camera, c->id, sizeof(st->row.camera));
	st->row.created_ns = info.created_ns;
	err = make_parents(s, c);
	if (err)
		return err;
	snprintf(st->row.path, sizeof(st->row.path),
		 "segments/%s/%s/%s/%" PRIu64 "-%" PRIu64 "-%" PRIu64 ".seg", c->tenant, c->device,
		 c->name, info.created_ns, info.epoch, info.sequence);
	snprintf(path, sizeof(path), "%s/%s", s->data, st->row.path);
	err = sluice_segment_create(path, &info, s->keys, &st->segment);
	if (err)
		return err;
	err = s->index->ops->segment_add(s->index, &st->row);
	if (err) {
		sluice_segment_close(st->segment);
		st->segment = NULL;
		return err;
	}
	st->opened_s = monotonic_s();
	return 0;
}

/* A segment with room for the item, marked as used by this group. */
static int ready_segment(struct sluice_store *s, struct stream *st, const struct sluice_item *item)
{
	int err;

	if (st->segment && !st->dirty &&
	    (sluice_segment_size(st->segment) >= SLUICE_SEGMENT_MAX ||
	     monotonic_s() - st->opened_s >= SLUICE_SEGMENT_MAX_S)) {
		err = finish_segment(s, st);
		if (err)
			return err;
	}
	if (!st->segment) {
		err = begin_segment(s, st, item);
		if (err)
			return err;
	}
	if (!st->dirty) {
		st->dirty = 1;
		st->size_before = sluice_segment_size(st->segment);
		st->next_dirty = s->dirty;
		s->dirty = st;
	}
	return 0;
}

static void fill_frame(const struct sluice_item *item, struct sluice_segment_frame *f)
{
	*f = (struct sluice_segment_frame){
		.epoch = item->epoch,
		.sequence = item->sequence,
		.time_ns = item->time_ns,
		.utc_ns = item->utc_ns,
		.width = item->width,
		.height = item->height,
		.grid_w = item->grid_w,
		.grid_h = item->grid_h,
		.reason = item->reason,
		.flags = item->flags,
		.score = item->score,
		.event = item->event,
		.settings = item->settings,
		.cells = item->cells_size ? item->data : NULL,
		.cells_size = item->cells_size,
		.jpeg = item->data + item->cells_size,
		.jpeg_size = item->jpeg_size,
	};
}

/* 1: the index has it already. */
static int is_stored(struct sluice_store *s, const struct sluice_item *item)
{
	struct sluice_index_frame row;
	char path[sizeof(((struct sluice_index_segment *)0)->path)];
	int err = s->index->ops->frame_find(s->index, item->camera->id, item->epoch, item->sequence,
					    &row, path);

	return err == -ENOENT ? 0 : err ? err : 1;
}

int sluice_store_frame(struct sluice_store *s, struct sluice_item *item)
{
	struct stream *st = get_stream(s, item);
	struct sluice_index_frame row = {
		.epoch = item->epoch,
		.sequence = item->sequence,
		.time_ns = item->time_ns,
		.utc_ns = item->utc_ns,
		.reason = item->reason,
		.flags = item->flags,
	};
	struct sluice_segment_frame f;
	int err;

	if (!st)
		return -ENOMEM;
	err = load_last(s, st, item);
	if (!err && (int64_t)item->sequence <= st->last)
		err = is_stored(s, item);
	if (err > 0) {
		item->duplicate = 1;
		return 0;
	}
	if (err)
		return err;
	err = ready_segment(s, st, item);
	if (err)
		return err;
	fill_frame(item, &f);
	err = sluice_segment_append(st->segment, &f, &row.offset, &row.length);
	if (err)
		return err;
	memcpy(row.camera, item->camera->id, sizeof(row.camera));
	row.segment = st->row.id;
	err = s->index->ops->frame_add(s->index, &row);
	if (err)
		return err;
	sluice_index_segment_frame(&st->row, item->utc_ns, item->reason);
	if ((int64_t)item->sequence > st->last)
		st->last = (int64_t)item->sequence;
	st->seen_utc_ns = item->utc_ns;
	if (!item->lane) { /* of an earlier stream, perhaps */
		st->width = item->width;
		st->height = item->height;
	}
	return 0;
}

/* All segments of the group and the directories with new names in them, side by side. */
int sluice_store_sync(struct sluice_store *s)
{
	struct stream *st;
	int err = 0;

	for (st = s->dirty; st && !err; st = st->next_dirty) {
		int fd = sluice_segment_fd(st->segment);

		st->sync_err = -EIO;
		err = fd < 0 ? -EIO : sluice_syncs_file(s->syncs, fd, &st->sync_err);
	}
	if (err) {
		sluice_syncs_drop(s->syncs);
		return err;
	}
	err = sluice_syncs_run(s->syncs);
	for (st = s->dirty; st; st = st->next_dirty)
		sluice_segment_synced(st->segment, st->sync_err);
	return err;
}

int sluice_store_commit(struct sluice_store *s)
{
	struct stream *st;
	int err = 0;

	for (st = s->dirty; st && !err; st = st->next_dirty)
		err = s->index->ops->camera_seen(s->index, st->camera->id, st->seen_utc_ns,
						 st->width, st->height);
	if (!err)
		err = s->index->ops->commit(s->index);
	if (err)
		return err;
	while (s->dirty) {
		s->dirty->dirty = 0;
		s->dirty = s->dirty->next_dirty;
	}
	return 0;
}

void sluice_store_abort(struct sluice_store *s)
{
	int i;

	s->index->ops->rollback(s->index);
	while (s->dirty) {
		struct stream *st = s->dirty;

		/* its row may be rolled back with the group: the next group begins another one */
		if (st->segment)
			sluice_segment_rewind(st->segment, st->size_before);
		sluice_segment_close(st->segment);
		st->segment = NULL;
		st->dirty = 0;
		s->dirty = st->next_dirty;
	}
	for (i = 0; i < BUCKETS; i++) {
		struct stream *st;

		for (st = s->bucket[i]; st; st = st->next)
			st->known = 0;
	}
}
