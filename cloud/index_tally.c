// SPDX-License-Identifier: MIT
/*
 * index_tally.c - what was counted of a camera's gate, in the index: a row a day, version of its
 * settings and kind of lane, which has one writer, so nobody adds to a row that another one reads.
 *
 * A device says itself what version its settings have: one that says another with every frame makes
 * the rows of its own camera go.
 */
#include "cloud/index_sql.h"

int sluice_sql_tally_put(struct sluice_index *ix, const struct sluice_index_tally *t)
{
	uint32_t oldest = t->day > SLUICE_TALLY_DAYS ? t->day - SLUICE_TALLY_DAYS : 0;
	int err = sluice_db_run(sluice_db_bind(db(ix), TALLY_PUT, "ciiib", t->camera,
					       (int64_t)t->day, (int64_t)t->settings,
					       (int64_t)t->lane, t->counts, t->size));

	return err ? err
		   : sluice_db_run(sluice_db_bind(db(ix), TALLIES_DROP, "cid", t->camera,
						  (int64_t)oldest, SLUICE_TALLY_ROWS));
}

int sluice_sql_tallies(struct sluice_index *ix, const uint8_t camera[16], uint32_t from_day,
		       sluice_index_tally_fn fn, void *ctx)
{
	struct sluice_rows *st = sluice_db_bind(db(ix), TALLIES, "ci", camera, (int64_t)from_day);
	struct sluice_index_tally t;
	int rc;

	memcpy(t.camera, camera, sizeof(t.camera));
	while ((rc = sluice_db_step(st)) > 0) {
		t.day = (uint32_t)sluice_db_int(st, 0);
		t.settings = (uint32_t)sluice_db_int(st, 1);
		t.lane = (uint32_t)sluice_db_int(st, 2);
		t.counts = sluice_db_blob(st, 3, &t.size);
		rc = fn(ctx, &t);
		if (rc) {
			sluice_db_end(st);
			break;
		}
	}
	return rc;
}
