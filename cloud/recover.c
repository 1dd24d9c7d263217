// SPDX-License-Identifier: MIT
/*
 * recover.c - from segments to the index.
 *
 * The directory says which camera a segment is of (its header's id must agree), so everything about
 * frames can be made again without the index. A bad record at the end is what a crash leaves and is
 * cut off; a bad record with indexed frames at or behind it is damage to what was acknowledged:
 * nothing is cut, it is counted and told. A file with a damaged header is left alone and counted.
 * What was put whole (depot.h) has no tail that a crash could leave: of it nothing is ever cut.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "cloud/recover.h"
#include "cloud/segment.h"

struct recovery {
	struct sluice_depot *depot;
	struct sluice_index *ix;
	int all;
	int new_epochs_done; /* rebuilt: what no index row remembers was analysed long ago */
	struct sluice_recovered *r;
	struct sluice_index_segment row;
	uint64_t epoch;
	int has_epoch;
	uint64_t seen_utc_ns;
	uint16_t width, height;
};

/* The first frame of an epoch that the index does not know stands for its beginning. */
static int add_epoch(struct recovery *rec, const struct sluice_segment_frame *f)
{
	struct sluice_index_epoch e = {
		.epoch = f->epoch,
		.first_ns = f->time_ns,
		.first_utc_ns = f->utc_ns,
	};
	int err;

	if (rec->has_epoch && rec->epoch == f->epoch)
		return 0;
	memcpy(e.camera, rec->row.camera, sizeof(e.camera));
	err = rec->ix->ops->epoch_find(rec->ix, e.camera, e.epoch, &e);
	if (err == -ENOENT) {
		err = rec->ix->ops->epoch_add(rec->ix, &e);
		if (!err && rec->new_epochs_done)
			err = rec->ix->ops->epoch_told(rec->ix, e.camera, e.epoch, INT64_MAX, 1);
	}
	rec->has_epoch = !err;
	rec->epoch = f->epoch;
	return err;
}

static int add_record(void *ctx, const struct sluice_segment_frame *f, uint64_t offset,
		      uint32_t length)
{
	struct recovery *rec = ctx;
	struct sluice_index_frame row = {
		.epoch = f->epoch,
		.sequence = f->sequence,
		.segment = rec->row.id,
		.offset = offset,
		.length = length,
		.time_ns = f->time_ns,
		.utc_ns = f->utc_ns,
		.reason = f->reason,
		.flags = f->flags,
	};
	int err;

	if (f->epoch > INT64_MAX || f->sequence > INT64_MAX)
		return -EBADMSG; /* the ingest never writes it */
	memcpy(row.camera, rec->row.camera, sizeof(row.camera));
	/* runs of back-fill have rows of their own, from OPEN on */
	err = f->flags & SLUICE_RECORD_BACKFILL ? 0 : add_epoch(rec, f);
	if (!err)
		err = rec->ix->ops->frame_add(rec->ix, &row);
	sluice_index_segment_frame(&rec->row, f->utc_ns, f->reason);
	rec->r->frames++;
	if (f->utc_ns > rec->seen_utc_ns)
		rec->seen_utc_ns = f->utc_ns;
	rec->width = f->width;
	rec->height = f->height;
	return err;
}

/* Cut, unless frames that somebody was told of lie behind. */
static int cut_tail(struct recovery *rec, const char *path, uint64_t good_end, uint64_t size)
{
	uint64_t beyond = 0;
	char full[4400];
	int err = rec->ix->ops->segment_beyond(rec->ix, &rec->row, good_end, &beyond);

	if (err)
		return err;
	if (beyond || rec->depot->whole) {
		rec->r->damaged++;
		return 0;
	}
	snprintf(full, sizeof(full), "%s/%s", rec->depot->data, path);
	err = sluice_segment_truncate(full, good_end);
	if (!err)
		rec->r->cut += size - good_end;
	return err;
}

static int recover_rows(struct recovery *rec, const struct sluice_camera *c, const char *path)
{
	struct sluice_segment_info info = { 0 };
	uint64_t good_end, size;
	int err = sluice_segment_scan_in(rec->depot, path, NULL, &info, add_record, rec, &good_end,
					 &size);

	if (err == -EBADMSG || err == -EPROTONOSUPPORT) {
		if (rec->depot->whole || (size > sizeof(struct sluice_segment_header) &&
					  !(info.sealed && !good_end && err == -EBADMSG))) {
			rec->r->damaged++;
			return 0;
		}
		/* begun, never synced: nobody was told of anything in it */
		err = rec->depot->ops->remove(rec->depot, path);
		rec->r->cut += size;
		return err ? err : rec->ix->ops->segment_closed(rec->ix, &rec->row);
	}
	if (err)
		return err;
	if (memcmp(info.camera, c->id, sizeof(info.camera))) {
		rec->r->damaged++;
		return 0;
	}
	if (good_end < size)
		err = cut_tail(rec, path, good_end, size);
	if (!err)
		rec->row.size = good_end;
	if (!err)
		err = rec->ix->ops->segment_closed(rec->ix, &rec->row);
	if (!err && rec->seen_utc_ns)
		err = rec->ix->ops->camera_seen(rec->ix, c->id, rec->seen_utc_ns, rec->width,
						rec->height);
	return err;
}

static int scan_segment(struct recovery *rec, const struct sluice_camera *c, const char *path,
			int is_new)
{
	struct sluice_index *ix = rec->ix;
	int err;

	rec->has_epoch = 0;
	rec->row.frames = rec->row.motion = 0;
	rec->row.size = rec->row.first_utc_ns = rec->row.last_utc_ns = 0;
	rec->seen_utc_ns = 0;
	rec->r->scanned++;
	if (!is_new) {
		err = ix->ops->begin(ix);
	} else {
		memset(&rec->row, 0, sizeof(rec->row));
		memcpy(rec->row.camera, c->id, sizeof(rec->row.camera));
		snprintf(rec->row.path, sizeof(rec->row.path), "%s", path);
		err = ix->ops->begin(ix);
		if (!err)
			err = ix->ops->camera_add(ix, c);
		if (err == -EDQUOT)
			err = 0; /* its frames are kept, if nameless */
		if (!err)
			err = ix->ops->segment_add(ix, &rec->row);
	}
	if (!err)
		err = recover_rows(rec, c, path);
	if (!err)
		err = ix->ops->commit(ix);
	if (err)
		ix->ops->rollback(ix);
	return err;
}

/* Where another process on this directory may be writing to it, its lock says so (segment.c). What
 * lies in a bucket is whole. 0 and the lock, -1 none; or -EWOULDBLOCK, -ENOENT, ... */
static int hold_segment(const struct recovery *rec, const char *path, int *lock)
{
	char full[4400];
	int err;

	*lock = -1;
	if (rec->depot->whole)
		return 0;
	snprintf(full, sizeof(full), "%s/%s", rec->depot->data, path);
	*lock = open(full, O_RDONLY | O_CLOEXEC);
	if (*lock < 0)
		return -errno;
	if (!flock(*lock, LOCK_EX | LOCK_NB))
		return 0;
	err = -errno;
	close(*lock);
	*lock = -1;
	return err;
}

static int recover_segment(void *ctx, const struct sluice_camera *c, const char *path)
{
	struct recovery *rec = ctx;
	int err = rec->ix->ops->segment_find(rec->ix, path, &rec->row), lock;

	if (!err && rec->row.closed && !rec->all)
		return 0;
	if (err && err != -ENOENT)
		return err;
	err = hold_segment(rec, path, &lock);
	if (err)
		return err == -EWOULDBLOCK || err == -ENOENT ? 0 : err;
	/* its writer may have closed it meanwhile */
	err = rec->ix->ops->segment_find(rec->ix, path, &rec->row);
	if (!err || err == -ENOENT)
		err = !err && rec->row.closed && !rec->all
			      ? 0
			      : scan_segment(rec, c, path, err == -ENOENT);
	if (lock >= 0)
		close(lock);
	return err;
}

static int run_recovery(struct recovery *rec)
{
	uint64_t before = 0, after = 0;
	int err;

	memset(rec->r, 0, sizeof(*rec->r));
	err = rec->ix->ops->frames_count(rec->ix, &before);
	if (!err)
		err = rec->depot->ops->each(rec->depot, recover_segment, rec);
	if (!err)
		err = rec->ix->ops->frames_count(rec->ix, &after);
	rec->r->added = after - before;
	return err;
}

int sluice_recover(const char *data, struct sluice_index *ix, int all, struct sluice_recovered *r)
{
	struct sluice_depot local;
	struct recovery rec = { .depot = &local, .ix = ix, .all = all, .r = r };

	sluice_depot_dir(&local, data);
	return run_recovery(&rec);
}

int sluice_recover_lost(struct sluice_depot *d, struct sluice_index *ix, struct sluice_recovered *r)
{
	struct recovery rec = { .depot = d, .ix = ix, .all = 1, .new_epochs_done = 1, .r = r };
	int err = ix->ops->frames_clear(ix);

	return err ? err : run_recovery(&rec);
}
