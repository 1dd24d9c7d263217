/* SPDX-License-Identifier: MIT */
/*
 * region.h - which part of a frame must be sent, when the cloud already has an earlier one of the
 * same event. One struct relay_region per camera.
 */
#ifndef RELAY_REGION_H
#define RELAY_REGION_H

#include "relay/encode.h"

#include <stdbool.h>

struct sluice_coefs;

struct relay_region_config {
	bool on;
	uint32_t key_ms; /* a full frame at least this often */
};

struct relay_region {
	struct sluice_coefs *coefs; /* made when first needed */
	/* the base: the newest full frame that may be one */
	bool has_base;
	uint32_t lane, event;
	uint64_t epoch, base, base_ns, last;
	uint32_t width, height, mcu_w, mcu_h, components;
	uint16_t steps[3][64];
	int16_t *low; /* of each block the mean and, of luma, two gradients, as coefficients */
	size_t low_count;
	uint8_t *mask; /* of the whole picture; then of the box, behind its head, in head */
	uint8_t *head;
	size_t mask_size, head_size;
	/* counters */
	uint64_t full, parts;
};

/*
 * picture: the whole JPEG of record d with its motion cells, about to be sent in that lane. It is
 * made smaller, with a region's head, if what the cloud has in that lane allows it; else it stays
 * as it is, and is perhaps the next base. A record that comes again, or another lane, begins anew.
 */
void relay_region_make(struct relay_region *r, const struct relay_region_config *c, uint32_t lane,
		       const struct sluice_ring_desc *d, const uint8_t *cells,
		       struct relay_picture *picture);

/* The link broke, the frame was not sent or was rejected: the next one is full. */
void relay_region_reset(struct relay_region *r);
/* Frees what it holds; it may be used again. */
void relay_region_exit(struct relay_region *r);

#endif
