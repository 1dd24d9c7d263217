/* SPDX-License-Identifier: MIT */
/* rebuild.h - a full frame from the base and what changed since. */
#ifndef SLUICE_REBUILD_H
#define SLUICE_REBUILD_H

#include <stddef.h>
#include <stdint.h>

#include "lib/wire_region.h"

struct sluice_rebuild;

/* Returns NULL when out of memory. */
struct sluice_rebuild *sluice_rebuild_open(void);
void sluice_rebuild_close(struct sluice_rebuild *r); /* NULL-safe */

/*
 * base: a whole JPEG of width x height pixels; region: read by sluice_wire_region_get() for that
 * size. *jpeg: a JPEG of width x height whose coefficients are the region's where it counts and the
 * base's elsewhere, valid until the next call. 0; -EBADMSG: one of them is no whole baseline JPEG
 * of its size; -EINVAL: they do not belong together (tables, sampling); -EOPNOTSUPP, -ENOMEM,
 * -EMSGSIZE.
 */
int sluice_rebuild_frame(struct sluice_rebuild *r, const uint8_t *base, size_t base_size,
			 uint32_t width, uint32_t height,
			 const struct sluice_wire_region_info *region, const uint8_t **jpeg,
			 size_t *size);

#endif
