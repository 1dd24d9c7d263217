/* SPDX-License-Identifier: MIT */
/* describe.h - what this device is and how it does, as JSON for the cloud; no secrets. */
#ifndef RELAY_DESCRIBE_H
#define RELAY_DESCRIBE_H

#include "relay/conf.h"
#include "relay/spool.h"

#include <jansson.h>

struct relay_describe {
	const struct relay_conf *conf;
	const struct relay_camera *camera; /* SLUICE_WIRE_SLOTS of them */
	const struct relay_spool *spool;   /* NULL: there is none */
	uint64_t started_ns, now_ns;	   /* monotonic */
};

/* A new reference; NULL: out of memory. */
json_t *relay_describe_json(const struct relay_describe *d);

#endif
