// SPDX-License-Identifier: MIT
/*
 * rebuild.c - coefficients of the region put into those of the base; nothing is decoded to pixels
 * or quantised again, so a rebuilt frame is, where it moved, the camera's own bit for bit.
 *
 * Both pictures come from a device and may be hostile; coefs.h bounds what they can cost. What does
 * not belong together is refused: a frame that cannot be rebuilt is missing, never wrong.
 */
#include <errno.h>
#include <stdlib.h>
#include <sluice/wire.h>

#include "cloud/decode.h"
#include "cloud/rebuild.h"
#include "lib/coefs.h"

struct sluice_rebuild {
	struct sluice_coefs *base, *region;
};

struct sluice_rebuild *sluice_rebuild_open(void)
{
	struct sluice_rebuild *r = calloc(1, sizeof(*r));

	if (!r)
		return NULL;
	r->base = sluice_coefs_open(SLUICE_WIRE_PAYLOAD_MAX);
	r->region = sluice_coefs_open(SLUICE_WIRE_PAYLOAD_MAX);
	if (r->base && r->region)
		return r;
	sluice_rebuild_close(r);
	return NULL;
}

void sluice_rebuild_close(struct sluice_rebuild *r)
{
	if (!r)
		return;
	sluice_coefs_close(r->base);
	sluice_coefs_close(r->region);
	free(r);
}

int sluice_rebuild_frame(struct sluice_rebuild *r, const uint8_t *base, size_t base_size,
			 uint32_t width, uint32_t height,
			 const struct sluice_wire_region_info *region, const uint8_t **jpeg,
			 size_t *size)
{
	struct iovec whole = { (void *)base, base_size };
	struct iovec part = { (void *)region->jpeg, region->jpeg_size };
	const struct sluice_coefs_shape *s;
	int err;

	if (width > SLUICE_DECODE_SIDE_MAX || height > SLUICE_DECODE_SIDE_MAX)
		return -EBADMSG;
	err = sluice_coefs_read(r->base, &whole, 1, width, height);
	if (!err)
		err = sluice_coefs_read(r->region, &part, 1, region->w, region->h);
	if (err)
		return err;
	s = sluice_coefs_shape(r->region);
	if (s->mcu_w != region->mcu_w || s->mcu_h != region->mcu_h)
		return -EINVAL;
	err = sluice_coefs_paste(r->base, r->region, region->x / s->mcu_w, region->y / s->mcu_h,
				 region->mask);
	if (!err)
		err = sluice_coefs_write(r->base, NULL, NULL, jpeg, size);
	sluice_coefs_forget(r->base);
	sluice_coefs_forget(r->region);
	return err;
}
