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
#include "lib/sha256.h"

struct checking {
	struct sluice_depot *depot;
	struct sluice_index *ix;
	struct sluice_media *media;
	struct sluice_check *r;
	struct sluice_index_segment row;
	uint64_t matched;
	int (*orphan)(void *ctx, const char *path);
	void *ctx;
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

static int scan(struct checking *k, const char *path, const struct sluice_keyring *keys,
		struct sluice_segment_info *info, uint64_t *good_end, uint64_t *size)
{
	return sluice_segment_scan_in(k->depot, path, keys, info, check_record, k, good_end, size);
}

static int check_segment(void *ctx, const struct sluice_camera *c, const char *path)
{
	struct checking *k = ctx;
	struct sluice_segment_info info;
	uint64_t good_end, size;
	int err = k->ix->ops->segment_find(k->ix, path, &k->row);

	if (err && err != -ENOENT)
		return err;
	if (err && k->depot->whole) {
		k->r->orphans++;
		return k->orphan ? k->orphan(k->ctx, path) : 0;
	}
	if (err) {
		memset(&k->row, 0, sizeof(k->row));
		memcpy(k->row.camera, c->id, sizeof(k->row.camera));
	}
	k->r->segments++;
	err = scan(k, path, k->media->keys, &info, &good_end, &size);
	if (err == -ENOKEY) { /* whole or not can be said without it */
		k->r->locked++;
		err = scan(k, path, NULL, &info, &good_end, &size);
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
	char place[SLUICE_MEDIA_PLACE];
	size_t i, size;

	k->r->summaries++;
	sluice_media_place(place, s->id, s->token);
	for (i = 0; i < s->media_count; i++) {
		int err = k->media->ops->get(k->media, c, place, s->media[i].name, 64u << 20,
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
		 int (*orphan)(void *ctx, const char *path), void *ctx, struct sluice_check *r)
{
	struct checking k = { .ix = ix, .media = media, .r = r, .orphan = orphan, .ctx = ctx };
	struct sluice_depot local;
	int err;

	memset(r, 0, sizeof(*r));
	k.depot = sluice_media_depot(media, data, &local);
	err = k.depot->ops->each(k.depot, check_segment, &k);
	if (!err)
		err = ix->ops->frames_count(ix, &r->indexed);
	r->missing_frame = r->indexed - k.matched;
	if (!err)
		err = ix->ops->summaries_all(ix, check_summary, &k);
	return err;
}
