// SPDX-License-Identifier: MIT
/*
 * reindex.c - the whole index made again: frames from the segments, summaries from the media.
 *
 * What only the index knew is gone: which summaries the device has acknowledged (they are sent
 * again, and are acknowledged again), how far events were told (what is stored counts as told),
 * ledgers, runs of back-fill, and cameras that never sent a frame.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <jansson.h>

#include "cloud/media.h"
#include "cloud/recover.h"
#include "cloud/walk.h"
#include "lib/sha256.h"

struct summaries {
	struct sluice_index *ix;
	uint64_t count, unread, foreign;
	struct sluice_media *media;
	struct sluice_camera owner;
	/* of one summary */
	char id[33], place[SLUICE_MEDIA_PLACE]; /* place: "" none */
	char tenant[SLUICE_NAME_MAX];
	uint8_t camera[16];
	uint64_t token;
	struct sluice_index_media file[SLUICE_SUMMARY_MEDIA_MAX];
	size_t files;
};

static int add_file(void *ctx, const char *name)
{
	struct summaries *s = ctx;
	struct sluice_index_media *m = &s->file[s->files];
	uint8_t *bytes;
	size_t size;

	if (!strcmp(name, "summary.json") || s->files == SLUICE_SUMMARY_MEDIA_MAX ||
	    s->media->ops->get(s->media, &s->owner, s->place, name, 64u << 20, &bytes, &size))
		return 0;
	snprintf(m->name, sizeof(m->name), "%s", name);
	m->size = size;
	sluice_sha256(bytes, size, m->sha256);
	free(bytes);
	s->files++;
	return 0;
}

static uint64_t json_u64(const json_t *object, const char *key)
{
	const char *text = json_string_value(json_object_get(object, key));

	return text ? strtoull(text, NULL, 10) : 0;
}

/* If it is pinned. */
static int add_pin(struct summaries *s)
{
	const struct sluice_whose who = { s->owner.tenant, NULL };
	const char *by, *note;
	uint8_t *text;
	size_t size;
	json_t *o;
	int err = 0;

	if (s->media->ops->get(s->media, &s->owner, s->place, SLUICE_MEDIA_PIN, 65536, &text,
			       &size))
		return 0;
	o = json_loadb((char *)text, size, 0, NULL);
	by = json_string_value(json_object_get(o, "by"));
	note = json_string_value(json_object_get(o, "note"));
	if (by && note)
		err = s->ix->ops->summary_pin(
			s->ix, &who, s->id, by, note,
			(uint64_t)json_integer_value(json_object_get(o, "utc_ns")));
	json_decref(o);
	free(text);
	return err == -ENOENT ? 0 : err;
}

/* Its row, from summary.json and the files beside it. */
static int add_row(struct summaries *s, char *text, const json_t *json)
{
	struct sluice_index_summary row = { .json = text, .media = s->file };
	int err;

	s->files = 0;
	err = s->media->ops->names(s->media, &s->owner, s->place, add_file, s);
	if (err)
		return err;
	memcpy(row.id, s->id, 33);
	memcpy(row.camera, s->owner.id, sizeof(row.camera));
	row.epoch = json_u64(json, "epoch");
	row.start_utc_ns = json_u64(json, "start_ns");
	row.end_utc_ns = json_u64(json, "end_ns");
	row.media_count = s->files;
	row.token = s->token;
	if (row.epoch > INT64_MAX || row.start_utc_ns > INT64_MAX || row.end_utc_ns > INT64_MAX)
		return 0; /* none of ours */
	err = s->ix->ops->summary_add(s->ix, &row);
	s->count += err == 0;
	s->foreign += err == -EEXIST;
	if (err == -EEXIST)
		return 0; /* two cameras have files of that id: the first one's stay */
	return err < 0 ? err : add_pin(s);
}

/* The place that was seen last, if there is one. */
static int add_seen(struct summaries *s)
{
	uint8_t *text;
	size_t size;
	json_t *json;
	int err;

	if (!s->place[0])
		return 0;
	err = s->ix->ops->camera_find(s->ix, s->camera, &s->owner);
	if (err == -ENOENT || (!err && strcmp(s->tenant, s->owner.tenant) != 0))
		return 0; /* no frames of it: nobody can say whose they are */
	if (err)
		return err;
	err = s->media->ops->get(s->media, &s->owner, s->place, "summary.json", 1u << 20, &text,
				 &size);
	if (err == -ENOKEY || err == -EBADMSG)
		s->unread++;
	if (err)
		return 0;
	text[size] = 0; /* get() leaves room for it */
	json = json_loadb((char *)text, size, 0, NULL);
	err = json ? add_row(s, (char *)text, json) : 0;
	json_decref(json);
	free(text);
	return err;
}

/* Of the places of one summary the latest counts: whoever put it had made sure that no holder of an
 * earlier lease has a row, or would come to one (shelf.c). */
static int see_place(void *ctx, const char *tenant, const uint8_t camera[16], const char *place)
{
	struct summaries *s = ctx;
	uint64_t token;
	char id[33];
	int err = 0;

	if (sluice_media_place_read(place, id, &token))
		return 0; /* none of ours */
	if (strcmp(id, s->id) != 0 || memcmp(camera, s->camera, 16) != 0 ||
	    strcmp(tenant, s->tenant) != 0)
		err = add_seen(s);
	memcpy(s->id, id, sizeof(s->id));
	memcpy(s->camera, camera, sizeof(s->camera));
	snprintf(s->tenant, sizeof(s->tenant), "%s", tenant);
	snprintf(s->place, sizeof(s->place), "%s", place);
	s->token = token;
	return err;
}

int sluice_rebuild(const char *data, struct sluice_index *ix, struct sluice_media *media,
		   struct sluice_recovered *r, uint64_t *count)
{
	struct summaries s = { .ix = ix, .media = media };
	struct sluice_depot local;
	int err = sluice_recover_lost(sluice_media_depot(media, data, &local), ix, r);

	if (err)
		return err;
	err = media->ops->each(media, see_place, &s);
	if (!err)
		err = add_seen(&s);
	*count = s.count;
	r->unread = s.unread;
	r->foreign = s.foreign;
	return err;
}
