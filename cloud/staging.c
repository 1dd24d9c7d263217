// SPDX-License-Identifier: MIT
/*
 * staging.c - see staging.h.
 *
 * The name of a segment is made of the time, its first frame's epoch and sequence: a group that
 * failed and comes again has another name, and whatever the failed one left is an orphan that fsck
 * finds. A segment of one group is at most what a device may have under way (its credit), so it
 * fits into one object.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cloud/staging.h"

struct piece {
	const struct sluice_camera *camera;
	uint32_t lane;
	struct sluice_segment *segment;
	uint64_t created_ns;
	char path[SLUICE_DEPOT_PATH];
};

struct place {
	const struct sluice_item *item;
	size_t piece;
	uint64_t offset;
	uint32_t length;
};

struct sluice_staging {
	struct sluice_depot *depot;
	const struct sluice_keyring *keys;
	struct piece *piece;
	size_t pieces, pieces_room;
	struct place *place;
	size_t places, places_room, taken;
};

struct sluice_staging *sluice_staging_open(struct sluice_depot *depot,
					   const struct sluice_keyring *keys)
{
	struct sluice_staging *s = calloc(1, sizeof(*s));

	if (s) {
		s->depot = depot;
		s->keys = keys;
	}
	return s;
}

void sluice_staging_clear(struct sluice_staging *s)
{
	while (s->pieces)
		sluice_segment_close(s->piece[--s->pieces].segment);
	s->places = s->taken = 0;
}

void sluice_staging_close(struct sluice_staging *s)
{
	if (!s)
		return;
	sluice_staging_clear(s);
	free(s->piece);
	free(s->place);
	free(s);
}

/* One more of size bytes fits behind count. */
static int grow(void **array, size_t count, size_t *room, size_t size)
{
	size_t more = *room ? 2 * *room : 16;
	void *bigger;

	if (count < *room)
		return 0;
	bigger = realloc(*array, more * size);
	if (!bigger)
		return -ENOMEM;
	*array = bigger;
	*room = more;
	return 0;
}

static int begin_piece(struct sluice_staging *s, const struct sluice_item *item)
{
	const struct sluice_camera *c = item->camera;
	struct sluice_segment_info info = {
		.created_ns = sluice_utc_now(),
		.epoch = item->epoch,
		.sequence = item->sequence,
	};
	struct piece *p;
	int err = grow((void **)&s->piece, s->pieces, &s->pieces_room, sizeof(*p));

	if (err)
		return err;
	p = &s->piece[s->pieces];
	memset(p, 0, sizeof(*p));
	memcpy(info.camera, c->id, sizeof(info.camera));
	p->camera = c;
	p->lane = item->lane;
	p->created_ns = info.created_ns;
	snprintf(p->path, sizeof(p->path),
		 "segments/%s/%s/%s/%" PRIu64 "-%" PRIu64 "-%" PRIu64 ".seg", c->tenant, c->device,
		 c->name, info.created_ns, info.epoch, info.sequence);
	err = sluice_segment_begin(&info, s->keys, &p->segment);
	s->pieces += !err;
	return err;
}

/* The hint is right, or there is none of the lane yet. */
static int find_piece(struct sluice_staging *s, const struct sluice_item *item, size_t *hint)
{
	int err;

	if (*hint < s->pieces && s->piece[*hint].camera == item->camera &&
	    s->piece[*hint].lane == item->lane)
		return 0;
	err = begin_piece(s, item);
	*hint = err ? SIZE_MAX : s->pieces - 1;
	return err;
}

int sluice_staging_add(struct sluice_staging *s, const struct sluice_item *item,
		       const struct sluice_segment_frame *f, size_t *hint)
{
	struct place *p;
	int err = grow((void **)&s->place, s->places, &s->places_room, sizeof(*p));

	if (!err)
		err = find_piece(s, item, hint);
	if (err)
		return err;
	p = &s->place[s->places];
	p->item = item;
	p->piece = *hint;
	err = sluice_segment_append(s->piece[*hint].segment, f, &p->offset, &p->length);
	s->places += !err;
	return err;
}

int sluice_staging_put(struct sluice_staging *s)
{
	struct sluice_depot_put *puts;
	int err;

	if (!s->places)
		return 0;
	puts = calloc(s->pieces, sizeof(*puts));
	if (!puts)
		return -ENOMEM;
	for (size_t i = 0; i < s->pieces; i++)
		puts[i] = (struct sluice_depot_put){
			s->piece[i].path, sluice_segment_bytes(s->piece[i].segment),
			(size_t)sluice_segment_size(s->piece[i].segment)
		};
	err = s->depot->ops->put(s->depot, puts, s->pieces);
	free(puts);
	return err;
}

int sluice_staging_take(struct sluice_staging *s, const struct sluice_item *item,
			struct sluice_staged *out)
{
	const struct place *p;
	const struct piece *of;
	size_t at = s->taken;

	while (at < s->places && s->place[at].item != item)
		at++;
	if (at == s->places)
		return -ENOENT;
	p = &s->place[at];
	of = &s->piece[p->piece];
	*out = (struct sluice_staged){ of->path, of->created_ns, sluice_segment_size(of->segment),
				       p->offset, p->length };
	s->taken = at + 1;
	return 0;
}
