// SPDX-License-Identifier: MIT
/*
 * index_history.c - what was when, of one camera, in the index: stored frames by their time,
 * ledgers, epochs.
 *
 * The newest ledger lies in the camera's row. For the time axis the last of every SLUICE_LEDGER_S
 * seconds is kept under the begin of that span, so a camera that reports each second costs a row in
 * five minutes.
 */
#include <errno.h>

#include "cloud/index_sql.h"

static int read_near(struct sluice_rows *st, struct sluice_index_frame *f, char *path)
{
	int rc = sluice_db_step(st);

	if (rc <= 0)
		return rc ? rc : -ENOENT;
	read_frame(st, f);
	column_text(st, 10, path, sizeof(((struct sluice_index_segment *)0)->path));
	sluice_db_end(st);
	return 0;
}

int sluice_sql_frame_near(struct sluice_index *ix, const struct sluice_whose *who,
			  const uint8_t camera[16], uint64_t utc_ns, struct sluice_index_frame *f,
			  char *path)
{
	struct sluice_index_frame behind;
	char behind_path[sizeof(((struct sluice_index_segment *)0)->path)];
	int before, err;

	if (utc_ns > INT64_MAX)
		utc_ns = INT64_MAX;
	before = read_near(sluice_db_bind(db(ix), FRAME_BEFORE, "ssci", who->tenant, who->cameras,
					  camera, utc_ns),
			   f, path);
	if (before && before != -ENOENT)
		return before;
	err = read_near(sluice_db_bind(db(ix), FRAME_BEHIND, "ssci", who->tenant, who->cameras,
				       camera, utc_ns),
			&behind, behind_path);
	if (err)
		return err == -ENOENT ? before : err;
	if (before || behind.utc_ns - utc_ns < utc_ns - f->utc_ns) {
		*f = behind;
		memcpy(path, behind_path, sizeof(behind_path));
	}
	return 0;
}

int sluice_sql_frames_between(struct sluice_index *ix, const struct sluice_whose *who,
			      const uint8_t camera[16], const struct sluice_index_place *after,
			      uint64_t to_ns, unsigned int limit, sluice_index_frame_fn fn,
			      void *ctx)
{
	struct sluice_index_frame f;
	struct sluice_rows *st;
	int rc;

	if (after->utc_ns > INT64_MAX || after->epoch > INT64_MAX || to_ns > INT64_MAX ||
	    limit > SLUICE_FRAMES_MAX)
		return -EINVAL;
	st = sluice_db_bind(db(ix), FRAMES_BETWEEN, "ssciiiid", who->tenant, who->cameras, camera,
			    after->utc_ns, after->epoch, after->sequence, to_ns, (int)limit);
	while ((rc = sluice_db_step(st)) > 0) {
		read_frame(st, &f);
		rc = fn(ctx, &f);
		if (rc) {
			sluice_db_end(st);
			break;
		}
	}
	return rc;
}

int sluice_sql_ledger_add(struct sluice_index *ix, const uint8_t id[16], uint64_t utc_ns,
			  uint64_t epoch, const void *ledger, size_t size)
{
	uint64_t span = SLUICE_LEDGER_S * 1000000000ull;
	int err = sluice_db_run(sluice_db_bind(db(ix), CAMERA_LEDGER, "cb", id, ledger, size));

	return err ? err
		   : sluice_db_run(sluice_db_bind(db(ix), LEDGER_ADD, "ciib", id,
						  utc_ns - utc_ns % span, epoch, ledger, size));
}

int sluice_sql_ledgers(struct sluice_index *ix, const struct sluice_whose *who,
		       const uint8_t camera[16], uint64_t from_ns, uint64_t to_ns,
		       sluice_index_ledger_fn fn, void *ctx)
{
	struct sluice_rows *st;
	const void *ledger;
	size_t size;
	int rc;

	if (from_ns > INT64_MAX || to_ns > INT64_MAX)
		return -EINVAL;
	st = sluice_db_bind(db(ix), LEDGERS, "sscii", who->tenant, who->cameras, camera, from_ns,
			    to_ns);
	while ((rc = sluice_db_step(st)) > 0) {
		ledger = sluice_db_blob(st, 2, &size);
		rc = fn(ctx, column_u64(st, 0), column_u64(st, 1), ledger, size);
		if (rc) {
			sluice_db_end(st);
			break;
		}
	}
	return rc;
}

int sluice_sql_epochs(struct sluice_index *ix, const struct sluice_whose *who,
		      const uint8_t camera[16], unsigned int limit, sluice_index_epoch_fn fn,
		      void *ctx)
{
	return tell_epochs(sluice_db_bind(db(ix), EPOCHS, "sscd", who->tenant, who->cameras, camera,
					  (int)limit),
			   fn, ctx);
}
