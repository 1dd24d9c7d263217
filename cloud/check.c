// SPDX-License-Identifier: MIT
/*
 * check.c - does the index agree with the segments, and do the files of summaries agree with what
 * was said of them? Reads everything, changes nothing.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cloud/media.h"
#include "cloud/recover.h"
#include "cloud/segment.h"
#include "cloud/walk.h"
#include "lib/sha256.h"

struct checking {
	const char *data;
	struct sluice_index *ix;
	struct sluice_media *media;
	struct sluice_check *r;
	struct sluice_index_segment row;
	uint64_t matched;
};

static int check_record(void *ctx, const struct sluice_segment_frame *f, uint64_t offset,
			uint32_t length)
{
	struct checking *k = ctx;
	struct sluice_index_frame row;
	char path[192];
	int err = k->ix->ops->frame_find(k->ix, k->row.camera, f->epoch, f->sequence, &row, path);

	(void)length;
	k->r->frames++;
	if (err && err != -ENOENT)
		return err;
	if (err)
		k->r->missing_row++;
	else if (row.segment == k->row.id && row.offset == offset)
		k->matched++; /* else a second copy of a frame whose first group was not committed
			       */
	return 0;
}

static int check_segment(void *ctx, const struct sluice_camera *c, const char *path)
{
	struct checking *k = ctx;
	struct sluice_segment_info info;
	uint64_t good_end, size;
	char full[4400];
	int err = k->ix->ops->segment_find(k->ix, path, &k->row);

	if (err && err != -ENOENT)
		return err;
	if (err) {
		memset(&k->row, 0, sizeof(k->row));
		memcpy(k->row.camera, c->id, sizeof(k->row.camera));
	}
	snprintf(full, sizeof(full), "%s/%s", k->data, path);
	k->r->segments++;
	err = sluice_segment_scan(full, k->media->keys, &info, check_record, k, &good_end, &size);
	if (err == -ENOKEY) { /* whole or not can be said without it */
		k->r->locked++;
		err = sluice_segment_scan(full, NULL, &info, check_record, k, &good_end, &size);
	}
	if (err == -EBADMSG || err == -EPROTONOSUPPORT ||
	    (!err && memcmp(info.camera, c->id, sizeof(info.camera)))) {
		k->r->bad_header++;
		return 0;
	}
	k->r->bad_tail += !err && good_end < size;
	return err;
}

static int check_summary(void *ctx, const struct sluice_camera *c,
			 const struct sluice_index_summary *s)
{
	struct checking *k = ctx;
	uint8_t digest[SHA256_DIGEST_LENGTH], *bytes;
	size_t i, size;

	k->r->summaries++;
	for (i = 0; i < s->media_count; i++) {
		int err = k->media->ops->get(k->media, c, s->id, s->media[i].name, 64u << 20,
					     &bytes, &size);

		if (err) {
			k->r->locked += err == -ENOKEY;
			k->r->bad_media += err != -ENOKEY;
			continue;
		}
		sluice_sha256(bytes, size, digest);
		k->r->bad_media += size != s->media[i].size ||
				   memcmp(digest, s->media[i].sha256, sizeof(digest));
		free(bytes);
	}
	return 0;
}

int sluice_check(const char *data, struct sluice_index *ix, struct sluice_media *media,
		 struct sluice_check *r)
{
	struct checking k = { .data = data, .ix = ix, .media = media, .r = r };
	int err;

	memset(r, 0, sizeof(*r));
	err = sluice_walk_segments(data, check_segment, &k);
	if (!err)
		err = ix->ops->frames_count(ix, &r->indexed);
	r->missing_frame = r->indexed - k.matched;
	if (!err)
		err = ix->ops->summaries_all(ix, check_summary, &k);
	return err;
}
