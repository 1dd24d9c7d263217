/* SPDX-License-Identifier: MIT */
/* retention.h - how long summaries stay on the device. */
#ifndef RELAY_RETENTION_H
#define RELAY_RETENTION_H

#include "relay/landing.h"
#include "relay/sinks.h"

#include <stdint.h>

struct relay_retention {
	uint64_t keep_ms;    /* age since it came; 0: for ever */
	uint64_t size_bytes; /* of all together; 0: any */
	uint64_t free_bytes; /* that stay free on the disk; 0: none */
	uint64_t partial_ms; /* what came in part and stands still; 0: stays */
};

/* The section [summaries]. */
void relay_retention_conf(struct relay_retention *r, struct sluice_conf *conf);

/* Remove what is too old, too much or in the way, oldest first, but nothing that a sink has not yet
 * announced. Waits for the disk. r or sinks may be NULL. Returns how many were removed. */
unsigned int relay_retention_sweep(const struct relay_retention *r, struct relay_store *s,
				   struct relay_sinks *sinks);

#endif
