// SPDX-License-Identifier: MIT
/*
 * media_move.c - see media_move.h.
 *
 * Segments: those that the index calls closed, file by file. The store keeps the SHA-256 that an
 * object was put with, so whether it was put before is one question; what is put now is read back
 * and compared byte by byte. Summaries: their names and the bytes of each file, from both sides;
 * only what is not the same is put, whole, and compared again. Sealed files are opened and sealed
 * anew, bound to the same place; segments go as they are.
 *
 * A node may run meanwhile: it writes new files, which a further run finds, and segments that it
 * still appends to are left out and counted.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cloud/media_move.h"
#include "lib/sha256.h"

#define FILE_MAX (64u << 20)

struct move {
	const struct sluice_media_move_config *c;
	struct sluice_media_moved *out;
	struct sluice_depot local;
	uint64_t of, done;
};

static int step(struct move *m, const char *what)
{
	if (m->c->progress)
		m->c->progress(m->c->ctx, what, m->done, m->of, m->out->bytes);
	m->done++;
	return m->c->stopping && m->c->stopping(m->c->ctx) ? -ECANCELED : 0;
}

static void blame(struct move *m, uint64_t *count, const char *what)
{
	if (!m->out->first[0])
		snprintf(m->out->first, sizeof(m->out->first), "%s", what);
	++*count;
}

/* ---- segments ---- */

/* 1: the object is these bytes. */
static int is_same(struct sluice_depot *d, const char *path, const uint8_t *data, size_t size)
{
	uint8_t *there;
	size_t n;
	int rc = d->ops->load(d, path, &there, &n);

	if (rc)
		return rc == -ENOENT || rc == -EBADMSG ? 0 : rc;
	rc = n == size && !memcmp(there, data, size);
	free(there);
	return rc;
}

static int put_segment(struct sluice_depot *d, const char *path, const uint8_t *data, size_t size)
{
	const struct sluice_depot_put put = { path, data, size };
	int err = d->ops->put(d, &put, 1);

	return err ? err : is_same(d, path, data, size);
}

/* 1: it is there and the same. */
static int copy_segment(struct move *m, const char *path, const uint8_t *data, size_t size)
{
	char hex[2 * SHA256_DIGEST_LENGTH + 1];
	struct sluice_depot *to = m->c->to->depot;
	uint8_t digest[SHA256_DIGEST_LENGTH];
	int rc;

	if (m->c->check)
		return is_same(to, path, data, size);
	sluice_sha256(data, size, digest);
	sluice_hex(digest, sizeof(digest), hex);
	rc = to->ops->has(to, path, hex, size);
	if (rc)
		return rc;
	rc = put_segment(to, path, data, size);
	m->out->copied += rc == 1;
	return rc;
}

static int move_segment(void *ctx, const struct sluice_camera *c, const char *path)
{
	struct sluice_index_segment row;
	struct move *m = ctx;
	uint8_t *data;
	size_t size;
	int rc = m->c->ix->ops->segment_find(m->c->ix, path, &row);

	(void)c;
	if (rc && rc != -ENOENT)
		return rc;
	if (rc || !row.closed) {
		m->out->open++;
		return 0;
	}
	if (row.closed != 1)
		return 0; /* it goes */
	rc = step(m, "segments");
	if (rc)
		return rc;
	rc = m->local.ops->load(&m->local, path, &data, &size);
	if (rc == -ENOENT)
		return 0; /* gone meanwhile */
	if (rc) {
		blame(m, &m->out->lost, path);
		return 0;
	}
	m->out->segments++;
	rc = copy_segment(m, path, data, size);
	free(data);
	if (rc < 0)
		return rc;
	if (!rc)
		blame(m, &m->out->differ, path);
	m->out->bytes += rc ? size : 0;
	return 0;
}

/* The index names it: is it anywhere? */
static int find_lost(void *ctx, const struct sluice_index_segment *s)
{
	struct sluice_depot_file f;
	struct move *m = ctx;

	if (s->closed != 1 || !s->size)
		return 0;
	if (!m->local.ops->open(&m->local, s->path, &f))
		m->local.ops->shut(&m->local, &f);
	else
		blame(m, &m->out->lost, s->path);
	return 0;
}

static int count_segment(void *ctx, const struct sluice_camera *c, const char *path)
{
	struct move *m = ctx;

	(void)c;
	(void)path;
	m->of++;
	return 0;
}

static int move_segments(struct move *m)
{
	int err = m->local.ops->each(&m->local, count_segment, m);

	if (!err)
		err = m->local.ops->each(&m->local, move_segment, m);
	return err ? err : m->c->ix->ops->segments(m->c->ix, find_lost, m);
}

/* ---- summaries ---- */

struct set {
	struct sluice_media *of;
	const struct sluice_camera *camera;
	const char *id;
	char name[SLUICE_SUMMARY_MEDIA_MAX + 2][48];
	uint8_t *data[SLUICE_SUMMARY_MEDIA_MAX + 2];
	size_t size[SLUICE_SUMMARY_MEDIA_MAX + 2], count;
};

static void free_set(struct set *s)
{
	while (s->count)
		free(s->data[--s->count]);
}

static int load_name(struct set *s, const char *name)
{
	const size_t i = s->count;
	int err;

	if (i == SLUICE_SUMMARY_MEDIA_MAX + 2)
		return -E2BIG;
	snprintf(s->name[i], sizeof(s->name[i]), "%s", name);
	err = s->of->ops->get(s->of, s->camera, s->id, name, FILE_MAX, &s->data[i], &s->size[i]);
	s->count += !err;
	return err;
}

static int add_name(void *ctx, const char *name)
{
	return load_name(ctx, name);
}

/* All of a summary, its pin behind the rest. To be freed in any case. */
static int load_set(struct set *s)
{
	int err = s->of->ops->names(s->of, s->camera, s->id, add_name, s);

	if (!err)
		err = load_name(s, SLUICE_MEDIA_PIN);
	return err == -ENOENT && s->count ? 0 : err;
}

static int has_file(const struct set *s, const char *name, const uint8_t *data, size_t size)
{
	for (size_t i = 0; i < s->count; i++)
		if (!strcmp(s->name[i], name))
			return s->size[i] == size && !memcmp(s->data[i], data, size);
	return 0;
}

/* 1: the bucket has the same files. */
static int same_set(const struct move *m, const struct set *s)
{
	struct set there = { .of = m->c->to, .camera = s->camera, .id = s->id };
	int rc = load_set(&there);

	if (!rc)
		rc = there.count == s->count;
	else if (rc == -ENOENT || rc == -EBADMSG || rc == -ENOKEY)
		rc = 0;
	for (size_t i = 0; i < s->count && rc == 1; i++)
		rc = has_file(&there, s->name[i], s->data[i], s->size[i]);
	free_set(&there);
	return rc;
}

static int put_set(const struct move *m, const struct set *s)
{
	struct sluice_media_file files[SLUICE_SUMMARY_MEDIA_MAX + 2];
	const struct sluice_media_ops *ops = m->c->to->ops;
	size_t n = s->count, i;
	int pinned = n && !strcmp(s->name[n - 1], SLUICE_MEDIA_PIN), err;

	n -= pinned;
	for (i = 0; i < n; i++)
		files[i] = (struct sluice_media_file){ s->name[i], s->data[i], s->size[i] };
	err = ops->put(m->c->to, s->camera, s->id, files, n);
	if (!err)
		err = ops->pin(m->c->to, s->camera, s->id, pinned ? s->data[n] : NULL,
			       pinned ? s->size[n] : 0);
	return err ? err : same_set(m, s);
}

static int move_set(struct move *m, const struct set *s)
{
	int rc = same_set(m, s);

	if (rc || m->c->check)
		return rc;
	rc = put_set(m, s);
	m->out->copied += rc == 1;
	return rc;
}

static int move_summary(void *ctx, const char *tenant, const uint8_t camera[16], const char *id)
{
	struct sluice_camera c = { 0 };
	struct move *m = ctx;
	struct set s = { .of = m->c->from, .camera = &c, .id = id };
	uint64_t token, named = 0;
	uint8_t owner[16];
	char what[192], whole[33];
	int rc = step(m, "summaries");

	if (rc)
		return rc;
	rc = sluice_media_place_read(id, whole, &token)
		     ? -ENOENT
		     : m->c->ix->ops->summary_owner(m->c->ix, whole, owner, &named);
	if (rc || token != named)
		return rc == -ENOENT ? 0 : rc; /* none of ours, or never told, or forgotten */
	snprintf(c.tenant, sizeof(c.tenant), "%s", tenant);
	memcpy(c.id, camera, sizeof(c.id));
	sluice_hex(camera, 16, c.hex);
	snprintf(what, sizeof(what), "media/%s/%s/%.47s", tenant, c.hex, id);
	rc = load_set(&s);
	if (rc == -ENOENT || rc == -ENOMEM) {
		free_set(&s);
		return rc == -ENOMEM ? rc : 0; /* gone meanwhile */
	}
	if (rc) {
		free_set(&s);
		blame(m, &m->out->lost, what);
		return 0;
	}
	m->out->summaries++;
	rc = move_set(m, &s);
	for (size_t i = 0; i < s.count && rc == 1; i++)
		m->out->bytes += s.size[i];
	free_set(&s);
	if (!rc)
		blame(m, &m->out->differ, what);
	return rc < 0 ? rc : 0;
}

static int count_summary(void *ctx, const char *tenant, const uint8_t camera[16], const char *id)
{
	(void)tenant;
	(void)camera;
	(void)id;
	((struct move *)ctx)->of++;
	return 0;
}

int sluice_media_move(const struct sluice_media_move_config *c, struct sluice_media_moved *out)
{
	struct move m = { .c = c, .out = out };
	int err = 0;

	memset(out, 0, sizeof(*out));
	sluice_depot_dir(&m.local, c->data);
	if (c->to->depot)
		err = move_segments(&m);
	m.of = m.done = 0;
	if (!err)
		err = c->from->ops->each(c->from, count_summary, &m);
	if (!err)
		err = c->from->ops->each(c->from, move_summary, &m);
	return err;
}
