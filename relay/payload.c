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
					       .flags = d->flags & ~SLUICE_FRAME_NODHT,
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
	sluice_wire_frame_put(&p->fixed, &info);
	add_piece(p, &p->fixed, sizeof(p->fixed));
	add_piece(p, cells, d->cells_size);
	add_piece(p, zeros, sluice_wire_cells_padded(d->cells_size) - d->cells_size);
	for (unsigned int i = 0; i < picture->count; i++)
		add_piece(p, picture->iov[i].iov_base, picture->iov[i].iov_len);
}

int relay_payload_make(struct relay_payload *p, struct relay_encoder *e,
		       const struct relay_ring *ring, const struct sluice_ring_desc *d)
{
	struct relay_picture picture;
	int err = relay_encode(e, d, relay_ring_bytes(ring, d->offset), &picture);

	if (!err)
		relay_payload_build(p, d, relay_ring_bytes(ring, d->cells), &picture);
	return err;
}
