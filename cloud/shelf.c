// SPDX-License-Identifier: MIT
/*
 * shelf.c - see shelf.h. A summary is written to media, then to the index, so that the index never
 * names what is not there.
 *
 * Under a lease its files lie at a place that has the token in its name, and the row, which is
 * fenced, names it (media.h): a worker that is frozen between the two, or within the first, and
 * comes to when its successor has long told the summary, changes nothing that anybody reads. The
 * fence is raised, and the row looked for under it, before anything is put: so no holder of an
 * earlier lease has a row then, nor ever will, and of several places the latest is the one that the
 * row names. A rebuild, which has no rows, goes by that.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <jansson.h>

#include "cloud/mediaconf.h"
#include "cloud/shelf.h"
#include "lib/sha256.h"

#define READS	     5 /* of what may yet be read */
#define REGION_DEPTH 2 /* a base that came twice, in another form, is a region */

struct pinned {
	struct sluice_camera camera;
	char place[SLUICE_MEDIA_PLACE];
};

static int take_place(void *ctx, const struct sluice_camera *c,
		      const struct sluice_index_summary *s)
{
	struct pinned *p = ctx;

	p->camera = *c;
	sluice_media_place(p->place, s->id, s->token);
	return 0;
}

/* What the index knows is told, and stays: 1; whoever comes with the id of another camera's is let
 * do nothing: -EEXIST. What it does not know was told to nobody: 0; then the files are written
 * anew, or they and the row could be of two lives. */
static int look_for(const struct sluice_shelf *s, const struct sluice_camera *c, const char *id)
{
	uint8_t owner[16];
	int err = s->index->ops->summary_owner(s->index, id, owner, NULL);

	if (err)
		return err == -ENOENT ? 0 : err;
	return memcmp(owner, c->id, sizeof(owner)) != 0 ? -EEXIST : 1;
}

/* The same once no holder of an earlier lease writes any more. */
static int look_fenced(const struct sluice_shelf *s, const struct sluice_camera *c, const char *id)
{
	int err = look_for(s, c, id);

	if (err || !s->fence || !s->fence->bus->shared)
		return err;
	err = sluice_fence_begin(s->fence, s->index);
	return err ? err : sluice_fence_end(s->fence, s->index, look_for(s, c, id));
}

int sluice_shelf_put(const struct sluice_shelf *s, const struct sluice_camera *c,
		     const struct sluice_summary *sum)
{
	struct sluice_media_file files[SLUICE_SUMMARY_MEDIA_MAX + 1];
	struct sluice_index_media media[SLUICE_SUMMARY_MEDIA_MAX];
	struct sluice_index_summary row = {
		.epoch = sum->epoch,
		.start_utc_ns = sum->start_utc_ns,
		.end_utc_ns = sum->end_utc_ns,
		.json = sum->json,
		.media = media,
		.media_count = sum->media_count,
		.token = s->fence && s->fence->bus->shared ? s->fence->lease->token : s->token,
	};
	char place[SLUICE_MEDIA_PLACE];
	size_t i;
	int err;

	if (sum->media_count > SLUICE_SUMMARY_MEDIA_MAX || strlen(sum->id) != 32)
		return -EINVAL;
	err = look_fenced(s, c, sum->id);
	if (err)
		return err;
	memcpy(row.id, sum->id, sizeof(row.id));
	memcpy(row.camera, c->id, sizeof(row.camera));
	for (i = 0; i < sum->media_count; i++) {
		const struct sluice_summary_media *m = &sum->media[i];

		if (!memchr(m->name, 0, sizeof(m->name)))
			return -EINVAL;
		memcpy(media[i].name, m->name, sizeof(media[i].name));
		media[i].size = m->size;
		sluice_sha256(m->data, m->size, media[i].sha256);
		files[i] = (struct sluice_media_file){ m->name, m->data, m->size };
	}
	files[i] = (struct sluice_media_file){ "summary.json", (const uint8_t *)sum->json,
					       strlen(sum->json) };
	err = s->media->ops->put(s->media, c, sluice_media_place(place, sum->id, row.token), files,
				 i + 1);
	if (!err)
		err = sluice_fence_begin(s->fence, s->index);
	return err ? err
		   : sluice_fence_end(s->fence, s->index,
				      s->index->ops->summary_add(s->index, &row));
}

int sluice_shelf_insist(const struct sluice_shelf *s, const struct sluice_camera *c,
			const struct sluice_summary *sum, const char *what,
			const atomic_int *stopping, struct sluice_log_limit *limit)
{
	int err;

	while ((err = sluice_shelf_put(s, c, sum)) < 0) {
		int never = err == -EINVAL || err == -EEXIST;

		if (err == -ESTALE)
			return err; /* whoever has the lease now finds it again */
		sluice_log_limited(limit, SLUICE_LOG_ERROR, "cannot store a %s of camera %s: %s%s",
				   what, c->name,
				   err == -EEXIST ? "its id is that of another camera's"
						  : strerror(-err),
				   never ? "" : "; trying again");
		if (never)
			return err;
		if (atomic_load(stopping))
			return -ECANCELED;
		nanosleep(&(struct timespec){ .tv_sec = 1 }, NULL);
	}
	return 0;
}

/* The file is there before the index says so, and goes after it: a pin that somebody was told of is
 * found again by a rebuild. */
int sluice_shelf_pin(const struct sluice_shelf *s, const struct sluice_whose *who, const char *id,
		     const char *by, const char *note)
{
	uint64_t now = sluice_utc_now();
	struct pinned p;
	char *text = NULL;
	json_t *o;
	int err = s->index->ops->summary_find(s->index, who, id, take_place, &p);

	if (!err && by) {
		o = json_pack("{s:s,s:s,s:I}", "by", by, "note", note ? note : "", "utc_ns",
			      (json_int_t)now);
		text = o ? json_dumps(o, JSON_COMPACT) : NULL;
		json_decref(o);
		err = text ? s->media->ops->pin(s->media, &p.camera, p.place, (uint8_t *)text,
						strlen(text))
			   : -ENOMEM;
		free(text);
	}
	if (!err)
		err = s->index->ops->summary_pin(s->index, who, id, by, note, now);
	if (!err && !by)
		err = s->media->ops->pin(s->media, &p.camera, p.place, NULL, 0);
	return err;
}

int sluice_shelf_record(const struct sluice_shelf *s, const struct sluice_camera *c, uint64_t epoch,
			uint64_t sequence, struct sluice_segment_frame *f, uint8_t **buf)
{
	struct sluice_index_placed row;
	int err;

	*buf = NULL;
	err = s->index->ops->frame_find(s->index, c->id, epoch, sequence, &row.frame, row.path);
	return err ? err : sluice_shelf_placed(s, &row, f, buf);
}

int sluice_shelf_placed(const struct sluice_shelf *s, const struct sluice_index_placed *row,
			struct sluice_segment_frame *f, uint8_t **buf)
{
	struct sluice_depot local;

	*buf = NULL;
	if (!row->path[0])
		return -ENOENT;
	return sluice_segment_read_in(sluice_media_depot(s->media, s->data, &local), row->path,
				      s->media->keys, row->frame.offset, row->frame.length, f, buf);
}

/* What cannot be read: is it to be tried again? Waits before. */
static int read_again(int err, int *reads)
{
	if (!err || err == -ENOENT || err == -EBADMSG || err == -EUCLEAN || err == -ENOKEY ||
	    ++*reads == READS)
		return 0;
	nanosleep(&(struct timespec){ .tv_nsec = 100000000L * *reads }, NULL);
	return 1;
}

int sluice_shelf_away(const struct sluice_shelf *s, int err)
{
	return s->media->depot && s->media->depot->whole && sluice_mediaconf_passes(err);
}

int sluice_shelf_placed_insist(const struct sluice_shelf *s, const struct sluice_index_placed *row,
			       struct sluice_segment_frame *f, uint8_t **buf)
{
	int err, reads = 0;

	do
		err = sluice_shelf_placed(s, row, f, buf);
	while (!sluice_shelf_away(s, err) && read_again(err, &reads));
	return err;
}

/* A region's record with its base: the picture that it stands for. */
static int rebuild(const struct sluice_shelf *s, const struct sluice_segment_frame *f,
		   const struct sluice_wire_region_info *region, const uint8_t *base,
		   size_t base_size, uint8_t **out, size_t *size)
{
	const uint8_t *jpeg;
	int err = sluice_rebuild_frame(s->rebuild, base, base_size, f->width, f->height, region,
				       &jpeg, size);

	if (err)
		return err == -ENOMEM ? err : -EBADMSG;
	*out = malloc(*size);
	if (!*out)
		return -ENOMEM;
	memcpy(*out, jpeg, *size);
	return 0;
}

/* depth bounds what a device can make of bases that are regions themselves. */
static int fetch_whole(const struct sluice_shelf *s, const struct sluice_camera *c, uint64_t epoch,
		       uint64_t sequence, uint8_t **out, size_t *size, int depth)
{
	struct sluice_wire_region_info region;
	struct sluice_segment_frame f;
	uint8_t *buf, *base = NULL;
	size_t base_size;
	int err = sluice_shelf_record(s, c, epoch, sequence, &f, &buf);

	*out = NULL;
	if (err)
		return err;
	if (!(f.flags & (SLUICE_RECORD_BAD | SLUICE_WIRE_REGION))) {
		*size = f.jpeg_size;
		memmove(buf, f.jpeg, f.jpeg_size); /* the caller frees what it is given */
		*out = buf;
		return 0;
	}
	if (f.flags & SLUICE_RECORD_BAD ||
	    sluice_wire_region_get(f.jpeg, f.jpeg_size, f.width, f.height, &region) ||
	    region.base >= sequence || depth == REGION_DEPTH)
		err = -EBADMSG;
	if (!err)
		err = fetch_whole(s, c, epoch, region.base, &base, &base_size, depth + 1);
	if (!err)
		err = rebuild(s, &f, &region, base, base_size, out, size);
	free(base);
	free(buf);
	return err;
}

struct sluice_stored_frame sluice_shelf_stored(const struct sluice_segment_frame *f)
{
	return (struct sluice_stored_frame){
		.epoch = f->epoch,
		.sequence = f->sequence,
		.time_ns = f->time_ns,
		.utc_ns = f->utc_ns,
		.reason = f->reason,
		.flags = f->flags,
		.score = f->score,
		.settings = f->settings,
		.width = f->width,
		.height = f->height,
		.grid_w = f->grid_w,
		.grid_h = f->grid_h,
		/* the analysis walks it by the grid's size; what comes from a disk need not fit */
		.cells = f->cells_size == ((uint32_t)f->grid_w * f->grid_h + 7u) / 8u ? f->cells
										      : NULL,
		.jpeg = f->jpeg,
		.jpeg_size = f->jpeg_size,
	};
}

int sluice_shelf_picture(const struct sluice_shelf *s, const struct sluice_camera *c,
			 uint64_t epoch, uint64_t sequence, uint8_t **out, size_t *size)
{
	return fetch_whole(s, c, epoch, sequence, out, size, 0);
}

uint8_t *sluice_shelf_jpeg(const struct sluice_shelf *s, const struct sluice_camera *c,
			   uint64_t epoch, uint64_t sequence, size_t *size)
{
	uint8_t *jpeg;

	return fetch_whole(s, c, epoch, sequence, &jpeg, size, 0) ? NULL : jpeg;
}

uint8_t *sluice_shelf_jpeg_insist(const struct sluice_shelf *s, const struct sluice_camera *c,
				  uint64_t epoch, uint64_t sequence, size_t *size)
{
	uint8_t *jpeg;
	int err, reads = 0;

	do
		err = fetch_whole(s, c, epoch, sequence, &jpeg, size, 0);
	while (read_again(err, &reads));
	return err ? NULL : jpeg;
}
