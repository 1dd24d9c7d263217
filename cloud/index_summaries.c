// SPDX-License-Identifier: MIT
/* index_summaries.c - summaries and their media in the index. */
#include <errno.h>

#include "cloud/index_sql.h"

int sluice_sql_summary_owner(struct sluice_index *ix, const char *id, uint8_t camera[16],
			     uint64_t *token)
{
	struct sluice_rows *st = sluice_db_bind(db(ix), SUMMARY_OWNER, "s", id);
	int rc = sluice_db_step(st);

	if (rc <= 0)
		return rc ? rc : -ENOENT;
	sluice_db_id(st, 0, camera);
	if (token)
		*token = column_u64(st, 1);
	sluice_db_end(st);
	return 0;
}

/* The row that is there under that id: 1, or -EEXIST, it is another camera's. */
static int judge_row(struct sluice_index *ix, const struct sluice_index_summary *s)
{
	uint8_t owner[16];
	int err = sluice_sql_summary_owner(ix, s->id, owner, NULL);

	return err ? err : memcmp(owner, s->camera, sizeof(owner)) != 0 ? -EEXIST : 1;
}

/* The row and its media, together or not at all; joins the caller's transaction if there is one. */
int sluice_sql_summary_add(struct sluice_index *ix, const struct sluice_index_summary *s)
{
	int err, added = 0, own = sluice_db_idle(db(ix));
	size_t i;

	err = own ? ix->ops->begin(ix) : 0;
	if (err)
		return err;
	err = sluice_db_run(sluice_db_bind(db(ix), SUMMARY_ADD, "sciiisi", s->id, s->camera,
					   s->epoch, s->start_utc_ns, s->end_utc_ns, s->json,
					   s->token));
	if (!err)
		added = sluice_db_changed(db(ix)) > 0;
	if (!err && !added)
		err = judge_row(ix, s);
	for (i = 0; !err && i < s->media_count; i++)
		err = sluice_db_run(sluice_db_bind(db(ix), MEDIA_ADD, "sisib", s->id, (uint64_t)i,
						   s->media[i].name, s->media[i].size,
						   s->media[i].sha256, sizeof(s->media[i].sha256)));
	if (!err)
		err = sluice_sql_facets_add(db(ix), s);
	if (own && !err)
		err = ix->ops->commit(ix);
	if (own && err)
		ix->ops->rollback(ix);
	return err;
}

int sluice_sql_summary_acked(struct sluice_index *ix, const uint8_t camera[16], const char *id)
{
	return sluice_db_run(sluice_db_bind(db(ix), SUMMARY_ACKED, "cs", camera, id));
}

static void read_summary(struct sluice_rows *st, struct sluice_index_summary *s)
{
	memset(s, 0, sizeof(*s));
	column_text(st, 0, s->id, sizeof(s->id));
	sluice_db_id(st, 1, s->camera);
	s->epoch = column_u64(st, 2);
	s->start_utc_ns = column_u64(st, 3);
	s->end_utc_ns = column_u64(st, 4);
}

int sluice_sql_summaries_unacked(struct sluice_index *ix, const uint8_t camera[16],
				 sluice_index_summary_fn fn, void *ctx)
{
	struct sluice_rows *st = sluice_db_bind(db(ix), SUMMARIES_UNACKED, "c", camera);
	struct sluice_index_summary s;
	int rc;

	while ((rc = sluice_db_step(st)) > 0) {
		read_summary(st, &s);
		rc = fn(ctx, NULL, &s);
		if (rc) {
			sluice_db_end(st);
			break;
		}
	}
	return rc;
}

static int read_media(struct sluice_index *ix, const char *id, struct sluice_index_media *media,
		      size_t *count)
{
	struct sluice_rows *st = sluice_db_bind(db(ix), MEDIA, "s", id);
	int rc;

	*count = 0;
	while ((rc = sluice_db_step(st)) > 0) {
		struct sluice_index_media *m = &media[*count];
		size_t size;
		const void *sha = sluice_db_blob(st, 2, &size);

		if (*count == SLUICE_SUMMARY_MEDIA_MAX || size != sizeof(m->sha256)) {
			sluice_db_end(st);
			return -EUCLEAN;
		}
		column_text(st, 0, m->name, sizeof(m->name));
		m->size = column_u64(st, 1);
		memcpy(m->sha256, sha, sizeof(m->sha256));
		++*count;
	}
	return rc;
}

/* Calls fn for the rows of a statement with SUMMARY_COLUMNS and CAMERA_COLUMNS. */
static int walk_summaries(struct sluice_index *ix, struct sluice_rows *st,
			  sluice_index_summary_fn fn, void *ctx, int *rows)
{
	struct sluice_index_media media[SLUICE_SUMMARY_MEDIA_MAX];
	struct sluice_index_summary s;
	struct sluice_camera c;
	int rc;

	*rows = 0;
	while ((rc = sluice_db_step(st)) > 0) {
		read_summary(st, &s);
		s.json = sluice_db_text(st, 5);
		s.acked = (int)sluice_db_int(st, 6);
		s.token = column_u64(st, 7);
		read_camera(st, 8, &c);
		rc = read_media(ix, s.id, media, &s.media_count);
		s.media = media;
		if (!rc)
			rc = fn(ctx, &c, &s);
		++*rows;
		if (rc) {
			sluice_db_end(st);
			break;
		}
	}
	return rc;
}

int sluice_sql_summaries(struct sluice_index *ix, const struct sluice_whose *whose,
			 const char *camera, unsigned int limit, sluice_index_summary_fn fn,
			 void *ctx)
{
	int rows;

	return walk_summaries(ix,
			      sluice_db_bind(db(ix), SUMMARIES, "sssd", whose->tenant,
					     whose->cameras, camera, (int)limit),
			      fn, ctx, &rows);
}

int sluice_sql_summaries_all(struct sluice_index *ix, sluice_index_summary_fn fn, void *ctx)
{
	int rows;

	return walk_summaries(ix, sluice_db_bind(db(ix), SUMMARIES_ALL, ""), fn, ctx, &rows);
}

int sluice_sql_summary_find(struct sluice_index *ix, const struct sluice_whose *whose,
			    const char *id, sluice_index_summary_fn fn, void *ctx)
{
	int rows, rc;

	rc = walk_summaries(
		ix, sluice_db_bind(db(ix), SUMMARY_FIND, "sss", whose->tenant, whose->cameras, id),
		fn, ctx, &rows);
	return !rc && !rows ? -ENOENT : rc;
}

int sluice_sql_summary_get(struct sluice_index *ix, const char *id, int pinned, int nuisance,
			   sluice_index_summary_fn fn, void *ctx)
{
	struct sluice_rows *st = sluice_db_bind(db(ix), SUMMARY_GET, "s", id);
	struct sluice_index_media media[SLUICE_SUMMARY_MEDIA_MAX];
	struct sluice_index_summary s;
	struct sluice_camera c;
	int rc = sluice_db_step(st);

	if (rc <= 0)
		return rc ? rc : -ENOENT;
	read_summary(st, &s);
	s.json = sluice_db_text(st, 5);
	s.acked = (int)sluice_db_int(st, 6);
	s.token = column_u64(st, 7);
	s.pinned = pinned;
	s.nuisance = nuisance;
	read_camera(st, 8, &c);
	rc = read_media(ix, s.id, media, &s.media_count);
	s.media = media;
	if (!rc)
		rc = fn(ctx, &c, &s);
	sluice_db_end(st);
	return rc;
}
