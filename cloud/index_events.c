// SPDX-License-Identifier: MIT
/*
 * index_events.c - what is not told yet, and what must stay, in the index.
 *
 * An open event is a row from its start until the summary of its last part, or the end of its
 * epoch. A worker that begins again finds the same events again, under the same ids. A pin is a row
 * of its own, so that it outlives a summary that is added again, and a mark in facets and tags, so
 * that pinned ones are found like others.
 */
#include <errno.h>

#include "cloud/index_sql.h"

#define PINNED "pinned:"

int sluice_sql_event_open(struct sluice_index *ix, const struct sluice_index_summary *s)
{
	return sluice_db_run(sluice_db_bind(db(ix), EVENT_OPEN, "sciis", s->id, s->camera, s->epoch,
					    s->start_utc_ns, s->json));
}

int sluice_sql_event_over(struct sluice_db *s, const struct sluice_index_summary *sum,
			  const struct sluice_facets *f)
{
	if (!f->event[0])
		return 0;
	return sluice_db_run(f->continued
				     ? sluice_db_bind(s, EVENT_GOES_ON, "sci", f->event,
						      sum->camera, sum->end_utc_ns)
				     : sluice_db_bind(s, EVENT_OVER, "sc", f->event, sum->camera));
}

int sluice_sql_events_open(struct sluice_index *ix, const struct sluice_whose *who, const char *id,
			   sluice_index_summary_fn fn, void *ctx)
{
	struct sluice_rows *st =
		sluice_db_bind(db(ix), EVENTS_OPEN, "sss", who->tenant, who->cameras, id);
	struct sluice_camera c;
	int rc;

	while ((rc = sluice_db_step(st)) > 0) {
		struct sluice_index_summary s = { .epoch = column_u64(st, 2),
						  .start_utc_ns = column_u64(st, 3),
						  .json = sluice_db_text(st, 5) };

		column_text(st, 0, s.id, sizeof(s.id));
		sluice_db_id(st, 1, s.camera);
		read_camera(st, 7, &c);
		rc = fn(ctx, &c, &s);
		if (rc) {
			sluice_db_end(st);
			break;
		}
	}
	return rc;
}

static int find_pin(struct sluice_index *ix, const struct sluice_whose *who, const char *id,
		    uint64_t *start_ns, uint8_t camera[16])
{
	struct sluice_rows *st =
		sluice_db_bind(db(ix), PIN_FIND, "sss", who->tenant, who->cameras, id);
	int rc = sluice_db_step(st);

	if (rc <= 0)
		return rc ? rc : -ENOENT;
	*start_ns = column_u64(st, 0);
	sluice_db_id(st, 1, camera);
	sluice_db_end(st);
	return 0;
}

int sluice_sql_pin(struct sluice_index *ix, const struct sluice_whose *who, const char *id,
		   const char *by, const char *note, uint64_t utc_ns)
{
	uint8_t camera[16];
	uint64_t start_ns;
	int err = ix->ops->begin(ix);

	if (err)
		return err;
	err = find_pin(ix, who, id, &start_ns, camera);
	if (!err)
		err = sluice_db_run(by ? sluice_db_bind(db(ix), PIN_ADD, "sssi", id, by,
							note ? note : "", utc_ns)
				       : sluice_db_bind(db(ix), PIN_REMOVE, "s", id));
	if (!err)
		err = sluice_db_run(sluice_db_bind(db(ix), FACETS_PIN, "sisd", who->tenant,
						   start_ns, id, by != NULL));
	if (!err)
		err = sluice_db_run(
			by ? sluice_db_bind(db(ix), TAG_ADD, "csis", camera, PINNED, start_ns, id)
			   : sluice_db_bind(db(ix), TAG_REMOVE, "ssis", who->tenant, PINNED,
					    start_ns, id));
	if (!err)
		err = ix->ops->commit(ix);
	if (err)
		ix->ops->rollback(ix);
	return err;
}
