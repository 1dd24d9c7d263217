/* SPDX-License-Identifier: MIT */
/*
 * staging.h - a group's frames on their way into a depot that takes whole segments: those of one
 * camera's lane become one segment, made in memory; then all of them are put side by side. Used by
 * the writer thread alone, before the index's transaction, so that nobody waits for a data base
 * while a store far away is asked.
 */
#ifndef SLUICE_STAGING_H
#define SLUICE_STAGING_H

#include "cloud/bus.h"
#include "cloud/depot.h"
#include "cloud/seal.h"
#include "cloud/segment.h"

struct sluice_staging;

/* Where a staged frame lies. */
struct sluice_staged {
	const char *path; /* of the segment, until clear() */
	uint64_t created_ns, size;
	uint64_t offset;
	uint32_t length;
};

/* NULL: out of memory. depot and keys (may be NULL) are borrowed. */
struct sluice_staging *sluice_staging_open(struct sluice_depot *depot,
					   const struct sluice_keyring *keys);
void sluice_staging_close(struct sluice_staging *s); /* NULL-safe */

/* The item's frame, behind the last one of its camera's lane. hint: of that lane, the caller's to
 * keep from call to call; any number at first. -ENOMEM, -EIO, -EINVAL. */
int sluice_staging_add(struct sluice_staging *s, const struct sluice_item *item,
		       const struct sluice_segment_frame *f, size_t *hint);
/* All durable, or what failed: then some may be there, which nobody will name. */
int sluice_staging_put(struct sluice_staging *s);
/* In the order in which they were added, those between may be left out. -ENOENT: not staged. */
int sluice_staging_take(struct sluice_staging *s, const struct sluice_item *item,
			struct sluice_staged *out);
/* For the next group. */
void sluice_staging_clear(struct sluice_staging *s);

#endif
