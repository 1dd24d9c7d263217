// SPDX-License-Identifier: MIT
/* Every number is checked against the picture before it is used to find a byte or a pixel. */
#include "lib/wire_region.h"

#include <endian.h>
#include <errno.h>
#include <string.h>

void sluice_wire_region_put(struct sluice_wire_region *out,
			    const struct sluice_wire_region_info *info)
{
	uint32_t mcus = info->columns * info->rows;

	*out = (struct sluice_wire_region){
		.x = htole16(info->x),
		.y = htole16(info->y),
		.w = htole16(info->w),
		.h = htole16(info->h),
		.base = htole64(info->base),
		.mcu_w = (uint8_t)info->mcu_w,
		.mcu_h = (uint8_t)info->mcu_h,
		.mask_size = htole32(info->mask ? (mcus + 7) / 8 : 0),
	};
}

static bool side_ok(uint32_t at, uint32_t length, uint32_t whole, uint32_t mcu)
{
	return (mcu == 8 || mcu == 16 || mcu == 32) && length && at % mcu == 0 &&
	       at + length <= whole && (length % mcu == 0 || at + length == whole);
}

int sluice_wire_region_get(const uint8_t *bytes, size_t size, uint32_t width, uint32_t height,
			   struct sluice_wire_region_info *out)
{
	struct sluice_wire_region raw;
	uint32_t mcus, mask_size, padded;

	if (size <= sizeof(raw))
		return -EBADMSG;
	memcpy(&raw, bytes, sizeof(raw));
	bytes += sizeof(raw);
	size -= sizeof(raw);
	*out = (struct sluice_wire_region_info){
		.x = le16toh(raw.x),
		.y = le16toh(raw.y),
		.w = le16toh(raw.w),
		.h = le16toh(raw.h),
		.base = le64toh(raw.base),
		.mcu_w = raw.mcu_w,
		.mcu_h = raw.mcu_h,
	};
	if (raw.reserved || !side_ok(out->x, out->w, width, out->mcu_w) ||
	    !side_ok(out->y, out->h, height, out->mcu_h))
		return -EBADMSG;
	out->columns = (out->w + out->mcu_w - 1) / out->mcu_w;
	out->rows = (out->h + out->mcu_h - 1) / out->mcu_h;
	mcus = out->columns * out->rows;
	mask_size = le32toh(raw.mask_size);
	if (mask_size && mask_size != (mcus + 7) / 8)
		return -EBADMSG;
	padded = (mask_size + 7) & ~7u;
	if (padded >= size)
		return -EBADMSG;
	for (uint32_t i = mask_size; i < padded; i++)
		if (bytes[i])
			return -EBADMSG;
	if (mask_size && mcus % 8 && bytes[mask_size - 1] >> mcus % 8)
		return -EBADMSG;
	out->mask = mask_size ? bytes : NULL;
	out->jpeg = bytes + padded;
	out->jpeg_size = (uint32_t)(size - padded);
	return 0;
}
