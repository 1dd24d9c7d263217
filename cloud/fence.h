/* SPDX-License-Identifier: MIT */
/*
 * fence.h - whoever has the lease of a partition writes to the index under its token, where other
 * processes may have it later: one that was frozen, or cut off, and does not know yet that it has
 * lost the lease is refused. Where there is one process nobody is, and nothing is asked.
 */
#ifndef SLUICE_FENCE_H
#define SLUICE_FENCE_H

#include <errno.h>
#include <stdatomic.h>

#include "cloud/bus.h"
#include "cloud/index.h"

struct sluice_fence {
	const struct sluice_bus *bus;
	const struct sluice_lease *lease;
	atomic_int *lost; /* set once a write was refused: stop, claim anew */
};

/* f may be NULL: no lease is needed. 0, -ESTALE, or as begin() of the index. */
static inline int sluice_fence_begin(const struct sluice_fence *f, struct sluice_index *ix)
{
	int err;

	if (!f || !f->bus->shared)
		return 0;
	err = ix->ops->begin_fenced(ix, f->lease->partition, f->lease->token);
	if (err == -ESTALE)
		atomic_store(f->lost, 1);
	return err;
}

/* After a successful begin: rc is what was written between, negative if it failed. Returns rc, or
 * why it is not durable. */
static inline int sluice_fence_end(const struct sluice_fence *f, struct sluice_index *ix, int rc)
{
	int err = 0;

	if (!f || !f->bus->shared)
		return rc;
	if (rc >= 0)
		err = ix->ops->commit(ix);
	if (rc < 0 || err)
		ix->ops->rollback(ix);
	return err ? err : rc;
}

/* Nobody with an earlier token writes from now on; -ESTALE: somebody has a later one. */
static inline int sluice_fence_raise(const struct sluice_fence *f, struct sluice_index *ix)
{
	int err = sluice_fence_begin(f, ix);

	return err ? err : sluice_fence_end(f, ix, 0);
}

#endif
