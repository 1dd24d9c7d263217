// SPDX-License-Identifier: MIT
/*
 * recover.c - from segments to the index.
 *
 * The directory says which camera a segment is of (its header's id must agree), so everything about
 * frames can be made again without the index. A bad record at the end is what a crash leaves and is
 * cut off; a bad record with indexed frames at or behind it is damage to what was acknowledged:
 * nothing is cut, it is counted and told. A file with a damaged header is left alone and counted.
 */
#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <jansson.h>
#include <openssl/sha.h>

#include "cloud/media.h"
#include "cloud/recover.h"
#include "cloud/segment.h"

static int is_entry(const struct dirent *d)
{
	return d->d_name[0] != '.';
}

static int is_segment(const struct dirent *d)
{
	size_t n = strlen(d->d_name);

	return d->d_name[0] != '.' && n > 4 && !strcmp(d->d_name + n - 4, ".seg");
}

/* Calls fn for every name in data/path, sorted. A directory that is not there is empty. */
static int each_name(const char *data, const char *path, int (*filter)(const struct dirent *),
		     int (*fn)(void *ctx, const char *path, const char *name), void *ctx)
{
	struct dirent **list = NULL;
	char full[4096];
	int i, n, err = 0;

	snprintf(full, sizeof(full), "%s/%s", data, path);
	n = scandir(full, &list, filter, alphasort);
	if (n < 0)
		return errno == ENOENT || errno == ENOTDIR ? 0 : -errno;
	for (i = 0; i < n; i++) {
		if (!err)
			err = fn(ctx, path, list[i]->d_name);
		free(list[i]);
	}
	free(list);
	return err;
}

struct walk {
	const char *data;
	sluice_walk_fn fn;
	void *ctx;
	char name[2][SLUICE_NAME_MAX]; /* tenant, device */
	int depth;
	struct sluice_camera camera;
};

static int walk_file(void *ctx, const char *path, const char *name)
{
	struct walk *w = ctx;
	char file[4096];

	if (snprintf(file, sizeof(file), "%s/%s", path, name) >= 192)
		return 0; /* none of ours */
	return w->fn(w->ctx, &w->camera, file);
}

static int walk_name(void *ctx, const char *path, const char *name)
{
	struct walk *w = ctx;
	char below[4096];
	int err;

	if (!sluice_name_valid(name) ||
	    snprintf(below, sizeof(below), "%s/%s", path, name) >= (int)sizeof(below))
		return 0;
	if (w->depth == 2) {
		err = sluice_camera_init(&w->camera, w->name[0], w->name[1], name);
		return err ? err : each_name(w->data, below, is_segment, walk_file, w);
	}
	snprintf(w->name[w->depth], SLUICE_NAME_MAX, "%s", name);
	w->depth++;
	err = each_name(w->data, below, is_entry, walk_name, w);
	w->depth--;
	return err;
}

int sluice_walk_segments(const char *data, sluice_walk_fn fn, void *ctx)
{
	struct walk w = { .data = data, .fn = fn, .ctx = ctx };

	return each_name(data, "segments", is_entry, walk_name, &w);
}

/* ---- recovery ---- */

struct recovery {
	const char *data;
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
static int cut_tail(struct recovery *rec, const char *full, uint64_t good_end, uint64_t size)
{
	uint64_t beyond = 0;
	int err = rec->ix->ops->segment_beyond(rec->ix, &rec->row, good_end, &beyond);

	if (err)
		return err;
	if (beyond) {
		rec->r->damaged++;
		return 0;
	}
	err = sluice_segment_truncate(full, good_end);
	if (!err)
		rec->r->cut += size - good_end;
	return err;
}

static int recover_rows(struct recovery *rec, const struct sluice_camera *c, const char *full)
{
	struct sluice_segment_info info;
	uint64_t good_end, size;
	int err = sluice_segment_scan(full, &info, add_record, rec, &good_end, &size);

	if (err == -EBADMSG || err == -EPROTONOSUPPORT) {
		if (size > sizeof(struct sluice_segment_header)) {
			rec->r->damaged++;
			return 0;
		}
		unlink(full); /* begun, never synced: nobody was told of anything in it */
		rec->r->cut += size;
		return rec->ix->ops->segment_closed(rec->ix, &rec->row);
	}
	if (err)
		return err;
	if (memcmp(info.camera, c->id, sizeof(info.camera))) {
		rec->r->damaged++;
		return 0;
	}
	if (good_end < size)
		err = cut_tail(rec, full, good_end, size);
	if (!err)
		rec->row.size = good_end;
	if (!err)
		err = rec->ix->ops->segment_closed(rec->ix, &rec->row);
	if (!err && rec->seen_utc_ns)
		err = rec->ix->ops->camera_seen(rec->ix, c->id, rec->seen_utc_ns, rec->width,
						rec->height);
	return err;
}

static int recover_segment(void *ctx, const struct sluice_camera *c, const char *path)
{
	struct recovery *rec = ctx;
	struct sluice_index *ix = rec->ix;
	char full[4400];
	int err = ix->ops->segment_find(ix, path, &rec->row);

	if (!err && rec->row.closed && !rec->all)
		return 0;
	if (err && err != -ENOENT)
		return err;
	snprintf(full, sizeof(full), "%s/%s", rec->data, path);
	rec->has_epoch = 0;
	rec->row.frames = rec->row.motion = 0;
	rec->row.size = rec->row.first_utc_ns = rec->row.last_utc_ns = 0;
	rec->seen_utc_ns = 0;
	rec->r->scanned++;
	if (!err) {
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
		err = recover_rows(rec, c, full);
	if (!err)
		err = ix->ops->commit(ix);
	if (err)
		ix->ops->rollback(ix);
	return err;
}

static int run_recovery(struct recovery *rec)
{
	uint64_t before = 0, after = 0;
	int err;

	memset(rec->r, 0, sizeof(*rec->r));
	err = rec->ix->ops->frames_count(rec->ix, &before);
	if (!err)
		err = sluice_walk_segments(rec->data, recover_segment, rec);
	if (!err)
		err = rec->ix->ops->frames_count(rec->ix, &after);
	rec->r->added = after - before;
	return err;
}

int sluice_recover(const char *data, struct sluice_index *ix, int all, struct sluice_recovered *r)
{
	struct recovery rec = { .data = data, .ix = ix, .all = all, .r = r };

	return run_recovery(&rec);
}

/* ---- rebuild ---- */

struct summaries {
	const char *data;
	struct sluice_index *ix;
	uint8_t camera[16];
	uint64_t count;
	struct sluice_media *media;
	struct sluice_camera owner;
	/* of one summary */
	char id[40];
	struct sluice_index_media file[SLUICE_SUMMARY_MEDIA_MAX];
	size_t files;
};

static int add_file(void *ctx, const char *path, const char *name)
{
	struct summaries *s = ctx;
	struct sluice_index_media *m = &s->file[s->files];
	uint8_t *bytes;
	size_t size;

	(void)path;
	if (!strcmp(name, "summary.json") || s->files == SLUICE_SUMMARY_MEDIA_MAX ||
	    s->media->ops->get(s->media, &s->owner, s->id, name, 64u << 20, &bytes, &size))
		return 0;
	snprintf(m->name, sizeof(m->name), "%s", name);
	m->size = size;
	SHA256(bytes, size, m->sha256);
	free(bytes);
	s->files++;
	return 0;
}

static uint64_t json_u64(const json_t *object, const char *key)
{
	const char *text = json_string_value(json_object_get(object, key));

	return text ? strtoull(text, NULL, 10) : 0;
}

static int add_summary(void *ctx, const char *path, const char *id)
{
	struct summaries *s = ctx;
	struct sluice_index_summary row = { .media = s->file };
	char dir[4096];
	uint8_t *text;
	size_t size;
	json_t *json;
	int err;

	if (strlen(id) != 32)
		return 0;
	snprintf(s->id, sizeof(s->id), "%s", id);
	snprintf(dir, sizeof(dir), "%s/%s", path, id);
	if (s->media->ops->get(s->media, &s->owner, id, "summary.json", 1u << 20, &text, &size))
		return 0;
	text[size] = 0; /* get() leaves room for it */
	json = json_loadb((char *)text, size, 0, NULL);
	s->files = 0;
	err = json ? each_name(s->data, dir, is_entry, add_file, s) : 0;
	if (json && !err) {
		memcpy(row.id, id, 33);
		memcpy(row.camera, s->owner.id, sizeof(row.camera));
		row.epoch = json_u64(json, "epoch");
		row.start_utc_ns = json_u64(json, "start_ns");
		row.end_utc_ns = json_u64(json, "end_ns");
		row.json = (char *)text;
		row.media_count = s->files;
		err = s->ix->ops->summary_add(s->ix, &row);
		s->count += err == 0;
		err = err > 0 ? 0 : err;
	}
	json_decref(json);
	free(text);
	return err;
}

static int walk_media_camera(void *ctx, const char *path, const char *hex)
{
	struct summaries *s = ctx;
	char below[4096];
	uint8_t id[16];

	if (sluice_unhex(hex, id, sizeof(id)) || s->ix->ops->camera_find(s->ix, id, &s->owner))
		return 0; /* no frames of it: nobody can say whose they are */
	snprintf(below, sizeof(below), "%s/%s", path, hex);
	return each_name(s->data, below, is_entry, add_summary, s);
}

static int walk_media_tenant(void *ctx, const char *path, const char *tenant)
{
	struct summaries *s = ctx;
	char below[4096];

	snprintf(below, sizeof(below), "%s/%s", path, tenant);
	return each_name(s->data, below, is_entry, walk_media_camera, s);
}

int sluice_rebuild(const char *data, struct sluice_index *ix, struct sluice_recovered *r,
		   uint64_t *count)
{
	struct recovery rec = { .data = data, .ix = ix, .all = 1, .new_epochs_done = 1, .r = r };
	struct summaries s = { .data = data, .ix = ix };
	char path[4096];
	int err = ix->ops->frames_clear(ix);

	if (!err)
		err = run_recovery(&rec);
	if (err)
		return err;
	snprintf(path, sizeof(path), "%s/media", data);
	err = sluice_media_dir_open(path, &s.media);
	if (!err)
		err = each_name(data, "media", is_entry, walk_media_tenant, &s);
	sluice_media_close(s.media);
	*count = s.count;
	return err;
}
