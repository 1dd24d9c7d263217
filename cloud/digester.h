/* SPDX-License-Identifier: MIT */
/* digester.h - a thread of lowest priority that makes the digests of one worker's events. */
#ifndef SLUICE_DIGESTER_H
#define SLUICE_DIGESTER_H

#include "cloud/digest.h"
#include "cloud/fence.h"
#include "cloud/worker.h"

#define SLUICE_DIGESTS_MAX 64 /* waiting; of more, the newest gets none, which is logged */

struct sluice_digester;

/* Opens an index of its own and starts the thread. The config's ops are called in it. It writes
 * under the worker's lease, fence is borrowed. */
int sluice_digester_open(const struct sluice_worker_config *c, const struct sluice_fence *fence,
			 struct sluice_digester **out);

/* Takes over plan. Its digest is stored like a summary and told by ops->summary. */
void sluice_digester_add(struct sluice_digester *d, const struct sluice_camera *c,
			 struct sluice_digest_plan *plan);

/*
 * When everything added so far is made: note in the index that the epoch is told up to sequence
 * last and done, and call ops->done if tell is set. -ENOMEM.
 */
int sluice_digester_after(struct sluice_digester *d, const struct sluice_camera *c, uint64_t epoch,
			  int64_t last, int tell);

/* Is anything of this camera not finished? Until then its events do not count as told. */
int sluice_digester_busy(struct sluice_digester *d, const struct sluice_camera *c);

/* Ends after the present picture; the rest is given up (and made after the next start). NULL-safe.
 */
void sluice_digester_close(struct sluice_digester *d);

#endif
