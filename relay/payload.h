/* SPDX-License-Identifier: MIT */
/*
 * payload.h - the whole payload of one FRAME as a list of pieces: the fixed part, the motion cells,
 * the picture or the part of it that changed. Made in one place, so that the link, which sends it,
 * and the spool, which keeps its bytes as they are, know nothing of what is inside.
 */
#ifndef RELAY_PAYLOAD_H
#define RELAY_PAYLOAD_H

#include "relay/encode.h"
#include "relay/region.h"
#include "relay/ring.h"

#include <sluice/wire.h>

#define RELAY_PAYLOAD_PARTS 8

/* Pieces lie in the ring, in the encoder and in here: not to be moved or copied. Valid until the
 * next one is made with the same encoder, and as long as the record is not released. */
struct relay_payload {
	struct sluice_wire_frame fixed;
	struct iovec iov[RELAY_PAYLOAD_PARTS];
	unsigned int count;
	size_t size; /* bytes of all pieces */
};

/* The payload that a record and its picture make; cells: the record's bitmap. Cannot fail. */
void relay_payload_build(struct relay_payload *p, const struct sluice_ring_desc *d,
			 const uint8_t *cells, const struct relay_picture *picture);

/* What a record becomes: settings of all cameras. */
struct relay_payload_maker {
	struct relay_encoder *encoder;
	struct relay_region_config region;
};

/* The same from the record alone: its picture is made, or the part of it that changed since the
 * frame that region knows to be in that lane. 0, or an error of relay_encode(). If it is not sent
 * after all: relay_region_reset(). */
int relay_payload_make(struct relay_payload *p, const struct relay_payload_maker *m,
		       const struct relay_ring *ring, const struct sluice_ring_desc *d,
		       struct relay_region *region, uint32_t lane);

#endif
