/* SPDX-License-Identifier: MIT */
/* wire_region.h - the head of a region frame (<sluice/wire.h>), checked, in host order. */
#ifndef SLUICE_LIB_WIRE_REGION_H
#define SLUICE_LIB_WIRE_REGION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sluice/wire.h>

struct sluice_wire_region_info {
	uint16_t x, y, w, h; /* pixels */
	uint64_t base;
	uint32_t mcu_w, mcu_h;
	uint32_t columns, rows; /* of MCUs in w x h */
	const uint8_t *mask;	/* NULL: all MCUs count */
	const uint8_t *jpeg;	/* borrowed */
	uint32_t jpeg_size;
};

/* Bytes of head and mask for so many MCUs. */
static inline size_t sluice_wire_region_size(uint32_t mcus)
{
	return sizeof(struct sluice_wire_region) + ((((size_t)mcus + 7) / 8 + 7) & ~(size_t)7);
}

/* Writes the head before a mask of info->columns x rows bits (if info->mask) that the caller puts
 * behind it, zeros up to 8 included. */
void sluice_wire_region_put(struct sluice_wire_region *out,
			    const struct sluice_wire_region_info *info);

/*
 * Reads what stands between cells and JPEG. width, height: of the whole picture. 0, or -EBADMSG:
 * cut, not aligned, beyond the picture, a mask of another size, padding or reserved not zero, no
 * JPEG behind it.
 */
int sluice_wire_region_get(const uint8_t *bytes, size_t size, uint32_t width, uint32_t height,
			   struct sluice_wire_region_info *out);

static inline bool sluice_wire_region_has(const struct sluice_wire_region_info *r, uint32_t mcu)
{
	return !r->mask || (r->mask[mcu / 8] >> (mcu % 8) & 1);
}

#endif
