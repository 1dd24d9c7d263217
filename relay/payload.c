// SPDX-License-Identifier: MIT
/*
 * Nothing is copied: the bytes of cells and picture stay where they are, so that they are touched
 * twice in user space before they leave: by the checksum and by the encryption.
 */
#include "relay/payload.h"
#include "lib/wire.h"

#include <string.h>

static void add_piece(struct relay_payload *p, const void *bytes, size_t size)
{
	if (!size)
		return;
	p->iov[p->count++] = (struct iovec){ (void *)bytes, size };
	p->size += size;
}

void relay_payload_build(struct relay_payload *p, const struct sluice_ring_desc *d,
			 const uint8_t *cells, const struct relay_picture *picture)
{
	static const uint8_t zeros[8];
	struct sluice_wire_frame_info info = { .epoch = d->epoch,
					       .time_ns = d->time_ns,
					       .format = SLUICE_WIRE_JPEG,
					       .reason = d->reason,
					       .flags = (uint16_t)(d->flags & ~SLUICE_FRAME_NODHT),
					       .score = d->score,
					       .event = d->event,
					       .dropped = d->dropped,
					       .lost = d->lost,
					       .width = d->width,
					       .height = d->height,
					       .grid_w = d->grid_w,
					       .grid_h = d->grid_h,
					       .cells_size = d->cells_size,
					       .settings = d->settings };

	p->count = 0;
	p->size = 0;
	if (picture->head.iov_len)
		info.flags |= SLUICE_WIRE_REGION;
	sluice_wire_frame_put(&p->fixed, &info);
	add_piece(p, &p->fixed, sizeof(p->fixed));
	add_piece(p, cells, d->cells_size);
	add_piece(p, zeros, sluice_wire_cells_padded(d->cells_size) - d->cells_size);
	add_piece(p, picture->head.iov_base, picture->head.iov_len);
	for (unsigned int i = 0; i < picture->count; i++)
		add_piece(p, picture->iov[i].iov_base, picture->iov[i].iov_len);
}

int relay_payload_make(struct relay_payload *p, const struct relay_payload_maker *m,
		       const struct relay_ring *ring, const struct sluice_ring_desc *d,
		       struct relay_region *region, uint32_t lane)
{
	const uint8_t *cells = relay_ring_bytes(ring, d->cells);
	struct relay_picture picture;
	int err = relay_encode(m->encoder, d, relay_ring_bytes(ring, d->offset), &picture);

	if (err)
		return err;
	relay_region_make(region, &m->region, lane, d, cells, &picture);
	relay_payload_build(p, d, cells, &picture);
	return 0;
}
