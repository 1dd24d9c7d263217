// SPDX-License-Identifier: MIT
/*
 * index_fence.c - who may still write about a partition, in the index.
 *
 * A row for each partition holds the latest token that has written. A transaction begins by raising
 * it, which locks the row until its end: so those of two holders of a lease come one after the
 * other, and the earlier holder's is refused as soon as the later one's has been committed. Tokens
 * are those of a bus that outlives its processes; they only ever grow.
 */
#include <errno.h>

#include "cloud/index_sql.h"

int sluice_sql_begin_fenced(struct sluice_index *ix, unsigned int partition, uint64_t token)
{
	int err = ix->ops->begin(ix);

	if (err)
		return err;
	err = sluice_db_run(sluice_db_bind(db(ix), FENCE_RAISE, "di", (int)partition, token));
	if (!err && sluice_db_changed(db(ix)))
		return 0;
	ix->ops->rollback(ix);
	if (err)
		return err;
	err = sluice_db_run(sluice_db_bind(db(ix), FENCE_REFUSED, "d", (int)partition));
	return err ? err : -ESTALE;
}

int sluice_sql_fence(struct sluice_index *ix, unsigned int partition, uint64_t *token,
		     uint64_t *refused)
{
	struct sluice_rows *st = sluice_db_bind(db(ix), FENCE, "d", (int)partition);
	int rc = sluice_db_step(st);

	if (rc <= 0)
		return rc ? rc : -ENOENT;
	*token = column_u64(st, 0);
	*refused = column_u64(st, 1);
	sluice_db_end(st);
	return 0;
}
