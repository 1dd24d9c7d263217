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
 * In a depot that takes whole segments (a bucket) the order is: the group's frames put, one segment
 * a camera's lane (staging.c); then the transaction, with the segments' rows closed at once. A
 * failed put, or a crash before the commit, leaves segments that no row names and nobody was told
 * of; the frames come again, into others.
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
#include "cloud/staging.h"
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
	size_t piece; /* of the staging's, where segments are put whole */
	int known;    /* epoch and last are those of the index */
	uint64_t epoch;
	uint64_t range_first, range_last;
	int64_t last; /* highest sequence of the range, this group included; -1: none */
	uint64_t seen_utc_ns;
	uint16_t width, height;
	uint64_t broken_session; /* 0: none */
};

struct sluice_store {
	const char *data;
	struct sluice_depot local;
	struct sluice_depot *depot;	/* where segments lie */
	struct sluice_staging *staging; /* if it takes them whole, else NULL */
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

int sluice_store_open_in(const char *data, struct sluice_depot *depot,
			 const struct sluice_keyring *keys, struct sluice_store **out)
{
	struct sluice_store *s = calloc(1, sizeof(*s));
	int err;

	*out = NULL;
	if (!s)
		return -ENOMEM;
	s->data = data;
	s->keys = keys;
	sluice_depot_dir(&s->local, data);
	s->depot = depot ? depot : &s->local;
	if (s->depot->whole)
		s->staging = sluice_staging_open(s->depot, keys);
	else
		s->syncs = sluice_syncs_open(data);
	err = s->staging || s->syncs ? sluice_index_open(data, &s->index) : -ENOMEM;
	if (err) {
		sluice_staging_close(s->staging);
		sluice_syncs_close(s->syncs);
		free(s);
		return err;
	}
	*out = s;
	return 0;
}

int sluice_store_open(const char *data, const struct sluice_keyring *keys,
		      struct sluice_store **out)
{
	return sluice_store_open_in(data, NULL, keys, out);
}

int sluice_store_probe(struct sluice_store *s, size_t bytes)
{
	return s->depot->ops->probe(s->depot, bytes);
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
	sluice_staging_close(s->staging);
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

/* 1: it need not be stored; 0, or what failed. */
static int is_known(struct sluice_store *s, struct stream *st, const struct sluice_item *item)
{
	int err = load_last(s, st, item);

	return !err && (int64_t)item->sequence <= st->last ? is_stored(s, item) : err;
}

int sluice_store_stage(struct sluice_store *s, const struct sluice_item *group)
{
	struct sluice_segment_frame f;
	struct stream *st;
	int err = 0;

	if (!s->staging)
		return 0;
	for (; group && !err; group = group->next) {
		if (group->kind != SLUICE_ITEM_FRAME || sluice_store_broken(s, group))
			continue;
		st = get_stream(s, group);
		err = st ? is_known(s, st, group) : -ENOMEM;
		if (!err) {
			fill_frame(group, &f);
			err = sluice_staging_add(s->staging, group, &f, &st->piece);
		} else if (err > 0) {
			err = 0;
		}
	}
	return err ? err : sluice_staging_put(s->staging);
}

void sluice_store_unstage(struct sluice_store *s)
{
	if (s->staging)
		sluice_staging_clear(s->staging);
}

/* The row of its segment, when the first of its frames gets one. */
static int begin_staged(struct sluice_store *s, struct stream *st,
			const struct sluice_staged *staged)
{
	memset(&st->row, 0, sizeof(st->row));
	memcpy(st->row.camera, st->camera->id, sizeof(st->row.camera));
	snprintf(st->row.path, sizeof(st->row.path), "%s", staged->path);
	st->row.created_ns = staged->created_ns;
	st->row.size = staged->size;
	st->dirty = 1;
	st->next_dirty = s->dirty;
	s->dirty = st;
	return s->index->ops->segment_add(s->index, &st->row);
}

/* -ESTALE: it was not put, since the index had it then. */
static int place_staged(struct sluice_store *s, struct stream *st, const struct sluice_item *item,
			struct sluice_index_frame *row)
{
	struct sluice_staged staged;
	int err = sluice_staging_take(s->staging, item, &staged);

	if (err)
		return -ESTALE;
	row->offset = staged.offset;
	row->length = staged.length;
	return st->dirty ? 0 : begin_staged(s, st, &staged);
}

static int append(struct sluice_store *s, struct stream *st, const struct sluice_item *item,
		  struct sluice_index_frame *row)
{
	struct sluice_segment_frame f;
	int err = ready_segment(s, st, item);

	if (err)
		return err;
	fill_frame(item, &f);
	return sluice_segment_append(st->segment, &f, &row->offset, &row->length);
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
	int err = st ? is_known(s, st, item) : -ENOMEM;

	if (err > 0) {
		item->duplicate = 1;
		return 0;
	}
	if (!err)
		err = s->staging ? place_staged(s, st, item, &row) : append(s, st, item, &row);
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

	if (s->staging)
		return 0; /* it was put */
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
	for (st = s->staging ? s->dirty : NULL; st && !err; st = st->next_dirty)
		err = s->index->ops->segment_closed(s->index, &st->row);
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
