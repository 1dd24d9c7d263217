// SPDX-License-Identifier: MIT
/* index_retain.c - what may be forgotten, and forgetting it, in the index; see retain.c. */
#include <errno.h>

#include "cloud/index_sql.h"
#include "cloud/media.h"

static int first_segment(struct sluice_rows *st, struct sluice_index_segment *s)
{
	int rc = sluice_db_step(st);

	if (rc <= 0)
		return rc ? rc : -ENOENT;
	read_segment(st, s);
	sluice_db_end(st);
	return 0;
}

int sluice_sql_segment_oldest(struct sluice_index *ix, enum sluice_index_class class,
			      uint64_t before_ns, struct sluice_index_segment *s)
{
	int err = first_segment(sluice_db_bind(db(ix), SEGMENT_LEAVING, ""), s);

	if (err != -ENOENT)
		return err;
	if (class == SLUICE_CLASS_NUISANCE)
		return first_segment(sluice_db_bind(db(ix), SEGMENT_NUISANCE, "i", before_ns), s);
	return first_segment(sluice_db_bind(db(ix), SEGMENT_OLDEST, "di",
					    class == SLUICE_CLASS_MOTION, before_ns),
			     s);
}

/* Ends a transaction that err says has gone well or not. */
static int end(struct sluice_index *ix, int err)
{
	if (err >= 0) {
		int bad = ix->ops->commit(ix);

		err = bad ? bad : err;
	}
	if (err < 0)
		ix->ops->rollback(ix);
	return err;
}

int sluice_sql_segment_drop(struct sluice_index *ix, const struct sluice_index_segment *s,
			    unsigned int limit)
{
	int err = ix->ops->begin(ix), more = 0;

	if (err)
		return err;
	err = sluice_db_run(sluice_db_bind(db(ix), SEGMENT_LEAVE, "i", s->id));
	if (!err)
		err = sluice_db_run(sluice_db_bind(db(ix), FRAMES_DROP, "ciiid", s->camera,
						   s->first_utc_ns, s->last_utc_ns, s->id,
						   (int)limit));
	if (!err)
		more = sluice_db_changed(db(ix)) == (int)limit;
	if (!err && !more)
		err = sluice_db_run(sluice_db_bind(db(ix), SEGMENT_DROP, "i", s->id));
	if (!err && !more)
		err = sluice_db_run(sluice_db_bind(db(ix), GONE_ADD, "s", s->path));
	return end(ix, err ? err : more);
}

int sluice_sql_summary_oldest(struct sluice_index *ix, uint64_t before_ns, char id[33],
			      struct sluice_camera *c)
{
	struct sluice_rows *st = sluice_db_bind(db(ix), SUMMARY_OLDEST, "i", before_ns);
	uint8_t camera[16];
	int rc = sluice_db_step(st);

	if (rc <= 0)
		return rc ? rc : -ENOENT;
	column_text(st, 0, id, 33);
	sluice_db_id(st, 2, camera);
	sluice_db_end(st);
	return ix->ops->camera_find(ix, camera, c);
}

/* Tag by tag, as its row of facets lists them. */
static int drop_facets(struct sluice_db *s, const char *tenant, const char *id)
{
	struct sluice_rows *st = sluice_db_bind(s, FACETS_OF, "ss", tenant, id);
	char tags[SLUICE_TAGS_MAX * (SLUICE_TAG_MAX + 1) + 2], *save = NULL, *tag;
	uint64_t start;
	int rc = sluice_db_step(st);

	if (rc <= 0)
		return rc; /* one without a name has none */
	start = column_u64(st, 0);
	column_text(st, 1, tags, sizeof(tags));
	sluice_db_end(st);
	rc = sluice_db_run(sluice_db_bind(s, FACETS_DROP, "sis", tenant, start, id));
	for (tag = strtok_r(tags, "\n", &save); tag && !rc; tag = strtok_r(NULL, "\n", &save))
		rc = sluice_db_run(sluice_db_bind(s, TAG_REMOVE, "ssis", tenant, tag, start, id));
	return rc;
}

int sluice_sql_summary_drop(struct sluice_index *ix, const struct sluice_camera *c, const char *id)
{
	char path[192], place[SLUICE_MEDIA_PLACE];
	uint64_t token = 0;
	uint8_t owner[16];
	int err = ix->ops->begin(ix);

	if (err)
		return err;
	err = sluice_sql_summary_owner(ix, id, owner, &token);
	snprintf(path, sizeof(path), "media/%s/%s/%s", c->tenant, c->hex,
		 sluice_media_place(place, id, token));
	if (!err || err == -ENOENT)
		err = drop_facets(db(ix), c->tenant, id);
	if (!err)
		err = sluice_db_run(sluice_db_bind(db(ix), MEDIA_DROP, "s", id));
	if (!err)
		err = sluice_db_run(sluice_db_bind(db(ix), SUMMARY_DROP, "s", id));
	if (!err)
		err = sluice_db_run(sluice_db_bind(db(ix), GONE_ADD, "s", path));
	return end(ix, err);
}

int sluice_sql_ledgers_drop(struct sluice_index *ix, uint64_t before_ns)
{
	return sluice_db_run(sluice_db_bind(db(ix), LEDGERS_DROP, "i", before_ns));
}

static int read_sum(struct sluice_rows *st, uint64_t *sum)
{
	int rc = sluice_db_step(st);

	if (rc <= 0)
		return rc ? rc : -EIO;
	*sum += column_u64(st, 0);
	sluice_db_end(st);
	return 0;
}

int sluice_sql_bytes(struct sluice_index *ix, uint64_t *bytes)
{
	int err;

	*bytes = 0;
	err = read_sum(sluice_db_bind(db(ix), SEGMENT_BYTES, ""), bytes);
	return err ? err : read_sum(sluice_db_bind(db(ix), MEDIA_BYTES, ""), bytes);
}

int sluice_sql_gone(struct sluice_index *ix, char path[192])
{
	struct sluice_rows *st = sluice_db_bind(db(ix), GONE, "");
	int rc = sluice_db_step(st);

	if (rc <= 0)
		return rc ? rc : -ENOENT;
	column_text(st, 0, path, 192);
	sluice_db_end(st);
	return 0;
}

int sluice_sql_gone_done(struct sluice_index *ix, const char *path)
{
	return sluice_db_run(sluice_db_bind(db(ix), GONE_DROP, "s", path));
}
